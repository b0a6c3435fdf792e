"""Changes of job that are known beforehand."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.models import Record, RecordQuerySet


class PlannedJobChangeQuerySet(RecordQuerySet):
    def open(self):
        """Those that are still to be done."""
        return self.filter(status=PlannedJobChange.Status.PLANNED)

    def due(self, *, today):
        """Open ones whose day has come; what was done once and taken back stays as it is."""
        return self.open().filter(date__lte=today, carried_out_at=None)

    def of_account(self, account):
        """Those that lead away from an account or to it."""
        return self.filter(Q(old_account=account) | Q(new_account=account))


class PlannedJobChange(Record):
    """
    A person's change of job on a day to come; the nightly sweep carries it out.

    ``entered`` is what a ``contacts.services.JobChange`` says, as JSON; ``answers`` what higher
    apps were answered: {app: {name of the question: answer}}. One that could not be done when
    its day came stays open and says why in ``refusal``.
    """

    class Status(models.TextChoices):
        PLANNED = "PLANNED", _("Planned")
        DONE = "DONE", _("Done")
        CANCELLED = "CANCELLED", _("Cancelled")

    contact = models.ForeignKey(
        "contacts.Contact",
        models.CASCADE,
        related_name="planned_job_changes",
        verbose_name=_("person"),
    )
    old_account = models.ForeignKey(
        "accounts.Account",
        models.PROTECT,
        null=True,
        related_name="planned_leavers",
        verbose_name=_("old account"),
    )
    new_account = models.ForeignKey(
        "accounts.Account",
        models.PROTECT,
        null=True,
        related_name="planned_joiners",
        verbose_name=_("new account"),
    )
    date = models.DateField(_("on"))
    planned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name=_("planned by"),
    )
    entered = models.JSONField(_("what was entered"), default=dict, editable=False)
    answers = models.JSONField(_("answers"), default=dict, editable=False)
    status = models.CharField(
        _("status"), max_length=9, choices=Status, default=Status.PLANNED, editable=False
    )
    refusal = models.CharField(
        _("why it could not be done"), max_length=255, blank=True, editable=False
    )
    # Past the journal: an undo opens the plan again, and no night must do it a second time.
    carried_out_at = models.DateTimeField(null=True, editable=False)

    access_parents = ("contact",)
    plain_fields = ("carried_out_at",)

    objects = PlannedJobChangeQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = _("planned change of job")
        verbose_name_plural = _("planned changes of job")
        constraints = [
            models.UniqueConstraint(
                name="plannedjobchange_one_open",
                fields=["contact"],
                condition=Q(status="PLANNED"),
                violation_error_code="date",
                violation_error_message=_("A change of job is planned for this person already."),
            ),
            models.CheckConstraint(
                name="plannedjobchange_status_known",
                condition=Q(status__in=["PLANNED", "DONE", "CANCELLED"]),
                violation_error_message=_("A planned change of job has no such status."),
            ),
            models.CheckConstraint(
                name="plannedjobchange_accounts_differ",
                condition=Q(old_account=None)
                | Q(new_account=None)
                | ~Q(old_account=F("new_account")),
                violation_error_code="account",
                violation_error_message=_("Choose another account than the present one."),
            ),
            models.CheckConstraint(
                name="plannedjobchange_done_says_when",
                condition=~Q(status="DONE") | Q(carried_out_at__isnull=False),
                violation_error_message=_("A change of job that was done says when."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["date", "id"],
                condition=Q(status="PLANNED"),
                name="plannedjobchange_due_idx",
            ),
        ]

    def __str__(self):
        return str(self.contact)

    def get_absolute_url(self):
        return self.contact.get_absolute_url()

    def mark_done(self, *, at):
        """The change was carried out at the moment ``at``."""
        self.carried_out_at = at
        self.save(update_fields=["carried_out_at"])  # first: what is done must say when
        self.status, self.refusal = self.Status.DONE, ""
        self.save(update_fields=["status", "refusal"])

    def mark_cancelled(self):
        self.status = self.Status.CANCELLED
        self.save(update_fields=["status"])

    def mark_refused(self, *, why):
        """The change could not be done when its day came; the plan stays."""
        self.refusal = str(why)[: self._meta.get_field("refusal").max_length]
        self.save(update_fields=["refusal"])
