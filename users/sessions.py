"""
The session engine: Django's own, with rows that know whose they are and when they end.

A session ends eight hours after it was last used and fourteen days after the log-in. That it is
used is noted every five minutes, in the row that a request reads in any case.
Rule: docs/rules/access.md, section 9.
"""

import datetime

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from users.models import Session

IDLE = datetime.timedelta(hours=8)
ABSOLUTE = datetime.timedelta(days=14)
NOTED_EVERY = datetime.timedelta(minutes=5)
ASKED_AGAIN = datetime.timedelta(minutes=15)
"""After so long the password is asked again, before something that somebody else must not do."""


class SessionStore(DatabaseStore):
    """Sessions in users.Session."""

    @classmethod
    def get_model_class(cls):
        return Session

    def create_model_instance(self, data):
        row = super().create_model_instance(data)
        now = timezone.now()
        row.user_id = data.get("_auth_user_id")
        row.started_at = _moment(data.get("started")) or now
        row.seen_at = _moment(data.get("seen")) or now
        row.address = data.get("address", "")
        row.device = data.get("device", "")
        row.expire_date = min(row.seen_at + IDLE, row.started_at + ABSOLUTE)
        return row


def begin(request):
    """Note in the session of ``request`` who begins it where, at the log-in."""
    now = timezone.now().isoformat()
    request.session.update(
        {
            "started": now,
            "seen": now,
            "device": device_of(request.META.get("HTTP_USER_AGENT", "")),
            "address": request.META.get("REMOTE_ADDR", ""),
        }
    )


def note_use(request):
    """Note that the session is used, unless that was done a moment ago."""
    seen = _moment(request.session.get("seen"))
    now = timezone.now()
    if seen is None or now - seen > NOTED_EVERY:
        request.session["seen"] = now.isoformat()


def authenticated_at(request):
    """When the session began with a log-in, in seconds since 1970; 0 without one."""
    started = _moment(request.session.get("started"))
    return started.timestamp() if started else 0


def sessions_of(user):
    """The sessions of ``user`` that have not ended, the last used first."""
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now())
    return rows.order_by("-seen_at", "pk")


def end_sessions(user, *, but=None):
    """End the sessions of ``user``, that with the key ``but`` left out."""
    Session.objects.filter(user=user).exclude(session_key=but).delete()


def end_session(user, handle):
    """End the one of the sessions of ``user`` that pages call ``handle``; False without one."""
    keys = [row.session_key for row in sessions_of(user) if row.handle == handle]
    deleted, _by_model = Session.objects.filter(session_key__in=keys).delete()
    return bool(deleted)


BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
            ("Safari", "Safari"))  # fmt: skip
SYSTEMS = (("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
           ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip


def device_of(agent):
    """A browser and a system in short, as far as its header tells: "Firefox, Windows"."""
    found = [
        next((name for word, name in names if word in agent), "") for names in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(filter(None, found))


def _moment(text):
    return datetime.datetime.fromisoformat(text) if text else None
