from datetime import date
from decimal import Decimal

import pytest

from core.models import ExchangeRate
from core.once import request_cache
from core.rates import converted, converted_by_day, rate_on

pytestmark = pytest.mark.django_db

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


@pytest.fixture
def rates():
    ExchangeRate.objects.create(currency="EUR", valid_from=JUNE, rate=Decimal("0.8"))
    ExchangeRate.objects.create(currency="EUR", valid_from=JULY, rate=Decimal("0.9"))
    ExchangeRate.objects.create(currency="JPY", valid_from=JUNE, rate=Decimal("150"))


def test_converted_adds_up_in_the_default_currency(rates):
    total, unconverted = converted(
        {"USD": Decimal(100), "EUR": Decimal(80), "JPY": Decimal(150), "CHF": Decimal(7)}, on=JUNE
    )

    assert total == Decimal("201.00")
    assert unconverted == {"CHF": Decimal(7)}


def test_converted_takes_the_latest_rate_of_the_day(rates):
    assert converted({"EUR": Decimal(9)}, on=JULY) == (Decimal("10.00"), {})
    assert converted({"EUR": Decimal(9)}, on=date(2026, 6, 30)) == (Decimal("11.25"), {})


def test_converted_leaves_apart_what_has_no_rate_yet(rates):
    assert converted({"EUR": Decimal(8)}, on=date(2026, 5, 31)) == (
        Decimal("0.00"),
        {"EUR": Decimal(8)},
    )


def test_converted_by_day_rounds_after_adding_up_each_currency(rates):
    rows = [("EUR", JULY, Decimal("0.001"))] * 9 + [("USD", JULY, None)]

    assert converted_by_day(rows) == (Decimal("0.01"), {})


def test_rates_are_read_once_a_request(rates, django_assert_num_queries):
    with request_cache(), django_assert_num_queries(1):
        assert rate_on("EUR", JUNE) == Decimal("0.8")
        assert rate_on("JPY", JULY) == Decimal(150)
        assert rate_on("CHF", JULY) is None
