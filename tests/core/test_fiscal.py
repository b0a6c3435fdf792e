from datetime import date

import pytest

from core import fiscal


@pytest.mark.parametrize(
    ("day", "start_month", "quarter", "ending", "starting"),
    [
        (date(2026, 1, 1), 1, 1, 2026, 2026),
        (date(2026, 12, 31), 1, 4, 2026, 2026),
        (date(2026, 3, 31), 4, 4, 2026, 2025),
        (date(2026, 4, 1), 4, 1, 2027, 2026),
        (date(2026, 2, 28), 2, 1, 2027, 2026),
        (date(2026, 1, 31), 2, 4, 2026, 2025),
        (date(2026, 11, 30), 12, 4, 2026, 2025),
        (date(2026, 12, 1), 12, 1, 2027, 2026),
        (date(2026, 10, 5), 10, 1, 2027, 2026),
    ],
)
def test_quarter_and_year(day, start_month, quarter, ending, starting):
    assert fiscal.quarter(day, start_month) == quarter
    assert fiscal.year(day, start_month) == ending
    assert fiscal.year(day, start_month, named_by_ending=False) == starting


def test_label():
    assert fiscal.label(date(2026, 8, 1), 1) == "FY2026 Q3"
    assert fiscal.label(date(2026, 8, 1), 7, named_by_ending=False) == "FY2026 Q1"


@pytest.mark.parametrize(
    ("day", "start_month", "end"),
    [
        (date(2026, 1, 1), 1, date(2026, 3, 31)),
        (date(2026, 12, 31), 1, date(2026, 12, 31)),
        (date(2026, 12, 31), 2, date(2027, 1, 31)),
        (date(2024, 1, 15), 3, date(2024, 2, 29)),
    ],
)
def test_quarter_end(day, start_month, end):
    assert fiscal.quarter_end(day, start_month) == end


@pytest.mark.parametrize(
    ("today", "preset"),
    [
        (date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 3, 17), date(2026, 3, 31)),  # 14 days remain
        (date(2026, 3, 18), date(2026, 6, 30)),  # 13
        (date(2026, 12, 31), date(2027, 3, 31)),
    ],
)
def test_close_date_preset(today, preset):
    assert fiscal.close_date_preset(today, 1) == preset


def test_each_day_lies_in_the_quarter_that_ends_next():
    for start_month in range(1, 13):
        ends = [fiscal.quarter_end(date(2024, month, 1), start_month) for month in range(1, 13)]
        assert len(set(ends)) in (4, 5)
        for month, end in enumerate(ends, start=1):
            assert 0 <= (end - date(2024, month, 1)).days < 92
            assert fiscal.quarter(end, start_month) == fiscal.quarter(
                date(2024, month, 1), start_month
            )
