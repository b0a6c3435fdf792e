"""The invariants of deals."""

from django.db.models import (
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Value,
    Window,
)
from django.db.models.functions import Cast, Concat, Lag

from contacts.models import AccountContactRelation
from core.checks import check, offending
from opportunities.models import Opportunity, OpportunityContactRole, OpportunityStageHistory


@check("I16")
def deals_have_one_primary_contact():
    """A deal has one primary contact at most."""
    primary = OpportunityContactRole.objects.primary().order_by().values("opportunity_id")
    for row in primary.annotate(n=Count("pk")).filter(n__gt=1):
        yield "opportunity", row["opportunity_id"]


@check("I16")
def people_have_one_role_in_a_deal():
    """A person has one role in a deal."""
    roles = OpportunityContactRole.objects.order_by().values("opportunity_id", "contact_id")
    for row in roles.annotate(n=Count("pk")).filter(n__gt=1):
        yield "opportunity", row["opportunity_id"]


def _branch(account):
    return Concat(f"{account}__path", Cast(f"{account}_id", CharField()), Value("/"))


@check("I17")
def people_of_a_deal_belong_to_its_account_or_are_marked():
    """A role's person is related to the deal's account or its line, or is marked as external."""
    relations = AccountContactRelation.objects.filter(contact=OuterRef("contact")).annotate(
        branch=_branch("account"), deal_branch=ExpressionWrapper(OuterRef("branch"), CharField())
    )
    line = Q(deal_branch__startswith=F("branch")) | Q(branch__startswith=F("deal_branch"))
    roles = OpportunityContactRole.objects.filter(is_external=False)
    roles = roles.annotate(branch=_branch("opportunity__account"))
    yield from offending(roles.exclude(Exists(relations.filter(line))))


@check("I20")
def deals_agree_with_their_stage():
    """Closed, won, probability and category are the stage's, or were changed by hand."""
    wrong = ~Q(is_closed=F("stage__is_closed")) | ~Q(is_won=F("stage__is_won"))
    # A stage's own probability counts for later entries only, so a stage edited since is no proof.
    same = Q(stage__updated_at__lte=F("stage_entered_at")) | Q(is_closed=True)
    estimates = Q(probability_overridden=False) & ~Q(probability=F("stage__probability"))
    estimates |= Q(category_overridden=False) & ~Q(forecast_category=F("stage__forecast_category"))
    yield from offending(Opportunity.objects.filter(wrong | (same & estimates)))


@check("I21")
def closed_deals_say_when_and_why():
    """A closed deal has its time and, if lost, a reason; an open one has neither."""
    closed = Q(is_closed=True, closed_at=None)
    lost = Q(is_closed=True, is_won=False, loss_reason="")
    still_open = Q(is_closed=False) & (Q(closed_at__isnull=False) | ~Q(loss_reason=""))
    yield from offending(Opportunity.objects.filter(closed | lost | still_open))


@check("I22")
def stage_history_has_no_gaps():
    """Each row of a deal's history begins in the stage where the one before ended."""
    former = Window(Lag("to_stage_id"), partition_by="opportunity_id", order_by="pk")
    rows = OpportunityStageHistory.objects.annotate(former=former)
    begins_from = Q(former=None, from_stage__isnull=False)
    gap = Q(former__isnull=False) & (Q(from_stage=None) | ~Q(from_stage_id=F("former")))
    for pk in rows.filter(begins_from | gap).values_list("pk", flat=True):
        yield "opportunitystagehistory", pk


@check("I22")
def stage_history_ends_in_the_present():
    """The last row of a deal's history ends in the present stage."""
    rows = OpportunityStageHistory.objects.filter(opportunity=OuterRef("pk")).order_by("-pk")
    deals = Opportunity.objects.annotate(last=rows.values("to_stage_id")[:1])
    yield from offending(deals.filter(Q(last=None) | ~Q(last=F("stage_id"))))


@check("I23")
def amounts_have_a_currency_and_fit():
    """An amount has a currency and 12 digits before the point at most."""
    wrong = Q(currency="") | Q(amount__gte=10**12)
    yield from offending(Opportunity.objects.filter(wrong, amount__isnull=False))


@check("I37")
def open_deals_have_an_active_owner():
    """An open deal belongs to somebody who can log in."""
    yield from offending(Opportunity.objects.live().open().filter(owner__is_active=False))
