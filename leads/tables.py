from django.utils.translation import gettext_lazy as _

from core.tables import Column, Table
from leads.models import Phase

PHASE_TONES = {
    Phase.WORKING: "info",
    Phase.NURTURING: "warn",
    Phase.QUALIFIED: "good",
    Phase.CONVERTED: "good",
}


def phase_tone(lead):
    return PHASE_TONES.get(lead.phase, "")


class LeadTable(Table):
    columns = (
        Column("name", _("Name"), value=str, sort="last_name", kind="link"),
        Column("company", _("Company"), sort="company", edit="company"),
        Column("title", _("Title"), extra=True, edit="title"),
        Column("status", _("Status"), kind="dot", tone=phase_tone, page="status"),
        Column(
            "score",
            _("Score"),
            value="qualification_score",
            sort="qualification_score",
            kind="score",
            extra=True,
        ),
        Column("rating", _("Rating"), extra=True, edit="rating"),
        Column("lead_source", _("Source"), extra=True, edit="lead_source"),
        Column("email", _("E-mail"), kind="email", extra=True, edit="email"),
        Column("phone", _("Phone"), kind="phone", extra=True, edit="phone"),
        Column("city", _("City"), extra=True, edit="city"),
        Column("country", _("Country"), extra=True, edit="country"),
        Column(
            "status_changed_at",
            _("In this status for"),
            sort="status_changed_at",
            kind="age",
            extra=True,
        ),
        Column("created_at", _("Created"), sort="created_at", kind="moment", extra=True),
        Column("converted_at", _("Converted"), kind="moment", extra=True),
        Column("owner", _("Owner"), kind="avatar", extra=True),
    )
    default_columns = (
        "name",
        "company",
        "status",
        "score",
        "lead_source",
        "status_changed_at",
        "created_at",
        "owner",
    )
    default_sort = "-created_at"
    reads = (
        *("salutation", "first_name", "middle_name", "last_name", "suffix", "company", "email"),
        *("phase", "converted_at"),
    )
