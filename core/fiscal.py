"""Fiscal quarters and years of an organisation whose year begins with any month."""

import datetime

QUARTER_MONTHS = 3
CLOSE_DATE_LEAST_DAYS = 14


def first_of_month(date, months=0):
    """The first day of the month ``months`` after the one that ``date`` lies in."""
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    return datetime.date(year, month + 1, 1)


def quarter(date, start_month):
    """The fiscal quarter of ``date``, 1 to 4, in a year that begins with ``start_month``."""
    return (date.month - start_month) % 12 // QUARTER_MONTHS + 1


def quarter_end(date, start_month):
    """The last day of the fiscal quarter of ``date``."""
    into = (date.month - start_month) % QUARTER_MONTHS
    return first_of_month(date, QUARTER_MONTHS - into) - datetime.timedelta(days=1)


def year_start(date, start_month):
    """The first day of the fiscal year of ``date``."""
    return first_of_month(date, -((date.month - start_month) % 12))


def year_end(date, start_month):
    """The last day of the fiscal year of ``date``."""
    following = first_of_month(year_start(date, start_month), 12)
    return following - datetime.timedelta(days=1)


def year(date, start_month, *, named_by_ending=True):
    """The number of the fiscal year of ``date``, after the year in which it ends or starts."""
    start = year_start(date, start_month)
    return year_end(date, start_month).year if named_by_ending else start.year


def label(date, start_month, *, named_by_ending=True):
    """The fiscal quarter of ``date`` as reports head it: "FY2026 Q3"."""
    number = year(date, start_month, named_by_ending=named_by_ending)
    return f"FY{number} Q{quarter(date, start_month)}"


def close_date_preset(today, start_month):
    """The end of the current fiscal quarter; of the next one if fewer than 14 days remain."""
    end = quarter_end(today, start_month)
    if (end - today).days < CLOSE_DATE_LEAST_DAYS:
        end = quarter_end(end + datetime.timedelta(days=1), start_month)
    return end
