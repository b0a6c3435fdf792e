from django.contrib import admin

from core.admin import JournalledAdmin, RecordAdmin, RuledForm
from leads.models import AssignmentRule, Conversion, Lead, LeadStatus, Queue, QueueMember


@admin.register(LeadStatus)
class LeadStatusAdmin(JournalledAdmin):
    form = RuledForm
    list_display = ("name", "phase", "position", "is_default", "is_active")
    list_filter = ("phase", "is_active")
    search_fields = ("name",)
    ordering = ("position", "pk")


@admin.register(AssignmentRule)
class AssignmentRuleAdmin(RecordAdmin):
    list_display = ("name", "position", "target_user", "queue", "fallback_owner", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("target_user", "queue", "fallback_owner")
    search_fields = ("name",)
    ordering = ("position", "pk")


@admin.register(Queue)
class QueueAdmin(RecordAdmin):
    list_display = ("name", "last_position")
    search_fields = ("name",)
    ordering = ("name", "pk")


@admin.register(QueueMember)
class QueueMemberAdmin(RecordAdmin):
    list_display = ("user", "queue", "position", "daily_cap", "served_on", "served")
    list_filter = ("queue",)
    list_select_related = ("user", "queue")
    search_fields = ("user__name",)
    ordering = ("queue", "position", "pk")


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
