"""
Saving users and teams: who may give which right to whom.

The rules are asked inside the operation, of the rows as they stand there, and again by an undo.
Rule: docs/rules/access.md, section 7.
"""

from django.db.transaction import on_commit
from django.utils.translation import gettext as _

from core.errors import NotAllowed
from core.records import codecs, lock, lock_tree
from users.models import Role, Team, User
from users.security import note

GIVEN_BY_MANAGERS = (Role.REP, Role.SDR, Role.SUPPORT, Role.READ_ONLY)
"""The roles that a manager gives, and takes, within the teams that he manages."""
GIVEN_BY_OTHERS = frozenset({"role", "grants", "is_active"})
"""What nobody changes of himself."""
TOLD = frozenset({"role", "grants", "team", "manager", "parent", "is_active", "email"})
"""What the security log tells of, once it is written."""
SET_BY_MANAGERS = frozenset({"role", "team"})
SET_BY_ONESELF = frozenset(
    {"name", "time_zone", "locale", "theme", "out_of_office_until"}
    | {"uses_single_keys", "shows_first_steps"}
)


class OwnRights(NotAllowed):
    """Somebody would change his own role, grants or management of a team."""


class NotYours(NotAllowed):
    """The user, or what would be given to him, is out of the acting user's hands."""


def save_user(user, *, by):
    """
    Save a user, a new one without a password; inside an operation.

    :raises OwnRights: it is about the own role, grants or log-in of ``by``
    :raises NotYours: ``by`` may not change this of the user
    :raises WouldMakeCycle: the manager reports to the user
    :raises LastAdministrator: nobody would be left who can administer
    """
    by = _as_it_stands(by)
    stored = lock(User.objects.filter(pk=user.pk)).order_by("pk").first()
    refuse_user(user, stored, by=by)
    user.check_manager()
    user.check_last_admin()
    if stored is None:
        user.set_unusable_password()
    changed = sorted(_changed(user, stored) & TOLD)
    user.save()
    _tell_of_rights(user, changed, by=by)


def save_team(team, *, by):
    """
    Save a team; inside an operation.

    :raises OwnRights: it is about what ``by`` manages
    :raises NotYours: ``by`` is no administrator
    :raises WouldMakeCycle: it would stand below itself
    :raises TooDeep: the teams would stand in too many levels
    """
    by = _as_it_stands(by)
    stored = lock(Team.objects.filter(pk=team.pk)).order_by("pk").first()
    refuse_team(team, stored, by=by)
    team.check_parent()
    changed = sorted(_changed(team, stored) & TOLD)
    team.save()
    _tell_of_rights(team, changed, by=by)


def _tell_of_rights(row, changed, *, by):
    if changed:
        kind, fields = row._meta.model_name, ",".join(changed)
        on_commit(lambda: note("rights_changed", user=by, of=f"{kind}:{row.pk}", fields=fields))


def refuse_user(user, stored, *, by):
    """
    Refuse to make ``stored``, None for a new one, what ``user`` is, by the hand of ``by``.

    The system, which is None, may do everything. Raises as ``save_user``.
    """
    changed = _changed(user, stored)
    if by is None or not changed:
        return
    if stored is not None and stored.pk == by.pk:
        _refuse_oneself(changed, by)
    elif by.role == Role.ADMIN and by.is_active:
        return
    elif stored is None or not may_set(stored, by=by) or not changed <= SET_BY_MANAGERS:
        raise NotYours(_("Only an administrator can change this of %(user)s.") % {"user": user})
    elif user.role not in GIVEN_BY_MANAGERS:
        message = _("You can't give the role “%(role)s”.") % {"role": user.get_role_display()}
        raise NotYours(message, field="role")
    elif not in_tree_of(by, user.team_id):
        message = _("Choose one of the teams that you manage, or one below them.")
        raise NotYours(message, field="team")


def refuse_team(team, stored, *, by):
    """Refuse to make ``stored`` what ``team`` is, by the hand of ``by``; as ``save_team``."""
    changed = _changed(team, stored)
    if by is None or not changed:
        return
    if by.role != Role.ADMIN or not by.is_active:
        raise NotYours(_("Only administrators can change teams."))
    managers = {team.manager_id, stored.manager_id if stored else None}
    if "manager" in changed and by.pk in managers:
        message = _("Nobody decides which teams he manages. Ask another administrator.")
        raise OwnRights(message, field="manager")


def may_set(user, *, by):
    """Whether ``by`` may set role and team of ``user``: his manager, by way of the teams."""
    return (
        by.role == Role.MANAGER
        and by.is_active
        and user.pk != by.pk
        and user.role in GIVEN_BY_MANAGERS
        and in_tree_of(by, user.team_id)
    )


def in_tree_of(manager, team_id):
    """Whether the team is one that ``manager`` manages, or below one."""
    return team_id is not None and team_id in Team.objects.below(manager)


def _refuse_oneself(changed, by):
    if names := changed & GIVEN_BY_OTHERS:
        message = _("Nobody changes his own rights. Ask another administrator.")
        raise OwnRights(message, field=min(names))
    if by.role != Role.ADMIN and not changed <= SET_BY_ONESELF:
        raise NotYours(_("Only an administrator can change this of you."))


def _changed(row, stored):
    """The names of the journalled fields that differ; all of them for a new row."""
    fields = codecs(type(row))
    if stored is None:
        return {codec.name for codec in fields.values()}
    return {
        codec.name
        for attname, codec in fields.items()
        if codec.dump(codec.clean(row.__dict__[attname])) != codec.dump(stored.__dict__[attname])
    }


def _as_it_stands(by):
    """The acting user as he is now, behind everybody who changes users or teams."""
    lock_tree()
    return None if by is None else User.objects.get(pk=by.pk)
