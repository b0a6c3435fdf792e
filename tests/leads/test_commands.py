"""Converting on the command line."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from core.journal import Operation
from leads.models import Conversion, Lead, Phase
from opportunities.models import Opportunity
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(rep):
    return LeadFactory(
        first_name="Ana", last_name="Ruiz", company="Meridian", budget=48000, owner=rep
    )


def run(*args):
    out = StringIO()
    call_command("convert_lead", *map(str, args), stdout=out)
    return out.getvalue()


def test_convert_lead_converts_as_the_page_presets_it(lead, admin):
    said = run(lead.pk)

    conversion = Conversion.objects.get(lead=lead)
    assert conversion.converted_by == admin
    assert conversion.opportunity.amount == 48000
    assert "Creates account Meridian" in said
    assert "Creates contact Ana Ruiz" in said
    assert f"manage.py undo {conversion.get_operation().pk}" in said


def test_convert_lead_dry_run_says_what_would_happen_and_writes_nothing(lead, admin):
    before = Operation.objects.count()

    said = run(lead.pk, "--dry-run")

    assert "Creates opportunity Meridian" in said
    assert "$48,000, closes" in said
    assert "Closes the lead as Closed - Converted" in said
    assert said.endswith("Nothing was changed.\n")
    assert (Operation.objects.count(), Account.objects.count()) == (before, 0)


def test_convert_lead_uses_the_records_it_is_given(lead, admin):
    account = AccountFactory(name="Meridian Foods")
    contact = ContactFactory(first_name="Ana", last_name="Delgado", email="a@else.example")

    said = run(lead.pk, "--account", account.pk, "--contact", contact.pk, "--no-opportunity")

    conversion = Conversion.objects.get(lead=lead)
    assert (conversion.account, conversion.contact) == (account, contact)
    assert (conversion.opportunity, Opportunity.objects.count()) == (None, 0)
    assert "Uses account Meridian Foods" in said
    assert "works at Meridian Foods" in said
    assert "No opportunity yet" in said


def test_convert_lead_makes_new_records_on_request(lead, admin):
    match = AccountFactory(name="Meridian", website="https://meridian.example")
    Lead.objects.filter(pk=lead.pk).update(website="https://meridian.example")

    assert "Uses account Meridian" in run(lead.pk, "--dry-run")
    run(lead.pk, "--account", "new")

    assert Conversion.objects.get(lead=lead).account != match


def test_convert_lead_acts_for_the_user_that_is_named(lead, rep, admin):
    run(lead.pk, "--user", "RAE@example.com")

    assert Conversion.objects.get(lead=lead).converted_by == rep


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["999"], "There is no lead 999."),
        (["{lead}", "--account", "999"], "There is no account 999."),
        (["{lead}", "--contact", "abc"], "“abc” is no number of a record: contact."),
        (["{lead}", "--user", "nobody@example.com"], "There is no active user"),
        (["{lead}", "--user", "sam@example.com"], "There is no lead"),
    ],
)
def test_convert_lead_refuses_what_is_not_there_for_the_user(lead, admin, stranger, args, message):
    with pytest.raises(CommandError, match=message):
        run(*(arg.format(lead=lead.pk) for arg in args))

    lead.refresh_from_db()
    assert lead.phase == Phase.OPEN


def test_convert_lead_refuses_a_converted_lead(lead, admin):
    run(lead.pk)

    with pytest.raises(CommandError, match="converted already"):
        run(lead.pk)


def test_convert_lead_says_what_is_missing(admin):
    lead = LeadFactory(first_name="", last_name="", company="", email="ana@meridian.example")

    out = StringIO()
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("convert_lead", str(lead.pk), stdout=out)

    assert "In the way: contact.last_name" in out.getvalue()
    assert Conversion.objects.count() == 0


def test_convert_lead_without_a_single_administrator_asks_who_does_it(lead):
    with pytest.raises(CommandError, match="--user EMAIL"):
        run(lead.pk)
