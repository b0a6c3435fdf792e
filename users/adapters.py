"""What we decide where django-allauth asks: who may log in, how often, and what is said."""

import time

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from users import attempts
from users.security import note
from users.sessions import ASKED_AGAIN, authenticated_at

DEVICE = "users.device"
SILENT = ("account/messages/logged_in.txt", "account/messages/logged_out.txt")


def refuse_attempts(request, error):
    """Answer 429 with the time after which it goes on."""
    note("locked", seconds=error.seconds)
    page = render(request, "429.html", {"minutes": -(-error.seconds // 60)}, status=429)
    page.headers["Retry-After"] = str(error.seconds)
    raise ImmediateHttpResponse(page)


def take_attempt(request, *subjects, **limits):
    """Count an attempt before it is looked at; too many end here."""
    try:
        return attempts.take(*subjects, **limits)
    except attempts.TooMany as error:
        return refuse_attempts(request, error)


class AccountAdapter(DefaultAccountAdapter):
    """E-mail and password; nobody signs up by himself."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _("E-mail and password do not match."),
        "incorrect_password": _("This is not your password."),
        "enter_current_password": _("This is not your password."),
        "incorrect_code": _("This code is not valid. Wait for the next one and try again."),
    }

    def is_open_for_signup(self, request):
        return False

    def pre_authenticate(self, request, **credentials):
        """
        Count before anything is hashed, by account and by address.

        Devices on which the account's owner has signed in before have a count of their own: he
        comes in while strangers elsewhere are locked out.
        """
        account = str(credentials.get("email", "")).lower()
        address = self.get_client_ip(request)
        kind = "device" if knows_device(request, account) else "password"
        self._attempts = take_attempt(request, f"{kind}:{account}", f"address:{address}")

    def authenticate(self, request, **credentials):
        """The active user whom the password fits; the same answer for everything else."""
        user = super().authenticate(request, **credentials)
        if user is None or not user.is_active:
            return None  # of an inactive one as well, Django has told that it failed
        attempts.give_back(self._attempts)
        return user

    def _rollback_login_failed_rl_usage(self):
        """The library's own count, which ours replaces."""

    def reauthenticate(self, user, password):
        return self.authenticate(self.request, email=user.email, password=password) == user

    def is_reauthentication_required(self, *, app, **kwargs):
        """Whether the password, or a second factor, was given too long ago."""
        return time.time() - last_proof(self.request) > ASKED_AGAIN.total_seconds()

    def post_login(self, request, user, **kwargs):
        response = super().post_login(request, user, **kwargs)
        remember_device(response, user)
        return response

    def respond_user_inactive(self, request, user):
        return self.respond_login_failed(request)

    def respond_login_failed(self, request):
        """Whoever comes from another service and may not log in lands at the door, unnamed."""
        return render(request, "account/refused.html", status=403)

    def add_message(self, request, level, message_template=None, *args, **kwargs):
        if message_template not in SILENT:
            super().add_message(request, level, message_template, *args, **kwargs)

    def get_password_change_redirect_url(self, request):
        return reverse(settings.PROFILE_URL)

    def get_logout_redirect_url(self, request):
        return reverse(settings.LOGOUT_REDIRECT_URL)


def knows_device(request, account):
    """Whether somebody has signed in with the address ``account`` on this device before."""
    known = request.get_signed_cookie(settings.DEVICE_COOKIE_NAME, "", salt=DEVICE)
    return bool(known) and constant_time_compare(known, _device_of(account))


def remember_device(response, user):
    """Leave a cookie by which the device is known again; it lets nobody in."""
    response.set_signed_cookie(
        settings.DEVICE_COOKIE_NAME,
        _device_of(user.email),
        salt=DEVICE,
        max_age=365 * 24 * 60 * 60,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _device_of(account):
    return salted_hmac(DEVICE, account, algorithm="sha256").hexdigest()


def last_proof(request):
    """When the user last proved who he is in this session, in seconds since 1970."""
    records = get_authentication_records(request, request.user)
    return max([authenticated_at(request), *(record["at"] for record in records)])


class MFAAdapter(DefaultMFAAdapter):
    """The second factor."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }

    def get_totp_issuer(self):
        return self._get_site_name()
