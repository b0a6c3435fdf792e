"""
The invariants: what must be true of all rows, asked of the database, never repaired in silence.

Each app registers its functions by ``@check("I07")``; ``manage.py check_data`` asks them all in
one snapshot. A function yields what offends the rule, as (model, key) pairs. Those of this
module are about the journal and about what all records share. Rule: docs/rules/invariants.md.
"""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Subquery
from django.db.transaction import atomic

from core.errors import DomainError
from core.journal import Change, Kind, Operation, Verb, checksum
from core.models import OwnedRecord
from core.records import Journalled, codecs, dumped

SAMPLE_OF = 100  # of the costly questions, one row of so many is asked unless all are wanted
CHUNK = 1000
RUN_KINDS = (Kind.IMPORT, Kind.BULK_EDIT, Kind.BULK_CONVERT, Kind.DEMO, Kind.UNDO)

_checks = []


@dataclass(frozen=True)
class Check:
    """One invariant: its number, the question, and the repair of what can be recomputed."""

    id: str
    question: Callable
    is_costly: bool
    repair: object

    @property
    def rule(self):
        """The rule in words: the first line of the question's docstring."""
        return self.question.__doc__.strip().splitlines()[0]

    def offences(self, *, full=False):
        """What offends the rule; costly questions look at a sample unless ``full``."""
        found = self.question(full=full) if self.is_costly else self.question()
        for label, pk in found:
            yield Offence(self, label, pk)


@dataclass(frozen=True)
class Offence:
    """One row that breaks an invariant."""

    check: Check
    label: str
    pk: object

    def __str__(self):
        return f"{self.check.id} {self.label} {self.pk}: {self.check.rule}"


def check(number, *, costly=False, repair=None):
    """
    Register a question about all rows under the number of its invariant.

    ``costly`` questions take ``full`` and may look at a sample; ``repair`` rewrites derived
    values of the rows with the given keys and nothing else.
    """

    def register(question):
        _checks.append(Check(number, question, costly, repair))
        return question

    return register


def all_checks(only=()):
    """The registered invariants in the order of their numbers, those in ``only`` if any."""
    chosen = [c for c in _checks if not only or c.id in only]
    return sorted(chosen, key=lambda c: c.id)


def offending(queryset):
    """The rows of ``queryset`` as the (model, key) pairs that a question yields."""
    label = queryset.model._meta.model_name
    for pk in queryset.order_by("pk").values_list("pk", flat=True).iterator():
        yield label, pk


@contextmanager
def snapshot(using=DEFAULT_DB_ALIAS):
    """
    Read everything inside as of one moment, writing nothing and keeping nobody from writing.

    SQLite's own transactions here begin IMMEDIATE and would hold the write lock: this one is
    DEFERRED. Inside an open transaction there is nothing to do.
    """
    connection = connections[using]
    if connection.in_atomic_block:
        yield
        return
    if connection.vendor == "postgresql":
        with atomic(using=using):
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    connection.ensure_connection()  # only a connected SQLite knows its mode
    connection.ensure_connection()  # a new connection learns its mode only now
    mode, connection.transaction_mode = connection.transaction_mode, "DEFERRED"
    try:
        with atomic(using=using):
            yield
    finally:
        connection.transaction_mode = mode


def journalled_models():
    """The models whose rows are in the journal, in the order of their labels."""
    found = [m for m in apps.get_models() if issubclass(m, Journalled) and not m._meta.proxy]
    return sorted(found, key=lambda model: model._meta.label_lower)


def owned_models():
    """The models of the main records."""
    return [model for model in journalled_models() if issubclass(model, OwnedRecord)]


def sampled(queryset, *, full):
    """One of a hundred rows by their keys, or all."""
    rows = queryset if full else queryset.annotate(of=F("pk") % SAMPLE_OF).filter(of=0)
    return rows.order_by("pk")


def chunked(rows):
    """The rows of a long queryset, a list of a thousand at a time."""
    batch = []
    for row in rows.iterator(chunk_size=CHUNK):
        batch.append(row)
        if len(batch) == CHUNK:
            yield batch
            batch = []
    if batch:
        yield batch


# -- the journal ------------------------------------------------------------------------------


@check("I26")
def journal_has_no_gaps():
    """The versions of a record in the journal run from 1 without a gap."""
    by_record = Change.objects.order_by().values("model", "object_id")
    counted = by_record.annotate(n=Count("pk"), first=Min("version"), last=Max("version"))
    for row in counted.exclude(first=1, last=F("n")).order_by("model", "object_id").iterator():
        yield row["model"].split(".")[1], row["object_id"]


@check("I26")
def journal_knows_every_record():
    """The last version in the journal is the record's, and says that the record is there."""
    for model in journalled_models():
        changes = Change.objects.filter(model=model._meta.label_lower, object_id=OuterRef("pk"))
        last = changes.order_by("-version")
        rows = models.QuerySet(model).annotate(
            last=Subquery(last.values("version")[:1]), verb=Subquery(last.values("verb")[:1])
        )
        wrong = Q(last=None) | ~Q(last=F("version")) | Q(verb=Verb.DELETED)
        yield from offending(rows.filter(wrong))


@check("I27", costly=True)
def journal_replays_to_the_present(*, full=False):
    """Playing a record's changes gives the record as it is."""
    for model in journalled_models():
        for rows in chunked(sampled(models.QuerySet(model), full=full)):
            played = replay(model, [row.pk for row in rows])
            for row in rows:
                present = dumped(row)
                told = played.get(row.pk, {})
                if any(present[name] != told[name] for name in present.keys() & told.keys()):
                    yield model._meta.model_name, row.pk


def replay(model, keys):
    """The values of records as their changes tell them, oldest first: {key: {field: value}}."""
    changes = Change.objects.filter(model=model._meta.label_lower, object_id__among=keys)
    played = {}
    for change in changes.order_by("pk").iterator():
        if change.verb == Verb.DELETED:
            played[change.object_id] = {}
        else:
            played.setdefault(change.object_id, {}).update(change.after_values)
    return played


@check("I28")
def journal_is_as_it_was_written():
    """The checksum of a change fits what the change says."""
    names = ("pk", "model", "object_id", "version", "before", "after", "checksum")
    for pk, *written, kept in Change.objects.order_by("pk").values_list(*names).iterator():
        model, object_id, version, before, after = written
        if checksum(model, object_id, version, before, after) != kept:
            yield "change", pk


@check("I29")
def changes_have_their_operation():
    """A change belongs to an operation."""
    operation = Operation.objects.filter(pk=OuterRef("operation_id"))
    yield from offending(Change.objects.filter(~Exists(operation)))


@check("I29")
def operations_have_changes():
    """An operation has a change, or is the run of several operations."""
    changes = Change.objects.filter(operation=OuterRef("pk"))
    empty = Operation.objects.filter(~Exists(changes)).exclude(kind__in=RUN_KINDS)
    yield from offending(empty)


@check("I33")
def undone_is_undone():
    """What was undone is as it was before, field by field, unless it was left on purpose."""
    undos = Operation.objects.filter(undoes__isnull=False, undone_by=None).order_by("pk")
    for operation in undos.iterator():
        done = Change.objects.filter(operation=operation.undoes_id).order_by("pk")
        back = Change.objects.filter(operation=operation.pk).order_by("pk")
        first, last = _before(done), _after(back)
        for at, values in last.items():
            told = first.get(at)
            if values is None or told is None:
                continue
            if any(values[name] != told[name] for name in values.keys() & told.keys()):
                yield at


def _before(changes):
    """What each record of an operation was before it: {(model, key): values}, None if nothing."""
    found = {}
    for change in changes:
        at = change.model.split(".")[1], change.object_id
        if at not in found:
            found[at] = None if change.verb == Verb.CREATED else {}
        if found[at] is not None:
            for name, value in change.before_values.items():
                found[at].setdefault(name, value)
    return found


def _after(changes):
    """What each record of an operation was after it: {(model, key): values}, None if gone."""
    found = {}
    for change in changes:
        at = change.model.split(".")[1], change.object_id
        if change.verb == Verb.DELETED:
            found[at] = None
        else:
            found[at] = {**(found.get(at) or {}), **change.after_values}
    return found


# -- what all records share -------------------------------------------------------------------


def derive_again(label_and_keys):
    """Write the derived fields of the given rows as they should be, past the journal."""
    by_name = {model._meta.model_name: model for model in journalled_models()}
    for label, pairs in groupby(sorted(label_and_keys), key=lambda pair: pair[0]):
        model = by_name[label]
        plain = models.QuerySet(model)
        rows = list(plain.filter(pk__among=[pk for _label, pk in pairs]).order_by("pk"))
        model.derive(rows)
        plain.bulk_update(rows, list(model.derived), batch_size=CHUNK)


@check("I30", costly=True, repair=derive_again)
def derived_fields_are_what_they_are_derived_from(*, full=False):
    """Derived fields equal what their sources give."""
    for model in journalled_models():
        attnames = [model._meta.get_field(name).attname for name in model.derived]
        if not attnames:
            continue
        for rows in chunked(sampled(models.QuerySet(model), full=full)):
            stored = [[row.__dict__[name] for name in attnames] for row in rows]
            underivable = _derive(model, rows)
            for row, values in zip(rows, stored, strict=True):
                derived = [row.__dict__[name] for name in attnames]
                if row.pk in underivable or derived != values:
                    yield model._meta.model_name, row.pk


def _derive(model, rows):
    """Derive in memory; returns the keys of rows that are too wrong for it."""
    try:
        model.derive(rows)
    except DomainError:
        if len(rows) == 1:
            return {rows[0].pk}
        return set().union(*(_derive(model, [row]) for row in rows))
    return set()


@check("I31")
def merged_records_point_at_a_live_winner():
    """A merged record points at one that is neither merged nor archived."""
    for model in owned_models():
        lost = Q(merged_into__merged_into__isnull=False)
        lost |= Q(merged_into__archived_at__isnull=False)
        yield from offending(models.QuerySet(model).filter(merged_into__isnull=False).filter(lost))


@check("I32")
def nothing_live_points_at_a_merged_record():
    """No live record points at one that was merged into another."""
    for model in journalled_models():
        rows = models.QuerySet(model)
        if issubclass(model, OwnedRecord):
            rows = rows.filter(archived_at=None)
        for codec in codecs(model).values():
            target = codec.field.related_model
            if target and issubclass(target, OwnedRecord) and codec.name != "merged_into":
                yield from offending(rows.filter(**{f"{codec.name}__merged_into__isnull": False}))
