"""
Who may see and do what: roles, verbs, the matrix, and how far each of them reaches.

Three questions are answered here and nowhere else: ``visible`` cuts a queryset to what a user
may see or do, ``can`` asks for one record, ``allowed`` for a page of them. What widens a reach
on single records joins ``condition`` and ``can`` as a second arm of ids: a model that has
``lent_to(user)`` names by it the rows that a user may look at, whoever owns them. What shows
only the stub of a record is the note ``stub``.
Rule: docs/rules/access.md.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache, cached_property

from django.apps import apps
from django.db import models
from django.db.models import Q, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import NotAllowed
from core.once import once
from users.models import Grant, Role, Team, User

PERSON, TEAM, LENT = range(3)  # what a row of the reach's one query is
MAX_OWNERS = 5000  # with more owners than this a condition names their teams instead


class Verb(models.TextChoices):
    """What can be done to a record."""

    VIEW = "view", gettext_lazy("view")
    CREATE = "create", gettext_lazy("create")
    EDIT = "edit", gettext_lazy("edit")
    ASSIGN = "assign", gettext_lazy("assign")
    CONVERT = "convert", gettext_lazy("convert")
    CHANGE_STAGE = "change_stage", gettext_lazy("move to another stage")
    REOPEN = "reopen", gettext_lazy("reopen")
    CLOSE = "close", gettext_lazy("close")
    ARCHIVE = "archive", gettext_lazy("archive")
    MERGE = "merge", gettext_lazy("merge")
    APPROVE = "approve", gettext_lazy("approve")
    MEMBERS = "members", gettext_lazy("add members to")
    SHARE = "share", gettext_lazy("share")
    IMPORT = "import", gettext_lazy("import")
    EXPORT = "export", gettext_lazy("export")


class Scope(IntEnum):
    """How far a permission reaches: nothing, own records, the team's, all."""

    NONE = 0
    OWN = 1
    TEAM = 2
    ALL = 3


SCOPES = {"–": Scope.NONE, "O": Scope.OWN, "T": Scope.TEAM, "A": Scope.ALL}
READ_VERBS = frozenset({Verb.VIEW, Verb.EXPORT})
CAPPED_AS_EDIT = frozenset({Verb.EDIT, Verb.CHANGE_STAGE, Verb.ARCHIVE, Verb.MERGE, Verb.CONVERT})


@dataclass(frozen=True)
class Note:
    """
    What a footnote adds to a cell of the matrix.

    ``grant``: only with the personal grant of the verb's name, as always for imports.
    ``only``: only records whose fields have one of these values. ``fields``: only these fields
    may be edited, except on records that match ``free`` or, if ``own_free``, on those in the
    user's own scope. ``stub``: a name without figures, which is not yet a view.
    """

    grant: bool = False
    only: dict = field(default_factory=dict)
    fields: frozenset = frozenset()
    free: dict = field(default_factory=dict)
    own_free: bool = False
    stub: bool = False


PLAIN = Note()
WITH_GRANT = Note(grant=True)
OPT_OUTS = frozenset({"email_opt_out", "do_not_call", "fax_opt_out", "consent_note"})
ADDRESS_PARTS = ("street", "city", "state", "postal_code", "country")
REACHABLE_AT = frozenset(
    {"phone", "mobile", "home_phone", "other_phone", "assistant_phone", "fax"}
    | {"email", "secondary_email", "title", "salutation", "language"}
    | {f"{use}_{part}" for use in ("mailing", "other") for part in ADDRESS_PARTS}
)


def _table(text):
    """Read a table of cells as it stands in the rule: {(role, verb): (scope, footnote)}."""
    head, *rows = [line.split() for line in text.strip().splitlines()]
    return {
        (Role(role), Verb(verb)): (SCOPES[cell[0]], cell[1:])
        for role, *cells in rows
        for verb, cell in zip(head[1:], cells, strict=True)
    }


MATRIX = {
    "account": _table("""
        role       view  create  edit  assign  archive  merge  import  export
        ADMIN      A     A       A     A       A        A      A       A
        MANAGER    A     A       T     T       T        T      T       T
        REP        A     A       T     O       O        O1     O1      O1
        SDR        A     A       O     –       –        –      –       –
        MARKETING  A     –       –     –       –        –      –       A1
        SUPPORT    A     –       –     –       –        –      –       –
        READ_ONLY  A     –       –     –       –        –      –       A1
    """),
    "contact": _table("""
        role       view  create  edit  assign  archive  merge  import  export
        ADMIN      A     A       A     A       A        A      A       A
        MANAGER    A     A       T     T       T        T      T       T
        REP        A     A       T     O       O        O1     O1      O1
        SDR        A     A       O     –       –        –      –       –
        MARKETING  A     A       A2    –       O        –      A1      A1
        SUPPORT    A     A       A3    –       –        –      –       –
        READ_ONLY  A     –       –     –       –        –      –       A1
    """),
    "lead": _table("""
        role       view  create  edit  assign  convert  archive  merge  import  export
        ADMIN      A     A       A     A       A        A        A      A       A
        MANAGER    T     A       T     T       T        T        T      T       T
        REP        T     A       T     O1      T        O        O2     –       O2
        SDR        T     A       T     T1      T        O        O2     –       –
        MARKETING  A     A       A3    A4      –        O        A2     A2      A2
        SUPPORT    –     A       –     –       –        –        –      –       –
        READ_ONLY  A     –       –     –       –        –        –      –       A2
    """),
    "opportunity": _table("""
        role       view  create  edit  change_stage  reopen  assign  archive  export
        ADMIN      A     A       A     A             A       A       A        A
        MANAGER    T     A       T     T             T       T       T        T
        REP        T     A       T     T             O       O       O2       O3
        SDR        O4    A       O     O             –       –       –        –
        MARKETING  A5    –       –     –             –       –       –        –
        SUPPORT    A5    –       –     –             –       –       –        –
        READ_ONLY  A     –       –     –             –       –       –        A3
    """),
}

NOTES = {
    ("account", "1"): WITH_GRANT,
    ("contact", "1"): WITH_GRANT,
    ("contact", "2"): Note(fields=OPT_OUTS | {"status", "interests"}, own_free=True),
    ("contact", "3"): Note(fields=REACHABLE_AT),
    ("lead", "1"): PLAIN,  # limits the new owner, not the lead
    ("lead", "2"): WITH_GRANT,
    ("lead", "3"): Note(fields=OPT_OUTS, free={"lifecycle": ("RAW", "MQL")}),
    ("lead", "4"): PLAIN,  # limits the new owner, not the lead
    ("opportunity", "2"): Note(only={"is_closed": (False,)}),
    ("opportunity", "3"): WITH_GRANT,
    ("opportunity", "4"): PLAIN,  # deals of leads that he handed over come with the hand-over
    ("opportunity", "5"): Note(stub=True),
}

# How far reading and editing reach at most, whatever the role's cell says. ADMIN and edits
# limited to some fields are never capped. An organisation's own defaults are read here.
READ_DEFAULT = {
    "account": Scope.ALL,
    "contact": Scope.ALL,
    "lead": Scope.TEAM,
    "opportunity": Scope.TEAM,
}
EDIT_DEFAULT = {
    "account": Scope.TEAM,
    "contact": Scope.TEAM,
    "lead": Scope.TEAM,
    "opportunity": Scope.OWN,
}
UNCAPPED = {
    ("lead", Verb.VIEW): {Role.MARKETING, Role.READ_ONLY},
    ("opportunity", Verb.VIEW): {Role.READ_ONLY},
}

# The recycle bin shows and restores by the record's owner, undo asks who did it.
RECYCLE_BIN = {
    Role.ADMIN: Scope.ALL,
    Role.MANAGER: Scope.TEAM,
    Role.REP: Scope.OWN,
    Role.SDR: Scope.OWN,
    Role.MARKETING: Scope.OWN,
    Role.SUPPORT: Scope.OWN,
    Role.READ_ONLY: Scope.NONE,
}
UNDO = RECYCLE_BIN

ROLE_GRANTS = {
    Role.ADMIN: frozenset(Grant.values),
    Role.MANAGER: frozenset({Grant.EXPORT, Grant.MERGE, Grant.BULK_EDIT}),
}


class Reach:
    """What one user may do, worked out once a request; one query, asked when first needed."""

    def __init__(self, user):
        active = user is not None and user.is_authenticated and user.is_active
        self.user = user
        self.role = Role(user.role) if active else None
        self.is_admin = self.role == Role.ADMIN

    @cached_property
    def grants(self):
        """The names of what the user may do beyond the plain cells of his role."""
        if self.role is None:
            return frozenset()
        return ROLE_GRANTS.get(self.role, frozenset()) | frozenset(self.user.grants)

    @cached_property
    def managed_teams(self):
        """The keys of the teams that the user manages, and of those below them."""
        mine = [pk for pk, parent, manager in self._teams if manager == self.user.pk]
        return _with_descendants(mine, [(pk, parent) for pk, parent, manager in self._teams])

    @cached_property
    def near_teams(self):
        """The managed teams and the user's own."""
        return self.managed_teams | ({self.user.team_id} - {None})

    @cached_property
    def subordinates(self):
        """The keys of the users whose chain of managers leads to this one, and his own."""
        pairs = [(pk, manager) for pk, team, manager in self._people]
        return _with_descendants([self.user.pk], pairs)

    @cached_property
    def own(self):
        """The owners whose records are in the own scope."""
        below = {pk for pk, team, manager in self._people if team in self.managed_teams}
        return frozenset(below | self.subordinates)

    @cached_property
    def team(self):
        """The owners whose records are in the team's scope."""
        near = {pk for pk, team, manager in self._people if team in self.near_teams}
        return frozenset(near | self.own)

    def lent(self, model):
        """The keys of the rows of ``model`` that the user may look at, whoever owns them."""
        models_ = lenders()
        if model not in models_:
            return frozenset()
        number = LENT + models_.index(model)
        return frozenset(pk for kind, pk, *_rest in self._organisation if kind == number)

    @property
    def _teams(self):
        return [row for kind, *row in self._organisation if kind == TEAM]

    @property
    def _people(self):
        return [row for kind, *row in self._organisation if kind == PERSON]

    @cached_property
    def _organisation(self):
        """
        What the reach is made of, in one query: (what it is, key, what it is in, manager).

        Teams, people with a team or a manager, and the rows that are lent to the user.
        """
        teams = Team.objects.values_list(Value(TEAM), "pk", "parent_id", "manager_id")
        placed = Q(team_id__isnull=False) | Q(manager_id__isnull=False)
        people = User.objects.filter(placed)
        people = people.values_list(Value(PERSON), "pk", "team_id", "manager_id")
        nothing = Value(None, models.BigIntegerField())
        lent = [
            model.lent_to(self.user).values_list(Value(LENT + number), "pk", nothing, nothing)
            for number, model in enumerate(lenders())
        ]
        return list(teams.union(people, *lent, all=True))

    def cell(self, access, verb):
        """The scope and the note that this user has for ``verb`` on the object ``access``."""
        if self.role is None:
            return Scope.NONE, PLAIN
        scope, digit = MATRIX[access].get((self.role, Verb(verb)), (Scope.NONE, ""))
        note = NOTES[access, digit] if digit else PLAIN
        by_grant = note.grant or verb == Verb.IMPORT
        if note.stub or (by_grant and verb not in self.grants):
            return Scope.NONE, note
        return min(scope, self._cap(access, verb, note)), note

    def _cap(self, access, verb, note):
        if self.is_admin or note.fields or self.role in UNCAPPED.get((access, verb), ()):
            return Scope.ALL
        if verb in READ_VERBS:
            return READ_DEFAULT[access]
        return EDIT_DEFAULT[access] if verb in CAPPED_AS_EDIT else Scope.ALL

    def owns(self, scope, owner_id):
        """Whether a record of this owner lies within ``scope``."""
        if scope == Scope.ALL:
            return True
        if scope == Scope.NONE:
            return False
        return owner_id in (self.own if scope == Scope.OWN else self.team)

    def owned(self, scope, prefix=""):
        """The condition that the owner lies within ``scope``; none for all records."""
        if scope == Scope.ALL:
            return Q()
        owners = self.own if scope == Scope.OWN else self.team
        if len(owners) <= MAX_OWNERS:
            return Q(**{f"{prefix}owner_id__in": sorted(owners)})
        teams = self.managed_teams if scope == Scope.OWN else self.near_teams
        return Q(**{f"{prefix}owner__team_id__in": sorted(teams)}) | Q(
            **{f"{prefix}owner_id__in": sorted(self.subordinates)}
        )


@cache
def lenders():
    """The models whose rows can be lent, in the order of the apps."""
    return [model for model in apps.get_models() if hasattr(model, "lent_to")]


def reach_of(user):
    """The reach of ``user``, worked out once a request."""
    return once(("reach", getattr(user, "pk", None)), lambda: Reach(user))


def _with_descendants(start, pairs):
    """The keys of ``start`` and of all below it; ``pairs`` are (key, parent's key)."""
    below = {}
    for pk, parent in pairs:
        below.setdefault(parent, []).append(pk)
    found, waiting = set(), list(start)
    while waiting:
        pk = waiting.pop()
        if pk not in found:
            found.add(pk)
            waiting.extend(below.get(pk, ()))
    return frozenset(found)


# -- querysets --------------------------------------------------------------------------------


def visible(queryset, user, verb=Verb.VIEW):
    """Cut ``queryset`` to the records on which ``user`` may do ``verb``."""
    allowed_where = condition(queryset.model, reach_of(user), Verb(verb))
    if allowed_where is None:
        return queryset.none()
    return queryset.filter(allowed_where) if allowed_where else queryset.all()


def condition(model, reach, verb, prefix=""):
    """
    The condition on ``model`` under which ``reach`` allows ``verb``; None if there is none.

    An empty condition allows every record. Children ask for their parents': any of them to
    read, edit on any of them to write.
    """
    if parents := getattr(model, "access_parents", ()):
        return _through_parents(model, parents, reach, _as_parent(verb), prefix)
    if model.is_shared:
        return _of_audience(reach, verb, prefix)
    if model.access is None:
        return Q() if _may_on_reference(reach, verb) else None
    scope, note = reach.cell(model.access, verb)
    if scope == Scope.NONE:
        return None
    where = reach.owned(scope, prefix)
    if where and verb == Verb.VIEW and (keys := reach.lent(model)):
        where |= Q(**{f"{prefix}pk__in": sorted(keys)})
    for name, values in note.only.items():
        where &= Q(**{f"{prefix}{name}__in": values})
    if _has_private(model) and not reach.is_admin:
        where &= Q(**{f"{prefix}is_private": False}) | reach.owned(Scope.OWN, prefix)
    return where


def _through_parents(model, parents, reach, verb, prefix):
    either = None
    for name in parents:
        parent = model._meta.get_field(name)
        where = condition(parent.related_model, reach, verb, f"{prefix}{name}__")
        if where is None:
            continue
        if not where:
            if not parent.null:
                return Q()
            where = Q(**{f"{prefix}{name}__isnull": False})
        either = where if either is None else either | where
    return either


def _as_parent(verb):
    return verb if verb in READ_VERBS else Verb.EDIT


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


def allowed(records, user, verb):
    """The keys of those ``records`` on which ``user`` may do ``verb``; no query a record."""
    reach = reach_of(user)
    return {record.pk for record in records if _can(record, reach, Verb(verb))}


def _can(record, reach, verb):
    if parents := getattr(record, "access_parents", ()):
        present = [getattr(record, name) for name in parents if _key(record, name) is not None]
        return any(_can(parent, reach, _as_parent(verb)) for parent in present)
    if record.is_shared:
        return _may_on_shared(record, reach, verb)
    if record.access is None:
        return _may_on_reference(reach, verb)
    scope, note = reach.cell(record.access, verb)
    if not reach.owns(scope, record.owner_id) and not _is_lent(record, reach, verb, scope):
        return False
    if not _matches(record, note.only):
        return False
    if reach.is_admin or not getattr(record, "is_private", False):
        return True
    return reach.owns(Scope.OWN, record.owner_id)


def _is_lent(record, reach, verb, scope):
    return verb == Verb.VIEW and scope != Scope.NONE and record.pk in reach.lent(type(record))


def _key(record, name):
    return getattr(record, record._meta.get_field(name).attname)


def _matches(record, wanted):
    return all(getattr(record, name) in values for name, values in wanted.items())


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
        return any(may(user, _as_parent(verb), parent) for parent in related)
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


def editable_fields(record, user):
    """The only fields that ``user`` may edit on ``record``; None if there is no such limit."""
    if getattr(record, "access", None) is None:
        return None
    reach = reach_of(user)
    note = reach.cell(record.access, Verb.EDIT)[1]
    if not note.fields or (note.free and _matches(record, note.free)):
        return None
    if note.own_free and reach.owns(Scope.OWN, record.owner_id):
        return None
    return note.fields


def is_admin(user):
    """Whether ``user`` is an active administrator."""
    return reach_of(user).is_admin


def is_above(user, other):
    """Whether ``user`` is ``other``, manages a team above him, or is in his chain of managers."""
    reach = reach_of(user)
    return reach.role is not None and other is not None and other.pk in reach.own


def may_undo(user, actor):
    """Whether ``user`` may take back what ``actor`` did; what the system did, an administrator."""
    reach = reach_of(user)
    return reach.owns(UNDO.get(reach.role, Scope.NONE), actor.pk if actor else None)
