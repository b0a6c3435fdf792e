import pytest
from django.urls import reverse

from core.journal import Change, Operation
from tests.factories.users import TeamFactory
from users.models import Team, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client(client, admin):
    client.force_login(admin)
    return client


def user_data(**values):
    return {
        "email": "New@Example.com",
        "name": "New",
        "role": "REP",
        "time_zone": "Europe/Berlin",
        "locale": "de",
        "is_active": "on",
    } | values


def test_admin_adds_a_user_through_the_journal(admin_client, admin):
    admin_client.post(reverse("admin:users_user_add"), user_data())

    user = User.objects.get(email="new@example.com")
    change = Change.objects.get(model="users.user", object_id=user.pk)
    assert (change.verb, change.operation.actor) == ("created", admin)
    assert not user.check_password("")


def test_admin_changes_a_user_through_the_journal(admin_client, admin, rep):
    page = reverse("admin:users_user_change", args=[rep.pk])
    form = admin_client.get(page).context["adminform"].form
    data = user_data(email=rep.email, name="Rae Renamed", seen_version=form["seen_version"].initial)

    admin_client.post(page, data)

    rep.refresh_from_db()
    assert rep.name == "Rae Renamed"
    assert rep.check_password("correct horse battery")
    assert Operation.objects.order_by("pk").last().actor == admin


@pytest.mark.parametrize("values", [{"email": "RAE@example.com"}, {"time_zone": "Mars"}])
def test_admin_refuses_a_wrong_user(admin_client, rep, values):
    before = User.objects.count()

    response = admin_client.post(reverse("admin:users_user_add"), user_data(**values))

    assert response.context["errors"]
    assert User.objects.count() == before


def test_admin_refuses_a_team_below_itself(admin_client, team):
    part = TeamFactory(parent=team)

    page = reverse("admin:users_team_change", args=[team.pk])
    response = admin_client.post(page, {"name": team.name, "parent": part.pk})

    assert "The team can&#x27;t be a part of its own parts." in response.content.decode()
    assert Team.objects.get(pk=team.pk).parent is None


def test_admin_deletes_no_user(admin_client, rep):
    assert admin_client.get(reverse("admin:users_user_delete", args=[rep.pk])).status_code == 403
    assert admin_client.post(reverse("admin:users_user_delete", args=[rep.pk])).status_code == 403
