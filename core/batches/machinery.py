"""Choosing records for a verb, trying it out, and doing it chunk by chunk."""

import time
from collections import Counter
from dataclasses import dataclass

from django.db import IntegrityError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict, DomainError, Invalid, NotAllowed, Repeated, from_integrity
from core.journal import Kind, Label, operation, retried, start_run
from core.models import Batch
from core.reach import allowed
from core.records import lock

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


class SomeFailed(Invalid):
    """All or nothing was asked for, and there were records that could not be done."""


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
