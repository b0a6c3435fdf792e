import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import path

from crm import urls

pytestmark = pytest.mark.django_db

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    "manifest-src 'self'",
}


HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def get(path, **headers):
    return lambda client: client.get(path, headers=headers)


def away(client):
    """The answer while the database is away."""

    def fail(*args):
        raise OperationalError("away")

    with connection.execute_wrapper(fail):
        return client.get("/leads/")


ANSWERS = {
    "list": (get("/leads/"), 200),
    "part of a page": (get("/leads/", hx_request="true"), 200),
    "operators' page": (get("/admin/"), 200),
    "operators' form": (get("/admin/core/listvalue/add/"), 200),
    "file": (get("/static/css/topsail.css"), 200),
    "probe": (get("/healthz"), 200),
    "redirect": (get("/admin/users"), 301),
    "damaged address": (get("/leads/?q=%00"), 400),
    "foreign host": (get("/leads/", host="evil.example"), 400),
    "no token": (lambda client: client.post("/leads/new/", {"last_name": "x"}), 403),
    "no page": (get("/no-such-page/"), 404),
    "no file": (get("/static/none.css"), 404),
    "wrong method": (get("/logout/"), 405),
    "unknown method": (lambda client: client.put("/leads/"), 405),
    "too much": (lambda client: client.post("/leads/new/", {"a": "x" * 2_700_000}), 413),
    "database away": (away, 503),
}


@pytest.mark.parametrize(("ask", "status"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_carries_the_headers(admin, ask, status):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(admin)

    response = ask(client)

    response.close()
    assert response.status_code == status
    policy = response.headers["Content-Security-Policy"]
    assert {part.strip() for part in policy.split(";")} == POLICY
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert "Strict-Transport-Security" not in response.headers
    assert "Server" not in response.headers and "X-Powered-By" not in response.headers


def test_what_breaks_carries_the_headers_too(admin, settings):
    """An error in a view, answered outside of all that is in between."""

    def fault(request):
        raise ValueError

    class Urls:
        urlpatterns = [path("fault/", fault)]
        handler500 = urls.handler500

    settings.ROOT_URLCONF = Urls
    client = Client(raise_request_exception=False)
    client.force_login(admin)

    response = client.get("/fault/")

    assert response.status_code == 500
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store, private"


def test_pages_are_kept_by_no_cache(client, rep):
    client.force_login(rep)

    response = client.get("/")

    assert response.headers["Cache-Control"] == "no-store, private"
    assert {"Cookie", "HX-Request"} <= set(response.headers["Vary"].split(", "))


def test_foreign_host_is_refused(client):
    assert client.get("/login/", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/login/", headers={"X-Forwarded-Host": "evil.example"}).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_methods_that_no_page_has_are_refused_before_anything_else(client, rep, method):
    client.force_login(rep)

    response = getattr(client, method)("/leads/new/", {"last_name": "Put"})

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
