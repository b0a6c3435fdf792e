"""
The journal: the only opener of a write transaction and the only writer of its two tables.

An Operation is one thing that somebody did, a Change one write of one record within it.
Audit trail, history, undo, recycle bin and imports are readings of these two tables.
Rule: docs/rules/journal.md.
"""

import copy
import functools
import hashlib
import json
import random
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DEFAULT_DB_ALIAS, IntegrityError, OperationalError, connections, models
from django.db.transaction import TransactionManagementError, atomic
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Invalid, Repeated, from_integrity

operation_closing = Signal()
"""
All that an operation writes is written, and nothing is committed yet. Sent with ``op``.

The last look at what was read before the transaction began: a receiver locks it, and an
exception refuses the whole.
"""

ATTEMPTS = 3
COPY_FROM = 50  # from here on PostgreSQL's COPY is faster than single inserts


class Kind(models.TextChoices):
    """What sort of thing an operation is; undo has a policy for each."""

    EDIT = "EDIT", _("Edit")
    CREATE = "CREATE", _("Create")
    ARCHIVE = "ARCHIVE", _("Archive")
    RESTORE = "RESTORE", _("Restore")
    MOVE = "MOVE", _("Move in the hierarchy")
    RELATE = "RELATE", _("Relation")
    JOB_CHANGE = "JOB_CHANGE", _("Job change")
    STAGE = "STAGE", _("Stage change")
    CONVERT = "CONVERT", _("Conversion")
    MERGE = "MERGE", _("Merge")
    IMPORT = "IMPORT", _("Import")
    BULK_EDIT = "BULK_EDIT", _("Bulk edit")
    BULK_CONVERT = "BULK_CONVERT", _("Bulk conversion")
    REMOVE = "REMOVE", _("Removal")
    UNDO = "UNDO", _("Undo")
    SEED = "SEED", _("First rows")
    DEMO = "DEMO", _("Sample data")
    ERASE = "ERASE", _("Erasure")


class Operation(models.Model):
    """One thing that somebody did. Append-only; written complete, before the commit."""

    kind = models.CharField(max_length=12, choices=Kind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="operations"
    )
    at = models.DateTimeField()
    label = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    run = models.ForeignKey("self", models.PROTECT, null=True, related_name="chunks")
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="operation_kind_known", condition=models.Q(kind__in=Kind.values)
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.pk}"

    def get_absolute_url(self):
        return f"/operations/{self.pk}/"


class Verb(models.TextChoices):
    CREATED = "created", _("created")
    UPDATED = "updated", _("changed")
    DELETED = "deleted", _("removed")


class Change(models.Model):
    """
    One write of one record: its fields before and after, as canonical JSON text.

    ``before`` and ``after`` hold the fields that changed; a creation all of them after, a
    removal all of them before. The id is the order of writes. Append-only.
    """

    operation = models.ForeignKey(Operation, models.PROTECT, related_name="changes")
    model = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    verb = models.CharField(max_length=8, choices=Verb)
    before = models.TextField()
    after = models.TextField()
    version = models.PositiveIntegerField()
    checksum = models.CharField(max_length=64)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="change_version_once", fields=["model", "object_id", "version"]
            ),
        ]

    def __str__(self):
        return f"{self.model} {self.object_id} {self.verb}"

    @functools.cached_property
    def before_values(self):
        return json.loads(self.before)

    @functools.cached_property
    def after_values(self):
        return json.loads(self.after)


class OneTimeKey(models.Model):
    """A form that was sent once: the same key and data again get the first answer. Kept a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    key = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    location = models.CharField(max_length=255, blank=True)
    operation = models.ForeignKey(Operation, models.PROTECT, null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="onetimekey_once", fields=["user", "key"]),
        ]

    def __str__(self):
        return self.key


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical(values):
    """Canonical JSON text of ``values``: sorted keys, no spaces, no escapes of letters."""
    return _encode(values)


def checksum(model, object_id, version, before, after):
    """The sha256 that a Change carries over its text, so that tampering is found."""
    text = "\n".join((model, str(object_id), str(version), before, after))
    return hashlib.sha256(text.encode()).hexdigest()


# -- who acts ---------------------------------------------------------------------------------

_actor = ContextVar("actor", default=None)


@contextmanager
def acting(user):
    """Make ``user`` the actor of the writes inside; a callable is asked at the first write."""
    token = _actor.set(user)
    try:
        yield user
    finally:
        _actor.reset(token)


def current_actor():
    """The user on whose behalf the present request or command writes; None is the system."""
    actor = _actor.get()
    user = actor() if callable(actor) else actor
    return user if user is not None and user.is_authenticated else None


# -- what an operation is called --------------------------------------------------------------


class Label:
    """
    The words of an operation: a message to translate and the records that it names.

    Records are kept as model and key, not as names: shown through the reader's rights and
    nothing to erase. ``Label(gettext_noop("Converted %(lead)s"), lead=lead)``.
    """

    def __init__(self, message, /, **named):
        self.message = message
        self.named = named

    def as_json(self):
        """The stored form; read when the operation is written, when new records have keys."""
        return {"message": self.message, "named": {k: _named(v) for k, v in self.named.items()}}


def _named(value):
    if isinstance(value, models.Model):
        return {"model": value._meta.label_lower, "id": value.pk}
    return value if isinstance(value, int | float) else str(value)


# -- one-time keys ----------------------------------------------------------------------------


@dataclass(frozen=True)
class FormKey:
    """The one-time key of a sent form and the sha256 of its cleaned data."""

    key: str
    digest: str

    def claim(self, user):
        """
        Take the key for this transaction.

        :raises Repeated: the same form was saved before, with where it led to
        :raises Invalid: the key was used with other data
        """
        columns = "user_id, key, digest, status, location, created_at"
        # Waits for a transaction that holds the key and leaves ours usable; a caught
        # IntegrityError would have broken it.
        sql = (
            f"INSERT INTO {OneTimeKey._meta.db_table} ({columns}) "
            "VALUES (%s, %s, %s, 0, '', %s) ON CONFLICT DO NOTHING RETURNING id"
        )
        row = OneTimeKey(user=user, key=self.key, digest=self.digest)
        connection = connections[DEFAULT_DB_ALIAS]
        with connection.cursor() as cursor:
            created = connection.ops.adapt_datetimefield_value(row.created_at)
            cursor.execute(sql, [user.pk, self.key, self.digest, created])
            inserted = cursor.fetchone()
        if inserted is not None:
            row.pk = inserted[0]
            row._state.adding = False
            return row
        row = OneTimeKey.objects.get(user=user, key=self.key)
        if row.digest == self.digest:
            raise Repeated(_("This was saved already."), location=row.location)
        raise Invalid(_("This form was sent before with other values. Open it again."))


# -- the operation ----------------------------------------------------------------------------


@dataclass
class OpenOperation:
    """An operation that is being written: what ``with operation(…) as op`` gives."""

    kind: str
    by: object
    label: Label
    connection: object
    run: Operation | None = None
    undoes: Operation | None = None
    location: str = ""
    at: object = field(default_factory=timezone.now)
    changes: list = field(default_factory=list)
    row: Operation | None = None
    held: dict = field(default_factory=dict)

    def hold(self, record):
        """
        Remember a record that this operation has just locked and read, as it is in the row.

        Its next save compares with this instead of reading the locked row once more.
        """
        names = [field.attname for field in record._meta.concrete_fields]
        if not record.get_deferred_fields():
            # Copied: a list that is changed in place must still differ from what was read.
            values = {name: copy.deepcopy(record.__dict__[name]) for name in names}
            self.held[record._meta.label_lower, record.pk] = values
        return record

    def note(self, model, object_id, verb, before, after, version):
        """Remember one write of one record; ``before`` and ``after`` map fields to JSON values."""
        self.held.pop((model, object_id), None)
        self.changes.append((model, object_id, verb, canonical(before), canonical(after), version))

    @contextmanager
    def attempt(self):
        """Run a part that may fail alone: a savepoint, and its Changes are forgotten with it."""
        mark = len(self.changes)
        try:
            with atomic(using=self.connection.alias):
                yield self
        except BaseException:
            del self.changes[mark:]
            self.held.clear()
            raise

    def write(self, *, always=False):
        """Insert the Operation and its Changes; a block that wrote nothing leaves no row."""
        if not self.changes and not always:
            return None
        self.row = Operation.objects.using(self.connection.alias).create(
            kind=self.kind,
            actor=self.by,
            at=self.at,
            label=self.label.as_json(),
            run=self.run,
            undoes=self.undoes,
        )
        insert_changes(self.connection, self.row.pk, self.changes)
        return self.row


COLUMNS = (
    "operation_id",
    "model",
    "object_id",
    "verb",
    "before",
    "after",
    "version",
    "checksum",
)


def insert_changes(connection, operation_id, changes):
    """Write the Changes of one operation by one statement, however many they are."""
    rows = [
        (operation_id, model, pk, verb, before, after, version,
         checksum(model, pk, version, before, after))
        for model, pk, verb, before, after, version in changes
    ]  # fmt: skip
    if not rows:
        return
    names = ", ".join(COLUMNS)
    table = Change._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(rows) >= COPY_FROM:
            # What the driver raises becomes Django's errors by hand: COPY passes no wrapper.
            copying = cursor.copy(f"COPY {table} ({names}) FROM STDIN")
            with connection.wrap_database_errors, copying as target:
                for row in rows:
                    target.write_row(row)
            return
        marks = ", ".join(["%s"] * len(COLUMNS))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def open_operation(using=DEFAULT_DB_ALIAS):
    """The operation that is open on the connection, or None."""
    return getattr(connections[using], "journal", None)


@contextmanager
def operation(kind, *, by, label, key=None, run=None, undoes=None):
    """
    Open the one write transaction; every write of a record inside leaves its Change.

    The outermost one is durable and commits at its end; one inside another joins it, and the
    outer kind and label win. An exception that leaves an inner one spoils the whole, even if
    it is swallowed; what may fail alone stands in ``op.attempt()``. ``by`` is the acting user,
    None the system; ``key`` the FormKey of the form that asks for it, claimed first.

    :raises Repeated: the form was saved before
    :raises Conflict: somebody holds a row that this needs for longer than the lock timeout
    :raises DomainError: what a named constraint of the database refused
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if (outer := open_operation()) is not None:
        with atomic(savepoint=False):
            yield outer
        return
    op = OpenOperation(kind, by, label, connection, run=run, undoes=undoes)
    try:
        with atomic(durable=True):
            connection.journal = op
            try:
                claimed = key.claim(by) if key is not None else None
                yield op
                _refuse_spoilt(connection)
                operation_closing.send(sender=OpenOperation, op=op)
                op.write()
                if claimed is not None:
                    claimed.status, claimed.location = 303, op.location
                    claimed.operation = op.row
                    claimed.save()
            finally:
                connection.journal = None
    except IntegrityError as error:
        refusal = from_integrity(error)
        raise (refusal or error) from error
    except OperationalError as error:
        if _sqlstate(error) == "55P03":  # lock timeout
            message = _("Someone is working on this record. Try again in a moment.")
            raise Conflict(message) from error
        raise


def _refuse_spoilt(connection):
    if connection.needs_rollback:
        # Django would roll back without a word: the page would say "saved".
        message = "A part of this operation failed and its error was swallowed."
        raise TransactionManagementError(message)


@contextmanager
def joined(using=DEFAULT_DB_ALIAS):
    """The open operation; else an edit by the current actor around this one write."""
    connection = connections[using]
    if (op := open_operation(using)) is not None:
        yield op
        return
    op = OpenOperation(Kind.EDIT, current_actor(), Label(""), connection)
    with atomic(using=using):
        connection.journal = op
        try:
            yield op
            op.write()
        finally:
            connection.journal = None


def start_run(kind, *, by, label, undoes=None):
    """
    Commit a run: an Operation without Changes, under which its chunks are operations.

    :raises Conflict: another one undoes the same already
    """
    connection = connections[DEFAULT_DB_ALIAS]
    op = OpenOperation(kind, by, label, connection, undoes=undoes)
    try:
        with atomic(durable=True):
            return op.write(always=True)
    except IntegrityError as error:
        refusal = from_integrity(error)
        raise (refusal or error) from error


class RowsMoved(OperationalError):
    """Another number of rows was written than was locked; the service is run again."""


def _sqlstate(error):
    return getattr(error.__cause__, "sqlstate", None)


def _worth_retrying(error):
    if isinstance(error, RowsMoved) or "database is locked" in str(error):
        return True
    return _sqlstate(error) in ("40001", "40P01")  # serialization failure, deadlock


def retried(service):
    """
    Run ``service`` again, three times at most, after a deadlock or a busy database.

    Its arguments must be usable twice, and it reads its records itself: after a rollback the
    instances in memory are ahead of the database.
    """

    @functools.wraps(service)
    def run(*args, **kwargs):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return service(*args, **kwargs)
            except OperationalError as error:
                joined_in = open_operation() is not None
                if attempt == ATTEMPTS or joined_in or not _worth_retrying(error):
                    raise
                time.sleep(random.uniform(0.01, 0.05) * attempt)
        return None

    return run
