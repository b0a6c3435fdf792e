"""The pages of the exchange rates."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import display
from core.forms import RecordForm
from core.models import ExchangeRate, Organisation
from core.tables import Column
from core.views.settings import SettingsCreateView, SettingsListView, SettingsUpdateView


class RateForm(RecordForm):
    """What one unit of the organisation's currency is worth in another, from a day on."""

    class Meta:
        model = ExchangeRate
        fields = ("currency", "valid_from", "rate")
        localized_fields = ("rate",)
        widgets = {"rate": forms.TextInput(attrs={"inputmode": "decimal"})}


class RateListView(SettingsListView):
    """The rates of each currency, the latest first."""

    model = ExchangeRate
    columns = (
        Column("currency", gettext_lazy("Currency"), kind="link"),
        Column("valid_from", gettext_lazy("From"), kind="date"),
        Column("rate", gettext_lazy("Rate"), lambda row: display.number(row.rate.normalize())),
    )

    @property
    def intro(self):
        currency = Organisation.current().default_currency
        return _(
            "Units of a currency for 1 %(currency)s. An open deal is converted at the rate of "
            "today, a closed one at that of its close date. Amounts in a currency without a rate "
            "stand beside a total, never in it."
        ) % {"currency": currency}

    def get_rows(self):
        return ExchangeRate.objects.order_by("currency", "-valid_from")[:1000]


class RateCreateView(SettingsCreateView):
    """The form of a new rate."""

    form_class = RateForm

    def get_initial(self):
        return {"valid_from": Organisation.current().today(), **super().get_initial()}


class RateUpdateView(SettingsUpdateView):
    """The form of a rate."""

    model = ExchangeRate
    form_class = RateForm

    def get_effects(self):
        return [_("Totals that were converted at this rate change with it, also past ones.")]
