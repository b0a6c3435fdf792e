import logging

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import RequestFactory

from core.request_id import RequestIdMiddleware, request_id_of
from crm import errors


@pytest.fixture
def request_():
    request = RequestFactory().get("/leads/7/")
    request.id = "8F2C-41A7"
    return request


def page(answer):
    return answer.content.decode()


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (lambda request: errors.bad_request(request, ValueError()), 400, "could not be read"),
        (lambda request: errors.forbidden(request, PermissionDenied()), 403, "You can’t open this"),
        (lambda request: errors.not_found(request, Http404()), 404, "does not exist"),
        (errors.server_error, 500, "Something broke on our side"),
    ],
)
def test_error_pages_say_what_happened_and_their_reference(request_, answer, status, words):
    response = answer(request_)

    assert response.status_code == status
    assert words in page(response)
    assert "Reference 8F2C-41A7" in page(response)


def test_error_pages_ask_no_database(request_):
    """Without the database mark, a query would fail this test."""
    assert errors.server_error(request_).status_code == 500


def test_not_found_tells_nothing_of_the_exception(request_):
    response = errors.not_found(request_, Http404("No Lead matches the given query."))

    assert "No Lead matches" not in page(response)


def test_forbidden_gives_the_reason_escaped(request_):
    response = errors.forbidden(request_, PermissionDenied("It belongs to <Priya>."))

    assert "It belongs to &lt;Priya&gt;." in page(response)


def test_csrf_failure_gives_back_what_was_typed_but_no_secret():
    typed = {"notes": "Budget <approved>", "password": "hunter22", "csrfmiddlewaretoken": "t"}
    response = errors.csrf_failure(RequestFactory().post("/login/", typed))

    assert response.status_code == 403
    assert "Budget &lt;approved&gt;" in page(response)
    assert "hunter22" not in page(response)


def test_request_id_is_on_the_answer_and_in_the_log():
    def view(request):
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "broke", (), None)
        return errors.HttpResponse(request_id_of(record))

    response = RequestIdMiddleware(view)(RequestFactory().get("/"))

    assert response["X-Request-ID"] == page(response)


def test_request_id_of_a_line_that_is_logged_after_the_request_is_that_of_its_request(request_):
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, "404", (), None)
    record.request = request_

    assert request_id_of(record) == "8F2C-41A7"


def test_log_lines_outside_a_request_have_no_id():
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "broke", (), None)

    assert request_id_of(record) == ""
