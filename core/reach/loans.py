"""
What widens a reach on single records: shares, the teams of deals, hand-overs that wait.

A model that lends has ``loans()``. All loans come with the one query that a reach costs, which
is compiled once a process: users differ in three of its parameters only.
"""

import datetime
from dataclasses import dataclass
from functools import cache

from django.apps import apps
from django.db import connection, models
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _

from users.models import Team, User

PERSON, TEAM, LENT = range(3)  # what a row of the query is

# What stands in the compiled query for the user, his team and the day of who asks.
ME, MY_TEAM, TODAY = -1, -2, datetime.date.min


class Access(models.IntegerChoices):
    """What a loan gives; to edit is to read as well."""

    READ = 1, _("can read")
    EDIT = 2, _("can edit")


@dataclass(frozen=True)
class Loan:
    """
    Records of ``model`` that somebody may look at, or edit, whoever owns them.

    ``rows`` is a queryset whose field ``key`` names the records and ``access`` what is given; it
    stands for any user by ``ME``, ``MY_TEAM`` and ``TODAY``. ``role``: for users of it only.
    ``opens_private``: also records that are marked as private.
    """

    model: str
    rows: models.QuerySet
    key: str = "pk"
    access: object = Value(Access.READ)
    role: str = ""
    opens_private: bool = False


@cache
def loans(role):
    """The Loans for users of ``role``, in the order of the apps; there are any number of them."""
    lenders = [model for model in apps.get_models() if hasattr(model, "loans")]
    found = [loan for model in lenders for loan in model.loans()]
    return [loan for loan in found if loan.role in ("", role)]


def organisation_rows(user, *, today):
    """
    What the reach of ``user`` is made of, in one query: (what it is, key, two more numbers).

    Teams with parent and manager, people with team and manager, and what is lent to the user,
    with the number of the Loan and what it gives.
    """
    sql, params = _statement(connection.vendor, user.role)
    own = {ME: user.pk, MY_TEAM: user.team_id or 0, _prepared(TODAY): _prepared(today)}
    with connection.cursor() as cursor:
        cursor.execute(sql, [own.get(param, param) for param in params])
        return cursor.fetchall()


@cache
def _statement(vendor, role):
    """The SQL of the query and its parameters, in which no user is named yet."""
    teams = Team.objects.values_list(Value(TEAM), "pk", "parent_id", "manager_id")
    placed = Q(team_id__isnull=False) | Q(manager_id__isnull=False)
    people = User.objects.filter(placed)
    people = people.values_list(Value(PERSON), "pk", "team_id", "manager_id")
    lent = [
        loan.rows.order_by().values_list(Value(LENT), loan.key, Value(number), loan.access)
        for number, loan in enumerate(loans(role))
    ]
    return teams.union(people, *lent, all=True).query.sql_with_params()


def _prepared(day):
    return connection.ops.adapt_datefield_value(day)
