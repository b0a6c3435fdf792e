from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from accounts.services import DependantsChoice, belongings_of
from core import display
from core.forms import AssignForm, RecordChoiceField, RecordForm, VerbForm

PROFILE = ("name", "kind", "type", "status", "industry", "rating", "ownership", "site", "source")
REACH = ("phone", "fax", "website", "linkedin_url")
BILLING = (
    "billing_street",
    "billing_postal_code",
    "billing_city",
    "billing_state",
    "billing_country",
)
SHIPPING = (
    "shipping_street",
    "shipping_postal_code",
    "shipping_city",
    "shipping_state",
    "shipping_country",
)
FIGURES = ("employees", "annual_revenue", "currency")
NUMBERS = ("account_number", "tax_id", "duns", "sic", "sic_description", "ticker_symbol")


class AccountForm(RecordForm):
    groups = (
        (_("Profile"), PROFILE),
        (_("Phone and web"), REACH),
        (_("Billing address"), BILLING),
        (_("Shipping address"), SHIPPING),
        (_("Figures"), FIGURES),
        (_("Numbers"), NUMBERS),
        (_("Description"), ("description",)),
    )

    class Meta:
        model = Account
        fields = [*PROFILE, *REACH, *BILLING, *SHIPPING, *FIGURES, *NUMBERS, "description"]


class AccountCreateForm(AccountForm):
    """A new account says its place in the hierarchy; later that is a verb of its own."""

    groups = (*AccountForm.groups[:1], (_("Hierarchy"), ("parent",)), *AccountForm.groups[1:])

    class Meta(AccountForm.Meta):
        fields = [*AccountForm.Meta.fields, "parent"]


class AccountMoveForm(VerbForm):
    """The new place of an account in its hierarchy."""

    parent = RecordChoiceField(
        Account.objects.none(),
        label=_("New parent account"),
        required=False,
        help_text=_("Without one the account is at the top of a hierarchy of its own."),
    )

    def __init__(self, *args, account, by, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["parent"]
        field.queryset = Account.objects.exclude(pk=account.pk)
        field.offer(by=by, current=account.parent)
        self.initial["parent"] = account.parent_id


class AccountAssignForm(AssignForm):
    """
    Who shall own an account, and what of the present owner's goes along.

    All of it is ticked beforehand. Without ``account``, for many at once, nothing is counted.
    """

    along = forms.MultipleChoiceField(
        label=_("What goes along"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What the present owner has there. What others own stays theirs."),
    )

    def __init__(self, *args, account=None, **kwargs):
        super().__init__(*args, **kwargs)
        choices = [*self._choices(account)]
        self.fields["along"].choices = choices
        self.initial.setdefault("along", [key for key, _label in choices])
        if not choices:
            del self.fields["along"]

    def _choices(self, account):
        owner = account.owner if account else None
        for belongings in belongings_of(account, owner=owner):
            label = capfirst(belongings.label)
            if account is None:
                yield belongings.key, label
            elif count := belongings.records.count():
                yield belongings.key, f"{label} ({display.number(count)})"

    @property
    def chosen(self):
        """The keys of what goes along."""
        return self.cleaned_data.get("along", [])


class AccountArchiveForm(VerbForm):
    """What becomes of what belongs to the archived account."""

    dependants = forms.ChoiceField(
        label=_("What belongs to it"),
        choices=[("move", _("Move it to another account")), ("archive", _("Archive it too"))],
        widget=forms.RadioSelect,
    )
    target = RecordChoiceField(Account.objects.none(), label=_("Other account"), required=False)

    def __init__(self, *args, account, by, has_dependants, **kwargs):
        super().__init__(*args, **kwargs)
        if not has_dependants:
            del self.fields["dependants"], self.fields["target"]
            return
        self.fields["target"].queryset = Account.objects.exclude(pk=account.pk)
        self.fields["target"].offer(by=by)

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("dependants") == "move" and "target" in cleaned and not cleaned["target"]:
            self.add_error("target", _("Choose the account that takes over."))
        return cleaned

    def get_choice(self):
        """The DependantsChoice; None if there is nothing to decide."""
        if "dependants" not in self.fields:
            return None
        is_move = self.cleaned_data["dependants"] == "move"
        return DependantsChoice(target=self.cleaned_data["target"] if is_move else None)
