"""Choosing records of a list, and the pages on which one verb is done to all of them."""

from django.contrib import messages
from django.core.exceptions import BadRequest, ObjectDoesNotExist
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from core import batches
from core.batches import DONE, FAILED, LARGEST_AT_ONCE, SKIPPED, Outcome
from core.display import number
from core.errors import DomainError, NotAllowed
from core.forms import key_or_none
from core.models import Batch
from core.views.base import (
    DomainFormMixin,
    SeeOther,
    announce,
    forbid,
    list_url,
    record_model,
)
from core.views.saved import list_of

NAMED = 10  # records that the page of a verb names
TOLD = 100  # rows of a preview or a result, the refused ones first
ORDER = (FAILED, SKIPPED, DONE)


def verb_of(name, model, user):
    """The BatchVerb of that name; 403 without the right to it."""
    verb = batches.verb_named(name, model, user)
    if verb is None:
        forbid(NotAllowed(_("You can't do this to many records at once.")))
    return verb


def query_of(text):
    """
    The address of the list that a bar sends, as the list itself would read it.

    :raises BadRequest: with a null character, which the address of no page may hold
    """
    query = QueryDict(text)
    if any("\0" in part for part in (*query, *(v for _name, vs in query.lists() for v in vs))):
        raise BadRequest("The address holds a null character.")
    return query


class ChooseView(View):
    """Take the ticked rows of a list, or all that it finds, to the page of a verb."""

    http_method_names = ("post", "options")

    def post(self, request, label):
        model = record_model(label)
        verb = verb_of(request.POST.get("verb", ""), model, request.user)
        query = query_of(request.POST.get("query", ""))
        back = f"{list_url(model)}?{query.urlencode()}"
        keys = self.all_of(model, query) if request.POST.get("all") else self.ticked()
        if not keys:
            messages.info(request, _("Tick the records first."))
            return SeeOther(back)
        try:
            batch = batches.choose(verb, keys)
        except ObjectDoesNotExist as error:
            raise Http404 from error
        except DomainError as error:
            messages.warning(request, error.message)
            return SeeOther(back)
        return SeeOther(reverse("core:batch_verb", args=[batch.pk]))

    def ticked(self):
        keys = [key_or_none(text) for text in self.request.POST.getlist("pick")]
        if None in keys:
            raise Http404
        return keys

    def all_of(self, model, query):
        """The keys of all that the list finds, up to one more than a batch may have."""
        view = list_of(model, self.request, query)
        if view.refusal:
            return []
        rows = view.get_records().order_by("pk").values_list("pk", flat=True)
        return list(rows[: batches.LARGEST + 1])


class BatchMixin:
    """Load the user's own batch that the URL names, and its verb."""

    model = Batch

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        rows = Batch.objects.select_related("operation").filter(user=request.user.pk)
        self.batch = get_object_or_404(rows, pk=kwargs["pk"])

    @cached_property
    def listed(self):
        """The model of the records."""
        return record_model(self.batch.model)

    @cached_property
    def verb(self):
        verb = verb_of(self.batch.verb, self.listed, self.request.user)
        verb.field = QueryDict(self.batch.data).get("field", verb.field)
        return verb

    def crumbs(self, title):
        plural = capfirst(self.listed._meta.verbose_name_plural)
        return [{"label": plural, "url": list_url(self.listed)}, {"label": title}]

    def records(self, keys):
        """The records of these keys that the user may see, in the order of the keys."""
        rows = self.listed.objects.visible_to(self.request.user).filter(pk__among=keys)
        found = rows.select_related("owner").in_bulk()
        return [found[key] for key in keys if key in found]


class BatchVerbView(BatchMixin, DomainFormMixin, TemplateView):
    """Say what is chosen, ask for the choices of the verb, show what would happen, and do it."""

    template_name = "core/batch_form.html"

    def dispatch(self, request, *args, **kwargs):
        if self.batch.started_at:
            return SeeOther(self.batch.get_absolute_url())
        if not self.first:
            messages.info(request, _("None of the chosen records is there any more."))
            return SeeOther(list_url(self.listed))
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def first(self):
        """Some of the records, the first ones that are still there; none if all are gone."""
        keys = self.batch.keys
        found = self.records(keys[:NAMED])
        for some in batches.portions(keys[NAMED:]):
            if found:
                break
            found = self.records(some)[:NAMED]
        return found

    def get_form(self, data=None):
        return self.verb.get_form(
            self.first[: batches.CHECKED], data, initial=self.request.GET.dict()
        )

    def get_context_data(self, form=None, **kwargs):
        form = form or self.get_form()
        count, verb = len(self.batch.keys), self.verb
        refused = len(batches.out_of_reach(self.batch, verb))
        title = verb.title(count)
        return super().get_context_data(
            form=form,
            title=title,
            submit=title,
            crumbs=self.crumbs(title),
            cancel_url=list_url(self.listed),
            verb=verb,
            first=self.first,
            more=count - len(self.first),
            refused=refused,
            left=count - refused,
            may_ask_for_all=count <= LARGEST_AT_ONCE,
            chosen_fields=None if form or not hasattr(verb, "fields") else [*self.fields()],
            field=getattr(verb, "field", "") if hasattr(verb, "fields") else "",
            **kwargs,
        )

    def fields(self):
        return self.verb.fields(self.first)

    def get(self, request, *args, **kwargs):
        return self.render_to_response(self.get_context_data())

    def post(self, request, *args, **kwargs):
        if "leave_out" in request.POST:
            batch = batches.leave_out(self.batch, self.verb)
            return SeeOther(reverse("core:batch_verb", args=[batch.pk]))
        form = self.get_form(request.POST)
        if form is None:
            return self.form_invalid(None)
        if not form.is_valid():
            return self.form_invalid(form)
        if "preview" in request.POST:
            return self.preview(form)
        return self.form_valid(form)

    def preview(self, form):
        trials = batches.try_out(self.batch, self.verb, form)
        told = batches.counts(trial.outcome for trial in trials)
        shown = trials
        if len(trials) > TOLD:
            shown = sorted(trials, key=lambda trial: ORDER.index(trial.outcome.state))[:TOLD]
        context = self.get_context_data(
            form=form,
            trials=shown,
            more_trials=len(trials) - len(shown),
            told=sentences(told, tried=True),
            untried=len(self.batch.keys) - len(trials),
        )
        return self.render_to_response(context)

    def perform(self, form):
        strict = bool(self.request.POST.get("all_or_nothing"))
        return batches.start(self.batch, self.verb, form, all_or_nothing=strict)

    def performed(self, form):
        batch = self.object
        text = " ".join(sentences(batches.counts(outcomes_of(batch))))
        if batch.done_at:
            announce(self.request, text, batch.operation_id)
        return SeeOther(batch.get_absolute_url())


def outcomes_of(batch):
    """What became of the records of a batch so far."""
    return [Outcome(*row) for row in batch.outcomes]


def sentences(told, *, tried=False):
    """How many were done, skipped and failed, a sentence each; of a trial what would be."""
    words = {
        DONE: _("%(count)s would be changed.") if tried else _("%(count)s changed."),
        SKIPPED: _("%(count)s would be skipped.") if tried else _("%(count)s skipped."),
        FAILED: _("%(count)s would fail.") if tried else _("%(count)s failed."),
    }
    return [
        text % {"count": number(told[state])}
        for state, text in words.items()
        if told[state] or state == DONE
    ]


class BatchView(BatchMixin, TemplateView):
    """What became of each record; of a batch that is not done yet, how far it is."""

    template_name = "core/batch_detail.html"

    def dispatch(self, request, *args, **kwargs):
        if self.batch.started_at is None:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        batch, outcomes = self.batch, outcomes_of(self.batch)
        shown = sorted(outcomes, key=lambda outcome: ORDER.index(outcome.state))[:TOLD]
        records = {record.pk: record for record in self.records([o.pk for o in shown])}
        title = self.verb.title(len(batch.keys))
        return super().get_context_data(
            batch=batch,
            title=title,
            crumbs=self.crumbs(title),
            told=sentences(batches.counts(outcomes)),
            rows=[(outcome, records.get(outcome.pk)) for outcome in shown],
            more=len(outcomes) - len(shown),
            so_far=len(outcomes),
            count=len(batch.keys),
            kind=self.listed._meta.model_name,
            **kwargs,
        )

    def post(self, request, *args, **kwargs):
        """Go on with what is left."""
        if self.batch.done_at is None:
            form = batches.form_of(self.batch, self.verb)
            if form is None:
                text = _("It can't go on: what was chosen is no longer possible.")
                messages.warning(request, text)
            else:
                batches.go_on(self.batch, self.verb, form)
        return SeeOther(self.batch.get_absolute_url())
