import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from core import reach
from core.errors import NotAllowed
from core.models import ListValue, Organisation
from core.once import request_cache
from core.reach import scope
from core.reach.matrix import OPT_OUTS
from leads.models import Lead
from opportunities.models import Opportunity
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, RelationFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import TeamFactory, UserFactory
from users.models import Role

pytestmark = pytest.mark.django_db

MODELS = {"account": Account, "contact": Contact, "lead": Lead, "opportunity": Opportunity}
FACTORIES = {
    "account": AccountFactory,
    "contact": ContactFactory,
    "lead": LeadFactory,
    "opportunity": OpportunityFactory,
}

# What each role may do without personal grants, after the defaults of the objects.
EXPECTED = {
    "account": """
        role       view  create  edit  assign  archive  merge  import  export
        ADMIN      A     A       A     A       A        A      A       A
        MANAGER    A     A       T     T       T        T      –       T
        REP        A     A       T     O       O        –      –       –
        SDR        A     A       O     –       –        –      –       –
        MARKETING  A     –       –     –       –        –      –       –
        SUPPORT    A     –       –     –       –        –      –       –
        READ_ONLY  A     –       –     –       –        –      –       –
    """,
    "contact": """
        role       view  create  edit  assign  archive  merge  import  export
        ADMIN      A     A       A     A       A        A      A       A
        MANAGER    A     A       T     T       T        T      –       T
        REP        A     A       T     O       O        –      –       –
        SDR        A     A       O     –       –        –      –       –
        MARKETING  A     A       A     –       O        –      –       –
        SUPPORT    A     A       A     –       –        –      –       –
        READ_ONLY  A     –       –     –       –        –      –       –
    """,
    "lead": """
        role       view  create  edit  assign  convert  archive  merge  import  export
        ADMIN      A     A       A     A       A        A        A      A       A
        MANAGER    T     A       T     T       T        T        T      –       T
        REP        T     A       T     O       T        O        –      –       –
        SDR        T     A       T     T       T        O        –      –       –
        MARKETING  A     A       A     A       –        O        –      –       –
        SUPPORT    –     A       –     –       –        –        –      –       –
        READ_ONLY  A     –       –     –       –        –        –      –       –
    """,
    "opportunity": """
        role       view  create  edit  change_stage  reopen  assign  archive  export
        ADMIN      A     A       A     A             A       A       A        A
        MANAGER    T     A       O     O             T       T       O        T
        REP        T     A       O     O             O       O       O        –
        SDR        O     A       O     O             –       –       –        –
        MARKETING  –     –       –     –             –       –       –        –
        SUPPORT    –     –       –     –             –       –       –        –
        READ_ONLY  A     –       –     –             –       –       –        –
    """,
}
REACHED = {
    "–": set(),
    "O": {"own"},
    "T": {"own", "team"},
    "A": {"own", "team", "other"},
}


def cells(text):
    head, *rows = [line.split() for line in text.strip().splitlines()]
    return {
        (role, verb): cell for role, *row in rows for verb, cell in zip(head[1:], row, strict=True)
    }


def records_around(user, access):
    """A record of the user, one of a team mate, one of a stranger."""
    make = FACTORIES[access]
    mate = UserFactory(team=user.team)
    return {
        "own": make(owner=user),
        "team": make(owner=mate),
        "other": make(owner=UserFactory(team=TeamFactory())),
    }


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("access", MODELS)
def test_can_and_visible_to_agree_with_the_matrix(access, role, team):
    user = UserFactory(role=role, team=team)
    records = records_around(user, access)
    model = MODELS[access]

    for (row, verb), cell in cells(EXPECTED[access]).items():
        if row != role:
            continue
        allowed = {where for where, record in records.items() if record.can(user, verb)}
        found = set(model.objects.visible_to(user, verb))
        assert allowed == REACHED[cell], verb
        assert found & set(records.values()) == {records[where] for where in allowed}, verb
        assert reach.may(user, verb, model) == (cell != "–"), verb


def test_every_cell_of_the_matrix_is_expected_somewhere():
    for access, matrix in reach.MATRIX.items():
        assert {(str(role), str(verb)) for role, verb in matrix} == cells(EXPECTED[access]).keys()


@pytest.mark.parametrize("verb", ["merge", "import", "export"])
def test_cells_with_a_footnote_ask_for_the_grant_of_the_verb(rep, verb):
    account = AccountFactory(owner=rep)

    assert not account.can(rep, verb)
    rep.grants = [verb]
    assert account.can(rep, verb)


@pytest.mark.parametrize("user", [AnonymousUser(), "inactive"])
def test_nobody_and_inactive_users_see_nothing(user, team):
    user = UserFactory(role=Role.ADMIN, is_active=False) if user == "inactive" else user
    account = AccountFactory()

    assert not account.can(user, "view")
    assert not Account.objects.visible_to(user).exists()
    assert not ListValue.objects.visible_to(user).exists()


def test_reference_tables_are_read_by_all_and_written_by_admins(rep, admin):
    row = ListValue.objects.order_by("pk").first()

    assert row.can(rep, "view")
    assert not row.can(rep, "edit")
    assert row.can(admin, "edit")
    assert ListValue.objects.visible_to(rep).exists()
    assert not ListValue.objects.visible_to(rep, "edit").exists()


def test_own_reaches_over_managed_teams_below_and_chains_of_managers(team, rep, manager):
    below = TeamFactory(parent=team)
    deep = UserFactory(team=below)
    outside = UserFactory(team=TeamFactory(), manager=manager)
    under_outside = UserFactory(manager=outside)

    owners = reach.reach_of(manager).own

    assert owners == {manager.pk, rep.pk, deep.pk, outside.pk, under_outside.pk}
    assert reach.reach_of(rep).own == {rep.pk}
    assert reach.reach_of(rep).team == {rep.pk, manager.pk}


def test_without_a_team_the_team_scope_is_the_own_one():
    user, other = UserFactory(), UserFactory()

    assert reach.reach_of(user).team == {user.pk}
    assert not LeadFactory(owner=other).can(user, "view")


def test_an_inactive_owner_is_reached_as_in_his_last_team(rep, manager):
    account = AccountFactory(owner=rep)
    rep.is_active = False
    rep.save()

    assert account.can(manager, "edit")


def test_who_sees_and_edits_a_deal_by_the_worked_examples(team, manager, rep, stranger):
    rob = UserFactory(team=team)
    sara = UserFactory(role=Role.MANAGER, team=stranger.team)
    stranger.team.manager = sara
    stranger.team.save()
    deal = OpportunityFactory(owner=rep)

    assert (deal.can(rob, "view"), deal.can(rob, "edit")) == (True, False)
    assert not deal.can(stranger, "view")
    assert (deal.can(manager, "view"), deal.can(manager, "edit")) == (True, True)
    assert not deal.can(sara, "view")


def test_a_private_deal_is_for_its_owner_those_above_and_admins(team, manager, rep, admin):
    rob = UserFactory(team=team)
    auditor = UserFactory(role=Role.READ_ONLY)
    deal = OpportunityFactory(owner=rep, is_private=True)

    seen = {user for user in (rep, rob, manager, admin, auditor) if deal.can(user, "view")}

    assert seen == {rep, manager, admin}
    for user in (rep, rob, manager, admin, auditor):
        found = Opportunity.objects.visible_to(user).filter(pk=deal.pk).exists()
        assert found == (user in seen)


def test_a_closed_deal_is_archived_by_managers_only(rep, manager):
    deal = OpportunityFactory(owner=rep, won=True)

    assert not deal.can(rep, "archive")
    assert deal.can(manager, "archive")
    assert not Opportunity.objects.visible_to(rep, "archive").exists()


def test_children_are_read_through_any_parent_and_written_through_an_editable_one(rep, stranger):
    sdr = UserFactory(role=Role.SDR)
    relation = RelationFactory(account=AccountFactory(owner=rep), contact=ContactFactory(owner=sdr))

    assert relation.can(stranger, "view")
    assert not relation.can(stranger, "edit")
    assert relation.can(rep, "edit")
    assert relation.can(sdr, "archive")
    edited = {
        user: AccountContactRelation.objects.visible_to(user, "edit").exists()
        for user in (rep, sdr, stranger)
    }
    assert edited == {rep: True, sdr: True, stranger: False}


def test_roles_of_deals_follow_the_deal(rep, stranger):
    role = OpportunityFactory(owner=rep).history.order_by("pk").first()

    assert role.can(rep, "view")
    assert not role.can(stranger, "view")
    assert not type(role).objects.visible_to(stranger).exists()


def test_edit_is_limited_to_some_fields_for_marketing_and_support():
    marketing, support = UserFactory(role=Role.MARKETING), UserFactory(role=Role.SUPPORT)
    contact, own = ContactFactory(), ContactFactory(owner=marketing)
    raw, sales = LeadFactory(lifecycle="RAW"), LeadFactory(lifecycle="SQL")

    assert "email_opt_out" in reach.editable_fields(contact, marketing)
    assert "last_name" not in reach.editable_fields(contact, marketing)
    assert reach.editable_fields(own, marketing) is None
    assert "phone" in reach.editable_fields(contact, support)
    assert reach.editable_fields(raw, marketing) is None
    assert reach.editable_fields(sales, marketing) == OPT_OUTS


def test_many_owners_are_asked_for_by_their_teams(monkeypatch, team, rep, manager, stranger):
    leads = {LeadFactory(owner=rep), LeadFactory(owner=manager)}
    LeadFactory(owner=stranger)
    below = LeadFactory(owner=UserFactory(manager=manager))

    monkeypatch.setattr(scope, "MAX_OWNERS", 0)

    assert set(Lead.objects.visible_to(rep)) == leads
    assert set(Lead.objects.visible_to(manager)) == leads | {below}


def test_reach_costs_one_query_a_request_and_none_for_everything(rep, django_assert_num_queries):
    leads = [LeadFactory(owner=rep), LeadFactory()]
    with request_cache():
        Organisation.current()  # the settings, which each page reads
        with django_assert_num_queries(0):
            Account.objects.visible_to(rep)
        with django_assert_num_queries(1):
            Lead.objects.visible_to(rep)
            Opportunity.objects.visible_to(rep, "edit")
            assert reach.allowed(leads, rep, "edit") == {leads[0].pk}


def test_a_change_of_team_counts_on_the_next_request(rep, stranger):
    lead = LeadFactory(owner=rep)
    with request_cache():
        assert not lead.can(stranger, "view")
    stranger.team = rep.team
    stranger.save()
    with request_cache():
        assert lead.can(stranger, "view")


def test_require_names_the_record_and_its_owner(rep, stranger):
    account = AccountFactory(name="Acme", owner=rep)

    with pytest.raises(NotAllowed, match=r"You can't edit Acme\. It belongs to Rae Rep\."):
        reach.require(stranger, "edit", account)
    with pytest.raises(NotAllowed, match=r"You can't create accounts\."):
        reach.require(UserFactory(role=Role.SUPPORT), "create", Account)
    reach.require(rep, "edit", account)


def test_undo_is_for_who_did_it_and_those_above(rep, manager, stranger, admin):
    assert reach.may_undo(rep, rep)
    assert reach.may_undo(manager, rep)
    assert not reach.may_undo(stranger, rep)
    assert not reach.may_undo(manager, None)
    assert reach.may_undo(admin, None)
    assert reach.is_above(manager, rep)
    assert not reach.is_above(rep, manager)
