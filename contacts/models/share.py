"""With whom a contact is shared beyond the rules."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Share


class ContactShare(Share):
    """That somebody else may see or edit a contact."""

    record = models.ForeignKey(
        "contacts.Contact", models.CASCADE, related_name="shares", verbose_name=_("contact")
    )

    class Meta(Share.Meta):
        verbose_name = _("share of a contact")
        verbose_name_plural = _("shares of contacts")
