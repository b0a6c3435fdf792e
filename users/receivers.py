"""What belongs to signing in: where a session begins, and what a new password ends."""

from allauth.account.signals import password_changed, password_reset, password_set
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from users.sessions import begin, end_sessions


@receiver(user_logged_in, dispatch_uid="users.begin_session")
def begin_session(sender, *, request, user, **kwargs):
    """Say in the session's row since when, where and with what it is."""
    begin(request)


@receiver([password_changed, password_reset, password_set], dispatch_uid="users.end_other_sessions")
def end_other_sessions(sender, *, request, user, **kwargs):
    """Whoever is signed in elsewhere has to know the new password."""
    end_sessions(user, but=request.session.session_key)
