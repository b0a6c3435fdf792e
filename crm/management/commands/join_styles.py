from django.core.management.base import BaseCommand

from crm.styles import JOINED, joined


class Command(BaseCommand):
    help = "Join our style sheets into static/css/topsail.css, after one of them was changed."

    def handle(self, *args, **options):
        JOINED.write_text(joined())
        self.stdout.write(f"Wrote {JOINED.name}.")
