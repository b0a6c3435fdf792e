"""The states of a lead, as the organisation names them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.addresses import address_of
from core.errors import Invalid
from core.fields import StringListField
from core.models import Record, RecordQuerySet
from core.normalise import choice_key
from core.once import once


class Phase(models.TextChoices):
    OPEN = "OPEN", _("Open")
    WORKING = "WORKING", _("Working")
    NURTURING = "NURTURING", _("Nurturing")
    QUALIFIED = "QUALIFIED", _("Qualified")
    CONVERTED = "CONVERTED", _("Converted")
    DEAD = "DEAD", _("Not converted")


MOVES = {
    Phase.OPEN: {Phase.WORKING, Phase.NURTURING, Phase.QUALIFIED, Phase.DEAD},
    Phase.WORKING: {Phase.NURTURING, Phase.QUALIFIED, Phase.DEAD},
    Phase.NURTURING: {Phase.OPEN, Phase.WORKING, Phase.QUALIFIED, Phase.DEAD},
    Phase.QUALIFIED: {Phase.NURTURING, Phase.DEAD},
    Phase.DEAD: {Phase.OPEN, Phase.WORKING},
    Phase.CONVERTED: set(),
}
"""Where a lead may go from each phase by hand; into and out of Converted leads only conversion."""

MUST_STAY = (Phase.OPEN, Phase.CONVERTED, Phase.DEAD)


class LeadStatusQuerySet(RecordQuerySet):
    def active(self):
        return self.filter(is_active=True).order_by("position", "pk")


class LeadStatus(Record):
    """A step on a lead's way, named by the organisation; rules ask for its phase only."""

    name = models.CharField(
        _("name"),
        max_length=40,
        unique=True,
        error_messages={"unique": _("There is a status of this name already.")},
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    phase = models.CharField(_("phase"), max_length=9, choices=Phase)
    is_default = models.BooleanField(_("preset"), default=False)
    is_active = models.BooleanField(_("can be chosen"), default=True)
    aliases = StringListField(_("other spellings"), limit=30, blank=True)

    objects = LeadStatusQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = _("lead status")
        verbose_name_plural = _("lead statuses")
        constraints = [
            models.UniqueConstraint(
                name="leadstatus_one_default",
                fields=["is_default"],
                condition=Q(is_default=True),
                violation_error_code="is_default",
                violation_error_message=_("Another status is the preset already."),
            ),
            models.CheckConstraint(
                name="leadstatus_default_is_open",
                condition=Q(is_default=False) | Q(phase="OPEN"),
                violation_error_code="is_default",
                violation_error_message=_("A new lead begins in the phase Open."),
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return address_of("leads:leadstatus_update", self.pk)

    @property
    def is_converted(self):
        return self.phase == Phase.CONVERTED

    @classmethod
    def everything(cls):
        """All statuses by position, retired ones included; one query a request."""
        return once("lead statuses", lambda: list(cls.objects.order_by("position", "pk")))

    @classmethod
    def choices(cls):
        """The statuses that people can choose: active ones, without the converted."""
        return [s for s in cls.everything() if s.is_active and s.phase != Phase.CONVERTED]

    @classmethod
    def default(cls):
        """The status of a new lead."""
        for status in cls.everything():
            if status.is_default:
                return status
        return cls.first(Phase.OPEN)

    @classmethod
    def of_phase(cls, phase):
        """The active statuses of ``phase``, by position."""
        return [s for s in cls.everything() if s.is_active and s.phase == phase]

    @classmethod
    def first(cls, phase):
        """The first active status of ``phase``."""
        statuses = cls.of_phase(phase)
        if not statuses:
            message = _("No active status of the phase “%(phase)s” is left. Ask an administrator.")
            raise Invalid(message % {"phase": Phase(phase).label})
        return statuses[0]

    @classmethod
    def named(cls, text):
        """The status with this name or other spelling, in any case and punctuation, or None."""
        wanted = choice_key(text)
        for status in cls.everything():
            if wanted in {choice_key(name) for name in (status.name, *status.aliases)}:
                return status
        return None

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        super().clean_rules(cleaned, errors, context)
        status = context.instance
        if status is None or status.pk is None:
            return
        if cleaned.get("phase", status.phase) != status.phase and status.leads.exists():
            message = _("Leads have been in this status. Make a new status instead.")
            errors.setdefault("phase", []).append(message)
        retiring = cleaned.get("is_active") is False and status.is_active
        if retiring and status.phase in MUST_STAY and status.is_last_of_its_phase():
            message = _("One status each of Open, Converted and Not converted must stay active.")
            errors.setdefault("is_active", []).append(message)

    def is_last_of_its_phase(self):
        """Whether no other active status has this phase."""
        others = LeadStatus.objects.active().exclude(pk=self.pk)
        return not others.filter(phase=self.phase).exists()
