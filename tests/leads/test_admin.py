"""The operators' window onto leads."""

import pytest
from django.urls import reverse

from leads.conversion import ConversionChoices, convert_lead
from leads.models import LeadStatus
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db


def test_administration_shows_leads_and_conversions_and_changes_none(client, admin):
    lead = LeadFactory(owner=admin)
    conversion = convert_lead(lead, by=admin, choices=ConversionChoices())
    client.force_login(admin)

    for record in (lead, conversion):
        name = f"admin:leads_{record._meta.model_name}"
        assert str(lead) in client.get(reverse(f"{name}_change", args=[record.pk])).content.decode()
        assert client.get(reverse(f"{name}_changelist")).status_code == 200
        assert client.post(reverse(f"{name}_change", args=[record.pk])).status_code == 403
        assert client.get(reverse(f"{name}_add")).status_code == 403


def test_status_can_be_renamed_but_its_phase_stays_once_it_was_used(client, admin):
    status = LeadFactory(owner=admin).status
    client.force_login(admin)
    page = reverse("admin:leads_leadstatus_change", args=[status.pk])
    data = {
        "name": "New",
        "position": status.position,
        "phase": status.phase,
        "is_default": "on",
        "is_active": "on",
        "aliases": "",
        "seen_version": status.version,
    }

    client.post(page, data)
    assert LeadStatus.objects.get(pk=status.pk).name == "New"

    client.post(page, {**data, "phase": "WORKING", "is_default": "", "seen_version": 2})
    assert LeadStatus.objects.get(pk=status.pk).phase == "OPEN"
