"""The second step, how often something may be tried, sessions, and proving again who one is."""

import datetime
import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from django.contrib.auth import get_user
from django.contrib.auth.hashers import ScryptPasswordHasher
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from tests.factories.users import PASSWORD, UserFactory
from tests.pages import send
from tests.threads import at_once
from users import attempts
from users.models import Attempt, Role, Session, User
from users.sessions import device_of

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def log_in(client, **values):
    data = {"login": "rae@example.com", "password": PASSWORD} | values
    extra = {name: data.pop(name) for name in ("REMOTE_ADDR", "HTTP_USER_AGENT") if name in data}
    return client.post(reverse("account_login"), data, **extra)


def is_logged_in(client):
    return get_user(client).is_authenticated


@pytest.fixture
def hashes(monkeypatch):
    """How many passwords were hashed: a list that grows."""
    done, encode = [], ScryptPasswordHasher.encode

    def counted(self, *args, **kwargs):
        done.append(1)
        return encode(self, *args, **kwargs)

    monkeypatch.setattr(ScryptPasswordHasher, "encode", counted)
    return done


@pytest.fixture
def secret(rep):
    """The key in the app of the representative."""
    key = generate_totp_secret()
    TOTP.activate(rep, key)
    return key


def code_of(secret, *, steps=0):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


# -- how often --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [{}, {"login": "nobody@example.com"}, {"login": "gone@example.com", "password": PASSWORD},
     {"login": "new@example.com"}],
)  # fmt: skip
def test_login_costs_one_hash_whoever_asks(client, rep, hashes, values):
    UserFactory(email="gone@example.com", is_active=False)
    User.objects.create_user("new@example.com", name="New", role=Role.REP)
    hashes.clear()

    response = log_in(client, **{"password": "wrong horse battery"} | values)

    assert response.status_code == 422
    assert response.context["form"].non_field_errors() == ["E-mail and password do not match."]
    assert len(hashes) == 1


@pytest.mark.parametrize("address", ["rae@example.com", "nobody@example.com"])
def test_login_hashes_ten_times_a_quarter_of_an_hour_for_an_account(client, rep, hashes, address):
    answers = [
        log_in(client, login=address, password="wrong", REMOTE_ADDR=f"10.0.0.{number}")
        for number in range(12)
    ]

    assert [answer.status_code for answer in answers] == [422] * 10 + [429] * 2
    assert len(hashes) == 10
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 15 * 60
    assert log_in(client, login=address, REMOTE_ADDR="10.0.0.99").status_code == 429


def test_login_hashes_ten_times_a_quarter_of_an_hour_for_an_address(client, rep, hashes):
    statuses = [
        log_in(client, login=f"user{number}@example.com", password="wrong").status_code
        for number in range(12)
    ]

    assert statuses == [422] * 10 + [429] * 2
    assert len(hashes) == 10


def test_a_lock_keeps_nobody_out_on_a_device_that_he_knows(client, rep, stranger):
    known, other = client, Client()
    log_in(known, REMOTE_ADDR="10.0.0.1")
    known.post(reverse("account_logout"))
    log_in(other, login=stranger.email, REMOTE_ADDR="10.0.0.2")
    other.post(reverse("account_logout"))
    for number in range(10):
        log_in(Client(), password="wrong", REMOTE_ADDR=f"10.0.1.{number}")

    assert log_in(Client(), REMOTE_ADDR="10.0.0.3").status_code == 429
    assert log_in(other, REMOTE_ADDR="10.0.0.2").status_code == 429
    assert log_in(known, REMOTE_ADDR="10.0.0.4").status_code == 302

    known.post(reverse("account_logout"))
    statuses = [log_in(known, password="wrong", REMOTE_ADDR=f"10.0.2.{n}").status_code
                for n in range(11)]  # fmt: skip
    assert statuses == [422] * 10 + [429]
    known.cookies["device"] = "forged" + known.cookies["device"].value
    assert log_in(known, REMOTE_ADDR="10.0.0.5").status_code == 429


def test_login_goes_on_after_a_quarter_of_an_hour(client, rep):
    for _number in range(10):
        log_in(client, password="wrong")
    assert log_in(client).status_code == 429

    Attempt.objects.update(at=timezone.now() - datetime.timedelta(minutes=16))

    assert log_in(client).status_code == 302


def test_login_that_succeeds_is_not_counted(client, rep):
    for _number in range(12):
        assert log_in(client).status_code == 302
        client.post(reverse("account_logout"))

    assert not Attempt.objects.exists()


def test_attempts_hold_no_address(client, rep):
    log_in(client, password="wrong")

    assert not [row for row in Attempt.objects.all() if "@" in row.subject or "." in row.subject]


@pytest.mark.django_db(transaction=True)
def test_attempts_at_the_same_time_are_no_more_than_allowed():
    results = at_once(*[lambda: attempts.take("one", most=3)] * 8)

    assert sum(isinstance(result, list) for result in results) <= 3
    assert sum(isinstance(result, attempts.TooMany) for result in results) >= 5


def test_reset_sends_ten_links_at_most(client, rep, mailoutbox):
    page = reverse("account_reset_password")
    for address in ("rae@example.com", "nobody@example.com"):
        statuses = [client.post(page, {"email": address}).status_code for _number in range(11)]
        assert statuses == [302] * 10 + [429]

    assert len(mailoutbox) == 10


def test_password_is_changed_with_the_present_one(client, rep, hashes):
    client.force_login(rep)
    page = reverse("account_change_password")
    new = {"password1": "a boat without oars", "password2": "a boat without oars"}

    for _number in range(10):
        assert client.post(page, new | {"oldpassword": "wrong"}).status_code == 422
    assert client.post(page, new | {"oldpassword": PASSWORD}).status_code == 429
    Attempt.objects.all().delete()
    assert client.post(page, new | {"oldpassword": PASSWORD}).status_code == 302

    rep.refresh_from_db()
    assert rep.check_password("a boat without oars")
    assert is_logged_in(client)


# -- the second step --------------------------------------------------------------------------


def test_login_with_an_app_asks_for_its_code(client, rep, secret):
    assert log_in(client).url == reverse("mfa_authenticate")
    assert not is_logged_in(client)
    assert client.get("/leads/").status_code == 302

    assert client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 422
    response = client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})

    assert response.status_code == 302
    assert is_logged_in(client)


def test_a_code_works_once(client, rep, secret):
    code = code_of(secret)
    log_in(client)
    client.post(reverse("mfa_authenticate"), {"code": code})
    client.post(reverse("account_logout"))
    log_in(client)

    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 422
    assert not is_logged_in(client)


def test_a_code_works_once_in_all_processes(client, rep, secret, settings):
    """Each process has a memory of its own; the database is for all of them."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

    test_a_code_works_once(client, rep, secret)


def test_codes_are_guessed_ten_times_at_most(client, rep, secret):
    log_in(client)
    page = reverse("mfa_authenticate")
    statuses = [client.post(page, {"code": f"{n:06}"}).status_code for n in range(11)]

    assert statuses == [422] * 10 + [429]
    assert client.post(page, {"code": code_of(secret)}).status_code == 429
    assert not is_logged_in(client)


def test_a_recovery_code_replaces_the_app_once(client, rep, secret):
    codes = RecoveryCodes.activate(rep).get_unused_codes()
    assert len(codes) == 10

    for expected in (302, 422):
        client.logout()
        log_in(client)
        assert client.post(reverse("mfa_authenticate"), {"code": codes[0]}).status_code == expected


def test_an_app_is_set_up_with_its_code_and_gives_recovery_codes(client, rep):
    client.force_login(rep)
    page = reverse("mfa_activate_totp")
    key = re.search(r"<code>(\w+)</code>", client.get(page).content.decode())[1]
    assert "data:image/svg+xml" in client.get(page).content.decode()
    key = re.search(r"<code>(\w+)</code>", client.get(page).content.decode())[1]

    assert client.post(page, {"code": "123"}).status_code == 422
    assert client.post(page, {"code": code_of(key)}).url == reverse("mfa_view_recovery_codes")

    shown = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert len(re.findall(r"<code>\w+</code>", shown)) == 10
    assert client.get(reverse("mfa_download_recovery_codes")).status_code == 200
    assert "On" in client.get(reverse("mfa_index")).content.decode()
    send(client, reverse("mfa_generate_recovery_codes"))
    assert client.get(reverse("mfa_view_recovery_codes")).content.decode() != shown

    assert send(client, reverse("mfa_deactivate_totp")).status_code == 302
    assert not Authenticator.objects.exists()


def test_keys_have_their_pages(client, rep):
    client.force_login(rep)
    assert client.get(reverse("mfa_add_webauthn")).status_code == 200
    assert client.post(reverse("mfa_add_webauthn"), {}).status_code == 422
    key = Authenticator.objects.create(
        user=rep, type="webauthn", data={"name": "Blue key", "passwordless": False}
    )
    foreign = Authenticator.objects.create(
        user=UserFactory(), type="webauthn", data={"name": "Their key", "passwordless": False}
    )

    assert "Blue key" in client.get(reverse("mfa_list_webauthn")).content.decode()
    assert client.get(reverse("mfa_edit_webauthn", args=[key.pk])).status_code == 200
    assert client.get(reverse("mfa_edit_webauthn", args=[key.pk])).status_code == 200
    for name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
        assert client.post(reverse(name, args=[foreign.pk]), {"name": "X"}).status_code == 404
    client.post(reverse("mfa_remove_webauthn", args=[key.pk]))
    assert list(Authenticator.objects.all()) == [foreign]
    assert client.get(reverse("mfa_reauthenticate_webauthn")).status_code == 302  # no key left
    client.logout()
    assert client.get(reverse("mfa_login_webauthn")).url == reverse("account_login")
    options = client.get(reverse("mfa_login_webauthn"), headers={"Accept": "application/json"})
    assert "challenge" in options.json()["request_options"]["publicKey"]


# -- sessions ---------------------------------------------------------------------------------


def test_sessions_are_listed_with_device_and_address(client, rep):
    log_in(Client(), HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="10.1.2.3")
    client.force_login(rep)

    page = client.get(reverse("account_sessions")).content.decode()

    assert "Firefox, Windows" in page
    assert "10.1.2.3" in page
    assert not [row for row in Session.objects.all() if row.session_key in page]


def test_a_session_can_be_ended_from_another_one(client, rep, stranger):
    here, there, theirs = client, Client(), Client()
    log_in(here)
    log_in(there)
    theirs.force_login(stranger)
    (other,) = here.get(reverse("account_sessions")).context["others"]
    foreign = Session.objects.get(user=stranger)

    here.post(reverse("account_sessions_end"), {"session": foreign.handle})
    assert is_logged_in(theirs)
    here.post(reverse("account_sessions_end"), {"session": other.handle})

    assert (is_logged_in(here), is_logged_in(there)) == (True, False)


def test_sign_out_elsewhere_ends_all_other_sessions(client, rep):
    others = [Client(), Client()]
    for one in [client, *others]:
        log_in(one)

    assert client.post(reverse("account_sessions_end")).status_code == 303

    assert [is_logged_in(one) for one in [client, *others]] == [True, False, False]


@pytest.mark.parametrize(
    ("started", "seen", "goes_on"),
    [(0, 7.9, True), (0, 8.1, False), (13.9, 1, True), (14.1, 1, False)],
)
def test_a_session_ends_when_it_is_not_used_and_after_a_fortnight(
    client, rep, started, seen, goes_on
):
    log_in(client, remember="on")
    now = timezone.now()
    last = now - datetime.timedelta(hours=seen)
    session = client.session
    session["seen"] = last.isoformat()
    session["started"] = min(now - datetime.timedelta(days=started), last).isoformat()
    session.save()

    assert (client.get("/").status_code == 200) == goes_on


def test_use_of_a_session_is_noted_every_five_minutes(client, rep, django_assert_num_queries):
    log_in(client)
    client.get("/account/sessions/")
    before = Session.objects.get().seen_at
    client.get("/account/sessions/")
    assert Session.objects.get().seen_at == before

    session = client.session
    session["seen"] = (timezone.now() - datetime.timedelta(minutes=6)).isoformat()
    session.save()
    client.get("/account/sessions/")

    assert Session.objects.get().seen_at >= before


@pytest.mark.parametrize("values", [{"role": Role.SDR}, {"grants": ["import"]}])
def test_another_role_or_grant_ends_the_sessions(client, rep, values):
    log_in(client)
    for name, value in values.items():
        setattr(rep, name, value)
    rep.save()

    assert client.get("/").url == "/login/?next=/"


def test_another_password_ends_the_other_sessions(client, rep):
    other = Client()
    log_in(client)
    log_in(other)
    new = {"password1": "a boat without oars", "password2": "a boat without oars"}

    client.post(reverse("account_change_password"), new | {"oldpassword": PASSWORD})

    assert (is_logged_in(client), is_logged_in(other)) == (True, False)
    assert Session.objects.filter(user=rep).count() == 1


@pytest.mark.parametrize(
    ("agent", "device"),
    [(FIREFOX, "Firefox, Windows"), ("", ""), ("curl/8", ""),
     ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
      "Safari, iPhone"),
     ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Linux")],
)  # fmt: skip
def test_device_of_a_browser(agent, device):
    assert device_of(agent) == device


# -- is it you? -------------------------------------------------------------------------------


@pytest.fixture
def old_session(client, admin):
    """An administrator who signed in twenty minutes ago."""
    client.force_login(admin)
    session = client.session
    session["started"] = (timezone.now() - datetime.timedelta(minutes=20)).isoformat()
    session.save()
    return client


def test_rights_are_given_after_a_second_look_at_the_password(old_session, rep):
    page = reverse("administration:user_update", args=[rep.pk])

    response = send(old_session, page, role="SDR")
    assert response.url == f"{reverse('account_reauthenticate')}?{urlencode({'next': page})}"
    assert User.objects.get(pk=rep.pk).role == Role.REP
    assert old_session.get(response.url).status_code == 200
    assert old_session.post(response.url, {"password": "wrong"}).status_code == 422
    assert old_session.post(response.url, {"password": PASSWORD, "next": page}).status_code == 303

    assert User.objects.get(pk=rep.pk).role == Role.SDR
    assert send(old_session, page, role="REP").status_code == 303


@pytest.mark.parametrize(
    "name", ["mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"]
)
def test_the_second_step_is_changed_after_a_second_look(old_session, name):
    assert old_session.get(reverse(name)).url.startswith(reverse("account_reauthenticate"))


def test_the_operators_view_asks_again_too(old_session, rep):
    page = reverse("admin:users_user_change", args=[rep.pk])

    response = send(old_session, page, role="SDR")

    assert response.url.startswith(reverse("account_reauthenticate"))
    assert User.objects.get(pk=rep.pk).role == Role.REP
    assert old_session.get("/admin/password_change/").url == reverse("account_change_password")


def test_a_code_proves_it_as_well(old_session, admin):
    key = generate_totp_secret()
    TOTP.activate(admin, key)
    page = reverse("mfa_reauthenticate")

    assert old_session.get(page).status_code == 200
    assert old_session.post(page, {"code": "000000"}).status_code == 422
    old_session.post(page, {"code": code_of(key)})

    assert old_session.get(reverse("mfa_generate_recovery_codes")).status_code == 200


def test_who_has_no_password_sets_a_first_one(client):
    user = User.objects.create_user("new@example.com", name="New", role=Role.REP)
    client.force_login(user)
    new = {"password1": "a boat without oars", "password2": "a boat without oars"}

    assert client.get(reverse("account_change_password")).url == reverse("account_set_password")
    client.post(reverse("account_set_password"), new)

    assert User.objects.get(pk=user.pk).check_password("a boat without oars")
