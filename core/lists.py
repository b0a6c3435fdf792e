"""The editable lists: which fields take their values from each of them."""

import functools
from collections import defaultdict
from dataclasses import dataclass

from django.apps import apps
from django.db import models
from django.utils.text import capfirst

from core.fields import ListField, StringListField
from core.models import ListValue, Record
from core.tables import COUNT_LIMIT


@dataclass(frozen=True)
class Use:
    """One field whose values come from a list."""

    model: type[Record]
    field: models.Field

    def count(self, value):
        """How many records have ``value``, archived ones included; one above the cap at most."""
        lookup = {self.field.name: value}
        if isinstance(self.field, StringListField):
            lookup = {f"{self.field.name}__icontains": f'"{value}"'}
        return self.model.objects.filter(**lookup).order_by()[: COUNT_LIMIT + 1].count()


@functools.cache
def _uses():
    found = defaultdict(list)
    for model in apps.get_models():
        if not issubclass(model, Record):
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, ListField | StringListField) and field.list_key:
                found[field.list_key].append(Use(model, field))
    return dict(found)


def uses_of(list_key):
    """The fields that take their values from the list."""
    return _uses().get(list_key, [])


def title_of(list_key):
    """What a list is called: as the first of its fields, or by its key while nothing uses it."""
    uses = uses_of(list_key)
    return capfirst(str(uses[0].field.verbose_name) if uses else list_key.replace("_", " "))


def list_keys():
    """The keys of all lists that fields use, in the order of the models."""
    return [key for key in _uses() if key in ListValue.everything()]
