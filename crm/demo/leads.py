"""The sample leads, how they are worked, and the first ones that became customers."""

import datetime
from dataclasses import replace

from django.utils.translation import gettext_noop

from core.journal import Kind
from core.services import archive
from crm.demo import material
from crm.demo.events import Chapter
from crm.demo.records import domain_for
from leads.conversion import ConversionChoices, Relation, convert_lead, default_choices
from leads.conversion.choices import Deal
from leads.models import Lead, LeadStatus, Phase
from leads.services import change_status
from opportunities.models import Opportunity
from users.models import Role

LEADS = ((Phase.OPEN, 76, 0, 14), (Phase.WORKING, 62, 3, 60), (Phase.NURTURING, 26, 20, 90),
         (Phase.QUALIFIED, 42, 5, 45), (Phase.DEAD, 44, 10, 90))  # fmt: skip
"""Phase, how many leads, how many days ago the youngest and the oldest came."""

ARRIVALS_EVERY = 2  # leads come in on every second day, so that a day is one operation
CONVERSIONS = 13


class Leads(Chapter):
    """Who may be interested."""

    def __init__(self, book):
        super().__init__(book)
        self.leads = {phase: [] for phase in Phase}

    def tell(self):
        self.bring_in_leads()
        self.work_on_leads()
        self.put_away()
        self.convert()

    def bring_in_leads(self):
        """Leads came on working days: what came on one day is one event, by the system."""
        drawn = []
        for phase, count, youngest, oldest in LEADS:
            for _number in range(count):
                days = int(self.rng.triangular(youngest, oldest, youngest))
                age = max(days - days % ARRIVALS_EVERY, youngest)
                drawn.append(self.draw_lead(phase, age, number=len(drawn)))
        by_day = {}
        for lead in drawn:
            by_day.setdefault(lead.created_at.date(), []).append(lead)
        for leads in by_day.values():
            at = max(lead.created_at for lead in leads)
            label = gettext_noop("Took in %(count)s leads")
            self.add(at, None, label, bulk_creation_of(leads), count=len(leads))

    def draw_lead(self, phase, age, *, number):
        """A lead of a new company, of one that has leads, of a known account, or of nobody."""
        places = (*material.PLACES, material.GB, material.GB, material.US, material.DE)
        place = self.rng.choice(places)
        company, domain = ("", ""), ""
        others = [lead for leads in self.leads.values() for lead in leads if lead.company]
        if number % 9 == 4:
            household = self.rng.choice(self.book.households[:-2])
            account, place = household.account, household.place
            company, domain = (account.name, account.industry), domain_for(account.name)
        elif number % 9 == 6 and others:
            sibling = self.rng.choice(others)
            place = next(p for p in material.PLACES if p.time_zone == sibling.time_zone)
            company = (sibling.company, sibling.industry)
            domain = domain_for(sibling.company)
        elif number % 15 != 8:
            company = self.drawing.company(place)
            domain = domain_for(company[0])
        lead = self.drawing.lead(place, phase, age, company=company, domain=domain)
        if number % 40 == 21:  # a form on which only the address was filled in
            lead.salutation = lead.first_name = lead.last_name = lead.company = lead.title = ""
        entered = lead.created_at
        if phase != Phase.OPEN:
            entered = self.calendar.between(lead.created_at, self.calendar.moment(min(age, 2)))
        self.drawing.enter(lead, phase, at=max(entered, lead.created_at))
        self.leads[phase].append(lead)
        return lead

    def work_on_leads(self):
        """Some leads went on to their present status in the last days only."""
        working = self.leads[Phase.WORKING][:14]
        qualified = self.leads[Phase.QUALIFIED][CONVERSIONS : CONVERSIONS + 10]
        for number, lead in enumerate([*working, *qualified]):
            self.move_on(lead, Phase(lead.phase), self.rng.randint(0, 3), number)

    def move_on(self, lead, phase, age, number):
        """The lead comes in as an earlier one; an event gives it the status of ``phase``."""
        before = Phase.OPEN if phase == Phase.WORKING else Phase.WORKING
        status, by = LeadStatus.first(phase), lead.owner
        lead.enter(LeadStatus.first(before), at=lead.created_at)
        at = max(self.calendar.moment(age), lead.created_at + datetime.timedelta(hours=1 + number))
        self.add(
            at,
            by,
            gettext_noop("Set %(lead)s to %(status)s"),
            lambda op: change_status(lead, status=status, by=by),
            kind=Kind.STAGE,
            lead=lead,
            status=status,
        )

    def put_away(self):
        """A few given up leads are in the recycle bin."""
        mine = [lead for lead in self.leads[Phase.DEAD] if lead.owner.role == Role.REP]
        for number, lead in enumerate(mine[:4]):
            self.add(
                self.calendar.moment(4 - number),
                lead.owner,
                gettext_noop("Archived %(record)s"),
                lambda op, lead=lead: archive(lead, by=lead.owner),
                kind=Kind.ARCHIVE,
                record=lead,
            )

    def convert(self):
        """Qualified leads become customers today, each by other choices."""
        leads = self.leads[Phase.QUALIFIED][:CONVERSIONS]
        self.prepare_meetings(leads)
        for number, lead in enumerate(leads):
            at = self.calendar.now - datetime.timedelta(minutes=2 * (CONVERSIONS - number))
            self.add(
                at,
                lead.owner,
                gettext_noop("Converted %(lead)s"),
                lambda op, lead=lead, number=number: self.convert_one(lead, number),
                kind=Kind.CONVERT,
                lead=lead,
            )

    def prepare_meetings(self, leads):
        """Let some of the leads be people and companies that are known already."""
        known = self.book.with_several_people()
        for lead, household in zip(leads[:6], known[3:], strict=False):
            account = household.account
            lead.company, lead.website = account.name, account.website
            lead.country, lead.owner = account.billing_country, account.owner
            lead.currency = lead.budget_currency = account.currency
            if lead.budget is not None:
                lead.budget = self.drawing.money(household.place, 4_000, 90_000)
            if lead in leads[2:6]:  # the person is known as well
                person = household.people[-1]
                lead.salutation = person.salutation
                lead.first_name, lead.last_name = person.first_name, person.last_name
                lead.email = person.email
        leads[5].company, leads[5].website = "Emberley Glass Ltd", ""
        leads[6].company = leads[6].website = leads[6].title = ""  # a private person
        for lead in leads:
            if not lead.last_name:
                lead.last_name = "Sandberg"

    def convert_one(self, lead, number):
        by = lead.owner
        choices = default_choices(Lead.objects.get(pk=lead.pk), by=by)
        convert_lead(lead, by=by, choices=self.choices(choices, lead, number, by))

    def choices(self, choices, lead, number, by):
        """What is preselected, with one decision of its own for each conversion."""
        if number == 1:
            return replace(choices, deal=Deal.NONE, left=frozenset({"contact.description"}))
        if number == 3:
            return replace(choices, winners={"contact.title": "lead", "contact.phone": "lead"})
        if number == 4:
            deals = Opportunity.objects.visible_to(by).live().open()
            deal = deals.filter(account=choices.account).order_by("pk").first()
            kind = Deal.EXISTING if deal else Deal.NONE
            return replace(choices, deal=kind, opportunity=deal)
        if number == 5:  # the person went to a company that is new here
            return replace(choices, account=None, relation=Relation.MOVED)
        if number == 7:
            values = {"opportunity.name": f"{lead.product_interest or 'Meters'}, framework"}
            return replace(choices, deal=Deal.NEW, values=values, role="Decision Maker")
        if number == 8:
            return ConversionChoices(deal=Deal.NONE, owner=lead.owner)
        return choices


def bulk_creation_of(leads):
    """What writes ``leads`` in one event."""
    return lambda op: Lead.objects.bulk_create(leads)
