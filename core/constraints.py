"""Ask the database beforehand what it would refuse: all checks of some records in one statement."""

from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Coalesce
from django.db.models.sql import Query

HOLDS = True  # what SQL can't decide, as the database itself has it


def constraint_errors(records):
    """
    What the constraints of each of ``records`` refuse: a list of {field: [messages]}.

    All check constraints of all records are asked in one statement, over all fields, on a form
    or not, and so are the conditions of unique constraints; a unique constraint that applies
    costs a query of its own. A message stands at the field that ``violation_error_code`` names.
    """
    found = []
    for record, held in zip(records, _ask(records), strict=True):
        errors = {}
        for constraint, is_true in held:
            if isinstance(constraint, models.CheckConstraint):
                broken = not is_true
            else:
                broken = is_true and not _is_unique(record, constraint)
            if broken:
                field = constraint.violation_error_code or _first_field(constraint)
                errors.setdefault(field, []).append(constraint.get_violation_error_message())
        found.append(errors)
    return found


def _first_field(constraint):
    return next(iter(getattr(constraint, "fields", ())), "__all__")


def _is_unique(record, constraint):
    try:
        constraint.validate(type(record), record)
    except ValidationError:
        return False
    return True


def _ask(records):
    """For each record its constraints, each with whether its condition holds."""
    asked = [list(record._meta.constraints) for record in records]
    queries = [_query(record, held) for record, held in zip(records, asked, strict=True) if held]
    if not queries:
        return [[] for _record in records]
    connection = connections[records[0]._state.db or "default"]
    parts, params = [], []
    for number, query in enumerate(queries):
        sql, given = query.get_compiler(connection=connection).as_sql()
        parts.append(f"({sql}) AS record_{number}")
        params += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {' CROSS JOIN '.join(parts)}", params)
        row = iter(cursor.fetchone())
    return [[(constraint, bool(next(row))) for constraint in held] for held in asked]


def _query(record, constraints):
    """``SELECT 1 or 0`` for the condition of each constraint, over the record's values."""
    query = Query(None)
    conditions = [getattr(constraint, "condition", None) or Q() for constraint in constraints]
    values = record._get_field_expression_map(record._meta, exclude=set())
    wanted = set().union(*(condition.referenced_base_fields for condition in conditions))
    for name in wanted & values.keys():
        value = values[name]
        if not hasattr(value, "resolve_expression"):
            value = Value(value)
        query.add_annotation(value, name, select=False)
    for number, condition in enumerate(conditions):
        held = Value(1)
        if condition:
            known = Q(Coalesce(condition, HOLDS, output_field=models.BooleanField()))
            held = Case(When(known, then=Value(1)), default=Value(0))
        query.add_annotation(held, f"held_{number}")
    return query
