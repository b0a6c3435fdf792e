"""
The plain list that everything is compared with: what Django alone needs for the same rows.

One query for 50 leads with their owners and statuses, eight columns, a template without a tag
of ours, and only the middleware that Django brings.
"""

from django.conf import settings
from django.shortcuts import render
from django.test import Client
from django.test.client import ClientHandler
from django.test.utils import override_settings

from core.tables import PAGE_SIZE
from leads.models import Lead

PATH = "/plain/"


def plain_list(request):
    leads = Lead.objects.select_related("owner", "status").order_by("-created_at", "-pk")
    return render(request, "crm/bench_plain_list.html", {"leads": leads[:PAGE_SIZE]})


class PlainHandler(ClientHandler):
    """Serves the plain list behind Django's own middleware."""

    def load_middleware(self, is_async=False):  # noqa: FBT002 (Django's signature)
        own = [name for name in settings.MIDDLEWARE if name.startswith("django.")]
        with override_settings(MIDDLEWARE=own):
            super().load_middleware(is_async)

    def resolve_request(self, request):
        return plain_list, (), {}


def plain_client(**defaults):
    """A client that gets the plain list, and nothing else."""
    client = Client(**defaults)
    client.handler = PlainHandler(client.handler.enforce_csrf_checks)
    return client
