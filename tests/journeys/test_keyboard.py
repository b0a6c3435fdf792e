"""Finding and doing things with the keyboard alone."""

import pytest
from playwright.sync_api import expect

from core.models import Seen
from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lead(rep):
    AccountFactory(name="Meridian Foods", owner=rep)
    return LeadFactory(first_name="Ana", last_name="Ruiz", company="Meridian Foods", owner=rep)


@pytest.fixture
def palette(page):
    return page.get_by_role("dialog", name="Search and commands")


def test_find_a_record_by_keyboard_and_find_it_again_among_the_recent_ones(
    page, log_in, accessible, palette, rep, lead
):
    log_in(rep)
    page.keyboard.press("Control+k")
    expect(palette).to_be_visible()
    page.keyboard.type("merid")
    options = palette.get_by_role("option")
    expect(options.first).to_contain_text("Meridian Foods")
    expect(palette.locator("mark").first).to_have_text("Merid")
    accessible()
    page.keyboard.press("ArrowDown")
    expect(palette.locator("[aria-selected=true]")).to_contain_text("Ana Ruiz")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    with page.expect_response("**/seen/**"):
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{lead.get_absolute_url()}")
    assert Seen.objects.filter(user=rep).count() == 1

    page.goto("/")
    page.keyboard.press("Control+k")
    expect(palette.get_by_role("group", name="Recent")).to_contain_text("Ana Ruiz")
    expect(palette.locator("[aria-selected=true]")).to_contain_text("Ana Ruiz")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{lead.get_absolute_url()}")


def test_enter_waits_for_the_answer_to_the_last_letter(page, log_in, palette, rep, lead):
    log_in(rep)
    page.keyboard.press("Control+k")
    page.keyboard.type("meridian")
    expect(palette.locator("[aria-selected=true]")).to_contain_text("Meridian Foods")
    expect(palette.get_by_role("status")).to_have_text("Results: 2")

    page.keyboard.press("Control+a")
    page.keyboard.type("ruiz")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{lead.get_absolute_url()}")


def test_commands_of_the_page_are_done_from_the_palette(page, log_in, palette, rep, lead):
    log_in(rep)
    page.goto(lead.get_absolute_url())
    page.locator("#field-company a").focus()
    page.keyboard.press("Control+k")
    expect(palette.get_by_role("group", name="On this page")).to_contain_text("Convert")
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    expect(page.locator("#field-company a")).to_be_focused()

    page.keyboard.press("Control+k")
    page.keyboard.type("disqual")
    expect(palette.locator("[aria-selected=true]")).to_contain_text("Disqualify")
    expect(palette.get_by_text("No record matches")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/disqualify/")


def test_keys_lead_to_pages_and_their_list_names_them(page, log_in, accessible, rep, lead):
    log_in(rep)
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/leads/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{lead.get_absolute_url()}")
    page.keyboard.press("e")
    page.wait_for_url("**/edit/")
    page.goto("/leads/")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.goto("/")
    page.keyboard.press("n")
    page.keyboard.press("a")
    page.wait_for_url("**/accounts/new/")
    page.goto("/")
    page.keyboard.press("?")
    page.wait_for_url("**/keyboard/")
    accessible()


def test_single_keys_do_nothing_once_they_are_switched_off(page, log_in, palette, rep, lead):
    log_in(rep)
    page.goto("/settings/me/")
    page.get_by_label("Single keys").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved your settings.")).to_be_visible()

    page.goto(lead.get_absolute_url())
    page.keyboard.press("e")
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.keyboard.press("Control+k")
    expect(palette).to_be_visible()
    assert page.url.endswith(lead.get_absolute_url())


def test_search_works_without_scripts(browser, live_server, rep, lead):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/?next=/")
    page.get_by_label("E-mail").fill(rep.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Search everything").click()
    page.get_by_role("searchbox").fill("ruiz")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Ana Ruiz").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana Ruiz")
    context.close()


@pytest.mark.parametrize("width", [320, 1440])
def test_search_pages_are_accessible(page, log_in, accessible, rep, lead, width):
    page.set_viewport_size({"width": width, "height": 800})
    log_in(rep)
    for url in ("/search/", "/search/?q=merid", "/search/?q=nothing", "/keyboard/"):
        page.goto(url)
        accessible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
