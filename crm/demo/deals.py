"""The sample deals on their way through the stages."""

import datetime

from django.utils.translation import gettext_noop

from core.journal import Kind
from crm.demo import material
from crm.demo.events import Chapter
from crm.demo.records import PLACE_OF
from opportunities.models import Opportunity, OpportunityContactRole, Stage
from opportunities.services import (
    change_stage,
    close_lost,
    close_won,
    create_opportunities,
    reopen_opportunity,
    save_opportunity,
)

OPEN_DEALS_A_STAGE = 5
WON_DEALS = 20
LOST_DEALS = 14
OLDEST = 190  # days; accounts are older


class Deals(Chapter):
    """What is sold, was sold and was lost."""

    def __init__(self, book):
        super().__init__(book)
        self.deals = []

    def tell(self):
        self.open_deals()
        self.closed_deals()

    def open_deals(self):
        stages = [stage for stage in Stage.choices() if not stage.is_closed]
        for place_in_path in range(len(stages)):
            for number in range(OPEN_DEALS_A_STAGE):
                age = self.rng.randint(6, 40 + 12 * place_in_path)
                begins = stages[max(place_in_path - number % 3, 0)]
                closes = self.rng.randint(1, 13) if number == 1 else self.rng.randint(15, 130)
                deal = self.begin_deal(begins, age, closes=closes)
                if number == 4 and place_in_path % 2:
                    deal.close_date = self.calendar.day(-self.rng.randint(2, 20))
                path = stages[stages.index(begins) + 1 : place_in_path + 1]
                self.walk(deal, path, since=age, until=self.rng.randint(0, age // 2))
        for deal in self.deals[5:40:9]:
            self.push(deal)
        for deal in self.deals[2:40:5]:
            self.plan_step(deal)

    def begin_deal(self, stage, age, *, closes):
        """A deal that began ``age`` days ago, with one to three people who decide."""
        household = self.rng.choice(self.book.households)
        deal = self.drawing.deal(household.account, household.place, stage)
        at = self.calendar.moment(age)
        deal.created_at = at
        deal.close_date = self.calendar.day(closes)
        committee = self.rng.sample(household.people, self.rng.randint(1, len(household.members)))
        roles = [
            OpportunityContactRole(
                opportunity=deal,
                contact=contact,
                role=self.rng.choice(material.ROLES),
                stance=self.rng.choice(OpportunityContactRole.Stance.values),
                is_primary=number == 0,
            )
            for number, contact in enumerate(committee)
        ]

        def write(op):
            create_opportunities([deal], by=deal.owner, at=at)
            OpportunityContactRole.objects.bulk_create(roles)

        label = gettext_noop("Created %(opportunity)s")
        self.add(at, deal.owner, label, write, opportunity=deal)
        self.deals.append(deal)
        return deal

    def walk(self, deal, stages, *, since, until):
        """The events in which the deal came through ``stages``, evenly between two days ago."""
        for number, stage in enumerate(stages, start=1):
            age = since - (since - until) * number // len(stages)
            at = max(self.calendar.moment(age), deal.created_at + datetime.timedelta(minutes=90))
            label = gettext_noop("Moved %(opportunity)s to %(stage)s")
            self.add(
                at,
                deal.owner,
                label,
                lambda op, stage=stage: change_stage(deal, stage=stage, by=deal.owner),
                kind=Kind.STAGE,
                opportunity=deal,
                stage=stage,
            )

    def push(self, deal):
        """The close date is moved into a later month."""

        def write(op):
            stored = Opportunity.objects.get(pk=deal.pk)
            stored.close_date += datetime.timedelta(days=40)
            save_opportunity(stored, by=deal.owner)

        self.edit(deal, self.rng.randint(1, 5), write)

    def plan_step(self, deal):
        """Somebody notes what comes next."""
        step = self.rng.choice(material.NEXT_STEPS)
        due = self.calendar.day(self.rng.randint(0, 6))

        def write(op):
            stored = Opportunity.objects.get(pk=deal.pk)
            stored.next_step, stored.next_step_due = step, due
            save_opportunity(stored, by=deal.owner)

        self.edit(deal, self.rng.randint(0, 3), write)

    def edit(self, deal, age, write):
        at = max(self.calendar.moment(age), deal.created_at + datetime.timedelta(hours=3))
        label = gettext_noop("Edited %(opportunity)s")
        self.add(at, deal.owner, label, write, kind=Kind.EDIT, opportunity=deal)

    def closed_deals(self):
        stages = [stage for stage in Stage.choices() if not stage.is_closed]
        for number in range(WON_DEALS + LOST_DEALS):
            is_won = number < WON_DEALS
            closed = self.rng.randint(1, 150)
            age = closed + self.rng.randint(20, 90)
            stage = stages[-1] if is_won else self.rng.choice(stages[1:])
            deal = self.begin_deal(stage, min(age, OLDEST), closes=-closed)
            place = PLACE_OF[deal.account.billing_country]
            deal.amount = deal.amount or self.drawing.money(place, 5_000, 60_000)
            deal.next_step, deal.next_step_due = "", None
            self.close(deal, closed, number, is_won=is_won)

    def close(self, deal, age, number, *, is_won):
        at, by = self.calendar.moment(age), deal.owner
        day = at.date()
        if is_won:
            reason = material.WINS[number % len(material.WINS)]
            self.add(
                at,
                by,
                gettext_noop("Won %(opportunity)s"),
                lambda op: close_won(deal, by=by, close_date=day, win_reason=reason),
                kind=Kind.STAGE,
                opportunity=deal,
            )
            return
        reason, note, competitor = material.LOSSES[number % len(material.LOSSES)]

        def lose(op):
            close_lost(deal, by=by, reason=reason, note=note, competitor=competitor, close_date=day)

        label = gettext_noop("Lost %(opportunity)s")
        self.add(at, by, label, lose, kind=Kind.STAGE, opportunity=deal)
        if number == WON_DEALS:
            self.reopen(deal, age)

    def reopen(self, deal, age):
        at, by = self.calendar.moment(min(age, 8) - 1), deal.owner
        closes = self.calendar.day(self.rng.randint(20, 60))

        def reopen(op):
            reopen_opportunity(deal, reason="The cheaper offer fell through.", by=by)
            stored = Opportunity.objects.get(pk=deal.pk)
            stored.close_date = closes
            save_opportunity(stored, by=by)

        label = gettext_noop("Reopened %(opportunity)s")
        self.add(at, by, label, reopen, kind=Kind.STAGE, opportunity=deal)
