import datetime

import pytest
from django.db import IntegrityError, models
from django.db.transaction import atomic

from core.errors import Conflict, from_integrity
from opportunities.models import Opportunity, OpportunityContactRole, Stage
from tests.factories.opportunities import OpportunityFactory, RoleFactory

pytestmark = pytest.mark.django_db

NOW = datetime.datetime(2026, 5, 12, tzinfo=datetime.UTC)
LOST = {"is_closed": True, "probability": 0, "forecast_category": "OMITTED", "closed_at": NOW}

BROKEN_DEALS = {
    "opp_name_not_blank": {"name": ""},
    "opp_amount_gte_0": {"amount": -1},
    "opp_won_is_closed": {"is_won": True, "probability": 99, "forecast_category": "PIPELINE"},
    "opp_won_values": {"is_won": True, "is_closed": True, "closed_at": NOW},
    "opp_lost_values": LOST,
    "opp_open_values": {"probability": 100},
    "opp_closed_at_set": {**LOST, "loss_reason": "Price", "closed_at": None},
    "opp_contract_months_range": {"contract_months": 241},
    "opp_loss_note_length": {"loss_note": "x" * 2001},
}
BROKEN_STAGES = {
    "stage_won_is_closed": {
        "is_won": True,
        "is_closed": False,
        "forecast_category": "CLOSED",
        "probability": 100,
    },
    "stage_won_100_lost_0": {
        "is_won": True,
        "is_closed": True,
        "forecast_category": "CLOSED",
        "probability": 90,
    },
    "stage_category_fits": {"forecast_category": "CLOSED"},
    "stage_probability_range": {"probability": 101},
    "stage_stale_after_days_gte_1": {"stale_after_days": 0},
}


def refusal_of(model, pk, values):
    with pytest.raises(IntegrityError) as refusal, atomic():
        models.QuerySet(model).filter(pk=pk).update(**values)
    return refusal.value


@pytest.mark.parametrize("name", BROKEN_DEALS)
def test_database_refuses_what_no_deal_can_be(name):
    values = BROKEN_DEALS[name]
    error = refusal_of(Opportunity, OpportunityFactory().pk, values)

    broken = {"opp_won_is_closed": ("opp_won_is_closed", "opp_won_values")}.get(name, (name,))
    assert any(other in str(error) for other in broken)
    assert from_integrity(error).field


@pytest.mark.parametrize("name", BROKEN_STAGES)
def test_database_refuses_what_no_stage_can_be(name):
    error = refusal_of(Stage, Stage.first_open().pk, BROKEN_STAGES[name])

    assert "stage_" in str(error)
    assert from_integrity(error).field


def test_person_has_one_role_in_a_deal():
    role = RoleFactory()

    with pytest.raises(IntegrityError) as refusal:
        RoleFactory(opportunity=role.opportunity, contact=role.contact)

    assert isinstance(from_integrity(refusal.value), Conflict)


def test_deal_has_one_primary_contact():
    role = RoleFactory(is_primary=True)

    with pytest.raises(IntegrityError) as refusal:
        RoleFactory(opportunity=role.opportunity, is_primary=True)

    assert isinstance(from_integrity(refusal.value), Conflict)
    assert OpportunityContactRole._meta.get_field("contact").name == "contact"


def test_external_id_is_unique_among_deals():
    OpportunityFactory(external_source="sf", external_id="006")

    with pytest.raises(Conflict) as refusal:
        OpportunityFactory(external_source="sf", external_id="006")

    assert refusal.value.field == "external_id"
