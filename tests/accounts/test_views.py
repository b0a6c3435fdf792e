import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from accounts.services import assign_account, move_account
from core import reach
from core.journal import Change, Kind, Label, Operation, operation, start_run
from core.services import assign
from core.undo import undo
from leads.conversion import ConversionChoices, convert_lead
from leads.conversion.choices import Deal
from tests.digest import digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory
from users.models import Role

pytestmark = pytest.mark.django_db

NEW = {"name": "Acme", "kind": "BUSINESS", "status": "ACTIVE", "currency": "EUR"}


PAGES = (
    "accounts:account_list",
    "accounts:account_create",
    "accounts:account_detail",
    "accounts:account_update",
    "accounts:account_move",
    "accounts:account_top",
    "accounts:account_tree",
    "accounts:account_copy_billing",
    "accounts:account_assign",
    "accounts:account_archive",
    "accounts:account_history",
)


def url(view, account=None):
    name = f"accounts:account_{view}"
    assert name in PAGES
    return reverse(name, args=[account.pk] if account else [])


def hidden_fields(response):
    """The names and values of all inputs, ticked boxes and selected options of a page's form."""
    data = {}
    html = response.content.decode()
    for tag in re.findall(r"<input[^>]*>", html):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_off = attributes.get("type") in ("radio", "checkbox") and " checked" not in tag
        if "name" in attributes and not is_off and "form=" not in tag:
            data[attributes["name"]] = attributes.get("value", "")
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', html, re.S):
        selected = re.search(r'value="([^"]*)" selected', options)
        data[name] = selected[1] if selected else ""
    for name, text in re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', html, re.S):
        data[name] = text
    data.pop("q", None)
    return data


def form_data(client, page, **changes):
    return hidden_fields(client.get(page)) | changes


@pytest.fixture
def account(rep):
    return AccountFactory(name="Acme", owner=rep, phone="+49 40 5550 100")


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


@pytest.fixture
def nothing_written():
    """Checks at the end that the whole database is as it was when the test called it."""
    before = []
    yield lambda: before.append(digest(journal=True, stamps=True))
    assert before
    assert digest(journal=True, stamps=True) == before[-1]


# the list


def test_list_shows_live_accounts_newest_first(as_rep, account):
    other = AccountFactory(name="Baltic")
    AccountFactory(name="Gone", archived_at=timezone.now())

    response = as_rep.get(url("list"))

    assert response.context["page"].records == [other, account]
    assert response.headers["Vary"].find("HX-Request") >= 0


@pytest.mark.parametrize("count", [1, 50])
def test_list_costs_the_same_for_one_row_and_for_fifty(client, manager, rep, count):
    for number in range(count):
        AccountFactory(name=f"Acme {number}", owner=rep, industry="Energy", billing_city="Riga")
    client.force_login(manager)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(url("list"), {"owner": "team"})

    assert len(response.context["page"].records) == count
    assert len(queries) <= 8, [q["sql"][:90] for q in queries]


@pytest.mark.parametrize("query", ["", "sort=billing_city", "q=acme&sort=-employees"])
def test_a_page_in_the_middle_of_the_list_costs_nine_queries_at_most(as_rep, rep, query):
    for number in range(7):
        AccountFactory(name=f"Acme {number}", owner=rep, billing_city="Riga" if number % 2 else "")
    page = as_rep.get(f"{url('list')}?{query}&per_page=3").context["page"]

    with CaptureQueriesContext(connection) as queries:
        response = as_rep.get(f"{url('list')}?{query}&per_page=3&after={page.older}")

    assert len(response.context["page"].records) == 3
    assert len(queries) <= 9


def test_list_pages_lead_to_each_other_and_keep_the_filters(as_rep, rep):
    for number in range(5):
        AccountFactory(name=f"Acme {number}", owner=rep)
    first = as_rep.get(url("list"), {"q": "acme", "sort": "name", "per_page": "2"})
    older = re.search(r'href="(\?[^"]*after=[^"]*)"', first.content.decode())[1]

    second = as_rep.get(url("list") + older.replace("&amp;", "&"))

    names = [account.name for account in second.context["page"].records]
    assert names == ["Acme 2", "Acme 3"]
    newer = re.search(r'href="(\?[^"]*before=[^"]*)"', second.content.decode())[1]
    again = as_rep.get(url("list") + newer.replace("&amp;", "&"))
    assert again.context["page"].records == first.context["page"].records


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=acme", ["Acme"]),
        ("q=ACM%C3%89", ["Acme"]),
        ("q=040+5550", ["Acme"]),
        ("q=%25", []),
        ("q=_", []),
        ("q=", ["Baltic", "Acme"]),
        ("status=TARGET", ["Baltic"]),
        ("owner=me", ["Acme"]),
        ("owner=team", ["Acme"]),
        ("employees_min=5&employees_max=15", ["Baltic"]),
        ("created_after=2020-01-01", ["Baltic", "Acme"]),
        ("created_before=2020-01-01", []),
        ("country=DE", ["Baltic"]),
        ("top=true", ["Baltic", "Acme"]),
        ("unknown=1&q[]=x&q[$ne]=y", ["Baltic", "Acme"]),
        ("status=ACTIVE&status=TARGET", ["Baltic"]),
    ],
)
def test_list_filters(as_rep, account, stranger, query, names):
    AccountFactory(
        name="Baltic", owner=stranger, status="TARGET", employees=10, billing_country="DE"
    )

    response = as_rep.get(f"{url('list')}?{query}")

    assert [record.name for record in response.context["page"].records] == names


@pytest.mark.parametrize(
    "query",
    [
        "owner=abc", "owner=²", "owner=-1", "owner=1.5", "owner=" + "9" * 30,
        "status=NOPE", "industry=Nope", "country=XX", "employees_min=abc",
        "employees_min=NaN", "employees_min=" + "9" * 30, "annual_revenue_min=1e40",
        "annual_revenue_max=Infinity", "created_after=2026-02-30", "created_after=0001-01-01",
        "created_before=9999-12-31", "created_after=now", "rating=%F0%9F%92%A5",
    ],
)  # fmt: skip
def test_a_bad_filter_says_so_and_the_list_is_empty(as_rep, account, query):
    response = as_rep.get(f"{url('list')}?{query}")

    assert response.status_code == 200
    assert response.context["page"].records == []
    assert response.context["filter"].form.errors
    message = next(iter(response.context["filter"].form.errors.values()))[0]
    assert message.replace("“", "").split()[0] in response.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "after=x", "after=" + "x" * 5000, "per_page=1000000000", "per_page=-1",
        "sort=password", "sort=-owner__password", "columns=password",
        "show=password", "page=7", "q=" + "x" * 10_000,
        "show=owner", "show=created", "top=nonsense",
    ],
)  # fmt: skip
def test_any_other_parameter_gives_a_list(as_rep, account, query):
    assert as_rep.get(f"{url('list')}?{query}").status_code == 200


def test_a_part_of_the_page_answers_htmx(as_rep, account):
    part = as_rep.get(url("list"), headers={"HX-Request": "true", "HX-Target": "<script>"})
    whole = as_rep.get(
        url("list"), headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}
    )

    assert part.content.decode().strip().startswith('<div id="list"')
    assert "<script>" not in part.content.decode()
    assert "<html" in whole.content.decode()


def test_chosen_columns_and_chips_are_in_the_page(as_rep, account):
    response = as_rep.get(url("list"), {"columns": ["name", "phone"], "owner": "me"})

    assert [head["column"].key for head in response.context["heads"]] == ["name", "phone"]
    assert response.context["filter"].chips == [
        {"label": "Owner", "text": "is me", "is_bad": False,
         "without": "columns=name&columns=phone"}
    ]  # fmt: skip


def test_an_empty_list_offers_the_next_thing_to_do(as_rep):
    assert "Add account" in as_rep.get(url("list")).content.decode()
    filtered = as_rep.get(url("list"), {"q": "nothing"}).content.decode()
    assert "No accounts match these filters" in filtered


def test_what_people_type_is_shown_escaped(as_rep, rep):
    account = AccountFactory(name="<script>alert(1)</script>", owner=rep, website="")
    Account.objects.filter(pk=account.pk).update(website="javascript:alert(1)")

    for page in (
        url("list"),
        url("detail", account),
        url("history", account),
        url("update", account),
    ):
        html = as_rep.get(page).content.decode()
        assert "<script>alert" not in html
        assert 'href="javascript' not in html


# one record


def test_detail_shows_the_account_with_its_group(as_rep, account):
    below = AccountFactory(name="Acme Below", parent=account)
    response = as_rep.get(url("detail", account))

    assert [node.account for node in response.context["tree"].rows] == [account, below]
    assert set(response.context["actions"]) == {
        "call", "update", "tree", "add_below", "move", "assign", "history", "archive"
    }  # fmt: skip


@pytest.mark.parametrize("count", [1, 50])
def test_record_pages_cost_the_same_for_one_account_and_for_fifty(as_rep, rep, count):
    top = AccountFactory(owner=rep)
    account = AccountFactory(owner=rep, parent=top, website="https://acme.example")
    for number in range(count):
        child = AccountFactory(parent=account, owner=rep, industry="Energy")
        OpportunityFactory(account=child, owner=rep, currency="GBP" if number % 2 else "USD")
        OpportunityFactory(account=child, owner=rep, currency="GBP", won=True)
        ContactFactory(account=child, owner=rep)
        LeadFactory(email=f"lead{number}@acme.example", owner=rep)
        convert_lead_into(account, by=rep)

    for page, limit in ((url("detail", account), 18), (url("update", child), 12)):
        for query in ({}, {"people": "tree"}, {"sums": "own"}):
            with CaptureQueriesContext(connection) as queries:
                as_rep.get(page, query)
            assert len(queries) <= limit, [q["sql"][:90] for q in queries]


def test_page_of_an_account_with_a_long_past_costs_18_queries_at_most(as_rep, rep, manager):
    """An import, many edits, moves, owners and an undo; deals in other currencies."""
    run = start_run(Kind.IMPORT, by=rep, label=Label("Imported accounts.csv"))
    with operation(Kind.IMPORT, by=rep, label=Label("Rows 1 to 10"), run=run):
        account = AccountFactory(owner=rep, website="https://acme.example")
    for number in range(8):
        below = AccountFactory(parent=account, owner=rep)
        OpportunityFactory(account=below, owner=rep, currency="GBP" if number % 2 else "CHF")
        OpportunityFactory(account=below, owner=rep, currency="GBP", won=True)
        ContactFactory(account=below, owner=rep)
        LeadFactory(email=f"lead{number}@acme.example", owner=rep)
        account.site = f"Site {number}"
        account.save()
    parents = AccountFactory(owner=rep), AccountFactory(owner=rep), None
    for parent in parents:
        move_account(Account.objects.get(pk=account.pk), parent=parent, by=rep)
    assign(Account.objects.get(pk=account.pk), owner=manager, by=manager)
    undo(Operation.objects.latest("pk"), by=manager)

    with CaptureQueriesContext(connection) as queries:
        response = as_rep.get(url("detail", account))

    assert response.context["has_older"]
    assert response.context["origin"].operation == run
    assert len(queries) <= 18, [q["sql"][:90] for q in queries]


@pytest.mark.parametrize("is_redone", [False, True])
def test_page_of_an_account_whose_past_names_three_kinds_of_records_costs_18_queries_at_most(
    as_rep, rep, admin, is_redone
):
    """Leads by conversions, accounts by moves, people by owners; deals in other currencies."""
    account = AccountFactory(owner=rep, website="https://acme.example")
    below = AccountFactory(parent=account, owner=rep)
    OpportunityFactory(account=below, owner=rep, currency="CHF")
    OpportunityFactory(account=below, owner=rep, currency="GBP", won=True)
    ContactFactory(account=below, owner=rep)
    lead = LeadFactory(email="lead@acme.example", owner=rep, phone="1234567")
    choices = ConversionChoices(account=Account.objects.get(pk=account.pk), deal=Deal.NONE)
    convert_lead(lead, by=rep, choices=choices)
    for parent in (AccountFactory(owner=rep), AccountFactory(owner=rep), None):
        move_account(Account.objects.get(pk=account.pk), parent=parent, by=rep)
    for owner in (UserFactory(role=Role.MANAGER), rep):
        assign(Account.objects.get(pk=account.pk), owner=owner, by=admin)
    taken_back = undo(Operation.objects.latest("pk"), by=admin)
    if is_redone:
        undo(taken_back, by=admin)

    with CaptureQueriesContext(connection) as queries:
        response = as_rep.get(url("detail", account))

    told = " ".join(entry.label for entry in response.context["entries"])
    assert f"Converted {lead}" in told and f"to {rep}" in told
    assert ("Redid:" in told) == is_redone
    assert len(queries) <= 18, [q["sql"][:90] for q in queries]


def convert_lead_into(account, *, by):
    lead = LeadFactory(owner=by)
    choices = ConversionChoices(account=account, deal=Deal.NONE)
    return convert_lead(lead, by=by, choices=choices)


def test_detail_shows_when_the_account_became_a_customer(as_rep, rep, account):
    below = AccountFactory(parent=account, owner=rep)
    OpportunityFactory(account=account, owner=rep, amount=300)
    OpportunityFactory(account=below, owner=rep, amount=20)
    OpportunityFactory(
        account=below, owner=rep, amount=50, won=True, close_date=datetime.date(2019, 5, 1)
    )

    html = as_rep.get(url("detail", account)).content.decode()

    for text in ("Since 2019", "$320", "with sub-accounts", "$50"):
        assert text in html
    assert "Since" not in as_rep.get(url("detail", AccountFactory(owner=rep))).content.decode()


def test_detail_tells_the_story_and_how_the_account_came_in(as_rep):
    as_rep.post(url("create"), form_data(as_rep, url("create"), name="Acme"))
    account = Account.objects.get()
    as_rep.post(url("update", account), form_data(as_rep, url("update", account), site="Hamburg"))

    response = as_rep.get(url("detail", account))

    assert [entry.label for entry in response.context["entries"]] == ["Edited Acme", "Added Acme"]
    assert response.context["origin"].label == "Added Acme"
    assert "Entered by hand" in response.content.decode()


def test_detail_offers_leads_that_may_belong_here(as_rep, client, rep, stranger):
    top = AccountFactory(name="Acme Inc", owner=rep, website="https://acme.example")
    AccountFactory(name="Labs", owner=rep, parent=top, website="https://labs.example")
    by_name = LeadFactory(last_name="Named", company="ACME, Inc.", owner=rep)
    by_mail = LeadFactory(last_name="Mailed", email="a@labs.example", owner=rep)
    said = LeadFactory(last_name="Said", matched_account=top, owner=rep)
    LeadFactory(last_name="Foreign", email="b@acme.example", owner=stranger)

    html = as_rep.get(url("detail", top)).content.decode()

    places = [html.index(lead.get_absolute_url()) for lead in (said, by_mail, by_name)]
    assert places == sorted(places)
    for text in ("Said to belong here", "Same domain labs.example", "Same company name"):
        assert text in html
    assert f"{reverse('leads:lead_convert', args=[by_mail.pk])}?account={top.pk}" in html
    assert "Foreign" not in html
    client.force_login(UserFactory(role=Role.READ_ONLY))
    read_only = client.get(url("detail", top)).content.decode()
    assert by_mail.get_absolute_url() in read_only
    assert "?account=" not in read_only
    client.force_login(UserFactory(role=Role.SUPPORT))
    assert "Leads that may" not in client.get(url("detail", top)).content.decode()


def test_detail_says_which_leads_the_account_came_from(as_rep, client, rep, account):
    conversion = convert_lead_into(account, by=rep)
    html = as_rep.get(url("detail", account)).content.decode()
    assert "Came from leads" in html
    assert conversion.get_absolute_url() in html
    assert "Converted by Rae Rep" in html

    client.force_login(UserFactory(role=Role.SUPPORT))
    hidden = client.get(url("detail", account)).content.decode()
    assert "Lead (restricted)" in hidden
    assert conversion.get_absolute_url() not in hidden


def test_a_hidden_parent_is_not_named(as_rep, account, stranger, reaches):
    reaches(account_read=reach.Scope.TEAM)
    parent = AccountFactory(name="Secret", owner=stranger)
    Account.objects.filter(pk=account.pk).update(parent=parent)

    html = as_rep.get(url("detail", account)).content.decode()

    assert "Restricted account" in html
    assert "Secret" not in html


def test_saving_costs_twelve_queries_at_most_besides_the_journal(as_rep, account):
    data = form_data(as_rep, url("update", account), site="Hamburg")

    with CaptureQueriesContext(connection) as queries:
        response = as_rep.post(url("update", account), data)

    assert response.status_code == 303
    reads = [q for q in queries if q["sql"].startswith("SELECT")]
    assert len(reads) <= 12, [q["sql"][:90] for q in queries]


def test_details_offer_what_is_blank_to_who_may_fill_it(as_rep, client, account, stranger):
    assert "Add rating" in as_rep.get(url("detail", account)).content.decode()
    client.force_login(stranger)
    assert "Add rating" not in client.get(url("detail", account)).content.decode()


@pytest.mark.parametrize("pk", ["999999", "9" * 30])
def test_an_unknown_account_is_not_found(as_rep, pk):
    views = ("edit/", "archive/", "history/", "move/", "top/", "tree/", "copy-billing/", "assign/")
    for view in ("", *views):
        assert as_rep.get(f"/accounts/{pk}/{view}").status_code == 404


def test_a_merged_account_leads_to_the_one_that_stayed(as_rep, account):
    loser = AccountFactory(archived_at=timezone.now(), merged_into=account)

    response = as_rep.get(url("detail", loser))

    assert (response.status_code, response.url) == (302, account.get_absolute_url())


# making and changing


def test_create_adds_an_account_owned_by_who_adds_it(as_rep, rep):
    response = as_rep.post(url("create"), form_data(as_rep, url("create"), name="Acme"))
    account = Account.objects.get()

    assert (response.status_code, response.url) == (303, account.get_absolute_url())
    assert (account.owner, account.created_by, account.version) == (rep, rep, 1)
    operation = Operation.objects.exclude(kind=Kind.SEED).latest("pk")
    assert (operation.kind, operation.actor) == (Kind.CREATE, rep)
    page = as_rep.get(response.url).content.decode()
    assert "Added Acme." in page
    assert f"/operations/{operation.pk}/undo/" in page


def test_create_fills_fields_from_the_address(as_rep, account):
    html = as_rep.get(url("create"), {"parent": account.pk, "name": "Below", "owner": "7"})

    assert 'value="Below"' in html.content.decode()
    assert f'value="{account.pk}" checked' in html.content.decode()


def test_a_form_that_is_sent_twice_makes_one_account(as_rep):
    data = form_data(as_rep, url("create"), name="Acme")

    first, second = (as_rep.post(url("create"), data) for _time in range(2))

    assert (first.status_code, first.url) == (second.status_code, second.url)
    assert Account.objects.count() == 1


def test_a_key_with_other_data_is_refused(as_rep):
    data = form_data(as_rep, url("create"), name="Acme")
    as_rep.post(url("create"), data)

    response = as_rep.post(url("create"), data | {"name": "Other"})

    assert response.status_code == 422
    assert Account.objects.count() == 1


def test_an_invalid_form_keeps_what_was_typed(as_rep, nothing_written):
    nothing_written()
    response = as_rep.post(url("create"), NEW | {"name": "", "site": "Hamburg", "employees": "x"})

    html = response.content.decode()
    assert response.status_code == 422
    assert 'value="Hamburg"' in html
    assert 'value="x"' in html
    assert 'href="#id_name"' in html


def test_update_changes_the_account_and_offers_to_undo(as_rep, account):
    data = form_data(as_rep, url("update", account), site="Hamburg")

    response = as_rep.post(url("update", account), data)
    account.refresh_from_db()

    assert (response.status_code, account.site, account.version) == (303, "Hamburg", 2)
    change = Change.objects.filter(object_id=account.pk, verb="updated").latest("pk")
    assert (change.before_values, change.after_values) == ({"site": ""}, {"site": "Hamburg"})
    as_rep.post(f"/operations/{change.operation_id}/undo/")
    account.refresh_from_db()
    assert account.site == ""


def test_update_without_a_change_writes_nothing(as_rep, account, nothing_written):
    data = form_data(as_rep, url("update", account))
    data.pop("key")
    nothing_written()

    assert as_rep.post(url("update", account), data).status_code == 303


def test_update_over_a_newer_version_asks_which_value_stays(as_rep, client, account, manager, rep):
    mine = form_data(as_rep, url("update", account), name="Mine", site="Mine")
    client.force_login(manager)
    theirs = form_data(client, url("update", account), name="Theirs", phone="2")
    client.post(url("update", account), theirs)
    client.force_login(rep)
    before = digest(journal=True)

    conflict = client.post(url("update", account), mine)

    assert conflict.status_code == 409
    assert digest(journal=True) == before
    html = conflict.content.decode()
    assert "Mia Manager changed" in html
    assert "Mine" in html
    assert "Theirs" in html
    assert hidden_fields(conflict)["key"] == mine["key"]

    saved = client.post(url("update", account), hidden_fields(conflict) | {"keep-name": "theirs"})
    account.refresh_from_db()
    assert saved.status_code == 303
    assert (account.name, account.site, account.phone) == ("Theirs", "Mine", "2")


def test_a_second_conflict_shows_the_same_page_again(as_rep, account):
    mine = form_data(as_rep, url("update", account), name="Mine")
    for name in ("First", "Second"):
        Account.objects.filter(pk=account.pk).update(name=name)
        conflict = as_rep.post(url("update", account), mine)
        assert conflict.status_code == 409
        mine = hidden_fields(conflict) | {"keep-name": "mine"}

    assert as_rep.post(url("update", account), mine).status_code == 303
    account.refresh_from_db()
    assert account.name == "Mine"


@pytest.mark.parametrize("version", ["", "abc", "0", "-1", "9" * 30])
def test_a_form_that_does_not_say_its_version_writes_nothing(
    as_rep, account, version, nothing_written
):
    data = form_data(as_rep, url("update", account), name="Mine", version=version)
    nothing_written()

    assert as_rep.post(url("update", account), data).status_code in (409, 422)


def test_assign_gives_the_account_to_a_team_mate(as_rep, account, manager, stranger):
    page = as_rep.get(url("assign", account)).content.decode()
    assert stranger.name not in page
    data = form_data(as_rep, url("assign", account), owner=str(manager.pk))

    assert as_rep.post(url("assign", account), data).status_code == 303
    account.refresh_from_db()
    assert account.owner == manager
    refused = as_rep.post(url("assign", account), data | {"key": "", "owner": str(stranger.pk)})
    assert refused.status_code in (403, 422)


def test_move_puts_the_account_below_another_one(as_rep, rep, account):
    parent = AccountFactory(owner=rep)
    data = form_data(as_rep, url("move", account), parent=str(parent.pk))

    assert as_rep.post(url("move", account), data).status_code == 303
    account.refresh_from_db()
    assert account.parent == parent


def test_move_below_itself_is_refused_at_the_field(as_rep, rep, account, nothing_written):
    below = AccountFactory(parent=account, owner=rep)
    data = form_data(as_rep, url("move", account), parent=str(below.pk))
    nothing_written()

    response = as_rep.post(url("move", account), data)

    assert response.status_code == 409
    assert "parent" in response.context["form"].errors


def test_move_needs_rights_on_both_parents(as_rep, account, stranger, nothing_written):
    foreign = AccountFactory(owner=stranger)
    data = form_data(as_rep, url("move", account), parent=str(foreign.pk))
    nothing_written()

    assert as_rep.post(url("move", account), data).status_code == 403


def test_add_below_fills_the_parent_and_asks_for_rights_on_it(as_rep, account, stranger):
    page = as_rep.get(url("detail", account)).context["actions"]["add_below"].url
    data = form_data(as_rep, page, name="Below")
    assert data["parent"] == str(account.pk)

    assert as_rep.post(page, data).status_code == 303
    below = Account.objects.get(name="Below")
    assert (below.parent, below.depth) == (account, 1)
    Account.objects.filter(pk=account.pk).update(owner=stranger)
    refused = as_rep.post(page, data | {"key": "", "name": "Another"})
    assert refused.status_code == 403
    assert Account.objects.filter(name="Another").count() == 0


def test_a_hidden_parent_is_refused_like_an_unknown_one(as_rep, stranger, reaches):
    reaches(account_read=reach.Scope.TEAM)
    hidden = AccountFactory(name="Secret", owner=stranger)
    data = form_data(as_rep, url("create"), name="Below")

    answers = [as_rep.post(url("create"), data | {"parent": str(pk)}) for pk in (hidden.pk, 99999)]

    messages = [answer.context["form"].errors["parent"] for answer in answers]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert messages[0] == messages[1]
    assert "Secret" not in answers[0].content.decode()


def test_private_persons_are_offered_no_place_in_a_hierarchy(as_rep, rep):
    person = AccountFactory(kind="INDIVIDUAL", owner=rep)

    actions = as_rep.get(url("detail", person)).context["actions"]

    assert actions.keys() & {"add_below", "move", "top"} == set()


def test_copy_billing_fills_the_shipping_address_and_can_be_undone(as_rep, account):
    Account.objects.filter(pk=account.pk).update(
        billing_street="Kai 1", billing_city="Hamburg", shipping_city="Riga", shipping_state="X"
    )
    page = as_rep.get(url("detail", account))
    assert page.context["actions"]["copy_billing"].post
    assert "Copy" in as_rep.get(url("copy_billing", account)).content.decode()

    response = as_rep.post(url("copy_billing", account))
    account.refresh_from_db()

    assert (response.status_code, response.url) == (303, account.get_absolute_url())
    shipping = (account.shipping_street, account.shipping_city, account.shipping_state)
    assert shipping == ("Kai 1", "Hamburg", "")
    operation = Operation.objects.latest("pk")
    after = as_rep.get(response.url)
    assert f"/operations/{operation.pk}/undo/" in after.content.decode()
    assert "copy_billing" not in after.context["actions"]
    as_rep.post(f"/operations/{operation.pk}/undo/")
    account.refresh_from_db()
    assert (account.shipping_city, account.shipping_state) == ("Riga", "X")


def test_copy_billing_without_an_address_is_refused(as_rep, account, nothing_written):
    nothing_written()

    assert as_rep.post(url("copy_billing", account)).status_code == 409


# archiving


def test_archive_puts_the_account_into_the_recycle_bin(as_rep, account):
    response = as_rep.post(url("archive", account), form_data(as_rep, url("archive", account)))
    account.refresh_from_db()

    assert (response.status_code, response.url) == (303, url("list"))
    assert account.archived_at is not None
    page = as_rep.get(url("detail", account))
    assert set(page.context["actions"]) == {"restore", "history"}
    for view in ("update", "archive", "move", "assign", "top", "tree", "copy_billing"):
        assert as_rep.get(url(view, account)).status_code == 404


def test_archive_asks_what_becomes_of_the_accounts_below(as_rep, rep, account):
    below = AccountFactory(parent=account, owner=rep)
    data = form_data(as_rep, url("archive", account))
    assert as_rep.post(url("archive", account), data).status_code == 422

    as_rep.post(url("archive", account), data | {"dependants": "archive"})

    below.refresh_from_db()
    assert below.archived_at is not None
    as_rep.post(reverse("core:restore", args=["accounts.account", account.pk]))
    below.refresh_from_db()
    account.refresh_from_db()
    assert account.archived_at is below.archived_at is None


# who may


@pytest.mark.parametrize(
    "view",
    ["list", "create", "detail", "update", "archive", "move", "top", "copy_billing", "history"],
)
def test_nobody_gets_in_without_logging_in(client, account, view, nothing_written):
    page = url(view) if view in ("list", "create") else url(view, account)
    nothing_written()

    for response in (client.get(page), client.post(page, NEW)):
        assert response.status_code == 302
        assert response.url.startswith("/login/")


@pytest.mark.parametrize("view", ["update", "archive", "move", "top", "copy_billing", "assign"])
def test_who_may_not_change_the_account_is_told_whose_it_is(
    client, account, stranger, view, nothing_written
):
    client.force_login(stranger)
    nothing_written()

    for response in (client.get(url(view, account)), client.post(url(view, account), NEW)):
        assert response.status_code == 403
        assert "Rae Rep" in response.content.decode()
    page = client.get(url("detail", account))
    assert set(page.context["actions"]) == {"call", "history", "tree"}


@pytest.mark.parametrize("role", [Role.READ_ONLY, Role.SUPPORT, Role.MARKETING])
def test_who_may_not_add_accounts_gets_no_form(client, role, nothing_written):
    client.force_login(UserFactory(role=role))
    nothing_written()

    assert client.get(url("create")).status_code == 403
    assert client.post(url("create"), NEW).status_code == 403
    assert client.get(url("list")).context["create_url"] == ""


def test_a_right_that_is_lost_between_page_and_form_counts(as_rep, rep, account, stranger):
    data = form_data(as_rep, url("update", account), name="Mine")
    Account.objects.filter(pk=account.pk).update(owner=stranger)

    assert as_rep.post(url("update", account), data).status_code == 403
    account.refresh_from_db()
    assert account.name == "Acme"


def test_other_methods_are_refused(as_rep, account):
    response = as_rep.put(url("detail", account))

    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


# -- a new owner --------------------------------------------------------------------------------


def with_belongings(account, owner, other):
    """People and deals of the account's owner and of somebody else, open and closed."""
    return {
        "person": ContactFactory(account=account, owner=owner),
        "others_person": ContactFactory(account=account, owner=other),
        "deal": OpportunityFactory(account=account, owner=owner),
        "others_deal": OpportunityFactory(account=account, owner=other),
        "won": OpportunityFactory(account=account, owner=owner, won=True),
    }


def owners_of(found):
    for record in found.values():
        record.refresh_from_db()
    return {name: record.owner for name, record in found.items()}


def test_assigning_an_account_asks_what_goes_along(client, manager, rep, team):
    colleague = UserFactory(team=team)
    account = AccountFactory(owner=rep)
    found = with_belongings(account, rep, manager)
    client.force_login(manager)
    url = reverse("accounts:account_assign", args=[account.pk])

    page = client.get(url)
    client.post(url, {"owner": colleague.pk, "along": ["people", "deals"]})

    assert page.context["form"].initial["along"] == ["people", "deals"]
    assert "Open deals (1)" in page.content.decode()
    assert owners_of(found) == {
        "person": colleague, "others_person": manager, "deal": colleague,
        "others_deal": manager, "won": rep,
    }  # fmt: skip
    account.refresh_from_db()
    assert account.owner == colleague


def test_what_is_not_ticked_stays_with_the_old_owner(client, manager, rep, team):
    colleague = UserFactory(team=team)
    account = AccountFactory(owner=rep)
    found = with_belongings(account, rep, manager)
    client.force_login(manager)

    client.post(
        reverse("accounts:account_assign", args=[account.pk]),
        {"owner": colleague.pk, "along": ["deals"]},
    )

    assert owners_of(found)["person"] == rep
    assert owners_of(found)["deal"] == colleague


def test_undo_of_an_assignment_takes_back_what_went_along(client, manager, rep, team):
    account = AccountFactory(owner=rep)
    found = with_belongings(account, rep, manager)
    before = owners_of(found)
    assign_account(account, owner=UserFactory(team=team), by=manager, along=["people", "deals"])

    undo(Operation.objects.order_by("pk").last(), by=manager)

    assert owners_of(found) == before
    account.refresh_from_db()
    assert account.owner == rep


def test_many_accounts_are_assigned_with_what_goes_along(client, manager, rep, team):
    colleague = UserFactory(team=team)
    accounts = AccountFactory.create_batch(2, owner=rep)
    found = with_belongings(accounts[0], rep, manager)
    client.force_login(manager)
    chosen = client.post(
        reverse("core:choose", args=["accounts.account"]),
        {"pick": [account.pk for account in accounts], "verb": "assign"},
    )

    client.post(chosen["Location"], {"owner": colleague.pk, "along": ["people", "deals"]})

    assert owners_of(found)["deal"] == colleague
    assert Account.objects.filter(owner=colleague).count() == 2
