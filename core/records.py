"""
What makes a model a record: every write path leaves its Change in the journal.

Three hooks carry everything that Django writes: ``QuerySet._insert``, ``Model._do_update`` and
``QuerySet.update``. The plain ``models.QuerySet(model)`` is the private door for derived
fields and for undo. Rule: docs/rules/journal.md.
"""

import datetime
import functools
import json
from decimal import ROUND_HALF_UP, Decimal

from django.db import connections, models
from django.db.models import F, Lookup, Max
from django.db.models.fields.related import ForeignObject
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Stale
from core.journal import Change, RowsMoved, Verb, canonical, joined
from core.prepared import Blank

BATCH = 1000  # rows with values of their own in one UPDATE: its cost grows with their square
TREE_LOCK = 7_241_001  # one number for pg_advisory_xact_lock, the hierarchy's


# -- values -----------------------------------------------------------------------------------


class Codec:
    """How one field's value is made canonical for the row, and text for the journal."""

    def __init__(self, model_field):
        self.field = model_field
        self.name = model_field.name
        self.attname = model_field.attname
        self.is_text = isinstance(model_field, models.CharField | models.TextField)
        target = model_field.target_field if model_field.is_relation else model_field
        self.is_json = isinstance(target, models.JSONField)
        self.dump = next((dump for kind, dump in _DUMPS if isinstance(target, kind)), _same)
        self._clean = target.to_python
        if isinstance(target, models.DecimalField):
            step = Decimal(1).scaleb(-target.decimal_places)
            self._clean = functools.partial(_clean_decimal, step=step, to_python=target.to_python)
            self.dump = functools.partial(_dump_decimal, step=step)
        elif isinstance(target, models.DateTimeField):
            self._clean = functools.partial(_clean_moment, to_python=target.to_python)
        elif isinstance(target, models.JSONField):
            self._clean = _same

    def clean(self, value):
        """The value as the row holds it: the same for both databases."""
        return None if value is None else self._clean(value)

    def load(self, dumped):
        """The row's value back from the journal's."""
        return None if dumped is None else self._clean(dumped)


def _same(value):
    return value


def _clean_decimal(value, *, step, to_python):
    if not isinstance(value, Decimal):
        value = to_python(value)
    return value.quantize(step, ROUND_HALF_UP)  # PostgreSQL rounds half up, Python half even


def _dump_decimal(value, *, step):
    return None if value is None else str(value.quantize(step, ROUND_HALF_UP))


def _clean_moment(value, *, to_python):
    if not isinstance(value, datetime.datetime):
        value = to_python(value)
    if timezone.is_naive(value):
        value = timezone.make_aware(value)
    return value.astimezone(datetime.UTC)


def _dump_iso(value):
    return None if value is None else value.isoformat()


def _dump_moment(value):
    return None if value is None else value.astimezone(datetime.UTC).isoformat()


def _dump_text(value):
    return None if value is None else str(value)


def _dump_json(value):
    return json.loads(json.dumps(value)) if isinstance(value, list | dict) else value


# The order matters: a DateTimeField is a DateField.
_DUMPS = (
    (models.DateTimeField, _dump_moment),
    (models.DateField, _dump_iso),
    (models.TimeField, _dump_iso),
    (models.UUIDField, _dump_text),
    (models.JSONField, _dump_json),
)


@functools.cache
def codecs(model):
    """The Codecs of a model's journalled fields by attname, in the order of the fields."""
    hidden = {"version", "updated_at", "updated_by", *model.derived, *model.plain_fields}
    return {
        field.attname: Codec(field)
        for field in model._meta.concrete_fields
        if not field.primary_key and field.name not in hidden
    }


@functools.cache
def derived_from(model):
    """For each attname that derived fields are computed from: these fields' attnames."""
    attname = {field.name: field.attname for field in model._meta.concrete_fields}
    found = {}
    for name, sources in model.derived.items():
        for source in sources:
            found.setdefault(attname[source], set()).add(attname[name])
    return found


def derived_by(model, changed):
    """The derived attnames to recompute when the attnames ``changed`` change."""
    sources = derived_from(model)
    return set().union(*(sources.get(attname, ()) for attname in changed))


@functools.cache
def _dumps(model):
    """(attname, name, dump or None where the value is what the journal holds) of each field."""
    return [
        (attname, codec.name, None if codec.dump is _same else codec.dump)
        for attname, codec in codecs(model).items()
    ]


def dumped(record):
    """All journalled values of a record that is as its row, as the journal holds them."""
    values = record.__dict__
    return {
        name: values[attname] if dump is None else dump(values[attname])
        for attname, name, dump in _dumps(type(record))
    }


def _same_value(codec, one, other):
    if codec.is_json:  # Python takes True for 1 and 1 for 1.0, JSON does not
        return canonical(codec.dump(one)) == canonical(codec.dump(other))
    return one == other or codec.dump(codec.clean(one)) == codec.dump(codec.clean(other))


# -- the queryset -----------------------------------------------------------------------------


class JournalledQuerySet(models.QuerySet):
    """A queryset whose writes leave their Changes; reading is Django's own."""

    def _insert(
        self,
        objs,
        fields,
        returning_fields=None,
        raw=False,  # noqa: FBT002 - Django's signature
        using=None,
        on_conflict=None,
        update_fields=None,
        unique_fields=None,
    ):
        if on_conflict is not None:
            raise TypeError("A journalled insert can't ignore or update conflicts.")
        model = self.model
        using = using or self.db
        label = model._meta.label_lower
        with joined(using) as op:
            stamp_new(objs, op, using)
            rows = super()._insert(
                objs, fields, returning_fields=returning_fields, raw=raw, using=using
            )
            at = _position_of_key(model, returning_fields)
            for number, record in enumerate(objs):
                pk = record.pk if record.pk is not None else rows[number][at]
                op.note(label, pk, Verb.CREATED, {}, dumped(record), record.version)
        return rows

    _insert.alters_data = True
    _insert.queryset_only = False

    def _update(self, values):
        raise TypeError("A record is written by save(), update() or bulk_update().")

    _update.queryset_only = False

    def update(self, **values):
        """
        Write the same values to all rows of the queryset, locked and read beforehand.

        Rows that already have the values stay untouched. Returns the number of rows found.
        """
        if self.query.is_sliced:
            raise TypeError("A slice can't be updated.")
        if self.query.group_by is not None or self.query.combinator:
            raise TypeError("A grouped or combined queryset can't be updated.")
        with joined(self.db) as op:
            return _Update(self, values, op).run()

    update.alters_data = True

    def bulk_update(self, objs, fields, batch_size=None):
        """
        Write ``fields`` of the given records; those that do not change are left alone.

        :raises Stale: a record has another version than it was read with
        """
        objs = list(objs)
        if not objs:
            return 0
        with joined(self.db) as op:
            return _bulk_update(self, objs, fields, batch_size, op)

    bulk_update.alters_data = True

    def bulk_create(self, objs, *args, **kwargs):
        with joined(self.db):
            return super().bulk_create(objs, *args, **kwargs)

    def get_or_create(self, *args, **kwargs):
        with joined(self.db):
            return super().get_or_create(*args, **kwargs)

    def update_or_create(self, *args, **kwargs):
        with joined(self.db):
            return super().update_or_create(*args, **kwargs)

    def delete(self):
        raise TypeError("Records are archived; child rows go by core.records.remove().")

    delete.alters_data = True
    delete.queryset_only = True

    def _raw_delete(self, using):
        raise TypeError("Records are archived; child rows go by core.records.remove().")


def _position_of_key(model, returning_fields):
    names = [field.attname for field in returning_fields or ()]
    return names.index(model._meta.pk.attname) if model._meta.pk.attname in names else None


def stamp_new(records, op, using):
    """Make new records ready for their INSERT: canonical, with version, stamps, derived fields."""
    model = type(records[0])
    fields = codecs(model)
    known = [record.pk for record in records if record.pk is not None]
    last = last_versions(model, known, using) if known else {}
    names = {field.name for field in model._meta.concrete_fields}
    for record in records:
        values = record.__dict__
        for attname, codec in fields.items():
            value = values[attname]
            if value is None or (codec.is_text and type(value) is str):
                continue
            if hasattr(value, "resolve_expression"):
                raise TypeError(f"{attname}: a new record takes values, not expressions.")
            values[attname] = codec.clean(value)
        record.version = last.get(record.pk, 0) + 1
        if "created_at" in names:
            _stamp_created(record, op)
    model.derive(records)


def _stamp_created(record, op):
    if record.created_by_id is None and op.by is not None:
        record.created_by_id = op.by.pk
    record.updated_at = op.at
    record.updated_by_id = op.by.pk if op.by is not None else None


def last_versions(model, keys, using):
    """The last version of each key, so that a re-inserted record goes on counting."""
    rows = Change.objects.using(using).filter(model=model._meta.label_lower)
    rows = rows.filter(object_id__among=keys).values("object_id")
    return dict(rows.annotate(last=Max("version")).values_list("object_id", "last").order_by())


def stamps(model, op):
    """What every UPDATE of a record writes besides its fields."""
    values = {"version": F("version") + 1}
    if any(field.name == "updated_at" for field in model._meta.concrete_fields):
        values |= {"updated_at": op.at, "updated_by_id": op.by.pk if op.by else None}
    return values


class _Update:
    """One ``queryset.update()``: lock and read, write what changes, note it, derive."""

    def __init__(self, queryset, values, op):
        self.queryset = queryset
        self.model = queryset.model
        self.op = op
        self.plain = models.QuerySet(self.model, using=queryset.db)
        fields = {name: self.model._meta.get_field(name) for name in values}
        given = {fields[name].attname: _key_of(value) for name, value in values.items()}
        tracked = codecs(self.model)
        self.codecs = {name: tracked[name] for name in given if name in tracked}
        self.untracked = {name: v for name, v in given.items() if name not in tracked}
        refuse_untracked(self.model, self.untracked)
        self.values = {
            name: v if hasattr(v, "resolve_expression") else codec.clean(v)
            for name, codec in self.codecs.items()
            for v in (given[name],)
        }
        self.literal = not any(hasattr(v, "resolve_expression") for v in self.values.values())

    def run(self):
        if not self.codecs:
            return models.QuerySet.update(self.plain_copy(), **self.untracked)
        before = self.locked_rows()
        changing = [row for row in before if not self.literal or self.changes(row)]
        if changing:
            self.write(changing)
        return len(before)

    def plain_copy(self):
        copy = self.queryset._chain()
        copy.__class__ = models.QuerySet
        return copy

    def locked_rows(self):
        """The rows before the write, locked on the caller's own conditions (not by key alone)."""
        rows = self.queryset._chain()
        rows.query.distinct = False
        rows.query.distinct_fields = ()
        rows.query.select_related = False
        rows.query.clear_deferred_loading()
        rows.query.clear_select_clause()
        rows.query.default_cols = True
        rows._fields = None
        rows._iterable_class = models.query.ModelIterable
        return list(lock(rows.order_by("pk")))

    def changes(self, row):
        return any(
            not _same_value(codec, row.__dict__[name], self.values[name])
            for name, codec in self.codecs.items()
        )

    def write(self, rows):
        keys = [row.pk for row in rows]
        target = self.plain_copy().order_by().select_related(None)
        target.query.distinct = False
        target = target.filter(pk__among=keys)
        stamped = {**self.untracked, **self.values, **stamps(self.model, self.op)}
        written = models.QuerySet.update(target, **stamped)
        if written != len(rows):
            raise RowsMoved("another number of rows was written than was locked")
        after = {}
        if not self.literal:
            after = {row.pk: row for row in self.plain.filter(pk__among=keys)}
        label = self.model._meta.label_lower
        for row in rows:
            old, new = {}, {}
            for name, codec in self.codecs.items():
                value = self.values[name] if self.literal else after[row.pk].__dict__[name]
                if not _same_value(codec, row.__dict__[name], value):
                    old[codec.name] = codec.dump(codec.clean(row.__dict__[name]))
                    new[codec.name] = codec.dump(codec.clean(value))
            self.op.note(label, row.pk, Verb.UPDATED, old, new, row.version + 1)
        if derived_by(self.model, self.codecs):
            rederive(self.model, keys, {row.pk: row for row in rows}, self.plain, self.codecs)


def _key_of(value):
    if not isinstance(value, models.Model):
        return value
    if value.pk is None:
        raise ValueError(f"{value!r} is not saved yet, so nothing can point at it.")
    return value.pk


def refuse_untracked(model, attnames):
    """Refuse to write past the journal what is neither derived nor declared plain."""
    names = {field.name for field in model._meta.concrete_fields if field.attname in attnames}
    stamps = {"updated_at", "updated_by"}
    if wrong := names - set(model.derived) - set(model.plain_fields) - stamps:
        raise TypeError(f"{', '.join(sorted(wrong))}: written by the journal alone.")


def rederive(model, keys, before, plain, changed):
    """Recompute and write, past the journal, the derived fields that ``changed`` leads to."""
    names = sorted(derived_by(model, changed))
    records = list(plain.filter(pk__among=keys))
    old = {record.pk: [record.__dict__[name] for name in names] for record in records}
    model.derive(records)
    moved = [r for r in records if [r.__dict__[name] for name in names] != old[r.pk]]
    if moved:
        fields = _field_names(model, names)
        models.QuerySet.bulk_update(plain, moved, fields, BATCH)
    model.derive_further(records, before)


@functools.cache
def _names_by_attname(model):
    return {field.attname: field.name for field in model._meta.concrete_fields}


def _field_names(model, attnames):
    return [_names_by_attname(model)[attname] for attname in attnames]


def _bulk_update(queryset, objs, fields, batch_size, op):
    model = queryset.model
    plain = models.QuerySet(model, using=queryset.db)
    attnames = [model._meta.get_field(name).attname for name in fields]
    tracked = {name: codec for name, codec in codecs(model).items() if name in attnames}
    untracked = set(attnames) - set(tracked)
    refuse_untracked(model, untracked)
    locked = lock(plain.filter(pk__among=[o.pk for o in objs])).order_by("pk")
    rows = {row.pk: row for row in locked}
    changed, before = [], {}
    for obj in objs:
        row = rows.get(obj.pk)
        if row is None or row.version != obj.version:
            raise Stale(_("This was changed by somebody else meanwhile."))
        old, new = {}, {}
        for name, codec in tracked.items():
            value = codec.clean(obj.__dict__[name])
            if not _same_value(codec, row.__dict__[name], value):
                old[codec.name] = codec.dump(codec.clean(row.__dict__[name]))
                new[codec.name] = codec.dump(value)
                obj.__dict__[name] = value
        if new:
            before[row.pk] = model(**{f: row.__dict__[f] for f in _names_by_attname(model)})
            op.note(model._meta.label_lower, row.pk, Verb.UPDATED, old, new, row.version + 1)
            for codec in tracked.values():
                row.__dict__[codec.attname] = obj.__dict__[codec.attname]
            changed.append((obj, row))
    if untracked:
        plain.bulk_update(objs, _field_names(model, untracked), batch_size)
        for obj, row in changed:
            row.__dict__.update({name: obj.__dict__[name] for name in untracked})
    if not changed:
        return 0
    _write_together(model, plain, changed, fields, before, attnames, batch_size, op)
    return len(changed)


def _write_together(model, plain, changed, fields, before, attnames, batch_size, op):
    """Write the changed rows of a bulk_update with stamps and derived fields; update objects."""
    written = [*fields, "version"]
    rows = [row for _obj, row in changed]
    derived = _field_names(model, derived_by(model, attnames))
    if derived:
        model.derive(rows)
        written += derived
    if "updated_at" in _names_by_attname(model):
        written += ["updated_at", "updated_by"]
    for obj, row in changed:
        row.version += 1
        if "updated_at" in written:
            row.updated_at, row.updated_by_id = op.at, op.by.pk if op.by else None
        for name in written:
            attname = model._meta.get_field(name).attname
            obj.__dict__[attname] = row.__dict__[attname]
    written = list(dict.fromkeys(written))
    models.QuerySet.bulk_update(plain, rows, written, batch_size or BATCH)
    if derived:
        model.derive_further(rows, before)


# -- the model --------------------------------------------------------------------------------


class Journalled(models.Model):
    """
    A model all of whose writes are journalled, with an optimistic version.

    ``derived`` names fields computed from others ({field: (sources, …)}): set by ``derive`` on
    every write path, not journalled. ``plain_fields`` are written past the journal.
    ``together`` names groups of fields of which none means anything alone, such as an amount
    and its currency: an undo takes back all of a group or none. ``named_by`` are the fields that
    ``str()`` needs, if those of the row are all; then pages read names of several models at once.
    """

    version = models.PositiveIntegerField(default=1, editable=False)

    derived = {}
    plain_fields = ()
    together = ()
    named_by = ()

    objects = JournalledQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    @classmethod
    def derive(cls, records):
        """Set the derived fields of ``records`` in memory; runs before each write of a source."""

    @classmethod
    def derive_further(cls, records, before):
        """
        Write derived fields of other rows that a change of ``records`` moved (a sub-tree).

        ``before`` maps keys to the records as they were.
        """

    def _do_update(self, base_qs, using, pk_val, values, update_fields, forced_update):
        model = type(self)._meta.concrete_model
        plain = models.QuerySet(model, using=using)
        tracked = codecs(model)
        unjournalled = [row for row in values if row[0].name in model.plain_fields]
        if values and len(unjournalled) == len(values):
            return plain.filter(pk=pk_val)._update(values) > 0
        with joined(using) as op:
            held = op.held.pop((model._meta.label_lower, pk_val), None)
            if held is not None:
                row = model.from_db(using, list(held), list(held.values()))
            else:
                row = lock(plain.filter(pk=pk_val)).order_by("pk").first()
            if row is None:
                if self._state.adding:
                    return False
                raise Stale(_("This is no longer there."))
            if "version" not in self.__dict__:
                raise TypeError("A record that was read without its version can't be saved.")
            if row.version != self.version:
                raise Stale(_("This was changed by somebody else meanwhile."))
            given = {field.attname: value for field, _none, value in values}
            self._write_changes(row, given, tracked, plain, op)
            if unjournalled:
                plain.filter(pk=pk_val)._update(unjournalled)
        return True

    def _write_changes(self, row, given, tracked, plain, op):
        """Write what differs from the locked ``row``, with stamps, derived fields and a Change."""
        model = type(row)
        old, new, written = {}, {}, {}
        before = {name: row.__dict__[name] for name in _names_by_attname(model)}
        for name, value in given.items():
            codec = tracked.get(name)
            if codec is None:
                continue
            value = codec.clean(value)
            self.__dict__[name] = value
            if not _same_value(codec, row.__dict__[name], value):
                old[codec.name] = codec.dump(codec.clean(row.__dict__[name]))
                new[codec.name] = codec.dump(value)
                written[name] = row.__dict__[name] = value
        if not new:
            return
        derived = derived_by(model, written)
        if derived:
            # On the locked row, not on self: self may hold other values that are not saved.
            row._state.fields_cache.clear()
            model.derive([row])
            for name in derived:
                written[name] = self.__dict__[name] = row.__dict__[name]
        stamped = stamps(model, op) | {"version": row.version + 1}
        plain.filter(pk=row.pk).update(**written, **stamped)
        op.note(model._meta.label_lower, row.pk, Verb.UPDATED, old, new, row.version + 1)
        for name, value in stamped.items():
            self.__dict__[name] = value
        if derived:
            model.derive_further([row], {row.pk: model(**before)})

    def delete(self, *args, **kwargs):
        raise TypeError("Records are archived; child rows go by core.records.remove().")

    delete.alters_data = True


# -- locks, removal, the lookup ---------------------------------------------------------------


def lock(queryset):
    """
    Lock the queryset's own rows until the end of the transaction.

    SQLite has no row locks and needs none: its write transactions begin IMMEDIATE.
    """
    return queryset.select_for_update(of=("self",), no_key=True)


def lock_tree(using="default"):
    """Take the one lock of the account hierarchy; before any row lock."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TREE_LOCK])


def remove(records):
    """
    Delete child rows for good, with the rows that the model graph declares CASCADE below them.

    Each leaves its Change; the undo of the operation brings them back under the same keys.

    :raises Conflict: something that is not a child still points at one of them
    """
    records = list(records)
    if not records:
        return
    with joined(records[0]._state.db or "default") as op:
        gone = set()
        for model, rows in _with_children(records):
            # A row may hang on two of the records; it goes once.
            rows = [row for row in rows if (model, row.pk) not in gone]
            gone |= {(model, row.pk) for row in rows}
            delete_rows(model, rows, op)


def delete_rows(model, rows, op):
    """Delete locked ``rows`` of one model by their keys and note each; no children."""
    label = model._meta.label_lower
    for row in rows:
        op.note(label, row.pk, Verb.DELETED, dumped(row), {}, row.version + 1)
    plain = models.QuerySet(model, using=op.connection.alias)
    plain.filter(pk__among=[row.pk for row in rows])._raw_delete(op.connection.alias)


def references(model):
    """The foreign keys of other tables that point at ``model``: (field, is_cascade)."""
    for relation in model._meta.related_objects:
        if not relation.many_to_many and not relation.field.model._meta.proxy:
            yield relation.field, relation.on_delete is models.CASCADE


def _with_children(records):
    """The records and their CASCADE children, children first, each model's rows locked."""
    by_model = {}
    for record in records:
        by_model.setdefault(type(record), []).append(record.pk)
    found = []
    for model, keys in by_model.items():
        plain = models.QuerySet(model)
        rows = list(lock(plain.filter(pk__among=keys)).order_by("pk"))
        for field, cascade in references(model):
            target = models.QuerySet(field.model)
            pointing = target.filter(**{f"{field.name}__among": keys})
            if cascade and issubclass(field.model, Journalled):
                found += _with_children(list(pointing))
            elif not cascade and pointing.exists():
                raise Conflict(_("Something still refers to this."))
        found.append((model, rows))
    return found


@models.CharField.register_lookup
class Like(Lookup):
    """``path__like="/1/7/%"``: the text fits the pattern, in which nothing is escaped."""

    lookup_name = "like"

    def as_sql(self, compiler, connection):
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.process_rhs(compiler, connection)
        return f"{lhs} LIKE {rhs}", [*lhs_params, *rhs_params]


@models.Field.register_lookup
@ForeignObject.register_lookup
class Among(Lookup):
    """``pk__among=[…]``: the value is one of many keys, handed over as one parameter."""

    lookup_name = "among"
    prepare_rhs = False

    def get_db_prep_lookup(self, value, connection):
        if isinstance(value, Blank):
            return "%s", [value]
        keys = [item.pk if isinstance(item, models.Model) else item for item in value]
        return "%s", [json.dumps(keys) if connection.vendor == "sqlite" else keys]

    def as_sql(self, compiler, connection):
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.get_db_prep_lookup(self.rhs, connection)
        params = [*lhs_params, *rhs_params]
        if connection.vendor == "sqlite":
            return f"{lhs} IN (SELECT value FROM json_each({rhs}))", params
        return f"{lhs} = ANY({rhs})", params
