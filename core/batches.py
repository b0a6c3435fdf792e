"""
The same verb for many records at once: chosen, tried out, done chunk by chunk, told row by row.

Each record goes through the service that its own page calls, so a batch can do nothing that a
page refuses. Up to CHUNK records are one operation; more of them are a run whose chunks are
committed one after the other, so that they can be taken back, and gone on with after a stop.
Rule: docs/rules/batches.md.
"""

import copy
import time
from collections import Counter
from dataclasses import dataclass

from django.db import IntegrityError
from django.http import QueryDict
from django.urls import resolve
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from core import services
from core.addresses import address_of
from core.errors import Conflict, DomainError, Invalid, NotAllowed, Repeated, from_integrity
from core.forms import AssignForm, VerbForm
from core.journal import Kind, Label, operation, retried, start_run
from core.models import Batch, OwnedRecord
from core.reach import Verb, allowed, may, reach_of
from core.records import lock
from core.tables import column_of

LARGEST = 10_000
LARGEST_AT_ONCE = 1_000  # if all or nothing is asked for
CHUNK = 200
TRIED = 200  # so many are tried out beforehand
READ = 1_000
CHECKED = 5  # records over which the choices are checked
SECONDS = 5  # how long one request works on a batch

DONE, SKIPPED, FAILED = "done", "skipped", "failed"


@dataclass(frozen=True)
class Outcome:
    """What became of one record, and why if it was not done."""

    pk: int
    state: str = DONE
    reason: str = ""


class Nothing(Conflict):
    """There is nothing to do for this record."""


class SomeFailed(Invalid):
    """All or nothing was asked for, and there were records that could not be done."""


# -- verbs ------------------------------------------------------------------------------------


class BatchVerb:
    """
    One thing that can be done to many records.

    ``verb`` is the right that it needs on each of them, ``grant`` the further one of its user.
    ``field`` is what it writes, shown before and after. ``key`` presses its button. ``own``
    holds, by model, the services of models that do it in their own way.
    """

    name = ""
    label = ""
    icon = ""
    key = ""
    verb = Verb.EDIT
    grant = ""
    field = ""
    form_class = VerbForm
    message = gettext_noop("Changed %(count)s records")

    def __init__(self, model, *, by):
        self.model = model
        self.by = by

    @classmethod
    def is_for(cls, model):
        """Whether records of ``model`` can be treated so."""
        return issubclass(model, OwnedRecord)

    def get_form(self, records, data=None, initial=None):
        """The form of the choices; ``records`` are some of the batch."""
        return self.form_class(data, initial=initial)

    def title(self, count):
        """What is about to be done, in words."""
        raise NotImplementedError(f"{type(self).__name__} must say what it does.")

    def labelled(self, form, count):
        """The Label of the operation."""
        return Label(self.message, count=count)

    def do(self, record, form):
        """
        Do it to one locked record by the service of its page.

        :raises Conflict: there is nothing to do, or the record is not in the state for it
        :raises DomainError: a rule refuses it
        """
        raise NotImplementedError(f"{type(self).__name__} must do something.")

    def value_of(self, record):
        """The value of the field that is written, as people read it."""
        return column_of(self.model, self.field).shown(record) if self.field else ""

    def counted(self, count):
        return {"count": count, "what": self._noun(count)}

    def _noun(self, count):
        names = self.model._meta
        return names.verbose_name if count == 1 else names.verbose_name_plural


VERBS = []


def offered(verb):
    """Offer a BatchVerb in the bar of lists; a class decorator."""
    VERBS.append(verb)
    return verb


def verbs_for(model, user):
    """The BatchVerbs that ``user`` may use on records of ``model``, in the order of the bar."""
    grants = reach_of(user).grants
    for verb in VERBS:
        if verb.is_for(model) and (not verb.grant or verb.grant in grants):
            if may(user, verb.verb, model):
                yield verb(model, by=user)


def verb_named(name, model, user):
    """The BatchVerb of that name that ``user`` may use; None if there is none."""
    return next((verb for verb in verbs_for(model, user) if verb.name == name), None)


@offered
class Assign(BatchVerb):
    """Give records to another owner."""

    name = "assign"
    label = gettext_lazy("Assign")
    icon = "user-share"
    key = "a"
    verb = Verb.ASSIGN
    field = "owner"
    message = gettext_noop("Assigned %(count)s records to %(owner)s")
    own = {}

    @classmethod
    def done_by(cls, model, form_class, service):
        """Let ``service(record, form, by=)`` assign records of ``model``, by a form of its own."""
        cls.own[model] = form_class, service

    def get_form(self, records, data=None, initial=None):
        form_class, _service = self.own.get(self.model, (AssignForm, None))
        return form_class(data, initial=initial, by=self.by)

    def title(self, count):
        return _("Assign %(count)s %(what)s") % self.counted(count)

    def labelled(self, form, count):
        return Label(self.message, count=count, owner=form.cleaned_data["owner"])

    def do(self, record, form):
        owner = form.cleaned_data["owner"]
        if record.owner_id == owner.pk:
            raise Nothing(_("Belongs to %(owner)s already.") % {"owner": owner})
        _form_class, service = self.own.get(self.model, (None, None))
        if service is None:
            services.assign(record, owner=owner, by=self.by)
        else:
            service(record, form, by=self.by)


@offered
class Edit(BatchVerb):
    """Write one field of records, by the form of their pages."""

    name = "edit"
    label = gettext_lazy("Edit a field")
    icon = "pencil"
    grant = "bulk_edit"
    message = gettext_noop("Set “%(field)s” of %(count)s records")
    own = {}

    @classmethod
    def saved_by(cls, model, service):
        """Let ``service(record, by=)`` save edited records of ``model``."""
        cls.own[model] = service

    def title(self, count):
        if not self.field:
            return _("Edit a field of %(count)s %(what)s") % self.counted(count)
        values = self.counted(count) | {"field": column_of(self.model, self.field).label}
        return _("Set “%(field)s” of %(count)s %(what)s") % values

    @property
    def record_form(self):
        """The form class behind the page that edits a record."""
        names = self.model._meta
        page = address_of(f"{names.app_label}:{names.model_name}_update", 1)
        return resolve(page).func.view_class.form_class

    def fields(self, records):
        """The fields that can be chosen: (name, label), those of the form in its groups."""
        form = self.record_form(instance=copy.copy(records[0]), by=self.by)
        for heading, bound in form.grouped():
            yield heading, [(f.name, f.label) for f in bound if f.name in form._meta.fields]

    def get_form(self, records, data=None, initial=None):
        """The form of the one field, checked against the records at hand; None without one."""
        self.field = (data or initial or {}).get("field", "")
        if self.field not in self.record_form._meta.fields or not records:
            return None
        forms = [self.form_for(record, data) for record in records]
        if data is not None:
            valid = (form for form in forms if form is not None and form.is_valid())
            return next(valid, forms[0])
        if form := forms[0]:
            for name in form.record_fields():
                form.initial[name] = None
        return form

    def form_for(self, record, data):
        """The form of the field over one record; None where it can't be edited."""
        form = self.record_form(data, instance=copy.copy(record), by=self.by)
        return form if form.narrow(self.field) else None

    def labelled(self, form, count):
        label = column_of(self.model, self.field).label
        return Label(self.message, count=count, field=label)

    def do(self, record, form):
        own = self.form_for(record, form.data)
        if own is None:
            raise Conflict(_("This field can't be changed as things stand."))
        if not own.is_valid():
            texts = [text for errors in own.errors.values() for text in errors]
            raise Invalid(" ".join(map(str, texts)), field=self.field)
        names = [name for name in own.record_fields() if name in own.cleaned_data]
        if all(getattr(record, name) == own.cleaned_data[name] for name in names):
            raise Nothing(_("Has this value already."))
        services.refuse_read_only(record)
        edited = own.apply_to(copy.copy(record))
        save = self.own.get(self.model)
        if save is None:
            edited.save()
        else:
            save(edited, by=self.by)


@offered
class Archive(BatchVerb):
    """Put records into the recycle bin."""

    name = "archive"
    label = gettext_lazy("Archive")
    icon = "archive"
    verb = Verb.ARCHIVE
    message = gettext_noop("Archived %(count)s records")
    own = {}

    @classmethod
    def done_by(cls, model, service):
        """Let ``service(record, by=)`` archive records of ``model``."""
        cls.own[model] = service

    def title(self, count):
        return _("Archive %(count)s %(what)s") % self.counted(count)

    def do(self, record, form):
        self.own.get(self.model, services.archive)(record, by=self.by)


# -- choosing ---------------------------------------------------------------------------------


class TooMany(Invalid):
    """More records were chosen than a batch may have."""


def choose(verb, keys):
    """
    Keep the chosen records as a Batch for ``verb``, a BatchVerb, of its user.

    :raises model.DoesNotExist: one of the keys is out of reach, and so is the whole request
    :raises TooMany: there are more than LARGEST
    """
    model, by = verb.model, verb.by
    keys = list(dict.fromkeys(keys))
    if len(keys) > LARGEST:
        message = _("At most %(most)s records can be changed at once. Narrow the list.")
        raise TooMany(message % {"most": f"{LARGEST:,}"})
    seen = set()
    for some in portions(keys):
        found = model.objects.visible_to(by).live().filter(pk__among=some)
        seen.update(found.values_list("pk", flat=True))
    if len(seen) < len(keys):
        raise model.DoesNotExist(f"{model._meta.label} matching these keys does not exist.")
    label = model._meta.label_lower
    return Batch.objects.create(user=by, model=label, keys=keys, verb=verb.name)


def out_of_reach(batch, verb):
    """The keys of those records of ``batch`` on which its user may not do ``verb``."""
    found = []
    for some in portions(batch.keys):
        records = verb.model.objects.visible_to(verb.by).live().filter(pk__among=some)
        records = list(records.order_by("pk"))
        may_be = allowed(records, verb.by, verb.verb)
        found += [record.pk for record in records if record.pk not in may_be]
    return found


def leave_out(batch, verb):
    """A Batch of the same records without those on which its user may not do ``verb``."""
    hidden = set(out_of_reach(batch, verb))
    return choose(verb, [pk for pk in batch.keys if pk not in hidden])


def portions(keys):
    """The keys, as many at a time as one query asks for."""
    return (keys[start : start + READ] for start in range(0, len(keys), READ))


# -- trying out -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """What would become of one record: its value before and after, or why nothing."""

    record: object
    before: object
    after: object
    outcome: Outcome


class _TriedOut(Exception):
    """Ends a trial, so that nothing of it stays."""


@retried
def try_out(batch, verb, form):
    """
    What would become of the first TRIED records: a list of Trials.

    It is done and taken back within one transaction, so no rule is told twice.
    """
    keys, trials = batch.keys[:TRIED], []
    try:
        with operation(Kind.BULK_EDIT, by=verb.by, label=Label("")) as op:
            before = _locked(verb, keys)
            shown = {pk: verb.value_of(record) for pk, record in before.items()}
            outcomes = _do_each(op, verb, form, keys, before)
            after = _rows(verb, keys).in_bulk()
            for outcome in outcomes:
                record = before.get(outcome.pk)
                if record is not None:
                    new = after.get(outcome.pk)
                    value = verb.value_of(new) if new and outcome.state == DONE else ""
                    trials.append(Trial(record, shown[outcome.pk], value, outcome))
            raise _TriedOut
    except _TriedOut:
        return trials


def counts(outcomes):
    """How many records were done, skipped and failed: {state: number}."""
    return Counter(outcome.state for outcome in outcomes)


# -- doing ------------------------------------------------------------------------------------


def start(batch, verb, form, *, all_or_nothing=False):
    """
    Begin to do ``verb`` to the records of ``batch``, with the choices of a valid ``form``.

    Works for SECONDS at most; ``go_on`` does the rest.

    :raises NotAllowed: there are records on which its user may not do it; nothing is done
    :raises Repeated: it was begun before
    :raises SomeFailed: all or nothing was asked for and not all could be done
    """
    if Batch.objects.filter(pk=batch.pk).exclude(started_at=None).exists():
        raise Repeated(_("This was done already."), location=batch.get_absolute_url())
    if refused := len(out_of_reach(batch, verb)):
        values = {"verb": verb.verb.label, "count": refused, "all": len(batch.keys)}
        message = _("You can't %(verb)s %(count)s of these %(all)s records.")
        raise NotAllowed(message % values)
    if all_or_nothing:
        if len(batch.keys) > LARGEST_AT_ONCE:
            message = _("All or nothing is for %(most)s records at most.")
            raise TooMany(message % {"most": f"{LARGEST_AT_ONCE:,}"})
        _do_chunk(batch.pk, verb, form, size=len(batch.keys), all_or_nothing=True, begins=True)
    elif len(batch.keys) <= CHUNK:
        _do_chunk(batch.pk, verb, form, size=CHUNK, begins=True)
    else:
        _begin_run(batch, verb, form)
        return go_on(batch, verb, form)
    batch.refresh_from_db()
    return batch


@retried
def _begin_run(batch, verb, form):
    """Commit the run under which the chunks of a large batch stand; once."""
    run = start_run(Kind.BULK_EDIT, by=verb.by, label=verb.labelled(form, len(batch.keys)))
    rows = Batch.objects.filter(pk=batch.pk, started_at=None)
    if not rows.update(started_at=timezone.now(), data=_sent(form), operation=run):
        raise Repeated(_("This was done already."), location=batch.get_absolute_url())


def go_on(batch, verb, form, *, seconds=SECONDS):
    """Do the next chunks of a batch that was begun, for so many seconds; gives it as it is then."""
    until = time.monotonic() + seconds
    while True:
        is_over = _do_chunk(batch.pk, verb, form, size=CHUNK)
        if is_over or time.monotonic() > until:
            batch.refresh_from_db()
            return batch


@retried
def _do_chunk(pk, verb, form, *, size, all_or_nothing=False, begins=False):
    """
    Do the next ``size`` records in one transaction, with what became of them.

    Returns whether all of the batch is done. The row of the batch is locked, so that two
    browsers that go on with it wait for each other.
    """
    plan = Batch.objects.get(pk=pk)
    label = verb.labelled(form, len(plan.keys[len(plan.outcomes) :][:size]))
    with operation(Kind.BULK_EDIT, by=verb.by, label=label, run=plan.operation) as op:
        batch = Batch.objects.select_for_update().get(pk=pk)
        if begins and batch.started_at:
            raise Repeated(_("This was done already."), location=batch.get_absolute_url())
        keys = batch.keys[len(batch.outcomes) :][:size]
        op.label = verb.labelled(form, len(keys))
        outcomes = _do_each(op, verb, form, keys, _locked(verb, keys))
        if all_or_nothing:
            _refuse_failed(outcomes)
        batch.outcomes += [[o.pk, o.state, str(o.reason)] for o in outcomes]
        if begins:
            batch.started_at, batch.data = op.at, _sent(form)
        if len(batch.outcomes) >= len(batch.keys):
            batch.done_at = op.at
        batch.save()
    if begins and op.row is not None:
        Batch.objects.filter(pk=pk).update(operation=op.row)
    return batch.done_at is not None


def _sent(form):
    """
    The choices as they were sent, to be read again by the requests that go on.

    What is no field of the form, or a part of one, is not kept.
    """
    kept = QueryDict(mutable=True)
    for name, values in form.data.lists():
        field = name.removesuffix("_q").removesuffix("_shown")
        if name == "field" or (field in form.fields and field not in ("key", "version")):
            kept.setlist(name, values)
    return kept.urlencode()


def form_of(batch, verb):
    """
    The form of a batch that was begun, as it was sent; None if it can't be read any more.

    It is checked over some of the records that are left to do.
    """
    rows = _rows(verb, batch.keys[len(batch.outcomes) :][:CHUNK]).order_by("pk")[:CHECKED]
    form = verb.get_form(list(rows), QueryDict(batch.data))
    return form if form is not None and form.is_valid() else None


def _rows(verb, keys):
    rows = verb.model.objects.visible_to(verb.by).live().filter(pk__in=keys)
    return rows.select_related("owner")


def _locked(verb, keys):
    return {record.pk: record for record in lock(_rows(verb, keys)).order_by("pk")}


def _do_each(op, verb, form, keys, records):
    return [_do_one(op, verb, form, pk, records.get(pk)) for pk in keys]


def _do_one(op, verb, form, pk, record):
    """Do one record; a refusal takes back its part alone."""
    if record is None:
        return Outcome(pk, SKIPPED, _("It is no longer there."))
    try:
        with op.attempt():
            verb.do(record, form)
    except Conflict as refusal:
        return Outcome(pk, SKIPPED, refusal.message)
    except DomainError as refusal:
        return Outcome(pk, FAILED, refusal.message)
    except IntegrityError as error:
        refusal = from_integrity(error)
        if refusal is None:
            raise
        return Outcome(pk, FAILED, refusal.message)
    return Outcome(pk)


def _refuse_failed(outcomes):
    failed = [outcome for outcome in outcomes if outcome.state == FAILED]
    if failed:
        values = {"count": len(failed), "all": len(outcomes), "reason": failed[0].reason}
        message = _("%(count)s of %(all)s can't be done, so nothing was done: %(reason)s")
        raise SomeFailed(message % values)
