import django_filters
from django.utils.translation import gettext_lazy as _

from core.filters import CountryFilter, DaysFilter, ListFilter, OwnerFilter, RecordFilter
from leads.models import Lead, LeadStatus, Phase


def status_choices():
    """All statuses by key, retired ones included."""
    return [(str(status.pk), status.name) for status in LeadStatus.everything()]


class LeadFilter(RecordFilter):
    about_status = ("status", "phase", "reason")  # they look through closed leads as well

    status = django_filters.ChoiceFilter(
        field_name="status_id", choices=status_choices, label=_("Status")
    )
    phase = django_filters.ChoiceFilter(choices=Phase.choices, label=_("Phase"))
    score = django_filters.NumberFilter(
        field_name="qualification_score",
        lookup_expr="gte",
        label=_("Score"),
        min_value=0,
        max_value=100,
    )
    owner = OwnerFilter()
    source = ListFilter(field_name="lead_source", list_key="lead_source", label=_("Source"))
    industry = ListFilter(list_key="industry", label=_("Industry"))
    country = CountryFilter(label=_("Country"))
    reason = ListFilter(
        field_name="disqualify_reason",
        list_key="disqualify_reason",
        label=_("Reason for disqualifying"),
    )
    created = DaysFilter(field_name="created_at", label=_("Created"))

    class Meta(RecordFilter.Meta):
        model = Lead
        fields = ["rating"]
