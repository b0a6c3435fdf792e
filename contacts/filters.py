import django_filters
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from core.filters import CountryFilter, DaysFilter, ListFilter, OwnerFilter, RecordFilter


class ContactFilter(RecordFilter):
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
