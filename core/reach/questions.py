"""The answers: which records a user may see or change, and whether he may this one."""

from functools import reduce
from operator import or_

from django.db.models import Q
from django.utils.translation import gettext as _

from core.errors import NotAllowed
from core.reach.matrix import MATRIX, NOTES, PLAIN, READ_VERBS, UNCAPPED, UNDO, Scope, Verb
from core.reach.scope import matches, reach_of
from users.models import Role, User

# -- querysets --------------------------------------------------------------------------------


def visible(queryset, user, verb=Verb.VIEW):
    """Cut ``queryset`` to the records on which ``user`` may do ``verb``."""
    allowed_where = condition(queryset.model, reach_of(user), Verb(verb))
    if allowed_where is None:
        return queryset.none()
    return queryset.filter(allowed_where) if allowed_where else queryset.all()


def where(model, user, verb=Verb.VIEW):
    """The condition of ``visible`` for a prepared query; one that no row meets if there is none."""
    found = condition(model, reach_of(user), Verb(verb))
    return Q(pk__in=()) if found is None else found


def condition(model, reach, verb, prefix="", *, whole=False):
    """
    The condition on ``model`` under which ``reach`` allows ``verb``; None if there is none.

    An empty condition allows every record. Children ask for their parents': any of them to
    read, edit on any of them to write. ``whole``: only records that are seen, or edited, with
    more than the certain fields of a footnote.
    """
    if parents := getattr(model, "access_parents", ()):
        return _through_parents(model, parents, reach, _on_parents(model, verb), prefix)
    if model.is_shared:
        return _of_audience(reach, verb, prefix)
    if model.access is None:
        return Q() if _may_on_reference(reach, verb) else None
    scope, note = _cell(model, reach, verb, whole=whole)
    lent = reach.lent(model, verb) if scope != Scope.ALL else ()
    if scope == Scope.NONE and not lent:
        return None
    rows = Q() if scope == Scope.NONE else reach.owned(scope, prefix)
    if lent:
        rows |= _among(lent, prefix)
    for name, values in note.only.items():
        rows &= Q(**{f"{prefix}{name}__in": values})
    if whole and note.fields:
        free = [Q(**{f"{prefix}{name}__in": values}) for name, values in note.free.items()]
        free += [reach.owned(Scope.OWN, prefix)] if note.own_free else []
        if not free:
            return None
        rows &= reduce(or_, free)
    if _has_private(model) and not reach.is_admin:
        seen = Q(**{f"{prefix}is_private": False}) | reach.owned(Scope.OWN, prefix)
        members = reach.lent(model, verb, private=True)
        rows &= seen | _among(members, prefix) if members else seen
    return rows


def _cell(model, reach, verb, *, whole):
    scope, note = reach.cell(model.access, verb)
    return (Scope.NONE, note) if whole and note.sees else (scope, note)


def _among(keys, prefix):
    return Q(**{f"{prefix}pk__in": sorted(keys)})


def _through_parents(model, parents, reach, verb, prefix):
    either = None
    for name in parents:
        parent = model._meta.get_field(name)
        rows = condition(parent.related_model, reach, verb, f"{prefix}{name}__", whole=True)
        if rows is None:
            continue
        if not rows:
            if not parent.null:
                return Q()
            rows = Q(**{f"{prefix}{name}__isnull": False})
        either = rows if either is None else either | rows
    return either


def _on_parents(model, verb):
    return verb if verb in READ_VERBS else model.verb_on_parents


def audience(reach, prefix=""):
    """The condition that something shared is the user's own or meant for him."""
    return (
        Q(**{f"{prefix}owner_id": reach.user.pk})
        | Q(**{f"{prefix}audience": "EVERYONE"})
        | Q(**{f"{prefix}audience": "TEAM", f"{prefix}owner__team_id": reach.user.team_id or 0})
    )


def _of_audience(reach, verb, prefix):
    """What is shared is read by its audience; its owner and administrators do the rest."""
    if reach.role is None or reach.is_admin:
        return Q() if reach.is_admin else None
    if verb in READ_VERBS:
        return audience(reach, prefix)
    return Q(**{f"{prefix}owner_id": reach.user.pk})


def _may_on_shared(record, reach, verb):
    if reach.role is None or reach.is_admin or record.owner_id == reach.user.pk:
        return reach.role is not None
    if verb not in READ_VERBS or record.audience == "ME":
        return False
    if record.audience == "EVERYONE":
        return True
    return reach.user.team_id is not None and record.owner.team_id == reach.user.team_id


def _may_on_reference(reach, verb):
    """Reference tables such as stages are read by everybody and written by admins."""
    return reach.is_admin or (reach.role is not None and verb in READ_VERBS)


def _has_private(model):
    return any(f.name == "is_private" for f in model._meta.concrete_fields)


def within(queryset, user, table):
    """Cut ``queryset`` to the owners in the user's scope of a tool such as ``RECYCLE_BIN``."""
    reach = reach_of(user)
    scope = table.get(reach.role, Scope.NONE)
    if scope == Scope.NONE:
        return queryset.none()
    return visible(queryset, user).filter(reach.owned(scope))


# -- records ----------------------------------------------------------------------------------


def can(record, user, verb):
    """Whether ``user`` may do ``verb`` to ``record``, by its fields as they are in memory."""
    return _can(record, reach_of(user), Verb(verb))


def may_name(record, user):
    """
    Whether ``user`` may read the name of ``record``.

    A child row, such as a role, is named after the records that it connects: all must be visible.
    """
    if not can(record, user, Verb.VIEW):
        return False
    ends = (
        []
        if record.access
        else [
            field.name
            for field in record._meta.concrete_fields
            if getattr(field.related_model, "access", None) and _key(record, field.name) is not None
        ]
    )
    return all(can(getattr(record, name), user, Verb.VIEW) for name in ends)


def allowed(records, user, verb):
    """The keys of those ``records`` on which ``user`` may do ``verb``; no query a record."""
    reach = reach_of(user)
    return {record.pk for record in records if _can(record, reach, Verb(verb))}


def _can(record, reach, verb, *, whole=False):
    if parents := getattr(record, "access_parents", ()):
        present = [getattr(record, name) for name in parents if _key(record, name) is not None]
        verb = _on_parents(record, verb)
        return any(_can(parent, reach, verb, whole=True) for parent in present)
    if record.is_shared:
        return _may_on_shared(record, reach, verb)
    if record.access is None:
        return _may_on_reference(reach, verb)
    scope, note = _cell(record, reach, verb, whole=whole)
    model, pk = type(record), record.pk
    if not reach.owns(scope, record.owner_id) and pk not in reach.lent(model, verb):
        return False
    if not matches(record, note.only):
        return False
    if whole and reach.is_limited(record, note):
        return False
    if reach.is_admin or not getattr(record, "is_private", False):
        return True
    if reach.owns(Scope.OWN, record.owner_id):
        return True
    return pk in reach.lent(model, verb, private=True)


def _key(record, name):
    return getattr(record, record._meta.get_field(name).attname)


def fields_judged(model):
    """The fields of a record of ``model`` by which it is judged what a user may do to it."""
    names = {"owner", "is_private"}
    for (access, _digit), note in NOTES.items():
        if access == model.access:
            names |= note.only.keys() | note.free.keys()
    return names & {field.name for field in model._meta.concrete_fields}


def may(user, verb, model):
    """Whether there can be any record of ``model`` on which ``user`` may do ``verb``."""
    reach, verb = reach_of(user), Verb(verb)
    if parents := getattr(model, "access_parents", ()):
        related = [model._meta.get_field(name).related_model for name in parents]
        on_parents = _on_parents(model, verb)
        found = (condition(parent, reach, on_parents, whole=True) for parent in related)
        return any(rows is not None for rows in found)
    if model.is_shared:
        return reach.role is not None
    if model.access is None:
        return _may_on_reference(reach, verb)
    return reach.cell(model.access, verb)[0] != Scope.NONE


def require(user, verb, target):
    """
    Refuse unless ``user`` may do ``verb`` to ``target``, a record or a model.

    :raises NotAllowed: with a sentence that names the record and its owner
    """
    verb = Verb(verb)
    if isinstance(target, type):
        if not may(user, verb, target):
            values = {"verb": verb.label, "what": target._meta.verbose_name_plural}
            raise NotAllowed(_("You can't %(verb)s %(what)s.") % values)
    elif not can(target, user, verb):
        raise NotAllowed(_refusal(target, verb))


def _refusal(record, verb):
    values = {"verb": verb.label, "record": record}
    owner = getattr(record, "owner", None)
    if owner is None:
        return _("You can't %(verb)s %(record)s.") % values
    values["owner"] = owner
    return _("You can't %(verb)s %(record)s. It belongs to %(owner)s.") % values


def edits_whole(record, user):
    """Whether ``user`` may edit all of ``record``: what is done to it, and what hangs on it."""
    return _can(record, reach_of(user), Verb.EDIT, whole=True)


def require_whole(user, record):
    """
    Refuse unless ``user`` may edit all of ``record``.

    :raises NotAllowed: with a sentence that names the record and its owner
    """
    if not edits_whole(record, user):
        raise NotAllowed(_refusal(record, Verb.EDIT))


def is_admin(user):
    """Whether ``user`` is an active administrator."""
    return reach_of(user).is_admin


def is_above(user, other):
    """Whether ``user`` is ``other``, manages a team above him, or is in his chain of managers."""
    reach = reach_of(user)
    return reach.role is not None and other is not None and other.pk in reach.own


def above(user):
    """The active people who stand above ``user``, by name; also if he can no longer log in."""
    people = User.objects.active().filter(pk__in=reach_of(user).above)
    return people.order_by("name", "pk")


def uncapped(model, verb):
    """The roles that the organisation's defaults do not hold back, administrators left out."""
    for role in Role:
        scope, digit = MATRIX[model.access].get((role, verb), (Scope.NONE, ""))
        note = NOTES[model.access, digit] if digit else PLAIN
        is_free = bool(note.fields) or role in UNCAPPED.get((model.access, verb), ())
        if role != Role.ADMIN and scope == Scope.ALL and is_free and not note.sees:
            yield role


def may_undo(user, actor):
    """Whether ``user`` may take back what ``actor`` did; what the system did, an administrator."""
    reach = reach_of(user)
    return reach.owns(UNDO.get(reach.role, Scope.NONE), actor.pk if actor else None)
