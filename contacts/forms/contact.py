"""What people enter about a person; the accounts have verbs of their own."""

from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from core.forms import RecordForm

PERSON = ("salutation", "first_name", "middle_name", "last_name", "suffix", "nickname")
WORK = ("title", "department", "level", "reports_to", "assistant_name", "assistant_phone")
REACH = (
    "email",
    "secondary_email",
    "phone",
    "mobile",
    "home_phone",
    "other_phone",
    "fax",
    "linkedin_url",
    "social_profiles",
    "preferred_channel",
    "language",
    "time_zone",
)
MAILING = (
    "mailing_street",
    "mailing_postal_code",
    "mailing_city",
    "mailing_state",
    "mailing_country",
)
OTHER = ("other_street", "other_postal_code", "other_city", "other_state", "other_country")
PERMISSIONS = ("status", "email_opt_out", "do_not_call", "fax_opt_out", "consent_note")
BACKGROUND = ("lead_source", "interests", "birthdate")


class ContactForm(RecordForm):
    """All that is known of a person but the accounts."""

    groups = (
        (_("Person"), PERSON),
        (_("Work"), WORK),
        (_("Phone, mail and web"), REACH),
        (_("Mailing address"), MAILING),
        (_("Other address"), OTHER),
        (_("Permissions"), PERMISSIONS),
        (_("Background"), BACKGROUND),
        (_("Description"), ("description",)),
    )

    class Meta:
        model = Contact
        fields = [
            *PERSON,
            *WORK,
            *REACH,
            *MAILING,
            *OTHER,
            *PERMISSIONS,
            *BACKGROUND,
            "description",
        ]


class ContactCreateForm(ContactForm):
    """A new person also says where he works; later that is a verb of its own."""

    groups = (
        *ContactForm.groups[:1],
        (_("Work"), ("account", *WORK)),
        *ContactForm.groups[2:],
    )

    class Meta(ContactForm.Meta):
        fields = [*PERSON, "account", *ContactForm.Meta.fields[len(PERSON) :]]
