"""Links by mail: the invitation, and both sides of a change of address."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user
from django.core import signing
from django.test import Client
from django.urls import reverse

from core.journal import Operation
from tests.factories.users import PASSWORD, UserFactory
from tests.pages import send
from users.invitations import LinkEnded, accept_invitation, invited, send_invitation
from users.models import EmailChange, Role, User

pytestmark = pytest.mark.django_db

NEW = {"password1": "a boat without oars", "password2": "a boat without oars"}


def links_in(mails):
    return [re.search(r"http://testserver(/\S+)", mail.body)[1] for mail in mails]


@pytest.fixture
def later(monkeypatch):
    """Let time pass for signed links: ``later(hours=73)``."""

    def later(**span):
        now = signing.time.time
        seconds = timedelta(**span).total_seconds()
        monkeypatch.setattr(signing.time, "time", lambda: now() + seconds)

    return later


@pytest.fixture
def invitation(client, admin, mailoutbox):
    """The link that a new user got."""
    client.force_login(admin)
    page = reverse("administration:user_create")
    data = {"name": "Noa New", "email": "noa@example.com", "role": "REP", "locale": "de"}
    assert send(client, page, **data).status_code == 303
    (mail,) = mailoutbox
    assert mail.to == ["noa@example.com"]
    return links_in(mailoutbox)[0]


def test_an_invitation_leads_in_with_a_first_password(invitation):
    guest = Client()
    assert guest.get(invitation).status_code == 200
    assert guest.post(invitation, {"password1": "short", "password2": "short"}).status_code == 422
    assert guest.post(invitation, NEW).url == "/"

    user = User.objects.get(email="noa@example.com")
    assert user.check_password("a boat without oars")
    assert get_user(guest) == user


def test_an_invitation_works_once(invitation):
    Client().post(invitation, NEW)
    other = {"password1": "another boat, with oars", "password2": "another boat, with oars"}

    assert Client().get(invitation).status_code == 410
    assert Client().post(invitation, other).status_code == 410
    assert User.objects.get(email="noa@example.com").check_password("a boat without oars")


@pytest.mark.parametrize(("hours", "status"), [(71, 200), (73, 410)])
def test_an_invitation_works_for_three_days(invitation, later, hours, status):
    later(hours=hours)

    assert Client().get(invitation).status_code == status


def test_an_invitation_is_for_active_users_and_is_not_forged(invitation):
    assert Client().get(invitation[:-2] + "x/").status_code == 410
    token = invitation.rstrip("/").rpartition("/")[2]
    User.objects.filter(email="noa@example.com").update(is_active=False)

    with pytest.raises(LinkEnded):
        invited(token)
    with pytest.raises(LinkEnded):
        accept_invitation(token, password="a boat without oars")


def test_an_invitation_can_be_sent_again(client, invitation, mailoutbox, rep):
    user = User.objects.get(email="noa@example.com")
    page = reverse("administration:user_invite", args=[user.pk])

    assert send(client, page).status_code == 303
    assert len(mailoutbox) == 2
    assert client.get(reverse("administration:user_invite", args=[rep.pk])).status_code == 404
    client.force_login(rep)
    assert client.post(page).status_code == 403
    assert len(mailoutbox) == 2


def test_an_invitation_leads_to_the_own_language(mailoutbox):
    user = User.objects.create_user("n@example.com", name="N", role=Role.REP, locale="en-gb")

    send_invitation(user, site="https://crm.example.com")

    assert "https://crm.example.com/account/invitation/" in mailoutbox[0].body
    assert mailoutbox[0].subject == "Your invitation to the CRM"


# -- another address --------------------------------------------------------------------------


@pytest.fixture
def links(client, rep, mailoutbox):
    """What the present and the new address got, when the representative asked for another one."""
    client.force_login(rep)
    page = reverse("account_email")
    assert client.post(page, {"email": "no address"}).status_code == 422
    assert client.post(page, {"email": "Rae.New@example.com"}).status_code == 200
    assert [mail.to for mail in mailoutbox] == [["rae@example.com"], ["rae.new@example.com"]]
    return links_in(mailoutbox)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_address_changes_when_both_sides_have_confirmed(links, rep, order):
    first, second = (links[number] for number in order)
    assert Client().get(first).status_code == 200
    Client().post(first)
    rep.refresh_from_db()
    assert rep.email == "rae@example.com"
    assert Client().post(first).status_code == 410

    assert Client().post(second).status_code == 200

    rep.refresh_from_db()
    assert rep.email == "rae.new@example.com"
    assert Operation.objects.order_by("pk").last().actor == rep
    assert not EmailChange.objects.exists()
    login = {"login": "rae.new@example.com", "password": PASSWORD}
    assert Client().post(reverse("account_login"), login).status_code == 302


def test_looking_at_a_link_confirms_nothing(links):
    for link in links:
        Client().get(link)

    assert not EmailChange.objects.filter(is_confirmed_old=True).exists()
    assert not EmailChange.objects.filter(is_confirmed_new=True).exists()


def test_a_new_change_forgets_the_one_before(client, links, rep):
    client.post(reverse("account_email"), {"email": "third@example.com"})

    assert [Client().post(link).status_code for link in links] == [410, 410]


def test_an_address_that_somebody_has_is_not_taken(links, rep):
    UserFactory(email="rae.new@example.com")
    answers = [Client().post(link).status_code for link in links]

    rep.refresh_from_db()
    assert answers == [200, 410]
    assert rep.email == "rae@example.com"


def test_links_of_a_change_end_after_a_day(links, later, rep):
    later(hours=25)

    assert [Client().post(link).status_code for link in links] == [410, 410]
