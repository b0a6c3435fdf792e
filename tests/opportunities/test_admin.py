import pytest
from django.urls import reverse

from core.journal import Kind, Operation
from opportunities.models import Stage
from tests.factories.opportunities import OpportunityFactory


@pytest.fixture
def client(client, admin):
    client.force_login(admin)
    return client


def post(client, stage, **changes):
    """Send the form of a stage as it was opened, with some values changed."""
    url = reverse("admin:opportunities_stage_change", args=[stage.pk])
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    data = {
        name: value for name, value in {**data, **changes}.items() if value not in (None, False)
    }
    return client.post(url, data)


def test_stage_is_changed_through_the_journal(client, admin):
    stage = Stage.first_open()

    response = post(client, stage, probability=15)

    assert response.status_code == 302
    stage.refresh_from_db()
    assert (stage.probability, stage.version) == (15, 2)
    operation = Operation.objects.order_by("-pk").first()
    assert (operation.kind, operation.actor) == (Kind.EDIT, admin)


def test_stage_that_was_used_keeps_its_flags(client):
    stage = OpportunityFactory().stage

    response = post(client, stage, forecast_category="COMMIT")

    assert "forecast_category" in response.context["adminform"].form.errors
    stage.refresh_from_db()
    assert stage.version == 1


@pytest.mark.parametrize("query", ["Deal", "1", "9" * 30, "x'%"])
@pytest.mark.parametrize(
    "model", ["opportunity", "opportunitycontactrole", "opportunitystagehistory"]
)
def test_records_are_only_looked_at(client, model, query):
    OpportunityFactory()

    listed = client.get(reverse(f"admin:opportunities_{model}_changelist"), {"q": query})
    added = client.get(reverse(f"admin:opportunities_{model}_add"))

    assert (listed.status_code, added.status_code) == (200, 403)
