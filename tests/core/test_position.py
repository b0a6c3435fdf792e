"""The way from one record to the next through the list that it was opened from."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db

LIST = "http://testserver/accounts/"


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


@pytest.fixture
def accounts(rep):
    return [AccountFactory(name=name, owner=rep) for name in ("Acme", "Birch", "Cedar", "Dune")]


def position_of(client, record, referer=""):
    response = client.get(record.get_absolute_url(), headers={"Referer": referer})
    position = response.context["position"]
    return position and (position.previous, position.next)


def test_record_opened_from_a_list_leads_to_its_neighbours_there(as_rep, accounts):
    acme, birch, cedar, dune = accounts
    birch_, cedar_, dune_ = (a.get_absolute_url() for a in accounts[1:])

    assert position_of(as_rep, cedar, f"{LIST}?sort=name") == (birch_, dune_)
    assert position_of(as_rep, dune, f"http://testserver{cedar_}") == (cedar_, "")
    assert position_of(as_rep, acme) == ("", birch_)
    assert position_of(as_rep, cedar, f"{LIST}?sort=-name") == (dune_, birch_)


def test_neighbours_are_those_of_the_filters(as_rep, rep, accounts):
    acme, _birch, _cedar, dune = accounts
    for account in (acme, dune):
        account.industry = "Energy"
        account.save()

    found = position_of(as_rep, acme, f"{LIST}?sort=name&industry=Energy")

    assert found == ("", dune.get_absolute_url())


@pytest.mark.parametrize("sort", ["billing_city", "-billing_city"])
def test_blank_values_come_last_in_both_directions(as_rep, rep, sort):
    cities = ["", "Riga", "", "Bonn", "Oslo"]
    accounts = [AccountFactory(name=f"A {c}", billing_city=c, owner=rep) for c in cities]
    listed = as_rep.get(reverse("accounts:account_list"), {"sort": sort}).context["page"].records
    assert {*listed} == {*accounts}

    for number, account in enumerate(listed):
        around = [
            listed[n].get_absolute_url() if 0 <= n < 5 else "" for n in (number - 1, number + 1)
        ]
        assert position_of(as_rep, account, f"{LIST}?sort={sort}") == tuple(around)


def test_record_that_is_not_in_the_list_has_no_neighbours(as_rep, accounts):
    acme, birch, *_rest = accounts
    birch.industry = "Energy"
    birch.save()

    assert position_of(as_rep, acme, f"{LIST}?industry=Energy") is None
    assert "list_account" not in as_rep.cookies


def test_hidden_and_archived_records_are_no_neighbours(client, rep, stranger):
    first = LeadFactory(last_name="Adams", owner=rep)
    LeadFactory(last_name="Bell", owner=stranger)
    last = LeadFactory(last_name="Cole", owner=rep)
    client.force_login(rep)

    found = position_of(client, first, "http://testserver/leads/?sort=name")

    assert found == ("", last.get_absolute_url())


def test_record_opened_from_nowhere_has_no_neighbours(as_rep, accounts):
    for referer in (
        "",
        "https://elsewhere.example/accounts/?sort=name",
        "http://testserver/",
        "%%[",
    ):
        assert position_of(as_rep, accounts[0], referer) is None


@pytest.mark.parametrize(
    "query", ["sort=%00&q=%00", "created_after=x&view=1", "&&=;", "q=" + "x" * 5000]
)
def test_bad_query_of_a_list_breaks_no_page(as_rep, accounts, query):
    assert position_of(as_rep, accounts[0], f"{LIST}?{query}") in (
        None,
        ("", ""),
        position_of(as_rep, accounts[0]),
    )
    as_rep.cookies["list_account"] = query
    assert as_rep.get(accounts[0].get_absolute_url()).status_code == 200


def test_way_back_leads_to_the_list_as_it_was(as_rep, accounts):
    response = as_rep.get(
        accounts[0].get_absolute_url(), headers={"Referer": f"{LIST}?sort=-name&q=acme"}
    )

    assert response.context["crumbs"][0]["url"] == "/accounts/?sort=-name&q=acme"
    cookie = response.cookies["list_account"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/accounts/", True, "Lax")


@pytest.mark.parametrize("count", [3, 50])
def test_neighbours_cost_one_query(as_rep, rep, count):
    accounts = [AccountFactory(name=f"Acme {n:02}", owner=rep) for n in range(count)]
    page = accounts[1].get_absolute_url()
    as_rep.get(page)
    with CaptureQueriesContext(connection) as without:
        as_rep.get(page)

    with CaptureQueriesContext(connection) as queries:
        response = as_rep.get(page, headers={"Referer": f"{LIST}?sort=name&owner=me"})

    assert response.context["position"].next == accounts[2].get_absolute_url()
    assert len(queries) == len(without) + 1
