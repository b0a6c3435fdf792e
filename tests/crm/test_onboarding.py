"""The first steps: by role, ticked from the data, hidden and shown again; the sample data."""

import pytest
from django.urls import reverse

from core.journal import Operation
from core.services import assign
from core.undo import undo
from crm.onboarding import STEPS, first_steps
from leads.conversion import ConversionChoices, convert_lead
from leads.models import Lead
from leads.services import qualify
from tests.factories.leads import LeadFactory
from tests.factories.users import UserFactory
from tests.pages import send
from users.models import Role, User

pytestmark = pytest.mark.django_db


def done(user):
    return [step.name for step, is_done in first_steps(user).steps if is_done]


def test_steps_of_a_representative_tick_themselves(rep):
    assert done(rep) == []

    leads = LeadFactory.create_batch(5, owner=rep)
    assert done(rep) == ["add"]
    qualify(leads[0], by=rep)
    assert done(rep) == ["add", "qualify"]
    leads[0].refresh_from_db()
    convert_lead(leads[0], by=rep, choices=ConversionChoices())
    assert done(rep) == ["add", "qualify", "convert"]
    undo(Operation.objects.order_by("pk").last(), by=rep)
    assert done(rep) == ["add", "qualify", "take_back"]


def test_what_others_did_ticks_nothing(rep, stranger):
    LeadFactory.create_batch(5, owner=stranger)
    lead = LeadFactory(owner=stranger)
    qualify(lead, by=stranger)

    assert done(rep) == []


def test_a_manager_gives_a_lead_away(manager, rep):
    lead = LeadFactory(owner=manager)

    assign(lead, owner=rep, by=manager)

    assert "assign" in done(manager)


def test_an_administrator_sets_up_the_organisation(client, admin):
    client.force_login(admin)
    assert done(admin) == []

    send(client, reverse("core:organisation_update"), name="Fjord AS")
    UserFactory()

    assert done(admin) == ["organisation", "people"]


@pytest.mark.parametrize("role", list(Role))
def test_the_start_page_shows_the_steps_of_the_role(client, role):
    client.force_login(UserFactory(role=role))

    page = client.get("/").content.decode()

    assert ("First steps" in page) is (role in STEPS)
    for step in STEPS.get(role, ()):
        assert f'href="{step.url}"' in page
        assert client.get(step.url).status_code == 200, step


def test_hidden_steps_stay_away_until_that_is_undone(client, rep):
    client.force_login(rep)
    page = client.get("/")

    response = client.post(reverse("administration:first_steps_hide"))

    assert response.status_code == 303
    assert "First steps" in page.content.decode()
    assert "First steps" not in client.get("/").content.decode()
    undo(Operation.objects.order_by("pk").last(), by=rep)
    assert first_steps(User.objects.get(pk=rep.pk)) is not None


def test_steps_cost_one_statement(rep, django_assert_num_queries):
    with django_assert_num_queries(1):
        first_steps(rep)


def test_sample_data_comes_and_goes_by_the_page(client, admin):
    client.force_login(admin)
    page = reverse("administration:sample_data")

    assert send(client, page).status_code == 303
    assert Lead.objects.count() >= 200

    assert "Take it out" in client.get(page).content.decode()
    assert client.post(page).status_code == 409
    undo(Operation.objects.filter(kind="DEMO", run=None).get(), by=admin)
    assert not Lead.objects.exists()


def test_sample_data_is_for_administrators(client, manager):
    client.force_login(manager)

    assert client.post(reverse("administration:sample_data")).status_code == 403
    assert not Lead.objects.exists()
