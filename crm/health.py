"""Whether the product lives and may be sent visitors: for proxies and supervisors, not people."""

from functools import cache

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpResponse, HttpResponseNotAllowed


class HealthMiddleware:
    """
    Answer ``/healthz`` and ``/readyz`` before anything asks for the host or the session.

    Probes come by the machine's address. ``/healthz`` says that the
    process answers and asks nothing else; ``/readyz`` says 503 until the database answers and
    has all migrations. Neither tells more than that.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info not in PROBES:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        reason = PROBES[request.path_info]()
        return HttpResponse(
            reason or "ok", status=503 if reason else 200, content_type="text/plain; charset=utf-8"
        )


def lives():
    return ""


def is_ready():
    """Why the product is not ready, in a word; "" if it is."""
    try:
        return "migrations" if pending_migrations() else ""
    except Error:
        return "database"


def pending_migrations():
    """The migrations, as (app, name), that the code has and the database has not."""
    return sorted(known_migrations() - set(MigrationRecorder(connection).applied_migrations()))


@cache
def known_migrations():
    """All migrations of the code, as (app, name); read once, for other code is another process."""
    return set(MigrationLoader(None).graph.nodes)


PROBES = {"/healthz": lives, "/readyz": is_ready}
