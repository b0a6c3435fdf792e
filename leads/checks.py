"""The invariants of leads and conversions."""

from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from contacts.models import AccountContactRelation
from core.checks import check, offending
from core.filtering import FilterRefused, parse
from core.journal import Change, Kind, Verb
from leads.models import AssignmentRule, Conversion, Lead, Phase

HERE = Conversion.Origin.CONVERTED
AFTERWARDS = (Kind.UNDO, Kind.ERASE, Kind.CONVERT)


def _current(name):
    """The record that a conversion's link means now: the one it was merged into, else itself."""
    return Coalesce(f"{name}__merged_into_id", f"{name}_id")


@check("I01")
def converted_leads_have_a_conversion():
    """A converted lead has exactly one conversion."""
    conversion = Conversion.objects.filter(lead=OuterRef("pk"))
    yield from offending(Lead.objects.converted().exclude(Exists(conversion)))


@check("I02")
def conversions_have_a_converted_lead():
    """A conversion belongs to a converted lead."""
    yield from offending(Conversion.objects.exclude(lead__phase=Phase.CONVERTED))


@check("I03")
def conversions_have_their_targets():
    """A conversion has account and contact, unless it was imported as history."""
    blank = Q(account=None) | Q(contact=None)
    yield from offending(Conversion.objects.filter(blank, origin=HERE))


@check("I04")
def converted_people_are_related_to_their_account():
    """A conversion's contact is related to its account, or the relation was removed since."""
    relation = AccountContactRelation.objects.filter(
        account=OuterRef("current_account"), contact=OuterRef("current_contact")
    )
    conversions = Conversion.objects.filter(origin=HERE).annotate(
        current_account=_current("account"), current_contact=_current("contact")
    )
    for conversion in conversions.exclude(Exists(relation)).order_by("pk"):
        if not _relation_removed(conversion.current_account, conversion.current_contact):
            yield "conversion", conversion.pk


def _relation_removed(account, contact):
    removed = Change.objects.filter(
        model=AccountContactRelation._meta.label_lower, verb=Verb.DELETED
    )
    removed = removed.filter(before__contains=f'"contact":{contact},').order_by("pk")
    return any(
        (c.before_values["account"], c.before_values["contact"]) == (account, contact)
        for c in removed
    )


@check("I05")
def converted_deals_belong_to_their_account():
    """A conversion's deal belongs to its account, or was moved since."""
    conversions = Conversion.objects.filter(origin=HERE, opportunity__isnull=False)
    conversions = conversions.annotate(current_account=_current("account"))
    for conversion in conversions.exclude(opportunity__account_id=F("current_account")):
        moves = Change.objects.filter(
            model="opportunities.opportunity",
            object_id=conversion.opportunity_id,
            verb=Verb.UPDATED,
            after__contains='"account":',
        )
        if not moves.exists():
            yield "conversion", conversion.pk


@check("I06")
def conversions_agree_with_their_lead():
    """Lead and conversion have the same time, and the conversion says who made it."""
    wrong = Q(lead__converted_at=None) | ~Q(converted_at=F("lead__converted_at"))
    wrong |= Q(converted_by=None, origin=HERE)
    yield from offending(Conversion.objects.filter(wrong))


@check("I07")
def phases_agree_with_their_status():
    """A lead's phase is its status's, and a converted one has the time of its conversion."""
    wrong = ~Q(phase=F("status__phase"))
    wrong |= Q(phase=Phase.CONVERTED, converted_at=None)
    wrong |= ~Q(phase=Phase.CONVERTED) & Q(converted_at__isnull=False)
    yield from offending(Lead.objects.filter(wrong))


@check("I08")
def converted_leads_are_left_alone():
    """A converted lead is not changed afterwards, except by undo or erasure."""
    conversion = Change.objects.filter(
        model=Conversion._meta.label_lower,
        object_id=OuterRef("conversion__pk"),
        verb=Verb.CREATED,
    ).order_by("-version")
    later = Change.objects.filter(
        model=Lead._meta.label_lower,
        object_id=OuterRef("pk"),
        operation__gt=OuterRef("converting"),
    ).exclude(operation__kind__in=AFTERWARDS)
    leads = Lead.objects.converted().annotate(
        converting=Subquery(conversion.values("operation_id")[:1])
    )
    yield from offending(leads.filter(Exists(later)))


@check("I43")
def rules_can_be_asked():
    """The conditions of every active assignment rule can be asked."""
    for rule in AssignmentRule.objects.active().order_by("pk"):
        try:
            parse(Lead, rule.criteria, by=None)
        except FilterRefused:
            yield "assignmentrule", rule.pk


@check("I23")
def amounts_of_leads_have_a_currency():
    """A lead's revenue and budget have a currency and fit their columns."""
    revenue = Q(annual_revenue__isnull=False)
    revenue &= Q(currency="") | Q(annual_revenue__gte=10**15)
    budget = Q(budget__isnull=False) & (Q(budget_currency="") | Q(budget__gte=10**12))
    yield from offending(Lead.objects.filter(revenue | budget))


@check("I37")
def open_leads_have_an_active_owner():
    """An open lead belongs to somebody who can log in."""
    yield from offending(Lead.objects.live().open().filter(owner__is_active=False))
