"""The editable lists: which fields take their values from each of them, and removing a value."""

import functools
import json
from collections import defaultdict
from dataclasses import dataclass

from django.apps import apps
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext

from core.bulk import Pauses
from core.errors import Conflict, Invalid, Repeated
from core.fields import ListField, StringListField
from core.journal import Kind, Label, OneTimeKey, operation, retried, start_run
from core.models import ListValue, Record
from core.reach import Verb, require
from core.records import lock, remove
from core.tables import COUNT_LIMIT

CHUNK = 200  # records that one operation changes; more are a run


class NamedByRules(Conflict):
    """Rules write the value or ask for it, so the list has to keep it."""


class ReplacementNeeded(Invalid):
    """Records have the value, and nobody said what they get instead."""


class ValueRemoved(Invalid):
    """A value that was chosen is no longer in its list."""


class NoReplacement(Invalid):
    """What was chosen is not another value of the list that can be chosen."""


@dataclass(frozen=True)
class Use:
    """One field whose values come from a list."""

    model: type[Record]
    field: models.Field

    @property
    def is_several(self):
        """Whether a record has several values of the list."""
        return isinstance(self.field, StringListField)

    def holders(self, value):
        """The records that have ``value``, archived ones included."""
        lookup = f"{self.field.name}__holds" if self.is_several else self.field.name
        return self.model.objects.filter(**{lookup: value})

    def count(self, value):
        """How many records have ``value``; one above the cap at most."""
        return self.holders(value).order_by()[: COUNT_LIMIT + 1].count()

    def replace(self, value, replacement, *, most=None):
        """Give ``most`` of the records the ``replacement``; returns how many it were."""
        name = self.field.name
        holders = self.holders(value)
        keys = list(holders.order_by("pk").values_list("pk", flat=True)[:most])
        if not keys:
            return 0
        holders = holders.filter(pk__among=keys)
        if not self.is_several:
            return holders.update(**{name: replacement})
        records = list(lock(holders).order_by("pk"))
        for record in records:
            items = (replacement if i == value else i for i in getattr(record, name))
            setattr(record, name, list(dict.fromkeys(items)))
        self.model.objects.bulk_update(records, [name])
        return len(records)


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


@functools.cache
def _fields_of(label):
    """The fields of a model, by its label, whose values come from lists: {name: list's key}."""
    return {
        use.field.name: key
        for key, uses in _uses().items()
        for use in uses
        if use.model._meta.label_lower == label
    }


def uses_of(list_key):
    """The fields that take their values from the list."""
    return _uses().get(list_key, [])


def title_of(list_key):
    """What a list is called: as the first of its fields, or by its key while nothing uses it."""
    uses = uses_of(list_key)
    return capfirst(str(uses[0].field.verbose_name) if uses else list_key.replace("_", " "))


def list_keys():
    """The keys of all lists that fields use, in the order of the models."""
    return list(_uses())


def is_named_by_rules(value):
    """Whether rules write ``value`` or ask for it, so that its list has to keep it."""
    return any(
        value.value in use.model.values_of_rules.get(use.field.name, ())
        for use in uses_of(value.list_key)
    )


def replacements_of(value):
    """The values that records may get instead of ``value``."""
    return ListValue.objects.of(value.list_key).filter(is_active=True).exclude(pk=value.pk)


def refuse_removed(changes):
    """
    Refuse ``changes`` of an open operation that give records values their lists no longer have.

    The values stay locked until the commit, so that nobody removes one meanwhile: who does
    waits, and then finds the records that have it. One statement, none without such values.

    :raises ValueRemoved: at the field
    """
    given = {}
    for label, _pk, _verb, before, after, _version in changes:
        if not (fields := _fields_of(label)):
            continue
        old, new = json.loads(before), json.loads(after)
        for name in fields.keys() & new.keys():
            for value in _items(new[name]) - _items(old.get(name)):
                given[fields[name], value] = name
    if not given:
        return
    rows = ListValue.objects.filter(list_key__in={key for key, _value in given})
    rows = lock(rows.filter(value__in={value for _key, value in given})).order_by("pk")
    for key, value in given.keys() - set(rows.values_list("list_key", "value")):
        message = _("“%(value)s” is not in its list any more. Choose again.") % {"value": value}
        raise ValueRemoved(message, field=given[key, value])


def _items(value):
    """The values that a field of one or of several holds."""
    return {*value} if isinstance(value, list) else {value} - {None, ""}


# -- writing ----------------------------------------------------------------------------------


def save_value(value, *, is_preset):
    """Save a value of a list; as preset it takes the place of the one before."""
    if is_preset:
        others = ListValue.objects.of(value.list_key).filter(is_default=True)
        others.exclude(pk=value.pk).update(is_default=False)
    value.is_default = is_preset
    value.save()


def remove_value(value, *, by, replacement=None, key=None):
    """
    Remove ``value`` from its list; all records that have it get the ``replacement`` instead.

    One operation, above 200 records a run: its first part takes the value out of choice, its
    last one removes it. Records are changed whoever owns them, archived and finished ones too.
    Returns the Operation. Rule: docs/rules/settings.md.

    :raises NamedByRules: rules ask for the value
    :raises ReplacementNeeded: records have it and there is no ``replacement``
    :raises NoReplacement: ``replacement`` cannot be chosen any more
    :raises NotAllowed: only administrators write lists
    """
    held = sum(use.count(value.value) for use in uses_of(value.list_key))
    label = _label(value, replacement if held else None)
    if replacement is None or held <= CHUNK:
        return _remove(value, replacement, by=by, label=label, key=key)
    _refuse(value, replacement, by=by)
    if key is not None and OneTimeKey.objects.filter(user=by, key=key.key).exists():
        raise Repeated(_("This was saved already."), location=value.get_absolute_url())
    run = start_run(Kind.BULK_EDIT, by=by, label=label)
    pauses = Pauses()
    is_more = True
    while is_more:
        with pauses.holding():
            is_more = _replace_some(value, replacement, by=by, label=label, run=run, key=key)
        key = None
        pauses.pause()
    _remove(value, replacement, by=by, label=label, run=run)
    return run


def _label(value, replacement):
    if replacement is None:
        return Label(gettext_noop("Removed “%(value)s” from its list"), value=value.label)
    message = gettext_noop("Replaced “%(value)s” by “%(replacement)s” and removed it")
    return Label(message, value=value.label, replacement=replacement.label)


@retried
def _replace_some(value, replacement, *, by, label, run, key=None):
    """One part of a run; returns whether there may be more to replace."""
    left = CHUNK
    with operation(Kind.BULK_EDIT, by=by, label=label, run=run, key=key):
        value, replacement = _locked(value, replacement)
        _refuse(value, replacement, by=by)
        if value.is_active or value.is_default:
            value.is_active = value.is_default = False
            value.save(update_fields=["is_active", "is_default"])
        for use in uses_of(value.list_key):
            left -= use.replace(value.value, replacement.value, most=left)
    return left == 0


@retried
def _remove(value, replacement, *, by, label, run=None, key=None):
    with operation(Kind.BULK_EDIT, by=by, label=label, run=run, key=key) as op:
        value, replacement = _locked(value, replacement)
        _refuse(value, replacement, by=by)
        for use in uses_of(value.list_key):
            if replacement is not None:
                use.replace(value.value, replacement.value)
            elif count := use.count(value.value):
                text = ngettext(
                    "%(count)s record has this value. Choose what it gets instead.",
                    "%(count)s records have this value. Choose what they get instead.",
                    count,
                )
                raise ReplacementNeeded(text % {"count": count}, field="replacement")
        remove([value])
    return op.row


def _locked(*values):
    """The values of lists as they are now, locked; None for one that is not there."""
    keys = [value.pk for value in values if value is not None]
    rows = lock(ListValue.objects.filter(pk__among=keys)).order_by("pk")
    found = {row.pk: row for row in rows}
    if values[0].pk not in found:
        raise ListValue.DoesNotExist
    if None not in values and values[1].pk not in found:
        raise NoReplacement(_("Choose another value of this list."), field="replacement")
    return [found.get(value.pk) if value is not None else None for value in values]


def _refuse(value, replacement, *, by):
    require(by, Verb.EDIT, value)
    if is_named_by_rules(value):
        raise NamedByRules(_("Rules name this value. It can be renamed, and taken out of choice."))
    if replacement is None:
        return
    is_other = replacement.list_key == value.list_key and replacement.pk != value.pk
    if not is_other or not replacement.is_active:
        raise NoReplacement(_("Choose another value of this list."), field="replacement")
