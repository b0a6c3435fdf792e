"""With HTTPS, as behind a proxy: cookies, redirects and headers of each kind of answer."""

import pytest
from django.test import Client

from tests.factories.users import PASSWORD

pytestmark = pytest.mark.django_db

COOKIES = {"SESSION_COOKIE_NAME": "__Host-session", "CSRF_COOKIE_NAME": "__Host-csrf"}


class SecureClient(Client):
    """Comes encrypted, unless ``is_plain``."""

    is_plain = False

    def generic(self, *args, **kwargs):
        return super().generic(*args, **kwargs | {"secure": not self.is_plain})


@pytest.fixture
def client(settings):
    """A client of an installation with HTTPS; the names are those that the settings then have."""
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = True
    settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True
    settings.SESSION_COOKIE_NAME = COOKIES["SESSION_COOKIE_NAME"]
    settings.CSRF_COOKIE_NAME = COOKIES["CSRF_COOKIE_NAME"]
    return SecureClient(raise_request_exception=False)


def log_in(client, user):
    """By the page, so that the cookies are those of the product."""
    data = {"username": user.email, "login": user.email, "password": PASSWORD}
    assert client.post("/login/", data).status_code == 302


def test_plain_http_is_sent_to_https(client):
    client.is_plain = True

    response = client.get("/leads/?q=x")

    assert response.status_code == 301
    assert response.url == "https://testserver/leads/?q=x"
    assert response.headers["Content-Security-Policy"]


def test_only_the_server_says_what_is_encrypted(client):
    """The proxy's header is read by gunicorn, from the addresses it is told; nobody else's is."""
    client.is_plain = True

    response = client.get("/login/", headers={"X-Forwarded-Proto": "https"})

    assert response.status_code == 301


def test_browsers_are_told_to_come_encrypted_for_a_year(client):
    for path in ("/login/", "/nowhere/", "/static/css/topsail.css"):
        response = client.get(path)
        response.close()
        assert (
            response.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        )


def test_cookies_belong_to_this_host_alone(client, rep):
    log_in(client, rep)
    client.get("/leads/new/")

    assert set(client.cookies) >= set(COOKIES.values())
    for name in COOKIES.values():
        cookie = client.cookies[name]
        assert cookie["secure"] and cookie["httponly"], name
        assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "Lax")


def test_no_page_sets_a_cookie_that_others_can_read(client, rep):
    log_in(client, rep)
    for path in ("/", "/leads/", "/leads/?view=mine", "/accounts/", "/search/?q=x", "/nowhere/"):
        client.get(path)

    for name, cookie in client.cookies.items():
        assert cookie["secure"] and cookie["httponly"] and cookie["samesite"] == "Lax", name


def test_the_session_gets_another_id_with_the_log_in(client, rep):
    client.get("/login/")
    client.cookies[COOKIES["SESSION_COOKIE_NAME"]] = "x" * 32  # one that a stranger knows

    log_in(client, rep)

    assert client.cookies[COOKIES["SESSION_COOKIE_NAME"]].value != "x" * 32
    assert client.get("/leads/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://testserver"},
        {"Origin": "null"},
        {"Referer": "https://evil.example/leads/new/"},
        {},
    ],
)
def test_forms_that_do_not_say_they_are_ours_are_refused(client, rep, headers):
    client.handler.enforce_csrf_checks = True
    client.force_login(rep)
    token = client.get("/leads/new/").context["csrf_token"]
    data = {"last_name": "Moreau", "csrfmiddlewaretoken": str(token)}

    assert client.post("/leads/new/", data, headers=headers).status_code == 403
    own = client.post("/leads/new/", data, headers={"Origin": "https://testserver"})
    assert own.status_code in (303, 422)
