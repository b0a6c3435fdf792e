"""What people enter about a deal; closing and opening it again are verbs of their own."""

from django import forms
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from core.forms import RecordChoiceField, RecordForm
from opportunities.models import ForecastCategory, Opportunity, Stage

DEAL = ("name", "account", "type", "lead_source", "is_private")
VALUE = ("amount", "currency", "close_date")
STAGE = ("stage", "probability", "forecast_category")
NEXT = ("next_step", "next_step_due")
CLOSING = ("win_reason", "loss_reason", "loss_note")
CONTRACT = ("contract_start", "contract_months", "delivery_status")


class OpportunityForm(RecordForm):
    """The fields of a deal as far as its state lets them be changed."""

    groups = (
        (_("Deal"), DEAL),
        (_("Value"), VALUE),
        (_("Stage and forecast"), STAGE),
        (_("Next step"), NEXT),
        (_("How it ended"), CLOSING),
        (_("Competition"), ("main_competitor",)),
        (_("Contract"), CONTRACT),
        (_("Description"), ("description",)),
    )

    together = (CLOSING[1:],)

    class Meta:
        model = Opportunity
        fields = [
            *DEAL,
            *VALUE,
            *STAGE,
            *NEXT,
            *CLOSING,
            "main_competitor",
            *CONTRACT,
            "description",
        ]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        deal = self.instance
        for name in unchangeable(deal):
            self.fields.pop(name, None)
        if "stage" in self.fields:
            offer_open_stages(self.fields["stage"], present=None if self.is_new else deal.stage)
            for name in STAGE[1:]:
                self.fields[name].help_text = _("Blank is the stage's.")
        if "forecast_category" in self.fields:
            field = self.fields["forecast_category"]
            field.choices = [c for c in field.choices if c[0] != ForecastCategory.CLOSED]


def unchangeable(deal):
    """The fields of the form that the state of ``deal`` leaves no choice about."""
    names = set()
    if deal.amount_source == deal.AmountSource.LINES:
        names.add("amount")
    if not deal.is_closed:
        return names | set(CLOSING)
    names |= set(STAGE)
    return names | (set(CLOSING[1:]) if deal.is_won else {CLOSING[0]})


def offer_open_stages(field, *, present=None):
    """Offer the stages that can be entered by hand, and the present one."""
    stages = [stage for stage in Stage.choices() if not stage.is_closed]
    if present is not None and present not in stages:
        stages.insert(0, present)
    field.choices = [(stage.pk, stage.name) for stage in stages]


class OpportunityCreateForm(OpportunityForm):
    """A new deal says with whom as well: the account, and the person who speaks for it."""

    primary_contact = RecordChoiceField(
        Contact.objects.none(),
        label=_("Primary contact"),
        required=False,
        help_text=_("Nobody yet counts as a gap in the buying committee."),
    )

    groups = (
        (_("Deal"), ("name", "account", "primary_contact", *DEAL[2:])),
        *OpportunityForm.groups[1:],
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["primary_contact"]
        field.queryset = Contact.objects.live()
        field.offer(by=self.by)
        self.fields["amount"].help_text = _(
            "No amount yet? A lead, or a note on the contact, may do until there is one."
        )
        self.fields["currency"].help_text = _("Blank is the account's currency.")
        self.fields["currency"].initial = ""


def stage_fields_form(names):
    """A form class of the stage and the fields ``names``, in the order of the deal's form."""

    class StageFieldsForm(RecordForm):
        class Meta:
            model = Opportunity
            fields = ["stage", *(n for n in OpportunityForm.Meta.fields if n in names)]
            widgets = {"stage": forms.HiddenInput}

    return StageFieldsForm
