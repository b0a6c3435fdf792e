"""Numbers, money and truth values as people of different countries write them."""

import re
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core.currencies import CURRENCIES

from .text import clean_text, shown

_SIGN = r"(?P<sign>[+-]?)"
_GROUPED = r"[0-9]{1,3}(?P<gap>[%s'’ ])[0-9]{3}(?:(?P=gap)[0-9]{3})*"
_LAKHS = r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
# By the decimal sign, which decides about the sign between groups; no-break spaces are spaces here.
_NUMBERS = {
    ".": re.compile(rf"{_SIGN}(?P<whole>[0-9]+|{_GROUPED % ','}|{_LAKHS})(?:\.(?P<part>[0-9]+))?"),
    ",": re.compile(rf"{_SIGN}(?P<whole>[0-9]+|{_GROUPED % '.'})(?:,(?P<part>[0-9]+))?"),
}
_PLAIN = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_EXPONENT = re.compile(r"[+-]?[0-9]{1,15}(?:[.,][0-9]{1,15})?[eE][+-]?[0-9]{1,2}")
_GAPS = str.maketrans("", "", ",.'’ ")
EXAMPLES = {".": "1,000.50", ",": "1.000,50"}
_ONE = Decimal(1)


def clean_money(
    value,
    currency="",
    decimal=".",
    *,
    max_digits=15,
    decimal_places=3,
    minimum=0,
    exponents=False,
):
    """
    An amount of ``currency`` as Decimal with ``decimal_places``; None for blank.

    ``decimal`` is the decimal sign that the text is written with. More decimals than the
    currency has are refused, not rounded, unless they are zeros that cannot be taken for
    thousands. A price of more than three places (a unit price) may use all its places.
    ``exponents`` allows 3.00E+07, which spreadsheets write into files.
    """
    places = decimal_places
    if decimal_places <= 3 and currency in CURRENCIES:
        places = min(places, CURRENCIES[currency].decimals)
    number = _as_decimal(value, decimal, currency, places, exponents=exponents)
    if number is None:
        return None
    number = _fitted(number, max_digits, decimal_places, minimum, None)
    if places < decimal_places and number != round(number, places):
        raise _too_precise(currency, places)
    return number


def clean_decimal(
    value, decimal=".", *, max_digits, decimal_places, minimum=None, maximum=None, exponents=False
):
    """A number with at most ``decimal_places``, refused and not rounded if it has more."""
    number = _as_decimal(value, decimal, "", decimal_places, exponents=exponents)
    if number is None:
        return None
    return _fitted(number, max_digits, decimal_places, minimum, maximum)


def _as_decimal(value, decimal, currency, places, *, exponents):
    """``value`` as an exact Decimal; texts by the decimal sign, floats to 15 digits."""
    if isinstance(value, Decimal):
        number = value
    elif isinstance(value, int) and not isinstance(value, bool):
        number = Decimal(value)
    elif isinstance(value, float):
        number = Decimal(format(value, ".15g"))  # what a spreadsheet shows of it
    elif value is None or isinstance(value, str):
        return _read_decimal(value, decimal, currency, places, exponents=exponents)
    else:
        raise _no_number(value, decimal)
    if not number.is_finite():
        raise _no_number(value, decimal)
    return number


def _read_decimal(value, decimal, currency, places, *, exponents):
    if type(value) is str and decimal == "." and _PLAIN.fullmatch(value):
        text, part = value, value.partition(".")[2]
    else:
        text = _without_symbol(clean_text(value), currency)
        if not text:
            return None
        if exponents and _EXPONENT.fullmatch(text):
            return Decimal(text.replace(",", "."))
        match = _NUMBERS[decimal].fullmatch(text)
        if not match:
            raise _no_number(value, decimal)
        part = match["part"] or ""
        text = f"{match['sign']}{match['whole'].translate(_GAPS)}.{part or '0'}"
    if len(part) > places and not exponents and _could_be_thousands(text, part):
        raise _too_precise(currency, places)
    return Decimal(text)


def _could_be_thousands(text, part):
    """Whether 1.000 was perhaps meant as one thousand; 0.000 and 48500.000 were not."""
    whole = text.partition(".")[0].lstrip("+-")
    return len(part) == 3 and len(whole) <= 3 and not whole.startswith("0")


def _without_symbol(text, currency):
    """``text`` without the code or a sign of ``currency`` before or after the number."""
    if text.isascii() and text[:1] in "0123456789" and text[-1:] in "0123456789":
        return text
    if currency not in CURRENCIES:
        return text
    sign = text[0] if text[:1] in ("-", "+") else ""
    rest = text[len(sign) :].strip()
    for symbol in CURRENCIES[currency].symbols:
        folded = rest.upper()
        if folded.startswith(symbol.upper()):
            rest = rest[len(symbol) :].strip()
            break
        if folded.endswith(symbol.upper()):
            rest = rest[: -len(symbol)].strip()
            break
    return f"{sign}{rest}"


def _fitted(number, max_digits, decimal_places, minimum, maximum):
    whole_digits = max_digits - decimal_places
    if number.adjusted() >= whole_digits and number:
        raise ValidationError(
            _("At most %(digits)s digits before the decimal sign."),
            code="max_whole_digits",
            params={"digits": whole_digits},
        )
    quantised = number.quantize(_ONE.scaleb(-decimal_places))
    if quantised != number:
        raise _too_precise("", decimal_places)
    return in_range(quantised + 0, minimum, maximum)  # + 0: no "-0"


def in_range(number, minimum, maximum):
    """``number`` if it lies within the limits, None being none; the error names both."""
    if (minimum is None or number >= minimum) and (maximum is None or number <= maximum):
        return number
    if maximum is None:
        message = _("Enter %(minimum)s or more.")
    elif minimum is None:
        message = _("Enter %(maximum)s or less.")
    else:
        message = _("Enter a number from %(minimum)s to %(maximum)s.")
    raise ValidationError(
        message, code="range", params={"minimum": _spaced(minimum), "maximum": _spaced(maximum)}
    )


def _spaced(number):
    return "" if number is None else f"{number:,}"


def _too_precise(currency, places):
    if not places:
        message = _("Enter a whole number, without decimal places.")
    elif currency:
        message = _("At most %(places)s decimal places in %(currency)s.")
    else:
        message = _("At most %(places)s decimal places.")
    params = {"places": places, "currency": currency}
    return ValidationError(message, code="max_decimal_places", params=params)


def _no_number(value, decimal):
    return ValidationError(
        _("“%(value)s” is not a number. Write it like %(example)s."),
        code="invalid",
        params={"value": shown(value), "example": EXAMPLES[decimal]},
    )


def clean_integer(value, minimum=None, maximum=None, decimal="."):
    """A whole number in base 10, separators between thousands allowed; None for blank."""
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= 18:
        return in_range(int(value), minimum, maximum)
    if isinstance(value, int) and not isinstance(value, bool):
        return in_range(value, minimum, maximum)
    if isinstance(value, float | Decimal):
        number = Decimal(value)
        if not number.is_finite() or number.adjusted() > 18 or number != int(number):
            raise _no_integer(value)
        return in_range(int(number), minimum, maximum)
    if not isinstance(value, str | None):
        raise _no_integer(value)
    text = clean_text(value)
    if not text:
        return None
    match = _NUMBERS[decimal].fullmatch(text)
    if not match or match["part"] or len(text) > 30:
        raise _no_integer(value)
    return in_range(int(match["sign"] + match["whole"].translate(_GAPS)), minimum, maximum)


def _no_integer(value):
    return ValidationError(
        _("“%(value)s” is not a whole number."), code="invalid", params={"value": shown(value)}
    )


def clean_percent(value, decimal="."):
    """A whole number from 0 to 100, with or without the percent sign."""
    if isinstance(value, str) and value.rstrip().endswith("%"):
        value = value.rstrip()[:-1].rstrip()
    return clean_integer(value, 0, 100, decimal)


_TRUE = frozenset("1 true t yes y on x ja j wahr oui vrai si sí sì sim da tak".split())
_FALSE = frozenset("0 false f no n off nein falsch non faux não nej nie".split())


def clean_boolean(value):
    """Yes or no in the words of files and forms; blank is no."""
    if isinstance(value, bool):
        return value
    if value is None:
        return False
    word = clean_text(value).casefold()
    if word in _TRUE:
        return True
    if word in _FALSE or not word:
        return False
    raise ValidationError(
        _("“%(value)s” is neither yes nor no."), code="invalid", params={"value": shown(value)}
    )
