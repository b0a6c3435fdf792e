from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from core.tables import Column, Table

STATUS_TONES = {
    Contact.Status.ACTIVE: "good",
    Contact.Status.LEFT_COMPANY: "warn",
    Contact.Status.DO_NOT_CONTACT: "bad",
}


def status_tone(contact):
    return STATUS_TONES.get(contact.status, "")


class ContactTable(Table):
    columns = (
        Column("name", _("Name"), value="full_name", sort="last_name", kind="link"),
        Column("account", _("Account"), kind="record"),
        Column("title", _("Title"), edit="title"),
        Column("department", _("Department"), extra=True, edit="department"),
        Column("email", _("E-mail"), kind="email", extra=True, edit="email"),
        Column("phone", _("Phone"), kind="phone", extra=True, edit="phone"),
        Column("mobile", _("Mobile"), kind="phone", extra=True, edit="mobile"),
        Column("mailing_city", _("City"), extra=True),
        Column("mailing_country", _("Country"), extra=True),
        Column("level", _("Level"), extra=True, edit="level"),
        Column("status", _("Status"), kind="dot", tone=status_tone, extra=True, edit="status"),
        Column("created_at", _("Created"), sort="created_at", kind="moment", extra=True),
        Column("owner", _("Owner"), kind="user", extra=True),
    )
    default_columns = ("name", "account", "title", "email", "phone", "status", "owner")
    default_sort = "name"
    reads = ("salutation", "first_name", "middle_name", "last_name", "suffix", "status")
