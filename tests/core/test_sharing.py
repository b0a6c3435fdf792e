"""What widens a reach: shares, the teams of deals, deals of leads that were developed."""

import datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Account, AccountShare
from core.errors import NotAllowed
from core.models import Change, Organisation
from core.once import request_cache
from core.reach import Access, Scope, Verb, allowed, reach_of
from core.sharing import EndsInPast, GranteeInactive, OwnsIt, end_share, save_share, shares_of
from core.undo import undo
from leads.models import Conversion, Lead, LeadShare
from opportunities.models import Opportunity, OpportunityTeamMember
from tests.factories.accounts import AccountFactory, AccountShareFactory
from tests.factories.contacts import ContactFactory, ContactShareFactory
from tests.factories.leads import LeadFactory, LeadShareFactory
from tests.factories.opportunities import OpportunityFactory, OpportunityTeamMemberFactory
from tests.factories.users import TeamFactory, UserFactory
from users.models import Role

pytestmark = pytest.mark.django_db

SHARES = (AccountShareFactory, ContactShareFactory, LeadShareFactory, OpportunityTeamMemberFactory)
RECORDS = {
    AccountShareFactory: AccountFactory,
    ContactShareFactory: ContactFactory,
    LeadShareFactory: LeadFactory,
    OpportunityTeamMemberFactory: OpportunityFactory,
}


def reached(user, record):
    """The verbs of view, edit and archive that the user may do; both doors must agree."""
    model, found = type(record), set()
    for verb in ("view", "edit", "archive"):
        is_found = model.objects.visible_to(user, verb).filter(pk=record.pk).exists()
        assert is_found == record.can(user, verb) == (record.pk in allowed([record], user, verb))
        if is_found:
            found.add(verb)
    return found


@pytest.fixture
def all_private(every_default):
    every_default(Scope.OWN)


@pytest.mark.parametrize("factory", SHARES)
def test_a_share_to_read_gives_view_and_one_to_edit_both_but_no_other_verb(
    factory, all_private, rep, stranger
):
    record = RECORDS[factory](owner=rep)
    assert reached(stranger, record) == set()

    share = factory(record=record, user=stranger)
    assert reached(stranger, record) == {"view"}

    share.level = Access.EDIT
    share.save()
    assert reached(stranger, record) == {"view", "edit"}
    assert not record.can(stranger, "assign")
    assert not record.can(stranger, "share")


@pytest.mark.parametrize("factory", SHARES)
def test_what_is_shared_with_a_team_is_for_its_people_and_its_manager(
    factory, all_private, rep, stranger
):
    manager = UserFactory(role=Role.MANAGER)
    team = TeamFactory(manager=manager)
    member = UserFactory(team=team)
    record = RECORDS[factory](owner=rep)
    factory(record=record, user=None, team=team)

    assert reached(member, record) == {"view"}
    assert reached(manager, record) == {"view"}
    assert reached(stranger, record) == set()


def test_a_share_counts_on_its_last_day_and_no_longer(all_private, rep, stranger):
    today = Organisation.current().today()
    lead = LeadFactory(owner=rep)
    share = LeadShareFactory(record=lead, user=stranger, until=today)
    assert reached(stranger, lead) == {"view"}

    share.until = today - datetime.timedelta(days=1)
    share.save()
    assert reached(stranger, lead) == set()


def test_a_share_gives_nothing_that_the_role_has_not_at_all(rep):
    lead, deal = LeadFactory(owner=rep), OpportunityFactory(owner=rep)
    auditor, support = UserFactory(role=Role.READ_ONLY), UserFactory(role=Role.SUPPORT)
    LeadShareFactory(record=lead, user=auditor, level=Access.EDIT)
    LeadShareFactory(record=lead, user=support, level=Access.EDIT)
    OpportunityTeamMemberFactory(record=deal, user=auditor, level=Access.EDIT)

    assert reached(auditor, lead) == {"view"}
    assert reached(support, lead) == set()
    assert reached(auditor, deal) == {"view"}


def test_a_private_deal_opens_to_its_team_alone(rep, team, stranger):
    mate = UserFactory(team=team)
    deal = OpportunityFactory(owner=rep, is_private=True)
    assert reached(mate, deal) == set()

    OpportunityTeamMemberFactory(record=deal, user=stranger)
    assert reached(stranger, deal) == {"view"}
    assert reached(mate, deal) == set()


def test_who_edits_a_shared_deal_also_moves_it_to_another_stage(rep, stranger):
    deal = OpportunityFactory(owner=rep)
    OpportunityTeamMemberFactory(record=deal, user=stranger, level=Access.EDIT)

    assert deal.can(stranger, Verb.CHANGE_STAGE)
    assert not deal.can(stranger, Verb.REOPEN)


def test_sales_development_sees_the_deals_of_leads_it_converted_or_handed_over(rep):
    sdr, other = UserFactory(role=Role.SDR), UserFactory(role=Role.SDR)
    converted, handed = OpportunityFactory(owner=rep), OpportunityFactory(owner=rep)
    first, second = LeadFactory(), LeadFactory(handed_over_by=sdr, handed_over_at=timezone.now())
    origin = Conversion.Origin.IMPORTED
    at = "2026-01-01T00:00Z"
    Conversion.objects.create(
        lead=first, opportunity=converted, converted_by=sdr, origin=origin, converted_at=at
    )
    Conversion.objects.create(lead=second, opportunity=handed, origin=origin, converted_at=at)

    assert [reached(sdr, deal) for deal in (converted, handed)] == [{"view"}, {"view"}]
    assert [reached(other, deal) for deal in (converted, handed)] == [set(), set()]


def test_all_loans_come_with_the_one_query_of_the_reach(
    rep, stranger, django_assert_num_queries, all_private
):
    for factory in SHARES:
        factory(record=RECORDS[factory](owner=rep), user=stranger)
    with request_cache():
        Organisation.current()
        with django_assert_num_queries(1):
            reach_of(stranger).lent(Lead, Verb.VIEW)
            reach_of(stranger).lent(Account, Verb.EDIT)
            reach_of(stranger).lent(Opportunity, Verb.VIEW)
        with django_assert_num_queries(1):
            assert list(Lead.objects.visible_to(stranger))


# -- the organisation's defaults --------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "edit", "mate", "other"),
    [
        (Scope.OWN, Scope.OWN, set(), set()),
        (Scope.TEAM, Scope.OWN, {"view"}, set()),
        (Scope.TEAM, Scope.TEAM, {"view", "edit"}, set()),
        (Scope.ALL, Scope.OWN, {"view"}, {"view"}),
        # However wide the default, the matrix lets a representative edit what his team has.
        (Scope.ALL, Scope.ALL, {"view", "edit"}, {"view"}),
    ],
)
def test_the_defaults_cap_what_the_matrix_allows(
    reaches, team, rep, stranger, read, edit, mate, other
):
    colleague = UserFactory(team=team)
    account = AccountFactory(owner=rep)
    reaches(account_read=read, account_edit=edit)

    assert reached(colleague, account) == mate
    assert reached(stranger, account) == other


def test_administrators_are_never_capped(all_private, admin):
    assert reached(admin, LeadFactory()) == {"view", "edit", "archive"}


def test_the_database_refuses_an_edit_default_beyond_the_read_default(reaches):
    with pytest.raises(IntegrityError), transaction.atomic():
        reaches(account_read=Scope.OWN)


# -- giving and ending ------------------------------------------------------------------------


def test_sharing_is_one_step_that_can_be_taken_back(rep, stranger):
    lead = LeadFactory(owner=rep)

    share = save_share(LeadShare(record=lead, user=stranger, reason="Knows them"), by=rep)

    assert [row.grantee for row in shares_of(lead)] == [stranger]
    change = Change.objects.filter(model="leads.leadshare", object_id=share.pk).get()
    undo(change.operation, by=rep)
    assert not shares_of(lead).exists()
    assert not lead.can(stranger, "view")


def test_a_share_is_ended(rep, stranger):
    lead = LeadFactory(owner=rep)
    share = save_share(LeadShare(record=lead, user=stranger), by=rep)

    end_share(share, by=rep)

    assert not lead.can(stranger, "view")


def test_only_the_owner_who_stands_above_and_administrators_share(
    team, rep, manager, admin, stranger
):
    mate, auditor = UserFactory(team=team), UserFactory(role=Role.READ_ONLY)
    lead = LeadFactory(owner=rep)
    for by in (mate, auditor):
        with pytest.raises(NotAllowed):
            save_share(LeadShare(record=lead, user=stranger), by=by)
    with pytest.raises(Lead.DoesNotExist):
        save_share(LeadShare(record=lead, user=stranger), by=stranger)
    assert not LeadShare.objects.exists()

    for by in (rep, manager, admin):
        end_share(save_share(LeadShare(record=lead, user=stranger), by=by), by=by)


def test_who_got_an_edit_share_can_not_share_on(rep, stranger):
    lead = LeadFactory(owner=rep)
    save_share(LeadShare(record=lead, user=stranger, level=Access.EDIT), by=rep)

    with pytest.raises(NotAllowed):
        save_share(LeadShare(record=lead, user=UserFactory()), by=stranger)


def test_nobody_gives_more_than_he_has(team, rep):
    """Support may view and create contacts but edit only some fields; marketing owns no account."""
    marketing = UserFactory(role=Role.MARKETING)
    account = AccountFactory(owner=marketing)

    with pytest.raises(NotAllowed):
        save_share(AccountShare(record=account, user=rep, level=Access.EDIT), by=marketing)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"user": "owner"}, OwnsIt),
        ({"user": "inactive"}, GranteeInactive),
        ({"until": datetime.date(2020, 1, 1)}, EndsInPast),
    ],
)
def test_what_gives_nothing_is_refused(rep, stranger, change, error):
    lead = LeadFactory(owner=rep)
    users = {"owner": rep, "inactive": UserFactory(is_active=False)}
    values = {"user": stranger, **change}
    values["user"] = users.get(values["user"], values["user"])

    with pytest.raises(error):
        save_share(LeadShare(record=lead, **values), by=rep)
    assert not LeadShare.objects.exists()


@pytest.mark.parametrize("values", [{}, {"user": True, "team": True}])
def test_the_database_holds_that_a_share_has_one_grantee(rep, stranger, values):
    lead = LeadFactory(owner=rep)
    given = {"user": stranger, "team": TeamFactory()}

    with pytest.raises(IntegrityError), transaction.atomic():
        LeadShare.objects.create(record=lead, **{name: given[name] for name in values})


def test_a_member_of_a_deals_team_has_a_role(rep, stranger):
    deal = OpportunityFactory(owner=rep)
    member = OpportunityTeamMember(record=deal, user=stranger, team_role="Sales Rep")

    save_share(member, by=rep)

    assert shares_of(deal).get().team_role == "Sales Rep"
