"""Where a record stands in the list that it was opened from: its neighbours, and the way back."""

import copy
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import QueryDict
from django.urls import resolve
from django.utils.functional import cached_property

from core.tables import neighbours
from core.views.base import list_url, url_of

MAX_LENGTH = 2000  # of a list's query that a cookie holds


@dataclass(frozen=True)
class Position:
    """The addresses of a record's neighbours, "" at the ends, and of the list."""

    list: str
    previous: str = ""
    next: str = ""


class FromListMixin:
    """
    Lead from a record's page to its neighbours in the list that it was opened from.

    The list is a query of a URL. It comes in as the page from which the link was followed, and a
    cookie for the pages of this kind of records keeps it from one record to the next: nothing is
    written, and addresses stay short. A record outside that list has no neighbours.
    Rule: docs/rules/editing.md.
    """

    @property
    def list_cookie(self):
        return f"list_{self.model._meta.model_name}"

    @cached_property
    def position(self):
        """The Position of the record in the list it came from: one query; None without a list."""
        query = self.get_list_query()
        if query is None:
            return None
        records, sort = self._list_of(query)
        found = neighbours(self.record, records, sort)
        if found is None:
            return None
        url = list_url(self.model)
        previous, following = (self._url_of(key) for key in found)
        return Position(f"{url}?{query}" if query else url, previous, following)

    def get_list_query(self):
        """The query of the list from which the user came, now or before; None if from none."""
        page = urlsplit(self.request.headers.get("Referer", ""))
        here = page.netloc == self.request.get_host()
        if here and page.path == list_url(self.model) and len(page.query) <= MAX_LENGTH:
            return page.query
        return self.request.COOKIES.get(self.list_cookie)

    def _list_of(self, query):
        """The records and the sort of the list page with this query."""
        page = resolve(list_url(self.model)).func
        request = copy.copy(self.request)
        request.GET = QueryDict(query)
        view = page.view_class(**page.view_initkwargs)
        view.setup(request)
        return view.get_records(), view.sort

    def _url_of(self, key):
        return url_of(self.model(pk=key), "detail") if key else ""

    def get_crumbs(self):
        """The way back leads to the list as it was."""
        crumbs = super().get_crumbs()
        if self.position is not None:
            crumbs[0]["url"] = self.position.list
        return crumbs

    def render_to_response(self, context, **kwargs):
        response = super().render_to_response(context, **kwargs)
        if self.position is not None:
            query = urlsplit(self.position.list).query
            secure = self.request.is_secure()
            path = list_url(self.model)
            options = {"path": path, "secure": secure, "httponly": True, "samesite": "Lax"}
            response.set_cookie(self.list_cookie, query, **options)
        return response
