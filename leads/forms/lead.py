"""What people enter about a lead, and what they decide about its way through the statuses."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.forms import RecordForm, VerbForm
from core.models import ListValue
from leads.models import Lead, LeadStatus, Phase
from leads.models.lead import NOT_RECORDED

PERSON = ("salutation", "first_name", "middle_name", "last_name", "suffix", "title", "department")
COMPANY = (
    "company",
    "website",
    "industry",
    "employees",
    "annual_revenue",
    "currency",
    "matched_account",
)
REACH = (
    "email",
    "secondary_email",
    "phone",
    "mobile",
    "fax",
    "linkedin_url",
    "social_profiles",
    "preferred_channel",
    "language",
    "time_zone",
)
ADDRESS = ("street", "postal_code", "city", "state", "country")
QUALIFICATION = ("interest", "budget_status", "budget", "budget_currency", "authority", "timeline")
WISHES = ("product_interest", "need", "interests")
SOURCE = ("lead_source", "source_detail", "rating")
STATUS = ("nurture_until", "disqualify_reason", "disqualify_note")
PERMISSIONS = ("email_opt_out", "do_not_call", "fax_opt_out", "consent_note")

STATUS_FIELDS = {Phase.NURTURING: STATUS[:1], Phase.DEAD: STATUS[1:]}
"""What can be corrected about the status while the lead is in a phase."""


class LeadForm(RecordForm):
    """All that is known of a lead; its status has verbs of its own."""

    groups = (
        (_("Person"), PERSON),
        (_("Company"), COMPANY),
        (_("Phone, mail and web"), REACH),
        (_("Qualification"), QUALIFICATION),
        (_("What it is about"), WISHES),
        (_("Address"), ADDRESS),
        (_("Source"), SOURCE),
        (_("Status"), STATUS),
        (_("Permissions"), PERMISSIONS),
        (_("Description"), ("description",)),
    )

    together = (
        ("budget_status", "budget", "budget_currency"),
        STATUS[1:],
    )

    class Meta:
        model = Lead
        fields = [
            *PERSON,
            *COMPANY,
            *REACH,
            *QUALIFICATION,
            *WISHES,
            *ADDRESS,
            *SOURCE,
            *STATUS,
            *PERMISSIONS,
            "description",
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        asked = STATUS_FIELDS.get(self.instance.phase, ())
        for name in STATUS:
            if name not in asked:
                self.fields.pop(name, None)


class NewLeadForm(LeadForm):
    """A lead that is entered by hand, whose owner the rules may choose."""

    groups = (*LeadForm.groups, (_("Owner"), ("by_rules",)))

    by_rules = forms.BooleanField(
        label=_("Let the assignment rules choose the owner"),
        required=False,
        help_text=_("Without it the lead is yours."),
    )


def statuses_to_offer(lead, phases=Phase.values):
    """The statuses of ``phases`` that ``lead`` may be given now, without the one that it has."""
    return [s for s in lead.next_statuses() if s.phase in phases and s.pk != lead.status_id]


class StatusForm(VerbForm):
    """
    A new status for a lead, one of ``phases``.

    Only what the lead's phase leads to is offered; anything else that is sent reaches the
    service, which says why not.
    """

    phases = Phase.values

    status = forms.ModelChoiceField(LeadStatus.objects.none(), label=_("New status"))

    def __init__(self, *args, lead, **kwargs):
        super().__init__(*args, **kwargs)
        field, offered = self.fields["status"], statuses_to_offer(lead, self.phases)
        field.queryset = LeadStatus.objects.order_by("position", "pk")
        field.choices = [(status.pk, status.name) for status in offered]
        if len(offered) == 1:
            field.widget = forms.HiddenInput()
        if self.initial.get("status") not in {status.pk for status in offered}:
            self.initial["status"] = self.preset(offered)

    def preset(self, offered):
        """The key of the status that is chosen beforehand."""
        return offered[0].pk if offered else None


class DisqualifyForm(StatusForm):
    phases = (Phase.DEAD,)

    disqualify_reason = forms.ChoiceField(label=_("Reason"))
    disqualify_note = forms.CharField(
        label=_("Note"),
        max_length=255,
        required=False,
        help_text=_("Needed if the reason is Other."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        rows = ListValue.values("disqualify_reason")
        offered = [(r.value, r.label) for r in rows if r.is_active and r.value != NOT_RECORDED]
        self.fields["disqualify_reason"].choices = [("", _("Choose a reason")), *offered]


class NurtureForm(StatusForm):
    phases = (Phase.NURTURING,)

    nurture_until = forms.DateField(
        label=_("Look at it again on"),
        help_text=_("A day that is still to come."),
    )


class ReopenForm(StatusForm):
    phases = (Phase.OPEN, Phase.WORKING)

    def preset(self, offered):
        working = [status.pk for status in offered if status.phase == Phase.WORKING]
        return working[0] if working else super().preset(offered)
