from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class LeadsConfig(AppConfig):
    name = "leads"
    verbose_name = _("Leads")

    def ready(self):
        from leads import batches, checks, seeds  # noqa: F401, PLC0415

        post_migrate.connect(seeds.seed, sender=self, dispatch_uid="leads.seed")
