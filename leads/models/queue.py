"""Groups of people who are given leads in turns."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.addresses import address_of
from core.models import Record
from leads.models.takers import refuse_taker


class Queue(Record):
    """People among whom leads are shared out in turns, in the stored order of its members."""

    name = models.CharField(
        _("name"),
        max_length=80,
        unique=True,
        error_messages={"unique": _("There is a queue of this name already.")},
    )
    # Past the journal, as a turn is no edit: an undo of one lead must not stand in the way of
    # another, and gives no turn back.
    last_position = models.PositiveSmallIntegerField(
        _("place of the last turn"), null=True, editable=False
    )

    plain_fields = ("last_position",)

    class Meta(Record.Meta):
        verbose_name = _("queue")
        verbose_name_plural = _("queues")

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return address_of("leads:queuemember_list", self.pk)


class QueueMember(Record):
    """One person's place in a queue, with the most leads that the person takes a day."""

    queue = models.ForeignKey(
        Queue, models.CASCADE, related_name="members", verbose_name=_("queue")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    daily_cap = models.PositiveSmallIntegerField(_("most leads a day"), null=True, blank=True)
    served_on = models.DateField(_("day of the last turn"), null=True, editable=False)
    served = models.PositiveIntegerField(_("leads on that day"), default=0, editable=False)

    plain_fields = ("served_on", "served")

    class Meta(Record.Meta):
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(
                name="queuemember_once",
                fields=["queue", "user"],
                violation_error_code="user",
                violation_error_message=_("This person is in the queue already."),
            ),
            models.CheckConstraint(
                name="queuemember_cap_above_0",
                condition=Q(daily_cap=None) | Q(daily_cap__gt=0),
                violation_error_code="daily_cap",
                violation_error_message=_("Enter a number above 0, or none for no limit."),
            ),
        ]

    def __str__(self):
        return str(self.user)

    def get_absolute_url(self):
        return address_of("leads:queuemember_update", self.pk)

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        super().clean_rules(cleaned, errors, context)
        kept = context.instance.user if context.instance and context.instance.pk else None
        if (user := cleaned.get("user")) is not None and user != kept:
            refuse_taker(errors, "user", user)

    def served_today(self, *, today):
        """How many leads the queue has given to the person on the day ``today``."""
        return self.served if self.served_on == today else 0

    def is_at_cap(self, *, today):
        """Whether the person takes no more leads on the day ``today``."""
        return self.daily_cap is not None and self.served_today(today=today) >= self.daily_cap

    def take_turn(self, *, today):
        """Count one more lead; saves nothing."""
        self.served = self.served_today(today=today) + 1
        self.served_on = today
