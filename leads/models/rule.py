"""Rules that choose the owner of a lead."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.addresses import address_of
from core.models import Record, RecordQuerySet
from leads.models.queue import Queue
from leads.models.takers import refuse_taker


class AssignmentRuleQuerySet(RecordQuerySet):
    def active(self):
        return self.filter(is_active=True)

    def naming(self, user):
        """Those that give leads to ``user``, at once or if somebody else is away."""
        return self.filter(Q(target_user=user) | Q(fallback_owner=user))

    def in_order(self):
        """All rules as they are asked, with whom they name."""
        rows = self.select_related("target_user", "queue", "fallback_owner")
        return rows.order_by("position", "pk")


class AssignmentRule(Record):
    """
    Which leads go to whom: the first active rule that a lead fits decides.

    ``criteria`` is a document of core.filtering over leads, in which nobody is "me"; an empty
    one fits every lead. Rule: docs/rules/assignment.md.
    """

    name = models.CharField(
        _("name"),
        max_length=80,
        unique=True,
        error_messages={"unique": _("There is a rule of this name already.")},
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    criteria = models.JSONField(_("conditions"), default=dict, editable=False)
    target_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("goes to"),
    )
    queue = models.ForeignKey(
        Queue,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name=_("or to the queue"),
    )
    fallback_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("else to"),
    )

    objects = AssignmentRuleQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = _("assignment rule")
        verbose_name_plural = _("assignment rules")
        constraints = [
            models.CheckConstraint(
                name="assignmentrule_one_target",
                condition=Q(target_user__isnull=False, queue=None)
                | Q(target_user=None, queue__isnull=False),
                violation_error_code="target_user",
                violation_error_message=_("Choose a person or a queue, one of the two."),
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return address_of("leads:assignmentrule_update", self.pk)

    @property
    def target(self):
        """The person or the queue to whom the leads go."""
        return self.target_user or self.queue

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        super().clean_rules(cleaned, errors, context)
        for name in ("target_user", "fallback_owner"):
            if (user := cleaned.get(name)) is not None:
                refuse_taker(errors, name, user)
