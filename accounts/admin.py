from django.contrib import admin

from accounts.models import Account
from core.admin import RecordAdmin


@admin.register(Account)
class AccountAdmin(RecordAdmin):
    list_display = ("id", "name", "owner", "parent", "archived_at", "version")
    list_select_related = ("owner", "parent")
    search_fields = ("search_text",)
    ordering = ("-pk",)
