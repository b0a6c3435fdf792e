"""How the business refuses: one root error, its kinds, and what the database's refusals become."""

import re

from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """
    A rule of the business refuses the action; the message is shown to the user.

    ``field`` names the form field that the message belongs to, ``location`` the page that
    answers instead of the form (what was saved already, what the lead became).
    """

    status = 422

    def __init__(self, message, *, field=None, location=None):
        super().__init__(message)
        self.message = message
        self.field = field
        self.location = location


class Invalid(DomainError):
    """Values that may not be stored; ``errors`` maps field names to their messages."""

    def __init__(self, message, *, field=None, location=None, errors=None):
        super().__init__(message, field=field, location=location)
        self.errors = errors or ({field: [message]} if field else {})


class NotAllowed(DomainError):
    """The record may be seen, but the user may not do this to it."""

    status = 403


class Conflict(DomainError):
    """The record is not, or no longer, in a state that allows the action."""

    status = 409


class Stale(Conflict):
    """The record was changed by somebody else since it was read."""


class Repeated(DomainError):
    """The same form was sent before; ``location`` is what it led to then."""

    status = 303


def from_integrity(error):
    """
    Turn a refusal of the database into the DomainError of the broken constraint, else None.

    PostgreSQL names the constraint; SQLite names check constraints and, for unique ones, the
    table and the columns. A broken check is Invalid at the field that its
    ``violation_error_code`` names, a broken unique or foreign key a Conflict.
    """
    diagnosis = getattr(error.__cause__, "diag", None)
    text = str(error)
    name = getattr(diagnosis, "constraint_name", None)
    if "foreign key" in text.lower():
        return Conflict(_("Something that this refers to is no longer there. Look again."))
    if name is None and (match := re.search(r"(?:CHECK constraint|index)\D*? '?(\w+)'?$", text)):
        name = match[1]
    constraint = _constraint_named(name) if name else _unique_over(text)
    if constraint is None:
        return None
    message = constraint.get_violation_error_message()
    field = _field_of(constraint)
    if isinstance(constraint, models.UniqueConstraint):
        return Conflict(message, field=field)
    return Invalid(message, field=field)


def _field_of(constraint):
    """The field at which a constraint's message stands: its code, else its first field."""
    if constraint.violation_error_code:
        return constraint.violation_error_code
    return next(iter(getattr(constraint, "fields", ())), None)


def _constraint_named(name):
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name == name:
                return constraint
        for field in model._meta.local_fields:
            if field.unique and name.startswith(f"{model._meta.db_table}_{field.column}"):
                return models.UniqueConstraint(fields=[field.name], name=name)
    return None


def _unique_over(text):
    """The unique constraint over the columns that SQLite names ("failed: table.a, table.b")."""
    match = re.search(r"UNIQUE constraint failed: (.+)$", text)
    if not match:
        return None
    table, columns = None, set()
    for part in match[1].split(", "):
        table, _dot, column = part.partition(".")
        columns.add(column)
    for model in apps.get_models():
        if model._meta.db_table != table:
            continue
        fields = {field.column: field.name for field in model._meta.local_fields}
        names = {fields.get(column) for column in columns}
        for constraint in model._meta.constraints:
            if set(getattr(constraint, "fields", ())) == names:
                return constraint
        if len(names) == 1:
            return models.UniqueConstraint(fields=list(names), name="field_unique")
    return None
