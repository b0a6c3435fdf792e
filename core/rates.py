"""Amounts in several currencies, converted to the organisation's by the rates of the day."""

from bisect import bisect_right
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from operator import itemgetter

from core.currencies import CURRENCIES
from core.models import ExchangeRate, Organisation
from core.once import once

_DAY = itemgetter(0)


def converted(totals, *, on):
    """
    Convert ``totals``, a dict of amounts by currency, with the rates of the day ``on``.

    Returns the total in the organisation's default currency and what could not be converted, a
    dict of amounts by currency: an amount without a rate is shown as it is, never counted as
    nothing or one to one. Rule: docs/rules/values.md, section "Exchange rates".
    """
    return converted_by_day((currency, on, amount) for currency, amount in totals.items())


def converted_by_day(rows):
    """
    Convert rows of currency, day and amount, each with the rate of its day, as ``converted``.

    Rounded half up to the decimals of the default currency after adding up each currency.
    """
    home = Organisation.current().default_currency
    sums, unconverted = defaultdict(Decimal), defaultdict(Decimal)
    for currency, day, amount in rows:
        if amount is None:
            continue
        rate = Decimal(1) if currency == home else rate_on(currency, day)
        if rate is None:
            unconverted[currency] += amount
        else:
            sums[currency] += amount / rate
    unit = Decimal(1).scaleb(-CURRENCIES[home].decimals)
    rounded = (amount.quantize(unit, ROUND_HALF_UP) for amount in sums.values())
    return sum(rounded, Decimal(0).quantize(unit)), dict(unconverted)


def rate_on(currency, day):
    """Units of ``currency`` for one unit of the default currency on ``day``; None if unknown."""
    rates = once("exchange rates", _all_rates).get(currency, [])
    place = bisect_right(rates, day, key=_DAY)
    return rates[place - 1][1] if place else None


def _all_rates():
    """The rates of each currency as (first day, rate), oldest first."""
    rates = defaultdict(list)
    rows = ExchangeRate.objects.order_by("currency", "valid_from")
    for currency, day, rate in rows.values_list("currency", "valid_from", "rate"):
        rates[currency].append((day, rate))
    return rates
