"""What is kept of an import: the run and the outcome of each row. Job rows, outside the journal."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.journal import Operation


class Outcome(models.TextChoices):
    """What became of one row; every row has exactly one."""

    CREATED = "CREATED", _("created")
    UPDATED = "UPDATED", _("updated")
    UNCHANGED = "UNCHANGED", _("unchanged")
    SKIPPED = "SKIPPED", _("skipped")
    FAILED = "FAILED", _("failed")


class ImportRun(models.Model):
    """One file brought in: how it was read, how far it came, the run of the journal behind it."""

    class Kind(models.TextChoices):
        ACCOUNTS = "accounts", _("accounts")
        CONTACTS = "contacts", _("contacts")
        RELATIONS = "relations", _("relations")
        LEADS = "leads", _("leads")
        OPPORTUNITIES = "opportunities", _("opportunities")
        CONTACT_ROLES = "contact_roles", _("contact roles")

    class Mode(models.TextChoices):
        UPSERT = "upsert", _("create and update")
        CREATE = "create", _("create only")
        UPDATE = "update", _("update only")

    class State(models.TextChoices):
        RUNNING = "RUNNING", _("running")
        DONE = "DONE", _("done")
        STOPPED = "STOPPED", _("stopped")

    file_name = models.CharField(_("file"), max_length=255)
    file_digest = models.CharField(max_length=64)
    kind = models.CharField(_("kind"), max_length=14, choices=Kind)
    mode = models.CharField(_("mode"), max_length=6, choices=Mode)
    mapping = models.JSONField(_("mapping"), default=dict)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.RUNNING)
    total = models.PositiveIntegerField(_("rows"))
    done = models.PositiveIntegerField(_("rows done"), default=0)
    created = models.PositiveIntegerField(_("created"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    skipped = models.PositiveIntegerField(_("skipped"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    operation = models.OneToOneField(
        Operation, models.PROTECT, related_name="import_run", verbose_name=_("operation")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    moved_at = models.DateTimeField(_("last progress"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            models.CheckConstraint(
                name="importrun_rows_add_up",
                condition=Q(
                    done=F("created") + F("updated") + F("unchanged") + F("skipped") + F("failed")
                ),
                violation_error_message=_("Each row has one outcome."),
            ),
            models.CheckConstraint(
                name="importrun_done_is_all",
                condition=~Q(state="DONE") | Q(done=F("total")),
                violation_error_message=_("A finished import has done all its rows."),
            ),
        ]

    def __str__(self):
        return self.file_name


class ImportRow(models.Model):
    """The outcome of one row of a file, by the line on which it starts."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(_("line"))
    digest = models.CharField(max_length=32)
    outcome = models.CharField(_("outcome"), max_length=9, choices=Outcome)
    message = models.TextField(_("message"), blank=True)
    model = models.CharField(max_length=60, blank=True)
    object_id = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("imported row")
        verbose_name_plural = _("imported rows")
        constraints = [
            models.UniqueConstraint(name="importrow_number_once", fields=["run", "number"]),
        ]
        indexes = [
            models.Index(fields=["digest"], name="importrow_digest_idx"),
        ]

    def __str__(self):
        return f"{self.run_id}:{self.number}"
