"""
Queries that Django builds and compiles once a process; each call fills in its values.

For a page of many small questions Django takes several times as long to write the SQL as the
database to answer it. A question that is asked on every page can be prepared:

    @prepared
    def _labels(list_key, *, model):
        return model.objects.filter(list_key=list_key).values_list("value", "label")

    _labels("industry", model=ListValue)  # the rows, as a list

The function sees a blank for each value: for a text, a number, a date, and for a list, which is
one value for ``__among``. In a ``Q``, such as a reach's condition, each value is blank as well.
What decides over the form of the SQL is kept apart by it: None, True and False, how long the
lists in a ``Q`` are, and what is given by keyword. So the function must ask nobody else, no clock,
no settings and no user: what it finds out is kept for everybody. A blank is compared as it is: for
a list write ``__among``, for a beginning ``__like``.

Rule: docs/decisions/prepared-queries.md
"""

import copy
import functools
import itertools
import json

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models import Lookup, Q
from django.db.models.expressions import Value
from django.db.models.fields.related import ForeignObject

FIXED = (bool, type(None))
KEPT = 100  # forms of one question, above all by how many owners a user sees


class Blank(Value):
    """Stands in the query for the value of this number."""

    def as_sql(self, compiler, connection):
        return "%s", [self]

    def _resolve_output_field(self):
        return None  # a lookup compares as its left side says; a value of its own kind is typed

    def filled(self, values, connection):
        """The value as the database's driver takes it."""
        value = values[self.value]
        if isinstance(value, list):
            return json.dumps(value) if connection.vendor == "sqlite" else value
        return connection.ops.adapt_unknown_value(value)


@models.Field.register_lookup
@ForeignObject.register_lookup
class OneOf(Lookup):
    """The ``__in`` of a prepared query: a list of blanks."""

    lookup_name = "one_of"
    prepare_rhs = False

    def as_sql(self, compiler, connection):
        if not self.rhs:
            raise EmptyResultSet
        lhs, params = self.process_lhs(compiler, connection)
        blanks = ", ".join(["%s"] * len(self.rhs))
        return f"{lhs} IN ({blanks})", [*params, *self.rhs]


class Statement:
    """A queryset whose SQL is written: ``rows`` are read with the values for its blanks."""

    def __init__(self, queryset):
        self.queryset = queryset
        self.compiler = queryset.query.get_compiler(queryset.db)
        try:
            self.sql, self.params = self.compiler.as_sql()
        except EmptyResultSet:
            self.sql = None
            return
        columns = [expression for expression, *_rest in self.compiler.select]
        self.converters = self.compiler.get_converters(columns[: self.compiler.col_count])

    def rows(self, values):
        if self.sql is None:
            return []
        # Copies of one call, without cloning anything: threads ask the same statement at once.
        connection = connections[self.queryset.db]
        params = tuple(
            param.filled(values, connection) if isinstance(param, Blank) else param
            for param in self.params
        )
        compiler, query = copy.copy(self.compiler), copy.copy(self.queryset.query)
        compiler.connection = connection
        compiler.as_sql = lambda *args, **kwargs: (self.sql, params)
        compiler.get_converters = lambda expressions: self.converters
        query.get_compiler = lambda *args, **kwargs: compiler
        rows = object.__new__(type(self.queryset))
        rows.__dict__.update(self.queryset.__dict__, _query=query)
        return list(rows)


def prepared(build):
    """Make of ``build``, which gives a queryset, a function that gives its rows as a list."""
    statements = {}

    @functools.wraps(build)
    def ask(*args, **form):
        values = []
        shape = (*(_shape(arg, values) for arg in args), *form.items())
        statement = statements.get(shape)
        if statement is None:
            numbers = itertools.count()
            statement = Statement(build(*(_blanked(arg, numbers) for arg in args), **form))
            if len(statements) >= KEPT:
                statements.clear()
            statements[shape] = statement
        return statement.rows(values)

    return ask


def _shape(value, values):
    """What the form of the SQL depends on; what it doesn't is added to ``values``."""
    if isinstance(value, Q):
        parts = (_shape_of_child(child, values) for child in value.children)
        return value.connector, value.negated, *parts
    if isinstance(value, FIXED):
        return value
    values.append(value)
    return "list" if isinstance(value, list) else "value"


def _shape_of_child(child, values):
    if isinstance(child, Q):
        return _shape(child, values)
    lookup, value = child
    if lookup.endswith("__in"):
        values.extend(value)
        return lookup, len(value)
    return lookup, _shape(value, values)


def _blanked(value, numbers):
    """The same with blanks for what ``_shape`` adds to its values, in the same order."""
    if isinstance(value, Q):
        children = [_blanked_child(child, numbers) for child in value.children]
        return Q.create(children, connector=value.connector, negated=value.negated)
    return value if isinstance(value, FIXED) else Blank(next(numbers))


def _blanked_child(child, numbers):
    if isinstance(child, Q):
        return _blanked(child, numbers)
    lookup, value = child
    if lookup.endswith("__in"):
        lookup = f"{lookup.removesuffix('__in')}__one_of"
        return lookup, [Blank(next(numbers)) for _item in value]
    return lookup, _blanked(value, numbers)
