import re

import pytest
from playwright.sync_api import expect

from accounts.models import Account
from accounts.services import move_account
from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def account(rep):
    return AccountFactory(name="Meridian Foods", owner=rep, employees=420)


def test_find_an_account_while_typing_and_go_on_to_the_next_page(page, log_in, rep, accessible):
    for number in range(55):
        AccountFactory(name=f"Baltic {number}", owner=rep)
    log_in(rep)
    page.goto("/accounts/")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(50)
    accessible()

    page.get_by_role("link", name="Older").click()
    expect(page).to_have_url(re.compile("after="))
    expect(rows).to_have_count(5)
    page.get_by_role("link", name="Newer").click()
    expect(rows).to_have_count(50)

    page.get_by_label("Search in Accounts").press_sequentially("baltic 54")
    expect(page).to_have_url(re.compile("q=baltic"))
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Search in Accounts")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect(rows).to_have_count(50)
    kept = page.evaluate(
        "Object.values(sessionStorage).join() + Object.values(localStorage).join()"
    )
    assert "Baltic" not in kept  # it would outlive the log-out


def test_filter_by_the_menu_and_take_the_filter_away(page, log_in, rep, account, accessible):
    AccountFactory(name="Baltic", status="TARGET")
    log_in(rep)
    page.goto("/accounts/")

    page.get_by_text("Add filter").click()
    page.get_by_role("search").get_by_role("button", name="Created").click()
    accessible()
    page.get_by_text("Add filter").click()
    page.get_by_role("search").get_by_role("button", name="Status").click()
    page.get_by_role("combobox", name="Status").select_option("TARGET")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Remove filter Status is Target").click()
    expect(page.locator("tbody tr")).to_have_count(2)


@pytest.mark.answers(409)
def test_keep_both_changes_when_two_people_edit(page, log_in, rep, account, accessible):
    log_in(rep)
    page.goto(f"/accounts/{account.pk}/")
    page.get_by_role("link", name=re.compile("^Edit")).first.click()
    page.get_by_label(re.compile("^Name")).fill("Meridian Group")
    page.get_by_label("Site", exact=True).fill("Hamburg")
    Account.objects.filter(pk=account.pk).update(name="Meridian SE", phone="+49 40 5550")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your changes are not saved yet")
    accessible()
    page.get_by_label("Meridian SE").check()
    page.get_by_role("button", name="Save with these choices").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Meridian SE")
    account.refresh_from_db()
    assert (account.name, account.site, account.phone) == ("Meridian SE", "Hamburg", "+49 40 5550")


def test_undo_from_the_message(page, log_in, rep, account):
    log_in(rep)
    page.goto(f"/accounts/{account.pk}/edit/")
    page.get_by_label("Site", exact=True).fill("Hamburg")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved Meridian Foods.")

    page.get_by_role("status").get_by_role("button", name="Undo").click()

    expect(page.get_by_role("status")).to_contain_text("Undid: Edited Meridian Foods")
    account.refresh_from_db()
    assert account.site == ""


def test_choose_a_parent_by_typing(page, log_in, rep, account, accessible):
    AccountFactory(name="Baltic Group", owner=rep)
    log_in(rep)
    page.goto(f"/accounts/{account.pk}/move/")

    page.get_by_label("New parent account").press_sequentially("balt")
    page.get_by_label("Baltic Group").check()
    accessible()
    page.get_by_role("button", name="Move").click()

    expect(page.get_by_role("navigation", name="Breadcrumb")).to_contain_text("Baltic Group")


@pytest.mark.answers(422)
def test_without_a_script_a_parent_is_typed_and_ticked(
    browser, live_server, rep, account, log_in, page
):
    AccountFactory(name="Baltic Group", owner=rep)
    AccountFactory(name="Baltic Foods", owner=rep)
    log_in(rep)
    context = browser.new_context(
        base_url=live_server.url,
        java_script_enabled=False,
        storage_state=page.context.storage_state(),
    )
    plain = context.new_page()
    plain.goto(f"/accounts/{account.pk}/move/")

    plain.get_by_label("New parent account").fill("baltic")
    plain.get_by_role("button", name="Move").click()
    expect(plain.get_by_text("Tick one of the matches below.").first).to_be_visible()
    plain.get_by_label("Baltic Group").check()
    plain.get_by_role("button", name="Move").click()

    expect(plain.get_by_role("navigation", name="Breadcrumb")).to_contain_text("Baltic Group")
    context.close()


@pytest.fixture
def group(rep, account):
    """Meridian Foods below Meridian Group, with two accounts below it and some deals."""
    top = AccountFactory(name="Meridian Group", owner=rep)
    move_account(account, parent=top, by=rep)
    polska = AccountFactory(name="Meridian Polska", owner=rep, parent=account)
    AccountFactory(name="Meridian Iberia", owner=rep, parent=account)
    OpportunityFactory(name="Freezer hall", account=polska, owner=rep, amount=22000)
    OpportunityFactory(name="First order", account=account, owner=rep, amount=500, won=True)
    Account.objects.filter(pk=account.pk).update(website="https://meridian.example")
    LeadFactory(last_name="Kessler", email="kessler@meridian.example", owner=rep)
    return top


def test_see_the_group_and_what_it_adds_up_to(page, log_in, rep, account, group, accessible):
    log_in(rep)
    page.goto(f"/accounts/{account.pk}/")
    panel = page.get_by_role("region", name="Group", exact=True)
    expect(panel.get_by_role("row", name="Meridian Foods")).to_contain_text("$22,000")
    expect(page.get_by_role("region", name="Leads that may belong here")).to_contain_text(
        "Same domain meridian.example"
    )
    accessible()

    panel.get_by_role("link", name="This account").click()
    expect(panel.get_by_role("row", name="Meridian Foods")).to_contain_text("$500")
    expect(panel.get_by_role("row", name="Meridian Foods")).not_to_contain_text("$22,000")
    panel.get_by_role("link", name="Whole hierarchy").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hierarchy of Meridian Foods")
    accessible()

    page.get_by_role("link", name="This account").click()
    expect(page).to_have_url(re.compile("sums=own"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Hierarchy of Meridian Foods")
    page.get_by_role("link", name="Meridian Polska").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Meridian Polska")


def test_convert_a_lead_that_belongs_here(page, log_in, rep, account, group):
    log_in(rep)
    page.goto(f"/accounts/{account.pk}/")

    page.get_by_role("link", name=re.compile("Convert .*Kessler into this account")).click()

    expect(page.get_by_role("radio", name=re.compile("Meridian Foods")).first).to_be_checked()


def test_look_at_the_figures_before_moving(page, log_in, rep, account, group, accessible):
    AccountFactory(name="Baltic Group", owner=rep)
    log_in(rep)
    page.goto(f"/accounts/{account.pk}/move/")
    page.get_by_label("New parent account").press_sequentially("balt")
    page.get_by_label("Baltic Group").check()
    page.get_by_role("button", name="Show what would change").click()

    change = page.get_by_role("region", name="What would change", exact=True)
    expect(change.get_by_role("row", name="Baltic Group")).to_contain_text("$22,000")
    accessible()
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Moved Meridian Foods.")
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("navigation", name="Breadcrumb")).to_contain_text("Meridian Group")


def test_copy_the_billing_address_from_the_menu(page, log_in, rep, account):
    Account.objects.filter(pk=account.pk).update(billing_city="Hamburg")
    log_in(rep)
    page.goto(f"/accounts/{account.pk}/")
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Copy billing to shipping address").click()

    expect(page.get_by_role("status")).to_contain_text("Copied the billing address")
    account.refresh_from_db()
    assert account.shipping_city == "Hamburg"
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undid")


@pytest.fixture
def large(rep):
    top = AccountFactory(name="Atlas", owner=rep)
    regions = Account.objects.bulk_create(
        Account(name=f"Region {n:02}", owner=rep, parent=top, currency="USD") for n in range(60)
    )
    for region in regions[:4]:
        Account.objects.bulk_create(
            Account(name=f"{region.name} Site {n:02}", owner=rep, parent=region, currency="USD")
            for n in range(60)
        )
    return top


def test_open_and_close_the_levels_of_a_large_group(page, log_in, rep, large, accessible):
    log_in(rep)
    page.goto(f"/accounts/{large.pk}/tree/")
    expect(page.get_by_text("301 accounts")).to_be_visible()
    expect(page.get_by_text("Region 02 Site 00")).to_have_count(0)

    page.get_by_role("link", name="60 below Region 02").click()
    expect(page.get_by_role("link", name="Region 02 Site 00")).to_be_visible()
    expect(page.get_by_role("link", name="60 below Region 02")).to_be_focused()
    accessible()
    page.get_by_role("link", name="10 more accounts below Region 02").click()
    expect(page.get_by_role("link", name="Region 02 Site 59")).to_be_visible()
    page.get_by_role("link", name="60 below Region 02").click()
    expect(page.get_by_text("Region 02 Site 00")).to_have_count(0)


def test_without_a_script_the_group_opens_as_well(browser, live_server, rep, large, log_in, page):
    log_in(rep)
    context = browser.new_context(
        base_url=live_server.url,
        java_script_enabled=False,
        storage_state=page.context.storage_state(),
        viewport={"width": 390, "height": 844},
    )
    plain = context.new_page()
    plain.goto(f"/accounts/{large.pk}/tree/")

    plain.get_by_role("link", name="60 below Region 02").click()
    expect(plain.get_by_role("link", name="Region 02 Site 00")).to_be_visible()
    plain.get_by_role("link", name="Region 02 Site 00").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Region 02 Site 00")
    context.close()
