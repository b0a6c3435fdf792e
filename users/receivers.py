"""What belongs to signing in: where a session begins, what a new password ends, what is logged."""

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
)
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from users.security import note
from users.sessions import begin, end_sessions

PASSWORD_SIGNALS = [password_changed, password_reset, password_set]


@receiver(user_logged_in, dispatch_uid="users.begin_session")
def begin_session(sender, *, request, user, **kwargs):
    """Say in the session's row since when, where and with what it is."""
    begin(request)
    note("login", user=user)


@receiver(user_logged_out, dispatch_uid="users.note_logout")
def note_logout(sender, *, user, **kwargs):
    """Of who was logged in."""
    if user is not None:
        note("logout", user=user)


@receiver(user_login_failed, dispatch_uid="users.note_failure")
def note_failure(sender, **kwargs):
    """Whose account it was meant to be is not said: it may be a password in the wrong field."""
    note("login_failed")


@receiver(PASSWORD_SIGNALS, dispatch_uid="users.end_other_sessions")
def end_other_sessions(sender, *, request, user, **kwargs):
    """Whoever is signed in elsewhere has to know the new password."""
    end_sessions(user, but=request.session.session_key)
    note("password_changed", user=user)


@receiver(authentication_failed, dispatch_uid="users.note_wrong_code")
def note_wrong_code(sender, *, user, authenticator, **kwargs):
    note("code_failed", user=user, type=authenticator.type)


@receiver(authenticator_added, dispatch_uid="users.note_added")
def note_added(sender, *, user, authenticator, **kwargs):
    note("second_step_added", user=user, type=authenticator.type)


@receiver(authenticator_removed, dispatch_uid="users.note_removed")
def note_removed(sender, *, user, authenticator, **kwargs):
    note("second_step_removed", user=user, type=authenticator.type)


@receiver(authenticator_reset, dispatch_uid="users.note_reset")
def note_reset(sender, *, user, authenticator, **kwargs):
    note("second_step_reset", user=user, type=authenticator.type)
