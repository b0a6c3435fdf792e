import time

import pytest

from core.journal import Kind, Label, operation
from tests.factories.users import TeamFactory, UserFactory
from tests.threads import at_once
from users import models
from users.models import LastAdministrator, Role, Team, User, WouldMakeCycle

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_teams_moved_below_each_other_at_once_one_stays(admin, monkeypatch):
    north, south = TeamFactory(), TeamFactory()
    # Long enough between the look at the tree and the write that both would have looked.
    height = models._height
    monkeypatch.setattr(models, "_height", lambda *args: time.sleep(0.05) or height(*args))

    def move(team, below):
        with operation(Kind.MOVE, by=admin, label=Label("Move")):
            Team.objects.get(pk=team.pk).move_below(below)

    results = at_once(lambda: move(north, south), lambda: move(south, north))

    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, WouldMakeCycle) for result in results) == 1
    assert Team.objects.filter(parent=None).count() == 1


def test_of_two_administrators_who_demote_each_other_at_once_one_stays(admin, monkeypatch):
    other = UserFactory(role=Role.ADMIN)
    check = User.check_last_admin

    def check_and_wait(user):
        # Long enough between the look at the others and the write that both would have looked.
        check(user)
        time.sleep(0.1)

    monkeypatch.setattr(User, "check_last_admin", check_and_wait)

    def demote(user, by):
        with operation(Kind.EDIT, by=by, label=Label("Demote")):
            user = User.objects.get(pk=user.pk)
            user.role = Role.REP
            user.check_last_admin()
            user.save()

    results = at_once(lambda: demote(admin, other), lambda: demote(other, admin))

    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, LastAdministrator) for result in results) == 1
    assert User.objects.admins().count() == 1
