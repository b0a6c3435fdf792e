from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from core.tables import Column, Table

STATUS_TONES = {Account.Status.ACTIVE: "good", Account.Status.TARGET: "info"}


def status_tone(account):
    return STATUS_TONES.get(account.status, "")


class AccountTable(Table):
    columns = (
        Column("name", _("Name"), sort="name", kind="link"),
        Column("type", _("Type"), edit="type"),
        Column("industry", _("Industry"), edit="industry"),
        Column("status", _("Status"), kind="dot", tone=status_tone, edit="status"),
        Column("rating", _("Rating"), extra=True, edit="rating"),
        Column("billing_city", _("City"), sort="billing_city"),
        Column("billing_country", _("Country"), extra=True),
        Column(
            "employees",
            _("Employees"),
            sort="employees",
            kind="number",
            extra=True,
            edit="employees",
        ),
        Column(
            "annual_revenue",
            _("Annual revenue"),
            sort="annual_revenue",
            kind="money",
            extra=True,
            edit="annual_revenue",
        ),
        Column("phone", _("Phone"), kind="phone", extra=True, edit="phone"),
        Column("owner", _("Owner"), kind="user"),
        Column("created_at", _("Created"), sort="created_at", kind="moment", extra=True),
    )
    default_columns = (
        "name",
        "type",
        "industry",
        "status",
        "billing_city",
        "employees",
        "owner",
        "created_at",
    )
    default_sort = "-created_at"
    reads = ("name", "status")
