"""
Many records at once: inserting them fast, and giving way to others meanwhile.

``insert`` journals as every write does, but goes without Django's SQL compiler.
Django builds its INSERT from each field of each row and, on SQLite, in statements of 999
parameters; for wide records that is most of an import's time. Here keys are taken beforehand
and the rows go by ``executemany`` on SQLite, by COPY on PostgreSQL.
"""

import copy
import functools
import json
import time
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.base import ModelState

from core.journal import Verb, joined
from core.records import codecs

ANALYSED = 10_000  # entries of each index: enough to plan by, and the write lock is short

# What journal.canonical does, without making an encoder anew each time.
encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

# Fields whose values drivers and the journal take as they are.
AS_THEY_ARE = (
    models.CharField,
    models.TextField,
    models.IntegerField,
    models.BooleanField,
    models.ForeignKey,
)


PAUSE = 0.005
LONG_PAUSE = 0.105
LONG_PAUSES = 4
HELD_AT_MOST = 0.6
"""
Seconds. SQLite has one write lock, and those who wait for it try again every 100 ms at most:
a short pause after each chunk lets most of them in. Before another chunk like the last one would
have held the lock for longer than this in all, a long pause lets everybody in, and others behind
it as long as somebody else writes.
"""


class Pauses:
    """
    Lets other writers have SQLite's lock between the transactions of a long job.

    Without it they wait for the whole job: the lock is taken again before they look.
    """

    def __init__(self, using=DEFAULT_DB_ALIAS):
        self.connection = connections[using]
        self.held = 0.0  # since the last long pause
        self.last = 0.0  # by the last transaction

    @contextmanager
    def holding(self):
        """Measure how long the transaction inside holds the lock."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.last = time.monotonic() - began
            self.held += self.last

    def pause(self):
        """Wait a little before the next transaction; on PostgreSQL not at all."""
        if self.connection.vendor != "sqlite" or not self.held:
            return
        if self.held + self.last < HELD_AT_MOST:
            time.sleep(PAUSE)
            return
        self.held = 0.0
        for _pause in range(LONG_PAUSES):
            before = self._writes_of_others()
            time.sleep(LONG_PAUSE)
            if self._writes_of_others() == before:
                return

    def _writes_of_others(self):
        """A number that changes whenever another connection has written to the file."""
        with self.connection.cursor() as cursor:
            return cursor.execute("PRAGMA data_version").fetchone()[0]


class Maker:
    """
    Makes many new instances of one model, not saved: each a copy of one with the defaults.

    Django asks every field for its default anew; the default moments are that of the Maker.
    """

    def __init__(self, model):
        self.model = model
        self.values = {k: v for k, v in model().__dict__.items() if k != "_state"}
        self.changeable = [k for k, v in self.values.items() if isinstance(v, list | dict)]
        self.attnames = {
            field.name: field.attname
            for field in model._meta.concrete_fields
            if field.name != field.attname
        }

    def make(self, values):
        """A new instance with ``values`` by field name or attname; foreign keys may be records."""
        record = self.model.__new__(self.model)
        own = record.__dict__
        own |= self.values
        for name in self.changeable:
            own[name] = copy.copy(own[name])
        record._state = ModelState()
        for name, value in values.items():
            if name in self.attnames:
                own[self.attnames[name]] = value.pk if value is not None else None
                record._state.fields_cache[name] = value
            else:
                own[name] = value
        return record


def insert(records, using=DEFAULT_DB_ALIAS):
    """
    Insert new ``records`` of one model and set their keys; like ``bulk_create``, but faster.

    Texts, numbers, truth values and keys must have the type of their field, as
    ``clean_values`` leaves them.

    :raises IntegrityError: the database refuses a row; nothing of the call stays in a savepoint
    """
    records = list(records)
    if not records:
        return records
    model = type(records[0])
    with joined(using) as op:
        stamp(records, op)
        insert_rows(model, [record.__dict__ for record in records], using)
        label = model._meta.label_lower
        plan = dumps(model)
        for record in records:
            record._state.adding = False
            record._state.db = using
            values = record.__dict__
            after = {
                name: values[attname] if dump is None else dump(values[attname])
                for name, attname, dump in plan
            }
            op.changes.append((label, record.pk, Verb.CREATED, "{}", encode(after), 1))
    return records


def stamp(records, op):
    """Make new records of one model ready: canonical, with version, stamps, derived fields."""
    model = type(records[0])
    tracked = codecs(model).items()
    careful = [(n, _once(c.field, c.clean)) for n, c in tracked if not _is_plain(c.field)]
    by = op.by.pk if op.by is not None else None
    stamps = {"version": 1}
    if hasattr(model, "updated_at"):
        stamps |= {"created_by_id": by, "updated_by_id": by, "updated_at": op.at}
    for record in records:
        values = record.__dict__
        for attname, clean in careful:
            if values[attname] is not None:
                values[attname] = clean(values[attname])
        values |= stamps
    model.derive(records)


def insert_rows(model, rows, using=DEFAULT_DB_ALIAS):
    """
    Insert new rows, given as dicts by attname, as they are; sets the key in each dict.

    For records ``insert`` is the way; for rows outside the journal this is.
    """
    if not rows:
        return
    connection = connections[using]
    key = model._meta.pk.attname
    for row, pk in zip(rows, new_keys(model, len(rows), connection), strict=True):
        row[key] = pk
    plan = columns(model, using)
    names = ", ".join(connection.ops.quote_name(column) for column, _attname, _prepare in plan)
    table = connection.ops.quote_name(model._meta.db_table)
    prepared = [
        [
            value if (value := row[attname]) is None or prepare is None else prepare(value)
            for _column, attname, prepare in plan
        ]
        for row in rows
    ]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # What the driver raises becomes Django's errors by hand: COPY passes no wrapper.
            copying = cursor.copy(f"COPY {table} ({names}) FROM STDIN")
            with connection.wrap_database_errors, copying as target:
                for row in prepared:
                    target.write_row(row)
            return
        marks = ", ".join(["%s"] * len(plan))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", prepared)


def new_keys(model, count, connection):
    """The next ``count`` keys of the model's table; within the write transaction."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
                [connection.ops.quote_name(table), model._meta.pk.column, count],
            )
            return [row[0] for row in cursor.fetchall()]
        # The transaction holds SQLite's write lock; AUTOINCREMENT notes the highest key itself.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        first = (row[0] if row else 0) + 1
        return range(first, first + count)


@functools.cache
def columns(model, alias):
    """(column, attname, how the driver wants the value, None for as it is) of each field."""
    return [
        (field.column, field.attname, _preparing(field, connections[alias]))
        for field in model._meta.concrete_fields
    ]


@functools.cache
def dumps(model):
    """(name, attname, how the journal writes the value, None for as it is) of each field."""
    return [
        (codec.name, attname, None if _is_plain(codec.field) else _dumping(codec))
        for attname, codec in codecs(model).items()
    ]


def _is_plain(field):
    return isinstance(field, AS_THEY_ARE)


def _preparing(field, connection):
    if _is_plain(field):
        return None
    prepare = functools.partial(field.get_db_prep_save, connection=connection)
    if isinstance(field, models.JSONField):
        # Most lists and objects are empty.
        return lambda value: prepare(value) if value else "[]" if value == [] else "{}"
    return _once(field, prepare)


def _dumping(codec):
    if isinstance(codec.field, models.JSONField):
        return lambda value: codec.dump(value) if value else value
    return _once(codec.field, codec.dump)


def _once(field, convert):
    """``convert``, for moments only once as long as the same one comes again and again."""
    if not isinstance(field, models.DateTimeField):
        return convert
    last = (None, None)

    def converted(value):
        nonlocal last
        if last[0] is not value:
            last = (value, convert(value))
        return last[1]

    return converted


def refresh_statistics(using=DEFAULT_DB_ALIAS):
    """
    Let the database look at its tables again: it plans by what they held when it last did.

    SQLite never does so by itself; PostgreSQL would some minutes after many rows came in.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {ANALYSED}")
            cursor.execute("ANALYZE")
        else:
            tables = ", ".join(
                map(connection.ops.quote_name, connection.introspection.table_names())
            )
            verb = "ANALYZE" if connection.in_atomic_block else "VACUUM ANALYZE"
            cursor.execute(f"{verb} {tables}")  # not the server's own, which others look at too
