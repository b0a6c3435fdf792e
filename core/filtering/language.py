"""Filter documents: read, checked with the place of each mistake, asked, said in words."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Invalid
from core.filtering.related import MOST_RELATED, RelatedCondition, Relation, relations_of
from core.filtering.types import NEGATIVE, BadValue, FieldType, Search, type_of
from core.models import Organisation

MOST_CONDITIONS = 50
DEEPEST = 3
LONGEST = 50_000
JOINS = ("all", "any")
SEARCH = "search_text"
NEVER = frozenset({"archived_at", "custom", "merged_into", "version"})
VALUELESS = frozenset({"empty", "filled"})
SEVERAL = frozenset({"in", "not_in", "between"})

OPERATORS = {
    "search": gettext_lazy("has the words %(value)s"),
    "is": gettext_lazy("is %(value)s"),
    "is_not": gettext_lazy("is not %(value)s"),
    "contains": gettext_lazy("contains %(value)s"),
    "starts": gettext_lazy("begins with %(value)s"),
    "in": gettext_lazy("is %(value)s"),
    "not_in": gettext_lazy("is not %(value)s"),
    "lt": gettext_lazy("less than %(value)s"),
    "lte": gettext_lazy("up to %(value)s"),
    "gt": gettext_lazy("more than %(value)s"),
    "gte": gettext_lazy("at least %(value)s"),
    "between": gettext_lazy("from %(first)s to %(last)s"),
    "during": gettext_lazy("is %(value)s"),
    "last": "",
    "next": "",
    "older": "",
    "ahead": "",
    "empty": gettext_lazy("is empty"),
    "filled": gettext_lazy("is not empty"),
}
"""The operators in words; those without are worded by the type of their field."""


class FilterRefused(Invalid):
    """A filter that can't be asked; ``place`` counts the way to the mistake from 1."""

    def __init__(self, message, *, place=()):
        where = ".".join(str(number) for number in place)
        text = _("Condition %(place)s: %(message)s") % {"place": where, "message": message}
        super().__init__(text if place else message)
        self.reason = message
        self.place = place


@dataclass(frozen=True)
class Context:
    """For whom a filter is asked, and when; the settings are read for what asks for a day."""

    by: object

    @property
    def zone(self):
        return ZoneInfo(Organisation.current().time_zone)

    @cached_property
    def today(self):
        return Organisation.current().today()

    @property
    def start_month(self):
        return Organisation.current().fiscal_year_start_month


@dataclass(frozen=True)
class Condition:
    """A field, an operator and its value."""

    type: FieldType
    op: str
    value: object

    @property
    def field(self):
        return self.type.name

    @cached_property
    def positive(self):
        """The operator without its "not"."""
        return NEGATIVE.get(self.op, self.op)

    @cached_property
    def operand(self):
        return self.type.operand(self.positive, self.value)

    @cached_property
    def q(self):
        if self.positive == "empty":
            where = self.type.is_empty_where()
        else:
            where = self.type.where(self.positive, self.operand)
        return where if self.positive == self.op else ~where

    def matches(self, record):
        stored = self.type.stored(record)
        if self.positive == "empty":
            found = self.type.is_empty(stored)
        else:
            found = self.type.holds(stored, self.positive, self.operand)
        return found == (self.positive == self.op)

    @property
    def document(self):
        found = {"field": self.field, "op": self.op}
        return found if self.op in VALUELESS else found | {"value": self.value}

    @property
    def label(self):
        return label_of(self.type)

    @property
    def words(self):
        """What is asked of the field: "is Open or Working"."""
        pattern = str(self.type.words.get(self.op) or OPERATORS[self.op])
        if self.op in VALUELESS:
            return pattern
        values = self.value if isinstance(self.value, list) else [self.value]
        shown = [str(self.type.in_words(self.positive, value)) for value in values]
        if self.op == "between":
            return pattern % {"first": shown[0], "last": shown[1]}
        return pattern % {"value": _(" or ").join(shown)}


@dataclass(frozen=True)
class Group:
    """Conditions and groups of which all, or any, must hold; without any everything does."""

    join: str
    items: tuple = ()

    @cached_property
    def q(self):
        where = Q()
        for item in self.items:
            where = where & item.q if self.join == "all" else where | item.q
        return where

    def matches(self, record):
        if not self.items:
            return True
        judge = all if self.join == "all" else any
        return judge(item.matches(record) for item in self.items)

    @property
    def document(self):
        return {self.join: [item.document for item in self.items]}

    @property
    def label(self):
        return _("All of") if self.join == "all" else _("Any of")

    @property
    def words(self):
        separator = "; " if self.join == "all" else _("; or ")
        return separator.join(f"{item.label} {item.words}" for item in self.items)


@dataclass(frozen=True)
class Filter:
    """A checked filter over the records of one model, as one user asks it."""

    model: type[models.Model]
    root: Group

    @property
    def q(self):
        """The condition for a queryset that ``visible_to`` has cut already."""
        return self.root.q

    def matches(self, record):
        """Whether one record, as it is in memory, would be found by ``q``."""
        return self.root.matches(record)

    @property
    def document(self):
        return self.root.document

    @property
    def items(self):
        """What must hold, one after the other: for a page that shows each by itself."""
        return self.root.items if self.root.join == "all" else (self.root,)

    @property
    def is_empty(self):
        return not self.root.items


def label_of(field_type):
    """A field's name as people read it."""
    if isinstance(field_type, Search):
        return _("Anything")
    if isinstance(field_type, Relation):
        return field_type.label
    return capfirst(str(field_type.field.verbose_name))


def field_types(model, by):
    """
    What ``by`` may ask about the records of ``model``: {name: FieldType}.

    A field without words of its own is not for people, and those of NEVER are told otherwise.
    """
    context = Context(by)
    return {name: _type_of(field, context) for name, field in _fields(model).items()}


@functools.cache
def _fields(model):
    """The fields of ``model`` that can be asked about: {name: field}."""
    context = Context(None)
    return {f.name: f for f in model._meta.concrete_fields if _type_of(f, context) is not None}


def _type_of(field, context):
    if field.name == SEARCH:
        return Search(field, context)
    if field.primary_key or not _is_for_people(field):
        return None
    return type_of(field, context)


def relations(model, by):
    """The records that refer to those of ``model`` and can be asked about: {name: Relation}."""
    context = Context(by)
    return {name: Relation(name, field, context) for name, field in _relations(model).items()}


@functools.cache
def _relations(model):
    return {name: f for name, f in relations_of(model).items() if _is_for_people(f)}


def _is_for_people(field):
    """Whether the field has words of its own; Django gives the others their names."""
    return field.name not in NEVER and field._verbose_name is not None  # noqa: SLF001 - Django tells it nowhere else


def parse(model, document, *, by):
    """
    Read a filter over ``model`` from a document or its JSON text; nothing is asked yet.

    ``by`` is whose "me", "my team" and reach it means, None for nobody's.

    :raises FilterRefused: with the place of the mistake
    """
    document = as_document(document)
    return Filter(model, _Reader(model, Context(by)).group(document, ()))


def both(*documents):
    """One document that asks for all of these."""
    items = []
    for document in documents:
        if set(document) == {"all"} and isinstance(document["all"], list):
            items += document["all"]
        elif document:
            items.append(document)
    return {"all": items}


def as_document(document):
    """
    The document itself, or the one that a JSON text holds.

    :raises FilterRefused: it is neither
    """
    if isinstance(document, str):
        if len(document) > LONGEST:
            raise FilterRefused(_("This filter is too long."))
        try:
            document = json.loads(document, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise FilterRefused(_("This filter can't be read.")) from error
    if not isinstance(document, Mapping):
        raise FilterRefused(_("This filter can't be read."))
    return document


def _refuse_constant(name):
    raise ValueError(name)


class _Reader:
    """Reads one document; counts its conditions."""

    def __init__(self, model, context):
        self.model = model
        self.context = context
        self.has_relations = True
        self.count = 0

    def type(self, name):
        """What can be asked of the field or relation of this name; None if there is none."""
        if not isinstance(name, str):
            return None
        if field := _fields(self.model).get(name):
            return _type_of(field, self.context)
        field = _relations(self.model).get(name) if self.has_relations else None
        return field and Relation(name, field, self.context)

    def group(self, document, place):
        if not document:
            return Group("all")
        join = next((join for join in JOINS if join in document), None)
        if join is None or len(document) > 1 or not isinstance(document[join], list):
            raise FilterRefused(_("Neither a condition nor a group."), place=place)
        if len(place) >= DEEPEST:
            message = _("Groups stand in each other at most %s deep.") % DEEPEST
            raise FilterRefused(message, place=place)
        items = (self.item(item, (*place, number)) for number, item in enumerate(document[join], 1))
        return Group(join, tuple(item for item in items if item is not None))

    def item(self, document, place):
        """A condition or a group; None for a group of nothing."""
        if not isinstance(document, Mapping):
            raise FilterRefused(_("Neither a condition nor a group."), place=place)
        if "field" in document:
            return self.condition(document, place)
        group = self.group(document, place)
        return group if group.items else None

    def condition(self, document, place):
        self.count += 1
        if self.count > MOST_CONDITIONS:
            message = _("A filter has at most %s conditions.") % MOST_CONDITIONS
            raise FilterRefused(message, place=place)
        name, op = document["field"], document.get("op")
        found = self.type(name)
        if found is None:
            raise FilterRefused(_("There is no field “%s”.") % str(name)[:60], place=place)
        if isinstance(found, Relation):
            return self.related(found, document, place)
        if document.keys() - {"field", "op", "value"}:
            raise FilterRefused(_("A condition is a field, an operator and a value."), place=place)
        _require_offered(found, op, place)
        if op in VALUELESS:
            return Condition(found, op, None)
        try:
            value = found.clean(NEGATIVE.get(op, op), document.get("value"))
        except BadValue as error:
            raise FilterRefused(str(error), place=place) from error
        return Condition(found, op, value)

    def related(self, found, document, place):
        """A condition on the records of a relation; its own conditions count as a group."""
        op, count = document.get("op"), document.get("count", 1)
        _require_offered(found, op, place)
        if document.keys() - {"field", "op", "value", "count"}:
            raise FilterRefused(_("A condition is a field, an operator and a value."), place=place)
        if isinstance(count, str) and count.isascii() and count.isdigit():
            count = int(count[:9])
        is_number = isinstance(count, int) and not isinstance(count, bool)
        if not is_number or not 0 < count <= MOST_RELATED:
            message = _("Enter a number from 1 to %s.") % MOST_RELATED
            raise FilterRefused(message, place=place)
        value = document.get("value", {})
        if not isinstance(value, Mapping):
            raise FilterRefused(_("Neither a condition nor a group."), place=place)
        outer = self.model, self.has_relations
        self.model, self.has_relations = found.model, False
        group = self.group(value, place)
        self.model, self.has_relations = outer
        return RelatedCondition(found, op, group, count)


def _require_offered(found, op, place):
    if not isinstance(op, str) or op not in found.offered:
        values = {"field": label_of(found), "op": str(op)[:60]}
        message = _("%(field)s can't be asked with “%(op)s”.") % values
        raise FilterRefused(message, place=place)
