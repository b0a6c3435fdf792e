import datetime
from decimal import Decimal

import pytest

from accounts.models import Account
from accounts.services import move_account
from contacts.services import add_relation, remove_relation
from core.errors import NotAllowed, Stale
from core.journal import Change, Operation
from core.models import Organisation
from core.services import archive, assign
from core.undo import undo
from opportunities.models import ForecastCategory, Opportunity, OpportunityStageHistory, Stage
from opportunities.services import (
    AlreadyClosed,
    AmountFromLines,
    AmountMissing,
    CloseTooFar,
    FieldsMissing,
    HasRole,
    NoSuchRole,
    NotExplained,
    SameStage,
    StageClosed,
    StageRetired,
    StillOpen,
    add_contact_role,
    change_stage,
    close_lost,
    close_won,
    create_opportunities,
    create_opportunity,
    remove_contact_role,
    reopen_opportunity,
    save_contact_role,
    save_opportunity,
    set_primary_role,
)
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory
from tests.factories.users import UserFactory


def fresh(record):
    return type(record).objects.get(pk=record.pk)


def last_operation():
    return Operation.objects.order_by("-pk").first()


def last_row(deal):
    return deal.history.order_by("-pk").first()


def today():
    return Organisation.current().today()


@pytest.fixture
def deal(rep):
    return OpportunityFactory(owner=rep, account__owner=rep)


@pytest.fixture
def proposal(db):
    return Stage.named("Proposal/Price Quote")


# -- beginning --------------------------------------------------------------------------------


def test_create_opportunity_fills_what_was_left_open_and_writes_history(rep):
    account = AccountFactory(owner=rep, currency="EUR")
    contact = ContactFactory(account=account)
    deal = Opportunity(name="Deal", account=account, amount=Decimal(5000))

    deal = create_opportunity(deal, by=rep, primary_contact=contact)

    assert (deal.owner, deal.currency, deal.stage) == (rep, "EUR", Stage.first_open())
    assert (deal.probability, deal.forecast_category) == (10, "PIPELINE")
    assert (deal.original_amount, deal.original_close_date) == (5000, deal.close_date)
    row = deal.history.get()
    assert (row.from_stage, row.to_stage, row.by) == (None, deal.stage, rep)
    role = deal.roles.get()
    assert (role.contact, role.is_primary, role.is_external) == (contact, True, False)


def test_create_opportunity_keeps_typed_estimates_and_marks_them(rep):
    deal = Opportunity(
        name="Deal",
        account=AccountFactory(owner=rep),
        probability=33,
        forecast_category=ForecastCategory.COMMIT,
    )

    deal = create_opportunity(deal, by=rep)

    assert (deal.probability, deal.probability_overridden) == (33, True)
    assert (deal.forecast_category, deal.category_overridden) == ("COMMIT", True)


def test_create_opportunity_does_not_find_an_archived_account(rep):
    account = archive(AccountFactory(owner=rep), by=rep)

    with pytest.raises(Account.DoesNotExist):
        create_opportunity(Opportunity(name="Deal", account=account), by=rep)


@pytest.mark.parametrize("number", [1, 4])
def test_create_opportunities_costs_the_same_for_any_number(number, rep, django_assert_num_queries):
    account, stage = AccountFactory(), Stage.first_won()
    closed_at = datetime.datetime(2025, 3, 1, tzinfo=datetime.UTC)
    deals = [
        Opportunity(
            name="Deal",
            account=account,
            owner=rep,
            stage=stage,
            closed_at=closed_at,
            close_date=datetime.date(2025, 3, 1),
        )
        for _ in range(number)
    ]

    with django_assert_num_queries(7):
        create_opportunities(deals, by=rep)

    assert {fresh(deal).closed_at for deal in deals} == {closed_at}
    assert OpportunityStageHistory.objects.count() == number


# -- stages -----------------------------------------------------------------------------------


def test_change_stage_takes_the_stages_estimates_also_over_typed_ones(rep, deal, proposal):
    deal.probability = 33
    save_opportunity(deal, by=rep)

    deal = change_stage(deal, stage=proposal, by=rep)

    assert (deal.probability, deal.forecast_category) == (75, "BEST_CASE")
    assert not deal.probability_overridden
    row = last_row(deal)
    assert (row.from_stage, row.to_stage) == (Stage.first_open(), proposal)
    assert (row.from_probability, row.to_probability) == (33, 75)
    assert row.seconds_in_from_stage >= 0


def test_change_stage_goes_back_and_skips(rep, deal, proposal):
    change_stage(deal, stage=proposal, by=rep)

    assert change_stage(deal, stage=Stage.first_open(), by=rep).probability == 10


def test_change_stage_refuses_closed_same_and_retired_stages(rep, deal):
    Stage.objects.filter(name="Qualification").update(is_active=False)
    before = Change.objects.count()

    with pytest.raises(StageClosed):
        change_stage(deal, stage=Stage.first_won(), by=rep)
    with pytest.raises(SameStage):
        change_stage(deal, stage=deal.stage, by=rep)
    with pytest.raises(StageRetired):
        change_stage(deal, stage=Stage.named("Qualification"), by=rep)

    assert Change.objects.count() == before


def test_change_stage_needs_the_required_fields(rep, deal, proposal):
    Stage.objects.filter(name="Needs Analysis").update(required_fields=["next_step"])

    with pytest.raises(FieldsMissing) as refusal:
        change_stage(deal, stage=proposal, by=rep)

    assert set(refusal.value.errors) == {"next_step"}


def test_change_stage_is_for_those_who_may(rep, stranger, deal, proposal):
    colleague = UserFactory(team=rep.team)

    with pytest.raises(NotAllowed):
        change_stage(deal, stage=proposal, by=colleague)
    with pytest.raises(Opportunity.DoesNotExist):
        change_stage(deal, stage=proposal, by=stranger)


# -- closing ----------------------------------------------------------------------------------


def test_close_won_sets_everything_that_won_means(rep, deal):
    won = close_won(deal, by=rep, win_reason="Price")

    assert (won.is_closed, won.is_won, won.probability) == (True, True, 100)
    assert won.forecast_category == "CLOSED"
    assert won.closed_at == won.stage_entered_at
    assert won.close_date == today()
    assert last_row(won).to_stage == Stage.first_won()
    assert won.push_count == 0


@pytest.mark.parametrize("year", [1969, 2101])
def test_a_deal_is_not_closed_on_a_day_that_can_only_be_a_slip(rep, year):
    deal = OpportunityFactory(owner=rep)

    with pytest.raises(CloseTooFar) as refusal:
        close_won(deal, by=rep, close_date=datetime.date(year, 6, 30))

    assert refusal.value.field == "close_date"
    assert not fresh(deal).is_closed


def test_close_won_keeps_a_past_close_date_and_a_given_one(rep):
    past, given = datetime.date(2026, 1, 31), datetime.date(2031, 1, 1)
    deals = [OpportunityFactory(owner=rep, close_date=past) for _ in range(2)]

    assert close_won(deals[0], by=rep).close_date == past
    assert close_won(deals[1], by=rep, close_date=given).close_date == given


def test_close_won_needs_an_amount_and_a_word_about_zero(rep):
    unknown, nothing = [OpportunityFactory(owner=rep, amount=a) for a in (None, 0)]

    with pytest.raises(AmountMissing):
        close_won(unknown, by=rep)
    with pytest.raises(AmountMissing):
        close_won(nothing, by=rep)

    assert close_won(unknown, by=rep, amount=Decimal(10)).amount == 10
    assert close_won(nothing, by=rep, worth_nothing=True).is_won


def test_close_lost_needs_a_reason_and_what_explains_it(rep, deal):
    for reason, field in [
        ("", "loss_reason"),
        ("Other", "loss_note"),
        ("Lost to competitor", "main_competitor"),
    ]:
        with pytest.raises(NotExplained) as refusal:
            close_lost(deal, by=rep, reason=reason)
        assert set(refusal.value.errors) == {field}

    lost = close_lost(deal, by=rep, reason="Lost to competitor", competitor="Globex")

    assert (lost.is_lost, lost.probability, lost.forecast_category) == (True, 0, "OMITTED")
    assert (lost.loss_reason, lost.main_competitor) == ("Lost to competitor", "Globex")


def test_second_closing_is_refused_and_leaves_one_row(rep, deal):
    close_won(deal, by=rep)

    with pytest.raises(AlreadyClosed, match="won"):
        close_lost(deal, by=rep, reason="Price")

    assert deal.history.filter(to_stage__is_closed=True).count() == 1


def test_reopen_goes_back_to_the_stage_before_and_clears_the_reasons(rep, deal, proposal):
    change_stage(deal, stage=proposal, by=rep)
    close_lost(deal, by=rep, reason="Price", note="Too dear")

    deal = reopen_opportunity(deal, by=rep, reason="They called")

    assert (deal.stage, deal.probability) == (proposal, 75)
    assert (deal.is_closed, deal.closed_at, deal.loss_reason, deal.loss_note) == (
        False,
        None,
        "",
        "",
    )
    assert last_operation().label["named"]["reason"] == "They called"


def test_reopen_needs_a_reason_and_a_closed_deal(rep, deal):
    with pytest.raises(StillOpen):
        reopen_opportunity(deal, by=rep, reason="x")
    close_won(deal, by=rep)

    with pytest.raises(NotExplained):
        reopen_opportunity(deal, by=rep, reason=" ")
    with pytest.raises(StageClosed):
        reopen_opportunity(deal, by=rep, reason="x", stage=Stage.first_lost())


def test_undone_closing_takes_its_row_of_history_back(rep, deal):
    before = list(deal.history.values_list("pk", flat=True))
    close_won(deal, by=rep)

    undo(last_operation(), by=rep)

    assert not fresh(deal).is_closed
    assert list(deal.history.values_list("pk", flat=True)) == before


# -- editing ----------------------------------------------------------------------------------


def test_save_opportunity_writes_one_row_for_everything_that_moved(rep, deal):
    deal.amount = Decimal(2000)
    deal.probability = 20
    deal.name = "Renamed"

    save_opportunity(deal, by=rep)

    row = last_row(deal)
    assert (row.from_amount, row.to_amount) == (1000, 2000)
    assert (row.from_probability, row.to_probability) == (10, 20)
    assert row.seconds_in_from_stage is None
    assert fresh(deal).probability_overridden


def test_save_opportunity_writes_no_row_for_other_fields(rep, deal):
    deal.next_step = "Call"
    save_opportunity(deal, by=rep)

    assert deal.history.count() == 1


@pytest.mark.parametrize(
    ("close_date", "pushes"),
    [
        (datetime.date(2030, 7, 1), 1),
        (datetime.date(2030, 6, 1), 0),
        (datetime.date(2030, 5, 31), 0),
        (datetime.date(2031, 1, 1), 1),
    ],
)
def test_push_count_grows_when_the_close_date_moves_to_a_later_month(rep, deal, close_date, pushes):
    deal.close_date = close_date
    save_opportunity(deal, by=rep)

    assert fresh(deal).push_count == pushes


def test_save_opportunity_with_another_stage_enters_it_and_keeps_typed_estimates(
    rep, deal, proposal
):
    deal.stage, deal.probability = proposal, 60
    save_opportunity(deal, by=rep)

    deal = fresh(deal)
    assert (deal.probability, deal.probability_overridden) == (60, True)
    assert (deal.forecast_category, deal.category_overridden) == ("BEST_CASE", False)
    assert deal.history.count() == 2


def test_save_opportunity_refuses_to_close_to_type_a_sum_and_to_overwrite(rep, deal):
    closing = fresh(deal)
    closing.stage = Stage.first_won()
    with pytest.raises(StageClosed):
        save_opportunity(closing, by=rep)

    outdated = fresh(deal)
    change_stage(deal, stage=Stage.named("Qualification"), by=rep)
    outdated.name = "Mine"
    with pytest.raises(Stale):
        save_opportunity(outdated, by=rep)

    Opportunity.objects.filter(pk=deal.pk).update(amount_source="LINES")
    typed = fresh(deal)
    typed.amount = Decimal(1)
    with pytest.raises(AmountFromLines):
        save_opportunity(typed, by=rep)


def test_save_opportunity_with_another_account_marks_the_outsiders(rep, deal):
    role = RoleFactory(opportunity=deal)
    deal.account = AccountFactory(owner=rep)

    save_opportunity(deal, by=rep)

    assert fresh(role).is_external


def test_assign_writes_the_owner_into_the_history(manager, deal):
    colleague = UserFactory(team=manager.team)

    assign(deal, owner=colleague, by=manager)

    row = last_row(deal)
    assert (row.from_owner, row.to_owner, row.by) == (deal.owner, colleague, manager)


# -- people -----------------------------------------------------------------------------------


def test_first_role_becomes_primary_and_the_next_ones_do_not(rep, deal):
    first = add_contact_role(deal, ContactFactory(), by=rep, role="Decision Maker")
    second = add_contact_role(deal, ContactFactory(), by=rep)

    assert (first.is_primary, second.is_primary) == (True, False)


def test_add_contact_role_as_primary_takes_the_place_of_the_present_one(rep, deal):
    first = add_contact_role(deal, ContactFactory(), by=rep)
    second = add_contact_role(deal, ContactFactory(), by=rep, is_primary=True)

    assert not fresh(first).is_primary
    assert second.is_primary


def test_add_contact_role_refuses_a_second_role_of_a_person(rep, deal):
    role = add_contact_role(deal, ContactFactory(), by=rep)

    with pytest.raises(HasRole):
        add_contact_role(deal, role.contact, by=rep)


def test_set_primary_role_and_its_undo(rep, deal):
    first = add_contact_role(deal, ContactFactory(), by=rep)
    second = add_contact_role(deal, ContactFactory(), by=rep)

    set_primary_role(second, by=rep)
    moved = fresh(first).is_primary, fresh(second).is_primary
    undo(last_operation(), by=rep)

    assert moved == (False, True)
    assert (fresh(first).is_primary, fresh(second).is_primary) == (True, False)


def test_removing_the_primary_role_promotes_nobody(rep, deal):
    first = add_contact_role(deal, ContactFactory(), by=rep)
    add_contact_role(deal, ContactFactory(), by=rep)

    remove_contact_role(first, by=rep)

    assert deal.primary_role() is None
    with pytest.raises(NoSuchRole):
        set_primary_role(first, by=rep)


def test_outsiders_are_marked_as_relations_come_and_go_and_as_that_is_undone(rep, deal):
    contact = ContactFactory(owner=rep)
    role = add_contact_role(deal, contact, by=rep)
    marks = [fresh(role).is_external]

    relation = add_relation(contact, deal.account, by=rep)
    marks.append(fresh(role).is_external)
    remove_relation(relation, by=rep)
    marks.append(fresh(role).is_external)
    undo(last_operation(), by=rep)
    marks.append(fresh(role).is_external)

    assert marks == [True, False, True, False]


def test_outsiders_are_marked_as_accounts_move_and_as_that_is_undone(rep):
    top = AccountFactory(owner=rep)
    account = AccountFactory(parent=top, owner=rep)
    role = RoleFactory(
        opportunity__account=account,
        opportunity__owner=rep,
        contact=ContactFactory(account=top),
    )
    marks = [role.is_external]

    move_account(account, parent=None, by=rep)
    marks.append(fresh(role).is_external)
    undo(last_operation(), by=rep)
    marks.append(fresh(role).is_external)

    assert marks == [False, True, False]


def test_save_contact_role_keeps_what_is_said_and_refuses_a_stale_one(rep):
    role = RoleFactory(opportunity__owner=rep)
    stale = fresh(role)
    role.role, role.stance = "Champion", "SUPPORTER"

    save_contact_role(role, by=rep)

    assert (fresh(role).role, fresh(role).stance) == ("Champion", "SUPPORTER")
    with pytest.raises(Stale):
        save_contact_role(stale, by=rep)


def test_save_contact_role_needs_edit_rights_on_the_deal(rep):
    role = RoleFactory()
    role.role = "Champion"

    with pytest.raises(Opportunity.DoesNotExist):
        save_contact_role(role, by=rep)

    assert fresh(role).role == ""
