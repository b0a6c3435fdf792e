from django.contrib import admin

from core.admin import JournalledAdmin, RecordAdmin, RuledForm
from opportunities.models import (
    Opportunity,
    OpportunityContactRole,
    OpportunityStageHistory,
    Stage,
)


@admin.register(Stage)
class StageAdmin(JournalledAdmin):
    form = RuledForm
    list_display = ("position", "name", "probability", "forecast_category", "is_active")
    list_display_links = ("name",)
    ordering = ("position", "pk")


@admin.register(Opportunity)
class OpportunityAdmin(RecordAdmin):
    list_display = ("id", "name", "account", "stage", "owner", "archived_at", "version")
    list_select_related = ("account", "stage", "owner")
    search_fields = ("search_text",)
    ordering = ("-pk",)


@admin.register(OpportunityContactRole)
class RoleAdmin(RecordAdmin):
    list_display = ("id", "opportunity", "contact", "role", "is_primary", "is_external")
    list_select_related = ("opportunity", "contact")
    search_fields = ("=opportunity__id", "=contact__id")
    ordering = ("-pk",)


@admin.register(OpportunityStageHistory)
class HistoryAdmin(RecordAdmin):
    list_display = ("id", "opportunity", "at", "by", "from_stage", "to_stage")
    list_select_related = ("opportunity", "by", "from_stage", "to_stage")
    search_fields = ("=opportunity__id",)
    ordering = ("-pk",)
