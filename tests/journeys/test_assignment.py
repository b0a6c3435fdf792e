"""Making a rule, trying it, and handing a lead over to somebody of another team."""

import pytest
from playwright.sync_api import expect

from tests.factories.leads import LeadFactory, QueueFactory
from tests.factories.users import TeamFactory, UserFactory
from users.models import Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_rule_is_made_and_tried(page, log_in, admin, accessible):
    QueueFactory(name="Inbound", members=[UserFactory(name="Ann Able")])
    LeadFactory(first_name="Ana", last_name="Ruiz", rating="HOT", owner=admin)
    LeadFactory(first_name="Bea", last_name="Kohl", rating="COLD", owner=admin)
    log_in(admin)
    page.goto("/leads/rules/new/")
    page.get_by_label("Name").fill("Hot ones")
    page.get_by_label("Or to the queue").select_option("Inbound")
    page.get_by_label("Field of a new condition").select_option("rating")
    page.get_by_role("button", name="Add condition").click()
    expect(page.get_by_label("Name")).to_have_value("Hot ones")
    page.get_by_role("group", name="Rating").get_by_label("Hot").check()
    accessible()
    page.get_by_role("button", name="Add assignment rule").last.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Assignment rules")
    expect(page.locator("tbody tr")).to_contain_text("Rating is Hot")
    accessible()
    page.get_by_role("link", name="Try the rules").click()
    page.get_by_label("Lead", exact=True).fill("Ruiz")
    page.get_by_label("Ana Ruiz").check()
    page.get_by_role("button", name="Try", exact=True).click()

    expect(page.get_by_role("heading", name="Ana Ruiz would go to Ann Able")).to_be_visible()
    accessible()


def test_a_lead_is_handed_over_and_accepted(page, log_in, rep, accessible):
    sdr = UserFactory(name="Sid Sdr", role=Role.SDR, team=TeamFactory(name="Development"))
    lead = LeadFactory(first_name="Ana", last_name="Ruiz", owner=sdr, lifecycle="SQL")
    log_in(sdr)
    page.goto(lead.get_absolute_url())
    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Hand over").click()
    page.get_by_label("Representative").select_option("Rae Rep")
    page.get_by_label("Note").fill("Needs a quote for 40 seats by March.")
    accessible()
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("who has not answered yet")).to_be_visible()
    accessible()

    page.context.clear_cookies()
    log_in(rep)
    page.get_by_role("link", name="Ana Ruiz").click()
    expect(page.get_by_text("Sid Sdr hands this lead over to you.")).to_be_visible()
    accessible()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status")).to_contain_text("Accepted Ana Ruiz. It is yours now.")
    lead.refresh_from_db()
    assert lead.owner == rep
