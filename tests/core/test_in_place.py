"""Editing one field where it stands, for every form of main records that there is."""

import re
from urllib.parse import urljoin

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from contacts.models import Contact
from core.journal import Change, Kind, Operation
from core.models import OwnedRecord
from core.views import RecordUpdateView
from leads.conversion import ConversionChoices, convert_lead
from leads.models import Lead
from opportunities.models import Opportunity
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.pages import send, sent
from tests.routes import routes
from users.models import Role

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
FACTORIES = {
    Lead: LeadFactory,
    Account: AccountFactory,
    Contact: ContactFactory,
    Opportunity: OpportunityFactory,
}
PAGES = {
    route.view.model: route
    for route in routes()
    if route.view is not None
    and issubclass(route.view, RecordUpdateView)
    and issubclass(route.view.model, OwnedRecord)
    and route.name.endswith("_update")
}
FIELDS = [(model, name) for model in PAGES for name in PAGES[model].view.form_class._meta.fields]
# What the state of a new record leaves no choice about; their verbs have tests of their own.
BY_VERB = {
    Lead: {"nurture_until", "disqualify_reason", "disqualify_note"},
    Opportunity: {"win_reason", "loss_reason", "loss_note"},
}
TEXTS = {
    "language": "de",
    "time_zone": "Europe/Berlin",
    "duns": "123456789",
    "phone": "+49 40 5550132",
    "birthdate": "1980-05-17",
    "linkedin_url": "https://www.linkedin.com/in/ana",
    "contract_months": "12",
}


def url(record, field):
    return f"{reverse(PAGES[type(record)].name, args=[record.pk])}?field={field}"


def typed(form, name, other):
    """A value for a field as it is typed, different from what a new record has."""
    field = form.fields[name]
    if name in TEXTS:
        return TEXTS[name]
    choices = [str(key) for key, _label in getattr(field, "choices", ()) if key]
    model_field = form._meta.model._meta.get_field(name)
    if model_field.is_relation and issubclass(model_field.related_model, OwnedRecord):
        return str(other[model_field.related_model].pk)
    if choices:
        present = str(form.initial.get(name))
        return next((key for key in reversed(choices) if key != present), choices[-1])
    if isinstance(model_field, models.BooleanField):
        return "on"
    if isinstance(model_field, models.DateField):
        return "2030-07-01"
    if isinstance(model_field, models.EmailField):
        return "ana@meridian.example"
    if isinstance(model_field, models.DecimalField | models.IntegerField):
        return "42"
    if "url" in name or name in ("website", "social_profiles"):
        return "https://meridian.example"
    return "Sample"


def values_of(record):
    left_out = {"id", "updated_at", "created_at", "search_text", "updated_by", "path", "root"}
    fresh = type(record)._base_manager.get(pk=record.pk)
    return {
        field.name: getattr(fresh, field.attname)
        for field in fresh._meta.concrete_fields
        if field.name not in left_out and not field.name.endswith(("_at", "_e164"))
    }


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


@pytest.fixture
def lead(rep):
    return LeadFactory(last_name="Ruiz", company="Meridian", phone="+49 40 1", owner=rep)


# -- every field ------------------------------------------------------------------------------


def twins(model, rep):
    """Two records of the same values, and what they may be linked to."""
    account = AccountFactory(name="Meridian", owner=rep)
    other = {
        Account: AccountFactory(name="Other", owner=rep),
        Contact: ContactFactory(account=account, owner=rep),
    }
    same = {"owner": rep}
    if model is Opportunity:
        same |= {"account": account, "name": "Deal"}
    if model is Contact:
        same |= {"account": account, "last_name": "Ruiz"}
    if model is Lead:
        same |= {"last_name": "Lind", "company": "Company", "email": "lea@company.example"}
    if model is Account:
        same |= {"name": "Account"}
    return FACTORIES[model](**same), FACTORIES[model](**same), other


@pytest.mark.parametrize(
    ("model", "name"), FIELDS, ids=lambda part: getattr(part, "__name__", part)
)
def test_every_field_is_saved_alone_as_the_whole_form_saves_it(as_rep, rep, model, name):
    alone, whole, other = twins(model, rep)
    before = values_of(alone)
    if name in BY_VERB.get(model, ()):
        assert as_rep.get(url(alone, name)).status_code == 403
        return
    page = as_rep.get(url(alone, name))
    assert page.status_code == 200
    change = {name: typed(page.context["form"], name, other)}

    for address in (url(alone, name), url(whole, "")):
        response = as_rep.post(address, sent(as_rep.get(address), **change))
        assert response.status_code == 303

    assert values_of(alone) == values_of(whole)
    assert values_of(alone)["version"] == before["version"] + 1


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_what_a_page_offers_to_edit_opens(as_rep, rep, model):
    record, _whole, _other = twins(model, rep)
    html = as_rep.get(record.get_absolute_url()).content.decode()

    offered = set(re.findall(r'hx-get="([^"]+\?field=\w+)"', html))

    assert offered
    for address in offered:
        part = as_rep.get(address, headers=HTMX)
        assert part.status_code == 200
        assert part.content.decode().strip().startswith("<form")


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_cells_of_a_list_open_the_fields_that_they_show(as_rep, rep, model):
    record, _whole, _other = twins(model, rep)
    page = reverse(PAGES[model].name.replace("_update", "_list"))
    html = as_rep.get(page).content.decode()

    addresses = re.findall(rf'href="({record.pk}/[^"]+)" aria-label="Edit', html)

    assert len(addresses) > 2
    for address in addresses:
        assert as_rep.get(urljoin(page, address)).status_code == 200


# -- a page, and a part of one ----------------------------------------------------------------


def test_field_without_a_script_is_a_page_that_leads_back_to_the_record(as_rep, lead):
    page = as_rep.get(url(lead, "company"))
    assert list(page.context["form"].visible_fields())[0].name == "company"
    assert len(page.context["form"].visible_fields()) == 1
    assert "<h1>" in page.content.decode()

    response = send(as_rep, url(lead, "company"), company="Ruiz GmbH")

    assert (response.status_code, response.url) == (303, lead.get_absolute_url())
    lead.refresh_from_db()
    assert lead.company == "Ruiz GmbH"


def test_field_saved_in_its_place_tells_the_page_and_offers_undo(as_rep, rep, lead):
    data = sent(as_rep.get(url(lead, "company"), headers=HTMX), company="Ruiz GmbH")

    response = as_rep.post(url(lead, "company"), data, headers=HTMX)

    assert response.status_code == 200
    assert response.headers["HX-Trigger"] == "saved"
    assert response.headers["HX-Reswap"] == "none"
    operation = Operation.objects.order_by("-pk").first()
    assert (operation.kind, operation.actor) == (Kind.EDIT, rep)
    assert reverse("core:undo", args=[operation.pk]) in response.content.decode()
    (change,) = Change.objects.filter(operation=operation)
    assert change.after_values["company"] == "Ruiz GmbH"
    assert "phone" not in change.after_values
    # said there, and not a second time on the next page
    assert b"data-toast-text>Saved" not in as_rep.get(lead.get_absolute_url()).content


def test_refused_field_comes_back_with_its_message_and_what_was_typed(as_rep, lead):
    data = sent(as_rep.get(url(lead, "email"), headers=HTMX), email="ana(at)x")

    response = as_rep.post(url(lead, "email"), data, headers=HTMX)

    html = response.content.decode()
    assert response.status_code == 422
    assert html.strip().startswith("<form")
    assert 'value="ana(at)x"' in html
    assert 'aria-invalid="true"' in html
    assert Change.objects.filter(model="leads.lead").count() == 1


def test_rule_of_another_field_is_told_where_the_edit_is(as_rep, rep):
    lead = LeadFactory(first_name="", last_name="", company="Meridian", email="", owner=rep)
    data = sent(as_rep.get(url(lead, "company"), headers=HTMX), company="")

    response = as_rep.post(url(lead, "company"), data, headers=HTMX)

    assert response.status_code == 422
    assert "Enter a last name, a company or an e-mail address." in response.content.decode()


@pytest.mark.parametrize(
    ("model", "name", "together"),
    [
        (Lead, "budget", {"budget", "budget_currency", "budget_status"}),
        (Lead, "city", {"street", "postal_code", "city", "state", "country"}),
        (Account, "annual_revenue", {"annual_revenue", "currency"}),
        (Opportunity, "currency", {"amount", "currency"}),
    ],
)
def test_fields_that_belong_together_are_edited_together(as_rep, rep, model, name, together):
    record = FACTORIES[model](owner=rep)

    form = as_rep.get(url(record, name)).context["form"]

    assert {field.name for field in form.visible_fields()} == together


def test_other_fields_that_are_sent_along_are_not_written(as_rep, lead):
    send(as_rep, url(lead, "company"), company="Ruiz GmbH", last_name="Hacked", owner="1")

    lead.refresh_from_db()
    assert (lead.company, lead.last_name) == ("Ruiz GmbH", "Ruiz")


@pytest.mark.parametrize("name", ["nonsense", "owner", "phase", "id", "version", "x" * 500])
def test_field_that_no_form_has_is_not_found(as_rep, lead, name):
    for answer in (as_rep.get(url(lead, name)), as_rep.post(url(lead, name), {"version": 1})):
        assert answer.status_code == 404


def test_field_of_a_hidden_or_unreachable_record_is_refused(client, stranger, admin, lead):
    client.force_login(stranger)
    assert client.get(url(lead, "company"), headers=HTMX).status_code == 404
    stranger.role = Role.READ_ONLY
    stranger.save()
    client.force_login(stranger)  # another role has ended the session
    assert client.get(url(lead, "company"), headers=HTMX).status_code in (403, 404)
    assert client.post(url(lead, "company"), {"company": "X"}).status_code in (403, 404)
    lead.refresh_from_db()
    assert lead.company == "Meridian"


def test_list_offers_no_edit_of_records_out_of_reach(client, rep, stranger):
    account = AccountFactory(owner=rep)
    client.force_login(stranger)

    html = client.get(reverse("accounts:account_list")).content.decode()

    assert account.name in html
    assert "?field=" not in html


def test_field_that_the_role_may_not_edit_is_refused(client, rep, monkeypatch):
    contact = ContactFactory(owner=rep)
    monkeypatch.setattr("core.forms.editable_fields", lambda record, user: {"phone"})
    client.force_login(rep)

    assert client.get(url(contact, "phone")).status_code == 200
    assert client.get(url(contact, "email"), headers=HTMX).status_code == 403
    assert client.post(url(contact, "email"), {"email": "x@y.com"}).status_code == 403


def test_field_of_a_converted_lead_is_refused_and_its_page_shown(as_rep, rep, lead):
    convert_lead(lead, by=rep, choices=ConversionChoices())

    for answer in (
        as_rep.get(url(lead, "company"), headers=HTMX),
        as_rep.post(url(lead, "company"), {"company": "X", "version": 2}, headers=HTMX),
    ):
        assert answer.status_code == 409
        assert answer.headers["HX-Redirect"] == lead.get_absolute_url()
    assert b"The lead is converted." in as_rep.get(lead.get_absolute_url()).content
    assert as_rep.get(url(lead, "company")).status_code == 303


def test_field_without_a_session_leads_to_the_login_and_back(client, lead):
    page = {"Referer": f"http://testserver{lead.get_absolute_url()}"}
    for answer in (
        client.get(url(lead, "company"), headers=HTMX | page),
        client.post(url(lead, "company"), {"company": "X"}, headers=HTMX | page),
    ):
        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"] == f"/login/?next={lead.get_absolute_url()}"


def test_field_sent_twice_is_saved_once(as_rep, lead):
    data = sent(as_rep.get(url(lead, "company")), company="Ruiz GmbH")

    as_rep.post(url(lead, "company"), data, headers=HTMX)
    again = as_rep.post(url(lead, "company"), data, headers=HTMX)

    assert (again.status_code, again.headers["HX-Redirect"]) == (409, lead.get_absolute_url())
    assert Operation.objects.filter(changes__model="leads.lead").count() == 2


# -- versions ---------------------------------------------------------------------------------


def test_two_tabs_that_change_one_field_are_asked_which_value_stays(as_rep, rep, lead):
    mine = sent(as_rep.get(url(lead, "company"), headers=HTMX), company="Mine")
    theirs = sent(as_rep.get(url(lead, "company")), company="Theirs")
    as_rep.post(url(lead, "company"), theirs)

    response = as_rep.post(url(lead, "company"), mine, headers=HTMX)

    html = response.content.decode()
    assert response.status_code == 409
    assert response.headers["HX-Retarget"] == response.headers["HX-Reselect"] == "#main"
    assert "Mine" in html
    assert "Theirs" in html
    assert f'action="{url(lead, "company")}"' in html
    lead.refresh_from_db()
    assert lead.company == "Theirs"

    chosen = as_rep.post(url(lead, "company"), sent(response, **{"keep-company": "mine"}))
    assert chosen.status_code == 303
    lead.refresh_from_db()
    assert lead.company == "Mine"


def test_two_tabs_that_change_different_fields_keep_both(as_rep, lead):
    company = sent(as_rep.get(url(lead, "company")), company="Ruiz GmbH")
    phone = sent(as_rep.get(url(lead, "phone")), phone="+49 40 2")

    answers = [
        as_rep.post(url(lead, "company"), company, headers=HTMX).status_code,
        as_rep.post(url(lead, "phone"), phone, headers=HTMX).status_code,
    ]

    assert answers == [200, 200]
    lead.refresh_from_db()
    assert (lead.company, lead.phone, lead.version) == ("Ruiz GmbH", "+49 40 2", 3)


@pytest.mark.parametrize("version", ["", "0", "-1", "99", "x", "9" * 30])
def test_field_without_a_version_of_the_record_is_never_written(as_rep, lead, version):
    data = sent(as_rep.get(url(lead, "company")), company="X", version=version)

    assert as_rep.post(url(lead, "company"), data).status_code in (409, 422)
    lead.refresh_from_db()
    assert lead.company == "Meridian"


def test_interleaved_edits_of_one_field_lose_nothing_in_silence(as_rep, lead):
    """H06: whoever did not see a value is asked before it is written over."""
    forms = [
        sent(as_rep.get(url(lead, "company")), company=f"Company {number}") for number in range(20)
    ]

    statuses = [as_rep.post(url(lead, "company"), data).status_code for data in forms]

    assert statuses == [303] + [409] * 19
    lead.refresh_from_db()
    assert lead.company == "Company 0"


# -- cost -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_saving_a_field_costs_at_most_12_queries_beside_who_asks(as_rep, rep, model):
    record, _whole, _other = twins(model, rep)
    data = sent(as_rep.get(url(record, "description")), description="Seen at the fair.")

    with CaptureQueriesContext(connection) as queries:
        response = as_rep.post(url(record, "description"), data, headers=HTMX)

    assert response.status_code == 200
    who = re.compile(r'FROM "?(users_session|users_user|users_team)\b|SAVEPOINT')
    statements = [q["sql"] for q in queries if not who.search(q["sql"])]
    assert len(statements) <= 12, "\n".join(sql[:100] for sql in statements)
