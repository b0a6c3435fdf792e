"""
What is logged: one JSON object a line, and one line a request.

No line holds what people typed: no bodies, query strings, addresses of pages with keys in them,
names, or the words of an exception, which may quote any of these. Rule: docs/admin/operations.md.
"""

import json
import logging
import traceback
from time import perf_counter

from django.db import connection

from core.request_id import request_id_of

logger = logging.getLogger("topsail.request")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON, which keeps line ends inside its texts."""

    def format(self, record):
        line = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "id": request_id_of(record),
            "message": _message(record),
            **getattr(record, "told", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["trace"] = list(_trace(record.exc_info[1]))
        return json.dumps({name: value for name, value in line.items() if value != ""})


def _message(record):
    """The record's message, with the route in place of the address that Django puts into it."""
    request = getattr(record, "request", None)
    if request is None or not record.args:
        return record.getMessage()
    return record.msg % tuple(route_of(request) if a == request.path else a for a in record.args)


def _trace(error):
    """The frames and kinds of an exception and of those behind it, the first cause last."""
    while error is not None:
        yield type(error).__qualname__
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            yield f"{frame.filename}:{frame.lineno} {frame.name}"
        error = error.__cause__ or error.__context__


def route_of(request):
    """The pattern that the address fits; "" if none does."""
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match else ""


class RequestLogMiddleware:
    """Write one line for each request: who by key, which route, the answer and what it cost."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        started, count = perf_counter(), QueryCount()
        with connection.execute_wrapper(count):
            response = self.get_response(request)
        told = {
            "user": getattr(request, "user_key", None),
            "method": request.method,
            "route": route_of(request),
            "status": response.status_code,
            "ms": round((perf_counter() - started) * 1000),
            "queries": count.number,
        }
        logger.info("", extra={"told": told, "request": request})
        return response

    def process_view(self, request, view, args, kwargs):
        """Note who it is: by now the session was asked, and the log asks nothing by itself."""
        request.user_key = request.user.pk


class QueryCount:
    def __init__(self):
        self.number = 0

    def __call__(self, execute, sql, params, many, context):
        self.number += 1
        return execute(sql, params, many, context)
