"""Days that move with today: weeks from Monday, fiscal quarters and years, days back and ahead."""

import datetime
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from core import fiscal

DAY = datetime.timedelta(days=1)
FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2199, 12, 31)
MOST_DAYS = 36_500


@dataclass(frozen=True)
class Days:
    """Days from ``start`` up to, without, ``end``; None is open."""

    start: datetime.date | None
    end: datetime.date | None

    def hold(self, day):
        """Whether ``day`` is one of them."""
        return (self.start is None or day >= self.start) and (self.end is None or day < self.end)


PERIODS = {
    "today": _("today"),
    "yesterday": _("yesterday"),
    "tomorrow": _("tomorrow"),
    "this_week": _("this week"),
    "last_week": _("last week"),
    "next_week": _("next week"),
    "this_month": _("this month"),
    "last_month": _("last month"),
    "next_month": _("next month"),
    "this_quarter": _("this quarter"),
    "last_quarter": _("last quarter"),
    "next_quarter": _("next quarter"),
    "this_year": _("this fiscal year"),
    "last_year": _("last fiscal year"),
    "next_year": _("next fiscal year"),
}
NAMED_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
STEPS = {"last": -1, "this": 0, "next": 1}


def period(name, *, today, start_month):
    """The Days of a period of ``PERIODS``, in fiscal years that begin with ``start_month``."""
    if name in NAMED_DAYS:
        day = today + NAMED_DAYS[name] * DAY
        return Days(day, day + DAY)
    which, unit = name.split("_")
    step = STEPS[which]
    if unit == "week":
        monday = today + (7 * step - today.weekday()) * DAY
        return Days(monday, monday + 7 * DAY)
    start, months = {
        "month": (fiscal.first_of_month(today), 1),
        "quarter": (fiscal.first_of_month(fiscal.quarter_end(today, start_month), -2), 3),
        "year": (fiscal.year_start(today, start_month), 12),
    }[unit]
    start = fiscal.first_of_month(start, step * months)
    return Days(start, fiscal.first_of_month(start, months))
