"""
The start page: what the user can act on today, and what he looked at and changed last.

Seven queries of its own, whatever the size of the tables: two each for the leads and the deals,
one each for the records that were looked at and that were changed, and one for the first steps
as long as they are shown.
"""

import datetime
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.db.models import Case, CharField, Count, F, OuterRef, Q, Subquery, Value, When, Window
from django.db.models.functions import Cast, RowNumber
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.models import Account
from contacts.models import Contact
from core import display
from core.journal import Change, Kind, Operation
from core.models import Organisation, Seen
from core.prepared import prepared
from core.reach import Verb, may, reach_of, where
from core.undo import RUNS
from crm.onboarding import first_steps
from leads.models import Lead, Phase
from opportunities.models import ForecastCategory, OpenSum, Opportunity

HIGH_SCORE = 60
SHOWN_LEADS = 6  # of each phase
# What is shown of a lead.
LEAD_FIELDS = (
    *("salutation", "first_name", "middle_name", "last_name", "suffix", "company", "email"),
    *("phase", "qualification_score", "lead_source", "phone_e164", "do_not_call"),
    *("created_at", "status_changed_at", "nurture_until"),
    *("owner__name", "owner__email"),
)
HANDOVER_FIELDS = ("handed_over_at", "handed_over_to__name", "handed_over_by__name")
SHOWN_DEALS = 8
READ_DEALS = 40  # among those that close next are the ones to look at
DEAL_FIELDS = (
    *("name", "amount", "currency", "close_date", "next_step", "is_closed", "stage_entered_at"),
    *("account__name", "stage__name", "stage__stale_after_days"),
)
SHOWN_CHANGES = 8
READ_OPERATIONS = 40
SHOWN_SEEN = 5
READ_SEEN = 20  # of each kind; some may be hidden by now
SOON_DAYS = 14
LONG_WAIT = datetime.timedelta(days=1)
FORECAST = (
    ForecastCategory.COMMIT,
    ForecastCategory.BEST_CASE,
    ForecastCategory.PIPELINE,
    ForecastCategory.OMITTED,
)
SAID_CURRENCIES = 2


@require_safe
def home(request):
    """Show the day of the user; with ``?whose=team`` that of everybody he works with."""
    user = request.user
    is_team = request.GET.get("whose") == "team"
    owners = sorted(reach_of(user).team) if is_team else [user.pk]
    leads = Leads.of(owners, user=user) if may(user, Verb.VIEW, Lead) else None
    deals = Deals.of(owners, user=user) if may(user, Verb.VIEW, Opportunity) else None
    context = {
        "greeting": greeting(user),
        "line": " ".join([f"{long_day()}.", *first_things(leads, deals)]),
        "is_team": is_team,
        "figures": [*(leads.figures() if leads else ()), *(deals.figures() if deals else ())],
        "leads": leads,
        "handovers": leads.handovers if leads else [],
        "deals": deals,
        "seen": last_seen(user),
        "changes": recent_changes(user),
        "progress": None if is_team else first_steps(user),
    }
    return render(request, "crm/home.html", context)


def greeting(user):
    """Good morning, afternoon or evening, in the user's time zone."""
    hour = timezone.localtime().hour
    name = {"name": user.get_short_name()}
    if hour < 12:
        return _("Good morning, %(name)s") % name
    return (_("Good afternoon, %(name)s") if hour < 18 else _("Good evening, %(name)s")) % name


def long_day():
    """Today in the user's time zone, with its weekday and year."""
    today = timezone.localdate()
    return f"{date_format(today, 'l')}, {display.day(today)}"


def first_things(leads, deals):
    """What should be looked at first, a sentence each."""
    overdue = deals.overdue_count if deals else 0
    new = leads.counts[Phase.OPEN] if leads else 0
    if overdue:
        yield ngettext("%d deal is overdue.", "%d deals are overdue.", overdue) % overdue
    if new:
        text = ngettext("%d new lead waits for an answer.", "%d new leads wait for an answer.", new)
        yield text % new
    if not overdue and not new:
        yield _("Nothing is overdue.")


# -- leads ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Leads:
    """The leads that somebody should do something about, by phase, and how many there are."""

    by_phase: dict
    counts: Counter
    handovers: list

    @classmethod
    def of(cls, owners, *, user):
        """
        New ones, qualified ones, and those whose rest is over; the best and oldest first.

        Those of a hand-over that waits, by or to the user or his people, stand by themselves.
        """
        handed_over = sorted(reach_of(user).lent_by(Lead))
        among = Q(pk__in=handed_over) if handed_over else None
        today = Organisation.current().today()
        ranked = _ranked(where(Lead, user), Q(owner_id__in=owners), among, today)
        by_key = {lead.pk: lead for lead in _leads([*ranked], is_handed_over=bool(handed_over))}
        by_phase, counts, handovers = {}, Counter(), []
        for key, number in ranked.items():
            if (lead := by_key.get(key)) is None:  # gone in between
                continue
            if key in handed_over:
                handovers.append(cls.handover(lead, user=user))
                continue
            by_phase.setdefault(Phase(lead.phase), []).append(lead)
            counts[Phase(lead.phase)] = number
        handovers.sort(key=lambda row: (not row["is_mine"], row["due_at"]))
        return cls(by_phase, counts, handovers)

    @staticmethod
    def handover(lead, *, user):
        """A hand-over that waits for its answer, as the page shows it."""
        due_at = lead.answer_due_at
        return {
            "lead": lead,
            "is_mine": lead.handed_over_to_id == user.pk,
            "due_at": due_at,
            "is_overdue": timezone.now() > due_at,
        }

    def panels(self):
        """The panels of the page: title, leads, their number, and where all of them are."""
        titles = {
            Phase.OPEN: _("New leads"),
            Phase.QUALIFIED: _("Ready to convert"),
            Phase.NURTURING: _("Rest is over"),
        }
        for phase, title in titles.items():
            if leads := self.by_phase.get(phase):
                rows = [(lead, self.waits_long(lead)) for lead in leads]
                yield {"phase": phase, "title": title, "rows": rows, "count": self.counts[phase]}

    @staticmethod
    def waits_long(lead):
        return timezone.now() - lead.created_at > LONG_WAIT

    def figures(self):
        new = self.by_phase.get(Phase.OPEN, [])
        note = _("None waits for an answer")
        if new:
            oldest = min(lead.created_at for lead in new)
            age = display.age(oldest, now=timezone.now())
            note = _("The longest has waited %(age)s") % {"age": age}
        yield {"label": _("New leads"), "value": self.counts[Phase.OPEN], "kind": "number",
               "note": note}  # fmt: skip
        yield {"label": _("Ready to convert"), "value": self.counts[Phase.QUALIFIED],
               "kind": "number", "note": _("Qualified leads")}  # fmt: skip


def _ranked(visible, owned, handed_over, today):
    """The keys of the leads that are shown, in their order, each with the number of its kind."""
    return dict(_ranks(visible, owned, handed_over, today))


@prepared
def _ranks(visible, owned, handed_over, today):
    wanted = Q(phase__in=[Phase.OPEN, Phase.QUALIFIED])
    wanted |= Q(phase=Phase.NURTURING, nurture_until__lte=today)
    wanted, parts = wanted & owned, [F("phase")]
    if handed_over:
        wanted |= handed_over
        parts = [Case(When(handed_over, then=Value("")), default=F("phase"))]
    best_first = (
        Case(When(qualification_score__gte=HIGH_SCORE, then=0), default=1),
        "created_at",
        "pk",
    )
    rows = (
        Lead.objects.filter(visible)
        .live()
        .filter(wanted)
        .annotate(
            place=Window(RowNumber(), partition_by=parts, order_by=best_first),
            number=Window(Count("pk"), partition_by=parts),
        )
    )
    # An index has all of this; what is shown besides is read of those few alone.
    rows = rows.filter(place__lte=SHOWN_LEADS).order_by("phase", "place")
    return rows.values_list("pk", "number")


@prepared
def _leads(keys, *, is_handed_over):
    leads = Lead.objects.filter(pk__among=keys).select_related("owner")
    if is_handed_over:
        leads = leads.select_related("handed_over_to", "handed_over_by")
        return leads.only(*LEAD_FIELDS, *HANDOVER_FIELDS)
    return leads.only(*LEAD_FIELDS)


# -- deals ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deals:
    """The open deals: those that close next, and what all of them add up to."""

    next: list
    sums: list
    today: datetime.date

    @classmethod
    def of(cls, owners, *, user):
        today = Organisation.current().today()
        soon = today + datetime.timedelta(days=SOON_DAYS)
        of = where(Opportunity, user), Q(owner_id__in=owners)
        return cls(_next_deals(*of), [*map(OpenSum.of, _sums_of_deals(*of, today, soon))], today)

    @property
    def overdue_count(self):
        return sum(row.count for row in self.sums if row.due == OpenSum.OVERDUE)

    def states(self, deal):
        """Why a deal needs a look: overdue, closing soon, without a next step, gone quiet."""
        if deal.is_overdue(today=self.today):
            yield "overdue"
        elif (deal.close_date - self.today).days <= SOON_DAYS:
            yield "soon"
        if not deal.next_step:
            yield "idle"
        if deal.is_quiet(today=self.today):
            yield "quiet"

    @cached_property
    def urgent(self):
        """The deals to look at, each with the reason and its tone."""
        found = [(deal, list(self.states(deal))) for deal in self.next]
        found = [(deal, states) for deal, states in found if states]
        found.sort(key=lambda row: ("overdue" not in row[1], "soon" not in row[1]))
        return [(deal, *self.reason(deal, states[0])) for deal, states in found[:SHOWN_DEALS]]

    def reason(self, deal, state):
        days = abs((deal.close_date - self.today).days)
        if state == "overdue":
            text = ngettext("Overdue for %d day", "Overdue for %d days", days) % days
            return text, "bad"
        if state == "idle":
            return _("No next step"), "warn"
        if state == "quiet":
            days = deal.days_in_stage(today=self.today)
            values = {"days": days, "stage": deal.stage}
            text = ngettext("In %(stage)s for %(days)d day", "In %(stage)s for %(days)d days", days)
            return text % values, "warn"
        if days == 0:
            return _("Closes today"), "warn"
        return ngettext("Closes in %d day", "Closes in %d days", days) % days, "mute"

    def figures(self):
        pipeline = [row for row in self.sums if row.is_counted]
        closing = [row for row in pipeline if row.due == OpenSum.SOON]
        overdue = [row for row in self.sums if row.due == OpenSum.OVERDUE]
        days = {"days": SOON_DAYS}
        yield self.figure(_("Open deals"), pipeline)
        yield self.figure(_("Closing within %(days)s days") % days, closing)
        yield self.figure(_("Overdue"), overdue, tone="bad" if overdue else "")

    def figure(self, label, sums, *, tone=""):
        count = sum(row.count for row in sums)
        return {"label": label, "value": count, "kind": "number", "note": amounts(sums),
                "note_tone": tone}  # fmt: skip

    def forecast(self):
        """The open deals by forecast category: (category, how many, amounts)."""
        for category in FORECAST:
            rows = [row for row in self.sums if row.forecast_category == category]
            if rows:
                count = sum(row.count for row in rows)
                yield category.label, count, amounts(rows, limit=len(rows))


@prepared
def _next_deals(visible, owned):
    deals = Opportunity.objects.filter(visible, owned).live().open()
    rows = deals.select_related("account", "stage").order_by("close_date", "pk")
    return rows.only(*DEAL_FIELDS)[:READ_DEALS]


@prepared
def _sums_of_deals(visible, owned, today, soon):
    return Opportunity.objects.filter(visible, owned).live().by_due(today, soon)


def amounts(sums, *, limit=SAID_CURRENCIES):
    """What OpenSums add up to, in each currency by itself, the most frequent ones first."""
    totals, frequency = {}, Counter()
    for row in sums:
        frequency[row.currency] += row.count
        totals[row.currency] = totals.get(row.currency, Decimal(0)) + row.amount
    currencies = sorted(totals, key=lambda currency: (-frequency[currency], currency))
    texts = [display.money(totals[currency], currency) for currency in currencies[:limit]]
    if (more := len(currencies) - limit) > 0:
        texts.append(ngettext("%d more currency", "%d more currencies", more) % more)
    return ", ".join(texts)


# -- what was looked at and changed last ------------------------------------------------------

# The fields that a record is named by: the first two together, else the first of the others.
NAMED_BY = {
    Lead: ("first_name", "last_name", "company", "email"),
    Account: ("name", "", "", ""),
    Contact: ("first_name", "last_name", "", ""),
    Opportunity: ("name", "", "", ""),
}


def last_seen(user):
    """The records that ``user`` looked at last, the latest first, if still there."""
    return named(_seen(user.pk, *visible_kinds(user)))


def recent_changes(user):
    """
    The records that ``user`` changed last, the latest first, as far as they are still there.

    From the journal, so that no table is searched; runs and undos are left out.
    """
    return named(_changed(user.pk, *visible_kinds(user)))


def visible_kinds(user):
    """The conditions under which ``user`` may see the records of each kind."""
    return [where(model, user) for model in NAMED_BY]


@prepared
def _seen(user, *visible):
    def seen_of(model):
        seen = Seen.objects.filter(user=user, model=model._meta.label_lower)
        latest = seen.order_by("-at", "-pk").values("object_id")[:READ_SEEN]
        at = Subquery(seen.filter(object_id=OuterRef("pk")).values("at"))
        return model.objects.filter(pk__in=latest).annotate(at=at)

    return _latest(seen_of, visible)[:SHOWN_SEEN]


@prepared
def _changed(user, *visible):
    done = Operation.objects.filter(actor=user).exclude(kind__in=[*RUNS, Kind.UNDO])
    done = done.order_by("-pk").values("pk")[:READ_OPERATIONS]

    def changed_of(model):
        changes = Change.objects.filter(model=model._meta.label_lower, operation__in=done)
        rows = model.objects.filter(pk__in=changes.values("object_id"))
        return rows.annotate(at=F("updated_at"))

    return _latest(changed_of, visible)[:SHOWN_CHANGES]


def _latest(rows_of, visible):
    """
    Of all kinds of records the latest by the time ``at``, in one query.

    ``rows_of`` gives the rows of a model with their time; hidden and archived ones are left out.
    """
    kinds = zip(NAMED_BY.items(), visible, strict=True)
    first, *others = [
        _with_names(rows_of(model).filter(allowed), names) for (model, names), allowed in kinds
    ]
    return first.union(*others, all=True).order_by("-at", "model", "pk")


def _with_names(rows, names):
    texts = {
        f"text_{number}": Cast(name, CharField()) if name else Value("", CharField())
        for number, name in enumerate(names)
    }
    label = Value(rows.model._meta.model_name, CharField())
    return rows.live().annotate(model=label, **texts).values_list("model", "pk", "at", *texts)


def named(rows):
    """The records of ``rows``, such as ``_latest`` has, as the page shows them."""
    by_name = {model._meta.model_name: model for model in NAMED_BY}
    found = []
    for name, pk, at, first_text, second_text, *texts in rows:
        model = by_name[name]
        text = " ".join(filter(None, (first_text, second_text))) or next(filter(None, texts))
        url = reverse(f"{model._meta.app_label}:{name}_detail", args=[pk])
        kind = capfirst(model._meta.verbose_name)
        found.append({"kind": name, "label": kind, "name": text, "url": url, "at": at})
    return found
