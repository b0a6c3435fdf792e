"""Saving users and teams, with the rules that ask for more than one of them."""

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict
from core.records import lock, lock_tree
from users.models import Role, User


def save_user(user):
    """
    Save a user, a new one without a password; inside an operation.

    :raises WouldMakeCycle: the manager reports to him
    :raises LastAdministrator: nobody would be left who can administer
    """
    user.check_manager()
    refuse_last_admin(user)
    if user.pk is None:
        user.set_unusable_password()
    user.save()


def save_team(team):
    """
    Save a team; inside an operation.

    :raises WouldMakeCycle: it would stand below itself
    :raises TooDeep: the teams would stand in too many levels
    """
    team.check_parent()
    team.save()


class LastAdministrator(Conflict):
    """Nobody would be left who can administer the organisation."""


def refuse_last_admin(user):
    """
    Refuse to save ``user`` as what leaves no active administrator; inside an operation.

    Takes the lock of the trees and those of the administrators, so that two of them can't
    demote each other at once. Rule: docs/rules/access.md.

    :raises LastAdministrator: he is the last one
    """
    if user.is_active and user.role == Role.ADMIN:
        return
    lock_tree()
    admins = lock(User.objects.admins()).order_by("pk")
    keys = {admin.pk for admin in admins}
    if keys == {user.pk}:
        message = _("%(user)s is the last active administrator. Make somebody else one first.")
        raise LastAdministrator(message % {"user": user}, field="role")
