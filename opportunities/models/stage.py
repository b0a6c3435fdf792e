"""The steps of a sale, as the organisation names them."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.errors import Invalid
from core.fields import LongTextField, PercentField, StringListField, long_text_constraints
from core.models import Record, RecordQuerySet
from core.normalise import choice_key
from core.once import once


class ForecastCategory(models.TextChoices):
    OMITTED = "OMITTED", _("Omitted")
    PIPELINE = "PIPELINE", _("Pipeline")
    BEST_CASE = "BEST_CASE", _("Best case")
    COMMIT = "COMMIT", _("Commit")
    CLOSED = "CLOSED", _("Closed")


class StageQuerySet(RecordQuerySet):
    def active(self):
        return self.filter(is_active=True).order_by("position", "pk")

    def open(self):
        return self.filter(is_closed=False)

    def won(self):
        return self.filter(is_won=True)

    def lost(self):
        return self.filter(is_closed=True, is_won=False)


class Stage(Record):
    """A step of a sale; rules ask whether it is closed or won, never for its name."""

    name = models.CharField(
        _("name"),
        max_length=40,
        unique=True,
        error_messages={"unique": _("There is a stage of this name already.")},
    )
    aliases = StringListField(_("other spellings"), limit=30, blank=True)
    position = models.PositiveSmallIntegerField(
        _("position"),
        unique=True,
        error_messages={"unique": _("Another stage has this position.")},
    )
    probability = PercentField(_("probability"))
    forecast_category = models.CharField(
        _("forecast category"), max_length=9, choices=ForecastCategory
    )
    is_closed = models.BooleanField(_("closed"), default=False)
    is_won = models.BooleanField(_("won"), default=False)
    stale_after_days = models.PositiveSmallIntegerField(_("stale after days"), default=14)
    exit_criteria = LongTextField(_("exit criteria"), limit=1000, blank=True)
    required_fields = StringListField(_("required fields"), limit=30, blank=True)
    is_active = models.BooleanField(_("can be chosen"), default=True)

    objects = StageQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        constraints = [
            models.CheckConstraint(
                name="stage_won_is_closed",
                condition=Q(is_won=False) | Q(is_closed=True),
                violation_error_code="is_closed",
                violation_error_message=_("A stage that is won is closed."),
            ),
            models.CheckConstraint(
                name="stage_won_100_lost_0",
                condition=Q(is_closed=False)
                | Q(is_won=True, probability=100)
                | Q(is_won=False, probability=0),
                violation_error_code="probability",
                violation_error_message=_("Won has the probability 100, lost has 0."),
            ),
            models.CheckConstraint(
                name="stage_category_fits",
                condition=Q(is_won=True, forecast_category="CLOSED")
                | Q(is_closed=True, is_won=False, forecast_category="OMITTED")
                | (Q(is_closed=False) & ~Q(forecast_category="CLOSED")),
                violation_error_code="forecast_category",
                violation_error_message=_(
                    "Won belongs to the category Closed, lost to Omitted, an open stage to another."
                ),
            ),
            models.CheckConstraint(
                name="stage_probability_range",
                condition=Q(probability__gte=0, probability__lte=100),
                violation_error_code="probability",
                violation_error_message=_("Enter a probability from 0 to 100."),
            ),
            models.CheckConstraint(
                name="stage_stale_after_days_gte_1",
                condition=Q(stale_after_days__gte=1),
                violation_error_code="stale_after_days",
                violation_error_message=_("Enter 1 day or more."),
            ),
            *long_text_constraints("stage", "exit_criteria", 1000),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("opportunities:stage_update", args=[self.pk])

    @property
    def is_lost(self):
        return self.is_closed and not self.is_won

    @classmethod
    def everything(cls):
        """All stages by position, retired ones included; one query a request."""
        return once("stages", lambda: list(cls.objects.order_by("position", "pk")))

    @classmethod
    def choices(cls):
        """The stages that can be chosen, by position."""
        return [stage for stage in cls.everything() if stage.is_active]

    @classmethod
    def first_open(cls):
        """The stage where a deal begins."""
        return cls._first(lambda stage: not stage.is_closed)

    @classmethod
    def first_won(cls):
        return cls._first(lambda stage: stage.is_won)

    @classmethod
    def first_lost(cls):
        return cls._first(lambda stage: stage.is_lost)

    @classmethod
    def named(cls, text):
        """The stage with this name or other spelling, in any case and punctuation, or None."""
        wanted = choice_key(text)
        for stage in cls.everything():
            if wanted in {choice_key(name) for name in (stage.name, *stage.aliases)}:
                return stage
        return None

    @classmethod
    def _first(cls, fits):
        for stage in cls.choices():
            if fits(stage):
                return stage
        raise Invalid(_("No active stage of this kind is left. Ask an administrator."))

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        super().clean_rules(cleaned, errors, context)
        stage = context.instance
        if stage is None or stage.pk is None:
            return
        flags = ("is_closed", "is_won", "forecast_category")
        changed = [f for f in flags if f in cleaned and cleaned[f] != getattr(stage, f)]
        if changed and stage.opportunities.exists():
            for field in changed:
                message = _("Deals have been in this stage. Make a new stage instead.")
                errors.setdefault(field, []).append(message)
        if cleaned.get("is_active") is False and stage.is_active and stage.is_last_of_its_kind():
            message = _("One open, one won and one lost stage must stay active.")
            errors.setdefault("is_active", []).append(message)

    def is_last_of_its_kind(self):
        """Whether no other active stage is open, won or lost as this one is."""
        others = Stage.objects.active().exclude(pk=self.pk)
        return not others.filter(is_closed=self.is_closed, is_won=self.is_won).exists()
