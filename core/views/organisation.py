"""The organisation's own settings, its editable lists and its exchange rates."""

from zoneinfo import available_timezones

from django import forms
from django.db.models import Q
from django.http import Http404
from django.urls import reverse
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import TemplateView

from core import display, fiscal
from core.forms import RecordForm
from core.lists import list_keys, title_of, uses_of
from core.models import ExchangeRate, ListValue, Organisation
from core.services import next_position
from core.tables import COUNT_LIMIT, Column
from core.views.settings import (
    AdministratorMixin,
    SettingsCreateView,
    SettingsListView,
    SettingsMoveView,
    SettingsUpdateView,
    settings_crumbs,
)
from users.models import User


class OrganisationForm(RecordForm):
    """The organisation's settings; each help text says what the setting decides."""

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=lambda: [(zone, zone) for zone in sorted(available_timezones())],
        help_text=gettext_lazy("Says when today ends: for overdue deals, new leads and quarters."),
    )
    fiscal_year_start_month = forms.TypedChoiceField(
        label=gettext_lazy("First month of the fiscal year"),
        coerce=int,
        choices=list(MONTHS.items()),
        help_text=gettext_lazy("New deals are expected to close at the end of a quarter."),
    )

    class Meta:
        model = Organisation
        fields = (
            "name",
            "default_country",
            "default_currency",
            "language",
            "time_zone",
            "fiscal_year_start_month",
            "fiscal_year_named_by",
            "stale_days",
            "sdr_handover_hours",
            "nurture_recheck_days",
            "default_lead_owner",
            "routes_to_account_owner",
            "free_mail_domains",
            "role_mailboxes",
        )
        help_texts = {
            "default_country": gettext_lazy(
                "Phone numbers without a country code are read as numbers of this country."
            ),
            "default_currency": gettext_lazy(
                "Totals are converted to it. All exchange rates are units for one of it."
            ),
            "language": gettext_lazy("For people who have not chosen one, and for e-mails."),
            "stale_days": gettext_lazy("A record without a change for so long counts as quiet."),
            "sdr_handover_hours": gettext_lazy(
                "So long a handed over lead waits for its new owner to accept it."
            ),
            "nurture_recheck_days": gettext_lazy(
                "Offered as the rest of a lead that is not ready yet."
            ),
            "default_lead_owner": gettext_lazy(
                "Gets the leads that no assignment rule fits, and those whose rule names people "
                "who are all away. Without one such leads stay with who entered them."
            ),
            "routes_to_account_owner": gettext_lazy(
                "Before the assignment rules are asked: a lead that certainly belongs to an "
                "account, by its domain, goes to who owns the account."
            ),
            "free_mail_domains": gettext_lazy(
                "One a line. An address there says nothing about the company: it is never used to "
                "find a matching account. A star stands for any ending."
            ),
            "role_mailboxes": gettext_lazy(
                "One a line, the part before the @. Several people read them, so such an address "
                "does not prove who somebody is."
            ),
        }

    groups = (
        (
            gettext_lazy("Organisation"),
            ("name", "default_country", "default_currency", "language"),
        ),
        (
            gettext_lazy("Days and fiscal year"),
            ("time_zone", "fiscal_year_start_month", "fiscal_year_named_by"),
        ),
        (
            gettext_lazy("Selling"),
            ("stale_days", "sdr_handover_hours", "nurture_recheck_days"),
        ),
        (
            gettext_lazy("Assignment of leads"),
            ("default_lead_owner", "routes_to_account_owner"),
        ),
        (gettext_lazy("E-mail addresses"), ("free_mail_domains", "role_mailboxes")),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kept = Q(pk=self.instance.default_lead_owner_id)
        people = User.objects.filter(Q(is_active=True) | kept)
        self.fields["default_lead_owner"].queryset = people.order_by("name", "pk")


class OrganisationUpdateView(SettingsUpdateView):
    """The form of the organisation's settings, of which there is one row."""

    model = Organisation
    form_class = OrganisationForm
    success_message = gettext_lazy("Saved the settings of %(object)s.")

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **{**kwargs, "pk": 1})

    def get_list(self):
        return {"label": _("Organisation"), "url": reverse("administration:index")}

    def get_context_data(self, **kwargs):
        title = _("Organisation")
        context = super().get_context_data(**{"title": title, **kwargs})
        return {**context, "crumbs": settings_crumbs({"label": title})}

    def get_effects(self):
        organisation = Organisation.current()
        today = organisation.today()
        start = organisation.fiscal_year_start_month
        by_ending = organisation.fiscal_year_named_by == Organisation.NamedBy.ENDING
        yield _("Today is %(day)s, in %(quarter)s, which ends on %(end)s.") % {
            "day": display.day(today),
            "quarter": fiscal.label(today, start, named_by_ending=by_ending),
            "end": display.day(fiscal.quarter_end(today, start)),
        }
        count = ExchangeRate.objects.count()
        if count:
            text = ngettext(
                "%(count)s exchange rate is for %(currency)s. With another currency, enter new "
                "rates: the old ones would be read as rates for the new one.",
                "%(count)s exchange rates are for %(currency)s. With another currency, enter new "
                "rates: the old ones would be read as rates for the new one.",
                count,
            )
            yield text % {
                "count": display.number(count),
                "currency": organisation.default_currency,
            }


# -- editable lists ---------------------------------------------------------------------------


class ListIndexView(AdministratorMixin, TemplateView):
    """All editable lists, with the fields that use them."""

    template_name = "core/settings_lists.html"

    def get_context_data(self, **kwargs):
        title = _("Lists")
        return {
            "title": title,
            "crumbs": settings_crumbs({"label": title}),
            "lists": [self._entry(key) for key in list_keys()],
            **super().get_context_data(**kwargs),
        }

    def _entry(self, list_key):
        values = [row.label for row in ListValue.values(list_key) if row.is_active]
        return {
            "title": title_of(list_key),
            "url": reverse("core:listvalue_list", args=[list_key]),
            "used_by": [str(use.model._meta.verbose_name_plural) for use in uses_of(list_key)],
            "values": values,
        }


class ListValueForm(RecordForm):
    """A value of a list as people see it; what is stored stays as it is."""

    class Meta:
        model = ListValue
        fields = ("label", "aliases", "is_active")
        help_texts = {
            "label": gettext_lazy("Another name changes how the value reads, in all records."),
            "aliases": gettext_lazy(
                "One a line. Files and forms that say so are read as this value."
            ),
            "is_active": gettext_lazy(
                "Without it, records keep the value and nobody can choose it anew."
            ),
        }


class NewListValueForm(ListValueForm):
    """A new value at the end of a list; it is stored under its first name."""

    class Meta(ListValueForm.Meta):
        fields = ("label", "aliases")

    def clean(self):
        cleaned = super().clean()
        value = cleaned.get("label", "")
        limit = ListValue._meta.get_field("value").max_length
        if len(value) > limit:
            self.add_error("label", _("At most %(limit)d characters.") % {"limit": limit})
        elif ListValue.objects.of(self.instance.list_key).filter(value=value).exists():
            self.add_error("label", _("The list has this value already."))
        self.instance.value = value
        return cleaned


class ListMixin:
    """A page about the list that the URL names."""

    model = ListValue

    @property
    def list_key(self):
        return self.kwargs["list_key"]

    def setup(self, request, *args, **kwargs):
        if kwargs["list_key"] not in list_keys():
            raise Http404
        super().setup(request, *args, **kwargs)

    def get_queryset(self):
        return ListValue.objects.of(self.list_key)

    def get_list(self):
        url = reverse("core:listvalue_list", args=[self.list_key])
        return {"label": title_of(self.list_key), "url": url}


class ListValueListView(ListMixin, SettingsListView):
    """The values of one list, in the order in which people choose from them."""

    columns = (
        Column("label", gettext_lazy("Value"), kind="link"),
        Column("aliases", gettext_lazy("Also read as"), lambda row: ", ".join(row.aliases)),
        Column("is_active", gettext_lazy("Can be chosen"), kind="truth"),
    )
    intro = gettext_lazy("People choose from these values, in this order.")

    def get_rows(self):
        return self.get_queryset()

    def get_title(self):
        return title_of(self.list_key)

    def get_create_url(self):
        return reverse("core:listvalue_create", args=[self.list_key])


class ListValueCreateView(ListMixin, SettingsCreateView):
    """The form of a new value."""

    form_class = NewListValueForm
    success_message = gettext_lazy("Added %(object)s to the list.")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"instance": ListValue(list_key=self.list_key)}

    def write(self, form, record):
        record.position = next_position(self.get_queryset())
        record.save()


class ListValueUpdateView(ListMixin, SettingsUpdateView):
    """The form of a value, with the records that have it."""

    form_class = ListValueForm

    def get_effects(self):
        for use in uses_of(self.list_key):
            count = use.count(self.record.value)
            found = display.records(count, use.model, cap=COUNT_LIMIT)
            yield _("In use: %(records)s.") % {"records": found}


class ListValueMoveView(SettingsMoveView):
    """Move a value within its list."""

    model = ListValue

    def get_siblings(self, row):
        return ListValue.objects.filter(list_key=row.list_key)

    def get_success_url(self, row):
        return reverse("core:listvalue_list", args=[row.list_key])


# -- exchange rates ---------------------------------------------------------------------------


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
