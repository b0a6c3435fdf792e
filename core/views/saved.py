"""Saved views: a list's conditions, columns and order under a name; the editor of conditions."""

import copy
from functools import cached_property

from django.http import QueryDict
from django.urls import resolve, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from core import saved_views
from core.errors import NotAllowed
from core.filtering import FilterRefused
from core.filtering.editor import Editor, EditorFormMixin
from core.filters import as_parameter
from core.forms import RecordForm, VerbForm
from core.models import SavedView
from core.reach import Verb, may
from core.views.base import SeeOther, VerbView, forbid, list_url, record_model
from core.views.editor import EditorViewMixin
from core.views.records import RecordCreateView, RecordUpdateView

LONGEST_ADDRESS = 3_500  # servers refuse a request line of 4,094 bytes


def list_of(model, request, query):
    """The list view of ``model`` as this user would open it with ``query``."""
    view = resolve(list_url(model)).func.view_class()
    asking = copy.copy(request)
    asking.GET = query
    asking.path = list_url(model)
    view.setup(asking)
    return view


class SavedViewForm(EditorFormMixin, RecordForm):
    """A view's name and audience; its conditions come from the editor, the rest from the list."""

    class Meta:
        model = SavedView
        fields = ["name", "audience", "is_pinned"]

    document_field = "filter"

    def __init__(self, *args, state, **kwargs):
        super().__init__(*args, **kwargs)
        self.state = state

    def apply_to(self, record):
        record = super().apply_to(record)
        record.columns, record.sort = self.state.columns, self.state.sort
        return record


class ListState:
    """A list's columns and order as its URL, and the view in it, say."""

    def __init__(self, view, query):
        known = {column.key for column in view.available}
        asked = query.getlist("columns") or view.view.columns
        keys = dict.fromkeys(key for text in asked for key in str(text).split(","))
        self.columns = [key for key in keys if key in known]
        sort = query.get("sort") or view.view.sort
        self.sort = sort if sort and str(view.table.sort_of(sort, view.available)) == sort else ""


class SavedViewMixin(EditorViewMixin):
    """The page that edits the conditions of a list, shows them at once or saves them as a view."""

    form_class = SavedViewForm
    template_name = "core/savedview_form.html"

    @cached_property
    def query(self):
        """The list's own part of the URL."""
        return self.request.GET.copy()

    @cached_property
    def list(self):
        """The list that is filtered, as its URL and the view stand."""
        return list_of(self.listed, self.request, self.query)

    @cached_property
    def editor(self):
        by = self.request.user
        if self.request.method == "POST":
            return Editor.from_data(self.listed, self.request.POST, by=by)
        return Editor.from_document(self.listed, self.list_document(), by=by)

    def list_document(self):
        """All that the list asks for; of one that can't be asked, what stands in its view."""
        filters = self.list.filters
        if filters.base is None or filters.quick is None:
            document = filters.base_document
            return document if isinstance(document, dict) else {}
        return filters.document

    def get_form_kwargs(self):
        state = ListState(self.list, self.query)
        return super().get_form_kwargs() | {"state": state}

    def post(self, request, *args, **kwargs):
        if request.POST.get("do") == "show":
            return self.show()
        return super().post(request, *args, **kwargs)

    def show(self):
        """Lead to the list with the edited conditions in its URL."""
        try:
            found = self.editor.check()
        except FilterRefused as error:
            return self.redraw(status=422, message=error.message)
        query = QueryDict(mutable=True)
        if isinstance(self.list.view, SavedView):
            query["view"] = str(self.list.view.pk)
        if text := self.query.get("sort"):
            query["sort"] = text
        query.setlist("columns", self.query.getlist("columns"))
        query["filter"] = as_parameter(found.document)
        if len(query.urlencode()) > LONGEST_ADDRESS:
            text = _("This is too long for the address of a page. Save it as a view.")
            return self.redraw(status=422, message=text)
        return SeeOther(f"{list_url(self.listed)}?{query.urlencode()}")

    def get_context_data(self, **kwargs):
        plural = self.listed._meta.verbose_name_plural
        context = super().get_context_data(**kwargs)
        title = _("Filter %(records)s") % {"records": plural}
        form = context["form"]
        return {
            **context,
            "title": context["title"] if "record" in context else title,
            "crumbs": [
                {"label": capfirst(plural), "url": list_url(self.listed)},
                {"label": context["title"] if "record" in context else title},
            ],
            "is_open": form.is_bound or "record" in context,
            "cancel_url": list_url(self.listed),
        }

    def location_of(self, record):
        return record.get_absolute_url()


class SavedViewCreateView(SavedViewMixin, RecordCreateView):
    """Edit the conditions of a list, and show them or keep them as a view."""

    success_message = gettext_lazy("Saved the view %(object)s.")

    @cached_property
    def listed(self):
        return record_model(self.kwargs["label"])

    def dispatch(self, request, *args, **kwargs):
        if not may(request.user, Verb.VIEW, self.listed):
            plural = self.listed._meta.verbose_name_plural
            forbid(NotAllowed(_("You can't view %(what)s.") % {"what": plural}))
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self):
        return {}

    def get_form_kwargs(self):
        instance = SavedView(model=self.listed._meta.label_lower, owner=self.request.user)
        return super().get_form_kwargs() | {"instance": instance}


class SavedViewUpdateView(SavedViewMixin, RecordUpdateView):
    """Change a view: its conditions, name and audience; columns and order are those of the list."""

    model = SavedView
    success_message = gettext_lazy("Saved the view %(object)s.")

    @property
    def listed(self):
        return self.record.model_class

    def get_queryset(self):
        return SavedView.objects.visible_to(self.request.user).select_related("owner")

    @cached_property
    def query(self):
        query = self.request.GET.copy()
        query["view"] = str(self.record.pk)
        return query

    @cached_property
    def list(self):
        view = list_of(self.listed, self.request, self.query)
        view.view = self.record  # also where it is not offered: administrators see all views
        return view

    def get_crumbs(self):
        return []

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        return {
            **context,
            "delete_url": reverse("core:savedview_delete", args=[self.record.pk]),
            "cancel_url": self.record.get_absolute_url(),
        }


class SavedViewDeleteView(VerbView):
    """Say what removing a view means, then do it."""

    model = SavedView
    verb = Verb.EDIT
    form_class = VerbForm
    template_name = "core/confirm_remove_view.html"
    success_message = gettext_lazy("Removed the view %(object)s.")

    def get_queryset(self):
        return SavedView.objects.visible_to(self.request.user).select_related("owner")

    def get_crumbs(self):
        model = self.record.model_class
        return [
            {"label": capfirst(model._meta.verbose_name_plural), "url": list_url(model)},
            {"label": str(self.record), "url": self.record.get_absolute_url()},
            {"label": _("Remove")},
        ]

    def get_context_data(self, **kwargs):
        title = _("Remove the view %(view)s") % {"view": self.record}
        return {
            "title": title,
            "is_shared": self.record.audience != SavedView.Audience.ME,
            **super().get_context_data(**kwargs),
        }

    def perform(self, form):
        return saved_views.remove_view(self.record, by=self.request.user, key=form.key)

    def get_success_url(self):
        return list_url(self.record.model_class)


class PinnedView(TemplateView):
    """The pinned views with their counts: a part that the navigation, or a page, asks for."""

    def get_template_names(self):
        is_lines = self.request.GET.get("as") == "lines"
        return ["core/_pinned_lines.html" if is_lines else "core/_pinned.html"]

    def get_context_data(self, **kwargs):
        user = self.request.user
        pinned = [
            {"view": view, "url": view.get_absolute_url(), "count": saved_views.count(view, user)}
            for view in saved_views.pinned_for(user)
        ]
        return super().get_context_data(pinned=pinned, is_counted=True, **kwargs)
