from datetime import timedelta

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.bulk import refresh_statistics
from core.journal import OneTimeKey
from core.models import Batch, Seen
from core.signals import sweeping
from users.attempts import forget_old
from users.sessions import SessionStore

KEPT = timedelta(hours=24)
KEPT_BATCHES = timedelta(days=7)
SEEN_KEPT = timedelta(days=90)


class Command(BaseCommand):
    help = (
        "Remove old one-time keys and batches, what was seen long ago and sessions that are over, "
        "let the database look at its tables again, and do what has become due; once a day."
    )

    def handle(self, *args, **options):
        old = OneTimeKey.objects.filter(created_at__lt=timezone.now() - KEPT)
        count, _by_model = old.delete()
        Seen.objects.filter(at__lt=timezone.now() - SEEN_KEPT).delete()
        SessionStore.clear_expired()
        forget_old()
        Batch.objects.filter(created_at__lt=timezone.now() - KEPT_BATCHES).delete()
        refresh_statistics()
        self.stdout.write(f"Removed {count} one-time keys that are older than a day.")
        for _receiver, said in sweeping.send(sender=Command):
            if said:
                self.stdout.write(str(said))
