"""
What widens a reach on single records: shares, the teams of deals, hand-overs that wait.

A model that lends has ``loans(asker)``. All loans come with the one query that a reach costs.
"""

import datetime
from dataclasses import dataclass, field
from functools import cache

from django.apps import apps
from django.db import models
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _

from core.prepared import prepared
from users.models import Team, User

PERSON, TEAM, LENT = range(3)  # what a row of the query is


class Access(models.IntegerChoices):
    """What a loan gives; to edit is to read as well."""

    READ = 1, _("can read")
    EDIT = 2, _("can edit")


@dataclass(frozen=True)
class Asker:
    """Who borrows: the keys of a user and of his team, and the day; blanks of a prepared query."""

    user: int = 0
    team: int = 0
    today: datetime.date = datetime.date.min


@dataclass(frozen=True)
class Loan:
    """
    Records of ``model`` that somebody may look at, or edit, whoever owns them.

    ``rows`` are those that lend to the asker: the field ``key`` names the records and ``access``
    what is given. ``role``: for users of it only. ``opens_private``: also records that are marked
    as private.
    """

    model: str
    rows: models.QuerySet
    key: str = "pk"
    access: object = field(default_factory=lambda: Value(Access.READ))
    role: str = ""
    opens_private: bool = False


def _loans(role, asker):
    lenders = [model for model in apps.get_models() if hasattr(model, "loans")]
    found = [loan for model in lenders for loan in model.loans(asker)]
    return [loan for loan in found if loan.role in ("", role)]


@cache
def loans(role):
    """What may be lent to users of ``role``: Loans without rows, in the order of the apps."""
    return _loans(role, Asker())


@prepared
def organisation_rows(user, team, today, *, role):
    """
    What the reach of a user is made of, in one query: (what it is, key, two more numbers).

    Teams with parent and manager, people with team and manager, and what is lent to the user,
    with the number of the Loan and what it gives.
    """
    teams = Team.objects.values_list(Value(TEAM), "pk", "parent_id", "manager_id")
    placed = Q(team_id__isnull=False) | Q(manager_id__isnull=False)
    people = User.objects.filter(placed)
    people = people.values_list(Value(PERSON), "pk", "team_id", "manager_id")
    lent = [
        loan.rows.order_by().values_list(Value(LENT), loan.key, Value(number), loan.access)
        for number, loan in enumerate(_loans(role, Asker(user, team, today)))
    ]
    return teams.union(people, *lent, all=True)
