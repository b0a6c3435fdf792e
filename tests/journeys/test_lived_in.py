"""Days of those who live in it: leads worked by keyboard, leads given over, a first day."""

import csv
import os
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from core.journal import Operation
from leads.models import Conversion, Lead, Phase
from tests.factories.leads import LeadFactory
from tests.factories.users import UserFactory
from users.models import Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DATA = os.environ.get("CRM_REAL_DATA")
FILES = ("salesforce-dev-export-2026/Lead.csv", "locale-variants/leads_utf8.csv")


@pytest.fixture
def worked(admin, tmp_path):
    """Twenty leads that came in by files, real ones if there are some at hand."""
    files = [Path(DATA, name) for name in FILES] if DATA else [written(tmp_path / "leads.csv")]
    for file in files:
        call_command(
            "import_records",
            "leads",
            str(file),
            user=admin.email,
            result=str(tmp_path / f"{file.stem}.result.csv"),
            verbosity=0,
        )
    leads = Lead.objects.filter(phase__in=[Phase.OPEN, Phase.WORKING]).exclude(email="")
    found = list(leads.exclude(company="").exclude(first_name="").order_by("pk")[:20])
    assert len(found) == 20
    return found


def written(path):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Id", "FirstName", "LastName", "Company", "Email", "LeadSource"))
        for number in range(20):
            name = "Abcdefghijklmnopqrst"[number] * 3
            writer.writerow(
                (f"00Q{number}", name, f"Ruiz{number}", f"Works {name}",
                 f"ana@works{number}.example", "Web"),
            )  # fmt: skip
    return path


class Keyboard:
    """Works a page with nothing but keys."""

    def __init__(self, page):
        self.page = page

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def find(self, text, *, at):
        """Open a record by the palette."""
        self.press("Control+k")
        palette = self.page.get_by_role("dialog", name="Search and commands")
        expect(palette).to_be_visible()
        self.page.keyboard.type(text)
        expect(palette.locator("[aria-selected=true]")).to_contain_text(at)
        self.press("Enter")

    def command(self, text, *, at):
        self.find(text, at=at)

    def go_to(self, selector):
        """Tab until an element that fits has the focus."""
        for _number in range(200):
            self.press("Tab")
            if self.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"{selector} can't be reached by Tab")


def test_twenty_leads_of_a_file_are_worked_by_keyboard_alone(page, log_in, admin, worked):
    colleague = UserFactory(name="Cleo Colleague")
    keys = Keyboard(page)
    log_in(admin)

    for lead in worked:
        keys.find(lead.email, at=str(lead))
        page.wait_for_url(f"**{lead.get_absolute_url()}")

        keys.go_to("#field-title a")
        keys.press("Enter")
        expect(page.get_by_label("Title", exact=True)).to_be_focused()
        page.keyboard.type("Buyer")
        keys.press("Enter")
        expect(page.locator("#field-title a")).to_contain_text("Buyer")
        expect(page.locator("#field-title a")).to_be_focused()

        keys.press("a")
        page.wait_for_url("**/assign/")
        keys.go_to("select[name=owner]")
        page.keyboard.type("Cleo")
        keys.press("Control+Enter")
        page.wait_for_url(f"**{lead.get_absolute_url()}")

        keys.press("s")
        page.wait_for_url("**/status/")
        keys.go_to("select[name=status]")
        page.keyboard.type("Qualified")
        keys.press("Control+Enter")
        page.wait_for_url(f"**{lead.get_absolute_url()}")

        keys.press("c")
        page.wait_for_url("**/convert/")
        keys.go_to("main form input:not([type=hidden])")
        keys.press("Control+Enter")
        expect(page.get_by_role("heading", name=f"{lead} is converted")).to_be_visible()

    assert Conversion.objects.filter(lead__in=worked).count() == 20
    assert Lead.objects.filter(pk__in=[lead.pk for lead in worked], title="Buyer").count() == 20
    assert Lead.objects.filter(owner=colleague, phase=Phase.CONVERTED).count() == 20

    keys.go_to("main a[href$='/undo/']")
    keys.press("Enter")
    page.wait_for_url("**/undo/")
    keys.go_to("main button[type=submit]")
    keys.press("Enter")
    page.wait_for_url(lambda url: "/undo/" not in url)
    assert Conversion.objects.filter(lead__in=worked).count() == 19


def test_a_manager_gives_500_leads_to_somebody_else_and_takes_it_back(
    page, log_in, rep, manager, team, accessible
):
    colleague = UserFactory(name="Cleo Colleague", team=team, role=Role.REP)
    LeadFactory.create_batch(500, owner=rep, company="Meridian Foods")
    log_in(manager)
    page.goto("/leads/?view=all")
    page.get_by_label("Select all on this page").check()
    expect(page.get_by_text("50 selected")).to_be_visible()
    accessible()
    page.get_by_label("All 500 that match").check()
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Assign 500 leads")).to_be_visible()
    page.get_by_label("New owner").select_option(label="Cleo Colleague")
    page.get_by_role("button", name="Show what would happen").click()
    expect(page.get_by_text("200 would be changed. 300 more were not tried out.")).to_be_visible()
    accessible()
    assert not Lead.objects.filter(owner=colleague).exists()

    page.get_by_role("button", name="Assign 500 leads").click()
    expect(page.get_by_text("500 changed.").first).to_be_visible(timeout=60_000)
    accessible()
    assert Lead.objects.filter(owner=colleague).count() == 500
    (run,) = Operation.objects.filter(actor=manager, run=None)
    assert run.chunks.count() == 3

    page.get_by_role("main").get_by_role("link", name="Undo").click()
    page.get_by_role("main").get_by_role("button", name="Undo").click()
    page.wait_for_url(lambda url: "/undo/" not in url, timeout=60_000)
    assert Lead.objects.filter(owner=rep).count() == 500


def test_a_new_user_reaches_the_first_conversion_by_the_checklist(page, log_in, rep):
    """He does only what the list of first steps and the pages themselves say."""
    log_in(rep)
    steps = page.get_by_role("region", name="First steps")
    for number in range(5):
        page.goto("/")
        steps.get_by_role("link", name="Add five leads", exact=True).click()
        page.get_by_label("First name").fill(f"Ana{number}")
        page.get_by_label("Last name").fill(f"Ruiz{number}")
        page.get_by_label("Company", exact=True).fill(f"Meridian {number}")
        page.get_by_label("E-mail", exact=True).fill(f"ana{number}@meridian{number}.example")
        page.get_by_role("main").get_by_role("button", name="Add lead").click()
        page.wait_for_url("**/leads/*/")

    page.goto("/")
    steps.get_by_role("link", name="Qualify one of them", exact=True).click()
    page.get_by_role("link", name="Ana0 Ruiz0").click()
    page.get_by_role("button", name="Qualified").click()
    expect(page.get_by_text("Set Ana0 Ruiz0 to")).to_be_visible()

    page.goto("/")
    steps.get_by_role("link", name="Convert a lead", exact=True).click()
    page.get_by_role("link", name="Ana0 Ruiz0").click()
    page.locator(".record-header").get_by_role("link", name="Convert C").click()
    page.get_by_role("button", name="Convert").click()
    expect(page.get_by_role("heading", name="Ana0 Ruiz0 is converted")).to_be_visible()
    assert Conversion.objects.count() == 1
