"""Administrators set up a second step first, where the organisation says so."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.urls import reverse

from core.models import Organisation
from tests.factories.users import UserFactory
from tests.pages import send
from users.models import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client, admin):
    client.force_login(admin)
    return client


@pytest.fixture
def needed():
    Organisation.objects.update(admins_need_second_step=True)


def test_administrators_without_a_second_step_are_sent_to_set_one_up(office, needed):
    for page in ("/", "/leads/", "/settings/users/", "/admin/"):
        assert office.get(page).url == reverse("mfa_index")
    assert office.post("/settings/users/new/", {"name": "X"}).url == reverse("mfa_index")
    part = office.get("/", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, reverse("mfa_index"))

    page = office.get(reverse("mfa_index"))
    assert "Administrators here need a second step" in page.content.decode()
    assert office.get(reverse("mfa_activate_totp")).status_code == 200
    assert office.post(reverse("account_logout")).status_code == 302


def test_administrators_with_a_second_step_go_on(office, needed, admin):
    TOTP.activate(admin, generate_totp_secret())

    assert office.get("/leads/").status_code == 200


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_nobody_else_needs_a_second_step(client, needed, role):
    client.force_login(UserFactory(role=role))

    assert client.get("/").status_code == 200


def test_nobody_needs_a_second_step_unless_the_organisation_says_so(office):
    assert office.get("/").status_code == 200

    send(office, reverse("core:organisation_update"), admins_need_second_step="on")

    assert office.get("/").url == reverse("mfa_index")


def test_a_second_step_costs_no_query_where_nobody_needs_it(office, django_assert_num_queries):
    office.get("/account/sessions/")
    with django_assert_num_queries(5) as asked:
        office.get("/account/sessions/")

    assert not [query for query in asked.captured_queries if "mfa_authenticator" in query["sql"]]
