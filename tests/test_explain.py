"""
No page looks through a table: the plans of PostgreSQL for all that lists and records ask.

The tables of a test are so small that the planner would rather read and join them as a whole.
Told that this is the last resort, it does so only where no index helps, whatever the number of
rows and the statistics are: a sequential scan is then the proof that an index is missing. So is
an index that is walked from end to end, unless a limit stops the walk.
"""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from contacts.models import Contact
from crm.bench.filling import fill
from leads.models import Lead
from opportunities.models import Opportunity
from users.models import Role

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans of PostgreSQL"),
]

MODELS = (Account, Contact, Lead, Opportunity)
TABLES = {model._meta.db_table for model in MODELS}
LAST_RESORTS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
WALKS = {"Index Scan", "Index Only Scan"}
SEARCHES = ("kessler", "kessler 42", "nothing at all", "+44 20 7946", "ke")
QUERIES = {
    Account: ("owner=me", "owner=team", "type=Customer", "status=ACTIVE", "created_min=2026-01-01"),
    Contact: ("owner=me", "status=ACTIVE", "country=GB", "no_account=true", "account=1"),
    Lead: ("view=all", "view=mine", "view=converted", "source=Web&score=20", "owner=team"),
    Opportunity: ("owner=me", "owner=team", "stage=1"),
}
SORTS = {
    Account: ("name", "annual_revenue", "employees", "created_at"),
    Contact: ("name", "created_at"),
    Lead: ("name", "company", "score", "created_at", "status_changed_at"),
    Opportunity: ("name", "amount", "close_date", "created_at"),
}


@pytest.fixture
def filling():
    """A thousand leads and what goes with them; fewer rows are read as a whole in any case."""
    return fill(1000)


@pytest.fixture(params=[Role.REP, Role.ADMIN])
def asked(request, client, filling):
    """A function that asks for a page and returns what it read through as a whole."""
    client.force_login(filling.rep if request.param == Role.REP else filling.admin)

    def read_through(address, query=""):
        with CaptureQueriesContext(connection) as queries:
            response = client.get(f"{address}?{query}")
        assert response.status_code == 200
        return response, [found for sql in queries for found in scans_of(sql["sql"])]

    return read_through


def scans_of(sql):
    """The scans of whole tables that ``sql`` needs, with the statement."""
    if not sql.startswith("SELECT") or not any(f'"{table}"' in sql for table in TABLES):
        return
    for node in whole_scans(plan_of(sql)):
        yield f"{node['Node Type']} of {node['Relation Name']}: {sql}"


def plan_of(sql):
    """The plan of ``sql`` if reading whole tables is the last resort."""
    with connection.cursor() as cursor:
        for name in LAST_RESORTS:
            cursor.execute(f"SET LOCAL {name} = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql.replace('%', '%%')}", ())
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return plan[0]["Plan"]


def nodes(node):
    """``node`` and all below it."""
    yield node
    for below in node.get("Plans", ()):
        yield from nodes(below)


def whole_scans(node, *, is_limited=False):
    """The nodes below ``node`` that read one of the tables as a whole."""
    is_limited = is_limited or node["Node Type"] == "Limit"
    if node.get("Relation Name") in TABLES:
        is_walk = node["Node Type"] in WALKS and "Index Cond" not in node
        if node["Node Type"] == "Seq Scan" or (is_walk and not is_limited):
            yield node
    for below in node.get("Plans", ()):
        yield from whole_scans(below, is_limited=is_limited)


def list_of(model):
    return reverse(f"{model._meta.app_label}:{model._meta.model_name}_list")


def test_a_search_without_index_would_be_seen(filling):
    sql = 'SELECT id FROM "leads_lead" WHERE "leads_lead"."description" LIKE \'%x%\''

    assert list(scans_of(sql))


def test_lists_read_through_no_table(asked):
    for model in MODELS:
        for query in ("", *QUERIES[model], *(f"q={text}" for text in SEARCHES)):
            _response, scans = asked(list_of(model), query)

            assert not scans, (query, scans[0])


def test_deep_pages_read_through_no_table(asked):
    for model, sort in [(model, sort) for model, sorts in SORTS.items() for sort in sorts]:
        for direction in ("", "-"):
            query = f"sort={direction}{sort}"
            first, scans = asked(list_of(model), query)
            older = first.context["page"].older
            _deep, more = asked(list_of(model), f"{query}&after={older}")

            assert older
            assert not scans + more, (query, (scans + more)[0])


def test_record_pages_read_through_no_table(asked, filling):
    for model in MODELS:
        record = model.objects.filter(owner=filling.rep).order_by("pk")[3]
        edit = reverse(f"{model._meta.app_label}:{model._meta.model_name}_update", args=[record.pk])
        pages = [(record.get_absolute_url(), ""), (edit, "")]
        if model is Account:
            pages += [(record.get_absolute_url(), query) for query in ("people=tree", "sums=own")]
        for page, query in pages:
            _response, scans = asked(page, query)

            assert not scans, (page, query, scans[0])


def test_the_first_steps_find_their_leads_by_an_index_of_live_ones(client, filling):
    client.force_login(filling.rep)
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse("home"))
    (sql,) = [row["sql"] for row in queries if "EXISTS" in row["sql"]]

    used = {node.get("Index Name") for node in nodes(plan_of(sql))}
    assert used & {"lead_live_idx", "lead_day_idx"}  # others leave owner or phase to a filter


def test_search_over_everything_reads_through_no_table(asked):
    for text in SEARCHES:
        _response, scans = asked(reverse("core:search"), f"q={text}")

        assert not scans, (text, scans[0])


def test_pickers_read_through_no_table(asked):
    for label in ("accounts.account", "contacts.contact"):
        for text in SEARCHES:
            _response, scans = asked(reverse("core:picker", args=[label]), f"name=x&x_q={text}")

            assert not scans, (text, scans[0])
