"""
Counting attempts in the database, so that all processes count together.

An attempt is written before the costly or guessable thing is done, and counted afterwards: of
those at the same time never more than allowed go on. Rule: docs/rules/access.md, section 9.
"""

import datetime
import math

from django.utils import timezone
from django.utils.crypto import salted_hmac

from users.models import Attempt

MOST = 10
WITHIN = datetime.timedelta(minutes=15)


class TooMany(Exception):
    """Nothing more goes for ``seconds``."""

    def __init__(self, seconds):
        super().__init__(f"Too many attempts; the next one in {seconds} seconds.")
        self.seconds = seconds


def take(*subjects, most=MOST, within=WITHIN):
    """
    Note one attempt for each of ``subjects`` and return the rows, to be given back.

    :raises TooMany: one of them has had ``most`` within the time already
    """
    now = timezone.now()
    rows = Attempt.objects.bulk_create(
        Attempt(subject=_digest(subject), at=now) for subject in subjects
    )
    for row in rows:
        recent = Attempt.objects.filter(subject=row.subject, at__gt=now - within)
        if recent.count() > most:
            oldest = recent.exclude(pk=row.pk).order_by("at", "pk").first()
            give_back(rows)
            left = (oldest.at if oldest else now) + within - now
            raise TooMany(max(1, math.ceil(left.total_seconds())))
    return rows


def give_back(rows):
    """Forget attempts that went well, or were refused."""
    Attempt.objects.filter(pk__in=[row.pk for row in rows]).delete()


def forget_old():
    """Remove what no longer counts."""
    Attempt.objects.filter(at__lt=timezone.now() - WITHIN).delete()


def _digest(subject):
    """No address of a person or a machine stands in the table."""
    return salted_hmac("users.attempts", subject, algorithm="sha256").hexdigest()
