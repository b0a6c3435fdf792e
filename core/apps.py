from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from core import filtering, receivers, seeds  # noqa: F401, PLC0415 - models must be loaded first

        post_migrate.connect(seeds.seed, sender=self, dispatch_uid="core.seeds")
