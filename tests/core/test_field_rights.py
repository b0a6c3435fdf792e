"""Single fields: who sees and edits them, and that nothing tells what is hidden."""

import datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from accounts.tables import AccountTable
from contacts.models import Contact
from core import reach
from core.filtering import FilterRefused, Unavailable, field_types, parse, relations
from core.filters import as_parameter
from core.journal import Kind, Label, operation
from core.reach.fields import FIELD_RIGHTS, FIELD_RULES, PERSONAL
from core.reach.matrix import MATRIX, Verb
from core.search import ranked
from leads.conversion import ConversionChoices, convert_lead
from leads.conversion.choices import Deal
from opportunities.models import Opportunity, OpportunityContactRole, OpportunityStageHistory
from opportunities.services import save_opportunity
from tests.digest import digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import (
    OpportunityFactory,
    OpportunityTeamMemberFactory,
    RoleFactory,
)
from tests.factories.users import UserFactory
from tests.factories.views import SavedViewFactory
from tests.laboratory import World
from tests.pages import sent
from tests.routes import routes
from users.models import Role

pytestmark = pytest.mark.django_db

STUBBED = (Role.MARKETING, Role.SUPPORT)
DEALS = "/opportunities/"
HIDDEN_IN_STUBS = ("amount", "close_date", "probability", "next_step", "loss_reason", "description")


def logged_in(user):
    client = Client()
    client.force_login(user)
    return client


def html_of(response):
    return response.content.decode()


# -- the table --------------------------------------------------------------------------------


def test_each_rule_is_about_fields_of_its_model_and_has_a_row_for_each_role():
    models = {
        m._meta.model_name: m for m in (Opportunity, OpportunityStageHistory, Contact, Account)
    }
    for name, rules in FIELD_RULES.items():
        known = {f.name for f in models[name]._meta.concrete_fields} | {"expected_revenue"}
        for rule in rules:
            assert rule.fields <= known
            assert {role for role, right in FIELD_RIGHTS if right == rule.right} == set(Role)


def test_probability_and_forecast_are_edited_as_far_as_the_stage_is_changed():
    for role in Role:
        cells = MATRIX["opportunity"]
        assert cells[role, Verb.EDIT] == cells[role, Verb.CHANGE_STAGE]


@pytest.mark.parametrize(
    ("role", "grants", "seen"),
    [
        *((role, [], role not in STUBBED) for role in Role),
        *((role, ["see_all_amounts"], True) for role in STUBBED),
    ],
)
def test_amounts_are_for_all_but_marketing_and_support_without_the_grant(role, grants, seen):
    user, deal = UserFactory(role=role, grants=grants), OpportunityFactory()

    for name in ("amount", "expected_revenue", "original_amount"):
        assert (name in reach.sight(user, Opportunity)) is seen
        assert (name in reach.sight_of(deal, user)) is seen
    assert ("from_amount" in reach.sight(user, OpportunityStageHistory)) is seen


@pytest.mark.parametrize("role", list(Role))
def test_what_is_personal_is_seen_in_the_own_scope_and_by_administrators(role):
    user = UserFactory(role=role)
    own, other = ContactFactory(owner=user), ContactFactory()

    for name in sorted(PERSONAL):
        assert name in reach.sight_of(own, user)
        assert (name in reach.sight_of(other, user)) is (role == Role.ADMIN)
        assert (name in reach.sight(user, Contact)) is (role == Role.ADMIN)
    may_see_consent = role in (Role.ADMIN, Role.MARKETING)
    assert ("consent_note" in reach.sight_of(other, user)) is may_see_consent


def test_a_manager_sees_and_edits_what_is_personal_of_his_peoples_contacts(manager, rep, team):
    contact, colleague = ContactFactory(owner=rep), UserFactory(team=team)

    assert "birthdate" in reach.sight_of(contact, manager)
    assert "birthdate" not in reach.sight_of(contact, colleague)
    assert reach.editable_fields(contact, manager) is None
    assert "birthdate" not in reach.editable_fields(contact, colleague)
    assert "mobile" in reach.editable_fields(contact, colleague)


def test_figures_of_accounts_are_edited_by_their_owner_managers_and_administrators(
    team, rep, manager, admin
):
    account, colleague = AccountFactory(owner=rep), UserFactory(team=team)
    sdr = UserFactory(role=Role.SDR)
    own = AccountFactory(owner=sdr)

    for user in (rep, manager, admin):
        assert reach.editable_fields(account, user) is None
    for user, record in ((colleague, account), (sdr, own)):
        limit = reach.editable_fields(record, user)
        assert not limit & {"annual_revenue", "tax_id", "duns"}
        assert "phone" in limit


def test_private_is_set_by_the_owner_and_administrators(rep, manager, admin):
    deal = OpportunityFactory(owner=rep)

    assert "is_private" not in reach.editable_fields(deal, manager)
    assert reach.editable_fields(deal, rep) is reach.editable_fields(deal, admin) is None


# -- stubs of deals ---------------------------------------------------------------------------


@pytest.mark.parametrize("role", STUBBED)
def test_a_stub_shows_what_a_deal_is_and_nothing_that_belongs_to_it(role, reaches):
    reaches(opportunity_read=reach.Scope.OWN)
    user = UserFactory(role=role)
    deal, private = OpportunityFactory(), OpportunityFactory(is_private=True)
    contact_role = RoleFactory(opportunity=deal)

    assert deal.can(user, "view") and not private.can(user, "view")
    assert list(Opportunity.objects.visible_to(user)) == [deal]
    assert not contact_role.can(user, "view")
    for model in (OpportunityContactRole, OpportunityStageHistory):
        assert not model.objects.visible_to(user).exists()
        assert not reach.may(user, "view", model)
    assert not deal.can(user, "edit")


def test_a_deal_that_is_lent_is_seen_in_full_but_for_its_amounts():
    user, deal = UserFactory(role=Role.SUPPORT), OpportunityFactory(is_private=True)
    contact_role = RoleFactory(opportunity=deal)
    OpportunityTeamMemberFactory(record=deal, user=user)

    assert deal.can(user, "view") and contact_role.can(user, "view")
    assert list(OpportunityContactRole.objects.visible_to(user)) == [contact_role]
    assert "close_date" in reach.sight_of(deal, user)
    assert "amount" not in reach.sight_of(deal, user)
    page = logged_in(user).get(deal.get_absolute_url())
    assert [figure["label"] for figure in page.context["figures"]] == [
        "Probability",
        "Close date",
        "Forecast",
    ]


@pytest.mark.parametrize("role", STUBBED)
def test_the_list_of_stubs_has_their_columns_and_an_order_that_tells_nothing(role):
    client = logged_in(UserFactory(role=role))
    days = [datetime.date(2030, 1, day) for day in (3, 1, 2)]
    for name, day in zip("bac", days, strict=True):
        OpportunityFactory(name=name, close_date=day, amount=day.day)
    keys = {"name", "account", "stage", "owner"}

    for query in ("", "sort=amount", "sort=-close_date", "sort=probability", "columns=name,amount"):
        page = client.get(f"{DEALS}?{query}")
        assert [deal.name for deal in page.context["page"].records] == ["a", "b", "c"], query
        assert {head["column"].key for head in page.context["heads"]} <= keys
        assert {c["column"].key for c in page.context["choices"]} <= keys
        assert page.context["sums"] == []
    unused = {name for name, _label in client.get(DEALS).context["filter"].unused}
    assert unused == {"stage", "owner", "closed"}
    assert len(client.get(f"{DEALS}?amount_min=2").context["page"].records) == 3


@pytest.mark.parametrize("role", STUBBED)
def test_history_and_sharing_of_a_stub_are_refused_and_not_offered(role):
    client, deal = logged_in(UserFactory(role=role)), OpportunityFactory()

    page = client.get(deal.get_absolute_url())

    assert not {"history", "sharing"} & page.context["actions"].keys()
    for name in ("history", "sharing"):
        url = reverse(f"opportunities:opportunity_{name}", args=[deal.pk])
        assert client.get(url).status_code == 403


@pytest.mark.parametrize("role", STUBBED)
def test_the_start_page_has_no_deals_for_who_sees_but_stubs(role):
    user = UserFactory(role=role)
    OpportunityFactory(owner=user, amount=77712)

    page = logged_in(user).get("/")

    assert page.context["deals"] is None
    assert "77,712" not in html_of(page)


@pytest.mark.parametrize("role", STUBBED)
def test_a_search_finds_stubs_by_their_names_alone(role):
    user = UserFactory(role=role)
    deal = OpportunityFactory(name="Sensors", next_step="Call Quux", main_competitor="Zyx")
    rows = Opportunity.objects.visible_to(user)

    for text in ("quux", "zyx", "sensors quux", "zy"):
        assert ranked(rows, text, limit=8, by=user) == []
        assert logged_in(user).get("/search/", {"q": text}).context["groups"] == []
        assert logged_in(user).get(DEALS, {"q": text}).context["page"].records == []
    assert ranked(rows, "sensors", limit=8, by=user) == [deal]
    assert ranked(rows, "quux", limit=8, by=deal.owner) == [deal]


# -- filters ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", STUBBED)
@pytest.mark.parametrize("name", HIDDEN_IN_STUBS)
def test_a_hidden_field_is_refused_with_the_words_of_an_unknown_one(role, name):
    user = UserFactory(role=role)
    condition = {"field": name, "op": "filled"}
    through = {"field": "opportunities", "op": "has", "value": {"all": [condition]}}

    for model, document in ((Opportunity, condition), (Account, through)):
        with pytest.raises(Unavailable) as hidden:
            parse(model, {"all": [document]}, by=user)
        unknown = str(document).replace(name, "nonsense")
        with pytest.raises(Unavailable) as missing:
            parse(model, eval(f"{{'all': [{unknown}]}}"), by=user)  # noqa: S307 - our own text
        assert hidden.value.message.replace(name, "nonsense") == missing.value.message
    assert name not in field_types(Opportunity, user)
    assert not {"roles", "history", "shares"} & relations(Opportunity, user).keys()


@pytest.mark.parametrize("name", ["birthdate", "home_phone", "other_city", "consent_note"])
def test_personal_fields_are_asked_for_by_those_who_see_all_of_them(name, rep, manager, admin):
    document = {"all": [{"field": name, "op": "filled"}]}

    parse(Contact, document, by=admin)
    for user in (rep, manager):
        with pytest.raises(FilterRefused, match="Unknown or unavailable field"):
            parse(Contact, document, by=user)


def test_a_shared_view_of_a_hidden_field_says_so_and_finds_nothing(rep):
    document = {"all": [{"field": "amount", "op": "gte", "value": 1}]}
    view = SavedViewFactory(
        owner=rep,
        model="opportunities.opportunity",
        audience="EVERYONE",
        is_pinned=True,
        filter=document,
        columns=["name", "amount"],
        sort="-amount",
    )
    OpportunityFactory(amount=5)
    client = logged_in(UserFactory(role=Role.MARKETING))

    page = client.get(f"{DEALS}?view={view.pk}")

    assert page.context["page"].records == []
    assert "needs access to" in html_of(page)
    (pin,) = client.get(reverse("core:pinned")).context["pinned"]
    assert pin["count"] is None
    page = client.get(DEALS, {"filter": as_parameter(document)})
    assert page.context["page"].records == []
    assert "Unknown or unavailable field" in html_of(page)


# -- forms ------------------------------------------------------------------------------------


def test_what_is_not_seen_stands_on_no_form_and_is_not_written(rep, team):
    colleague = UserFactory(team=team)
    day = datetime.date(1980, 2, 3)
    contact = ContactFactory(owner=rep, birthdate=day, home_phone="+1 212 555 0101")
    client, page = logged_in(colleague), reverse("contacts:contact_update", args=[contact.pk])

    form = client.get(page)
    assert 'name="birthdate"' not in html_of(form) and "1980" not in html_of(form)
    client.post(page, sent(form, title="CTO", birthdate="1990-01-01", home_phone=""))

    contact.refresh_from_db()
    assert (contact.title, contact.birthdate) == ("CTO", day)
    assert contact.home_phone
    before = digest()
    for name in ("birthdate", "consent_note"):
        assert client.get(f"{page}?field={name}").status_code == 403
        assert client.post(f"{page}?field={name}", {name: "x"}).status_code == 403
    assert digest() == before


def test_a_cell_of_a_list_opens_only_what_may_be_edited(team, rep):
    own, other = AccountFactory(owner=rep), AccountFactory(owner=UserFactory(team=team))
    OpportunityFactory(account=own)

    html = html_of(logged_in(rep).get("/accounts/?columns=annual_revenue"))

    assert f"{own.pk}/edit/?field=annual_revenue" in html
    assert f"{other.pk}/edit/?field=annual_revenue" not in html
    assert any(column.key == "annual_revenue" for column in AccountTable.for_user(Account, rep))


# -- opt-outs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [ContactFactory, LeadFactory])
def test_an_opt_out_is_taken_back_by_marketing_with_a_reason(make, rep, admin):
    record = make(owner=rep, email_opt_out=True, do_not_call=True)
    page = f"{record.get_absolute_url()}edit/"
    before = digest()

    refused = logged_in(rep).post(page, off(logged_in(rep).get(page), consent_note="He called."))
    silent = logged_in(admin).post(page, off(logged_in(admin).get(page)))
    assert (refused.status_code, silent.status_code) == (422, 422)
    assert "Only marketing and administrators" in html_of(refused)
    assert "why this is taken back" in html_of(silent)
    assert digest() == before

    marketing = logged_in(UserFactory(role=Role.MARKETING))
    done = marketing.post(page, off(marketing.get(page), consent_note="Signed on the fair."))
    record.refresh_from_db()
    assert done.status_code == 303
    assert (record.email_opt_out, record.do_not_call) == (False, True)


def off(form, **changes):
    data = sent(form, **changes)
    data.pop("email_opt_out")
    return data


# -- history ----------------------------------------------------------------------------------


def test_history_tells_of_what_is_seen_alone(rep, team):
    contact = ContactFactory(owner=rep)
    for name, value in (("birthdate", datetime.date(1980, 2, 3)), ("title", "CTO")):
        setattr(contact, name, value)
        contact.save()
    page = reverse("contacts:contact_history", args=[contact.pk])

    mine = logged_in(rep).get(page).context["entries"]
    theirs = logged_in(UserFactory(team=team)).get(page).context["entries"]

    assert [len(mine), len(theirs)] == [3, 2]
    assert "birthdate" not in {value.name for entry in theirs for value in entry.values}


def test_a_conversion_tells_no_amounts_to_who_sees_none(rep):
    deal = OpportunityFactory(owner=rep, amount=77712)
    lead = LeadFactory(owner=rep, qualified=True, budget=500)
    choices = ConversionChoices(account=deal.account, deal=Deal.EXISTING, opportunity=deal)
    page = convert_lead(lead, by=rep, choices=choices).get_absolute_url()

    mine = html_of(logged_in(rep).get(page))
    theirs = html_of(logged_in(UserFactory(role=Role.MARKETING)).get(page))

    assert mine.count("77,712") == 2
    assert deal.name in theirs and "77,712" not in theirs
    assert "2030" in mine and "2030" not in theirs


def test_a_lent_deal_has_its_history_without_amounts(rep):
    user, deal = UserFactory(role=Role.SUPPORT), OpportunityFactory(owner=rep, amount=77712)
    OpportunityTeamMemberFactory(record=deal, user=user)

    page = logged_in(user).get(deal.get_absolute_url())

    assert [row["amount"] for row in page.context["history"]] == [None]
    assert "77,712" not in html_of(page)


# -- everything -------------------------------------------------------------------------------

CANARIES = {
    Contact: {
        "birthdate": datetime.date(1931, 8, 7),
        "home_phone": "+1 212 555 0199",
        "other_street": "7 Canary Wharf Street",
        "other_city": "Canaryville",
        "other_postal_code": "CNY 77",
        "consent_note": "Canary consent",
    },
    Opportunity: {
        "amount": Decimal("77712.34"),
        "next_step": "Canary step",
        "main_competitor": "Canary competitor",
        "description": "Canary description",
        "close_date": datetime.date(2031, 11, 23),
    },
}
TEXTS = {
    Contact: ("1931", "5550199", "555 0199", "555-0199", "Canary Wharf", "Canaryville", "CNY 77"),
    Opportunity: (
        *("77,712", "77712", "38,856", "7,771", "Canary step", "Canary competitor"),
        *("Canary description", "2031"),
    ),
}


@pytest.mark.parametrize("who", ["MARKETING", "SUPPORT", "colleague"])
def test_no_page_tells_what_a_field_hides(who):
    world = World()
    with operation(Kind.EDIT, by=world.rep, label=Label("Sang")):
        for contact in Contact.objects.filter(owner=world.rep):
            write(contact, Contact)
            contact.save()
    for deal in Opportunity.objects.filter(owner=world.rep, is_closed=False):
        write(deal, Opportunity)
        save_opportunity(deal, by=world.rep)
    assert_sung_to(world.rep, contact, deal)
    if who == "colleague":
        user = UserFactory(team=world.team)
        texts = (*TEXTS[Contact], "Canary consent")
    else:
        user = UserFactory(role=who)
        texts = TEXTS[Contact] + TEXTS[Opportunity]
        texts += ("Canary consent",) if who == "SUPPORT" else ()
    told, opened = [], 0
    client = logged_in(user)
    for route in sorted(routes(), key=str):
        if route.is_admin or {"token", "key", "uidb36"} & set(route.arguments):
            continue
        for arguments in world.arguments_of(route)[:4]:
            for query in ("", "?q=canary&sort=amount&columns=amount,close_date,birthdate"):
                page = route.at(arguments) + query
                response = client.get(page)
                if response.status_code != 200 or getattr(response, "streaming", False):
                    continue
                opened += 1
                html = html_of(response).replace("?q=canary&amp;", "")
                told += [(page, text) for text in texts if text in html]
    assert told == []
    assert opened > 60


def assert_sung_to(owner, contact, deal):
    """Who may see the canaries finds them on the pages of their records."""
    client = logged_in(owner)
    pages = [html_of(client.get(record.get_absolute_url())) for record in (contact, deal)]
    for text in ("1931", "Canary Wharf", "Canaryville", "CNY 77", "Canary consent"):
        assert text in pages[0]
    for text in ("77,712", "Canary step", "Canary competitor", "Canary description", "2031"):
        assert text in pages[1]


def write(record, model):
    for name, value in CANARIES[model].items():
        setattr(record, name, value)
