"""The statuses of leads: their list, their forms, their order."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import display
from core.forms import RecordForm
from core.services import next_position
from core.tables import COUNT_LIMIT, Column
from core.views.settings import (
    SettingsCreateView,
    SettingsListView,
    SettingsMoveView,
    SettingsUpdateView,
)
from leads.models import Lead, LeadStatus
from leads.services import save_status


class StatusForm(RecordForm):
    """A status: its name and the phase that the rules ask for."""

    # Not the record's own field, whose constraint refuses a second preset.
    preset = forms.BooleanField(
        label=gettext_lazy("Preset"),
        required=False,
        help_text=gettext_lazy("New leads begin with it."),
    )

    class Meta:
        model = LeadStatus
        fields = ("name", "aliases", "phase", "is_active")
        help_texts = {
            "aliases": gettext_lazy("One a line. Files that say so mean this status."),
            "phase": gettext_lazy("Rules ask for the phase, never for the name."),
            "is_active": gettext_lazy(
                "Without it, leads keep the status and nobody can choose it anew."
            ),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial["preset"] = self.instance.is_default


class StatusListView(SettingsListView):
    """All statuses, in the order of a lead’s way."""

    model = LeadStatus
    columns = (
        Column("name", gettext_lazy("Status"), kind="link"),
        Column("phase", gettext_lazy("Phase")),
        Column("is_default", gettext_lazy("Of new leads"), kind="truth"),
        Column("is_active", gettext_lazy("Can be chosen"), kind="truth"),
    )
    intro = gettext_lazy("How far a lead is. Each status belongs to a phase, which decides.")

    def get_rows(self):
        return LeadStatus.objects.order_by("position", "pk")


class StatusCreateView(SettingsCreateView):
    """The form of a new status, which comes last."""

    form_class = StatusForm

    def write(self, form, record):
        record.position = next_position(LeadStatus.objects.order_by())
        save_status(record, is_default=form.cleaned_data["preset"])


class StatusUpdateView(SettingsUpdateView):
    """The form of a status, with the leads in it."""

    model = LeadStatus
    form_class = StatusForm

    def write(self, form, record):
        save_status(record, is_default=form.cleaned_data["preset"])

    def get_effects(self):
        count = Lead.objects.filter(status=self.record).order_by()[: COUNT_LIMIT + 1].count()
        if not count:
            return [_("No lead is in this status.")]
        text = ngettext("%(count)s lead is in this status.", "%(count)s leads are in it.", count)
        return [
            text % {"count": display.counted(count, cap=COUNT_LIMIT)},
            _("Its phase can’t be changed any more; its name can, in all of them at once."),
        ]


class StatusMoveView(SettingsMoveView):
    """Move a status to another place."""

    model = LeadStatus
