import threading
from contextlib import suppress

import pytest

from accounts.models import Account, WouldMakeCycle
from accounts.services import (
    DependantsChoice,
    HasDependants,
    IndividualInHierarchy,
    NoRightOnParent,
    TooDeep,
    archive_account,
    chain_of,
    dependants_of,
    move_account,
)
from accounts.signals import account_moved
from contacts.models import Contact
from core.errors import Conflict, NotAllowed
from core.journal import Change, Kind, Label, Operation, operation
from core.services import OwnerInactive, archive, assign
from core.undo import undo
from opportunities.models import Opportunity
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory
from tests.threads import at_once


@pytest.fixture
def chain(rep):
    """Twenty accounts, each below the one before."""
    accounts = [AccountFactory(name="Level 1", owner=rep)]
    for level in range(2, 21):
        accounts.append(AccountFactory(name=f"Level {level}", parent=accounts[-1], owner=rep))
    return accounts


def fresh(record):
    return type(record).objects.get(pk=record.pk)


def changes():
    return Change.objects.count()


# -- moving -----------------------------------------------------------------------------------


def test_move_account_puts_the_branch_below_another_account(rep):
    old, new = AccountFactory(owner=rep), AccountFactory(owner=rep)
    branch = AccountFactory(parent=old, owner=rep)
    leaf = AccountFactory(parent=branch, owner=rep)

    moved = move_account(branch, parent=new, by=rep)

    assert moved.parent == new
    assert set(Account.objects.below(new)) == {branch, leaf}
    operation = Operation.objects.order_by("-pk").first()
    assert (operation.kind, operation.actor) == (Kind.MOVE, rep)
    assert operation.changes.count() == 1


def test_move_account_makes_an_account_a_top(rep):
    branch = AccountFactory(parent=AccountFactory(owner=rep), owner=rep)

    assert move_account(branch, parent=None, by=rep).depth == 0


def test_move_account_refuses_a_cycle_and_names_the_chain(rep):
    acme = AccountFactory(name="Acme", owner=rep)
    beta = AccountFactory(name="Beta", parent=acme, owner=rep)
    gamma = AccountFactory(name="Gamma", parent=beta, owner=rep)
    before = changes()

    with pytest.raises(WouldMakeCycle, match="Gamma is below Acme .Acme › Beta › Gamma."):
        move_account(acme, parent=gamma, by=rep)

    assert changes() == before
    assert fresh(acme).parent is None


def test_move_account_refuses_an_account_as_its_own_parent(rep):
    account = AccountFactory(owner=rep)

    with pytest.raises(WouldMakeCycle):
        move_account(account, parent=account, by=rep)


def test_move_account_allows_twenty_levels_and_refuses_one_more(rep, chain):
    single = AccountFactory(owner=rep)
    pair = AccountFactory(owner=rep)
    AccountFactory(parent=pair, owner=rep)

    with pytest.raises(TooDeep, match="Level 19"):
        move_account(pair, parent=chain[-2], by=rep)
    with pytest.raises(TooDeep):
        move_account(single, parent=chain[-1], by=rep)

    assert move_account(single, parent=chain[-2], by=rep).depth == 19


def test_move_account_refuses_a_private_person_on_either_end(rep):
    person = AccountFactory(kind=Account.Kind.INDIVIDUAL, owner=rep)
    account = AccountFactory(owner=rep)

    with pytest.raises(IndividualInHierarchy):
        move_account(person, parent=account, by=rep)
    with pytest.raises(IndividualInHierarchy):
        move_account(account, parent=person, by=rep)


def test_move_account_refuses_the_place_that_it_has(rep):
    parent = AccountFactory(owner=rep)
    account = AccountFactory(parent=parent, owner=rep)

    with pytest.raises(Conflict, match="already"):
        move_account(account, parent=parent, by=rep)


def test_move_account_needs_edit_rights_on_both_parents(rep, stranger):
    foreign = AccountFactory(owner=stranger)
    below_foreign = AccountFactory(parent=foreign, owner=rep)
    own = AccountFactory(owner=rep)

    with pytest.raises(NoRightOnParent):
        move_account(own, parent=foreign, by=rep)
    with pytest.raises(NoRightOnParent):
        move_account(below_foreign, parent=own, by=rep)
    with pytest.raises(NotAllowed):
        move_account(foreign, parent=own, by=rep)

    assert fresh(own).parent is None


def test_move_account_does_not_find_an_archived_parent(rep):
    parent = archive(AccountFactory(owner=rep), by=rep)

    with pytest.raises(Account.DoesNotExist):
        move_account(AccountFactory(owner=rep), parent=parent, by=rep)


def test_chain_of_names_the_accounts_from_the_top(rep):
    top = AccountFactory(name="Acme")
    account = AccountFactory(name="Beta", parent=top)

    assert chain_of(account, by=rep) == "Acme › Beta"


class Meeting:
    """Holds a move before its commit until somebody else is as far, if the locks allow it."""

    def __init__(self):
        self.barrier = threading.Barrier(2)
        self.begun = threading.Event()

    def wait(self, **kwargs):
        self.begun.set()
        with suppress(threading.BrokenBarrierError):
            self.barrier.wait(timeout=1)


@pytest.fixture
def meeting():
    meeting = Meeting()
    account_moved.connect(meeting.wait)
    yield meeting
    account_moved.disconnect(meeting.wait)


@pytest.mark.django_db(transaction=True)
def test_of_two_opposite_moves_at_once_exactly_one_succeeds(admin, meeting):
    acme, beta = AccountFactory(), AccountFactory()
    below_acme, below_beta = AccountFactory(parent=acme), AccountFactory(parent=beta)

    results = at_once(
        lambda: move_account(acme, parent=below_beta, by=admin),
        lambda: move_account(beta, parent=below_acme, by=admin),
    )

    assert sorted(type(result) is WouldMakeCycle for result in results) == [False, True]
    assert Account.objects.filter(parent=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_account_made_below_a_branch_that_moves_gets_its_new_place(admin, meeting):
    old, new = AccountFactory(), AccountFactory()
    branch = AccountFactory(parent=old)

    def add_child():
        meeting.begun.wait(timeout=5)
        with operation(Kind.CREATE, by=admin, label=Label("Added")):
            child = AccountFactory(parent=branch)
            meeting.wait()
        return child

    _moved, child = at_once(lambda: move_account(branch, parent=new, by=admin), add_child)

    assert fresh(child).path == f"/{new.pk}/{branch.pk}/"


# -- archiving --------------------------------------------------------------------------------


def test_archive_account_without_dependants_needs_no_choice(rep):
    account = archive_account(AccountFactory(owner=rep), by=rep)

    assert account.archived_at is not None
    assert dependants_of(account) == []


def test_archive_account_asks_what_becomes_of_its_dependants(rep):
    account = AccountFactory(owner=rep)
    child = AccountFactory(parent=account, owner=rep)
    ContactFactory(account=account, owner=rep)
    OpportunityFactory(account=child, owner=rep)

    with pytest.raises(HasDependants) as refusal:
        archive_account(account, by=rep)

    counts = [(d.own, d.branch) for d in refusal.value.dependants]
    assert counts == [(1, 1), (1, 1), (0, 1)]
    assert fresh(account).archived_at is None


def test_archive_account_moves_its_dependants_to_another_one(rep):
    account, target = AccountFactory(owner=rep), AccountFactory(owner=rep)
    child = AccountFactory(parent=account, owner=rep)
    person = ContactFactory(account=account, owner=rep)
    deal = OpportunityFactory(account=account, owner=rep)

    archive_account(account, by=rep, dependants=DependantsChoice(target=target))

    assert fresh(child).parent == target
    assert fresh(person).account == target
    assert fresh(person).direct_relation().account == target
    assert fresh(deal).account == target


def test_archive_account_archives_the_branch_with_everything_and_undo_restores_it(rep):
    account = AccountFactory(owner=rep)
    child = AccountFactory(parent=account, owner=rep)
    person = ContactFactory(account=child, owner=rep)
    deal = OpportunityFactory(account=account, owner=rep)

    archive_account(account, by=rep, dependants=DependantsChoice())
    archived = [fresh(r).archived_at for r in (account, child, person, deal)]
    undo(Operation.objects.order_by("-pk").first(), by=rep)

    assert None not in archived
    assert Account.objects.live().count() == 2
    assert Contact.objects.live().count() == Opportunity.objects.live().count() == 1


def test_archive_account_refuses_when_a_dependant_is_out_of_reach(rep, stranger):
    account = AccountFactory(owner=rep)
    OpportunityFactory(account=account, owner=stranger)
    before = changes()

    with pytest.raises(NotAllowed):
        archive_account(account, by=rep, dependants=DependantsChoice())

    assert changes() == before


def test_archive_account_refuses_a_target_below_it(rep):
    account = AccountFactory(owner=rep)
    child = AccountFactory(parent=account, owner=rep)

    with pytest.raises(WouldMakeCycle):
        archive_account(account, by=rep, dependants=DependantsChoice(target=child))


# -- owners -----------------------------------------------------------------------------------


def test_assign_gives_an_account_to_a_colleague(rep):
    colleague = UserFactory(team=rep.team)

    assert assign(AccountFactory(owner=rep), owner=colleague, by=rep).owner == colleague


def test_assign_refuses_an_inactive_owner_and_one_of_another_team(rep, stranger):
    account = AccountFactory(owner=rep)

    with pytest.raises(OwnerInactive):
        assign(account, owner=UserFactory(team=rep.team, is_active=False), by=rep)
    with pytest.raises(NotAllowed):
        assign(account, owner=stranger, by=rep)

    assert fresh(account).owner == rep
