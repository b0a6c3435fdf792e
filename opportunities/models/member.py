"""The people who work on a deal beside its owner."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import ListField
from core.models import Share


class OpportunityTeamMember(Share):
    """That somebody belongs to the team of a deal: it is shared with him, also if it is private."""

    record = models.ForeignKey(
        "opportunities.Opportunity",
        models.CASCADE,
        related_name="shares",
        verbose_name=_("opportunity"),
    )
    team_role = ListField(_("role"), list_key="team_role", blank=True)

    heading = _("Deal team")
    opens_private = True

    class Meta(Share.Meta):
        verbose_name = _("member of a deal’s team")
        verbose_name_plural = _("members of deals’ teams")
