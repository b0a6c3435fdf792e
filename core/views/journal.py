"""The pages of the journal: what was done, taking it back, the recycle bin."""

from collections import defaultdict

from django.apps import apps
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView, View

from core import reach, recycle_bin
from core.errors import Conflict, DomainError, NotAllowed
from core.forms import key_or_none
from core.history import Reader, recent_operations
from core.journal import Change, Operation
from core.tables import Column, Sort, page_of
from core.undo import CannotUndo, is_redo, is_undone, preview_undo, start_of_chain, undo
from core.views.base import (
    SeeOther,
    announce,
    forbid,
    list_url,
    record_model,
    record_models,
    where_to_look,
)

PAGE = 50
TOLD = 100  # lines that say what an undo does; the others are counted
ARCHIVED = Column("archived_at", gettext_lazy("Archived"), sort="archived_at", kind="moment")


class OperationListView(TemplateView):
    """What the user did, newest first, each with its Undo."""

    template_name = "core/operation_list.html"

    def get_context_data(self, **kwargs):
        user = self.request.user
        before = key_or_none(self.request.GET.get("before", ""))
        found = recent_operations(user=user, limit=PAGE + 1, before=before)
        shown = found[:PAGE]
        reader = Reader(user, shown)
        return {
            "crumbs": [{"label": _("History")}],
            "operations": [(operation, reader.label(operation)) for operation in shown],
            "older": shown[-1].pk if len(found) > PAGE else "",
            **super().get_context_data(**kwargs),
        }


class OperationMixin:
    """Load an operation that the user did, may undo, or that touched a record he may see."""

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        rows = Operation.objects.select_related("actor", "run", "undoes__actor")
        self.operation = get_object_or_404(rows, pk=kwargs["pk"])
        if not self.is_within_reach():
            raise Http404

    def is_within_reach(self):
        user, done = self.request.user, self.operation
        if done.actor_id == user.pk or reach.may_undo(user, start_of_chain(done).actor):
            return True
        changes = Change.objects.filter(operation=done).order_by("pk")[:PAGE]
        return bool(visible_records(changes, user))

    def get_context_data(self, **kwargs):
        reader = Reader(self.request.user, [self.operation])
        label = reader.label(self.operation)
        return {
            "operation": self.operation,
            "label": label,
            "crumbs": [{"label": _("History"), "url": "/history/"}, {"label": label}],
            **super().get_context_data(**kwargs),
        }


class OperationView(OperationMixin, TemplateView):
    """One thing that somebody did: every field of every record that the reader may see."""

    template_name = "core/operation.html"

    def get_context_data(self, **kwargs):
        user, done = self.request.user, self.operation
        after = key_or_none(self.request.GET.get("after", "")) or 0
        changes = Change.objects.filter(operation=done, pk__gt=after).order_by("pk")
        found = list(changes[: PAGE + 1])
        shown = found[:PAGE]
        records = visible_records(shown, user)
        reader = Reader(user, [], shown, changed=records)
        entries = [
            {
                "change": change,
                "record": records[change.model, change.object_id],
                "kind": apps.get_model(change.model)._meta.verbose_name,
                "values": reader.values(change),
            }
            for change in shown
            if (change.model, change.object_id) in records
        ]
        chunks = Operation.objects.filter(run=done).select_related("actor").order_by("pk")[:PAGE]
        chunk_reader = Reader(user, list(chunks))
        return {
            "entries": entries,
            "hidden": len(shown) - len(entries),
            "older": shown[-1].pk if len(found) > PAGE else "",
            "chunks": [(chunk, chunk_reader.label(chunk)) for chunk in chunks],
            "is_undone": is_undone(done),
            "may_undo": reach.may_undo(user, start_of_chain(done).actor),
            **super().get_context_data(**kwargs),
        }


def visible_records(changes, user):
    """
    The records of ``changes`` that ``user`` may see: {(model, id): record or None}.

    A removed record is told to administrators only, for nothing says any more whose it was.
    """
    keys = defaultdict(set)
    for change in changes:
        keys[change.model].add(change.object_id)
    found = {}
    for label, pks in keys.items():
        manager = apps.get_model(label)._default_manager
        rows = manager.filter(pk__among=sorted(pks))
        if hasattr(rows, "visible_to"):
            rows = rows.visible_to(user)
        elif not reach.is_admin(user):
            continue
        found |= {(label, row.pk): row for row in rows}
        if reach.is_admin(user):
            found |= {(label, pk): None for pk in pks if (label, pk) not in found}
    return found


class UndoView(OperationMixin, TemplateView):
    """Show what taking an operation back would do and what stands in the way; then do it."""

    template_name = "core/undo.html"

    def get(self, request, *args, **kwargs):
        try:
            context = self.get_context_data(plans=preview_undo(self.operation, by=request.user))
        except DomainError as error:
            return self.refuse(error)
        return self.render_to_response(context)

    def post(self, request, *args, **kwargs):
        accept = _accepted(request.POST.getlist("accept"))
        try:
            done = undo(self.operation, by=request.user, accept=accept)
        except DomainError as error:
            return self.refuse(error)
        announce(request, Reader(request.user, [done]).label(done), done.pk)
        return SeeOther(self.where_to_look(done))

    def refuse(self, error):
        """Say what stands in the way, with everything that the undo would do."""
        if isinstance(error, NotAllowed):
            forbid(error)
        plan = getattr(error, "plan", None)
        plans = [plan] if plan is not None else []
        context = self.get_context_data(plans=plans, refusal=error)
        return self.render_to_response(context, status=error.status)

    def get_context_data(self, plans=(), **kwargs):
        told = _told_together(plans, self.request.user)
        is_possible = told is not None and not told["in_the_way"]
        return {
            "plans": [told] if told else [],
            "is_redo": is_redo(self.operation),
            "is_possible": is_possible and ("refusal" not in kwargs or bool(told["ticks"])),
            **super().get_context_data(**kwargs),
        }

    def where_to_look(self, done):
        """The page of the record that the operation was about, else the undo itself."""
        for named in start_of_chain(self.operation).label.get("named", {}).values():
            if not isinstance(named, dict) or named["model"] == "core.operation":
                continue
            model = apps.get_model(named["model"])
            if not hasattr(model, "get_absolute_url"):
                continue
            row = model._default_manager.filter(pk=named["id"]).first()
            return where_to_look(row, self.request.user) if row else list_url(model)
        return done.get_absolute_url()


def _accepted(values):
    """The (model, id) pairs that were ticked; anything else is ignored."""
    found = []
    for value in values:
        model, _colon, pk = value.partition(":")
        if (key := key_or_none(pk)) is not None:
            found.append((model, key))
    return found


def _told_together(plans, user):
    """The plans of an undo in words, those of a run as one; None without any."""
    told = None
    for plan in plans:
        one = _told(plan, user, room=TOLD - len(told["lines"]) if told else TOLD)
        if told is None:
            told = one
            continue
        told["more"] += one.pop("more")
        told = {name: [*told[name], *one[name]] for name in one} | {"more": told["more"]}
    if told is not None:
        told["more_kept"] = max(len(told["kept"]) - TOLD, 0)
        told["kept"] = told["kept"][:TOLD]
    return told


def _told(plan, user, room):
    """
    An undo's plan in words: what it does to each record, what stays, what is in the way.

    Of what it does there are ``room`` lines at most; ``more`` counts the others.
    """
    happens = [at for at in plan.state if at not in plan.skipped]
    shown = set(happens[:room])
    fields = defaultdict(list)
    for change in plan.steps:
        at = change.model, change.object_id
        if at in shown:
            fields[at] += [*change.before_values, *change.after_values]
    lines = [
        {
            "name": _name(plan, at, user),
            "sign": _sign(plan.present.get(at), values),
            "fields": _labels(at[0], fields[at], seen=_sight(plan, at, user)),
        }
        for at, values in plan.state.items()
        if at in shown
    ]
    ticks = {(tick.model, tick.object_id): [] for tick in plan.ticks}
    for tick in plan.ticks:
        ticks[tick.model, tick.object_id].append(tick.text)
    return {
        "lines": lines,
        "more": len(happens) - len(lines),
        "in_the_way": [_finding(plan, finding, user) for finding in plan.in_the_way],
        "kept": [_finding(plan, finding, user) for finding in plan.kept],
        "claimed": [_finding(plan, finding, user) for finding in plan.claimed],
        "ticks": [
            {"value": f"{at[0]}:{at[1]}", "name": _name(plan, at, user), "texts": texts}
            for at, texts in ticks.items()
        ],
    }


def _sign(present, values):
    if values is None:
        return "remove"
    return "restore" if present is None else "change"


def _sight(plan, at, user):
    """What ``user`` sees of a record of the plan."""
    record = plan.present.get(at) or plan.met.get(at)
    if record is None:
        return reach.sight(user, apps.get_model(at[0]))
    return reach.sight_of(record, user)


def _labels(model, names, *, seen):
    meta = apps.get_model(model)._meta
    known = {field.name: field.verbose_name for field in meta.concrete_fields}
    return [str(known[name]) for name in dict.fromkeys(names) if name in known and name in seen]


def _finding(plan, finding, user):
    at = finding.model, finding.object_id
    record = plan.present.get(at) or plan.met.get(at)
    is_visible = record is not None and _may_see(record, user)
    url = getattr(record, "get_absolute_url", None) if is_visible else None
    return {"name": _name(plan, at, user), "text": finding.text, "url": url() if url else ""}


def _name(plan, at, user):
    record = plan.present.get(at) or plan.met.get(at)
    if record is not None and (not hasattr(record, "can") or reach.may_name(record, user)):
        return str(record)
    return _("%(kind)s %(id)s") % {
        "kind": capfirst(apps.get_model(at[0])._meta.verbose_name),
        "id": at[1],
    }


def _may_see(record, user):
    return not hasattr(record, "can") or record.can(user, reach.Verb.VIEW)


class RecycleBinView(TemplateView):
    """The archived records of one kind that the user may restore, the last archived first."""

    template_name = "core/recycle_bin.html"

    def get_context_data(self, **kwargs):
        models = [m for m in record_models() if reach.may(self.request.user, reach.Verb.VIEW, m)]
        wanted = self.request.GET.get("kind", "")
        named = {model._meta.model_name: model for model in models}
        model = named.get(wanted) or next(iter(models), None)
        page = None
        if model is not None:
            page = page_of(
                recycle_bin.archived(model, by=self.request.user).select_related("owner"),
                Sort(ARCHIVED, descending=True),
                after=self.request.GET.get("after", ""),
                before=self.request.GET.get("before", ""),
            )
        return {
            "crumbs": [{"label": _("Recycle bin")}],
            "kinds": [
                {"name": m._meta.model_name, "label": capfirst(m._meta.verbose_name_plural)}
                for m in models
            ],
            "model": model,
            "label": model._meta.label_lower if model else "",
            "kind": model._meta.model_name if model else "",
            "page": page,
            **super().get_context_data(**kwargs),
        }


class RestoreView(View):
    """Bring one record back from the recycle bin."""

    def post(self, request, *args, label, pk):
        model = record_model(label)
        records = model.objects.archived().visible_to(request.user)
        record = get_object_or_404(records, pk=pk)
        try:
            done = recycle_bin.restore(record, by=request.user)
        except NotAllowed as error:
            forbid(error)
        except Conflict as error:
            plan = error.plan if isinstance(error, CannotUndo) else None
            context = {
                "record": record,
                "refusal": error,
                "plans": [_told_together([plan], request.user)] if plan else [],
                "crumbs": [{"label": _("Recycle bin"), "url": "/recycle-bin/"}, {"label": record}],
            }
            return render(request, "core/not_restored.html", context, status=error.status)
        announce(request, _("Restored %(record)s.") % {"record": record}, done.pk)
        return SeeOther(record.get_absolute_url())
