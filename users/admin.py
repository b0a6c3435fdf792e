from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.decorators import method_decorator

from core.admin import JournalledAdmin, VersionedForm
from users.models import Grant, Team, User
from users.services import save_team, save_user

admin.site.unregister(Group)  # rights come from the role: a group would give nobody anything
for model in (EmailAddress, Authenticator):  # the own pages of each user, and nobody else's
    admin.site.unregister(model)


# Rights are given by somebody who was there a moment ago.
asked_again = method_decorator(
    reauthentication_required(app="users", allow_get=True), name="changeform_view"
)


class UserAdminForm(VersionedForm):
    """The grants as ticks; the list behind them is nothing to type."""

    grants = forms.MultipleChoiceField(
        choices=Grant, required=False, widget=forms.CheckboxSelectMultiple
    )


@admin.register(User)
@asked_again
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
@asked_again
class TeamAdmin(JournalledAdmin):
    list_display = ["name", "parent", "manager"]
    search_fields = ["name"]
    autocomplete_fields = ["parent", "manager"]
    ordering = ["name", "pk"]

    def save_model(self, request, obj, form, change):
        save_team(obj, by=request.user)
