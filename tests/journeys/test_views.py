"""Filtering a list, keeping it as a view, pinning it."""

import re

import pytest
from playwright.sync_api import expect

from core.models import SavedView
from tests.factories.leads import LeadFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def leads(rep):
    LeadFactory(last_name="Hot", rating="HOT", email="", owner=rep)
    LeadFactory(last_name="Warm", rating="WARM", owner=rep)
    LeadFactory(last_name="Cold", rating="COLD", owner=rep)


def test_filter_leads_keep_the_view_and_find_it_in_the_navigation(
    page, log_in, rep, leads, accessible
):
    log_in(rep)
    page.goto("/leads/")
    page.get_by_text("Add filter").click()
    page.get_by_role("link", name="All conditions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Filter leads")

    page.get_by_label("Field of a new condition").first.select_option("rating")
    page.get_by_role("button", name="Add condition").first.click()
    for rating in ("Hot", "Warm"):
        page.get_by_role("group", name="Rating").get_by_label(rating).check()
    page.get_by_label("Field of a new condition").first.select_option("email")
    page.get_by_role("button", name="Add condition").first.click()
    accessible()

    page.get_by_label("How E-mail compares").select_option("empty")
    expect(page.get_by_label("E-mail", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Remove filter E-mail is empty").click()
    expect(page.locator("tbody tr")).to_have_count(2)

    page.get_by_role("link", name="Save view").click()
    page.get_by_label("Name").fill("Worth a call")
    page.get_by_label("Pinned").check()
    page.get_by_role("button", name="Save view").click()

    expect(page).to_have_url(re.compile(r"/leads/\?view=\d+"))
    expect(page.get_by_role("status")).to_contain_text("Saved the view Worth a call.")
    tabs = page.get_by_role("navigation", name="Views")
    expect(tabs.get_by_role("link", name="Worth a call")).to_have_attribute("aria-current", "page")
    pin = page.get_by_role("navigation", name="Main").get_by_role("link", name="Worth a call")
    expect(pin).to_contain_text("2")
    expect(page.locator("tbody tr")).to_have_count(2)
    accessible()

    page.get_by_role("link", name="Edit view").click()
    page.get_by_role("link", name="Remove view").click()
    page.get_by_role("button", name="Remove view").click()
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undid")
    assert SavedView.objects.get().name == "Worth a call"
