"""The forms of the organisation's own settings: what it is, and how far rights reach in it."""

from zoneinfo import available_timezones

from django import forms
from django.db.models import Q
from django.urls import reverse
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import display, fiscal
from core.forms import RecordForm
from core.models import ExchangeRate, Organisation
from core.views.settings import SettingsUpdateView, settings_crumbs
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
            "admins_need_second_step",
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
            "admins_need_second_step": gettext_lazy(
                "Those who have none are asked to set one up before they go on."
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
        (gettext_lazy("Signing in"), ("admins_need_second_step",)),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kept = Q(pk=self.instance.default_lead_owner_id)
        people = User.objects.filter(Q(is_active=True) | kept)
        self.fields["default_lead_owner"].queryset = people.order_by("name", "pk")


class AccessForm(RecordForm):
    """How far each kind of record is seen and edited at most, whatever the roles allow."""

    class Meta:
        model = Organisation
        fields = (
            "account_read",
            "account_edit",
            "contact_read",
            "contact_edit",
            "lead_read",
            "lead_edit",
            "opportunity_read",
            "opportunity_edit",
        )

    groups = (
        (gettext_lazy("Accounts"), ("account_read", "account_edit")),
        (gettext_lazy("Contacts"), ("contact_read", "contact_edit")),
        (gettext_lazy("Leads"), ("lead_read", "lead_edit")),
        (gettext_lazy("Opportunities"), ("opportunity_read", "opportunity_edit")),
    )


class OrganisationUpdateView(SettingsUpdateView):
    """The form of the organisation's settings, of which there is one row."""

    model = Organisation
    form_class = OrganisationForm
    title = gettext_lazy("Organisation")
    success_message = gettext_lazy("Saved the settings of %(object)s.")

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **{**kwargs, "pk": 1})

    def get_list(self):
        return {"label": self.title, "url": reverse("administration:index")}

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**{"title": self.title, **kwargs})
        return {**context, "crumbs": settings_crumbs({"label": self.title})}

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


class AccessUpdateView(OrganisationUpdateView):
    """The form of how far rights reach, on the same row."""

    form_class = AccessForm
    title = gettext_lazy("Access")
    success_message = gettext_lazy("Saved how far records are seen and edited.")

    def get_effects(self):
        yield _(
            "Roles decide first. What a role allows goes as far as it says here, and no further."
        )
        yield _(
            "A tighter setting works at once: lists and totals shrink, saved links are not found."
        )
        yield _(
            "Exports go as far as seeing; stages, archiving, merging and converting as editing."
        )
        yield _("Administrators are never held back. What is shared with somebody stays shared.")
