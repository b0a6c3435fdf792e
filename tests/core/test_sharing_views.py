"""The pages of who sees a record, and those of sharing it."""

import datetime

import pytest
from django.urls import reverse

from core.models import Organisation
from core.reach import Access, Scope
from core.views.base import url_of
from tests.factories.accounts import AccountFactory, AccountShareFactory
from tests.factories.contacts import ContactFactory, ContactShareFactory
from tests.factories.leads import LeadFactory, LeadShareFactory
from tests.factories.opportunities import OpportunityFactory, OpportunityTeamMemberFactory
from tests.factories.users import TeamFactory, UserFactory
from tests.pages import send, sent
from users.models import Role

pytestmark = pytest.mark.django_db

KINDS = {
    "accounts:account_sharing": (AccountFactory, AccountShareFactory),
    "contacts:contact_sharing": (ContactFactory, ContactShareFactory),
    "leads:lead_sharing": (LeadFactory, LeadShareFactory),
    "opportunities:opportunity_sharing": (OpportunityFactory, OpportunityTeamMemberFactory),
}
PAGES = (
    ("accounts:account_share", "accounts:accountshare_update", "accounts:accountshare_end"),
    ("contacts:contact_share", "contacts:contactshare_update", "contacts:contactshare_end"),
    ("leads:lead_share", "leads:leadshare_update", "leads:leadshare_end"),
    (
        "opportunities:opportunity_share",
        "opportunities:opportunityteammember_update",
        "opportunities:opportunityteammember_end",
    ),
)
CASES = pytest.mark.parametrize(
    ("factory", "share_factory", "pages"),
    [(*kind, pages) for kind, pages in zip(KINDS.values(), PAGES, strict=True)],
    ids=[name.partition(":")[0] for name in KINDS],
)


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


def lines(response, verb):
    """The reasons on the page: who can see it, or who can edit it."""
    (_see, seeing), (_edit, editing) = response.context["people"]
    return seeing if verb == "view" else editing


@CASES
def test_a_record_is_shared_changed_and_ended_each_with_its_undo(
    as_rep, rep, stranger, factory, share_factory, pages
):
    record = factory(owner=rep)
    sharing = url_of(record, "sharing")
    create, update, end = pages
    assert sharing in as_rep.get(record.get_absolute_url()).content.decode()

    response = send(as_rep, reverse(create, args=[record.pk]), user=stranger.pk, reason="Helps")
    assert (response.status_code, response.url) == (303, sharing)
    share = record.shares.get()
    assert (share.user, share.level, share.reason) == (stranger, Access.READ, "Helps")
    assert "undo" in as_rep.get(sharing).content.decode()

    page = reverse(update, args=[share.pk])
    response = send(as_rep, page, level=Access.EDIT, until="2099-12-31")
    assert (response.status_code, response.url) == (303, sharing)
    share = record.shares.get()
    assert (share.level, share.until) == (Access.EDIT, datetime.date(2099, 12, 31))

    shown = as_rep.get(sharing)
    (row,) = shown.context["rows"]
    response = as_rep.post(reverse(end, args=[share.pk]), {"key": row["form"].initial["key"]})
    assert (response.status_code, response.url) == (303, sharing)
    assert not record.shares.exists()
    after = as_rep.get(sharing)
    (message,) = after.context["messages"]
    as_rep.post(message.extra_tags)
    assert record.shares.exists()


@CASES
def test_who_sees_the_record_reads_the_page_and_writes_nothing(
    client, rep, team, stranger, every_default, factory, share_factory, pages
):
    mate = UserFactory(team=team)
    record = factory(owner=rep)
    share = share_factory(record=record, user=stranger)
    create, update, end = pages
    addresses = [
        reverse(create, args=[record.pk]),
        *(reverse(p, args=[share.pk]) for p in (update, end)),
    ]
    shares = list(type(share).objects.values())

    client.force_login(mate)
    shown = client.get(url_of(record, "sharing")).content.decode()
    assert str(stranger) in shown
    assert not set(addresses) & set(shown.split('"'))
    for address in addresses:
        assert client.get(address).status_code == 403
        assert client.post(address, {"user": mate.pk, "level": "2"}).status_code == 403

    every_default(Scope.OWN)
    for address in [url_of(record, "sharing"), *addresses]:
        assert client.get(address).status_code == 404
        assert client.post(address, {"user": mate.pk, "level": "2"}).status_code in (404, 405)
    client.logout()
    for address in addresses:
        assert client.post(address, {"user": mate.pk, "level": "2"}).status_code == 302
    assert list(type(share).objects.values()) == shares


def test_the_page_says_who_sees_and_edits_it_and_why(as_rep, rep, manager, team, reaches):
    director = UserFactory(name="Dana Director", role=Role.MANAGER)
    team.parent = TeamFactory(name="Sales", manager=director)
    team.save()
    page = url_of(AccountFactory(owner=rep), "sharing")

    shown = as_rep.get(page)
    assert lines(shown, "view") == [
        "Rae Rep, who owns it",
        "Dana Director, Mia Manager, above Rae Rep",
        "Administrators",
        "Everybody whose role allows it",
    ]
    assert lines(shown, "edit")[-1] == "The team North, as far as the roles allow it"

    reaches(account_read=Scope.OWN, account_edit=Scope.OWN)
    assert lines(as_rep.get(page), "view")[-1] == "Administrators"


def test_roles_that_are_not_held_back_are_named(as_rep, rep):
    shown = as_rep.get(url_of(LeadFactory(owner=rep), "sharing"))
    assert lines(shown, "view")[-1] == "Marketing, Read only: they see all leads"

    shown = as_rep.get(url_of(ContactFactory(owner=rep), "sharing"))
    assert lines(shown, "edit")[-1] == "Marketing, Support: certain fields of all contacts"


def test_of_a_private_deal_only_those_named_see_it(as_rep, rep):
    shown = as_rep.get(url_of(OpportunityFactory(owner=rep, is_private=True), "sharing"))

    assert lines(shown, "view") == lines(shown, "edit")
    assert lines(shown, "view")[-1] == "Administrators"
    assert "marked as private" in shown.content.decode()


def test_a_share_that_has_ended_is_marked_as_such(as_rep, rep, stranger):
    lead = LeadFactory(owner=rep)
    yesterday = Organisation.current().today() - datetime.timedelta(days=1)
    LeadShareFactory(record=lead, user=stranger, until=yesterday)

    (row,) = as_rep.get(url_of(lead, "sharing")).context["rows"]
    assert row["has_ended"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({}, "user"),
        ({"user": "them", "team": "theirs"}, "user"),
        ({"user": "owner"}, "user"),
        ({"user": "gone"}, "user"),
        ({"user": "999999"}, "user"),
        ({"user": "them", "until": "2020-01-01"}, "until"),
        ({"user": "them", "level": "3"}, "level"),
    ],
)
def test_what_gives_nothing_is_refused_at_its_field(as_rep, rep, stranger, typed, field):
    lead = LeadFactory(owner=rep)
    people = {"them": stranger, "owner": rep, "gone": UserFactory(is_active=False)}
    values = {n: getattr(people.get(v), "pk", v) for n, v in typed.items()}
    if values.get("team"):
        values["team"] = stranger.team_id

    response = send(as_rep, url_of(lead, "share"), **values)

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not lead.shares.exists()


def test_with_the_same_person_it_is_shared_once(as_rep, rep, stranger):
    lead = LeadFactory(owner=rep)
    LeadShareFactory(record=lead, user=stranger)

    response = send(as_rep, url_of(lead, "share"), user=stranger.pk)

    assert response.status_code == 422
    assert "already" in str(response.context["form"].errors["user"])


def test_a_share_that_was_changed_meanwhile_is_compared(as_rep, rep, stranger):
    lead = LeadFactory(owner=rep)
    share = LeadShareFactory(record=lead, user=stranger)
    page = url_of(share, "update")
    typed = sent(as_rep.get(page), reason="Mine")
    share.reason = "Theirs"
    share.save()

    assert as_rep.post(page, typed).status_code == 409
    share.refresh_from_db()
    assert share.reason == "Theirs"


def test_a_deal_names_its_team_and_who_may_share_adds_to_it(as_rep, client, rep, team, stranger):
    deal = OpportunityFactory(owner=rep)
    OpportunityTeamMemberFactory(record=deal, user=stranger, team_role="Sales engineer")
    OpportunityTeamMemberFactory(record=deal, until=datetime.date(2020, 1, 1))

    shown = as_rep.get(deal.get_absolute_url())
    assert [member.user for member in shown.context["team"]] == [stranger]
    assert url_of(deal, "share") in shown.content.decode()

    client.force_login(UserFactory(team=team))
    shown = client.get(deal.get_absolute_url())
    assert str(stranger) in shown.content.decode()
    assert url_of(deal, "share") not in shown.content.decode()
