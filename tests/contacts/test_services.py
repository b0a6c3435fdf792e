import datetime

import pytest

from contacts.models import AccountContactRelation, Contact
from contacts.services import (
    AlreadyDirect,
    AlreadyRelated,
    BadDate,
    JobChange,
    NeedsNextDirect,
    NotRelated,
    RelationEnded,
    add_relation,
    change_job,
    create_contact,
    end_relation,
    make_direct,
    remove_relation,
    save_relation,
    set_direct_account,
    set_direct_accounts,
    set_primary_contact,
)
from core.errors import NotAllowed, Stale
from core.journal import Change, Kind, Label, Operation, operation
from core.models import Organisation
from core.undo import undo
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, RelationFactory
from tests.factories.opportunities import RoleFactory


def fresh(record):
    return type(record).objects.get(pk=record.pk)


def last_operation():
    return Operation.objects.order_by("-pk").first()


def tables():
    """Everything that relations are made of, for comparing before and after."""
    return (
        sorted(Contact.objects.values_list("pk", "account_id", "title", "status", "email")),
        sorted(
            AccountContactRelation.objects.values_list(
                "pk", "account_id", "contact_id", "is_direct", "is_active", "is_primary_for_account"
            )
        ),
    )


def today():
    return Organisation.current().today()


@pytest.fixture
def acme(rep):
    return AccountFactory(name="Acme", owner=rep)


@pytest.fixture
def beta(rep):
    return AccountFactory(name="Beta", owner=rep)


@pytest.fixture
def ana(rep, acme):
    return ContactFactory(account=acme, owner=rep)


# -- beginning --------------------------------------------------------------------------------


def test_create_contact_makes_the_direct_relation(rep, acme):
    with operation(Kind.CREATE, by=rep, label=Label("Added")):
        ana = create_contact(Contact(last_name="Ruiz", owner=rep), acme)
        bob = create_contact(Contact(last_name="Bell", owner=rep), None)

    assert (ana.account, ana.version) == (acme, 1)
    assert ana.direct_relation().account == acme
    assert bob.relations.count() == 0


# -- adding -----------------------------------------------------------------------------------


def test_first_relation_of_a_person_is_the_direct_one(rep, acme):
    ana = ContactFactory(owner=rep)

    relation = add_relation(ana, acme, by=rep, roles=["Influencer"])

    assert relation.is_direct
    assert fresh(ana).account == acme


def test_further_relations_leave_the_direct_account_alone(rep, ana, acme, beta):
    relation = add_relation(ana, beta, by=rep, title_there="Board member")

    assert not relation.is_direct
    assert fresh(ana).account == acme
    assert last_operation().kind == Kind.RELATE


def test_add_relation_refuses_an_active_pair_and_links_to_the_person(rep, ana, acme):
    before = Change.objects.count()

    with pytest.raises(AlreadyRelated) as refusal:
        add_relation(ana, acme, by=rep)

    assert refusal.value.location == ana.get_absolute_url()
    assert Change.objects.count() == before


def test_returning_employee_gets_a_second_row(rep, ana, acme, beta):
    change_job(ana, account=beta, by=rep)

    relation = add_relation(ana, acme, by=rep)

    assert acme.relations.filter(contact=ana).count() == 2
    assert relation.is_active


def test_add_relation_needs_edit_rights_on_one_end(rep, stranger, ana):
    foreign = AccountFactory(owner=stranger)

    add_relation(ana, foreign, by=rep)
    with pytest.raises(NotAllowed):
        add_relation(ContactFactory(owner=stranger), AccountFactory(owner=stranger), by=rep)


# -- correcting -------------------------------------------------------------------------------


def test_set_direct_account_replaces_the_relation_without_history(rep, ana, beta):
    set_direct_account(ana, beta, by=rep)

    assert fresh(ana).account == beta
    assert [r.account for r in ana.relations.all()] == [beta]


def test_set_direct_account_promotes_an_active_relation(rep, ana, beta):
    relation = add_relation(ana, beta, by=rep)

    set_direct_account(ana, beta, by=rep)

    assert ana.direct_relation() == relation
    assert ana.relations.count() == 1


def test_set_direct_account_to_none_asks_which_other_one_takes_the_place(rep, ana, beta):
    other = add_relation(ana, beta, by=rep)

    with pytest.raises(NeedsNextDirect):
        set_direct_account(ana, None, by=rep)
    set_direct_account(ana, None, by=rep, next_direct=other)

    assert fresh(ana).account == beta


def test_set_direct_account_refuses_the_present_one(rep, ana, acme):
    with pytest.raises(AlreadyRelated):
        set_direct_account(ana, acme, by=rep)


def test_moving_a_person_needs_edit_rights_on_both_accounts(rep, stranger, ana):
    foreign = AccountFactory(owner=stranger)
    employed = ContactFactory(owner=rep, account=foreign)

    with pytest.raises(NotAllowed):
        set_direct_account(ana, foreign, by=rep)
    with pytest.raises(NotAllowed):
        change_job(employed, account=ana.account, by=rep)

    assert fresh(employed).account == foreign


def test_first_account_of_a_person_need_only_be_seen(rep, stranger):
    foreign = AccountFactory(owner=stranger)

    contact = set_direct_account(ContactFactory(owner=rep), foreign, by=rep)

    assert contact.account == foreign


@pytest.mark.parametrize("number", [1, 3])
def test_set_direct_accounts_costs_the_same_for_any_number(
    number, acme, beta, django_assert_num_queries
):
    people = ContactFactory.create_batch(number, account=acme)
    people += ContactFactory.create_batch(number)

    with operation(Kind.IMPORT, by=None, label=Label("")):
        with django_assert_num_queries(8):
            set_direct_accounts(dict.fromkeys(people, beta))

    assert {r.account for r in AccountContactRelation.objects.all()} == {beta}
    assert {fresh(person).account for person in people} == {beta}


# -- change of job ----------------------------------------------------------------------------


def test_change_job_ends_the_old_relation_and_begins_a_new_one(rep, ana, acme, beta):
    acme.relations.update(roles=["Decision Maker"], start_date=datetime.date(2020, 1, 1))
    day = datetime.date(2026, 3, 1)

    change_job(ana, account=beta, by=rep, change=JobChange(date=day, title="CTO"))
    old, new = acme.relations.get(), beta.relations.get()

    assert (old.is_direct, old.is_active, old.end_date) == (False, False, day)
    assert old.roles == ["Decision Maker", "Former Employee"]
    assert (new.is_direct, new.start_date) == (True, day)
    assert (fresh(ana).account, fresh(ana).title) == (beta, "CTO")


def test_change_job_keeps_the_old_address_and_forgets_the_bounce(rep, acme, beta):
    ana = ContactFactory(
        account=acme,
        owner=rep,
        email="ana@acme.example",
        email_bounced_at=datetime.datetime.now(datetime.UTC),
        status=Contact.Status.LEFT_COMPANY,
    )

    change = JobChange(email="ana@beta.example", keeps_old_email=True)
    ana = change_job(ana, account=beta, by=rep, change=change)

    assert (ana.email, ana.secondary_email) == ("ana@beta.example", "ana@acme.example")
    assert ana.email_bounced_at is None
    assert ana.status == Contact.Status.ACTIVE


def test_change_job_to_none_asks_which_active_relation_becomes_direct(rep, ana, beta):
    other = add_relation(ana, beta, by=rep)

    with pytest.raises(NeedsNextDirect):
        change_job(ana, account=None, by=rep)
    change_job(ana, account=None, by=rep, change=JobChange(next_direct=other))

    assert fresh(ana).account == beta


def test_change_job_to_none_without_others_leaves_no_account(rep, ana):
    assert change_job(ana, account=None, by=rep).account is None


def test_change_job_refuses_a_day_in_the_future_or_before_the_present_job(rep, ana, acme, beta):
    acme.relations.update(start_date=datetime.date(2026, 1, 1))

    for date in (today() + datetime.timedelta(days=1), datetime.date(2025, 12, 31)):
        with pytest.raises(BadDate):
            change_job(ana, account=beta, by=rep, change=JobChange(date=date))

    assert fresh(ana).account == acme


def test_change_job_marks_the_person_as_external_in_open_deals_of_the_old_account(rep, ana, beta):
    role = RoleFactory(contact=ana, opportunity__account=ana.account)

    change_job(ana, account=beta, by=rep)

    assert fresh(role).is_external


def test_change_job_hands_roles_over_as_decided(rep, ana, acme, beta):
    successor = ContactFactory(account=acme, owner=rep)
    deal = {"opportunity__account": acme, "opportunity__owner": rep}
    handed = RoleFactory(contact=ana, is_primary=True, **deal)
    left = RoleFactory(contact=ana, **deal)

    decisions = {handed.pk: successor, left.pk: None}
    change_job(ana, account=beta, by=rep, change=JobChange(extras={"opportunities": decisions}))

    role = handed.opportunity.roles.get()
    assert (role.contact, role.is_primary) == (successor, True)
    assert fresh(left).notes.startswith("Left on")


def test_change_job_hands_no_roles_over_in_deals_of_others(rep, ana, acme, beta):
    role = RoleFactory(contact=ana, opportunity__account=acme)
    change = JobChange(extras={"opportunities": {role.pk: None}})

    with pytest.raises(NotAllowed):
        change_job(ana, account=beta, by=rep, change=change)

    assert fresh(ana).account == acme


def test_make_direct_swaps_the_main_account_and_keeps_both_active(rep, ana, acme, beta):
    first, other = ana.direct_relation(), RelationFactory(contact=ana, account=beta)

    make_direct(other, by=rep)

    assert fresh(ana).account == beta
    assert (fresh(first).is_active, fresh(first).is_direct) == (True, False)
    with pytest.raises(AlreadyDirect):
        make_direct(other, by=rep)


def test_make_direct_needs_edit_rights_on_both_accounts(rep, ana, acme):
    foreign = RelationFactory(contact=ana)

    with pytest.raises(NotAllowed):
        make_direct(foreign, by=rep)

    assert fresh(ana).account == acme


def test_save_relation_keeps_its_ends_and_refuses_a_stale_one(rep, ana, beta):
    relation = RelationFactory(contact=ana, account=beta)
    stale = fresh(relation)
    relation.notes = "On Mondays"

    save_relation(relation, by=rep)

    assert fresh(relation).notes == "On Mondays"
    stale.notes = "On Fridays"
    with pytest.raises(Stale):
        save_relation(stale, by=rep)


def test_undone_change_of_job_restores_everything(rep, ana, beta):
    RoleFactory(contact=ana, opportunity__account=ana.account)
    before = tables()

    change_job(ana, account=beta, by=rep, change=JobChange(title="CTO"))
    undo(last_operation(), by=rep)

    assert tables() == before


# -- ending and removing ----------------------------------------------------------------------


def test_end_relation_keeps_it_as_history(rep, ana, acme, beta):
    relation = add_relation(ana, beta, by=rep)

    ended = end_relation(relation, by=rep, end_date=datetime.date(2026, 4, 1))

    assert (ended.is_active, ended.end_date) == (False, datetime.date(2026, 4, 1))
    assert fresh(ana).account == acme


def test_end_relation_of_the_direct_account_asks_for_the_next(rep, ana, beta):
    other = add_relation(ana, beta, by=rep)
    direct = ana.direct_relation()

    with pytest.raises(NeedsNextDirect):
        end_relation(direct, by=rep, end_date=today())
    end_relation(direct, by=rep, end_date=today(), next_direct=other)

    assert fresh(ana).account == beta
    assert ana.direct_relation() == other


def test_end_relation_refuses_an_ended_one(rep, ana, beta):
    relation = add_relation(ana, beta, by=rep)
    end_relation(relation, by=rep, end_date=today())

    with pytest.raises(RelationEnded):
        end_relation(relation, by=rep, end_date=today())


def test_remove_relation_leaves_nothing_and_undo_brings_it_back(rep, ana):
    before = tables()

    remove_relation(ana.direct_relation(), by=rep)
    removed = ana.relations.count(), fresh(ana).account
    undo(last_operation(), by=rep)

    assert removed == (0, None)
    assert tables() == before


# -- primary contact --------------------------------------------------------------------------


def test_set_primary_contact_takes_the_place_of_the_present_one(rep, ana, acme):
    bob = ContactFactory(account=acme, owner=rep)
    set_primary_contact(acme, contact=ana, by=rep)

    set_primary_contact(acme, contact=bob, by=rep)

    assert [r.contact for r in acme.relations.primary()] == [bob]


@pytest.mark.parametrize("new_first", [True, False])
def test_undone_primary_contact_moves_back_in_either_order_of_rows(rep, acme, new_first):
    people = [ContactFactory(account=acme, owner=rep) for _ in range(2)]
    old, new = reversed(people) if new_first else people
    set_primary_contact(acme, contact=old, by=rep)
    before = tables()

    set_primary_contact(acme, contact=new, by=rep)
    undo(last_operation(), by=rep)

    assert tables() == before


def test_set_primary_contact_refuses_somebody_unrelated(rep, acme):
    with pytest.raises(NotRelated):
        set_primary_contact(acme, contact=ContactFactory(), by=rep)


def test_set_primary_contact_to_none_clears_it(rep, ana, acme):
    set_primary_contact(acme, contact=ana, by=rep)

    set_primary_contact(acme, contact=None, by=rep)

    assert not acme.relations.primary().exists()


def test_relation_factory_keeps_the_mirror(acme):
    relation = RelationFactory(account=acme)

    assert relation.is_direct
    assert fresh(relation.contact).account == acme
