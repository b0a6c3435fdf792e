"""How far one user reaches: his grants, his people, what is lent to him."""

from functools import cached_property

from django.apps import apps
from django.db.models import Q

from core.once import once
from core.reach.loans import LENT, PERSON, TEAM, loans, organisation_rows
from core.reach.matrix import (
    CAPPED_AS_EDIT,
    LENT_AS,
    MATRIX,
    NOTES,
    PLAIN,
    READ_VERBS,
    ROLE_GRANTS,
    UNCAPPED,
    Scope,
    Verb,
)
from users.models import Role

MAX_OWNERS = 5000  # with more owners than this a condition names their teams instead


class Reach:
    """What one user may do, worked out once a request; one query, asked when first needed."""

    def __init__(self, user):
        active = user is not None and user.is_authenticated and user.is_active
        self.user = user
        self.role = Role(user.role) if active else None
        self.is_admin = self.role == Role.ADMIN
        self.sights = {}  # what core.reach.fields worked out, by model

    @cached_property
    def grants(self):
        """The names of what the user may do beyond the plain cells of his role."""
        if self.role is None:
            return frozenset()
        return ROLE_GRANTS.get(self.role, frozenset()) | frozenset(self.user.grants)

    # -- people -------------------------------------------------------------------------------

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
    def above(self):
        """The keys of who stands above: the managers of his team and of those over it, his own."""
        teams = {pk: (parent, manager) for pk, parent, manager in self._teams}
        managers = {pk: manager for pk, team, manager in self._people}
        found, team, person = set(), self.user.team_id, self.user.pk
        while team in teams:
            team, manager = teams.pop(team)
            found.add(manager)
        while person in managers:
            person = managers.pop(person)
            found.add(person)
        return frozenset(found - {None, self.user.pk})

    @cached_property
    def team(self):
        """The owners whose records are in the team's scope."""
        near = {pk for pk, team, manager in self._people if team in self.near_teams}
        return frozenset(near | self.own)

    @property
    def _teams(self):
        return [row for kind, *row in self._organisation if kind == TEAM]

    @property
    def _people(self):
        return [row for kind, *row in self._organisation if kind == PERSON]

    @cached_property
    def _organisation(self):
        user, today = self.user, self._settings.today()
        return organisation_rows(user.pk or 0, user.team_id or 0, today, role=self.role)

    @cached_property
    def _settings(self):
        return apps.get_model("core.Organisation").current()

    # -- records ------------------------------------------------------------------------------

    def cell(self, access, verb):
        """The scope and the note that this user has for ``verb`` on the object ``access``."""
        if self.role is None:
            return Scope.NONE, PLAIN
        scope, digit = self._written(access, Verb(verb))
        note = NOTES[access, digit] if digit else PLAIN
        by_grant = note.grant or verb == Verb.IMPORT
        if by_grant and verb not in self.grants:
            return Scope.NONE, note
        return min(scope, self._cap(access, verb, note)), note

    def _written(self, access, verb):
        """The cell as it stands in the matrix; who shares a record owns it and may edit it."""
        if verb == Verb.SHARE:
            scope, _digit = self._written(access, Verb.EDIT)
            return (scope if self.is_admin else min(scope, Scope.OWN)), ""
        return MATRIX[access].get((self.role, verb), (Scope.NONE, ""))

    def _cap(self, access, verb, note):
        if (
            self.is_admin
            or note.fields
            or note.sees
            or self.role in UNCAPPED.get((access, verb), ())
        ):
            return Scope.ALL
        if verb in READ_VERBS:
            return Scope(getattr(self._settings, f"{access}_read"))
        if verb in CAPPED_AS_EDIT:
            return Scope(getattr(self._settings, f"{access}_edit"))
        return Scope.ALL

    def lent(self, model, verb, *, private=False):
        """
        The keys of the records of ``model`` on which ``verb`` is lent to the user.

        With ``private`` those alone that he may see though they are marked as private. Nothing
        is lent to whose role has not the verb at all.
        """
        least = LENT_AS.get(verb)
        if least is None or self.role is None:
            return frozenset()
        if self._written(model.access, verb)[0] == Scope.NONE:
            return frozenset()
        return frozenset(
            pk
            for pk, access, loan in self._loans
            if loan.model == model._meta.label
            and access >= least
            and (loan.opens_private or not private)
        )

    def lent_by(self, lender):
        """The keys of the records that the rows of the model ``lender`` lend to the user."""
        return frozenset(pk for pk, _access, loan in self._loans if loan.rows.model is lender)

    @cached_property
    def _loans(self):
        """What is lent to the user: (key, access, Loan)."""
        offered = loans(self.role)
        return [
            (pk, access, offered[number])
            for kind, pk, number, access in self._organisation
            if kind == LENT
        ]

    def owns(self, scope, owner_id):
        """Whether a record of this owner lies within ``scope``."""
        if scope == Scope.ALL:
            return True
        if scope == Scope.NONE:
            return False
        return owner_id in (self.own if scope == Scope.OWN else self.team)

    def is_limited(self, record, note):
        """Whether the footnote ``note`` limits editing of ``record`` to certain fields."""
        if not note.fields or (note.free and matches(record, note.free)):
            return False
        return not (note.own_free and self.owns(Scope.OWN, record.owner_id))

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


def matches(record, wanted):
    """Whether each of the fields ``wanted`` has one of its values."""
    return all(getattr(record, name) in values for name, values in wanted.items())


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
