import datetime
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from accounts.services import move_account
from accounts.views.tree import PAGE, PART, STEP, WHOLE, More, Tree
from contacts.services import set_direct_account
from core.models import ExchangeRate, Organisation
from core.reach import Scope
from imports.runs import import_file
from opportunities.models import Opportunity
from opportunities.templatetags.rollups import rollups_of
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, RelationFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory
from tests.pages import sent
from users.models import Role

pytestmark = pytest.mark.django_db

FOLDER = Path(os.environ.get("CRM_REAL_DATA") or "nowhere")
MAPS = Path(__file__).parent.parent / "imports" / "maps"
LONG_AGO = datetime.date(2020, 1, 1)


def url(account, query=""):
    return reverse("accounts:account_tree", args=[account.pk]) + query


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


@pytest.fixture
def group(rep):
    """A group of three levels: Group, with Foods and Logistics, and Iberia below Foods."""
    top = AccountFactory(name="Group", owner=rep)
    foods = AccountFactory(name="Foods", owner=rep, parent=top)
    return {
        "Group": top,
        "Foods": foods,
        "Iberia": AccountFactory(name="Iberia", owner=rep, parent=foods),
        "Logistics": AccountFactory(name="Logistics", owner=rep, parent=top),
    }


@pytest.fixture
def accounts_of_the_team_only(reaches):
    """Accounts are seen by the owner's team, as an organisation may decide."""
    reaches(account_read=Scope.TEAM)


def shown(response):
    """The rows of the tree as they stand on the page: level, name, number of a "more" row."""
    return [
        (row.level, f"{row.count} more" if isinstance(row, More) else named(row))
        for row in response.context["tree"].rows
    ]


def named(node):
    return "restricted" if node.is_restricted else node.account.name


def html_of(response):
    return response.content.decode()


def cells(response, account):
    """The texts of an account's row, one a cell, in their order."""
    html = html_of(response)
    row = html[html.index(f'<tr id="account-{account.pk}"') :]
    row = row[: row.index("</tr>")]
    texts = []
    for cell in row.split("<td")[1:]:
        text, inside = "", False
        for character in cell.partition(">")[2]:
            inside = character == "<" or (inside and character != ">")
            text += "" if inside or character == ">" else character
        texts.append(" ".join(text.split()))
    return texts


# what stands on the page


def test_tree_stands_there_in_its_order_with_this_account_marked(as_rep, group):
    response = as_rep.get(url(group["Foods"]))

    assert shown(response) == [(0, "Group"), (1, "Foods"), (2, "Iberia"), (1, "Logistics")]
    assert html_of(response).count('<tr id="account-') == 4
    assert f'<tr id="account-{group["Foods"].pk}" aria-current="true">' in html_of(response)


def test_archived_accounts_leave_the_tree_and_have_none(as_rep, group, rep):
    Account.objects.filter(pk=group["Iberia"].pk).update(archived_at=timezone.now())

    assert shown(as_rep.get(url(group["Foods"]))) == [(0, "Group"), (1, "Foods"), (1, "Logistics")]
    assert as_rep.get(url(group["Iberia"])).status_code == 404
    assert as_rep.get(group["Iberia"].get_absolute_url()).context["tree"] is None


def test_an_account_alone_has_a_tree_of_one(as_rep, rep):
    alone = AccountFactory(name="Alone", owner=rep)

    assert shown(as_rep.get(url(alone))) == [(0, "Alone")]
    assert "Group" not in html_of(as_rep.get(alone.get_absolute_url()))


def test_twenty_levels_stand_below_each_other(as_rep, rep):
    account = AccountFactory(name="Level 0", owner=rep)
    for level in range(1, 20):
        account = AccountFactory(name=f"Level {level}", owner=rep, parent=account)

    response = as_rep.get(url(account))

    assert shown(response) == [(level, f"Level {level}") for level in range(20)]
    assert "tree__indent--19" in html_of(response)
    assert "add_below" not in as_rep.get(account.get_absolute_url()).context["actions"]


# figures


def test_each_row_adds_up_its_branch_in_the_organisation_s_currency(as_rep, rep, group):
    ExchangeRate.objects.create(currency="GBP", valid_from=LONG_AGO, rate=Decimal("0.5"))
    OpportunityFactory(account=group["Group"], owner=rep, amount=1000)
    OpportunityFactory(account=group["Foods"], owner=rep, amount=300)
    OpportunityFactory(account=group["Iberia"], owner=rep, amount=100, currency="GBP")
    OpportunityFactory(account=group["Iberia"], owner=rep, amount=50, won=True)

    whole = as_rep.get(url(group["Foods"]))
    own = as_rep.get(url(group["Foods"], "?sums=own"))

    assert cells(whole, group["Group"])[1:4] == ["$1,500", "$150", "$50"]
    assert cells(whole, group["Foods"])[1:4] == ["$500", "$50", "$50"]
    assert cells(whole, group["Iberia"])[1:4] == ["$200", "$20", "$50"]
    assert cells(whole, group["Logistics"])[1:4] == ["$0", "$0", "$0"]
    assert cells(own, group["Group"])[1:4] == ["$1,000", "$100", "$0"]
    assert cells(own, group["Foods"])[1:4] == ["$300", "$30", "$0"]


def test_amounts_without_a_rate_are_named_beside_the_sum(as_rep, rep, group):
    OpportunityFactory(account=group["Foods"], owner=rep, amount=300)
    OpportunityFactory(account=group["Iberia"], owner=rep, amount=70, currency="CHF")

    response = as_rep.get(url(group["Foods"]))

    assert cells(response, group["Foods"])[1] == "$300and CHF 70 without a rate"
    assert cells(response, group["Iberia"])[1] == "CHF 70 without a rate"


def test_won_amounts_are_converted_by_the_rates_of_their_close_dates(as_rep, rep, group):
    for day, rate in ((LONG_AGO, "0.5"), (datetime.date(2022, 1, 1), "0.25")):
        ExchangeRate.objects.create(currency="GBP", valid_from=day, rate=Decimal(rate))
    for year in (2021, 2023):
        day = datetime.date(year, 1, 1)
        OpportunityFactory(
            account=group["Iberia"], owner=rep, amount=10, currency="GBP", won=True, close_date=day
        )

    response = as_rep.get(url(group["Foods"]))

    assert cells(response, group["Group"])[3] == "$60"  # 10 / 0.5 + 10 / 0.25
    assert "Since 2021" in html_of(as_rep.get(group["Group"].get_absolute_url()))


def test_sums_leave_out_deals_that_the_reader_may_not_see_and_say_so(client, group, rep, stranger):
    OpportunityFactory(account=group["Foods"], owner=rep, amount=300)
    OpportunityFactory(account=group["Foods"], owner=stranger, amount=7000)
    OpportunityFactory(account=group["Foods"], owner=rep, amount=11, archived_at=timezone.now())
    client.force_login(rep)

    response = client.get(url(group["Foods"]))

    assert cells(response, group["Group"])[1] == "$300"
    assert "7,000" not in html_of(response)
    assert "Sums are of the deals that you may see." in html_of(response)
    client.force_login(stranger)
    assert cells(client.get(url(group["Foods"])), group["Group"])[1] == "$7,000"


def test_figures_stand_by_currency_for_this_account_and_with_those_below(as_rep, rep, group):
    home = Organisation.current().default_currency
    OpportunityFactory(account=group["Foods"], owner=rep, amount=300)
    OpportunityFactory(account=group["Iberia"], owner=rep, amount=70, currency="CHF")
    OpportunityFactory(account=group["Iberia"], owner=rep, amount=50, won=True)
    OpportunityFactory(account=group["Iberia"], owner=rep, lost=True)
    rollups = rollups_of(group["Foods"], user=rep)
    own, whole = rollups.own(group["Foods"].pk), rollups.whole(group["Foods"].pk)

    assert set(own.totals) == {home}
    assert (own.totals[home].open_amount, own.totals[home].open_count) == (300, 1)
    assert whole.totals["CHF"].open_amount == 70
    assert (whole.totals[home].won_amount, whole.totals[home].lost_count) == (50, 1)
    assert (whole.open.amount, whole.open.unconverted) == (300, {"CHF": 70})
    html = html_of(as_rep.get(url(group["Foods"])))
    for text in ("This account", "With sub-accounts", "CHF\xa070.00", "$300.00", "$50.00"):
        assert text in html
    assert "CHF\xa070 without a rate" in html


def test_people_count_once_in_a_branch(as_rep, rep, group):
    ana = ContactFactory(owner=rep, account=group["Foods"])
    RelationFactory(account=group["Iberia"], contact=ana)
    RelationFactory(account=group["Logistics"], contact=ana)
    ContactFactory(owner=rep, account=group["Iberia"])
    gone = ContactFactory(owner=rep, account=group["Iberia"])
    set_direct_account(gone, AccountFactory(owner=rep), by=rep)
    ContactFactory(owner=rep, account=group["Iberia"], archived_at=timezone.now())

    whole = as_rep.get(url(group["Foods"]))
    own = as_rep.get(url(group["Foods"], "?sums=own"))

    names = ("Group", "Foods", "Iberia", "Logistics")
    assert [cells(whole, group[name])[4] for name in names] == ["2", "2", "2", "1"]
    assert [cells(own, group[name])[4] for name in names] == ["0", "1", "2", "1"]


# who may see what


@pytest.mark.usefixtures("accounts_of_the_team_only")
def test_hidden_accounts_are_stubs_without_name_link_or_figures(as_rep, rep, group, stranger):
    for name in ("Group", "Logistics"):
        Account.objects.filter(pk=group[name].pk).update(owner=stranger, name=f"Secret {name}")
    OpportunityFactory(account=group["Iberia"], owner=rep, amount=300)
    OpportunityFactory(account=group["Logistics"], owner=rep, amount=40)

    for page in (url(group["Foods"]), group["Foods"].get_absolute_url()):
        response = as_rep.get(page)
        assert shown(response) == [
            (0, "restricted"), (1, "Foods"), (2, "Iberia"), (1, "restricted")
        ]  # fmt: skip
        html = html_of(response)
        assert "Secret" not in html
        assert group["Group"].get_absolute_url() + '"' not in html
        assert "2 accounts here are not visible to you" in html
        assert cells(response, group["Group"])[1:5] == ["", "", "", ""]
        assert stranger.name in cells(response, group["Group"])[5]
        assert cells(response, group["Foods"])[1] == "$300"


@pytest.mark.usefixtures("accounts_of_the_team_only")
def test_a_hidden_account_has_no_tree(client, group, stranger):
    client.force_login(stranger)

    assert client.get(url(group["Foods"])).status_code == 404


def test_strangers_and_readers_see_the_tree_and_change_nothing(client, group, stranger):
    for user in (stranger, UserFactory(role=Role.READ_ONLY)):
        client.force_login(user)
        response = client.get(url(group["Foods"]))
        assert response.status_code == 200
        assert response.context["actions"] == []
        assert client.post(url(group["Foods"])).status_code == 405


def test_who_sees_no_deals_at_all_is_shown_no_figures(client, group):
    OpportunityFactory(account=group["Foods"], amount=300)
    client.force_login(UserFactory(role=Role.SUPPORT))

    html = html_of(client.get(url(group["Foods"])))

    assert "Iberia" in html
    for text in ("$300", "Weighted", "Won", "Figures by currency", "Sums are of"):
        assert text not in html


def test_nobody_gets_in_without_logging_in(client, group):
    assert client.get(url(group["Foods"])).status_code == 302


# large hierarchies


@pytest.fixture
def large(rep):
    """A top with 300 accounts below it, the first and the last with 120 and 2 below them."""
    top = AccountFactory(name="Top", owner=rep)
    branches = [
        Account(name=f"Branch {n:03}", owner=rep, parent=top, currency="USD") for n in range(300)
    ]
    branches = Account.objects.bulk_create(branches)
    for branch, count in ((branches[0], 120), (branches[-1], 2)):
        Account.objects.bulk_create(
            Account(name=f"Site {n:03}", owner=rep, parent=branch, currency="USD")
            for n in range(count)
        )
    return top, branches


def test_a_large_tree_opens_by_levels(as_rep, large):
    top, branches = large

    rows = shown(as_rep.get(url(branches[-1])))

    assert rows[0] == (0, "Top")
    assert rows[1 : STEP + 1] == [(1, f"Branch {n:03}") for n in range(STEP)]
    assert rows[STEP + 1 :] == [
        (1, "Branch 299"), (2, "Site 000"), (2, "Site 001"), (1, f"{300 - STEP - 1} more")
    ]  # fmt: skip


def test_links_open_more_of_a_large_tree_and_close_it_again(as_rep, large):
    top, branches = large
    first = branches[0]
    page = as_rep.get(url(top))
    nodes = {node.account.pk: node for node in page.context["tree"].nodes}
    toggle = nodes[first.pk].toggle
    assert toggle == f"{url(top)}?open={first.pk}#account-{first.pk}"
    assert nodes[branches[1].pk].toggle == ""

    opened = as_rep.get(toggle)
    rows = shown(opened)
    assert rows[1:4] == [(1, "Branch 000"), (2, "Site 000"), (2, "Site 001")]
    assert (2, f"{120 - STEP} more") in rows
    more = next(r.url for r in opened.context["tree"].rows if isinstance(r, More))
    assert f"open={first.pk}&open={first.pk}#" in more

    assert (2, f"{120 - 2 * STEP} more") in shown(as_rep.get(more))
    closing = next(n.toggle for n in opened.context["tree"].nodes if n.account.pk == first.pk)
    assert shown(as_rep.get(closing)) == shown(page)


def test_the_page_of_an_account_shows_the_way_to_it_and_some_below(as_rep, large):
    top, branches = large

    rows = shown(as_rep.get(branches[0].get_absolute_url()))

    assert rows[:2] == [(0, "Top"), (1, "Branch 000")]
    assert rows[2:-1] == [(2, f"Site {n:03}") for n in range(10)]
    assert rows[-1] == (2, "110 more")


@pytest.mark.parametrize(
    "query",
    ["?open=abc", "?open=-1", "?open=" + "9" * 40, "?open=1&open=1"]
    + ["?" + "&".join(f"open={n}" for n in range(500))],
)
def test_any_parameter_gives_a_tree(as_rep, group, query):
    assert len(shown(as_rep.get(url(group["Foods"], query)))) == 4


def test_a_tree_never_reads_more_rows_than_it_has_room_for(rep, large):
    top, branches = large
    tree = Tree(top, user=rep, size=PAGE, opened=[branches[0].pk] * 50)

    assert len(tree.found) == 423  # all of them: a whole level fits
    assert tree.limit <= 1000
    assert len(Tree(top, user=rep, size=PART).found) <= 21


@pytest.mark.parametrize("count", [2, WHOLE])
def test_tree_costs_the_same_for_two_accounts_and_for_two_hundred(as_rep, rep, count):
    ExchangeRate.objects.create(currency="GBP", valid_from=LONG_AGO, rate=Decimal("0.5"))
    top = AccountFactory(owner=rep)
    below = [Account(name=f"A {n}", owner=rep, parent=top) for n in range(count - 1)]
    below = Account.objects.bulk_create(below)
    for account in below[:5]:
        OpportunityFactory(account=account, owner=rep, currency="GBP")
        OpportunityFactory(account=account, owner=rep, currency="GBP", won=True)
        ContactFactory(account=account, owner=rep)

    with CaptureQueriesContext(connection) as queries:
        response = as_rep.get(url(top))

    assert len(response.context["tree"].nodes) == count
    assert len(queries) <= 10, [q["sql"][:90] for q in queries]


def test_a_tree_of_a_thousand_costs_no_more(as_rep, large):
    top, branches = large
    Account.objects.bulk_create(
        Account(name=f"Far {n:03}", owner=top.owner, parent=branches[7], currency="USD")
        for n in range(700)
    )

    with CaptureQueriesContext(connection) as queries:
        response = as_rep.get(url(top, f"?open={branches[7].pk}"))

    assert response.context["tree"].total == 1123
    assert len(response.context["tree"].rows) < 250
    assert len(queries) <= 10


# moving


def test_move_shows_the_figures_of_both_groups_first(as_rep, rep, group):
    other = AccountFactory(name="Baltic", owner=rep)
    OpportunityFactory(account=group["Iberia"], owner=rep, amount=300)
    OpportunityFactory(account=group["Logistics"], owner=rep, amount=40)
    OpportunityFactory(account=other, owner=rep, amount=5)
    page = reverse("accounts:account_move", args=[group["Foods"].pk])
    data = sent(as_rep.get(page), parent=str(other.pk), preview="1")

    response = as_rep.post(page, data)

    assert response.status_code == 200
    html = " ".join(html_of(response).split())
    assert "What would change" in html
    for row in (("Group", "$340", "$40"), ("Baltic", "$5", "$305")):
        name, now, after = row
        start = html.index(f'table__key">{name}</td>')
        text = html[start : html.index("</tr>", start)]
        assert f'num">{now} <' in text
        assert f'strong">{after} <' in text
    group["Foods"].refresh_from_db()
    assert group["Foods"].parent == group["Group"]
    assert as_rep.post(page, sent(response)).status_code == 303
    group["Foods"].refresh_from_db()
    assert group["Foods"].parent == other


def test_a_cycle_is_refused_with_the_names_of_the_chain(as_rep, group):
    page = reverse("accounts:account_move", args=[group["Group"].pk])

    for extra in ({}, {"preview": "1"}):
        data = sent(as_rep.get(page), parent=str(group["Iberia"].pk), **extra)
        response = as_rep.post(page, data)
        assert response.status_code == 409
        message = response.context["form"].errors["parent"][0]
        assert "Iberia is below Group (Group › Foods › Iberia)" in message


def test_the_refusal_of_a_deep_tree_names_the_chain(as_rep, rep, group):
    account = group["Iberia"]
    for level in range(3, 20):
        account = AccountFactory(name=f"Level {level}", owner=rep, parent=account)
    other = AccountFactory(name="Other", owner=rep)
    page = reverse("accounts:account_move", args=[other.pk])

    response = as_rep.post(page, sent(as_rep.get(page), parent=str(account.pk)))

    assert response.status_code == 409
    message = response.context["form"].errors["parent"][0]
    assert "Group › Foods › Iberia › Level 3" in message
    assert "20 levels" in message


def test_make_top_takes_the_branch_out_of_its_group(as_rep, group):
    page = reverse("accounts:account_top", args=[group["Foods"].pk])
    assert "What would change" in html_of(as_rep.get(page))

    response = as_rep.post(page, sent(as_rep.get(page)))

    group["Iberia"].refresh_from_db()
    assert response.status_code == 303
    assert group["Iberia"].ancestor_ids == [group["Foods"].pk]
    assert "Undo" in html_of(as_rep.get(response.url))
    assert as_rep.get(group["Foods"].get_absolute_url()).context["actions"].keys() >= {"move"}
    assert "top" not in as_rep.get(group["Foods"].get_absolute_url()).context["actions"]
    assert as_rep.post(page).status_code == 409


def test_make_top_needs_rights_on_the_parent(as_rep, group, stranger):
    Account.objects.filter(pk=group["Group"].pk).update(owner=stranger)
    page = reverse("accounts:account_top", args=[group["Foods"].pk])

    assert as_rep.post(page, sent(as_rep.get(page))).status_code == 403
    group["Foods"].refresh_from_db()
    assert group["Foods"].parent == group["Group"]


def test_figures_follow_a_move(rep, group):
    OpportunityFactory(account=group["Iberia"], owner=rep, amount=300)

    move_account(group["Foods"], parent=None, by=rep)

    for account in group.values():
        account.refresh_from_db()
    assert rollups_of(group["Group"], user=rep).whole(group["Group"].pk).open.amount == 0
    assert rollups_of(group["Foods"], user=rep).whole(group["Foods"].pk).open.amount == 300


# a real hierarchy


@pytest.mark.skipif(not FOLDER.is_dir(), reason="CRM_REAL_DATA names no folder")
def test_the_figures_of_the_generated_company_stand_on_its_pages(client, admin):
    settings = Organisation.current()
    settings.default_currency = "EUR"
    settings.save()
    for kind in ("accounts", "contacts", "opportunities"):
        document = json.loads((MAPS / f"demo_{kind}.json").read_text())
        import_file(FOLDER / "generated-demo" / f"{kind}.csv", kind, by=admin, document=document)
    top = Account.objects.get(external_id="A0000000")
    client.force_login(admin)

    tree, page = client.get(url(top)), client.get(top.get_absolute_url())

    assert tree.context["tree"].total == 22
    assert max(node.level for node in tree.context["tree"].nodes) == 11
    rollups = rollups_of(top, user=admin)
    whole, own = rollups.whole(top.pk).totals["EUR"], rollups.own(top.pk).totals["EUR"]
    assert (whole.open_count, whole.open_amount) == (51, Decimal("1410558.69"))
    assert abs(whole.weighted - Decimal("456757.92")) <= Decimal("0.10")  # rounded deal by deal
    assert (whole.won_count, whole.won_amount) == (31, Decimal("1056545.98"))
    assert whole.lost_count == 22
    assert (own.open_count, own.open_amount) == (17, Decimal("643052.32"))
    assert (own.won_count, own.won_amount, own.lost_count) == (12, Decimal("304837.50"), 6)
    for text in ("€1,410,558.69", "€1,056,545.98", "€643,052.32", "€304,837.50"):
        assert text in html_of(tree)
    assert cells(tree, top)[1:4] == ["€1,410,559", "€456,758", "€1,056,546"]
    for text in ("€1,410,559", "€1,056,546", "22 accounts"):
        assert text in html_of(page)
    assert set(Opportunity.objects.values_list("currency", flat=True)) == {"EUR"}
