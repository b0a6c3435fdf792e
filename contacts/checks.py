"""The invariants of people and their relations."""

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery

from contacts.models import AccountContactRelation, Contact, PlannedJobChange
from contacts.services import REACHED_AT
from core.checks import check, offending


@check("I13")
def people_have_one_direct_account():
    """A person has one direct account at most."""
    direct = AccountContactRelation.objects.direct().order_by().values("contact_id")
    for row in direct.annotate(n=Count("pk")).filter(n__gt=1):
        yield "contact", row["contact_id"]


@check("I13")
def accounts_have_one_primary_contact():
    """An account has one primary contact at most."""
    primary = AccountContactRelation.objects.filter(is_primary_for_account=True)
    counted = primary.order_by().values("account_id").annotate(n=Count("pk"))
    for row in counted.filter(n__gt=1):
        yield "account", row["account_id"]


@check("I14")
def active_relations_are_unique():
    """A person has one active relation to an account."""
    active = AccountContactRelation.objects.active().order_by().values("account_id", "contact_id")
    for row in active.annotate(n=Count("pk")).filter(n__gt=1):
        yield "contact", row["contact_id"]


@check("I14")
def relations_end_after_they_began():
    """A relation does not end before it began."""
    yield from offending(AccountContactRelation.objects.filter(end_date__lt=F("start_date")))


@check("I15")
def people_mirror_their_direct_relation():
    """A person's account is that of the direct relation; who has relations has a direct one."""
    relations = AccountContactRelation.objects.filter(contact=OuterRef("pk"))
    people = Contact.objects.annotate(
        direct_account=Subquery(relations.direct().values("account_id")[:1]),
        has_active=Exists(relations.active()),
    )
    wrong = Q(account=None, direct_account__isnull=False)
    wrong |= Q(account__isnull=False, direct_account=None)
    both = Q(account__isnull=False, direct_account__isnull=False)
    wrong |= both & ~Q(account_id=F("direct_account"))
    wrong |= Q(has_active=True, direct_account=None)
    yield from offending(people.filter(wrong))


@check("I44")
def planned_job_changes_are_open_once():
    """A person has one open planned change of job at most."""
    rows = PlannedJobChange.objects.open().order_by().values("contact_id")
    for row in rows.annotate(n=Count("pk")).filter(n__gt=1):
        yield "contact", row["contact_id"]


@check("I44")
def planned_job_changes_can_be_carried_out():
    """A planned change of job leads elsewhere, says when it was done, and can be read."""
    wrong = Q(old_account=F("new_account")) | Q(status="DONE", carried_out_at=None)
    yield from offending(PlannedJobChange.objects.filter(wrong))
    known = {*REACHED_AT, "address", "keeps_old_email", "next_direct"}
    for plan in PlannedJobChange.objects.open().order_by("pk").iterator():
        if not known.issuperset(plan.entered):
            yield "plannedjobchange", plan.pk
