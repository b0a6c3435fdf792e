"""
Tables of records: which columns, in which order, and paging by key.

A page is found by the key of a row (its sort value and its id), never by an offset, so a deep
page costs what the first one costs. Rows with an empty sort value come last in both
directions: they are a segment of their own, walked after the other one by its own index.
"""

import datetime
import functools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter, methodcaller

from django.core import signing
from django.db import models
from django.db.models import Exists, F, Q, Subquery
from django.db.models.fields.tuple_lookups import (
    TupleGreaterThan,
    TupleLessThan,
    TupleLookupMixin,
)
from django.db.models.functions import Coalesce
from django.utils.html import format_html
from django.utils.text import capfirst

from core.countries import country_name
from core.fields import (
    CountryField,
    ListField,
    LongTextField,
    MoneyField,
    PercentField,
    PhoneField,
    StringListField,
    UrlField,
)
from core.models import ListValue
from core.once import once
from core.prepared import prepared
from core.reach import ADDRESS_PARTS, fields_judged, may
from core.templatetags.components import SHOWN
from users.models import User

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
CELLS = 600  # on a page whose size nobody asked for: it stays below 100 KB
COUNT_LIMIT = 10_000  # beyond it a count says "10,000+"
SALT = "core.tables"
NUMERIC = frozenset({"money", "number", "percent", "score"})
TIMES = frozenset({"date", "short_date", "due", "moment", "stamp", "age"})


@dataclass(frozen=True)
class Column:
    """
    One fact about a record, in a list, in a record's header or among its details.

    ``value`` is a function of the record or a path of attributes (``"owner.name"``); without
    it the attribute of the key, as people read it. ``sort`` names an own field with an index
    (field, id). ``kind`` is a key of the components' SHOWN: "link" leads to the record, money
    takes the record's currency, pill and dot the tone that the function ``tone`` gives, and
    "multiline" keeps its line breaks.
    ``verb`` limits the column to users who may do that to some record. ``extra`` columns are
    left out on a phone. ``blank`` stands where there is no value. ``edit`` names the field of
    the record's form that a cell of a list opens, ``page`` the page of what changes only by a
    verb of its own.
    """

    key: str
    label: str
    value: Callable | str | None = None
    sort: str | None = None
    kind: str = "text"
    verb: str | None = None
    extra: bool = False
    tone: Callable | None = None
    blank: str = ""
    edit: str = ""
    page: str = ""

    @property
    def is_editable(self):
        """Whether a cell of a list can be changed from there."""
        return bool(self.edit or self.page)

    @property
    def css(self):
        """The classes of the column's cells."""
        names = ["table__key"] if self.kind == "link" else []
        names += ["num"] if self.kind in NUMERIC else []
        names += ["nowrap"] if self.kind in TIMES else []
        names += ["table__main"] if not self.extra and self.kind != "link" else []
        return " ".join(names)

    def value_of(self, record):
        """The value, a choice by its label, not yet in the words of its kind."""
        if callable(self.value):
            return self.value(record)
        if self.value is None:
            return _reader(type(record), self.key)(record)
        value = record
        for name in self.value.split("."):
            value = getattr(value, name, None)
        return value

    def reads(self, model):
        """The fields of ``model`` that its cells read, as far as its declaration tells them."""
        for name in (self.key, self.value, "currency" if self.kind == "money" else None):
            if isinstance(name, str) and (model_field := _fields(model).get(name)):
                yield name
                if model_field.is_relation:
                    yield f"{name}__name"

    def shown(self, record):
        """The value as people read it, with its markup; the blank's words if there is none."""
        value = self.value_of(record)
        if value is None or value == "":
            return self.blank
        if self.kind == "text":
            return value
        if self.kind == "link":
            link = '<a class="plain" href="{}">{}</a>'
            return format_html(link, record.get_absolute_url(), value)
        return SHOWN[self.kind](
            value,
            currency=getattr(record, "currency", "") if self.kind == "money" else "",
            tone=self.tone(record) if self.tone else "",
        )


@functools.cache
def _fields(model):
    return {field.name: field for field in model._meta.concrete_fields}


@functools.cache
def _reader(model, name):
    """A function of a record: its attribute ``name``, choices and countries by their names."""
    model_field = _fields(model).get(name)
    read = attrgetter(name)
    if isinstance(model_field, CountryField):
        return lambda record: country_name(read(record))
    if isinstance(model_field, ListField):
        return lambda record: labels_of(model_field.list_key).get(read(record), read(record))
    if model_field is not None and model_field.choices:
        return methodcaller(f"get_{name}_display")
    return read


def labels_of(list_key):
    """The labels of an editable list by its values, in their order, read once a request."""
    return once("labels", _load_labels).get(list_key, {})


def _load_labels():
    """The labels of all lists, without making records of them: {list key: {value: label}}."""
    labels = {}
    for key, value, label in _list_values():
        labels.setdefault(key, {})[value] = label
    return labels


@prepared
def _list_values():
    rows = ListValue.objects.order_by("list_key", "position", "pk")
    return rows.values_list("list_key", "value", "label")


@dataclass(frozen=True)
class Sort:
    """The column by which a table is sorted, and its direction."""

    column: Column
    descending: bool

    def __str__(self):
        return f"-{self.column.key}" if self.descending else self.column.key


class Table:
    """The columns of one list, in the order of the page; the first one is its link."""

    columns = ()
    default_columns = None  # the keys shown unless the user chooses; None for all
    default_sort = ""
    reads = ()  # the fields that rows need besides their columns': for names, tones, sums

    @classmethod
    def column(cls, key):
        """The column of that key, or None."""
        return next((column for column in cls.columns if column.key == key), None)

    @classmethod
    def for_user(cls, model, user):
        """The columns that this user may see at all."""
        return [c for c in cls.columns if c.verb is None or may(user, c.verb, model)]

    @classmethod
    def sort_of(cls, text):
        """The sort that ``-key`` or ``key`` asks for; the default for anything else."""
        for wanted in (text, cls.default_sort):
            column = cls.column(wanted.removeprefix("-"))
            if column is not None and column.sort:
                return Sort(column, wanted.startswith("-"))
        raise ValueError(f"{cls.__name__}.default_sort names no column with sort=.")

    @classmethod
    def chosen(cls, columns, keys):
        """Those of ``columns`` asked for, in that order, after the link; else the default."""
        link, *others = columns
        by_key = {column.key: column for column in others}
        asked = dict.fromkeys(key for text in keys for key in text.split(","))
        if asked.keys() & {column.key for column in columns}:
            return [link, *(by_key[key] for key in asked if key in by_key)]
        default = cls.default_columns or by_key.keys()
        return [link, *(column for column in others if column.key in default)]

    @classmethod
    def narrowed(cls, queryset, columns, sort):
        """``queryset`` with the fields that rows of these columns read; records are far wider."""
        model = queryset.model
        names = {*cls.reads, *fields_judged(model), sort.column.sort}
        names.update(*(column.reads(model) for column in columns))
        linked = {name.removesuffix("__name") for name in names if name.endswith("__name")}
        queryset = queryset.only(*names)
        return queryset.select_related(*linked) if linked else queryset


def page_size(text, *, columns=1):
    """How many rows a page has: what was asked for up to 200, else 50, or 600 cells."""
    if text.isascii() and text.isdigit() and 0 < len(text) < 10:
        return max(1, min(int(text), MAX_PAGE_SIZE))
    return min(PAGE_SIZE, CELLS // columns)


# -- paging by key ----------------------------------------------------------------------------


class RowComparison:
    """
    Compares rows of columns as SQLite can since 3.15, so that it seeks in the index.

    Django writes the comparison out with OR there, for which SQLite walks the index from its
    beginning.
    """

    def as_sqlite(self, compiler, connection):
        return super(TupleLookupMixin, self).as_sql(compiler, connection)


class RowAfter(RowComparison, TupleGreaterThan):
    """(a, b) > (x, y)"""


class RowBefore(RowComparison, TupleLessThan):
    """(a, b) < (x, y)"""


@dataclass(frozen=True)
class Position:
    """A row's place in a sorted list: its segment, its value there and its key."""

    segment: int
    value: object
    pk: int


@dataclass
class Page:
    """The records of one page, the tokens of its neighbours, and how many there are in all."""

    records: list
    newer: str = ""
    older: str = ""
    count: int = 0


def page_of(queryset, sort, *, after="", before="", size=PAGE_SIZE):
    """
    Read one page of ``queryset`` sorted by ``sort``: at most two queries and one to count.

    ``after`` and ``before`` are tokens of an earlier page; one that is forged, of another sort
    or leads before the first row gives the first page.
    """
    walk = _Walk(queryset, sort)
    if before and (position := walk.position(before)):
        records = walk.read(position, size + 1, backwards=True)
        if len(records) >= size:
            page = Page(records[:size][::-1])
            page.older = walk.token(page.records[-1])
            if len(records) > size:
                page.newer = walk.token(page.records[0])
            return _counted(page, queryset)
    position = walk.position(after) if after else None
    records = walk.read(position, size + 1)
    if position and not records:
        position = None
        records = walk.read(None, size + 1)
    page = Page(records[:size])
    if len(records) > size:
        page.older = walk.token(page.records[-1])
    if position:
        page.newer = walk.token(page.records[0])
    elif not page.older:
        page.count = len(records)
        return page
    return _counted(page, queryset)


def _counted(page, queryset):
    """Count up to the limit: one statement that stops there, whatever the size of the table."""
    page.count = queryset.order_by()[: COUNT_LIMIT + 1].count()
    return page


def neighbours(record, queryset, sort):
    """
    The keys of the rows before and after ``record`` in a sorted list, None at its ends.

    One query, by the same indexes as the pages; None if the record is not in the list.
    """
    walk = _Walk(queryset, sort)
    position = walk.position_of(record)
    row = queryset.model.objects.filter(pk=record.pk).order_by()
    row = row.annotate(
        is_listed=Exists(queryset.order_by().filter(pk=record.pk)),
        before=walk.nearest(position, backwards=True),
        after=walk.nearest(position),
    )
    found = row.values_list("is_listed", "before", "after").first()
    return found[1:] if found and found[0] else None


class _Walk:
    """Walks the segments of a sorted queryset from a position, forwards or backwards."""

    def __init__(self, queryset, sort):
        self.queryset = queryset
        self.sort = sort
        self.field = queryset.model._meta.get_field(sort.column.sort)
        self.segments = _segments(self.field)

    def read(self, position, limit, *, backwards=False):
        """At most ``limit`` rows beyond ``position``, the nearest first."""
        records = []
        for rows in self._stretches(position, backwards=backwards):
            records += self._fetched(rows, limit - len(records))
            if len(records) >= limit:
                break
        return records

    def nearest(self, position, *, backwards=False):
        """An expression: the key of the first row beyond ``position``, NULL at the end."""
        stretches = self._stretches(position, backwards=backwards)
        keys = [Subquery(rows.values("pk")[:1]) for rows in stretches]
        return keys[0] if len(keys) == 1 else Coalesce(*keys)

    def _stretches(self, position, *, backwards):
        """The rows beyond ``position`` in order, a queryset for each segment."""
        numbers = range(len(self.segments))
        if position:
            numbers = range(position.segment, len(self.segments))
            if backwards:
                numbers = range(position.segment, -1, -1)
        descending = self.sort.descending != backwards
        for number in numbers:
            rows = self.queryset.filter(self.segments[number])
            if position and number == position.segment:
                rows = rows.filter(self._beyond(position, descending))
            yield rows.order_by(*self._order(number, descending))

    def _fetched(self, rows, limit):
        """
        The first ``limit`` of ``rows``.

        Which ones they are is found without the joined tables: with them SQLite would begin at
        the owners and sort all their records.
        """
        if self.queryset.query.select_related:
            keys = rows.select_related(None).values("pk")[:limit]
            rows = rows.filter(pk__in=keys)
        return list(rows[:limit])

    def _order(self, segment, descending):
        names = ["pk"] if segment or self.field.primary_key else [self.field.name, "pk"]
        return [f"-{name}" for name in names] if descending else names

    def _beyond(self, position, descending):
        if position.segment or self.field.primary_key:
            return Q(**{"pk__lt" if descending else "pk__gt": position.pk})
        compare = RowBefore if descending else RowAfter
        return compare((F(self.field.name), F("pk")), (position.value, position.pk))

    def position_of(self, record):
        """The position of a row of this list."""
        value = getattr(record, self.field.attname)
        if len(self.segments) > 1 and (value is None or value == ""):
            return Position(1, None, record.pk)
        return Position(0, value, record.pk)

    def token(self, record):
        """The signed token of a row of this list."""
        position = self.position_of(record)
        segment, value = position.segment, position.value
        if isinstance(value, datetime.date | datetime.time):
            value = value.isoformat()
        elif isinstance(value, Decimal):
            value = str(value)
        return signing.dumps([str(self.sort), segment, value, record.pk], salt=SALT)

    def position(self, token):
        """The position that a token names; None if it is not one of ours, or of another sort."""
        try:
            sort, segment, value, pk = signing.loads(token, salt=SALT)
        except signing.BadSignature:
            return None
        if sort != str(self.sort) or segment >= len(self.segments):
            return None
        return Position(segment, None if segment else self.field.to_python(value), pk)


def _segments(model_field):
    """The conditions that cut a list in rows with a value and rows without one."""
    name = model_field.name
    if model_field.null:
        return [Q(**{f"{name}__isnull": False}), Q(**{f"{name}__isnull": True})]
    if isinstance(model_field, models.CharField | models.TextField) and model_field.blank:
        return [Q(**{f"{name}__gt": ""}), Q(**{name: ""})]
    return [Q()]


# -- columns of model fields ------------------------------------------------------------------

KINDS = (  # the first that fits
    (models.EmailField, "email"),
    (models.BooleanField, "truth"),
    (models.DateTimeField, "stamp"),
    (models.DateField, "date"),
    (MoneyField, "money"),
    (PercentField, "percent"),
    (PhoneField, "phone"),
    (UrlField, "url"),
    (StringListField, "list"),
    (LongTextField, "multiline"),
    (models.DecimalField, "number"),
    (models.IntegerField, "number"),
)


@functools.cache
def column_of(model, name):
    """The Column that shows the model field ``name`` as a fact, without declaring one."""
    model_field = model._meta.get_field(name)
    return Column(name, capfirst(model_field.verbose_name), kind=_kind_of(model_field))


def _kind_of(model_field):
    if model_field.is_relation:
        is_record = hasattr(model_field.related_model, "get_absolute_url")
        if model_field.related_model is User:
            return "user"
        return "record" if is_record else "text"
    if model_field.choices:
        return "text"
    return next((kind for cls, kind in KINDS if isinstance(model_field, cls)), "text")


def as_columns(model, items):
    """``items`` are Columns or names of model fields; all of them as Columns."""
    return [item if isinstance(item, Column) else column_of(model, item) for item in items]


def address(use, label):
    """A Column of the address whose fields begin with ``use``, in the order of the post."""
    start = f"{use}_" if use else ""

    def value(record):
        part = {name: getattr(record, f"{start}{name}") for name in ADDRESS_PARTS}
        lines = part["street"].splitlines()
        lines.append(" ".join(filter(None, (part["postal_code"], part["city"]))))
        return ", ".join(filter(None, [*lines, part["state"], country_name(part["country"])]))

    return Column(f"{start}street", label, value=value)
