from django.utils.translation import gettext_lazy as _

from core.tables import Column, Table
from core.templatetags.components import due, short_day


def stage_tone(deal):
    """Won is good, lost is bad, an open stage says nothing yet."""
    if not deal.is_closed:
        return ""
    return "good" if deal.is_won else "bad"


def close_day(deal):
    """The close date; of an open deal as a day that may be overdue."""
    return short_day(deal.close_date) if deal.is_closed else due(deal.close_date)


class OpportunityTable(Table):
    columns = (
        Column("name", _("Name"), sort="name", kind="link"),
        Column("account", _("Account"), kind="record"),
        Column("stage", _("Stage"), kind="dot", tone=stage_tone, page="stage"),
        Column("amount", _("Amount"), sort="amount", kind="money", edit="amount"),
        Column("expected_revenue", _("Expected"), kind="money", extra=True),
        Column(
            "probability",
            _("Probability"),
            sort="probability",
            kind="percent",
            extra=True,
            edit="probability",
        ),
        Column(
            "close_date", _("Close date"), value=close_day, sort="close_date", edit="close_date"
        ),
        Column("forecast_category", _("Forecast"), extra=True, edit="forecast_category"),
        Column("next_step", _("Next step"), extra=True, edit="next_step"),
        Column("type", _("Type"), extra=True, edit="type"),
        Column("lead_source", _("Source"), extra=True, edit="lead_source"),
        Column("loss_reason", _("Loss reason"), extra=True),
        Column("created_at", _("Created"), sort="created_at", kind="moment", extra=True),
        Column("owner", _("Owner"), kind="avatar", extra=True),
    )
    default_columns = (
        "name",
        "account",
        "stage",
        "amount",
        "probability",
        "close_date",
        "next_step",
        "owner",
    )
    default_sort = "close_date"
    reads = (
        *("name", "stage", "is_closed", "is_won", "close_date"),
        *("amount", "probability", "currency"),
    )
