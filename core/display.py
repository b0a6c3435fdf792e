"""
How numbers, money and times are written for people, in the user's language and time zone.

Plain text without markup: pages, e-mails and messages say a value the same way.
"""

import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.dateformat import time_format as format_time
from django.utils.formats import get_format, number_format
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from core.models import Organisation

COUNT_CAP = 10_000
NO_BREAK = "\u00a0"
NARROW = "\u202f"
SYMBOLS = {
    "AUD": "$",
    "BRL": "R$",
    "CAD": "$",
    "CNY": "¥",
    "EUR": "€",
    "GBP": "£",
    "HKD": "$",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "MXN": "$",
    "NGN": "₦",
    "NZD": "$",
    "PHP": "₱",
    "SGD": "$",
    "TRY": "₺",
    "UAH": "₴",
    "USD": "$",
    "VND": "₫",
}


def home_currency():
    """The organisation's currency, the only one that is written by its symbol."""
    return Organisation.current().default_currency


def number(value, *, digits=0):
    """Write a number with separators, rounded half up; nothing if it is unknown."""
    if value in (None, ""):
        return ""
    if type(value) is int and not digits and -1000 < value < 1000:
        return str(value)  # a page counts much, and Django's formatting is slow
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return number_format(exact, digits, force_grouping=True)


def money(amount, currency, *, digits=0):
    """
    Write an amount: €48,000 in the organisation's currency, USD 52,000 in any other.

    The language says where the unit stands: 48.000 € and 52.000 USD in German.

    The symbol would not tell one dollar from another. ``digits`` are the decimals to show.
    """
    text = number(amount, digits=digits)
    if not text or not currency:
        return text
    values = {"number": text.removeprefix("-"), "unit": currency, "space": NO_BREAK}
    if currency == home_currency() and currency in SYMBOLS:
        values["unit"] = SYMBOLS[currency]
        written = pgettext("a currency's symbol", "%(unit)s%(number)s") % values
    else:
        written = pgettext("a currency's code", "%(unit)s%(space)s%(number)s") % values
    return f"-{written}" if text.startswith("-") else written


def percent(value):
    """Write a share of 100 as a whole number: 50 %."""
    text = number(value)
    return f"{text}{NARROW}%" if text else ""


def counted(count, *, cap=COUNT_CAP):
    """Write a count that was stopped at ``cap``: 38, 10,000+."""
    return f"{number(cap)}+" if count is not None and count >= cap else number(count)


def records(count, model, *, cap=COUNT_CAP):
    """Write how many records of a model: 1 lead, 38 leads."""
    names = model._meta
    noun = names.verbose_name if count == 1 else names.verbose_name_plural
    return f"{counted(count, cap=cap)} {noun}"


def in_sentence(label):
    """Write a label within a sentence: names and abbreviations, and nouns in German, stay."""
    word = str(label).split(" ")[0]
    if not word[1:].islower() or (get_language() or "").startswith("de"):
        return str(label)
    return label[:1].lower() + label[1:]


def day(date):
    """Write a date with its year: 16 Jun 2026."""
    return _written(date, "full") if date else ""


def short_day(date, *, today):
    """Write a date; the year only if it is not this one."""
    if not date:
        return ""
    return _written(date, "short" if date.year == today.year else "full")


def weekday(date, *, today):
    """Write a date near by with its weekday: Fri 19 Jun."""
    if not date:
        return ""
    return _written(date, "weekday" if date.year == today.year else "full")


def due(date, *, today):
    """Write when something open is due: Today, Tomorrow, Fri 19 Jun; Mon 15 Jun, overdue."""
    if not date:
        return ""
    text = _near(date, today=today) or weekday(date, today=today)
    return _("%(day)s, overdue") % {"day": text} if date < today else text


def moment(at, *, now):
    """Write when something happened or will: Today 08:42, Yesterday, Fri 12 Jun 16:20."""
    if not at:
        return ""
    local, today = timezone.localtime(at), timezone.localdate(now)
    near = _near(local.date(), today=today)
    if near and local.date() < today:
        return near
    return f"{near or weekday(local.date(), today=today)} {_time(local)}"


def stamp(at):
    """Write a date and its time: 12 Jun 2026, 16:20."""
    if not at:
        return ""
    local = timezone.localtime(at)
    return f"{day(local.date())}, {_time(local)}"


def age(at, *, now):
    """Write how long ago something was: 12 min, 3 h, 6 days."""
    if not at:
        return ""
    minutes = max(int((now - at).total_seconds() // 60), 0)
    if minutes < 60:
        return _("%(count)s min") % {"count": minutes}
    if minutes < 24 * 60:
        return _("%(count)s h") % {"count": minutes // 60}
    days = minutes // (24 * 60)
    return ngettext("%(count)s day", "%(count)s days", days) % {"count": number(days)}


def _near(date, *, today):
    days = (date - today).days
    if days == 0:
        return _("Today")
    if days == -1:
        return _("Yesterday")
    return _("Tomorrow") if days == 1 else ""


def _written(date, form):
    return _kept(date, form, get_language())


@lru_cache(maxsize=4096)  # the days of a list repeat, and Django's formatting is slow
def _kept(date, form, language):
    return format_date(date, _patterns(language)[form])


@lru_cache
def _patterns(language):
    """The user's order of day and month; Django's locales have no short form without a year."""
    usual = get_format("DATE_FORMAT", language)
    if usual[:1] not in "jd":
        return {"full": "M j, Y", "short": "M j", "weekday": "D, M j"}
    short = "j. M" if "j." in usual else "j M"
    return {"full": f"{short} Y", "short": short, "weekday": f"D {short}"}


def _time(local):
    """24 hours, as most of the world writes it; a.m. and p.m. where the month comes first."""
    return _kept_time(local.hour, local.minute, get_language())


@lru_cache(maxsize=3 * 24 * 60)
def _kept_time(hour, minute, language):
    if _patterns(language)["short"].startswith("j"):
        return f"{hour:02}:{minute:02}"
    return format_time(datetime.time(hour, minute), get_format("TIME_FORMAT", language))
