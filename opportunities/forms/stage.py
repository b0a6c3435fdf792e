"""What people decide about a deal's way: another stage, won, lost, open again."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import display
from core.forms import ModelVerbForm, VerbForm
from core.models import Organisation
from core.normalise import clean_text
from opportunities.forms.opportunity import offer_open_stages
from opportunities.models import Opportunity, Stage
from opportunities.services import REASON_LIMIT


class StageForm(VerbForm):
    """Another open stage; what else is sent reaches the service, which says why not."""

    stage = forms.ModelChoiceField(Stage.objects.none(), label=gettext_lazy("Stage"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["stage"]
        field.queryset = Stage.objects.order_by("position", "pk")
        offer_open_stages(field)


class ClosingForm(ModelVerbForm):
    """What both ways of closing ask: the day on which it was decided."""

    close_date = forms.DateField(label=gettext_lazy("Decided on"))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        expected = self.instance.close_date
        self.initial.setdefault("close_date", min(expected, Organisation.current().today()))
        words = {"day": display.day(expected)}
        self.fields["close_date"].help_text = _("Expected for %(day)s.") % words


class WonForm(ClosingForm):
    model_fields = ("amount", "win_reason")

    worth_nothing = forms.BooleanField(
        label=gettext_lazy("It is worth nothing, and that is meant"), required=False
    )

    groups = (("", ("amount", "close_date", "win_reason", "worth_nothing")),)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.amount_source == Opportunity.AmountSource.LINES:
            del self.fields["amount"]


class LostForm(ClosingForm):
    model_fields = ("loss_reason", "loss_note", "main_competitor")

    groups = (("", (*model_fields, "close_date")),)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["loss_reason"].required = True
        self.fields["loss_note"].help_text = _("Needed if the reason is Other.")
        self.fields["main_competitor"].help_text = _("Needed if it was lost to a competitor.")


class ReopenForm(VerbForm):
    reason = forms.CharField(
        label=gettext_lazy("Why it is opened again"),
        help_text=gettext_lazy("It stays readable in the history of the deal."),
    )
    stage = forms.ModelChoiceField(
        Stage.objects.none(),
        label=gettext_lazy("Stage"),
        required=False,
        empty_label=gettext_lazy("Where it was before"),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["stage"]
        field.queryset = Stage.objects.active().open()

    def clean_reason(self):
        return clean_text(self.cleaned_data["reason"], REASON_LIMIT)
