"""Sharing a record in a browser: at a desk, in the dark, on a phone."""

import pytest
from playwright.sync_api import expect

from core.views.base import url_of
from tests.factories.opportunities import OpportunityFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_colleague_joins_a_deals_team_and_leaves_it_again(
    page, log_in, accessible, rep, stranger
):
    deal = OpportunityFactory(owner=rep)
    log_in(rep)
    page.goto(deal.get_absolute_url())
    page.get_by_role("region", name="Deal team").get_by_role("link", name="Add").click()
    page.get_by_label("User").select_option(label=str(stranger))
    accessible()
    page.get_by_role("button", name="Share", exact=True).click()

    row = page.get_by_role("row").filter(has_text=str(stranger))
    expect(row).to_contain_text("can read")
    page.set_viewport_size({"width": 390, "height": 844})
    accessible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.goto(url_of(deal, "sharing"))
    row.get_by_role("button", name="End").click()
    expect(page.get_by_text("With nobody.")).to_be_visible()
