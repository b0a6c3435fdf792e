from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group

from core.admin import JournalledAdmin, VersionedForm
from users.models import Grant, Team, User
from users.services import save_team, save_user

admin.site.unregister(Group)  # rights come from the role: a group would give nobody anything


class UserAdminForm(VersionedForm):
    """The grants as ticks; the list behind them is nothing to type."""

    grants = forms.MultipleChoiceField(
        choices=Grant, required=False, widget=forms.CheckboxSelectMultiple
    )


@admin.register(User)
class UserAdmin(JournalledAdmin):
    """
    A new user has no password: the link “Forgot password?” gives one.

    Deactivating asks for successors, so it has a page in the product and no tick here.
    """

    form = UserAdminForm
    exclude = ["password", "last_login"]
    readonly_fields = ["is_active"]
    list_display = ["name", "email", "role", "team", "is_active"]
    list_filter = ["role", "is_active"]
    search_fields = ["name", "email"]
    autocomplete_fields = ["team", "manager"]
    ordering = ["name", "pk"]

    def save_model(self, request, obj, form, change):
        save_user(obj, by=request.user)


@admin.register(Team)
class TeamAdmin(JournalledAdmin):
    list_display = ["name", "parent", "manager"]
    search_fields = ["name"]
    autocomplete_fields = ["parent", "manager"]
    ordering = ["name", "pk"]

    def save_model(self, request, obj, form, change):
        save_team(obj, by=request.user)
