"""
Records that point at hidden ones: what a reader is told of those, on every page there is.

The outsider owns one record of each kind. Each of them points at, or is pointed at by, records
that were visible once and are hidden since all defaults were tightened.
"""

import json
import re
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.db import models
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.services import move_account
from contacts.models import Contact
from core.batches import choose, start, verb_named
from core.journal import Kind, Label, Operation, operation
from core.reach import Scope
from core.seen import see
from leads.conversion import ConversionChoices, convert_lead
from leads.models import Lead
from opportunities.models import Opportunity
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, PlannedJobChangeFactory, RelationFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory
from tests.factories.users import TeamFactory, UserFactory
from tests.laboratory import form_in, is_html, rolled_back
from tests.pages import sent
from tests.routes import routes
from users.models import Role

pytestmark = pytest.mark.django_db

SECRET = "Nightingale"  # in every text of the hidden records
KNOWN = "Robin"  # the account of the outsider's deal and contact: its name may be read
FIGURE = re.compile(r"77.?777|\bnightingale", re.I)
ROUTES = sorted((route for route in routes() if not route.is_admin), key=str)


class World:
    """What the outsider owns, and what is hidden from him around it."""

    def __init__(self):
        self.outsider = UserFactory(name="Olga Outsider", team=TeamFactory(name="South"))
        self.other = UserFactory(name="Hanna Hidden", team=TeamFactory(name="North"))
        self.hidden = {}
        self._hide()
        self._own()
        self._connect()
        self._convert()
        self._leave_traces()
        apps.get_model("core.Organisation").objects.filter(pk=1).update(
            **{
                f"{kind}_{what}": Scope.OWN
                for kind in ("account", "contact", "lead", "opportunity")
                for what in ("read", "edit")
            }
        )

    def _hide(self):
        other = self.other
        self.known = AccountFactory(name=f"{KNOWN} Ltd", billing_city=SECRET, owner=other)
        self.account = AccountFactory(
            name=f"{SECRET} Group",
            billing_city=SECRET,
            website="https://group.example",
            phone="+1 212 555 77777",
            owner=other,
        )
        self.contact = ContactFactory(
            last_name=SECRET,
            title=f"{SECRET} officer",
            email="nina@group.example",
            account=self.account,
            owner=other,
        )
        deal = {"owner": other, "amount": 77_777, "next_step": SECRET}
        self.deal = OpportunityFactory(name=f"{SECRET} deal", account=self.account, **deal)
        self.lead = LeadFactory(last_name=SECRET, company=f"{SECRET} Inc", owner=other)

    def _own(self):
        mine = {"owner": self.outsider}
        self.my_account = AccountFactory(name="Mine", **mine)
        self.my_contact = ContactFactory(last_name="Own", account=self.known, **mine)
        self.my_deal = OpportunityFactory(name="My deal", account=self.known, **mine)
        self.my_lead = LeadFactory(
            last_name="Leadham",
            company="Group",
            website="https://group.example",
            email="nina@group.example",
            **mine,
        )

    def _connect(self):
        other = self.other
        move_account(self.my_account, parent=self.account, by=UserFactory(role=Role.ADMIN))
        AccountFactory(
            name=f"{SECRET} Below",
            parent=Account.objects.get(pk=self.my_account.pk),
            owner=other,
        )
        RelationFactory(account=self.account, contact=self.my_contact)
        RelationFactory(account=self.my_account, contact=self.contact)
        RoleFactory(opportunity=self.my_deal, contact=self.contact)
        RoleFactory(opportunity=self.deal, contact=self.my_contact)
        OpportunityFactory(
            name=f"{SECRET} two", account=self.my_account, amount=77_777, owner=other
        )
        ContactFactory(last_name=f"{SECRET} two", account=self.my_account, owner=other)
        PlannedJobChangeFactory(contact=self.my_contact, new_account=self.account)
        with operation(Kind.EDIT, by=self.outsider, label=Label("Edited")):
            contact = Contact.objects.get(pk=self.my_contact.pk)
            contact.reports_to = self.contact
            contact.save()
            deal = Opportunity.objects.get(pk=self.my_deal.pk)
            deal.account = self.account
            deal.save()
            deal.account = self.known
            deal.save()

    def _convert(self):
        admin = UserFactory(role=Role.ADMIN)
        theirs = LeadFactory(last_name=f"{SECRET} three", owner=self.other)
        convert_lead(theirs, by=admin, choices=ConversionChoices(account=self.my_account))
        self.converted = LeadFactory(last_name="Became", company="Became", owner=self.outsider)
        choices = ConversionChoices(account=self.account, contact=self.contact)
        convert_lead(self.converted, by=admin, choices=choices)

    def _leave_traces(self):
        """What the outsider did while he saw them."""
        by = self.outsider
        with operation(Kind.EDIT, by=by, label=Label("Edited %(record)s", record=self.account)):
            account = Account.objects.get(pk=self.account.pk)
            account.site = SECRET
            account.save()
        for record in (self.account, self.contact, self.deal, self.lead):
            see(record._meta.label_lower, record.pk, by=by)
        lead = LeadFactory(last_name=f"{SECRET} four", owner=by)
        verb = verb_named("assign", Lead, by)
        form = verb.get_form([lead], QueryDict(f"owner={by.pk}"))
        assert form.is_valid()
        start(choose(verb, [lead.pk, self.my_lead.pk]), verb, form)
        choose(verb, [lead.pk, self.my_lead.pk])
        Lead.objects.filter(pk=lead.pk).update(owner=self.other)

    def rows(self, route):
        """The keys and other words that may stand in the path of ``route``."""
        if route.name == "core:undo" or "operation" in route.name:
            return Operation.objects.filter(actor=self.outsider).order_by("-pk")
        if route.model is None or route.name == "core:savedview_create":
            return [self.my_account, self.my_contact, self.my_deal, self.my_lead, self.account]
        return models.QuerySet(route.model).order_by("-pk")[:30]

    def addresses(self, route):
        """All paths of ``route`` that name a record."""
        if not route.arguments:
            yield route.at({})
            return
        for row in self.rows(route):
            texts = {name: _text(name, row) for name in route.arguments}
            if None not in texts.values():
                yield route.at(texts)


def _text(name, row):
    if name == "pk":
        return str(row.pk)
    if name == "label":
        return row._meta.label_lower
    value = getattr(row, f"{name}_id", None) or getattr(row, name, None)
    return None if value is None or callable(value) else str(value)


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """One for the module; it is never changed."""
    with django_db_blocker.unblock(), rolled_back():
        yield World()


@pytest.fixture
def ask(world):
    client = Client()
    client.force_login(world.outsider)

    def ask(address):
        with rolled_back():
            return client.get(address)

    return ask


def leaks_of(world, response):
    """What an answer tells of the hidden records."""
    if response.status_code >= 500:
        yield str(response.status_code)
    if response.streaming or not is_html(response):
        return
    html = response.content.decode()
    if told := FIGURE.search(html):
        yield re.sub(r"\s+", " ", html[max(0, told.start() - 150) : told.end() + 50])
    for record in (world.known, world.account, world.contact, world.deal, world.lead):
        if f'href="{record.get_absolute_url()}"' in html:
            yield f"link to {record}"


QUERIES = ("", "?view=all&columns=name&columns=account&per_page=200")


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_no_page_tells_of_a_hidden_record(world, ask, route):
    found = []
    named = "&".join(
        f"{name}={record.pk}"
        for name, record in {
            "account": world.account,
            "contact": world.contact,
            "parent": world.account,
            "reports_to": world.contact,
            "primary_contact": world.contact,
            "owner": world.other,
        }.items()
    )
    for address in world.addresses(route):
        for query in ("", f"?{named}", "?view=all", "?view=all&show=columns&columns=account"):
            found += [f"{address}{query}: {leak}" for leak in leaks_of(world, ask(address + query))]
    assert not found, "\n".join(found[:6])


STUBS = {
    "my_account": ["Account (restricted), Hanna Hidden", "Contact (restricted), Hanna Hidden"],
    "my_contact": ["Account (restricted), Hanna Hidden", "Contact (restricted), Hanna Hidden"],
    "my_deal": ["Contact (restricted), Hanna Hidden", f"{KNOWN} Ltd"],
}


@pytest.mark.parametrize("name", STUBS)
def test_a_stub_is_a_kind_and_an_owner(world, ask, name):
    html = ask(getattr(world, name).get_absolute_url()).content.decode()

    assert [words for words in STUBS[name] if words not in html] == []


# -- choosing ---------------------------------------------------------------------------------

UNKNOWN = 987_654_321
BATCH = re.compile(r"/batch/\d+/")
MOVING = re.compile(
    r'name="(?:csrfmiddlewaretoken|key)" value="[^"]*"|"X-CSRFToken": ?"[^"]*"|Reference [0-9A-F-]+'
)


def told(response, key):
    """An answer without what differs at each request, as if ``key`` were the one it was asked."""
    text = response.content.decode().replace(str(UNKNOWN), str(key))
    return response.status_code, response.headers.get("Location"), MOVING.sub("", text)


def hidden_of(world, model):
    found = {Account: world.account, Contact: world.contact}
    return (found | {Opportunity: world.deal, Lead: world.lead}).get(model)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_hidden_record_is_chosen_like_an_unknown_one(world, ask, route):
    for address in world.addresses(route):
        page = ask(address)
        form = form_in(page) if page.status_code == 200 and is_html(page) else None
        for name, field in getattr(form, "fields", {}).items():
            hidden = hidden_of(world, getattr(getattr(field, "queryset", None), "model", None))
            if hidden is None or str(form[name].value()) == str(hidden.pk):
                continue
            data = sent(page)
            answers = [
                told(send_to(page, address, data | {form.add_prefix(name): key}), hidden.pk)
                for key in (hidden.pk, UNKNOWN)
            ]
            assert answers[0][0] in (404, 422), (address, name)
            assert answers[0] == answers[1], (address, name)


def send_to(page, address, data):
    with rolled_back():
        return page.client.post(address, data)


PREFILLED = {
    "accounts:account_create": "parent",
    "contacts:contact_create": "account",
    "opportunities:opportunity_create": "account",
    "contacts:relation_create": "account",
    "leads:lead_convert": "account",
}
PREFILLED_BY_CONTACT = ("opportunities:opportunity_create", "opportunities:role_create")


@pytest.mark.parametrize(
    ("name", "parameter"),
    [*PREFILLED.items(), *((name, "contact") for name in PREFILLED_BY_CONTACT)],
)
def test_an_address_that_names_a_hidden_record_is_one_that_names_none(world, ask, name, parameter):
    hidden = world.contact if parameter == "contact" else world.account
    of = {
        "contacts:relation_create": world.my_contact,
        "opportunities:role_create": world.my_deal,
        "leads:lead_convert": world.my_lead,
    }
    address = reverse(name, args=[of[name].pk] if name in of else [])
    answers = [told(ask(f"{address}?{parameter}={key}"), hidden.pk) for key in (hidden.pk, UNKNOWN)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", ["account", "contact", "lead", "deal"])
def test_a_picker_knows_a_hidden_record_as_little_as_an_unknown_one(world, ask, kind):
    hidden = getattr(world, kind)
    address = reverse("core:picker", args=[hidden._meta.label_lower])
    answers = [told(ask(f"{address}?name=x&x={key}"), hidden.pk) for key in (hidden.pk, UNKNOWN)]
    assert answers[0] == answers[1]
    assert ask(f"{address}?name=x&x_q={SECRET}").context["picker"]["options"] == []


@pytest.mark.parametrize("name", ["my_contact", "my_deal"])
def test_a_hidden_value_that_was_there_is_kept(world, ask, name):
    record = getattr(world, name)
    address = f"{record.get_absolute_url()}edit/"
    page = ask(address)
    changes = {"description": "Touched"}

    with rolled_back():
        response = page.client.post(address, sent(page) | changes)
        assert response.status_code == 303
        record = type(record).objects.get(pk=record.pk)
        assert record.description == "Touched"
        assert record.account_id == world.known.pk
    if name == "my_contact":
        assert record.reports_to_id == world.contact.pk


@pytest.mark.parametrize("kind", ["account", "contact", "lead", "deal"])
def test_a_batch_takes_a_hidden_record_for_an_unknown_one(world, ask, kind):
    hidden = getattr(world, kind)
    address = reverse("core:choose", args=[hidden._meta.label_lower])
    client = ask("/").client
    answers = []
    for key in (hidden.pk, UNKNOWN):
        with rolled_back():
            chosen = client.post(address, {"verb": "assign", "pick": key})
            shown = client.get(chosen.url) if chosen.status_code == 303 else chosen
        answers.append(BATCH.sub("", told(shown, hidden.pk)[2]))
        assert (shown.status_code, SECRET in answers[-1]) == (404, False)
    assert answers[0] == answers[1]


# -- numbers ----------------------------------------------------------------------------------


def test_sums_and_counts_are_those_of_what_is_visible(world, ask):
    """The account has a deal and people of somebody else; its figures are those of none."""
    account = world.my_account.get_absolute_url()
    for address in (account, f"{account}tree/", f"{account}?people=tree"):
        assert not FIGURE.search(ask(address).content.decode())
    for name, own in (
        ("accounts:account_list", 1),
        ("contacts:contact_list", 1),
        ("opportunities:opportunity_list", 1),
    ):
        assert len(ask(f"{reverse(name)}?view=all").context["page"].records) == own
    groups = ask(f"{reverse('core:search')}?q=nightingale").context["groups"]
    assert groups == []


@pytest.mark.parametrize(
    "document",
    [
        {"all": [{"field": "account", "op": "is", "value": "hidden"}]},
        {"all": [{"field": "account.name", "op": "contains", "value": SECRET}]},
        {"all": [{"field": "account.billing_city", "op": "is", "value": SECRET}]},
    ],
)
@pytest.mark.parametrize("name", ["contacts:contact_list", "opportunities:opportunity_list"])
def test_a_filter_over_a_hidden_record_finds_nothing(world, ask, name, document):
    text = json.dumps(document).replace('"hidden"', str(world.known.pk))
    response = ask(f"{reverse(name)}?{urlencode({'filter': text})}")
    assert list(response.context["page"].records) == []
