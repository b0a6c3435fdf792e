import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from core.models import Organisation
from core.normalise import CleanContext
from opportunities.models import (
    ForecastCategory,
    Opportunity,
    Stage,
    default_close_date,
    expected_revenue,
)
from opportunities.models.rollup import Rollups
from opportunities.seeds import seed
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory
from tests.factories.users import UserFactory

TODAY = datetime.date(2026, 5, 12)


def clean(values, instance=None, **context):
    context = CleanContext(today=TODAY, instance=instance, **context)
    return Opportunity.clean_values(values, context)


# -- stages -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_seeded_stages_are_written_once():
    before = list(Stage.objects.order_by("position").values_list("name", "probability"))

    seed(using="default")

    assert list(Stage.objects.order_by("position").values_list("name", "probability")) == before
    assert len(before) == 10
    assert before[0] == ("Prospecting", 10)
    assert before[-1] == ("Closed Lost", 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("closed won", "Closed Won"),
        ("Closed/Won", "Closed Won"),
        ("Proposal", "Proposal/Price Quote"),
        ("verbal commitment", "Negotiation/Review"),
    ],
)
def test_stage_is_found_by_name_or_other_spelling(text, name):
    assert Stage.named(text).name == name


@pytest.mark.django_db
def test_stage_flags_are_fixed_once_a_deal_was_in_it():
    stage = OpportunityFactory().stage
    context = CleanContext(today=TODAY, instance=stage)

    _cleaned, errors = Stage.clean_values({"is_closed": True, "probability": 15}, context)

    assert set(errors) == {"is_closed"}


@pytest.mark.django_db
def test_last_active_stage_of_its_kind_cannot_be_retired():
    context = CleanContext(today=TODAY, instance=Stage.first_won())

    assert "is_active" in Stage.clean_values({"is_active": False}, context)[1]


# -- values of a deal -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "probability", "currency", "expected"),
    [
        (Decimal("10.05"), 10, "USD", Decimal("1.01")),
        (Decimal("10.05"), 50, "USD", Decimal("5.03")),
        (Decimal(1005), 50, "JPY", Decimal(503)),
        (Decimal("1.005"), 50, "KWD", Decimal("0.503")),
        (None, 50, "USD", None),
        (Decimal(0), 50, "USD", Decimal(0)),
    ],
)
def test_expected_revenue_is_rounded_half_up_to_the_currency(
    amount, probability, currency, expected
):
    assert expected_revenue(amount, probability, currency) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("today", "start_month", "expected"),
    [
        (datetime.date(2026, 5, 12), 1, datetime.date(2026, 6, 30)),
        (datetime.date(2026, 6, 16), 1, datetime.date(2026, 6, 30)),
        (datetime.date(2026, 6, 17), 1, datetime.date(2026, 9, 30)),
        (datetime.date(2026, 12, 25), 1, datetime.date(2027, 3, 31)),
        (datetime.date(2026, 5, 12), 2, datetime.date(2026, 7, 31)),
        (datetime.date(2026, 1, 5), 2, datetime.date(2026, 1, 31)),
    ],
)
def test_close_date_is_preset_to_the_end_of_the_fiscal_quarter(today, start_month, expected):
    Organisation.objects.filter(pk=1).update(fiscal_year_start_month=start_month)

    assert default_close_date(today) == expected


@pytest.mark.django_db
def test_new_deal_is_given_currency_stage_close_date_and_estimates():
    account = AccountFactory(currency="EUR")

    cleaned, errors = clean({"name": "Deal", "account": account})

    assert errors == {}
    assert cleaned["currency"] == "EUR"
    assert cleaned["stage"] == Stage.first_open()
    assert cleaned["close_date"] == datetime.date(2026, 6, 30)
    assert (cleaned["probability"], cleaned["forecast_category"]) == (10, "PIPELINE")


@pytest.mark.django_db
def test_new_open_deal_is_not_expected_before_today_except_in_files():
    values = {"name": "Deal", "account": AccountFactory(), "close_date": "2026-05-11"}

    assert "close_date" in clean(values)[1]
    assert clean(values, imported=True)[1] == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("close_date", "is_refused"),
    [("1969-12-31", True), ("1970-01-01", False), ("2100-12-31", False), ("2101-01-01", True)],
)
def test_close_date_lies_between_1970_and_2100_also_in_files(close_date, is_refused):
    values = {"name": "Deal", "account": AccountFactory(), "close_date": close_date}

    assert ("close_date" in clean(values, imported=True)[1]) == is_refused


@pytest.mark.django_db
def test_a_close_date_from_before_the_rule_stays_as_it_is():
    deal = OpportunityFactory(close_date=datetime.date(2150, 1, 1))
    values = {"name": "Renamed", "close_date": deal.close_date}
    context = CleanContext.for_user(None, instance=deal)

    assert Opportunity.clean_values(values, context)[1] == {}


@pytest.mark.django_db
@pytest.mark.parametrize("probability", [0, 100, 101])
def test_override_of_the_probability_lies_between_1_and_99(probability):
    values = {"name": "Deal", "account": AccountFactory(), "probability": probability}

    assert "probability" in clean(values)[1]


@pytest.mark.django_db
def test_lost_deal_says_why():
    lost = {"name": "Deal", "account": AccountFactory(), "stage": Stage.first_lost()}

    assert "loss_reason" in clean(lost)[1]
    assert "loss_note" in clean({**lost, "loss_reason": "Other"})[1]
    assert "main_competitor" in clean({**lost, "loss_reason": "Lost to competitor"})[1]
    assert clean({**lost, "loss_reason": "Price"})[1] == {}
    assert clean(lost, imported=True)[0]["loss_reason"] == "Not recorded"


@pytest.mark.django_db
def test_not_recorded_is_for_files_only():
    values = {
        "name": "Deal",
        "account": AccountFactory(),
        "stage": Stage.first_lost(),
        "loss_reason": "Not recorded",
    }

    assert "loss_reason" in clean(values)[1]


@pytest.mark.django_db
def test_closed_deal_from_a_file_takes_the_estimates_of_its_stage():
    values = {
        "name": "Deal",
        "account": AccountFactory(),
        "stage": Stage.first_won(),
        "probability": 80,
    }

    cleaned, errors = clean(values, imported=True)

    assert errors == {}
    assert (cleaned["probability"], cleaned["forecast_category"]) == (100, "CLOSED")


@pytest.mark.django_db
def test_edit_cannot_close_a_deal_or_empty_its_close_date():
    deal = OpportunityFactory()

    assert "stage" in clean({"stage": Stage.first_won()}, instance=deal)[1]
    assert "close_date" in clean({"close_date": ""}, instance=deal)[1]


@pytest.mark.django_db
def test_stage_change_in_an_edit_takes_the_new_stages_estimates_unless_they_were_typed():
    deal = OpportunityFactory()
    stage = Stage.named("Value Proposition")
    same = {"stage": stage, "probability": deal.probability, "forecast_category": "PIPELINE"}

    assert clean(same, instance=deal)[0]["probability"] == 50
    assert clean({**same, "probability": 33}, instance=deal)[0]["probability"] == 33


@pytest.mark.django_db
def test_required_fields_count_for_the_stage_and_the_open_ones_before_it():
    Stage.objects.filter(name="Qualification").update(required_fields=["next_step"])
    deal = OpportunityFactory()

    assert deal.missing_for(Stage.named("Prospecting")) == []
    assert deal.missing_for(Stage.named("Needs Analysis")) == ["next_step"]
    assert deal.missing_for(Stage.first_won()) == ["next_step"]
    assert deal.missing_for(Stage.first_lost()) == []
    assert "next_step" in clean({"stage": Stage.named("Qualification")}, instance=deal)[1]


# -- questions --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_questions_about_sets_of_deals():
    overdue = OpportunityFactory(close_date=datetime.date(2026, 5, 11))
    due = OpportunityFactory(close_date=TODAY)
    omitted = OpportunityFactory(forecast_category=ForecastCategory.OMITTED)
    won, lost = OpportunityFactory(won=True), OpportunityFactory(lost=True)
    deals = Opportunity.objects

    assert set(deals.open()) == {overdue, due, omitted}
    assert set(deals.pipeline()) == {overdue, due}
    assert set(deals.won()) == {won}
    assert set(deals.lost()) == {lost}
    assert set(deals.overdue(today=TODAY)) == {overdue}
    assert overdue.is_overdue(today=TODAY)
    assert not due.is_overdue(today=TODAY)


@pytest.mark.django_db
def test_within_reaches_down_the_tree_and_for_contact_asks_the_roles():
    top = AccountFactory()
    deal = OpportunityFactory(account=AccountFactory(parent=top))
    OpportunityFactory()
    role = RoleFactory(opportunity=deal)

    assert set(Opportunity.objects.within(top)) == {deal}
    assert set(Opportunity.objects.for_contact(role.contact)) == {deal}


@pytest.mark.django_db
def test_role_marks_people_from_outside_the_accounts_line():
    top = AccountFactory()
    account = AccountFactory(parent=top)
    sister = AccountFactory(parent=top)
    deal = OpportunityFactory(account=account)

    def is_external(employer):
        return RoleFactory(opportunity=deal, contact=ContactFactory(account=employer)).is_external

    assert not is_external(account)
    assert not is_external(top)
    assert is_external(sister)
    assert is_external(None)


@pytest.mark.django_db
def test_totals_add_up_each_currency_by_itself():
    account = AccountFactory()
    values = {"account": account, "currency": "USD"}
    OpportunityFactory(**values, amount=Decimal("0.10"), probability=50)
    OpportunityFactory(**values, amount=Decimal("0.20"), probability=50)
    OpportunityFactory(**values, amount=None)
    OpportunityFactory(**values, amount=7, forecast_category=ForecastCategory.OMITTED)
    OpportunityFactory(**values, amount=100, won=True, close_date=datetime.date(2026, 2, 1))
    OpportunityFactory(**values, amount=50, won=True, close_date=datetime.date(2025, 2, 1))
    OpportunityFactory(**values, lost=True)
    OpportunityFactory(account=account, currency="JPY", amount=1005, probability=50)

    totals = Opportunity.objects.totals(today=TODAY)
    dollars = totals["USD"]

    assert set(totals) == {"USD", "JPY"}
    assert totals["JPY"].weighted == 503
    assert (dollars.open_count, dollars.open_amount) == (3, Decimal("0.3"))
    assert dollars.weighted == Decimal("0.15")
    assert dollars.unknown == 1
    assert (dollars.won_count, dollars.won_amount, dollars.won_amount_year) == (2, 150, 100)
    assert (dollars.lost_count, dollars.win_rate) == (1, Decimal("66.7"))
    whole = Rollups(Opportunity.objects.totals_by_place(today=TODAY), today=TODAY).whole(account.pk)
    assert whole.totals == totals
    assert {(part.account_id, part.day) for part in whole.parts} == {(account.pk, None)}


@pytest.mark.django_db
def test_totals_of_different_currencies_are_never_added():
    OpportunityFactory(currency="USD")
    OpportunityFactory(currency="EUR")
    totals = Opportunity.objects.totals(today=TODAY)

    with pytest.raises(ValueError, match="never added"):
        totals["USD"] + totals["EUR"]
    assert (totals["USD"] + totals["USD"]).open_amount == 2000


class WeightedTest(TestCase):
    """The database rounds each deal's expected revenue as Python does, on any currency."""

    @given(
        st.lists(
            st.tuples(
                st.integers(0, 10**12 - 1),
                st.integers(0, 99),
                st.sampled_from(["USD", "JPY", "KWD"]),
            ),
            min_size=1,
            max_size=4,
        )
    )
    def test_weighted_is_the_sum_of_the_rounded_values(self, deals):
        decimals = {"USD": 2, "JPY": 0, "KWD": 3}
        account, owner = AccountFactory(), UserFactory()
        made = [
            OpportunityFactory(
                account=account,
                owner=owner,
                amount=Decimal(number).scaleb(-decimals[currency]),
                probability=probability,
                currency=currency,
            )
            for number, probability, currency in deals
        ]
        for currency, totals in Opportunity.objects.totals(today=TODAY).items():
            mine = [deal for deal in made if deal.currency == currency]
            assert totals.weighted == sum(deal.expected_revenue for deal in mine)
            assert totals.open_amount == sum(deal.amount for deal in mine)
