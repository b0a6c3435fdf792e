from datetime import timedelta

from django.contrib.sessions.backends.db import SessionStore
from django.core.management.base import BaseCommand
from django.utils import timezone

from core.journal import OneTimeKey
from core.models import Seen

KEPT = timedelta(hours=24)
SEEN_KEPT = timedelta(days=90)


class Command(BaseCommand):
    help = "Remove old one-time keys, what was seen long ago, sessions that are over; once a day."

    def handle(self, *args, **options):
        old = OneTimeKey.objects.filter(created_at__lt=timezone.now() - KEPT)
        count, _by_model = old.delete()
        Seen.objects.filter(at__lt=timezone.now() - SEEN_KEPT).delete()
        SessionStore.clear_expired()
        self.stdout.write(f"Removed {count} one-time keys that are older than a day.")
