"""What can be done to many leads at once, besides what can be done to all records."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from core.batches import BatchVerb, offered
from core.forms import VerbForm
from core.journal import Label
from core.models import ListValue
from leads.models import Lead, LeadStatus, Phase
from leads.models.lead import NOT_RECORDED
from leads.services import change_status


class BatchStatusForm(VerbForm):
    """A new status for leads of any phase, with what the phases of it ask for."""

    status = forms.ModelChoiceField(LeadStatus.objects.none(), label=gettext_lazy("New status"))
    disqualify_reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        required=False,
        help_text=gettext_lazy("Needed for leads that are given up."),
    )
    disqualify_note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=255,
        required=False,
        help_text=gettext_lazy("Needed if the reason is Other."),
    )
    nurture_until = forms.DateField(
        label=gettext_lazy("Look at it again on"),
        required=False,
        help_text=gettext_lazy("For leads that rest; without it the usual number of days."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        rows = LeadStatus.objects.filter(is_active=True).exclude(phase=Phase.CONVERTED)
        self.fields["status"].queryset = rows.order_by("position", "pk")
        rows = ListValue.values("disqualify_reason")
        reasons = [(r.value, r.label) for r in rows if r.is_active and r.value != NOT_RECORDED]
        self.fields["disqualify_reason"].choices = [("", "–"), *reasons]


@offered
class SetStatus(BatchVerb):
    """Give leads another status, as far as the phase of each allows."""

    name = "status"
    label = gettext_lazy("Set status")
    icon = "progress-check"
    key = "s"
    grant = "bulk_edit"
    field = "status"
    form_class = BatchStatusForm
    message = gettext_noop("Set %(count)s leads to %(status)s")

    @classmethod
    def is_for(cls, model):
        return model is Lead

    def title(self, count):
        return _("Set the status of %(count)s %(what)s") % self.counted(count)

    def labelled(self, form, count):
        return Label(self.message, count=count, status=form.cleaned_data["status"])

    def do(self, record, form):
        chosen = form.cleaned_data
        change_status(
            record,
            status=chosen["status"],
            by=self.by,
            reason=chosen["disqualify_reason"],
            note=chosen["disqualify_note"],
            until=chosen["nurture_until"],
        )
