import django_filters
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from core.filters import (
    CountryFilter,
    DaysFilter,
    ListFilter,
    NumbersFilter,
    OwnerFilter,
    RecordFilter,
)


class AccountFilter(RecordFilter):
    owner = OwnerFilter()
    type = ListFilter(list_key="account_type", label=_("Type"))
    industry = ListFilter(list_key="industry", label=_("Industry"))
    country = CountryFilter(field_name="billing_country", label=_("Country"))
    employees = NumbersFilter(label=_("Employees"))
    annual_revenue = NumbersFilter(label=_("Annual revenue"))
    top = django_filters.BooleanFilter(
        field_name="parent", lookup_expr="isnull", label=_("Top of a hierarchy")
    )
    created = DaysFilter(field_name="created_at", label=_("Created"))

    class Meta(RecordFilter.Meta):
        model = Account
        fields = ["status", "rating", "kind"]
