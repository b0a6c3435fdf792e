"""How much a browser has to load: the heaviest states of each page (scripts: core/test_static)."""

import datetime
import json

import pytest
from django.test import Client
from django.utils.module_loading import import_string

from core.tables import PAGE_SIZE
from leads.models import Lead
from opportunities.models import Opportunity
from tests.browsing import Walk
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, RelationFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory
from tests.laboratory import World
from tests.pages import sent

pytestmark = pytest.mark.django_db

LARGEST = 100_000
BATCH = 160
LONG = "Northern Harbour Refrigeration and Cold Chain Logistics GmbH"
TEENS = range(10, 18)
# A filter that nobody has kept as a view: it stands in the URL and in the links of the page.
LONG_FILTER = {
    "all": [
        {"field": "owner", "op": "in", "value": ["me"]},
        {
            "any": [
                *({"field": "created_at", "op": "gt", "value": f"20{n}-01-01"} for n in TEENS),
            ]
        },
    ]
}


def weight(response):
    assert response.status_code == 200
    return len(response.content)


@pytest.fixture
def company(rep):
    """More of each kind than a page shows, with long names and values in every column."""
    parent = AccountFactory(name=f"{LONG} 0", owner=rep)
    number = range(1, PAGE_SIZE + 2)
    accounts = [
        AccountFactory(
            name=f"{LONG} {n}",
            owner=rep,
            parent=parent,
            website=f"https://www.northern-harbour-{n}.example",
            phone="+49 40 5550132",
        )
        for n in number
    ]
    address = "procurement.and.operations.{}@northern-harbour.example".format
    contacts = [
        ContactFactory(
            first_name="Maximiliane Konstanze",
            last_name=f"von Hohenstein-Lauenburg {n}",
            title="Head of procurement and site operations",
            account=accounts[0],
            owner=rep,
            email=address(n),
            phone="+49 40 5550132",
        )
        for n in number
    ]
    for n in number:
        LeadFactory(
            first_name="Maximiliane Konstanze",
            last_name=f"von Hohenstein-Lauenburg {n}",
            company=f"{LONG} {n}",
            title="Head of procurement and site operations",
            email=address(n),
            phone="+49 40 5550132",
            city="Villingen-Schwenningen",
            country="DE",
            rating="HOT",
            lead_source="Trade Show",
            owner=rep,
        )
        OpportunityFactory(
            name=f"{LONG}, cold rooms, phase {n}",
            account=accounts[0],
            owner=rep,
            amount=1_234_567,
            next_step="Get the single-line diagram and call about the number of meters",
            close_date=datetime.date(2030, 6, 30),
        )
    deal = Opportunity.objects.order_by("pk").first()
    for account, contact in zip(accounts[1:], contacts[1:], strict=True):
        RelationFactory(account=account, contact=contacts[0])
        RoleFactory(opportunity=deal, contact=contact, role="Decision maker")
    return [accounts[0], parent, contacts[0], deal, Lead.objects.order_by("pk").first()]


LISTS = [
    ("/leads/", "leads.tables.LeadTable"),
    ("/accounts/", "accounts.tables.AccountTable"),
    ("/contacts/", "contacts.tables.ContactTable"),
    ("/opportunities/", "opportunities.tables.OpportunityTable"),
]


@pytest.mark.parametrize("show", [{}, {"show": "columns"}, {"show": "owner"}], ids=str)
@pytest.mark.parametrize("path, table", LISTS)
def test_lists_are_light(client, rep, company, path, table, show):
    client.force_login(rep)
    columns = ",".join(column.key for column in import_string(table).columns)
    long_filter = json.dumps(LONG_FILTER, separators=(",", ":"))

    for query in ({}, {"columns": columns}, {"filter": long_filter}):
        response = client.get(path, query | show)
        assert len(response.context["page"].records) >= 40
        assert len(response.content) <= LARGEST, query


def test_pages_of_records_with_full_panels_are_light(client, rep, company):
    client.force_login(rep)
    pages = [record.get_absolute_url() for record in company]
    pages += [f"{company[-1].get_absolute_url()}convert/", "/", "/history/", "/search/?q=north"]

    for address in pages:
        assert weight(client.get(address)) <= LARGEST, address


def test_pages_of_many_records_are_light(client, manager, rep, company):
    keys = list(Lead.objects.values_list("pk", flat=True)) + [
        lead.pk for lead in LeadFactory.create_batch(BATCH, company=LONG, owner=rep)
    ]
    client.force_login(manager)
    chosen = client.post("/batches/leads.lead/", {"verb": "assign", "pick": keys})
    choice = {"owner": manager.pk}
    page = client.get(chosen.url)
    assert weight(page) <= LARGEST

    preview = client.post(chosen.url, sent(page, **choice) | {"preview": "1"})
    assert weight(preview) <= LARGEST

    result = client.post(chosen.url, sent(page, **choice), follow=True)
    assert "changed." in result.content.decode()
    assert weight(result) <= LARGEST


def test_every_page_is_light():
    world = World()
    walk = Walk(world)
    for user in (None, world.admin, world.rep):
        client = Client()
        if user:
            client.force_login(user)
        for address in walk.pages(user):
            assert weight(client.get(address)) <= LARGEST, address
