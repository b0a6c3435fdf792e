"""Who may give which right to whom: the rules behind every page that saves users and teams."""

import pytest

from core.errors import NotAllowed
from core.journal import Kind, Label, Operation, operation
from core.undo import CannotUndo, undo
from tests.digest import differences, digest
from tests.factories.users import TeamFactory, UserFactory
from users.models import Grant, Role, Team, User
from users.services import NotYours, OwnRights, save_team, save_user

pytestmark = pytest.mark.django_db


def change(row, *, by, **values):
    """Change values of a user or a team as a page does; the operation that did it."""
    row = type(row).objects.get(pk=row.pk)
    for name, value in values.items():
        setattr(row, name, value)
    with operation(Kind.EDIT, by=by, label=Label("Edited")) as op:
        (save_team if isinstance(row, Team) else save_user)(row, by=by)
    return op.row


def refused(row, *, by, error=NotAllowed, **values):
    before = digest(journal=True, stamps=True), list(User.objects.order_by("pk").values())
    with pytest.raises(error):
        change(row, by=by, **values)
    assert differences(before[0], digest(journal=True, stamps=True)) == {}
    assert before[1] == list(User.objects.order_by("pk").values())


@pytest.mark.parametrize("values", [{"role": Role.REP}, {"grants": ["api"]}, {"is_active": False}])
def test_save_user_refuses_the_own_rights(admin, values):
    UserFactory(role=Role.ADMIN)

    refused(admin, by=admin, error=OwnRights, **values)


def test_save_user_lets_everybody_set_what_is_only_his(rep):
    change(rep, by=rep, name="Rae Renamed", time_zone="Asia/Tokyo", theme="dark")

    refused(rep, by=rep, error=NotYours, email="other@example.com")
    refused(rep, by=rep, error=NotYours, team=TeamFactory())
    refused(rep, by=rep, error=OwnRights, role=Role.ADMIN)


def test_save_user_lets_a_manager_set_role_and_team_below_him(manager, rep, team):
    coast = TeamFactory(parent=team)

    change(rep, by=manager, role=Role.SUPPORT, team=coast)
    change(rep, by=manager, role=Role.SDR)

    rep.refresh_from_db()
    assert (rep.role, rep.team) == (Role.SDR, coast)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER, Role.MARKETING])
def test_save_user_lets_a_manager_neither_give_nor_take_a_higher_role(manager, rep, team, role):
    chief = UserFactory(role=role, team=team)

    refused(rep, by=manager, error=NotYours, role=role)
    refused(chief, by=manager, error=NotYours, role=Role.REP)


def test_save_user_keeps_a_manager_to_his_teams(manager, rep, stranger):
    refused(stranger, by=manager, error=NotYours, role=Role.SDR)
    refused(stranger, by=manager, error=NotYours, team=manager.team)
    refused(rep, by=manager, error=NotYours, team=stranger.team)
    refused(rep, by=manager, error=NotYours, team=None)
    refused(rep, by=manager, error=NotYours, grants=["import"])
    refused(rep, by=manager, error=NotYours, is_active=False)
    refused(UserFactory(), by=manager, error=NotYours, role=Role.SDR)


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ADMIN, Role.MANAGER)])
def test_save_user_and_save_team_are_for_nobody_else(rep, role):
    somebody = UserFactory(role=role, team=TeamFactory())
    somebody.team.manager = somebody
    somebody.team.save()
    colleague = UserFactory(team=somebody.team)

    refused(colleague, by=somebody, error=NotYours, role=Role.SDR)
    refused(somebody.team, by=somebody, error=NotYours, name="Mine")


def test_save_user_asks_for_the_role_that_the_actor_has_by_now(admin, rep):
    other = UserFactory(role=Role.ADMIN)
    as_it_was = User.objects.get(pk=other.pk)
    change(other, by=admin, role=Role.REP)

    refused(rep, by=as_it_was, error=NotYours, role=Role.ADMIN)


def test_save_team_refuses_to_decide_about_the_own_management(admin, team, manager):
    refused(team, by=admin, error=OwnRights, manager=admin)
    change(team, by=UserFactory(role=Role.ADMIN), manager=admin)
    refused(team, by=admin, error=OwnRights, manager=None)
    refused(team, by=manager, error=NotYours, name="Mine")


def test_an_undo_gives_nobody_a_right_that_he_could_not_give(admin, manager, rep, team):
    """A manager may undo what his people did; an administrator may be one of them."""
    User.objects.filter(pk=admin.pk).update(team=team)
    change(manager, by=admin, grants=[Grant.IMPORT])
    taken = change(manager, by=admin, grants=[])
    promoted = change(rep, by=admin, role=Role.READ_ONLY)
    higher = change(rep, by=admin, role=Role.MARKETING)
    before = Operation.objects.count()

    for op in (taken, higher):
        with pytest.raises(CannotUndo):
            undo(op, by=User.objects.get(pk=manager.pk))

    assert Operation.objects.count() == before
    undo(higher, by=admin)
    undo(promoted, by=manager)
    rep.refresh_from_db()
    assert rep.role == Role.REP
