from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OpportunitiesConfig(AppConfig):
    name = "opportunities"
    verbose_name = _("Opportunities")

    def ready(self):
        from opportunities import batches, checks, receivers, seeds  # noqa: F401, PLC0415

        post_migrate.connect(seeds.seed, sender=self, dispatch_uid="opportunities.seed")
