from types import SimpleNamespace

import pytest
from django.test import RequestFactory

from core.context_processors import CREATE, FOOT, NAVIGATION, shell
from tests.factories.users import UserFactory
from users.models import Role

pytestmark = pytest.mark.django_db

ANONYMOUS = SimpleNamespace(is_authenticated=False)


def shell_for(user, path="/", **cookies):
    request = RequestFactory().get(path)
    request.user = user
    request.COOKIES.update(cookies)
    return shell(request)


def labels(entries):
    return [str(entry["label"]) for entry in entries]


def test_every_entry_leads_to_a_page(rep):
    nav = shell_for(rep)["nav"]

    assert labels(nav["main"]) == labels(NAVIGATION)
    assert labels(nav["create"]) == labels(CREATE)
    assert labels(nav["foot"]) == labels(FOOT)


def test_administration_is_offered_to_administrators_only(rep, admin):
    assert "Settings" in labels(shell_for(admin)["nav"]["foot"])
    assert "Settings" not in labels(shell_for(rep)["nav"]["foot"])


def test_nobody_is_shown_the_way_to_what_the_role_may_not_see_or_make():
    support = UserFactory(role=Role.SUPPORT)
    reader = UserFactory(role=Role.READ_ONLY)

    assert "Leads" not in labels(shell_for(support)["nav"]["main"])
    assert "Leads" in labels(shell_for(reader)["nav"]["main"])
    assert shell_for(reader)["nav"]["create"] == []


def test_nobody_without_log_in_is_shown_the_way():
    assert not shell_for(ANONYMOUS)["nav"]


@pytest.mark.parametrize(
    ("path", "current"),
    [("/", ["My day"]), ("/leads/7/edit/", ["Leads"]), ("/login/", [])],
)
def test_the_entry_of_the_shown_page_is_current(rep, path, current):
    main = shell_for(rep, path)["nav"]["main"]

    assert [str(entry["label"]) for entry in main if entry["is_current"]] == current


def test_theme_is_that_of_the_browser_then_that_of_the_user(rep, admin):
    admin.theme = "dark"

    assert shell_for(admin, theme="light")["theme"] == "light"
    assert shell_for(admin)["theme"] == "dark"
    assert shell_for(rep)["theme"] == ""


def test_theme_is_never_anything_else(rep):
    assert shell_for(rep, theme='"><script>')["theme"] == ""
