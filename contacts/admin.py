from django.contrib import admin

from contacts.models import AccountContactRelation, Contact, PlannedJobChange
from core.admin import RecordAdmin


@admin.register(Contact)
class ContactAdmin(RecordAdmin):
    list_display = ("id", "last_name", "first_name", "account", "owner", "archived_at", "version")
    list_select_related = ("account", "owner")
    search_fields = ("search_text",)
    ordering = ("-pk",)


@admin.register(AccountContactRelation)
class RelationAdmin(RecordAdmin):
    list_display = ("id", "contact", "account", "is_direct", "is_active", "start_date", "end_date")
    list_select_related = ("contact", "account")
    search_fields = ("=contact__id", "=account__id")
    ordering = ("-pk",)


@admin.register(PlannedJobChange)
class PlannedJobChangeAdmin(RecordAdmin):
    list_display = ("id", "contact", "old_account", "new_account", "date", "status", "planned_by")
    list_select_related = ("contact", "old_account", "new_account", "planned_by")
    search_fields = ("=contact__id", "=old_account__id", "=new_account__id")
    ordering = ("-pk",)
