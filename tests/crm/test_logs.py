import json
import logging
import sys

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.urls.resolvers import ResolverMatch

from crm import urls
from crm.logs import JsonFormatter
from tests.factories.leads import LeadFactory

SECRETS = ("Nightingale", "canary@x.example", "correct horse")


@pytest.fixture
def lines(monkeypatch):
    """What is logged from here on, as the handler writes it; the security log is another one."""
    texts = []

    class Handler(logging.Handler):
        def emit(self, record):
            if record.name != "topsail.security":
                texts.append(self.format(record))

    handler = Handler()
    handler.setFormatter(JsonFormatter())
    loggers = [logging.getLogger(), logging.getLogger("django")]
    for logger in loggers:
        logger.addHandler(handler)
    yield texts
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.fixture
def broken(settings):
    """Pages that fail: one by its fault, one because the database is away."""

    def fault(request, name):
        raise ValueError("canary@x.example is no number")

    def away(request):
        raise OperationalError("canary@x.example")

    class Urls:
        urlpatterns = [path("fault/<name>/", fault), path("away/", away), *urls.urlpatterns]
        handler500 = urls.handler500

    settings.ROOT_URLCONF = Urls


@pytest.mark.django_db
def test_each_request_has_one_line_that_tells_no_texts(client, rep, lines):
    lead = LeadFactory(owner=rep, last_name="Nightingale")
    client.force_login(rep)

    client.get(f"/leads/{lead.pk}/?q=canary@x.example")
    response = client.post("/leads/new/", {"last_name": "Nightingale", "email": "correct horse"})
    client.get("/leads/?q=Nightingale")
    client.get("/nowhere/Nightingale/")

    told = [json.loads(line) for line in lines]
    assert [(line["status"], line.get("route")) for line in told] == [
        (200, "/leads/<key:pk>/"),
        (422, "/leads/new/"),
        (200, "/leads/"),
        (404, None),
    ]
    assert told[1]["id"] == response.headers["X-Request-ID"]
    assert (told[0]["user"], told[0]["method"]) == (rep.pk, "GET")
    assert told[0]["queries"] > 3 and told[0]["ms"] >= 0
    assert not [line for line in lines for secret in SECRETS if secret in line]


@pytest.mark.django_db
def test_the_line_counts_the_queries_and_adds_none(client, rep, lines):
    client.force_login(rep)

    with CaptureQueriesContext(connection) as queries:
        client.get("/leads/")

    assert json.loads(lines[0])["queries"] == len(queries)


@pytest.mark.django_db
def test_what_broke_is_found_by_the_reference_on_the_page(client, rep, broken, lines):
    client.force_login(rep)
    client.raise_request_exception = False

    response = client.get("/fault/Nightingale/?q=canary@x.example")

    reference = response.headers["X-Request-ID"]
    page = response.content.decode()
    assert response.status_code == 500
    assert f"Reference {reference}" in page
    assert "ValueError" not in page and "Traceback" not in page and "SECRET_KEY" not in page
    error, line = map(json.loads, lines)
    assert (error["id"], line["id"], line["status"]) == (reference, reference, 500)
    assert error["trace"][0] == "ValueError" and error["trace"][1].endswith(" fault")
    assert "/fault/<name>/" in error["message"]
    assert not [line for line in lines for secret in SECRETS if secret in line]


@pytest.mark.django_db
def test_without_the_database_the_answer_is_503_in_words(client, rep, broken):
    client.force_login(rep)
    client.raise_request_exception = False

    response = client.get("/away/")

    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "Nothing was changed" in response.content.decode()


@pytest.mark.django_db
def test_a_session_that_cannot_be_read_is_answered_as_well(client, rep):
    client.force_login(rep)
    client.raise_request_exception = False

    def away(*args):
        raise OperationalError("away")

    with connection.execute_wrapper(away):
        response = client.get("/leads/")

    assert response.status_code == 503
    assert response.headers["Content-Security-Policy"]


def formatted(record):
    return JsonFormatter().format(record)


def test_line_ends_in_a_message_start_no_new_line():
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "a\r\n2026 forged", (), None)

    text = formatted(record)

    assert "\n" not in text and "\r" not in text
    assert json.loads(text)["message"] == "a\r\n2026 forged"


def test_a_trace_names_kinds_and_places_and_no_words():
    try:
        try:
            raise IntegrityError("Key (email)=(canary@x.example) already exists")
        except IntegrityError as error:
            raise ValueError("canary@x.example") from error
    except ValueError:
        record = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "%s", ("broke",), sys.exc_info()
        )

    text = formatted(record)

    assert "canary" not in text
    trace = json.loads(text)["trace"]
    assert trace[0] == "ValueError" and "IntegrityError" in trace


def test_the_route_stands_for_the_address(rf):
    request = rf.get("/leads/7/")
    request.resolver_match = ResolverMatch(None, (), {}, route="leads/<key:pk>/")
    record = logging.LogRecord(
        "django.request", logging.ERROR, __file__, 1, "%s: %s", ("Forbidden", "/leads/7/"), None
    )
    record.request = request

    assert json.loads(formatted(record))["message"] == "Forbidden: /leads/<key:pk>/"
