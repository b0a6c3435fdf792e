import re

import pytest
from django.contrib.auth import get_user
from django.urls import reverse

from core.journal import Change
from tests.factories.users import PASSWORD, UserFactory
from users.models import Role, Session, User

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "a boat without oars"


def log_in(client, **values):
    data = {"login": "rae@example.com", "password": PASSWORD} | values
    return client.post(reverse("account_login"), data)


def is_logged_in(client):
    return get_user(client).is_authenticated


@pytest.mark.parametrize("address", ["rae@example.com", "RAE@Example.COM", "  Rae@example.com "])
def test_login_takes_the_address_in_any_case(client, rep, address):
    response = log_in(client, login=address)

    assert (response.status_code, response.url) == (302, "/")
    assert get_user(client) == rep


def test_login_finds_a_user_who_was_entered_in_capitals(client):
    user = UserFactory(email="Ines.Ruiz@Example.com")

    log_in(client, login="ines.ruiz@example.com")

    user.refresh_from_db()
    assert user.email == "ines.ruiz@example.com"
    assert get_user(client) == user


@pytest.mark.parametrize(
    "values",
    [
        {"password": "wrong horse battery"},
        {"login": "nobody@example.com"},
        {"login": "rae@example.com\x00"},
        {"password": ""},
    ],
)
def test_login_refuses_what_does_not_match(client, rep, values):
    response = log_in(client, **values)

    assert response.status_code == 422
    assert Session.objects.count() == 0


def test_login_says_the_same_of_unknown_wrong_and_inactive(client, rep):
    UserFactory(email="gone@example.com", is_active=False)

    pages = [
        log_in(client, password="wrong horse battery"),
        log_in(client, login="nobody@example.com"),
        log_in(client, login="gone@example.com"),
    ]

    errors = [page.context["form"].non_field_errors() for page in pages]
    assert errors == [["E-mail and password do not match."]] * 3
    assert [page.status_code for page in pages] == [422, 422, 422]
    assert not is_logged_in(client)


def test_deactivation_ends_the_session_at_the_next_request(client, rep):
    log_in(client)
    rep.is_active = False
    rep.save()

    response = client.get(reverse("home"))

    assert response.url == "/login/?next=/"


def test_login_leads_to_the_page_that_was_asked_for(client, rep):
    assert client.get("/leads/?q=acme").url == "/login/?next=/leads/%3Fq%3Dacme"
    assert log_in(client, next="/leads/?q=acme").url == "/leads/?q=acme"


@pytest.mark.parametrize(
    "page",
    ["//evil.example", "https://evil.example/", "https:evil.example", "javascript:alert(1)",
     r"\\evil.example", "/\\evil.example", "http:///evil.example"],
)  # fmt: skip
def test_login_leads_to_no_other_site(client, rep, page):
    assert log_in(client, next=page).url == "/"


def test_login_lasts_until_the_browser_closes_unless_kept(client, rep):
    log_in(client)
    assert client.session.get_expire_at_browser_close()

    client.post(reverse("account_logout"))
    log_in(client, remember="on")
    assert not client.session.get_expire_at_browser_close()


def test_login_gives_the_session_a_new_key(client, rep, admin):
    log_in(client)
    before = client.session.session_key
    client.post(reverse("account_logout"))
    log_in(client)

    assert client.session.session_key != before


def test_login_leaves_no_change_in_the_journal(client, rep):
    before = Change.objects.count()
    log_in(client)

    rep.refresh_from_db()
    assert rep.last_login is not None
    assert (Change.objects.count(), rep.version) == (before, 1)


def test_logout_is_a_post_and_deletes_the_session(client, rep):
    log_in(client)
    assert client.get(reverse("account_logout")).status_code == 405
    assert is_logged_in(client)

    response = client.post(reverse("account_logout"))

    assert response.url == reverse("account_login")
    assert Session.objects.count() == 0


def test_password_reset_sends_a_link_that_works_once(client, rep, mailoutbox):
    client.post(reverse("account_reset_password"), {"email": "RAE@example.com"})
    (mail,) = mailoutbox
    assert mail.to == ["rae@example.com"]
    link = re.search(r"http://testserver(/\S+)", mail.body)[1]

    form_page = client.get(link).url
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post(form_page, passwords).url == reverse("account_reset_password_from_key_done")

    assert client.get(link).context["token_fail"]
    assert log_in(client).status_code == 422
    assert log_in(client, password=NEW_PASSWORD).status_code == 302


def test_password_reset_ends_the_other_sessions_and_is_not_journalled(client, rep, mailoutbox):
    log_in(client)
    changes = Change.objects.count()

    rep.set_password(NEW_PASSWORD)
    rep.save()

    assert not is_logged_in(client)
    assert Change.objects.count() == changes


def test_password_reset_gives_a_new_user_the_first_password(client, mailoutbox):
    User.objects.create_user("new@example.com", name="New", role=Role.REP)
    UserFactory(email="gone@example.com", is_active=False)

    for address in ("New@example.com", "gone@example.com"):
        client.post(reverse("account_reset_password"), {"email": address})

    assert [mail.to for mail in mailoutbox] == [["new@example.com"]]


def test_password_reset_answers_the_same_for_an_unknown_address(client, rep, mailoutbox):
    known = client.post(reverse("account_reset_password"), {"email": "rae@example.com"})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.com"})

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert len(mailoutbox) == 1


@pytest.mark.parametrize("password", ["short", "password1234", "rae@example.com", "raerep@example"])
def test_password_reset_refuses_a_weak_password(client, rep, mailoutbox, password):
    client.post(reverse("account_reset_password"), {"email": "rae@example.com"})
    link = re.search(r"http://testserver(/\S+)", mailoutbox[0].body)[1]
    form_page = client.get(link).url

    passwords = {"password1": password, "password2": password}
    assert client.post(form_page, passwords).status_code == 422

    rep.refresh_from_db()
    assert rep.check_password(PASSWORD)


def test_admin_is_for_administrators(client, rep, admin):
    client.force_login(rep)
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403

    client.force_login(admin)
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/login/").url == "/admin/"
