"""Values of lists, found as people write them, and the countries and currencies of the world."""

from difflib import get_close_matches
from functools import cached_property, lru_cache
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.countries import ALIASES, COUNTRIES, country_name
from core.currencies import CURRENCIES

from .keys import choice_key
from .text import clean_text, shown

NEAR = 3
_CUTOFF = 0.6
_NAME_CUTOFF = 0.75  # of countries, of which there are many
_CODE = 3
_LONGEST_NAME = 100


class Option(NamedTuple):
    """One value of a list, what people call it, and whether it is offered to them."""

    value: object
    label: object
    aliases: tuple = ()
    is_active: bool = True


class Options:
    """
    The values of one list, found by value, label or alias.

    Case, accents, punctuation and spaces don't count. Values that are not active are found
    only if they are the record's ``present`` one or ``retired`` ones are asked for (imports).
    """

    def __init__(self, options):
        self.options = tuple(options)
        self._near = {}

    @cached_property
    def _by_value(self):
        return {option.value: option for option in self.options}

    @cached_property
    def _by_key(self):
        found = {}
        for names in (lambda o: (o.value,), lambda o: (o.label,), lambda o: o.aliases):
            for option in self.options:
                for name in names(option):
                    found.setdefault(choice_key(str(name)), option)
        found.pop("", None)
        return found

    def find(self, value, *, present="", retired=False):
        """The value meant by ``value``, "" for blank; an error that names near ones."""
        if not isinstance(value, str | int | None):
            raise not_a_choice(value)
        option = self._by_value.get(value)
        if option is None:
            text = clean_text(value)
            if not text:
                return ""
            if text == present:
                return present
            option = self._by_key.get(choice_key(text))
        if option is not None and (option.is_active or retired or option.value == present):
            return option.value
        raise not_a_choice(value, self.near(str(value)))

    def near(self, text):
        """The labels of up to three offered values that look like ``text``."""
        key = choice_key(text[:_LONGEST_NAME])
        if key not in self._near:
            if len(self._near) > 1000:
                self._near.clear()
            offered = {key: option for key, option in self._by_key.items() if option.is_active}
            matches = get_close_matches(key, offered, n=NEAR * 3, cutoff=_CUTOFF)
            labels = dict.fromkeys(str(offered[match].label) for match in matches)
            self._near[key] = tuple(labels)[:NEAR]
        return self._near[key]

    def offered(self, present=""):
        """Pairs of value and label for a form, with the record's retired value if it has one."""
        pairs = [(option.value, option.label) for option in self.options if option.is_active]
        if present and present not in dict(pairs):
            option = self._by_value.get(present, Option(present, present))
            pairs.append((present, format_lazy(_("{label} (retired)"), label=option.label)))
        return pairs


def not_a_choice(value, near=()):
    """The error for a value that a list does not have, naming near ones if there are any."""
    if near:
        message = _("“%(value)s” is not a valid choice. Did you mean %(near)s?")
    else:
        message = _("“%(value)s” is not a valid choice.")
    params = {"value": shown(value), "near": " / ".join(near)}
    return ValidationError(message, code="invalid_choice", params=params)


@lru_cache(maxsize=512)
def field_options(field, language):
    """The ``choices`` of a model field as Options, with their labels in ``language``."""
    return Options(Option(value, str(label)) for value, label in field.flatchoices)


def clean_choice(value, field):
    """A value of the field's fixed ``choices``, by value or label; "" or None for blank."""
    return field_options(field, get_language()).find(value)


def clean_country(value):
    """ISO 3166-1 alpha-2 of a country given as code, name or alias in any case; "" for blank."""
    if type(value) is str and value in COUNTRIES:
        return value
    text = clean_text(value)
    if not text:
        return ""
    code = _country_codes().get(_country_key(text))
    if code is None:
        raise not_a_choice(text, _near_countries(text[:_LONGEST_NAME], get_language()))
    return code


def _country_key(text):
    key = choice_key(text)
    return key.removeprefix("the") if len(key) > 5 else key


@lru_cache(maxsize=1)
def _country_codes():
    codes = {}
    for code, country in COUNTRIES.items():
        for name in (code, country.alpha3, country.english, country.german):
            codes.setdefault(_country_key(name), code)
    for alias, code in ALIASES.items():
        codes.setdefault(_country_key(alias), code)
    return codes


@lru_cache(maxsize=2048)
def _near_countries(text, language):
    names = [key for key in _country_codes() if len(key) > _CODE]
    matches = get_close_matches(_country_key(text), names, n=NEAR * 3, cutoff=_NAME_CUTOFF)
    codes = dict.fromkeys(_country_codes()[match] for match in matches)
    return tuple(country_name(code, language) for code in codes)[:NEAR]


def clean_currency(value, default=""):
    """ISO 4217 code of a currency given as code, name or sign; ``default`` for blank."""
    if type(value) is str and value in CURRENCIES:
        return value
    text = clean_text(value)
    if not text:
        return default
    if default in CURRENCIES and text in CURRENCIES[default].symbols:
        return default
    code = _currency_codes().get(text) or _currency_codes().get(choice_key(text))
    if code is None:
        near = get_close_matches(text.upper(), CURRENCIES, n=NEAR, cutoff=_CUTOFF)
        raise not_a_choice(text, tuple(near))
    return code


@lru_cache(maxsize=1)
def _currency_codes():
    codes = {currency.symbols[0]: code for code, currency in CURRENCIES.items()}
    for code, currency in CURRENCIES.items():
        for name in (code, currency.english, currency.german):
            codes[choice_key(name)] = code
    return codes
