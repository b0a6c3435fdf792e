"""
The pages that say what went wrong.

They ask neither the database nor the session nor a context processor, for one of these may be
what broke, and they read the request's body only where it is known to be readable.
"""

import sys

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.text import capfirst

from core.request_id import new_request_id

TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
UNAVAILABLE = (OperationalError, InterfaceError)
NOT_TYPED = ("csrfmiddlewaretoken", "key", "version", "expected", "next")


def bad_request(request, exception):
    return _page(request, 413 if isinstance(exception, TOO_MUCH) else 400)


def forbidden(request, exception):
    return _page(request, 403, reason=str(exception))


def not_found(request, exception):
    return _page(request, 404)


def server_error(request):
    """Say that something broke; 503 where only the database is away, full or too slow."""
    if isinstance(sys.exc_info()[1], UNAVAILABLE):
        response = _page(request, 503)
        response.headers["Retry-After"] = "30"
        return response
    return _page(request, 500)


def csrf_failure(request, reason=""):
    """
    Refuse a form without its token, and give back what was typed, to be copied.

    It is not sent again from here: the form may have been filled in by a stranger's page.
    """
    typed = [
        (capfirst(name.replace("_", " ")), value)
        for name, values in request.POST.lists()
        for value in values
        if value and name not in NOT_TYPED and "password" not in name
    ]
    return _page(request, 403, template="403_csrf.html", typed=typed)


def _page(request, status, *, template="", **context):
    """The page of a status, with the id under which the request stands in the log."""
    context["reference"] = getattr(request, "id", None) or new_request_id()
    return HttpResponse(render_to_string(template or f"{status}.html", context), status=status)
