import datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.db.transaction import atomic

from core.errors import Conflict, from_integrity
from leads.models import Conversion, Lead, LeadStatus
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.users import UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime.datetime(2026, 5, 12, tzinfo=datetime.UTC)

BROKEN = {
    "lead_has_identity": ({"last_name": "", "company": "", "email": ""}, "last_name"),
    "lead_converted_consistent": ({"converted_at": NOW}, "status"),
    "lead_dead_has_reason": ({"disqualify_reason": "Timing"}, "disqualify_reason"),
    "lead_nurture_date": ({"phase": "NURTURING"}, "nurture_until"),
    "lead_amounts_gte_0": ({"budget": -1}, "budget"),
    "lead_employees_range": ({"employees": 100_000_000}, "employees"),
    "lead_scores_range": ({"engagement_score": 101}, None),
    "lead_need_length": ({"need": "x" * 2001}, "need"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_database_refuses_what_no_lead_can_be(name):
    values, field = BROKEN[name]
    lead = LeadFactory()

    with pytest.raises(IntegrityError) as refusal, atomic():
        models.QuerySet(Lead).filter(pk=lead.pk).update(**values)

    assert name in str(refusal.value)
    assert from_integrity(refusal.value).field == field


@pytest.mark.parametrize("name", BROKEN)
def test_validation_says_it_beforehand(name):
    values, field = BROKEN[name]
    lead = LeadFactory()
    for attname, value in values.items():
        setattr(lead, attname, value)

    with pytest.raises(ValidationError) as refusal:
        lead.validate_constraints()

    assert (field or "__all__") in refusal.value.message_dict


def test_dead_lead_has_a_reason():
    lead = LeadFactory(dead=True)

    with pytest.raises(IntegrityError) as refusal, atomic():
        models.QuerySet(Lead).filter(pk=lead.pk).update(disqualify_reason="")

    assert "lead_dead_has_reason" in str(refusal.value)


def test_external_id_is_unique_among_leads():
    LeadFactory(external_source="sf", external_id="00Q")

    with pytest.raises(IntegrityError):
        LeadFactory(external_source="sf", external_id="00Q")


def test_one_status_is_the_preset():
    with pytest.raises(IntegrityError) as refusal:
        LeadStatus.objects.create(name="Another", phase="OPEN", is_default=True)

    assert isinstance(from_integrity(refusal.value), Conflict)


def conversion(**values):
    return Conversion(lead=LeadFactory(), converted_at=NOW, **values)


def test_conversion_has_account_contact_and_converter_unless_it_was_imported():
    conversion(origin=Conversion.Origin.IMPORTED).save()
    whole = {"account": AccountFactory(), "contact": ContactFactory()}

    for values in (whole, {"converted_by": UserFactory()}):
        with pytest.raises(IntegrityError), atomic():
            conversion(**values).save()
    conversion(**whole, converted_by=UserFactory()).save()

    assert Conversion.objects.count() == 2


def test_lead_is_converted_once():
    first = conversion(origin=Conversion.Origin.IMPORTED)
    first.save()

    with pytest.raises(IntegrityError):
        Conversion(lead=first.lead, converted_at=NOW, origin=Conversion.Origin.IMPORTED).save()
