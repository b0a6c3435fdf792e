"""Cleaning the values of one record on their way in: from forms, API and files alike."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date
from functools import lru_cache
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from .addresses import clean_email, clean_url
from .choices import Option, Options, clean_choice
from .dates import clean_date, clean_datetime
from .numbers import clean_boolean, clean_decimal, clean_integer
from .text import NOTES_LIMIT, clean_text, unstorable

JSON_DEPTH = 20
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

# Where the month is written before the day, among the countries whose language is English.
_MONTH_FIRST = frozenset("US AS GU MH MP PH PR UM VI".split())
_POINT = frozenset("bn en he hi ja ko ms ta th ur zh".split())
_YEAR_FIRST = frozenset("hu ja ko lt mn sv zh".split())
_EXCEPTIONS = {
    "de-ch": ("DMY", "."),
    "de-li": ("DMY", "."),
    "it-ch": ("DMY", "."),
    "es-mx": ("DMY", "."),
    "en-ca": ("YMD", "."),
    "fr-ca": ("YMD", ","),
    "en-za": ("YMD", ","),
}


def locale_format(locale, country=""):
    """
    The order of dates and the decimal sign of a locale such as "de" or "en-gb".

    English alone says neither; the country decides whether the month comes first.
    """
    locale = locale.lower().replace("_", "-")
    if locale in _EXCEPTIONS:
        return _EXCEPTIONS[locale]
    language, _dash, region = locale.partition("-")
    if language == "en":
        order = "MDY" if (region.upper() or country) in _MONTH_FIRST else "DMY"
    else:
        order = "YMD" if language in _YEAR_FIRST else "DMY"
    return order, "." if language in _POINT else ","


class Lists(dict):
    """The editable lists by key as Options, each made when a value of it is first cleaned."""

    def __missing__(self, list_key):
        rows = apps.get_model("core", "ListValue").values(list_key)
        self[list_key] = Options(
            Option(row.value, row.label, tuple(row.aliases), row.is_active) for row in rows
        )
        return self[list_key]


@dataclass(frozen=True, kw_only=True)
class CleanContext:
    """
    For whom and how values are read: locale, defaults, lists, the record as it is.

    ``today`` is the date in the organisation's zone, ``zone`` that of times without offset.
    ``imported`` allows what only files contain: exponents, years of two digits, retired values.
    """

    today: date
    by: Any = None
    country: str = "US"
    currency: str = "USD"
    zone: Any = UTC
    date_order: str = "ISO"
    decimal: str = "."
    instance: Any = None
    imported: bool = False
    lists: Any = field(default_factory=Lists, compare=False, repr=False)
    _by_currency: dict = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def for_user(cls, user, instance=None):
        """
        How ``user`` writes dates and numbers: by the user's locale, else the active language.

        Defaults and "today" are the organisation's.
        """
        organisation = apps.get_model("core", "Organisation").current()
        zone = ZoneInfo(organisation.time_zone)
        locale = getattr(user, "locale", "") or get_language() or organisation.language
        order, decimal = locale_format(locale, organisation.default_country)
        return cls(
            today=timezone.localdate(timezone=zone),
            by=user,
            country=organisation.default_country,
            currency=organisation.default_currency,
            zone=zone,
            date_order=order,
            decimal=decimal,
            instance=instance,
        )

    @classmethod
    def for_file(cls, user, *, date_order="ISO", decimal="."):
        """How the values of a file are read: by its mapping, not by the user's locale."""
        context = cls.for_user(user)
        return replace(context, date_order=date_order, decimal=decimal, imported=True)

    def of(self, instance):
        """The same for another record, whose retired list values stay valid for it."""
        return replace(self, instance=instance, _by_currency={})

    def in_currency(self, currency):
        """The same with the currency that a record's amounts are in."""
        if currency == self.currency:
            return self
        if currency not in self._by_currency:
            context = replace(self, currency=currency, _by_currency={})
            self._by_currency[currency] = context
        return self._by_currency[currency]

    def present(self, name):
        """The value that the record has in field ``name`` now, "" without a record."""
        return getattr(self.instance, name, "") if self.instance is not None else ""


def clean_fields(model, values, context):
    """
    Clean the values of one record; returns what may be stored and the messages by field.

    ``values`` maps names of fields to what was typed, read from a file or is a Python value
    already. Fields that are not named are left alone. A blank value is the field's own kind of
    nothing, and an error where the field needs one; in a file a field's default fills in.
    """
    cleaners, currency_fields = _plan(model)
    cleaned, errors = {}, {}
    amounts = []
    for name, value in values.items():
        clean, empty, required, validators = cleaners[name]
        try:
            if value is None or value == "":
                value = empty() if callable(empty) else empty
            elif name in currency_fields:
                amounts.append(name)
                continue
            else:
                value = clean(value, context)
            if value is None or value == "":
                cleaned[name] = _required(model, name, context) if required else value
                continue
            for validate in validators:
                validate(value)
            cleaned[name] = value
        except ValidationError as error:
            errors[name] = error.messages
    for name in amounts:
        _clean_amount(model, name, values[name], cleaned, errors, context)
    return cleaned, errors


def _clean_amount(model, name, value, cleaned, errors, context):
    """Clean an amount after everything else: its decimals are those of the row's currency."""
    cleaners, currency_fields = _plan(model)
    clean, _empty, required, validators = cleaners[name]
    currency_field = currency_fields[name]
    currency = cleaned.get(currency_field) or context.present(currency_field)
    try:
        value = clean(value, context.in_currency(currency) if currency else context)
        if value is None and required:
            value = _required(model, name, context)
        for validate in validators if value is not None else ():
            validate(value)
        cleaned[name] = value
    except ValidationError as error:
        errors[name] = error.messages


def _required(model, name, context):
    """The default of a field left blank in a file; elsewhere a blank is the user's mistake."""
    field_ = model._meta.get_field(name)
    if context.imported and field_.has_default() and not field_.is_relation:
        return field_.get_default()
    raise ValidationError(_("This field is required."), code="required")


@lru_cache(maxsize=256)
def _plan(model):
    """How each field of ``model`` is cleaned, and which field holds the currency of an amount."""
    cleaners, currency_fields = {}, {}
    for field_ in model._meta.concrete_fields:
        clean, empty = _cleaner_of(field_)
        required = not field_.blank and not isinstance(field_, models.BooleanField)
        cleaners[field_.name] = (clean, empty, required, tuple(_own_validators(field_)))
        if getattr(field_, "currency_field", None):
            currency_fields[field_.name] = field_.currency_field
    return cleaners, currency_fields


def _own_validators(field_):
    """The validators that the model names; length is the cleaners' own business."""
    for validate in field_._validators:  # noqa: SLF001 - .validators adds the database's range
        if not isinstance(validate, MaxLengthValidator):
            yield validate


def _cleaner_of(field_):
    """The function (value, context) that cleans values of a field, and its empty value."""
    if hasattr(field_, "clean_value"):
        return field_.clean_value, field_.clean_empty
    if field_.is_relation:
        return _reference(field_), None
    if field_.choices:
        return _choice(field_), None if field_.null else ""
    if isinstance(field_, models.JSONField):
        empty = field_.get_default if field_.has_default() else None
        return (lambda value, context: clean_json(value)), empty
    for kind, make, empty in _KINDS:
        if isinstance(field_, kind):
            return make(field_), empty
    raise TypeError(f"core.normalise has no cleaner for {field_!r}. Use a field of core.fields.")


def _reference(field_):
    target = field_.remote_field.model

    def clean(value, context):
        if isinstance(value, target):
            return value
        raise ValidationError(
            _("Select a valid choice. That choice is not one of the available choices."),
            code="invalid_choice",
        )

    return clean


def _choice(field_):
    exact = {value: value for value, _label in field_.flatchoices}

    def clean(value, context):
        try:
            return exact[value]
        except (KeyError, TypeError):
            pass
        return clean_choice(value, field_)

    return clean


def _line(field_):
    limit = field_.max_length
    return lambda value, context: clean_text(value, limit)


def _lines(field_):
    limit = field_.max_length or NOTES_LIMIT
    return lambda value, context: clean_text(value, limit, multiline=True)


def _clean_day(value, context):
    return clean_date(value, context.date_order, imported=context.imported)


def _clean_moment(value, context):
    return clean_datetime(value, context.date_order, context.zone)


def _integer(field_):
    # The range of PostgreSQL's types on SQLite too, which would take more.
    low, high = BaseDatabaseOperations.integer_field_ranges[field_.get_internal_type()]
    return lambda value, context: clean_integer(value, low, high, context.decimal)


def _decimal(field_):
    digits, places = field_.max_digits, field_.decimal_places

    def clean(value, context):
        return clean_decimal(
            value,
            context.decimal,
            max_digits=digits,
            decimal_places=places,
            exponents=context.imported,
        )

    return clean


def clean_json(value, depth=JSON_DEPTH):
    """Strings, numbers, lists and objects that both databases can store, 20 levels deep."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise unstorable()
    elif isinstance(value, float):
        if not isfinite(value):
            raise ValidationError(_("Enter a number."), code="invalid")
    elif isinstance(value, list | tuple | dict):
        if not depth:
            raise ValidationError(_("This is nested too deeply."), code="invalid")
        for item in value:
            clean_json(item, depth - 1)
        for item in value.values() if isinstance(value, dict) else ():
            clean_json(item, depth - 1)
    return value


_KINDS = (
    (models.EmailField, lambda field_: lambda value, context: clean_email(value), ""),
    (models.URLField, lambda field_: lambda value, context: clean_url(value), ""),
    (models.CharField, _line, ""),
    (models.TextField, _lines, ""),
    (models.BooleanField, lambda field_: lambda value, context: clean_boolean(value), False),
    (models.DateTimeField, lambda field_: _clean_moment, None),
    (models.DateField, lambda field_: _clean_day, None),
    (models.DecimalField, _decimal, None),
    (models.IntegerField, _integer, None),
)
