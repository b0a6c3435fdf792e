from django.contrib import admin
from django.contrib.auth.models import Group

from core.admin import JournalledAdmin
from users.models import Team, User

admin.site.unregister(Group)  # rights come from the role: a group would give nobody anything


@admin.register(User)
class UserAdmin(JournalledAdmin):
    """A new user has no password: the link “Forgot password?” gives one."""

    exclude = ["password", "last_login"]
    list_display = ["name", "email", "role", "team", "is_active"]
    list_filter = ["role", "is_active"]
    search_fields = ["name", "email"]
    autocomplete_fields = ["team", "manager"]
    ordering = ["name", "pk"]


@admin.register(Team)
class TeamAdmin(JournalledAdmin):
    list_display = ["name", "parent", "manager"]
    search_fields = ["name"]
    autocomplete_fields = ["parent", "manager"]
    ordering = ["name", "pk"]
