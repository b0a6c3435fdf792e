"""The lead statuses that every installation starts with."""

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.translation import gettext_noop

from core.journal import Kind, Label, operation
from leads.models import LeadStatus, Phase

STATUSES = (
    ("Open - Not Contacted", Phase.OPEN, ("Open", "New", "Not Contacted", "Raw")),
    ("Working - Contacted", Phase.WORKING, ("Working", "Contacted", "Attempted to Contact")),
    ("Nurturing", Phase.NURTURING, ("Nurture", "Contact in Future", "Recycled")),
    ("Qualified", Phase.QUALIFIED, ("Sales Qualified", "Pre-Qualified")),
    ("Closed - Converted", Phase.CONVERTED, ("Converted",)),
    (
        "Closed - Not Converted",
        Phase.DEAD,
        ("Not Converted", "Unqualified", "Disqualified", "Dead", "Junk Lead", "Lost Lead"),
    ),
)
"""Name, phase and other spellings, in their order; the first one is the preset."""


def seed(**kwargs):
    """
    Write the statuses if there is none; an organisation's own are left as they are.

    Connected to ``post_migrate``, which also fires when the table is not there yet.
    """
    using = kwargs.get("using", DEFAULT_DB_ALIAS)
    if using != DEFAULT_DB_ALIAS or not _has_table(using) or LeadStatus.objects.exists():
        return
    with operation(Kind.SEED, by=None, label=Label(gettext_noop("First lead statuses"))):
        LeadStatus.objects.bulk_create(status_rows())


def _has_table(using):
    connection = connections[using]
    with connection.cursor() as cursor:
        return LeadStatus._meta.db_table in connection.introspection.table_names(cursor)


def status_rows():
    """The statuses of a new installation, not yet saved."""
    for number, (name, phase, aliases) in enumerate(STATUSES):
        yield LeadStatus(
            name=name,
            position=number + 1,
            phase=phase,
            aliases=list(aliases),
            is_default=number == 0,
        )
