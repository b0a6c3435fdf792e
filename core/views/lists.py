"""Lists of records."""

from dataclasses import dataclass, field
from functools import cached_property

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from core import reach
from core.batches import verbs_for
from core.models import SavedView
from core.reach import Verb
from core.saved_views import views_of
from core.tables import Sort, page_of, page_size
from core.templatetags.components import tile
from core.views.base import Action, is_partial, url_of
from core.views.in_place import CellLinks

LARGEST_FIRST = frozenset({"money", "number", "percent", "score", "date", "stamp", "moment", "age"})

BOX = (
    '<input class="tick" type="checkbox" name="pick"'
    ' value="{pk}" form="bulk" aria-label="{record}">'
)


@dataclass(frozen=True)
class StandardView:
    """A view that every list of its kind has: its key in the URL, its name, its filter."""

    key: str
    label: str
    filter: dict = field(default_factory=dict)

    @property
    def columns(self):
        return ()

    @property
    def sort(self):
        return ""


@dataclass(frozen=True)
class MissingView(StandardView):
    """What the URL names is gone or hidden: a list of nothing that says so."""


MINE = {"field": "owner", "op": "in", "value": ["me"]}
ALL = StandardView("all", gettext_lazy("All"))


class RecordListView(TemplateView):
    """
    A list of records: searched, filtered, sorted, its columns chosen, all in the URL.

    ``view`` names a standard or a saved view, ``filter`` holds a filter document that takes the
    place of the view's; the quick filters come on top of either.
    """

    filterset_class = None
    table = None
    template_name = "base/list.html"
    partial_template_name = "core/_list.html"
    standard_views = (ALL, StandardView("mine", gettext_lazy("Mine"), {"all": [MINE]}))

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
        return self.model.objects.live().visible_to(self.request.user)

    # what the URL asks for

    @cached_property
    def saved_views(self):
        """The saved views of this list that the user is offered."""
        return views_of(self.model, self.request.user)

    @cached_property
    def view(self):
        """The view that the URL names, else the one that the list opens with."""
        text = self.request.GET.get("view", "")
        if text.isascii() and text.isdigit():
            found = next((v for v in self.saved_views if str(v.pk) == text), None)
            return found or MissingView(text, _("Gone"))
        return next((v for v in self.standard_views if v.key == text), self.get_default_view())

    def get_default_view(self):
        """The view of a URL that names none; all records if it brings its own filter."""
        return ALL if self.request.GET.get("filter") else self.standard_views[0]

    @cached_property
    def filters(self):
        """The filters of the URL and of the view, over the records that the user may see."""
        query = self.request.GET
        base = query.get("filter") or self.view.filter
        return self.filterset_class(query, self.get_queryset(), request=self.request, base=base)

    @cached_property
    def sort(self):
        return self.table.sort_of(self.request.GET.get("sort") or self.view.sort)

    @cached_property
    def available(self):
        """The columns that the user may choose from."""
        return self.table.for_user(self.model, self.request.user)

    @cached_property
    def columns(self):
        keys = self.request.GET.getlist("columns") or self.view.columns
        return self.table.chosen(self.available, keys)

    @property
    def is_missing(self):
        return isinstance(self.view, MissingView)

    @property
    def refusal(self):
        """Why nothing can be found, in words; "" if something can."""
        if self.is_missing:
            return _("This view is gone, or not shared with you.")
        error = None if self.filters.base is not None else self.filters.refusal
        return error.message if error else ""

    def get_records(self):
        """The records that the list finds."""
        return self.get_queryset().none() if self.is_missing else self.filters.qs

    # the page

    def get(self, request, *args, **kwargs):
        if key := request.GET.get("earlier"):
            return HttpResponseRedirect(self._url_with_earlier(key))
        return super().get(request, *args, **kwargs)

    def _url_with_earlier(self, key):
        """The list with the column of that key one place further to the front."""
        keys = [column.key for column in self.columns]
        place = keys.index(key) if key in keys else 0
        if place > 1:  # the link stays where it is
            keys[place - 1], keys[place] = keys[place], keys[place - 1]
        query = self.request.GET.copy()
        del query["earlier"]
        query.setlist("columns", keys)
        query["show"] = "columns"
        return f"{self.request.path}?{query.urlencode()}"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        query, sort, filters = self.request.GET, self.sort, self.filters
        columns = self.columns
        page = page_of(
            self.table.narrowed(self.get_records(), columns, sort),
            sort,
            after=query.get("after", ""),
            before=query.get("before", ""),
            size=page_size(query.get("per_page", ""), columns=len(columns)),
        )
        return {
            "model": self.model,
            "model_name": self.model._meta.verbose_name,
            "kind": self.model._meta.model_name,
            "title": capfirst(self.model._meta.verbose_name_plural),
            "crumbs": [{"label": capfirst(self.model._meta.verbose_name_plural)}],
            "filter": filters,
            "refusal": self.refusal,
            "views": [*self._tabs()],
            "view_chips": self._view_chips(),
            "view_urls": self._view_urls(),
            "shown_filter": self._shown_filter(filters),
            "page": page,
            "heads": [self._head(column, sort) for column in columns],
            "rows": list(
                cells_of(page.records, columns, by=self.request.user, can_tick=bool(self.verbs))
            ),
            "verbs": self.verbs,
            "model_label": self.model._meta.label_lower,
            "choices": [*self._column_choices(columns)],
            "is_choosing": query.get("show") == "columns",
            "kept": self._kept("columns"),
            "kept_with_columns": self._kept(),
            "kept_with_filters": self._kept("q", *self._shown_parameters(filters)),
            "create_url": self.create_url,
            "empty": None if page.records else self._empty(filters),
            **context,
        }

    @cached_property
    def verbs(self):
        """What the user may do to many of these records at once."""
        return list(verbs_for(self.model, self.request.user))

    def _column_choices(self, columns):
        """The columns beside the link: those shown, in their order, then the others."""
        hidden = [column for column in self.available[1:] if column not in columns]
        for number, column in enumerate([*columns[1:], *hidden]):
            is_shown = column in columns
            yield {"column": column, "is_shown": is_shown, "can_move": is_shown and number > 0}

    def _tabs(self):
        is_changed = bool(self.request.GET.get("filter"))
        for view in self.standard_views:
            is_current = view == self.view and not is_changed
            yield {"label": view.label, "url": f"?view={view.key}", "is_current": is_current}
        for view in self.saved_views:
            yield {
                "label": view.name,
                "url": f"?view={view.pk}",
                "is_current": view == self.view,
                "is_pinned": view.is_pinned,
            }

    def _view_chips(self):
        """What the view or the filter of the URL asks; of a standard view its name says it."""
        if self.is_missing or (
            isinstance(self.view, StandardView) and not self.request.GET.get("filter")
        ):
            return []
        return self.filters.base_chips

    def _view_urls(self):
        """Where all conditions are edited, and the view saved or changed."""
        query = self.request.GET.copy()
        for name in ("after", "before", "show"):
            query.pop(name, None)
        label = self.model._meta.label_lower
        urls = {"create": f"{reverse('core:savedview_create', args=[label])}?{query.urlencode()}"}
        if isinstance(self.view, SavedView) and self.view.can(self.request.user, Verb.EDIT):
            query.pop("view", None)
            url = reverse("core:savedview_update", args=[self.view.pk])
            urls["update"] = f"{url}?{query.urlencode()}" if query else url
        return urls

    @cached_property
    def create_url(self):
        """Where a new record is made; "" if the user may not."""
        may = reach.may(self.request.user, Verb.CREATE, self.model)
        return url_of(self.model, "create") if may else ""

    def _empty(self, filters):
        """What an empty list says: what is missing and the next thing to do."""
        plural = self.model._meta.verbose_name_plural
        if self.refusal:
            actions = [Action(_("Show all %(records)s") % {"records": plural}, "?view=all")]
            if update := self._view_urls().get("update"):
                actions = [Action(_("Edit view"), update)]
            title = _("This list can't be shown")
            return {"title": title, "text": self.refusal, "actions": actions}
        if filters.is_narrowed or self._view_chips():
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


def cells_of(records, columns, *, by, can_tick=False):
    """
    The cells of each record, first its kind, or the box that ticks it.

    They are put together here: in a loop of the template 50 rows take three times as long. What
    rows have in common is written once, the links by which their cells are changed included.
    """
    links, patterns = CellLinks(records, columns, by=by), {}
    for record in records:
        changeable = links.of(record)
        if changeable not in patterns:
            first = BOX if can_tick else tile(record)
            cells = (_cell(c, links.to(c) if c.key in changeable else "") for c in columns)
            patterns[changeable] = f"<td>{first}</td>{''.join(cells)}"
        values = [column.shown(record) for column in columns]
        yield format_html(patterns[changeable], *values, pk=record.pk, record=record)


def _cell(column, link):
    """The pattern of a column's cells; one that can be changed has its link."""
    css = f' class="{column.css}"' if column.css else ""
    return f"<td{css}>{{}}{link}</td>"
