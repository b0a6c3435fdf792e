"""The stages that every installation starts with."""

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.translation import gettext_noop

from core.journal import Kind, Label, operation
from opportunities.models import ForecastCategory, Stage

# Name, probability, forecast category, other spellings.
OPEN_STAGES = (
    ("Prospecting", 10, ForecastCategory.PIPELINE, ("Prospect", "New", "Opportunity")),
    ("Qualification", 10, ForecastCategory.PIPELINE, ("Qualified", "Qualifying")),
    ("Needs Analysis", 20, ForecastCategory.PIPELINE, ("Discovery", "Analysis")),
    ("Value Proposition", 50, ForecastCategory.PIPELINE, ("Demo", "Demonstration")),
    ("Id. Decision Makers", 60, ForecastCategory.PIPELINE, ("Identify Decision Makers",)),
    ("Perception Analysis", 70, ForecastCategory.PIPELINE, ()),
    ("Proposal/Price Quote", 75, ForecastCategory.BEST_CASE, ("Proposal", "Price Quote", "Quote")),
    (
        "Negotiation/Review",
        90,
        ForecastCategory.COMMIT,
        ("Negotiation", "Negotiating", "Review", "Verbal Commitment"),
    ),
)
WON_STAGE = ("Closed Won", ("Won", "Closed/Won"))
LOST_STAGE = ("Closed Lost", ("Lost", "Closed/Lost"))


def seed(**kwargs):
    """
    Write the stages if there is none; an organisation's own are left as they are.

    Connected to ``post_migrate``, which also fires when the table is not there yet.
    """
    using = kwargs.get("using", DEFAULT_DB_ALIAS)
    if using != DEFAULT_DB_ALIAS or not _has_table(using) or Stage.objects.exists():
        return
    with operation(Kind.SEED, by=None, label=Label(gettext_noop("First stages"))):
        Stage.objects.bulk_create(stage_rows())


def _has_table(using):
    connection = connections[using]
    with connection.cursor() as cursor:
        return Stage._meta.db_table in connection.introspection.table_names(cursor)


def stage_rows():
    """The stages of a new installation, not yet saved."""
    position = 0
    for name, probability, category, aliases in OPEN_STAGES:
        position += 1
        yield Stage(
            name=name,
            aliases=list(aliases),
            position=position,
            probability=probability,
            forecast_category=category,
        )
    name, aliases = WON_STAGE
    yield Stage(
        name=name,
        aliases=list(aliases),
        position=position + 1,
        probability=100,
        forecast_category=ForecastCategory.CLOSED,
        is_closed=True,
        is_won=True,
    )
    name, aliases = LOST_STAGE
    yield Stage(
        name=name,
        aliases=list(aliases),
        position=position + 2,
        probability=0,
        forecast_category=ForecastCategory.OMITTED,
        is_closed=True,
    )
