"""How a deal moved: kept as rows of its own, because reports need them fast."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.fields import MoneyField, PercentField
from core.models import Record
from opportunities.models.stage import ForecastCategory

WATCHED = ("stage", "amount", "probability", "forecast_category", "close_date", "owner")
"""The fields of a deal whose change leaves a row of history."""


class OpportunityStageHistory(Record):
    """
    One save of a deal that moved stage, amount, probability, category, close date or owner.

    The first row of a deal has nothing before it. Rows are never edited; the undo of the
    operation that wrote one takes it back. Imported rows keep their own times.
    """

    opportunity = models.ForeignKey(
        "opportunities.Opportunity",
        models.CASCADE,
        related_name="history",
        verbose_name=_("opportunity"),
    )
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    from_stage = models.ForeignKey(
        "opportunities.Stage",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("stage before"),
    )
    to_stage = models.ForeignKey(
        "opportunities.Stage", models.PROTECT, related_name="+", verbose_name=_("new stage")
    )
    from_amount = MoneyField(_("amount before"), null=True)
    to_amount = MoneyField(_("new amount"), null=True)
    from_probability = PercentField(_("probability before"), null=True)
    to_probability = PercentField(_("new probability"))
    from_forecast_category = models.CharField(
        _("forecast category before"), max_length=9, choices=ForecastCategory, blank=True
    )
    to_forecast_category = models.CharField(
        _("new forecast category"), max_length=9, choices=ForecastCategory
    )
    from_close_date = models.DateField(_("close date before"), null=True)
    to_close_date = models.DateField(_("new close date"))
    from_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("owner before"),
    )
    to_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("new owner")
    )
    seconds_in_from_stage = models.BigIntegerField(_("seconds in the stage before"), null=True)

    access_parents = ("opportunity",)

    class Meta(Record.Meta):
        verbose_name = _("stage history")
        verbose_name_plural = _("stage history")
        indexes = [
            models.Index(fields=["opportunity", "at", "id"], name="opp_history_at_idx"),
        ]

    def __str__(self):
        return f"{self.opportunity} {self.at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self):
        return self.opportunity.get_absolute_url()

    @property
    def moved_stage(self):
        return self.from_stage_id != self.to_stage_id
