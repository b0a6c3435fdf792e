"""The stages of a sale: their list, their forms, their order."""

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
from opportunities.models import Opportunity, Stage
from opportunities.services import deals_with_its_probability, save_stage


class StageForm(RecordForm):
    """A stage: its name, what it says about a deal, and what it asks for."""

    apply = forms.BooleanField(required=False)

    class Meta:
        model = Stage
        fields = (
            "name",
            "aliases",
            "probability",
            "forecast_category",
            "is_closed",
            "is_won",
            "stale_after_days",
            "exit_criteria",
            "is_active",
        )
        help_texts = {
            "aliases": gettext_lazy("One a line. Files that say so mean this stage."),
            "probability": gettext_lazy("Deals take it over when they enter the stage."),
            "forecast_category": gettext_lazy("Where the amount counts in the forecast."),
            "stale_after_days": gettext_lazy("A deal that stays longer is shown as quiet."),
            "exit_criteria": gettext_lazy("What should be known before a deal moves on."),
            "is_active": gettext_lazy(
                "Without it, deals keep the stage and no deal can enter it anew."
            ),
        }

    groups = (
        (gettext_lazy("Stage"), ("name", "aliases", "exit_criteria")),
        (
            gettext_lazy("What it says about a deal"),
            ("probability", "apply", "forecast_category", "stale_after_days"),
        ),
        (gettext_lazy("Kind"), ("is_closed", "is_won", "is_active")),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        count = 0 if self.is_new else self._count()
        if not count:
            del self.fields["apply"]
            return
        label = ngettext(
            "Also set it on the %(count)s open deal that has the stage’s own probability",
            "Also set it on the %(count)s open deals that have the stage’s own probability",
            count,
        )
        self.fields["apply"].label = label % {"count": display.counted(count, cap=COUNT_LIMIT)}

    def _count(self):
        return deals_with_its_probability(self.instance).order_by()[: COUNT_LIMIT + 1].count()


class StageListView(SettingsListView):
    """All stages, in the order in which deals pass them."""

    model = Stage
    columns = (
        Column("name", gettext_lazy("Stage"), kind="link"),
        Column("probability", gettext_lazy("Probability"), kind="percent"),
        Column("forecast_category", gettext_lazy("Forecast")),
        Column("stale_after_days", gettext_lazy("Quiet after days"), kind="number"),
        Column("is_active", gettext_lazy("Can be chosen"), kind="truth"),
    )
    intro = gettext_lazy(
        "The steps of a sale. A stage gives a deal its probability and its place in the forecast."
    )

    def get_rows(self):
        return Stage.objects.order_by("position", "pk")


class StageCreateView(SettingsCreateView):
    """The form of a new stage, which comes last."""

    form_class = StageForm

    def write(self, form, record):
        record.position = next_position(Stage.objects.order_by())
        save_stage(record)


class StageUpdateView(SettingsUpdateView):
    """The form of a stage; its new probability may be set on the deals in it as well."""

    model = Stage
    form_class = StageForm

    def write(self, form, record):
        save_stage(record, apply_to_deals=bool(form.cleaned_data.get("apply")))

    def get_effects(self):
        count = Opportunity.objects.filter(stage=self.record).order_by()[: COUNT_LIMIT + 1].count()
        if not count:
            return [_("No deal is in this stage.")]
        text = ngettext("%(count)s deal is in this stage.", "%(count)s deals are in it.", count)
        return [
            text % {"count": display.counted(count, cap=COUNT_LIMIT)},
            _("Whether it is closed, won, and its forecast category can't be changed any more."),
        ]


class StageMoveView(SettingsMoveView):
    """Move a stage to another place."""

    model = Stage
