import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from core.journal import Change
from tests.factories.users import PASSWORD, TeamFactory, UserFactory
from users.models import Role, Team, TooDeep, User, WouldMakeCycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def refused_by_database():
    """A part of the test that the database's own constraints must refuse."""

    def attempt(statement, *params):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, params)

    return attempt


def chain_of_teams(length):
    teams = [TeamFactory()]
    while len(teams) < length:
        teams.append(TeamFactory(parent=teams[-1]))
    return teams


def test_user_email_is_unique_in_any_case(rep):
    user = User(email="RAE@EXAMPLE.COM", name="Another", role=Role.REP)

    with pytest.raises(ValidationError) as error:
        user.full_clean(exclude=["password"])
    assert error.value.messages == ["There is a user with this e-mail address already."]


def test_user_is_found_by_an_address_in_any_case(rep):
    assert User.objects.get(email="Rae@Example.com") == rep


def test_user_columns_are_held_by_the_database(rep, refused_by_database):
    refused_by_database("UPDATE users_user SET email = 'Rae@example.com'")
    refused_by_database("UPDATE users_user SET role = 'KING'")
    refused_by_database("UPDATE users_user SET manager_id = id")


def test_only_an_active_administrator_is_staff():
    admin = UserFactory(role=Role.ADMIN)
    closed = UserFactory(role=Role.ADMIN, is_active=False)
    manager = UserFactory(role=Role.MANAGER)

    assert [user.is_staff for user in (admin, closed, manager)] == [True, False, False]
    assert [user.has_perm("x") for user in (admin, closed, manager)] == [True, False, False]
    assert list(User.objects.admins()) == [admin]


def test_createsuperuser_makes_the_first_administrator(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "First@Example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_NAME", "First")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", interactive=False, verbosity=0)

    user = User.objects.get()
    assert (user.email, user.name, user.role) == ("first@example.com", "First", Role.ADMIN)
    assert user.check_password(PASSWORD)


def test_no_password_stands_in_the_journal(rep):
    rep.set_password("a boat without oars")
    rep.name = "Rae Renamed"
    rep.save()

    changes = Change.objects.filter(model="users.user", object_id=rep.pk).order_by("pk")
    assert [change.verb for change in changes] == ["created", "updated"]
    assert changes[1].after_values == {"name": "Rae Renamed"}
    assert not any("scrypt" in change.before + change.after for change in changes)
    rep.refresh_from_db()
    assert rep.check_password("a boat without oars")


def test_manager_who_reports_to_the_user_is_refused(rep, manager):
    manager.manager = rep

    with pytest.raises(WouldMakeCycle):
        manager.check_manager()
    with pytest.raises(ValidationError, match="This manager reports to the user"):
        manager.full_clean()


def test_time_zone_must_exist(rep):
    rep.time_zone = "Mars/Olympus"
    with pytest.raises(ValidationError, match="Mars/Olympus"):
        rep.full_clean()


def test_team_columns_are_held_by_the_database(team, refused_by_database):
    TeamFactory(name="South")
    refused_by_database("UPDATE users_team SET parent_id = id")
    refused_by_database("UPDATE users_team SET name = 'North'")


def test_team_moves_with_its_parts():
    north, coast = TeamFactory(), TeamFactory()
    part = TeamFactory(parent=coast)

    coast.move_below(north)

    part.refresh_from_db()
    assert (part.parent, part.parent.parent) == (coast, north)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_team_is_not_moved_below_itself(place):
    teams = chain_of_teams(3)

    with pytest.raises(WouldMakeCycle):
        teams[0].move_below(teams[place])

    assert Team.objects.get(pk=teams[0].pk).parent is None


def test_teams_stand_in_six_levels_at_most():
    teams = chain_of_teams(6)

    with pytest.raises(TooDeep):
        Team(name="Seventh", parent=teams[5]).check_parent()
    Team(name="Sixth", parent=teams[4]).check_parent()


def test_team_with_parts_is_not_moved_where_they_would_be_too_deep():
    low, high = chain_of_teams(4), chain_of_teams(3)

    with pytest.raises(TooDeep):
        high[0].move_below(low[3])
    high[1].move_below(low[3])

    assert Team.objects.get(pk=high[2].pk).parent.parent == low[3]
