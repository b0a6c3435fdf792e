import datetime
import re

import pytest
from playwright.sync_api import expect

from contacts.models import Contact
from opportunities.models import Opportunity, Stage
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, RelationFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory
from tests.factories.users import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def meridian(rep):
    return AccountFactory(name="Meridian Foods", owner=rep)


@pytest.fixture
def ana(rep, meridian):
    return ContactFactory(
        first_name="Ana",
        last_name="Ruiz",
        owner=rep,
        account=meridian,
        title="Buyer",
        mobile="+49 171 5550132",
        email="ana@meridian.example",
    )


def step(page, name):
    return page.get_by_label("Stage", exact=True).get_by_role("button", name=name)


@pytest.mark.answers(422)
def test_a_deal_begins_with_a_person_and_is_won(page, log_in, rep, ana, accessible):
    stage = Stage.objects.get(name="Needs Analysis")
    stage.required_fields = ["next_step"]
    stage.exit_criteria = "Know who decides."
    stage.save()
    log_in(rep)
    page.goto(ana.get_absolute_url())
    accessible()

    page.locator(".record-header").get_by_role("link", name="Add deal").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Meridian Foods – ")
    accessible()
    page.get_by_label("Name", exact=True).fill("Sentry 200")
    page.get_by_label("Amount", exact=True).fill("48,000")
    page.get_by_role("button", name="Add opportunity").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sentry 200")
    expect(page.get_by_role("region", name="Buying committee, table")).to_contain_text("Ana Ruiz")

    step(page, "Needs Analysis").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What “Needs Analysis” needs")
    accessible()
    page.get_by_label("Next step", exact=True).fill("Send the savings sheet")
    page.get_by_role("button", name="Move").click()
    expect(page.locator("[aria-current=step]")).to_have_text("Needs Analysis")
    accessible()

    page.get_by_text("Close deal").click()
    page.get_by_role("link", name="Mark as won").click()
    accessible()
    page.get_by_role("button", name="Mark as won").click()
    expect(page.get_by_text("Won Sentry 200.")).to_be_visible()
    expect(page.locator("[aria-current=step]")).to_have_text("Closed Won")
    accessible()
    assert Opportunity.objects.get().is_won


def test_a_person_changes_jobs_and_it_is_taken_back(page, log_in, rep, ana, accessible):
    AccountFactory(name="Baltic Cold", owner=rep)
    deal = OpportunityFactory(name="Sentry 200", account=ana.account, owner=rep)
    RoleFactory(opportunity=deal, contact=ana, role="Evaluator")
    log_in(rep)
    page.goto(ana.get_absolute_url())

    page.get_by_role("link", name="Change job").click()
    accessible()
    page.get_by_label("New account", exact=True).press_sequentially("baltic")
    page.get_by_label("Baltic Cold").check()
    page.get_by_label("Title", exact=True).fill("Head of Operations")
    page.get_by_label("Sentry 200").select_option(label="Has left, nobody takes over yet")
    page.get_by_role("button", name="Change job").click()

    expect(page.get_by_role("region", name="Accounts, table")).to_contain_text("Baltic Cold")
    expect(page.get_by_text("1 now, 1 before")).to_be_visible()
    accessible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 now", exact=True)).to_be_visible()
    contact = Contact.objects.get(pk=ana.pk)
    assert (contact.account.name, contact.title) == ("Meridian Foods", "Buyer")


def test_pages_work_without_scripts_and_fit_a_phone(browser, live_server, rep, ana, meridian):
    """Move a deal, end a relation and look at the people of a group, all by plain forms."""
    deal = OpportunityFactory(
        name="Sentry 200", account=meridian, owner=rep, close_date=datetime.date(2031, 1, 1)
    )
    RoleFactory(opportunity=deal, contact=ana, role="Evaluator", is_primary=True)
    RelationFactory(contact=ana, account=AccountFactory(name="Baltic", owner=rep))
    below = AccountFactory(name="Meridian Iberia", parent=meridian, owner=rep)
    ContactFactory(last_name="Kessler", account=below, owner=rep)
    context = browser.new_context(
        base_url=live_server.url, java_script_enabled=False, viewport={"width": 320, "height": 800}
    )
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("E-mail").fill(rep.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    page.goto(deal.get_absolute_url())
    step(page, "Qualification").click()
    expect(page.locator("[aria-current=step]")).to_have_text("Qualification")

    page.goto(ana.get_absolute_url())
    page.get_by_role("row", name=re.compile("Baltic")).get_by_role("link", name="End").click()
    page.get_by_role("button", name="End relation").click()
    expect(page.get_by_text("1 now, 1 before")).to_be_visible()

    page.goto(meridian.get_absolute_url())
    page.get_by_role("link", name="With accounts below").click()
    expect(page.get_by_role("region", name="People, table")).to_contain_text("Kessler")
    for path in ("/contacts/", "/opportunities/", deal.get_absolute_url(), ana.get_absolute_url()):
        page.goto(path)
        box = page.locator("main").bounding_box()
        assert box["width"] <= 320
    context.close()
