import django_filters
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from contacts.models import Contact
from core.filters import CountryFilter, DaysFilter, ListFilter, OwnerFilter, RecordFilter


def visible_accounts(request):
    return Account.objects.visible_to(request.user)


class OfAccountFilter(django_filters.ModelChoiceFilter):
    """Keeps those with an active relation to an account; only the account's page asks it."""

    def condition(self, account):
        items = [
            {"field": "account", "op": "in", "value": [account.pk]},
            {"field": "is_active", "op": "is", "value": True},
        ]
        return {"field": "relations", "op": "has", "value": {"all": items}}


class ContactFilter(RecordFilter):
    account = OfAccountFilter(
        queryset=visible_accounts, label=_("Account"), widget=forms.HiddenInput
    )
    owner = OwnerFilter()
    level = ListFilter(list_key="contact_level", label=_("Level"))
    country = CountryFilter(field_name="mailing_country", label=_("Country"))
    source = ListFilter(field_name="lead_source", list_key="lead_source", label=_("Source"))
    no_account = django_filters.BooleanFilter(
        field_name="account", lookup_expr="isnull", label=_("Without an account")
    )
    created = DaysFilter(field_name="created_at", label=_("Created"))

    class Meta(RecordFilter.Meta):
        model = Contact
        fields = ["status", "email_opt_out", "do_not_call"]
