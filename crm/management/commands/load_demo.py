from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account
from contacts.models import Contact
from core.bulk import refresh_statistics
from crm.demo import AlreadyLoaded, load
from leads.models import Conversion, Lead
from opportunities.models import Opportunity

COUNTED = (Account, Contact, Lead, Conversion, Opportunity)


class Command(BaseCommand):
    help = "Load the sample organisation: one run of the journal, which manage.py undo takes out."

    def handle(self, *args, **options):
        before = [model.objects.count() for model in COUNTED]
        try:
            loaded = load()
        except AlreadyLoaded as refusal:
            raise CommandError(refusal.message) from refusal
        refresh_statistics()
        for model, count in zip(COUNTED, before, strict=True):
            number = model.objects.count() - count
            self.stdout.write(f"{number:>6} {model._meta.verbose_name_plural}")
        self.stdout.write(f"Loaded. To remove them again: manage.py undo {loaded.run.pk}")
