"""The pages of the conversion, as they are sent and answered."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.bench.sending import values_of
from leads.conversion import ConversionChoices, convert_lead
from leads.models import Conversion
from tests.digest import digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(rep):
    return LeadFactory(
        owner=rep,
        first_name="Ana",
        last_name="Ruiz",
        company="Meridian Foods",
        email="ana@meridian.example",
        budget=48000,
    )


PLAN, RESULT = "leads:lead_convert_plan", "leads:lead_conversion"


def url(lead, name="leads:lead_convert"):
    return reverse(name, args=[lead.pk])


def sent(client, lead, **changed):
    """What a browser sends of the page as it was opened, with some fields changed."""
    data = values_of(client.get(url(lead)).content.decode())
    data = {name: value for name, value in data.items() if value != ""} | changed
    return {name: value for name, value in data.items() if value is not None}


def test_the_page_shows_what_will_happen_and_writes_nothing(client, rep, lead):
    client.force_login(rep)
    before = digest(journal=True, stamps=True)

    response = client.get(url(lead))

    assert response.status_code == 200
    assert "Creates account Meridian Foods" in response.content.decode()
    assert digest(journal=True, stamps=True) == before


def test_the_form_as_it_was_opened_converts(client, rep, lead):
    client.force_login(rep)

    response = client.post(url(lead), sent(client, lead))

    assert response.status_code == 303
    assert response.url == url(lead, RESULT)
    assert Conversion.objects.get().opportunity.amount == 48000


def test_a_deal_asked_for_on_the_page_gets_what_the_lead_says(client, rep):
    lead = LeadFactory(owner=rep, lead_source="Web", need="Sensors", budget=None)
    client.force_login(rep)

    client.post(url(lead), sent(client, lead, expected=None, deal="new"))

    deal = Conversion.objects.get().opportunity
    assert (deal.lead_source, "Sensors" in deal.description) == ("Web", True)


def test_what_was_unticked_for_a_deal_is_left(client, rep):
    lead = LeadFactory(owner=rep, lead_source="Web", budget=48000)
    client.force_login(rep)
    data = sent(client, lead, expected=None)
    data["carry"] = [key for key in data["carry"] if key != "opportunity.lead_source"]

    client.post(url(lead), data)

    assert Conversion.objects.get().opportunity.lead_source == ""


def test_the_same_form_twice_is_answered_with_the_first_result(client, rep, lead):
    client.force_login(rep)
    data = sent(client, lead)
    client.post(url(lead), data)
    before = digest()

    response = client.post(url(lead), data)

    assert (response.status_code, response.url) == (303, url(lead, RESULT))
    assert digest() == before


def test_other_choices_than_were_shown_bring_the_page_again(client, rep, lead):
    client.force_login(rep)
    before = digest(journal=True, stamps=True)

    response = client.post(url(lead), sent(client, lead, deal="none"))

    assert response.status_code == 409
    assert "No opportunity yet" in response.content.decode()
    assert digest(journal=True, stamps=True) == before
    data = sent(client, lead, deal="none", expected=response.context["plan"].fingerprint)
    assert client.post(url(lead), data).status_code == 303


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("opportunity-amount", "-1"),
        ("opportunity-amount", "1e400"),
        ("opportunity-close_date", "2026-02-30"),
        ("contact-email", "nobody"),
        ("account-name", ""),
        ("account-name", "a\x00b"),
        ("opportunity-stage", "9999"),
    ],
)
def test_a_bad_value_stands_at_its_field_and_everything_typed_is_kept(
    client, rep, lead, name, text
):
    client.force_login(rep)
    data = sent(client, lead, **{"contact-title": "Chief", name: text})
    data["expected"] = ""
    before = digest(journal=True, stamps=True)

    response = client.post(url(lead), data)

    assert response.status_code == 422
    assert response.context["form"].errors.get(name), response.context["form"].errors
    assert "Chief" in response.content.decode()
    assert digest(journal=True, stamps=True) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"account_mode": "existing", "account": "999999"},
        {"account_mode": "existing", "account": "abc"},
        {"account_mode": "existing", "account": None},
        {"account_mode": "both"},
        {"deal": "existing"},
        {"deal": "existing", "opportunity": "abc"},
        {"owner": "0"},
        {"relation": "married"},
        {"carry": ["nothing.here"]},
        {"role": "King"},
    ],
)
def test_tampered_choices_are_refused_and_write_nothing(client, rep, lead, changed):
    client.force_login(rep)
    before = digest(journal=True, stamps=True)

    response = client.post(url(lead), sent(client, lead, **changed))

    assert response.status_code == 422
    assert digest(journal=True, stamps=True) == before


def test_a_hidden_deal_is_answered_like_an_unknown_one(client, rep, stranger, lead):
    account = AccountFactory(owner=stranger)
    deal = OpportunityFactory(owner=stranger, account=account)
    client.force_login(rep)

    answers = []
    for key in (deal.pk, 999999):
        data = sent(client, lead, deal="existing", opportunity=key)
        data |= {"account_mode": "existing", "account": account.pk}
        answers.append(client.post(url(lead), data).context["form"].errors["opportunity"])

    assert answers[0] == answers[1]


def test_strangers_get_404_readers_403_and_the_anonymous_the_log_in(client, stranger, lead):
    before = digest(journal=True, stamps=True)
    assert client.get(url(lead)).status_code == 302
    assert client.post(url(lead)).status_code == 302
    client.force_login(stranger)
    before = digest(journal=True, stamps=True)
    for method in (client.get, client.post):
        assert method(url(lead)).status_code == 404
        assert method(url(lead, PLAN)).status_code in (404, 405)
    client.force_login(UserFactory(role="READ_ONLY"))
    before = digest(journal=True, stamps=True)
    for method in (client.get, client.post):
        assert method(url(lead)).status_code == 403

    assert digest(journal=True, stamps=True) == before


def test_a_converted_lead_leads_to_what_it_became(client, rep, lead):
    convert_lead(lead, by=rep, choices=ConversionChoices())
    client.force_login(rep)

    response = client.get(url(lead))

    assert (response.status_code, response.url) == (303, url(lead, RESULT))
    assert client.post(url(lead), {}).url == url(lead, RESULT)


def test_what_is_not_chosen_at_first_is_filled_in_all_the_same(client, rep, lead):
    """Who switches to "Create new" finds the lead's values, not blank fields."""
    account = AccountFactory(owner=rep, name="Other", website="https://meridian.example")
    lead.budget, lead.website = None, "https://meridian.example"
    lead.save()
    client.force_login(rep)

    response = client.get(url(lead))

    form = response.context["form"]
    assert response.context["plan"].account.record == account
    assert form["account-name"].value() == "Meridian Foods"
    assert form["opportunity-name"].value() == "Meridian Foods"
    changed = {"account_mode": "new", "deal": "new", "expected": ""}
    assert client.post(url(lead), sent(client, lead, **changed)).status_code == 303


def test_the_plan_is_answered_with_the_parts_that_change(client, rep, lead):
    account = AccountFactory(owner=rep, name="Meridian", phone="+1 202 5550100")
    client.force_login(rep)
    data = sent(client, lead, account_mode="existing", account=account.pk)

    response = client.post(url(lead, PLAN), data, headers={"HX-Request": "true"})

    text = response.content.decode()
    assert "Uses account Meridian" in text
    assert 'id="differs-account"' in text
    assert "<html" not in text


def test_converting_from_a_sibling_presets_the_account(client, rep, lead):
    account = AccountFactory(owner=rep, name="Elsewhere")
    client.force_login(rep)

    response = client.get(url(lead), {"account": account.pk})

    assert "Uses account Elsewhere" in response.content.decode()


@pytest.mark.parametrize("account", ["abc", "999999", "9" * 40, "-1"])
def test_a_bad_preset_is_ignored(client, rep, lead, account):
    client.force_login(rep)

    assert client.get(url(lead), {"account": account}).status_code == 200


def test_the_conversions_page_lists_what_was_not_taken_over(client, rep, lead):
    lead.phone = "+49 40 5550132"
    lead.save()
    account = AccountFactory(owner=rep, phone="+1 202 5550100")
    convert_lead(lead, by=rep, choices=ConversionChoices(account=account))
    client.force_login(rep)

    text = client.get(url(lead, RESULT)).content.decode()

    assert "+49 40 5550132" in text
    assert "+1 202 5550100" in text


@pytest.mark.parametrize("kind", ["new", "existing"])
def test_the_whole_request_needs_few_statements(client, rep, lead, kind):
    changed = {}
    if kind == "existing":
        account = AccountFactory(owner=rep, website="https://meridian.example")
        contact = ContactFactory(owner=rep, account=account, email=lead.email)
        deal = OpportunityFactory(owner=rep, account=account, amount=None)
        AccountFactory.create_batch(5, name="Meridian Foods", owner=rep)
        changed = {"deal": "existing", "opportunity": deal.pk}
        assert contact.account == account
    client.force_login(rep)
    data = sent(client, lead, **changed)
    data["expected"] = ""

    with CaptureQueriesContext(connection) as opened:
        assert client.get(url(lead)).status_code == 200
    with CaptureQueriesContext(connection) as converted:
        assert client.post(url(lead), data).status_code == 303

    assert len(opened) <= 15, [query["sql"][:90] for query in opened]
    marks = ("SAVEPOINT", "RELEASE")  # the transaction's own
    assert sum(not query["sql"].startswith(marks) for query in converted) <= 30


def test_texts_of_several_lines_can_differ(client, rep):
    """Beside the text of a person that is there already, and afterwards as what was left."""
    account = AccountFactory(name="Meridian", owner=rep)
    told = {"email": "ana@meridian.example", "owner": rep}
    contact = ContactFactory(account=account, description="Met in Lyon", **told)
    lead = LeadFactory(company="Meridian", description="Wants an offer\nby <June>", **told)
    client.force_login(rep)

    page = client.get(url(lead))
    convert_lead(lead, by=rep, choices=ConversionChoices(account=account, contact=contact))
    result = client.get(url(lead, RESULT)).content.decode()

    assert "Met in Lyon" in page.content.decode()
    assert "Wants an offer<br>by &lt;June&gt;" in result and "Met in Lyon" in result
