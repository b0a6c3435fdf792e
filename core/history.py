"""Reading the journal: a record's history, where a value came from, how a record once was."""

from dataclasses import dataclass, field

from django.apps import apps
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.journal import Change, Operation, Verb
from core.prepared import prepared
from core.records import codecs
from core.tables import column_of
from core.undo import build, field_label

PAGE = 30
READ_WITH = (
    "operation__actor",
    "operation__undone_by",
    "operation__undoes__undoes",
)


@dataclass(frozen=True)
class Value:
    """One field of a change, as a person reads it."""

    name: str
    label: str
    before: object
    after: object


@dataclass
class Entry:
    """One change of a record in its history, or one operation in a list of them."""

    operation: Operation
    label: str
    change: Change | None = None
    values: list[Value] = field(default_factory=list)


@dataclass(frozen=True)
class Story:
    """What a record's page tells of its past: the latest changes, and how it came in."""

    entries: list
    has_older: bool
    origin: Entry | None


def history(record, *, user, after=None, limit=PAGE):
    """
    The changes of ``record``, newest first, as ``user`` may read them.

    ``after`` is the id of the last Change of the page before. A linked record that the user
    may not see is shown as a stub. Returns the entries and whether there are older ones.
    """
    found = _before(record._meta.label_lower, record.pk, after, limit=limit)
    shown = found[:limit]
    reader = _reader_of(record, user, [change.operation for change in shown], shown)
    return [reader.entry(change) for change in shown], len(found) > limit


def story(record, *, user, limit):
    """
    The Story of ``record`` with its ``limit`` latest changes, all of it read at once.

    The origin is the operation that made the record; of a run, such as an import, that of the
    whole; None if the journal is silent.
    """
    found = _told(record._meta.label_lower, record.pk, limit=limit)
    shown = found[:limit]
    made = next((change for change in reversed(found) if change.verb == Verb.CREATED), None)
    done = made and (made.operation.run or made.operation)
    operations = [change.operation for change in shown]
    reader = _reader_of(record, user, [*operations, done] if done else operations, shown)
    return Story(
        entries=[reader.entry(change) for change in shown],
        has_older=len(found) > limit,
        origin=Entry(done, reader.label(done), made) if done else None,
    )


@prepared
def _before(label, key, after, *, limit):
    changes = Change.objects.filter(model=label, object_id=key)
    if after is not None:
        changes = changes.filter(pk__lt=after)
    return _latest(changes).select_related(*READ_WITH)[: limit + 1]


@prepared
def _told(label, key, *, limit):
    changes = Change.objects.filter(model=label, object_id=key)
    latest = _latest(changes).values("pk")[: limit + 1]
    making = changes.filter(verb=Verb.CREATED).order_by("version", "pk").values("pk")[:1]
    wanted = changes.filter(Q(pk__in=latest) | Q(pk__in=making))
    return _latest(wanted).select_related(*READ_WITH, "operation__run__actor")


def _changes_of(record):
    return Change.objects.filter(model=record._meta.label_lower, object_id=record.pk)


def _latest(changes):
    return changes.order_by("-version", "-pk")


def _reader_of(record, user, operations, changes):
    actors = [op.actor for op in operations]
    known = [user, *actors, record, *record._state.fields_cache.values()]
    return Reader(user, operations, changes, known=known)


class Reader:
    """
    Shows operations and changes of one page to one user.

    The names of all records in labels and values are read together, by one query whatever their
    kinds (``Journalled.named_by``); those that the page has loaded already are ``known``.
    """

    def __init__(self, user, operations, changes=(), *, known=()):
        self.user = user
        self.known = {}
        for row in known:
            if row is not None and _is_readable(row, user):
                self.known.setdefault(row._meta.label_lower, {})[row.pk] = row
        keys = {}
        nested = self._nested(operations)
        self.nested = nested
        for op in [*operations, *nested.values()]:
            for named in op.label.get("named", {}).values():
                if isinstance(named, dict):
                    keys.setdefault(named["model"], set()).add(named["id"])
        for change in changes:
            for codec in _links(change):
                target = codec.field.related_model._meta.label_lower
                for values in (change.before_values, change.after_values):
                    if values.get(codec.name) is not None:
                        keys.setdefault(target, set()).add(values[codec.name])
        keys.pop("core.operation", None)
        self.names = self._names(keys)

    def _nested(self, operations):
        wanted = {
            named["id"]
            for op in operations
            for named in op.label.get("named", {}).values()
            if isinstance(named, dict) and named["model"] == "core.operation"
        }
        loaded = list(operations)
        for op in loaded:  # grows: an undo leads to what it undoes, a redo one further
            if (undone := op._state.fields_cache.get("undoes")) is not None:
                loaded.append(undone)
        found = {op.pk: op for op in loaded if op.pk in wanted}
        missing = wanted - found.keys()
        return {**found, **Operation.objects.in_bulk(missing)} if missing else found

    def _names(self, keys):
        """The names of the records that the user may see: {(label, key): name}."""
        names, left = {}, {}
        for label, pks in keys.items():
            known = self.known.get(label, {})
            names |= {(label, pk): str(known[pk]) for pk in pks & known.keys()}
            if missing := pks - known.keys():
                rows = self._visible(label).filter(pk__among=sorted(missing))
                left[label] = rows.order_by()
        together = {label: rows for label, rows in left.items() if rows.model.named_by}
        for label in left.keys() - together.keys():
            names |= {(label, row.pk): str(row) for row in left[label]}
        return names | dict(_names_of(together))

    def _visible(self, label):
        rows = apps.get_model(label)._default_manager.all()
        return rows.visible_to(self.user) if hasattr(rows, "visible_to") else rows

    def name(self, label, key):
        """The record's name, or the stub of one that is hidden or gone."""
        if (name := self.names.get((label, key))) is not None:
            return name
        kind = apps.get_model(label)._meta.verbose_name
        return gettext("%(kind)s (restricted or removed)") % {"kind": kind}

    def label(self, op):
        """An operation in words: its message, with the records that the user may see named."""
        message = op.label.get("message") or ""
        if not message:
            return op.get_kind_display()
        named = {name: self._named(value) for name, value in op.label["named"].items()}
        return gettext(message) % named

    def _named(self, value):
        if not isinstance(value, dict):
            return value
        if value["model"] == "core.operation":
            nested = self.nested.get(value["id"])
            return self.label(nested) if nested else ""
        return self.name(value["model"], value["id"])

    def entry(self, change):
        """A change in words."""
        return Entry(change.operation, self.label(change.operation), change, self.values(change))

    def values(self, change):
        """The fields of a change as a person reads them; internal ones are left out."""
        model = apps.get_model(change.model)
        known = {codec.name: codec for codec in codecs(model).values()}
        names = [n for n in {**change.before_values, **change.after_values} if n in known]
        names = [n for n in names if known[n].field.editable or change.verb == Verb.UPDATED]
        shown = []
        for name in names:
            before = self._value(model, known[name], change.before_values)
            after = self._value(model, known[name], change.after_values)
            if change.verb == Verb.UPDATED or before or after:
                shown.append(Value(name, field_label(change.model, name), before, after))
        return shown

    def _value(self, model, codec, values):
        """One value in words, amounts in the currency of the same change, else without one."""
        dumped = values.get(codec.name)
        if dumped is None or dumped == "" or dumped == []:
            return ""
        if codec.field.is_relation:
            return self.name(codec.field.related_model._meta.label_lower, dumped)
        if codec.field.choices:
            return str(dict(codec.field.flatchoices).get(dumped, dumped))
        if isinstance(dumped, bool):
            return _("yes") if dumped else _("no")
        record = build(model, None, {codec.name: dumped} | _currency_of(values))
        return column_of(model, codec.name).shown(record)


def _names_of(querysets):
    """The names of rows of several models by one query: ((label, key), name)."""
    width = max((len(rows.model.named_by) for rows in querysets.values()), default=0)
    parts = []
    for label, rows in querysets.items():
        names = rows.model.named_by
        blanks = [_text("")] * (width - len(names))
        parts.append(rows.values_list(_text(label), "pk", *(F(name) for name in names), *blanks))
    if not parts:
        return
    first, *others = parts
    for label, pk, *texts in first.union(*others, all=True) if others else first:
        rows = querysets[label]
        names = [rows.model._meta.pk.attname, *rows.model.named_by]
        # As a row of which no more was read: without the defaults, some of which are looked up.
        row = rows.model.from_db(rows.db, names, [pk, *texts[: len(names) - 1]])
        yield (label, pk), str(row)


def _text(text):
    return models.Value(text, output_field=models.CharField())


def _currency_of(values):
    """The currency that goes with the amounts of a change, if the change says it."""
    return {name: values[name] for name in ("currency", "budget_currency") if name in values}


def _is_readable(row, user):
    """Whether ``user`` may read a row that was loaded for him; people are no secret."""
    return not hasattr(row, "can") or row.can(user, "view")


def _links(change):
    model = apps.get_model(change.model)
    return [codec for codec in codecs(model).values() if codec.field.is_relation]


def lineage(record):
    """For each field the operation that last set it: {field name: Operation}."""
    found = {}
    changes = _changes_of(record)
    for change in changes.select_related("operation").order_by("-version"):
        for name in change.after_values:
            found.setdefault(name, change.operation)
    return found


def snapshot(record, version):
    """
    The record as it was at ``version``: present values with the later Changes taken back.

    An unsaved instance under the same key; derived fields are computed anew.
    """
    changes = Change.objects.filter(model=record._meta.label_lower, object_id=record.pk)
    past = taken_back(record, changes.filter(version__gt=version).order_by("-version"))
    past.version = version
    return past


def taken_back(record, changes):
    """``record`` as it was before ``changes``, which come newest first; not to be saved."""
    model = type(record)
    values = {
        codec.name: codec.dump(codec.clean(record.__dict__[attname]))
        for attname, codec in codecs(model).items()
    }
    for change in changes:
        values.update(change.before_values)
    return build(model, record.pk, values)


def changed_between(record, version):
    """The fields that were written after ``version``: {field name: Operation}, latest wins."""
    found = {}
    changes = _changes_of(record)
    for change in changes.filter(version__gt=version).select_related("operation__actor"):
        for name in change.after_values:
            found[name] = change.operation
    return found


def recent_operations(*, user, limit=PAGE, before=None):
    """Operations that ``user`` did, newest first: what can be undone from the list of them."""
    rows = Operation.objects.filter(actor=user, run=None).select_related("undone_by")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[:limit])
