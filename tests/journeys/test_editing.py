"""Changing values where they stand, with the keyboard, on pages and in lists."""

import pytest
from playwright.sync_api import expect

from core.journal import Operation
from leads.models import Lead
from tests.factories.leads import LeadFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lead(rep):
    return LeadFactory(
        first_name="Ana",
        last_name="Ruiz",
        company="Meridian Foods",
        email="ana@meridian.example",
        phone="+49 40 5550132",
        owner=rep,
    )


def focused(page):
    return page.evaluate("document.activeElement.closest('[data-cell]')?.id")


def test_change_a_value_on_the_page_by_keyboard_and_undo_it(page, log_in, accessible, rep, lead):
    log_in(rep)
    page.goto(lead.get_absolute_url())
    value = page.locator("#field-company a")
    value.focus()
    page.keyboard.press("Enter")
    box = page.get_by_label("Company")
    expect(box).to_be_focused()
    assert page.evaluate("getSelection().toString()") == "Meridian Foods"
    accessible()

    page.keyboard.press("Escape")
    expect(value).to_be_focused()
    expect(value).to_contain_text("Meridian Foods")

    page.keyboard.press("Enter")
    expect(box).to_be_focused()
    page.keyboard.type("Meridian Foods GmbH")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved Ana Ruiz.")
    expect(value).to_be_focused()
    expect(value).to_contain_text("Meridian Foods GmbH")
    expect(page.locator(".record-header")).to_contain_text("Meridian Foods GmbH")
    assert focused(page) == "field-company"

    page.keyboard.press("z")
    expect(page.get_by_role("status")).to_contain_text("Undid")
    expect(value).not_to_contain_text("GmbH")


@pytest.mark.answers(422)
def test_refused_value_keeps_its_text_and_other_open_fields_keep_theirs(page, log_in, rep, lead):
    log_in(rep)
    page.goto(lead.get_absolute_url())
    page.locator("#field-company a").click()
    page.get_by_label("Company").fill("Typed, not saved")
    page.locator("#field-email").hover()
    page.get_by_role("link", name="Edit E-mail", exact=True).click()
    page.get_by_label("E-mail", exact=True).fill("ana(at)x")
    page.keyboard.press("Enter")
    expect(page.locator("#field-email .field__error")).to_be_visible()
    expect(page.get_by_label("E-mail", exact=True)).to_have_value("ana(at)x")
    expect(page.get_by_label("E-mail", exact=True)).to_be_focused()

    page.get_by_label("E-mail", exact=True).fill("ana@ruiz.example")
    page.keyboard.press("Enter")
    expect(page.locator("#field-email")).to_contain_text("ana@ruiz.example")
    expect(page.get_by_label("Company")).to_have_value("Typed, not saved")

    page.get_by_label("Company").press("Enter")
    expect(page.locator("#field-company a")).to_contain_text("Typed, not saved")
    lead.refresh_from_db()
    assert (lead.company, lead.email, lead.version) == ("Typed, not saved", "ana@ruiz.example", 3)


@pytest.mark.answers(409)
def test_value_that_somebody_else_changed_is_shown_beside_mine(page, log_in, accessible, rep, lead):
    log_in(rep)
    page.goto(lead.get_absolute_url())
    page.locator("#field-company a").click()
    page.get_by_label("Company").fill("Mine")
    theirs = Lead.objects.get(pk=lead.pk)
    theirs.company = "Theirs"
    theirs.save()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your changes are not saved yet")
    accessible()
    page.get_by_role("button", name="Save with these choices").click()
    expect(page.locator("#field-company a")).to_contain_text("Mine")


def test_change_a_cell_of_a_list_and_open_its_neighbours(page, log_in, accessible, rep, lead):
    LeadFactory(first_name="", last_name="Aalto", owner=rep)
    LeadFactory(first_name="", last_name="Zorn", owner=rep)
    log_in(rep)
    page.goto("/leads/?sort=name")
    accessible()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Ana Ruiz", exact=True))
    cell = row.get_by_role("cell").nth(2)
    cell.hover()
    cell.get_by_role("link").click()
    cell.get_by_role("textbox", name="Company").fill("Ruiz GmbH")
    page.keyboard.press("Enter")
    expect(cell).to_contain_text("Ruiz GmbH")
    expect(cell.get_by_role("link")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("Saved Ana Ruiz.")

    page.get_by_role("link", name="Aalto", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Aalto")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana Ruiz")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("Zorn")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana Ruiz")
    page.get_by_label("Breadcrumb").get_by_role("link", name="Leads").click()
    page.wait_for_url("**/leads/?sort=name")


def test_change_a_value_without_scripts(browser, live_server, rep, lead):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/?next=/leads/?sort=name")
    page.get_by_label("E-mail").fill(rep.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Ana Ruiz", exact=True).click()
    page.locator("#field-company a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Edit Ana Ruiz")
    page.get_by_label("Company").fill("")
    page.get_by_label("Company").fill("Ruiz GmbH")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#field-company")).to_contain_text("Ruiz GmbH")
    expect(page.get_by_text("Saved Ana Ruiz.")).to_be_visible()
    assert Operation.objects.filter(changes__model="leads.lead").count() == 2
    context.close()


@pytest.mark.answers(401)
def test_session_that_ended_leads_to_the_login_and_back(page, log_in, rep, lead):
    log_in(rep)
    page.goto(lead.get_absolute_url())
    page.context.clear_cookies()
    page.locator("#field-company a").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    assert f"next={lead.get_absolute_url()}" in page.url


@pytest.mark.parametrize("width", [320, 390])
def test_fields_are_edited_on_a_phone(page, log_in, accessible, rep, lead, width):
    page.set_viewport_size({"width": width, "height": 800})
    log_in(rep)
    page.goto(lead.get_absolute_url())
    page.locator("#field-company a").click()
    page.locator("#field-billing_street, #field-street").get_by_role("link").click()
    expect(page.get_by_label("Postal code")).to_be_visible()
    accessible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
