"""Lists of records."""

from functools import cached_property

from django.core.exceptions import PermissionDenied
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from core import reach
from core.reach import Verb
from core.tables import Sort, page_of, page_size
from core.templatetags.components import tile
from core.views.base import Action, is_partial, url_of
from core.views.in_place import CellLinks

LARGEST_FIRST = frozenset({"money", "number", "percent", "score", "date", "stamp", "moment", "age"})


class RecordListView(TemplateView):
    """A list of records: searched, filtered, sorted, its columns chosen, all in the URL."""

    filterset_class = None
    table = None
    template_name = "base/list.html"
    partial_template_name = "core/_list.html"
    select_related = ("owner",)

    @property
    def model(self):
        return self.filterset_class._meta.model

    def dispatch(self, request, *args, **kwargs):
        if not reach.may(request.user, Verb.VIEW, self.model):
            plural = self.model._meta.verbose_name_plural
            raise PermissionDenied(_("You can't view %(what)s.") % {"what": plural})
        return super().dispatch(request, *args, **kwargs)

    def get_queryset(self):
        """All records that this list may show to the user."""
        records = self.model.objects.live().visible_to(self.request.user)
        return records.select_related(*self.select_related)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        query = self.request.GET
        filters = self.filterset_class(query, self.get_queryset(), request=self.request)
        sort = self.table.sort_of(query.get("sort", ""))
        page = page_of(
            filters.qs,
            sort,
            after=query.get("after", ""),
            before=query.get("before", ""),
            size=page_size(query.get("per_page", "")),
        )
        available = self.table.for_user(self.model, self.request.user)
        columns = self.table.chosen(available, query.getlist("columns"))
        return {
            "model": self.model,
            "model_name": self.model._meta.verbose_name,
            "kind": self.model._meta.model_name,
            "title": capfirst(self.model._meta.verbose_name_plural),
            "crumbs": [{"label": capfirst(self.model._meta.verbose_name_plural)}],
            "filter": filters,
            "shown_filter": self._shown_filter(filters),
            "page": page,
            "heads": [self._head(column, sort) for column in columns],
            "rows": list(cells_of(page.records, columns, by=self.request.user)),
            "available": [(column, column in columns) for column in available[1:]],
            "kept": self._kept("columns"),
            "kept_with_filters": self._kept("q", *self._shown_parameters(filters)),
            "create_url": self.create_url,
            "empty": None if page.records else self._empty(filters),
            **context,
        }

    @cached_property
    def create_url(self):
        """Where a new record is made; "" if the user may not."""
        may = reach.may(self.request.user, Verb.CREATE, self.model)
        return url_of(self.model, "create") if may else ""

    def _empty(self, filters):
        """What an empty list says: what is missing and the next thing to do."""
        plural = self.model._meta.verbose_name_plural
        if any(filters.is_used(name) for name in filters.filters):
            return {
                "title": _("No %(records)s match these filters") % {"records": plural},
                "text": "",
                "actions": [Action(_("Remove all filters"), self.request.path)],
            }
        kind = self.model._meta.verbose_name
        create = [Action(_("Add %(kind)s") % {"kind": kind}, self.create_url)]
        return {
            "title": _("No %(records)s yet") % {"records": plural},
            "text": self.model.about,
            "actions": create if self.create_url else [],
        }

    def _shown_filter(self, filters):
        """The one filter whose field is open in the bar."""
        name = self.request.GET.get("show", "")
        if name not in filters.filters:
            name = next((bad for bad in filters.form.errors if bad in filters.filters), "")
        return filters.form[name] if name and name != "q" else None

    def _shown_parameters(self, filters):
        shown = self._shown_filter(filters)
        return filters.parameters(shown.name) if shown else ()

    def _kept(self, *names):
        """The parameters of the URL that a form of the bar passes on: all but its own."""
        left_out = {"after", "before", "show", *names}
        return [
            (name, value)
            for name, values in self.request.GET.lists()
            if name not in left_out
            for value in values
        ]

    def _head(self, column, sort):
        """A column's head: its label and, if it sorts, the sort that a click asks for."""
        if not column.sort:
            return {"column": column}
        is_current = column == sort.column
        descending = not sort.descending if is_current else column.kind in LARGEST_FIRST
        return {
            "column": column,
            "sort": str(Sort(column, descending)),
            "is_current": is_current,
            "descending": is_current and sort.descending,
        }

    def render_to_response(self, context, **kwargs):
        if is_partial(self.request):
            self.template_name = self.partial_template_name
        response = super().render_to_response(context, **kwargs)
        patch_vary_headers(response, ["HX-Request"])
        return response


def cells_of(records, columns, *, by):
    """
    The cells of each record, first its kind.

    They are put together here: in a loop of the template 50 rows take three times as long.
    """
    pattern = "<td>{}</td>" + "".join(map(_cell, columns))
    cell_links = CellLinks(records, columns, by=by)
    for record in records:
        links, values = cell_links.of(record), []
        for column in columns:
            if column.is_editable:
                values += (record.pk, column.shown(record), links.get(column.key, ""))
            else:
                values.append(column.shown(record))
        yield format_html(pattern, tile(record), *values)


def _cell(column):
    """The pattern of a column's cells; one that can be changed has its id and its link."""
    css = f' class="{column.css}"' if column.css else ""
    value = '<span class="clip">{}</span>' if column.kind == "text" else "{}"
    if column.is_editable:
        return f'<td{css} id="cell-{{}}-{column.key}" data-cell>{value}{{}}</td>'
    return f"<td{css}>{value}</td>"
