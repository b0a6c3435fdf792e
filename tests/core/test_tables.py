import re

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils.html import escape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Account
from accounts.tables import AccountTable
from core import tables
from core.reach import may
from core.tables import Column, Sort, Table, column_of, page_of, page_size
from core.views import url_of
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory
from users.models import Role

SORTABLE = ("name", "billing_city", "employees", "created_at")


def sort_by(name, *, descending=False):
    return Sort(Column(name, name, sort=name), descending)


def all_pages(queryset, sort, *, size):
    """The pages from the first to the last, then back to the first."""
    forwards = [page_of(queryset, sort, size=size)]
    while forwards[-1].older:
        forwards.append(page_of(queryset, sort, after=forwards[-1].older, size=size))
    backwards = [forwards[-1]]
    while backwards[-1].newer:
        backwards.append(page_of(queryset, sort, before=backwards[-1].newer, size=size))
    return forwards, backwards


def expected(accounts, name, *, descending):
    """Sorted in memory by value and key, those without a value last, by key."""
    blank = [a for a in accounts if getattr(a, name) in (None, "")]
    rest = [a for a in accounts if a not in blank]
    rest.sort(key=lambda a: (getattr(a, name), a.pk), reverse=descending)
    blank.sort(key=lambda a: a.pk, reverse=descending)
    return rest + blank


class PagingTest(TestCase):
    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(
        rows=st.lists(
            st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x", "y"]),
                      st.sampled_from([None, 0, 1, 2])),
            max_size=9,
        ),
        name=st.sampled_from(SORTABLE),
        descending=st.booleans(),
        size=st.integers(1, 4),
    )  # fmt: skip
    def test_pages_hold_each_row_once_in_order_in_both_directions(
        self, rows, name, descending, size
    ):
        owner = UserFactory()
        accounts = Account.objects.bulk_create(
            Account(name=n, billing_city=city, employees=employees, owner=owner)
            for n, city, employees in rows
        )
        order = expected(accounts, name, descending=descending)

        forwards, backwards = all_pages(
            Account.objects.filter(owner=owner), sort_by(name, descending=descending), size=size
        )

        assert [a for page in forwards for a in page.records] == order
        assert {page.count for page in forwards} == {len(order)}
        # Backwards the first page is filled up, so only it may repeat rows.
        assert [a for page in backwards[:-1][::-1] for a in page.records] in (
            order[-sum(len(p.records) for p in backwards[:-1]):] if backwards[:-1] else [],
            order,
        )  # fmt: skip
        assert backwards[-1].records == order[:size]


@pytest.mark.django_db
class TestPageOf:
    @pytest.fixture
    def accounts(self):
        owner = UserFactory()
        return [AccountFactory(name=f"{n:02}", owner=owner) for n in range(7)]

    def names(self, **kwargs):
        page = page_of(Account.objects.all(), sort_by("name"), size=3, **kwargs)
        return [account.name for account in page.records]

    def test_the_page_before_the_second_is_the_first(self, accounts):
        second = page_of(
            Account.objects.all(),
            sort_by("name"),
            after=page_of(Account.objects.all(), sort_by("name"), size=3).older,
            size=3,
        )

        assert self.names(before=second.newer) == ["00", "01", "02"]

    @pytest.mark.parametrize("token", ["x", "", "a:b:c", "9" * 4000, "\x00", "ü"])
    def test_a_bad_token_gives_the_first_page(self, accounts, token):
        assert self.names(after=token) == ["00", "01", "02"]
        assert self.names(before=token) == ["00", "01", "02"]

    def test_a_token_of_another_sort_gives_the_first_page(self, accounts):
        token = page_of(Account.objects.all(), sort_by("created_at"), size=3).older

        assert self.names(after=token) == ["00", "01", "02"]

    def test_a_token_signed_for_something_else_gives_the_first_page(self, accounts):
        token = signing.dumps(["name", 0, "03", accounts[3].pk], salt="something else")

        assert self.names(after=token) == ["00", "01", "02"]

    def test_a_token_beyond_the_last_row_gives_the_first_page(self, accounts):
        token = signing.dumps(["name", 0, "zz", 10**9], salt=tables.SALT)

        assert self.names(after=token) == ["00", "01", "02"]

    def test_the_count_stops_at_the_limit(self, accounts, monkeypatch):
        monkeypatch.setattr(tables, "COUNT_LIMIT", 4)

        page = page_of(Account.objects.all(), sort_by("name"), size=3)

        assert page.count == 5

    def test_a_page_costs_at_most_two_queries_and_a_count(
        self, accounts, django_assert_max_num_queries
    ):
        sort = sort_by("billing_city")
        after = page_of(Account.objects.all(), sort, size=3).older
        before = page_of(Account.objects.all(), sort, after=after, size=3).newer
        for kwargs in ({}, {"after": after}, {"before": before}):
            with django_assert_max_num_queries(3):
                page_of(Account.objects.all(), sort, size=3, **kwargs)


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 50), ("20", 20), ("0", 1), ("1000000000", 50), ("999999999", 200), ("-1", 50),
     ("abc", 50), ("²", 50), ("٣", 50)],
)  # fmt: skip
def test_page_size_is_capped(text, size):
    assert page_size(text) == size


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("name", "name"),
        ("-name", "-name"),
        ("owner", "-created_at"),
        ("password", "-created_at"),
        ("-owner__password", "-created_at"),
        ("--name", "-created_at"),
        ("", "-created_at"),
    ],
)
def test_only_columns_that_declare_it_can_be_sorted_by(text, sort):
    assert str(AccountTable.sort_of(text)) == sort


def test_chosen_columns_keep_the_link_and_stand_in_the_order_asked_for():
    class SmallTable(Table):
        columns = (Column("name", "Name"), Column("city", "City"), Column("phone", "Phone"))
        default_columns = ("name", "city")

    def chosen(*keys):
        return [column.key for column in SmallTable.chosen(SmallTable.columns, keys)]

    assert chosen() == ["name", "city"]
    assert chosen("phone,city") == ["name", "phone", "city"]
    assert chosen("name", "city", "phone", "city") == ["name", "city", "phone"]
    assert chosen("name") == ["name"]
    assert chosen("phone", "unknown") == ["name", "phone"]
    assert chosen("unknown") == ["name", "city"]


@pytest.mark.django_db
def test_columns_show_values_as_people_read_them():
    account = AccountFactory(
        name="<b>Acme", rating="HOT", billing_country="DE", annual_revenue=86000000, phone="1"
    )

    def shown(name):
        return str(column_of(Account, name).shown(account))

    assert shown("rating") == "Hot"
    assert shown("billing_country") == "Germany"
    assert shown("annual_revenue") == "$86,000,000"
    assert shown("employees") == ""
    assert shown("name") == "<b>Acme"  # the template escapes it
    link = str(Column("name", "Name", kind="link").shown(account))
    assert escape("<b>Acme") in link
    assert "<b>" not in link


@pytest.mark.django_db
def test_a_column_of_a_verb_is_for_who_may_do_it(rep, admin):
    class SecretTable(Table):
        columns = (Column("name", "Name"), Column("site", "Site", verb="import"))

    assert [c.key for c in SecretTable.for_user(Account, rep)] == ["name"]
    assert [c.key for c in SecretTable.for_user(Account, admin)] == ["name", "site"]


@pytest.mark.django_db
@pytest.mark.parametrize("descending", [False, True])
def test_a_deep_page_is_sought_in_the_index(descending):
    owner = UserFactory()
    Account.objects.bulk_create(
        Account(name=f"{number % 40:02}", owner=owner) for number in range(400)
    )
    sort = sort_by("name", descending=descending)
    token = page_of(Account.objects.all(), sort, size=200).older
    with CaptureQueriesContext(connection) as queries:
        page_of(Account.objects.all(), sort, after=token, size=10)

    rows = next(query["sql"] for query in queries if "ORDER BY" in query["sql"])
    assert re.search(r"""\("accounts_account"."name", "accounts_account"."id"\) [<>] \(""", rows)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + rows)
            plan = " ".join(str(line) for line in cursor.fetchall())
        assert "SEARCH accounts_account USING INDEX account_name_idx" in plan


FACTORIES = (AccountFactory, ContactFactory, LeadFactory, OpportunityFactory)


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("factory", FACTORIES, ids=lambda factory: factory._meta.model.__name__)
def test_rows_read_nothing_that_was_not_loaded_with_the_page(client, factory, role):
    """With all columns, whatever the role may do; what a row lacks would be a query a row."""
    user = UserFactory(role=role)
    for record in factory.create_batch(2, owner=user):
        page_of_list = url_of(type(record), "list")
    client.force_login(user)
    table = resolve(page_of_list).func.view_class.table
    columns = ",".join(column.key for column in table.columns)

    with CaptureQueriesContext(connection) as queries:
        response = client.get(page_of_list, {"view": "all", "columns": columns})

    if may(user, "view", type(record)):
        assert len(response.context["page"].records) == 2
    of_one = f'"{record._meta.db_table}"."id" = '
    assert [q["sql"] for q in queries if of_one in q["sql"]] == []
