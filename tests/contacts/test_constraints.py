import datetime

import pytest
from django.db import IntegrityError, models
from django.db.transaction import atomic

from contacts.models import AccountContactRelation, Contact
from core.errors import Conflict, Invalid, from_integrity
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, PlannedJobChangeFactory, RelationFactory

pytestmark = pytest.mark.django_db

DAY = datetime.date(2026, 1, 1)
EARLIER = datetime.date(2025, 1, 1)

BROKEN_CONTACTS = {
    "contact_last_name_not_blank": ({"last_name": ""}, "last_name"),
    "contact_birthdate_range": ({"birthdate": datetime.date(1899, 12, 31)}, "birthdate"),
    "contact_consent_note_length": ({"consent_note": "x" * 1001}, "consent_note"),
}
BROKEN_RELATIONS = {
    "acr_dates_ordered": ({"start_date": DAY, "end_date": EARLIER, "is_direct": False}, "end_date"),
    "acr_direct_is_active": ({"end_date": DAY}, "end_date"),
    "acr_inactive_not_primary": (
        {"is_direct": False, "is_active": False, "is_primary_for_account": True},
        "contact",
    ),
}


def refusal_of(record, values):
    with pytest.raises(IntegrityError) as refusal, atomic():
        models.QuerySet(type(record)).filter(pk=record.pk).update(**values)
    return refusal.value


@pytest.mark.parametrize("name", BROKEN_CONTACTS)
def test_database_refuses_what_no_contact_can_be(name):
    values, field = BROKEN_CONTACTS[name]
    error = refusal_of(ContactFactory(), values)

    assert name in str(error)
    assert from_integrity(error).field == field


def test_nobody_reports_to_himself():
    contact = ContactFactory()

    error = refusal_of(contact, {"reports_to_id": contact.pk})

    assert "contact_not_own_manager" in str(error)


@pytest.mark.parametrize("name", BROKEN_RELATIONS)
def test_database_refuses_what_no_relation_can_be(name):
    values, field = BROKEN_RELATIONS[name]
    error = refusal_of(RelationFactory(), values)

    assert name in str(error)
    assert from_integrity(error).field == field
    assert isinstance(from_integrity(error), Invalid)


def refused_creation(**values):
    with pytest.raises(IntegrityError) as refusal, atomic():
        AccountContactRelation.objects.create(**values)
    return from_integrity(refusal.value)


def test_a_person_has_one_direct_account():
    relation = RelationFactory()

    conflict = refused_creation(contact=relation.contact, account=AccountFactory(), is_direct=True)

    assert isinstance(conflict, Conflict)


def test_an_account_has_one_primary_contact():
    account = AccountFactory()
    RelationFactory(account=account, contact=ContactFactory())
    AccountContactRelation.objects.update(is_primary_for_account=True)

    conflict = refused_creation(
        contact=ContactFactory(), account=account, is_primary_for_account=True
    )

    assert isinstance(conflict, Conflict)


def test_a_pair_has_one_active_relation_and_any_number_of_ended_ones():
    relation = RelationFactory()
    pair = {"contact": relation.contact, "account": relation.account}

    conflict = refused_creation(**pair)
    AccountContactRelation.objects.create(**pair, is_active=False)
    AccountContactRelation.objects.create(**pair, is_active=False)

    assert isinstance(conflict, Conflict)
    assert relation.contact.relations.count() == 3


def test_external_id_is_unique_among_contacts():
    ContactFactory(external_source="sf", external_id="003")

    with pytest.raises(IntegrityError):
        ContactFactory(external_source="sf", external_id="003")

    assert Contact._meta.get_field("external_id").max_length == 100


# planned changes of job


BROKEN_PLANS = {
    "plannedjobchange_status_known": {"status": "LOST"},
    "plannedjobchange_done_says_when": {"status": "DONE"},
}


@pytest.mark.parametrize("name", BROKEN_PLANS)
def test_database_refuses_what_no_planned_change_of_job_can_be(name):
    error = refusal_of(PlannedJobChangeFactory(), BROKEN_PLANS[name])

    assert name in str(error)
    assert from_integrity(error)


def test_a_planned_change_of_job_leads_elsewhere():
    plan = PlannedJobChangeFactory(contact__account=AccountFactory())

    error = refusal_of(plan, {"new_account_id": plan.old_account_id})

    assert "plannedjobchange_accounts_differ" in str(error)


def test_a_person_has_one_open_planned_change_of_job():
    plan = PlannedJobChangeFactory()
    other = PlannedJobChangeFactory(contact=plan.contact, status="CANCELLED")

    error = refusal_of(other, {"status": "PLANNED"})

    refusal = from_integrity(error)
    assert isinstance(refusal, Conflict)
    assert "planned for this person already" in str(refusal.message)
