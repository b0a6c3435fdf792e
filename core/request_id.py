"""An id for each request: on the answer, in the log, and as the reference on error pages."""

import secrets
from contextvars import ContextVar

_current = ContextVar("request_id", default="")


def new_request_id():
    """A fresh id that people can read out on the phone, such as ``8F2C-41A7``."""
    letters = secrets.token_hex(4).upper()
    return f"{letters[:4]}-{letters[4:]}"


class RequestIdMiddleware:
    """Name the request ``request.id``, tell the id in ``X-Request-ID``; outermost of all."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id = new_request_id()
        token = _current.set(request.id)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response["X-Request-ID"] = request.id
        return response


def request_id_of(record):
    """
    The id of the request that a log line belongs to; "" outside of one.

    Django logs a refused request after the middleware has ended, with the request on the line.
    """
    request = getattr(record, "request", None)
    return getattr(request, "id", None) or _current.get()
