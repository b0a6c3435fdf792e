from django.contrib import admin

from core.admin import JournalledAdmin, RecordAdmin, RuledForm
from leads.models import Conversion, Lead, LeadStatus


@admin.register(LeadStatus)
class LeadStatusAdmin(JournalledAdmin):
    form = RuledForm
    list_display = ("name", "phase", "position", "is_default", "is_active")
    list_filter = ("phase", "is_active")
    search_fields = ("name",)
    ordering = ("position", "pk")


@admin.register(Lead)
class LeadAdmin(RecordAdmin):
    list_display = ("id", "last_name", "company", "status", "owner", "archived_at", "version")
    list_filter = ("phase",)
    list_select_related = ("status", "owner")
    search_fields = ("search_text",)
    ordering = ("-pk",)


@admin.register(Conversion)
class ConversionAdmin(RecordAdmin):
    list_display = ("id", "lead", "account", "contact", "opportunity", "converted_at", "origin")
    list_filter = ("origin",)
    list_select_related = ("lead", "account", "contact", "opportunity")
    search_fields = ("=lead__id", "=account__id", "=contact__id", "=opportunity__id")
    ordering = ("-pk",)
