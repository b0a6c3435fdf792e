"""What the user decides about one conversion, in the order of the page."""

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import ModelChoiceIterator
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from contacts.models import Contact
from core.forms import PickerWidget, RecordChoiceField, VerbForm
from core.models import ListValue
from core.once import once
from leads.conversion import ConversionChoices, Relation, default_choices, suggest_matches
from leads.conversion.choices import Deal
from leads.conversion.mapping import FIELD_MAP, How, is_blank, lead_values
from leads.models import LeadStatus, Phase
from opportunities.models import Opportunity, Stage
from users.models import User

NEW, EXISTING = "new", "existing"
MODES = ((NEW, _("Create new")), (EXISTING, _("Use existing")))
TYPED = {
    "account": ("name", "website", "phone", "industry"),
    "contact": ("first_name", "last_name", "title", "email", "phone", "mobile"),
    "opportunity": ("name", "amount", "currency", "close_date", "stage"),
}
"""The fields of new records that can be typed over on the page; the others are carried over."""
MODELS = {"account": Account, "contact": Contact, "opportunity": Opportunity}


@dataclass(frozen=True)
class Tick:
    """Whether one field of the lead is carried over."""

    key: str
    label: str
    is_set: bool


class MatchPicker(PickerWidget):
    """A picker whose first options are the matches, each with its facts and reasons."""

    template_name = "leads/forms/match_picker.html"
    matches = ()
    hidden_owner = ""

    def _chosen(self, key):
        known = {str(match.record.pk): match.record for match in self.matches}
        return known.get(key) or super()._chosen(key)

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        picker = context["widget"]["picker"]
        picker["is_required"] = True  # "none" is what the switch above says
        keys = {str(match.record.pk) for match in self.matches}
        chosen = next((o.key for o in picker["options"] if o.is_chosen), "")
        picker["options"] = [o for o in picker["options"] if o.key not in keys]
        picker["matches"] = [(match, str(match.record.pk) == chosen) for match in self.matches]
        picker["hidden_owner"] = self.hidden_owner
        return context


class PeopleIterator(ModelChoiceIterator):
    """The active users as choices, by one query a request."""

    def __iter__(self):
        return map(self.choice, once("active people", lambda: list(self.queryset)))

    def __len__(self):
        return len(list(iter(self)))


class OwnerField(forms.ModelChoiceField):
    """Whose the new records are; the lead's own owner is known without asking for him."""

    iterator = PeopleIterator
    current = None

    def to_python(self, value):
        if self.current is not None and str(value) == str(self.current.pk):
            return self.current
        return super().to_python(value)

    def validate(self, value):
        super().validate(value)
        if value is not None and not value.is_active:
            raise ValidationError(_("%(owner)s is not active any more."), params={"owner": value})


class LeadConvertForm(VerbForm):
    """
    The decisions of one conversion.

    Values of new records are fields named ``account-name`` and so on; a conflict is decided by
    ``win-<key>``, an unticked field is missing among ``carry``.
    """

    account_mode = forms.ChoiceField(label=_("Account"), choices=MODES, widget=forms.RadioSelect)
    account = RecordChoiceField(Account.objects.live(), label=_("Account"), required=False,
                                widget=MatchPicker)  # fmt: skip
    contact_mode = forms.ChoiceField(label=_("Contact"), choices=MODES, widget=forms.RadioSelect)
    contact = RecordChoiceField(Contact.objects.live(), label=_("Contact"), required=False,
                                widget=MatchPicker)  # fmt: skip
    relation = forms.ChoiceField(
        label=_("Relation"), choices=Relation, widget=forms.RadioSelect, required=False
    )
    deal = forms.ChoiceField(label=_("Opportunity"), choices=Deal, widget=forms.RadioSelect)
    opportunity = forms.ModelChoiceField(
        Opportunity.objects.none(), label=_("Open deal"), required=False
    )
    role = forms.ChoiceField(label=_("Role in the deal"), required=False)
    carry = forms.MultipleChoiceField(label=_("Carry over"), required=False)
    owner = OwnerField(User.objects.none(), label=_("Owner of new records"), empty_label=None)
    status = forms.ModelChoiceField(
        LeadStatus.objects.none(), label=_("Converted status"), required=False, empty_label=None
    )

    def __init__(self, *args, by, lead, **kwargs):
        self.by, self.lead = by, lead
        super().__init__(*args, **kwargs)
        self.offered = self._offered()
        self._add_typed_fields()
        self._limit_choices()
        self._preset()

    # -- fields -------------------------------------------------------------------------------

    def _offered(self):
        """The mapped fields that can be ticked or left: [(key, label)]."""
        found = []
        for card, pairs in FIELD_MAP.items():
            for pair in pairs:
                values = lead_values(pair, self.lead)
                telling = {name: v for name, v in values.items() if name != "currency"}
                if pair.is_name or pair.how is How.ALWAYS or is_blank(telling):
                    continue
                field = MODELS[card]._meta.get_field(pair.fields[0])
                found.append((pair.key, capfirst(str(pair.label or field.verbose_name))))
        return found

    def _add_typed_fields(self):
        for card, names in TYPED.items():
            for name in names:
                model_field = MODELS[card]._meta.get_field(name)
                field = model_field.formfield(required=False)
                if isinstance(field, forms.DateField):
                    field.widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
                if name == "stage":
                    field = forms.TypedChoiceField(
                        label=field.label,
                        required=False,
                        coerce=lambda key: next(s for s in _open_stages() if str(s.pk) == key),
                        choices=lambda: [(stage.pk, stage.name) for stage in _open_stages()],
                    )
                self.fields[f"{card}-{name}"] = field
        for key, label in self.offered:
            self.fields[f"win-{key}"] = forms.ChoiceField(
                label=label,
                required=False,
                choices=(("record", _("keep")), ("lead", _("from the lead"))),
            )
        self.fields["carry"].choices = self.offered

    def _limit_choices(self):
        self.fields["account"].offer(by=self.by)
        self.fields["contact"].offer(by=self.by)
        self.fields["owner"].queryset = User.objects.active().order_by("name", "pk")
        self.fields["owner"].current = self.lead.owner
        converted = LeadStatus.objects.active().filter(phase=Phase.CONVERTED)
        self.fields["status"].queryset = converted
        if len(LeadStatus.of_phase(Phase.CONVERTED)) < 2:
            del self.fields["status"]
        deals = Opportunity.objects.visible_to(self.by).live()
        self.fields["opportunity"].queryset = deals
        roles = ListValue.values("opportunity_contact_role")
        choices = [(row.value, row.label) for row in roles if row.is_active]
        self.fields["role"].choices = [("", _("No role yet")), *choices]

    def _preset(self):
        """The defaults of a page that is opened: what conversion.default_choices says."""
        if self.is_bound:
            return
        choices = default_choices(self.lead, by=self.by, matches=self.matches)
        given = dict(self.initial)
        self.initial = {
            "account_mode": EXISTING if choices.account else NEW,
            "account": choices.account.pk if choices.account else "",
            "contact_mode": EXISTING if choices.contact else NEW,
            "contact": choices.contact.pk if choices.contact else "",
            "relation": Relation.ALSO,
            "deal": choices.deal,
            "owner": self.lead.owner_id,
            "carry": [key for key, _label in self.offered],
            **given,
        }
        if self.initial["account"]:
            self.initial["account_mode"] = EXISTING

    def fill_in(self, plan):
        """Show what new records get by the plan as the fields' values, where nothing was typed."""
        for card in plan.cards:
            for name in TYPED[card.name]:
                value = card.values.get(name) if card.creates else None
                self.initial.setdefault(f"{card.name}-{name}", _as_typed(value))

    @cached_property
    def matches(self):
        account = self.chosen("account") if self.is_bound else None
        found = suggest_matches(self.lead, by=self.by, account=account)
        for card in ("account", "contact"):
            widget = self.fields[card].widget
            widget.matches = getattr(found, f"{card}s")
            widget.hidden_owner = found.hidden.get(card, "")
        return found

    def chosen(self, name):
        """The record that a bound form has chosen, as far as it is valid."""
        return getattr(self, "cleaned_data", {}).get(name)

    # -- cleaning -----------------------------------------------------------------------------

    def clean(self):
        cleaned = super().clean()
        for card in ("account", "contact"):
            if cleaned.get(f"{card}_mode") == EXISTING and not cleaned.get(card):
                if card not in self.errors:
                    self.add_error(card, _("Choose one of the matches or search another one."))
        if cleaned.get("deal") == Deal.EXISTING and not cleaned.get("opportunity"):
            if "opportunity" not in self.errors:
                self.add_error("opportunity", _("Choose the deal."))
        return cleaned

    def _clean_fields(self):
        """Typed values are cleaned by the models in the plan; here they pass as they came."""
        typed = {f"{card}-{name}" for card, names in TYPED.items() for name in names}
        whole, self.fields = self.fields, {n: f for n, f in self.fields.items() if n not in typed}
        try:
            super()._clean_fields()
        finally:
            self.fields = whole
        for name in typed & whole.keys():
            self.cleaned_data[name] = self._clean_typed(name)

    def _clean_typed(self, name):
        text = self.data.get(self.add_prefix(name))
        if not name.endswith("-stage") or text in (None, ""):
            return text
        if self.cleaned_data.get("deal") != Deal.NEW:
            return None
        try:
            return self.fields[name].clean(text)
        except ValidationError as error:
            self.add_error(name, error)
            return None

    # -- decisions ----------------------------------------------------------------------------

    def get_choices(self):
        """The ConversionChoices of the form: of a bound one what was sent, else the defaults."""
        if not self.is_bound:
            return self._preset_choices()
        data = self.cleaned_data
        return ConversionChoices(
            account=data.get("account") if data.get("account_mode") == EXISTING else None,
            contact=data.get("contact") if data.get("contact_mode") == EXISTING else None,
            deal=data.get("deal") or Deal.NONE,
            opportunity=data.get("opportunity") if data.get("deal") == Deal.EXISTING else None,
            relation=data.get("relation") or Relation.ALSO,
            role=data.get("role") or "",
            owner=data.get("owner"),
            status=data.get("status"),
            values=self._typed_values(data),
            left=frozenset(key for key, _label in self.offered) - set(data.get("carry", ())),
            winners={
                key: data[f"win-{key}"] for key, _label in self.offered if data.get(f"win-{key}")
            },
        )

    def _preset_choices(self):
        choices = default_choices(self.lead, by=self.by, matches=self.matches)
        account = self.initial.get("account")
        if account and (choices.account is None or choices.account.pk != account):
            queryset = self.fields["account"].queryset
            choices = replace(choices, account=queryset.filter(pk=account).first())
        return choices

    def _typed_values(self, data):
        """What was typed for records that are new: only of the cards that create one."""
        creates = {
            "account": data.get("account_mode") == NEW,
            "contact": data.get("contact_mode") == NEW,
            "opportunity": data.get("deal") == Deal.NEW,
        }
        return {
            f"{card}.{name}": data[f"{card}-{name}"]
            for card, names in TYPED.items()
            for name in names
            if creates[card] and data.get(f"{card}-{name}") is not None
        }

    # -- the page -----------------------------------------------------------------------------

    def typed_fields(self, card):
        """The bound fields of a new record, in the order of the page."""
        return [self[f"{card}-{name}"] for name in TYPED[card] if f"{card}-{name}" in self.fields]

    def ticks(self, card, *, left):
        """
        The ticks "carry over" of one card: what the lead offers for it, whatever is chosen there.

        They stand on the page in every mode, so that switching to another one loses nothing.
        ``left`` are the keys of those that were unticked.
        """
        effects = {effect.key: effect for effect in card.effects}
        ticks = [
            Tick(key, label, effects[key].is_carried if key in effects else key not in left)
            for key, label in self.offered
            if key.startswith(f"{card.name}.")
        ]
        return {"all": ticks, "count": sum(tick.is_set for tick in ticks)}

    def field_of(self, key):
        """The form's field at which a message of the plan stands; None for the whole form."""
        name = key.replace(".", "-", 1)
        for candidate in (name, key, key.split(".")[0]):
            if candidate in self.fields:
                return candidate
        return None

    def add_plan_errors(self, errors):
        """Put the plan's messages at their fields."""
        for key, messages in errors.items():
            for message in messages:
                self.add_error(self.field_of(key), str(message))


def _as_typed(value):
    """A value as people type it: no zeros behind the decimals that say something."""
    if value is None:
        return ""
    if isinstance(value, Stage):
        return value.pk
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return value


def _open_stages():
    return [stage for stage in Stage.choices() if not stage.is_closed]
