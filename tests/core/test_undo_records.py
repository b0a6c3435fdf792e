"""Undo of whole records: what stands in its way, what goes along, what every rule still holds."""

import datetime

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from accounts.services import DependantsChoice, archive_account, move_account
from contacts.models import AccountContactRelation, Contact
from contacts.services import add_relation
from core.checks import all_checks
from core.errors import DomainError
from core.journal import Kind, Label, Operation, operation, start_run
from core.recycle_bin import restore
from core.undo import CannotUndo, preview_undo, undo
from leads.models import LeadStatus
from opportunities.models import Opportunity, Stage
from opportunities.services import change_stage, save_opportunity
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory

pytestmark = pytest.mark.django_db


def latest():
    return Operation.objects.order_by("-pk").first()


def assert_all_rules_hold():
    connection.check_constraints()
    assert [str(o) for check in all_checks() for o in check.offences(full=True)] == []


def texts(findings):
    return [str(finding.text) for finding in findings]


# -- the recycle bin and the hierarchy ---------------------------------------------------------


def test_a_record_does_not_come_back_without_what_it_hangs_on(admin):
    parent = AccountFactory(owner=admin)
    child = AccountFactory(owner=admin, parent=parent)
    archive_account(child, by=admin)
    archiving = latest()
    archive_account(parent, by=admin)

    with pytest.raises(CannotUndo) as caught:
        undo(archiving, by=admin)

    assert [finding.field for finding in caught.value.plan.in_the_way] == ["parent"]
    assert_all_rules_hold()


@pytest.mark.parametrize("moving", [True, False], ids=["moved", "archived along"])
def test_archiving_with_dependants_is_undone_and_redone_exactly(admin, moving):
    top = AccountFactory(owner=admin)
    child = AccountFactory(owner=admin, parent=top)
    AccountFactory(owner=admin, parent=child)
    people = [ContactFactory(owner=admin, account=account) for account in (top, child)]
    deal = OpportunityFactory(owner=admin, account=top)
    RoleFactory(opportunity=deal, contact=people[0])
    target = AccountFactory(owner=admin) if moving else None
    before = digest()
    archive_account(top, by=admin, dependants=DependantsChoice(target=target))
    archiving, after = latest(), digest()

    taken_back = undo(archiving, by=admin)
    assert differences(before, digest()) == {}
    assert_all_rules_hold()

    undo(taken_back, by=admin)
    assert differences(after, digest()) == {}
    assert_all_rules_hold()


def test_what_came_in_archived_is_restored_alone(admin):
    run = start_run(Kind.IMPORT, by=admin, label=Label("Import"))
    with operation(Kind.IMPORT, by=admin, label=Label("Rows"), run=run):
        old = AccountFactory(owner=admin, archived_at=timezone.now())
        other = AccountFactory(owner=admin)

    restore(old, by=admin)

    assert not Account.objects.get(pk=old.pk).is_archived
    assert Account.objects.filter(pk=other.pk).exists()


def test_undo_of_a_move_makes_no_circle_and_the_preview_says_so(admin):
    one, other = AccountFactory(owner=admin), AccountFactory(owner=admin)
    move_account(other, parent=one, by=admin)
    move_account(other, parent=None, by=admin)
    moving = latest()
    move_account(one, parent=other, by=admin)

    (plan,) = preview_undo(moving, by=admin)

    assert texts(plan.in_the_way) == ["It would be below itself."]
    with pytest.raises(CannotUndo):
        undo(moving, by=admin)


def test_undo_of_a_move_puts_nothing_below_a_private_person(admin):
    parent = AccountFactory(owner=admin)
    child = AccountFactory(owner=admin, parent=parent)
    move_account(child, parent=None, by=admin)
    moving = latest()
    parent = Account.objects.get(pk=parent.pk)
    parent.kind = Account.Kind.INDIVIDUAL
    parent.save()

    with pytest.raises(CannotUndo):
        undo(moving, by=admin)

    assert Account.objects.get(pk=child.pk).parent is None


def test_undo_makes_no_private_person_of_an_account_with_others_below(admin):
    account = AccountFactory(owner=admin, kind=Account.Kind.INDIVIDUAL)
    with operation(Kind.EDIT, by=admin, label=Label("Edit")) as op:
        account.kind = Account.Kind.BUSINESS
        account.save()
    AccountFactory(owner=admin, parent=account)

    with pytest.raises(CannotUndo):
        undo(op.row, by=admin)


# -- people ------------------------------------------------------------------------------------


def test_undo_of_the_first_relation_is_refused_while_another_would_have_no_main_one(admin):
    contact = ContactFactory(owner=admin)
    add_relation(contact, AccountFactory(owner=admin), by=admin)
    relating = latest()
    add_relation(contact, AccountFactory(owner=admin), by=admin)

    with pytest.raises(CannotUndo):
        undo(relating, by=admin)

    assert_all_rules_hold()


# -- deals -------------------------------------------------------------------------------------


def push(deal, day):
    deal = Opportunity.objects.get(pk=deal.pk)
    deal.close_date = datetime.date(2031, 1, day)
    save_opportunity(deal, by=deal.owner)


def test_undo_of_a_stage_leaves_no_gap_in_the_history(admin):
    deal = OpportunityFactory(owner=admin)
    first, second = Stage.objects.open().order_by("position")[:2]
    change_stage(deal, stage=second, by=admin)
    changing = latest()
    push(deal, 1)

    taken_back = undo(changing, by=admin)

    assert Opportunity.objects.get(pk=deal.pk).stage == first
    assert_all_rules_hold()
    push(deal, 2)
    undo(taken_back, by=admin)
    assert Opportunity.objects.get(pk=deal.pk).stage == second
    assert_all_rules_hold()
    push(deal, 3)
    undo(changing, by=admin)
    assert Opportunity.objects.get(pk=deal.pk).stage == first
    assert_all_rules_hold()


def test_fields_that_mean_something_together_only_are_kept_together(admin):
    run = start_run(Kind.IMPORT, by=admin, label=Label("Import"))
    deal = OpportunityFactory(owner=admin, amount=1, currency="USD")
    rows = Opportunity.objects.filter(pk=deal.pk)
    with operation(Kind.IMPORT, by=admin, label=Label("Rows"), run=run):
        rows.update(amount=2, currency="EUR", next_step="Call")
    rows.update(amount=3)

    undo(run, by=admin)

    deal = rows.get()
    assert (deal.amount, deal.currency, deal.next_step) == (3, "EUR", "")


# -- runs --------------------------------------------------------------------------------------


@pytest.fixture
def run(admin):
    return start_run(Kind.IMPORT, by=admin, label=Label("Import"))


def rows_of(run):
    return operation(run.kind, by=run.actor, label=Label("Rows"), run=run)


@pytest.mark.parametrize("edited", ["next_step", "amount", "stage"])
def test_undo_of_an_import_leaves_an_edited_deal_whole(admin, run, edited):
    account = AccountFactory(owner=admin)
    with rows_of(run):
        kept, gone = OpportunityFactory.create_batch(2, owner=admin, account=account)
    values = {
        "next_step": "Call",
        "amount": 5,
        "stage": Stage.objects.open().order_by("position")[1],
    }
    deal = Opportunity.objects.get(pk=kept.pk)
    setattr(deal, edited, values[edited])
    save_opportunity(deal, by=admin)

    taken_back = undo(run, by=admin)

    assert list(account.opportunities.all()) == [kept]
    assert_all_rules_hold()
    undo(taken_back, by=admin)
    assert set(account.opportunities.all()) == {kept, gone}
    assert_all_rules_hold()


def test_undo_of_an_import_leaves_an_edited_person_with_the_account(admin, run):
    with rows_of(run):
        account = AccountFactory(owner=admin)
        kept, gone = ContactFactory.create_batch(2, owner=admin, account=account)
    person = Contact.objects.get(pk=kept.pk)
    person.nickname = "Annie"
    person.save()

    undo(run, by=admin)

    assert list(Contact.objects.all()) == [kept]
    assert AccountContactRelation.objects.get().account == account
    assert_all_rules_hold()


def test_undo_of_an_import_leaves_everything_above_an_account_that_is_in_use(admin, run):
    with rows_of(run):
        top = AccountFactory(owner=admin)
        middle = AccountFactory(owner=admin, parent=top)
        used = AccountFactory(owner=admin, parent=middle)
        AccountFactory(owner=admin)
    OpportunityFactory(account=used, owner=admin)

    undo(run, by=admin)

    assert set(Account.objects.all()) == {top, middle, used}
    assert_all_rules_hold()


def test_what_the_preview_of_a_run_says_across_its_parts_is_what_happens(admin, run):
    with rows_of(run):
        parent = AccountFactory(owner=admin)
    with rows_of(run):
        AccountFactory(owner=admin, parent=parent)
    with rows_of(run):
        top = AccountFactory(owner=admin)
        Account.objects.filter(pk=parent.pk).update(parent=top)
    before = digest()

    assert [plan.kept for plan in preview_undo(run, by=admin)] == [[], [], []]
    taken_back = undo(run, by=admin)
    assert not Account.objects.exists()

    assert [plan.kept for plan in preview_undo(taken_back, by=admin)] == [[], [], []]
    undo(taken_back, by=admin)
    assert differences(before, digest()) == {}
    assert_all_rules_hold()


def test_undo_of_a_run_leaves_what_is_out_of_reach_by_now(rep, stranger):
    run = start_run(Kind.BULK_EDIT, by=rep, label=Label("Edit many"))
    accounts = AccountFactory.create_batch(2, owner=rep)
    for account in accounts:
        with rows_of(run):
            Account.objects.filter(pk=account.pk).update(site="New")
    Account.objects.filter(pk=accounts[0].pk).update(owner=stranger)

    plans = list(preview_undo(run, by=rep))
    undo(run, by=rep)

    assert [f.object_id for plan in plans for f in plan.kept] == [accounts[0].pk]
    assert [Account.objects.get(pk=account.pk).site for account in accounts] == ["New", ""]


def test_a_refusal_does_not_name_what_the_user_may_not_see(rep, stranger):
    deal = OpportunityFactory(owner=rep, name="Secret")
    with operation(Kind.EDIT, by=rep, label=Label("Edit")) as op:
        Opportunity.objects.filter(pk=deal.pk).update(next_step="Call")
    Opportunity.objects.filter(pk=deal.pk).update(owner=stranger)

    with pytest.raises(DomainError) as caught:
        undo(op.row, by=rep)

    assert "Secret" not in str(caught.value.message)


# -- unique values -----------------------------------------------------------------------------


def test_values_of_a_unique_field_that_were_passed_on_are_passed_back(admin):
    one, two, three = LeadStatus.objects.order_by("pk")[:3]
    names = [one.name, two.name, three.name]
    with operation(Kind.EDIT, by=admin, label=Label("Rename")) as op:
        for status, name in ((three, "New name"), (two, names[2]), (one, names[1])):
            status.name = name
            status.save()
    after = list(LeadStatus.objects.order_by("pk").values_list("name", flat=True)[:3])

    taken_back = undo(op.row, by=admin)
    assert list(LeadStatus.objects.order_by("pk").values_list("name", flat=True)[:3]) == names
    undo(taken_back, by=admin)
    assert list(LeadStatus.objects.order_by("pk").values_list("name", flat=True)[:3]) == after
