"""The whole database as one comparable value: what was refused has left no trace."""

from django.apps import apps
from django.db import models

JOURNAL = {"core.operation", "core.change", "core.onetimekey"}
NEVER = {
    "users.session",
    "users.attempt",
    "users.user",
}  # what a log-in touches, not what a form does
STAMPS = {"version", "updated_at", "updated_by"}


def digest(*, journal=False, stamps=False):
    """
    All rows of all tables: {table: [rows by key]}.

    ``journal`` counts the journal and the one-time keys, ``stamps`` the columns version,
    updated_at and updated_by: both for what must not have happened at all.
    """
    found = {}
    for model in apps.get_models():
        label = model._meta.label_lower
        if label in NEVER or (label in JOURNAL and not journal):
            continue
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if stamps or field.name not in STAMPS
        ]
        rows = models.QuerySet(model).order_by("pk").values_list(*names)
        found[label] = [dict(zip(names, row, strict=True)) for row in rows]
    return found


def differences(before, after):
    """What differs between two digests, readable: {table: (gone or changed, new or changed)}."""
    found = {}
    for label in before:
        old = [row for row in before[label] if row not in after[label]]
        new = [row for row in after[label] if row not in before[label]]
        if old or new:
            found[label] = (old, new)
    return found
