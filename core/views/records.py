"""The pages of one record: looking, making, changing, archiving, its history."""

import copy

from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.generic import FormView, TemplateView

from core import display, reach, recycle_bin, services
from core.errors import NotAllowed, Stale
from core.forms import AssignForm, VerbForm, key_or_none
from core.history import history
from core.journal import Kind, Label, operation, retried
from core.prepared import prepared
from core.reach import Verb, where
from core.tables import as_columns
from core.views.base import (
    Action,
    DomainFormMixin,
    RecordMixin,
    VerbView,
    forbid,
    list_url,
    url_of,
    where_to_look,
)
from core.views.in_place import InPlaceMixin
from core.views.position import FromListMixin

LINKED = frozenset({"link", "record", "email", "phone", "url"})
STANDARD_ACTIONS = (
    ("update", Verb.EDIT, gettext_lazy("Edit"), "pencil", "e"),
    ("assign", Verb.ASSIGN, gettext_lazy("Assign to someone"), "user-share", "a"),
    ("sharing", Verb.VIEW, gettext_lazy("Who can see it"), "users", ""),
    ("history", Verb.VIEW, gettext_lazy("All changes"), "history", ""),
    ("archive", Verb.ARCHIVE, gettext_lazy("Archive"), "archive", ""),
)


class RecordDetailView(FromListMixin, RecordMixin, TemplateView):
    """
    A record's page: what it is, what can be done, all that is known.

    ``facts`` are the Columns, or names of fields, under the header; ``groups`` the details:
    ``((_("Profile"), ("type", "industry", …)), …)``; a Column there may gather several fields,
    its key is the field that its link leads to.
    """

    template_name = "base/detail.html"
    facts = ()
    groups = ()
    form_class = None  # of the page behind Edit: details link to its fields
    offered = ()  # the fields of the details that are shown though blank, to be filled
    select_related = ("owner",)
    annotations = {}  # what is asked together with the record, by name

    def load(self, pk):
        visible = where(self.model, self.request.user)
        found = records_with_key(visible, pk, view=type(self), model=self.model)
        if not found:
            raise Http404
        return found[0]

    def get(self, request, *args, **kwargs):
        winner = getattr(self.record, "merged_into", None)
        if winner is not None and winner.can(request.user, Verb.VIEW):
            return HttpResponseRedirect(winner.get_absolute_url())
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        actions = self.get_actions()
        return {
            "actions": actions,
            "facts": [*self._facts()],
            "groups": [(h, list(self._details(items, actions))) for h, items in self.groups],
            "line": self.get_line(),
            "is_archived": self.is_archived,
            "position": self.position,
            **self.arrange(actions),
            **context,
        }

    @property
    def is_archived(self):
        return getattr(self.record, "archived_at", None) is not None

    def get_line(self):
        """The line under the record's name."""
        return ""

    def may(self, verb):
        """Whether the user may do ``verb`` to the record as it stands."""
        return (
            not self.is_archived
            and not self.record.why_read_only()
            and self.record.can(self.request.user, verb)
        )

    def get_actions(self):
        """What the user may do here: {name: Action}; templates never decide."""
        record, actions = self.record, {}
        if self.is_archived:
            if recycle_bin.archived(self.model, by=self.request.user).filter(pk=record.pk).exists():
                url = reverse("core:restore", args=[record._meta.label_lower, record.pk])
                actions["restore"] = Action(_("Restore"), url, "arrow-back-up", post=True)
        for name, verb, label, icon, key in STANDARD_ACTIONS:
            if (url := url_of(record, name)) and (verb == Verb.VIEW or self.may(verb)):
                actions[name] = Action(label, url, icon, key)
        return actions

    def arrange(self, actions):
        """The actions of the header: the filled button, the outlined ones, and the menu."""
        primary = actions.get("restore")
        return {
            "primary": primary,
            "buttons": [actions["update"]] if "update" in actions else [],
            "more": [a for n, a in actions.items() if n not in ("update", "restore")],
        }

    def _facts(self):
        """The facts of the header; one without a value, or words for it, is left out."""
        for column in as_columns(self.model, self.facts):
            value = column.value_of(self.record)
            is_blank = value is None or value == ""
            if is_blank and not column.blank:
                continue
            yield {
                "label": column.label,
                "value": column.blank if is_blank else value,
                "kind": "text" if is_blank else column.kind,
                "currency": getattr(self.record, "currency", ""),
                "tone": column.tone(self.record) if column.tone else "",
            }

    def _details(self, items, actions):
        """The details of one group; blank ones only if they are offered to who can fill them."""
        names = set(self.form_class._meta.fields) if "update" in actions else set()
        if (limit := reach.editable_fields(self.record, self.request.user)) is not None:
            names &= limit
        for column in as_columns(self.model, items):
            url = ""
            if column.key in names:
                url = f"{actions['update'].url}?field={column.key}"
            shown = column.shown(self.record)
            if shown or (url and column.key in self.offered):
                is_link = column.kind in LINKED
                name = display.in_sentence(str(column.label))
                yield {
                    "column": column,
                    "name": name,
                    "shown": shown,
                    "url": url,
                    "is_link": is_link,
                }


@prepared
def records_with_key(visible, pk, *, view, model):
    """The record of ``model`` with the key ``pk`` as ``view`` wants it, if it is ``visible``."""
    rows = model.objects.filter(visible, pk=pk).select_related(*view.select_related)
    return rows.annotate(**view.annotations)


class RecordFormMixin(DomainFormMixin):
    """A page that saves the fields of one record by its RecordForm."""

    template_name = "base/form.html"

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"by": self.request.user}

    def write(self, form, record):
        """Save ``record``, on which the form's values are set; inside the operation."""
        record.save()

    def location_of(self, record):
        """Where the saved record is looked at."""
        return where_to_look(record, self.request.user)

    def get_success_url(self):
        return self.location_of(self.object)


class RecordCreateView(RecordFormMixin, FormView):
    """The form of a new record; the URL's parameters fill its fields beforehand."""

    success_message = gettext_lazy("Added %(object)s.")

    @property
    def model(self):
        return self.form_class._meta.model

    def dispatch(self, request, *args, **kwargs):
        try:
            reach.require(request.user, Verb.CREATE, self.model)
        except NotAllowed as error:
            forbid(error)
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self):
        names = self.form_class._meta.fields
        return {name: value for name, value in self.request.GET.items() if name in names}

    def get_context_data(self, **kwargs):
        meta = self.model._meta
        title = _("New %(kind)s") % {"kind": meta.verbose_name}
        plural = {"label": capfirst(meta.verbose_name_plural), "url": list_url(self.model)}
        return {
            "title": title,
            "about": getattr(self.model, "about", ""),
            "crumbs": [plural, {"label": title}],
            "submit": _("Add %(kind)s") % {"kind": meta.verbose_name},
            "cancel_url": list_url(self.model),
            **super().get_context_data(**kwargs),
        }

    def label_of(self, record):
        """The words of the operation that made ``record``."""
        return Label(gettext_noop("Added %(record)s"), record=record)

    @retried
    def perform(self, form):
        by = self.request.user
        with operation(Kind.CREATE, by=by, label=Label(""), key=form.key) as op:
            record = form.build()
            reach.require(by, Verb.CREATE, record)
            self.write(form, record)
            op.label = self.label_of(record)
            op.location = self.location_of(record)
        return record


class WholeUpdateView(RecordMixin, RecordFormMixin, FormView):
    """The form of a record; over a newer version it asks which value stays."""

    verb = Verb.EDIT
    success_message = gettext_lazy("Saved %(object)s.")
    conflict_template_name = "core/conflict.html"

    def get_form_kwargs(self):
        # A copy: the form sets its values on it, and the page goes on naming the record as it is.
        return super().get_form_kwargs() | {"instance": copy.copy(self.record)}

    def get_context_data(self, **kwargs):
        return {
            "title": _("Edit %(record)s") % {"record": self.record},
            "submit": _("Save"),
            "cancel_url": self.record.get_absolute_url(),
            **super().get_context_data(**kwargs),
        }

    @retried
    def perform(self, form):
        by = self.request.user
        label = Label(gettext_noop("Edited %(record)s"), record=self.record)
        with operation(Kind.EDIT, by=by, label=label, key=form.key) as op:
            record = services.locked(self.record, by=by, verb=self.verb)
            if record.version != self.version_of(form):
                raise Stale(_("This was changed while you were editing it."))
            self.write(form, form.apply_to(record))
            op.location = self.location_of(record)
        return record

    def refused(self, form, error):
        if isinstance(error, Stale) and not error.location:
            return self.conflicting(form)
        return super().refused(form, error)

    def conflicting(self, form):
        """Show mine and theirs side by side; what only one side changed is merged."""
        record = get_object_or_404(self.get_queryset(), pk=self.record.pk)
        context = self.get_context_data(form=form, comparison=form.compare(record))
        self.template_name = self.conflict_template_name
        return self.render_to_response(context, status=409)

    def version_of(self, form):
        """The version over which the form may be written: the one that it was filled from."""
        return form.version


class RecordUpdateView(InPlaceMixin, WholeUpdateView):
    """
    The form of a record, with all its fields or with one of them.

    ``?field=phone`` is the form of that field alone, which htmx opens in the field's place.
    """


class RecordArchiveView(VerbView):
    """Say what archiving means for this record, then do it."""

    verb = Verb.ARCHIVE
    form_class = VerbForm
    template_name = "core/confirm_archive.html"
    success_message = gettext_lazy("Archived %(object)s.")

    def get_consequences(self):
        """What happens with it, one sentence each."""
        return [
            _("It leaves lists, searches and totals."),
            _("What refers to it keeps its link."),
            _("It can be restored from the recycle bin at any time."),
        ]

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        return {"consequences": self.get_consequences(), **context}

    def perform(self, form):
        return services.archive(self.record, by=self.request.user, key=form.key)

    def get_success_url(self):
        return list_url(self.model)


class RecordAssignView(VerbView):
    """Give the record to another owner."""

    verb = Verb.ASSIGN
    form_class = AssignForm
    template_name = "base/form.html"
    success_message = gettext_lazy("Assigned %(object)s.")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"by": self.request.user}

    def get_initial(self):
        return {"owner": self.record.owner_id}

    def get_context_data(self, **kwargs):
        return {
            "title": _("Assign %(record)s") % {"record": self.record},
            "submit": _("Assign"),
            "cancel_url": self.record.get_absolute_url(),
            **super().get_context_data(**kwargs),
        }

    def perform(self, form):
        owner = form.cleaned_data["owner"]
        return services.assign(self.record, owner=owner, by=self.request.user, key=form.key)


class RecordHistoryView(RecordMixin, TemplateView):
    """All changes of a record, newest first."""

    template_name = "core/record_history.html"

    def get_crumbs(self):
        return [*super().get_crumbs(), {"label": _("All changes")}]

    def get_context_data(self, **kwargs):
        after = key_or_none(self.request.GET.get("after", ""))
        entries, has_older = history(self.record, user=self.request.user, after=after)
        return {
            "entries": entries,
            "older": entries[-1].change.pk if has_older else "",
            **super().get_context_data(**kwargs),
        }
