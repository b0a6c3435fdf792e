"""Dates and times: ISO, or the one order of day, month and year that the context names."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .text import clean_text, shown

FIRST_DATE = date(1900, 1, 1)
LAST_DATE = date(2199, 12, 31)

_ISO = r"(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})"
_DAY = r"(?P<d>[0-9]{1,2})"
_MONTH = r"(?P<m>[0-9]{1,2})"
_YEAR = r"(?P<y>[0-9]{4}|[0-9]{2})"
_SIGN = r"(?P<sign>[./-]) ?"
_ORDERS = {
    "ISO": _ISO,
    "DMY": rf"{_DAY}{_SIGN}{_MONTH}(?P=sign) ?{_YEAR}",
    "MDY": rf"{_MONTH}(?P<sign>[/-]) ?{_DAY}(?P=sign) ?{_YEAR}",  # nobody writes it with dots
    "YMD": rf"(?P<y>[0-9]{{4}}){_SIGN}{_MONTH}(?P=sign) ?{_DAY}(?:\.)?",
}
_TIME = (
    r"(?:[T ] ?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})"
    r"(?:[.,](?P<fraction>[0-9]{1,9}))?)? ?(?P<half>[AaPp][Mm])?"
    r" ?(?P<zone>Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_MOMENTS = {order: re.compile(pattern + _TIME) for order, pattern in _ORDERS.items()}
_DATES = {order: re.compile(pattern) for order, pattern in _ORDERS.items()}
FORMATS = {"ISO": "2026-02-28", "DMY": "28.02.2026", "MDY": "02/28/2026", "YMD": "2026/02/28"}


def clean_date(value, order="ISO", *, imported=False):
    """
    A calendar date from 1900 to 2199; None for blank.

    Text is ISO or in ``order`` (ISO, DMY, MDY, YMD). Files (``imported``) may write years with
    two digits, 00 to 68 being 20xx, and a time of day after the date, which is left out.
    """
    if type(value) is str:
        match = _DATES["ISO"].fullmatch(value)
        if match:
            return _date_of(match, order, value)
    if isinstance(value, datetime):
        return _within(value.date(), order, value)
    if isinstance(value, date):
        return _within(value, order, value)
    text = clean_text(value)
    if not text:
        return None
    if imported:
        return _read(text, order, value)[0]
    match = _DATES["ISO"].fullmatch(text) or _DATES[order].fullmatch(text)
    if not match or len(match["y"]) == 2:
        raise _no_date(value, order)
    return _date_of(match, order, value)


def clean_datetime(value, order="ISO", zone=UTC):
    """
    A moment in UTC; None for blank. What names no offset is read as local time in ``zone``.

    A date alone is the beginning of that day.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
    else:
        text = clean_text(value)
        if not text:
            return None
        day, match = _read(text, order, value)
        moment = _with_time(day, match, order, value)
    _within(moment.date(), order, value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def _read(text, order, value):
    """The date and the match of a text with a time of day or without."""
    match = _MOMENTS["ISO"].fullmatch(text) or _MOMENTS[order].fullmatch(text)
    if not match:
        raise _no_date(value, order)
    day = _date_of(match, order, value)
    _with_time(day, match, order, value)
    return day, match


def _with_time(day, match, order, value):
    try:
        hour = int(match["hour"] or 0)
        if half := match["half"]:
            if not 1 <= hour <= 12:
                raise _no_date(value, order)
            hour = hour % 12 + (12 if half in ("PM", "pm", "Pm", "pM") else 0)
        return datetime(
            day.year,
            day.month,
            day.day,
            hour,
            int(match["minute"] or 0),
            int(match["second"] or 0),
            int((match["fraction"] or "0")[:6].ljust(6, "0")),
            tzinfo=_offset(match["zone"]),
        )
    except ValueError:
        raise _no_date(value, order) from None


def _offset(zone):
    if not zone:
        return None
    if zone in ("Z", "UTC"):
        return UTC
    sign = -1 if zone[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])))


def _date_of(match, order, value):
    year = int(match["y"])
    if len(match["y"]) == 2:
        year += 2000 if year <= 68 else 1900
    try:
        day = date(year, int(match["m"]), int(match["d"]))
    except ValueError:
        raise _no_date(value, order) from None
    return _within(day, order, value)


def _within(day, order, value):
    if FIRST_DATE <= day <= LAST_DATE:
        return day
    raise ValidationError(
        _("Enter a date from 1900 to 2199, like %(format)s."),
        code="range",
        params={"value": shown(value), "format": FORMATS[order]},
    )


def _no_date(value, order):
    return ValidationError(
        _("“%(value)s” is not a date. Write it like %(format)s."),
        code="invalid",
        params={"value": shown(value), "format": FORMATS[order]},
    )
