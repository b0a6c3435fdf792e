"""Ending a log-in: what becomes of what the person has, and who may do it."""

import pytest
from django.contrib.auth import get_user
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from core.checks import all_checks
from core.journal import Operation
from core.models import Organisation
from core.undo import CannotUndo, undo
from crm.administration.deactivation import (
    AlreadyInactive,
    NoSuccessor,
    activate_user,
    deactivate_user,
)
from leads.models import AssignmentRule, Lead, QueueMember
from leads.services import hand_over
from opportunities.models import Opportunity
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory, QueueFactory, RuleFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import TeamFactory, UserFactory
from tests.pages import send
from users.models import LastAdministrator, Role, Team, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def heir(team):
    return UserFactory(name="Hal Heir", team=team)


@pytest.fixture
def held(rep, heir):
    """What the representative has: something of each part, and what is closed."""
    account = AccountFactory(owner=rep)
    queue = QueueFactory(name="Web", members=[rep])
    return {
        "lead": LeadFactory(owner=rep),
        "dead": LeadFactory(owner=rep, dead=True),
        "account": account,
        "contact": ContactFactory(account=account, owner=rep),
        "deal": OpportunityFactory(account=account, owner=rep),
        "queue": queue,
        "both": QueueFactory(name="Fairs", members=[rep, heir]),
        "rule": RuleFactory(name="Inbound", target_user=rep),
        "team": TeamFactory(manager=rep),
        "report": UserFactory(manager=rep),
    }


def everything(heir):
    parts = ("leads", "accounts", "contacts", "deals", "queues", "rules", "teams")
    return dict.fromkeys(parts, heir)


def test_deactivate_user_gives_everything_open_to_the_successor(rep, heir, held, admin):
    Organisation.objects.update(default_lead_owner=rep)

    deactivate_user(rep, successors=everything(heir), by=admin)

    rep.refresh_from_db()
    assert not rep.is_active
    assert Lead.objects.get(pk=held["lead"].pk).owner == heir
    assert Lead.objects.get(pk=held["dead"].pk).owner == rep
    assert Opportunity.objects.get(pk=held["deal"].pk).owner == heir
    assert Account.objects.get(pk=held["account"].pk).owner == heir
    assert QueueMember.objects.get(queue=held["queue"]).user == heir
    assert QueueMember.objects.get(queue=held["both"]).user == heir
    assert AssignmentRule.objects.get(pk=held["rule"].pk).target_user == heir
    assert Team.objects.get(pk=held["team"].pk).manager == heir
    assert User.objects.get(pk=held["report"].pk).manager == heir
    assert Organisation.objects.get().default_lead_owner == heir
    assert Operation.objects.filter(label__message="Deactivated %(user)s").count() == 1


def test_deactivate_user_notes_the_owner_in_the_deals_history(rep, heir, held, admin):
    deactivate_user(rep, successors=everything(heir), by=admin)

    row = held["deal"].history.order_by("-pk").first()
    assert (row.from_owner, row.to_owner) == (rep, heir)


def test_deactivate_user_is_undone_as_one(rep, heir, held, admin):
    before = digest()
    deactivate_user(rep, successors=everything(heir), by=admin)

    undo(Operation.objects.order_by("-pk").first(), by=admin)

    changed = differences(before, digest())
    changed.pop("opportunities.opportunitystagehistory", None)
    assert changed == {}
    rep.refresh_from_db()
    assert rep.is_active


def test_deactivate_user_leaves_what_is_not_ticked(rep, heir, held, admin):
    successors = everything(heir) | {"accounts": None, "contacts": None}

    deactivate_user(rep, successors=successors, by=admin)

    assert Account.objects.get(pk=held["account"].pk).owner == rep


@pytest.mark.parametrize("part", ["leads", "deals", "queues", "rules", "teams"])
def test_deactivate_user_refuses_what_nobody_takes_over(rep, heir, held, admin, part):
    before = digest(journal=True, stamps=True)

    with pytest.raises(NoSuccessor) as refusal:
        deactivate_user(rep, successors=everything(heir) | {part: None}, by=admin)

    assert refusal.value.errors.keys() == {part}
    assert differences(before, digest(journal=True, stamps=True)) == {}


@pytest.mark.parametrize(
    "values", [{"is_active": False}, {"role": Role.READ_ONLY}, {"role": Role.SUPPORT}]
)
def test_deactivate_user_refuses_who_cannot_take_over(rep, held, admin, values):
    with pytest.raises(NoSuccessor):
        deactivate_user(rep, successors=everything(UserFactory(**values)), by=admin)
    with pytest.raises(NoSuccessor):
        deactivate_user(rep, successors=everything(rep), by=admin)


def test_deactivate_user_lets_one_below_step_into_the_place(rep, held, admin, manager):
    between = held["report"]
    heir = UserFactory(manager=between)

    deactivate_user(rep, successors=everything(heir), by=admin)

    heir.refresh_from_db()
    between.refresh_from_db()
    assert (heir.manager, between.manager) == (manager, heir)


def test_deactivate_user_ends_the_hand_overs_that_wait_for_him(rep, heir, admin):
    lead = LeadFactory(owner=heir, lifecycle="SQL")
    hand_over(lead, to=rep, note="Needs sensors, has a budget.", by=heir)

    deactivate_user(rep, successors={}, by=admin)

    lead.refresh_from_db()
    assert (lead.handed_over_to, lead.owner) == (None, heir)


def test_deactivate_user_is_for_administrators_and_never_for_oneself(rep, manager, admin):
    other = UserFactory(role=Role.ADMIN)
    for user, by in ((rep, manager), (rep, rep), (admin, admin)):
        with pytest.raises(Exception, match="administrator"):
            deactivate_user(user, successors={}, by=by)
    deactivate_user(other, successors={}, by=admin)
    with pytest.raises(AlreadyInactive):
        deactivate_user(other, successors={}, by=admin)


def test_the_only_administrator_cannot_be_deactivated(admin):
    """Example 12.16: neither by himself nor by the system's hand."""
    other = UserFactory(role=Role.ADMIN)
    deactivate_user(other, successors={}, by=admin)
    admin.is_active = False

    with pytest.raises(LastAdministrator):
        admin.check_last_admin()


def test_an_undo_leaves_no_open_record_with_somebody_inactive(rep, heir, admin):
    deactivate_user(rep, successors={}, by=admin)
    activate_user(rep, by=admin)
    activated = Operation.objects.order_by("-pk").first()
    lead = LeadFactory(owner=User.objects.get(pk=rep.pk))

    with pytest.raises(CannotUndo):
        undo(activated, by=admin)

    lead.owner = heir
    lead.save()
    undo(activated, by=admin)
    assert not User.objects.get(pk=rep.pk).is_active


def test_check_data_finds_open_records_of_somebody_inactive(rep, held):
    User.objects.filter(pk=rep.pk).update(is_active=False)

    (check_lead, check_deal) = all_checks(["I37"])
    found = {(o.label, o.pk) for check in (check_lead, check_deal) for o in check.offences()}
    assert found == {("lead", held["lead"].pk), ("opportunity", held["deal"].pk)}


# -- the pages --------------------------------------------------------------------------------


def test_the_page_hands_over_and_ends_the_session(client, rep, heir, held, admin):
    theirs = Client()
    theirs.force_login(rep)
    client.force_login(admin)
    assert (
        "Deactivate"
        in client.get(reverse("administration:user_update", args=[rep.pk])).content.decode()
    )
    page = reverse("administration:user_deactivate", args=[rep.pk])

    refusal = send(client, page)
    assert refusal.status_code == 422
    assert {"leads", "deals", "teams"} <= refusal.context["form"].errors.keys()

    other = UserFactory(name="Olga Other")
    response = send(client, page, successor=str(heir.pk), deals=str(other.pk), with_accounts="on")

    assert response.status_code == 303
    assert Lead.objects.get(pk=held["lead"].pk).owner == heir
    assert Opportunity.objects.get(pk=held["deal"].pk).owner == other
    assert Account.objects.get(pk=held["account"].pk).owner == heir
    assert not get_user(theirs).is_authenticated

    back = reverse("administration:user_activate", args=[rep.pk])
    assert send(client, back).status_code == 303
    rep.refresh_from_db()
    assert rep.is_active


def test_the_pages_are_for_administrators(client, rep, manager):
    client.force_login(manager)
    for name in ("administration:user_deactivate", "administration:user_activate"):
        page = reverse(name, args=[rep.pk])
        assert client.get(page).status_code == client.post(page).status_code == 403
    rep.refresh_from_db()
    assert rep.is_active
