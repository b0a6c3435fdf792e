"""The security log: one line for each event, by numbers, with nothing that somebody typed."""

import logging

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.urls import reverse

from crm.administration.deactivation import deactivate_user
from tests.factories.users import PASSWORD
from tests.pages import send
from users.security import note

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(caplog):
    """The lines so far, each up to its facts: ``log()``."""
    caplog.set_level(logging.INFO, "topsail.security")

    def lines():
        return [r.getMessage() for r in caplog.records if r.name == "topsail.security"]

    return lines


def log_in(client, **values):
    data = {"login": "rae@example.com", "password": PASSWORD} | values
    return client.post(reverse("account_login"), data)


def test_log_ins_and_failures_are_told_by_number_and_address(client, rep, log):
    log_in(client, password="wrong")
    log_in(client, login="nobody@example.com")
    log_in(client)
    client.post(reverse("account_logout"))

    assert log() == [
        "login_failed user=- address=127.0.0.1",
        "login_failed user=- address=127.0.0.1",
        f"login user={rep.pk} address=127.0.0.1",
        f"logout user={rep.pk} address=127.0.0.1",
    ]


def test_a_closed_account_looks_like_a_failure(client, rep, log):
    rep.is_active = False
    rep.save()
    log_in(client)

    assert log() == ["login_failed user=- address=127.0.0.1"]


def test_a_lock_is_told(client, rep, log):
    for _number in range(11):
        log_in(client, password="wrong")

    assert log()[-1].startswith("locked user=- address=127.0.0.1 seconds=")


def test_codes_and_passwords_are_told(client, rep, log):
    TOTP.activate(rep, generate_totp_secret())
    log_in(client)
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert log()[-1] == f"code_failed user={rep.pk} address=127.0.0.1 type=totp"

    client.force_login(rep)
    send(client, reverse("mfa_deactivate_totp"))
    assert f"second_step_removed user={rep.pk} address=127.0.0.1 type=totp" in log()
    new = {"password1": "a boat without oars", "password2": "a boat without oars"}
    client.post(reverse("account_change_password"), new | {"oldpassword": PASSWORD})
    assert f"password_changed user={rep.pk} address=127.0.0.1" in log()


@pytest.mark.django_db(transaction=True)
def test_given_rights_are_told_once_they_are_written(client, admin, rep, log):
    client.force_login(admin)
    page = reverse("administration:user_update", args=[rep.pk])

    send(client, page, role="SDR", grants=["import"], name="Somebody")
    send(client, page, role="ADMIN", version="1")
    deactivate_user(rep, successors={}, by=admin)

    assert [line for line in log() if "rights" in line or "deactivated" in line] == [
        f"rights_changed user={admin.pk} address=127.0.0.1 of=user:{rep.pk} fields=grants,role",
        f"deactivated user={admin.pk} address=- of=user:{rep.pk}",
    ]


def test_refusals_are_told_with_their_page(client, rep, log):
    client.force_login(rep)
    client.get("/settings/users/")

    assert log()[-1] == (f"denied user={rep.pk} address=127.0.0.1 page=administration:user_list")


def test_no_line_holds_a_name_an_address_or_a_password(client, rep, admin, log):
    for values in ({}, {"login": PASSWORD}, {"password": "rae@example.com"}):
        log_in(client, **values)
    client.force_login(admin)
    client.post(reverse("administration:user_deactivate", args=[rep.pk]))

    text = "\n".join(log())
    assert not [word for word in ("@", "Rae", "Ada", "horse", "boat") if word in text]


def test_what_comes_from_outside_begins_no_line(log):
    note("login", address="1.2.3.4\nlogin user=1", page="a b\r\x00c")

    (line,) = log()
    assert line == "login user=- address=1.2.3.4_login_user=1 page=a_b__c"
