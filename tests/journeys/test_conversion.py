"""The main errand: leads come as a file, one is converted, taken back, converted again."""

import csv

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from accounts.models import Account
from leads.models import Conversion, Lead
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def leads_file(tmp_path, rep):
    """A small export with Salesforce's headers, as a colleague would send it."""
    path = tmp_path / "leads.csv"
    rows = [
        ("00Q1", "Ana", "Ruiz", "Meridian Foods", "ana@meridian.example", "+49 40 5550132", "Web"),
        ("00Q2", "Bo", "Holm", "Nordlys AS", "bo@nordlys.example", "+47 22 555 012", "Web"),
        ("00Q3", "Cy", "Ng", "Meridian Foods", "cy@meridian.example", "", "Trade Show"),
    ]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        head = ("Id", "FirstName", "LastName", "Company", "Email", "Phone", "LeadSource")
        writer.writerows([head, *rows])
    return path


@pytest.fixture
def imported(leads_file, admin, rep):
    call_command("import_records", "leads", str(leads_file), user=admin.email, verbosity=0)
    Lead.objects.update(owner=rep)
    return Lead.objects.get(last_name="Ruiz")


def test_a_lead_from_a_file_is_converted_taken_back_and_converted_again(
    page, log_in, rep, imported, accessible
):
    log_in(rep)
    page.goto("/leads/")
    page.get_by_role("link", name="Ana Ruiz").click()
    page.locator(".record-header").get_by_role("link", name="Convert C").click()
    expect(page.get_by_role("heading", name="Convert Ana Ruiz")).to_be_visible()
    expect(page.get_by_text("Creates account Meridian Foods")).to_be_visible()
    accessible()
    page.get_by_text("Create new").nth(2).click()
    expect(page.get_by_text("Creates opportunity Meridian Foods")).to_be_visible()

    page.get_by_role("button", name="Convert").click()
    expect(page.get_by_role("heading", name="Ana Ruiz is converted")).to_be_visible()
    expect(page.get_by_text("1 more lead looks as if it is at Meridian Foods")).to_be_visible()
    accessible()
    assert Conversion.objects.get().opportunity is not None

    page.get_by_role("main").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url(lambda url: "/undo/" not in url)
    assert not Conversion.objects.exists()
    assert not Account.objects.exists()

    page.goto(f"/leads/{imported.pk}/convert/")
    page.get_by_role("button", name="Convert").click()
    expect(page.get_by_role("heading", name="Ana Ruiz is converted")).to_be_visible()
    assert Conversion.objects.get().lead == imported


@pytest.mark.answers(409)
def test_the_same_without_javascript(browser, live_server, rep, imported):
    account = AccountFactory(owner=rep, name="Meridian", website="https://meridian.example")
    ContactFactory(owner=rep, email="ana@meridian.example", last_name="Ruiz Delgado")
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("E-mail").fill(rep.email)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()

    page.goto(f"/leads/{imported.pk}/convert/")
    page.get_by_label("Ruiz", exact=True).check()
    page.get_by_role("button", name="Convert").click()
    expect(page.get_by_text("Check again, then convert")).to_be_visible()
    expect(page.get_by_text("becomes")).to_be_visible()
    assert not Conversion.objects.exists()

    page.get_by_role("button", name="Convert").click()
    expect(page.get_by_role("heading", name="Ana Ruiz is converted")).to_be_visible()
    conversion = Conversion.objects.get()
    assert (conversion.account, conversion.contact.last_name) == (account, "Ruiz")
    page.get_by_role("main").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    assert not Conversion.objects.exists()
    context.close()
