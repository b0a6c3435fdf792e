from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("users")

    def ready(self):
        from users import receivers  # noqa: F401
