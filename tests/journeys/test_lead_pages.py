"""Working a lead in the browser, until it is given up and taken up again."""

import pytest
from playwright.sync_api import expect

from leads.conversion import ConversionChoices, convert_lead
from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = (1440, 390)


@pytest.fixture
def lead(rep):
    AccountFactory(name="Meridian Foods", website="https://meridian.example", owner=rep)
    return LeadFactory(
        first_name="Ana",
        last_name="Ruiz",
        company="Meridian Foods",
        email="ana@meridian.example",
        phone="+49 40 5550132",
        interest="HIGH",
        budget=48000,
        budget_status="APPROVED",
        owner=rep,
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_of_leads_are_accessible(page, log_in, accessible, rep, lead, width):
    converted = LeadFactory(last_name="Ferri", owner=rep)
    convert_lead(converted, by=rep, choices=ConversionChoices())
    dead = LeadFactory(last_name="Price", owner=rep, dead=True)
    page.set_viewport_size({"width": width, "height": 900})
    log_in(rep)

    for url in (
        "/leads/",
        "/leads/?status=abc&show=created",
        "/leads/new/",
        lead.get_absolute_url(),
        f"{lead.get_absolute_url()}edit/",
        f"{lead.get_absolute_url()}disqualify/",
        f"{lead.get_absolute_url()}nurture/",
        converted.get_absolute_url(),
        dead.get_absolute_url(),
    ):
        page.goto(url)
        accessible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.answers(422)
def test_work_a_lead_give_it_up_and_take_it_up_again(browser, live_server, rep, lead, scripts):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=scripts)
    page = context.new_page()
    page.goto("/login/?next=/leads/")
    page.get_by_label("E-mail").fill(rep.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("link", name="Ana Ruiz").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ana Ruiz")
    expect(page.get_by_role("link", name="Meridian Foods", exact=True)).to_be_visible()
    page.get_by_text("Why 50?").click()
    expect(page.get_by_role("row", name="Authority not asked yet")).to_be_visible()

    page.get_by_role("button", name="Working").click()
    expect(page.locator("[aria-current=step]")).to_have_text("Working - Contacted")
    expect(page.get_by_text("Set Ana Ruiz to Working - Contacted.")).to_be_visible()

    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Disqualify").click()
    page.get_by_role("button", name="Disqualify").click()
    page.get_by_label("Reason").select_option("Timing")
    page.get_by_role("button", name="Disqualify").click()
    expect(page.get_by_text("Given up: Timing.")).to_be_visible()

    page.goto("/leads/")
    expect(page.get_by_role("heading", name="No leads in this view")).to_be_visible()
    page.get_by_role("link", name="Not converted").click()
    page.get_by_role("link", name="Ana Ruiz").click()
    page.get_by_role("link", name="Reopen").click()
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator("[aria-current=step]")).to_have_text("Working - Contacted")
    context.close()
