"""
The worked examples of the rules of access, by their numbers, through pages and commands.

Not here, because what they are about is not yet there: 10 (campaigns), 17 (tokens), 18
(dashboards), 19 (merging). Examples that speak of the API are asked of the forms; 20 is
``tests/test_matrix.py``.
"""

from types import SimpleNamespace

import pytest
from django.urls import reverse

from accounts.models import Account
from contacts.models import Contact
from core.reach import Access, Scope
from imports.runs import import_file
from leads.models import Lead
from leads.services import hand_over
from opportunities.models import Opportunity
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory, AccountShareFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory, OpportunityTeamMemberFactory
from tests.factories.users import TeamFactory, UserFactory
from tests.matrix.company import NOTE, client_of
from tests.pages import send
from users.models import Grant, Role

pytestmark = pytest.mark.django_db

AMOUNT = 98765


@pytest.fixture
def people(db):
    """Everybody of the examples, by name."""
    found = SimpleNamespace()

    def person(name, role, team=None, **values):
        setattr(found, name.lower(), UserFactory(name=name, role=role, team=team, **values))
        return getattr(found, name.lower())

    sales = TeamFactory(name="Sales")
    north, south = TeamFactory(name="North", parent=sales), TeamFactory(name="South", parent=sales)
    development = TeamFactory(name="Development")
    teams = ((sales, "Mia"), (north, "Nils"), (south, "Sara"), (development, "Dora"))
    for team, name in teams:
        team.manager = person(name, Role.MANAGER, team)
        team.save()
    for name in ("Rae", "Rob"):
        person(name, Role.REP, north)
    person("Sam", Role.REP, south)
    person("Sid", Role.SDR, development)
    others = (("Max", Role.MARKETING), ("Sue", Role.SUPPORT), ("Ria", Role.READ_ONLY))
    for name, role in (*others, ("Ada", Role.ADMIN)):
        person(name, role)
    return found


@pytest.fixture
def deal(people):
    account = AccountFactory(name="Acme", owner=people.sam)
    return OpportunityFactory(name="Nightingale", account=account, owner=people.rae, amount=AMOUNT)


def status(user, record, view="detail", **data):
    """The answer to who opens a page of the record; of ``update`` to who sends a new name."""
    app, name = record._meta.app_label, record._meta.model_name
    address = reverse(f"{app}:{name}_{view}", args=[record.pk])
    client = client_of(user)
    if view == "detail":
        return client.get(address).status_code
    return (send(client, address, **data) if data else client.get(address)).status_code


@pytest.fixture
def unchanged():
    """What the test does must leave the database as it was from here: ``unchanged()`` twice."""
    before = []

    def unchanged():
        now = digest(journal=True, stamps=True)
        assert not before or differences(before[0], now) == {}
        before.append(now)

    return unchanged


def test_1_a_colleague_sees_a_deal_and_does_not_edit_it(people, deal, unchanged):
    unchanged()
    address = reverse("opportunities:opportunity_update", args=[deal.pk])

    assert status(people.rob, deal) == 200
    assert client_of(people.rob).post(address, {"name": "Mine"}).status_code == 403
    unchanged()


def test_2_and_3_to_another_team_a_deal_is_not_there(people, deal):
    OpportunityFactory(account=deal.account, owner=people.sam, amount=10)
    client = client_of(people.sam)

    assert status(people.sam, deal) == 404
    pages = (
        deal.account.get_absolute_url(),
        reverse("accounts:account_tree", args=[deal.account.pk]),
        reverse("opportunities:opportunity_list"),
        f"{reverse('core:search')}?q=Nightingal",
        reverse("home"),
    )
    for page in pages:
        response = client.get(page)
        html = response.content.decode()
        assert response.status_code == 200
        assert "Nightingale" not in html and "98,7" not in html, page
    assert "$10" in client.get(pages[0]).content.decode()


def test_4_who_stands_above_edits_a_deal_and_a_manager_beside_does_not_see_it(people, deal):
    for above in (people.nils, people.mia):
        assert status(above, deal) == 200
        assert status(above, deal, "update", name=f"By {above}") == 303
        assert Opportunity.objects.get(pk=deal.pk).name == f"By {above}"
    assert status(people.sara, deal) == 404


def test_5_a_private_deal_is_hidden_from_colleagues(people, deal):
    assert status(people.rob, deal) == 200

    assert status(people.rae, deal, "update", is_private="on") == 303

    seen = {user: status(user, deal) for user in vars(people).values()}
    assert {user.name for user, answer in seen.items() if answer == 200} == {
        *("Rae", "Nils", "Mia", "Ada")
    }
    assert set(seen.values()) == {200, 404}


def test_6_a_member_of_the_deals_team_sees_it_and_does_not_edit_it(people, deal, unchanged):
    OpportunityTeamMemberFactory(record=deal, user=people.sam, level=Access.READ)
    unchanged()

    assert status(people.sam, deal) == 200
    address = reverse("opportunities:opportunity_update", args=[deal.pk])
    assert client_of(people.sam).post(address, {"name": "Mine"}).status_code == 403
    unchanged()


def test_7_a_lead_that_is_handed_over_is_seen_by_its_receiver_at_once(people):
    lead = LeadFactory(owner=people.sid, lifecycle="SQL")
    other = LeadFactory(owner=people.sid)
    assert status(people.rae, lead) == 404

    hand_over(lead, to=people.rae, note=NOTE, by=people.sid)

    assert status(people.rae, lead) == 200
    assert Lead.objects.get(pk=lead.pk).owner == people.sid
    assert [status(people.rob, record) for record in (lead, other)] == [404, 404]


def test_8_a_match_that_is_seen_stands_there_with_its_link(people):
    """Shown on the page of a lead; new contacts are not compared yet."""
    contact = ContactFactory(last_name="Nightingale", email="n@bird.example", owner=people.rae)
    lead = LeadFactory(email="n@bird.example", owner=people.rob)

    html = client_of(people.rob).get(lead.get_absolute_url()).content.decode()

    assert "Nightingale" in html and contact.get_absolute_url() in html


def test_9_of_a_match_that_is_not_seen_the_owner_alone_is_told(people, reaches):
    """Between leads and contacts; leads are not compared with each other yet."""
    reaches(contact_read=Scope.TEAM)
    lead = LeadFactory(email="n@bird.example", owner=people.sid)
    client = client_of(people.sid)

    def shown():
        response = client.get(lead.get_absolute_url())
        assert "Nightingale" not in response.content.decode()
        return [str(owner) for _kind, owner in response.context["hidden_matches"]]

    ContactFactory(last_name="Nightingale", email="n@bird.example", owner=people.rae)
    assert shown() == ["Rae"]
    ContactFactory(last_name="Nightingale", email="n@bird.example", owner=people.rae)
    assert shown() == ["Rae"]


def test_11_support_filters_no_deals_by_their_amount(people, deal):
    client, address = client_of(people.sue), reverse("opportunities:opportunity_list")

    answers = [client.get(address, {name: "1"}) for name in ("amount_min", "nothing_min")]

    assert answers[0].status_code == answers[1].status_code
    assert "98,7" not in answers[0].content.decode()


def test_12_support_writes_a_contacts_phone_and_no_account(people, unchanged):
    contact, account = ContactFactory(owner=people.rae), AccountFactory(owner=people.rae)

    assert status(people.sue, contact, "update", phone="+43 1 5550100") == 303
    assert Contact.objects.get(pk=contact.pk).phone_e164 == "+4315550100"
    unchanged()
    address = reverse("accounts:account_update", args=[account.pk])
    assert client_of(people.sue).post(address, {"name": "Mine"}).status_code == 403
    unchanged()


def test_13_a_share_to_edit_lets_a_reader_edit_nothing(people, unchanged):
    account = AccountFactory(owner=people.rae)
    AccountShareFactory(record=account, user=people.ria, level=Access.EDIT)
    unchanged()

    assert status(people.ria, account) == 200
    address = reverse("accounts:account_update", args=[account.pk])
    assert client_of(people.ria).post(address, {"name": "Mine"}).status_code == 403
    unchanged()


def test_14_an_account_is_moved_with_edit_rights_on_both(people, unchanged):
    mine, parent = AccountFactory(owner=people.rob), AccountFactory(owner=people.sam)
    unchanged()

    address = reverse("accounts:account_move", args=[mine.pk])
    response = send(client_of(people.rob), address, parent=parent.pk)

    assert response.status_code == 403
    assert "edit rights" in response.content.decode()
    unchanged()


def test_15_an_import_touches_neither_what_is_hidden_nor_what_is_anothers(people, deal, tmp_path):
    people.rob.grants = [Grant.IMPORT]
    people.rob.save()
    for record, owner in ((deal, people.sam), (deal.account, people.sam)):
        source = f"import:{'accounts' if record is deal.account else 'opportunities'}"
        rows = type(record).objects.filter(pk=record.pk)
        rows.update(owner=owner, external_source=source, external_id="X1")
    files = {
        "opportunities": "Id,Name,Account id\nX1,Mine,X1\n",
        "accounts": "Id,Name\nX1,Mine\n",
    }

    said = {}
    for kind, text in files.items():
        path = tmp_path / f"{kind}.csv"
        path.write_text(text)
        result = import_file(path, kind, by=people.rob)
        said[kind] = result.job.rows.get().message

    assert said["opportunities"].startswith("Not found")
    assert "can't edit" in said["accounts"]
    assert Opportunity.objects.get(pk=deal.pk).name == "Nightingale"
    assert Account.objects.get(pk=deal.account_id).name == "Acme"


def test_16_the_only_administrator_stays(people, unchanged):
    unchanged()
    address = reverse("administration:user_deactivate", args=[people.ada.pk])

    assert send(client_of(people.ada), address).status_code == 403
    unchanged()
