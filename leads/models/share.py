"""With whom a lead is shared beyond the rules."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Share


class LeadShare(Share):
    """That somebody else may see or edit a lead."""

    record = models.ForeignKey(
        "leads.Lead", models.CASCADE, related_name="shares", verbose_name=_("lead")
    )

    class Meta(Share.Meta):
        verbose_name = _("share of a lead")
        verbose_name_plural = _("shares of leads")
