import django_filters
from django.utils.translation import gettext_lazy as _

from core.filters import DaysFilter, ListFilter, NumbersFilter, OwnerFilter, RecordFilter
from opportunities.models import ForecastCategory, Opportunity, Stage


def stage_choices():
    """All stages by key, retired ones included."""
    return [(str(stage.pk), stage.name) for stage in Stage.everything()]


class OverdueFilter(django_filters.BooleanFilter):
    """Open deals whose close date has passed, or all others."""

    def condition(self, value):
        if value:
            items = [
                {"field": "is_closed", "op": "is", "value": False},
                {"field": "close_date", "op": "older", "value": 0},
            ]
            return {"all": items}
        items = [
            {"field": "is_closed", "op": "is", "value": True},
            {"field": "close_date", "op": "ahead", "value": 0},
        ]
        return {"any": items}


class OpportunityFilter(RecordFilter):
    stage = django_filters.ChoiceFilter(
        field_name="stage_id", choices=stage_choices, label=_("Stage")
    )
    owner = OwnerFilter()
    category = django_filters.ChoiceFilter(
        field_name="forecast_category",
        choices=ForecastCategory.choices,
        label=_("Forecast category"),
    )
    closed = django_filters.BooleanFilter(field_name="is_closed", label=_("Closed"))
    overdue = OverdueFilter(label=_("Overdue"))
    close = DaysFilter(field_name="close_date", label=_("Close date"))
    amount = NumbersFilter(label=_("Amount"))
    type = ListFilter(list_key="opportunity_type", label=_("Type"))
    source = ListFilter(field_name="lead_source", list_key="lead_source", label=_("Source"))
    loss_reason = ListFilter(list_key="loss_reason", label=_("Loss reason"))
    created = DaysFilter(field_name="created_at", label=_("Created"))

    class Meta(RecordFilter.Meta):
        model = Opportunity
        fields = []
