"""What a lead became."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.addresses import address_of
from core.journal import Change, Verb
from core.models import Record
from core.reach import Loan
from users.models import Role


class Conversion(Record):
    """
    That one lead became an account and a contact, and perhaps a deal.

    Undoing the conversion removes the row; the journal keeps it. Imported history may lack
    account, contact and converter.
    """

    class Origin(models.TextChoices):
        CONVERTED = "CONVERTED", _("Converted here")
        IMPORTED = "IMPORTED", _("Imported")

    lead = models.OneToOneField(
        "leads.Lead", models.PROTECT, related_name="conversion", verbose_name=_("lead")
    )
    account = models.ForeignKey(
        "accounts.Account",
        models.PROTECT,
        null=True,
        related_name="conversions",
        verbose_name=_("account"),
    )
    contact = models.ForeignKey(
        "contacts.Contact",
        models.PROTECT,
        null=True,
        related_name="conversions",
        verbose_name=_("contact"),
    )
    opportunity = models.ForeignKey(
        "opportunities.Opportunity",
        models.PROTECT,
        null=True,
        related_name="conversions",
        verbose_name=_("opportunity"),
    )
    account_created = models.BooleanField(_("account was created"), default=False)
    contact_created = models.BooleanField(_("contact was created"), default=False)
    opportunity_created = models.BooleanField(_("deal was created"), default=False)
    converted_at = models.DateTimeField(_("converted at"))
    converted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("converted by"),
    )
    origin = models.CharField(_("origin"), max_length=9, choices=Origin, default=Origin.CONVERTED)

    access_parents = ("lead", "account", "contact", "opportunity")

    class Meta(Record.Meta):
        verbose_name = _("conversion")
        verbose_name_plural = _("conversions")
        constraints = [
            models.CheckConstraint(
                name="conversion_has_targets",
                condition=Q(origin="IMPORTED") | Q(account__isnull=False, contact__isnull=False),
                violation_error_code="account",
                violation_error_message=_("A conversion has an account and a contact."),
            ),
            models.CheckConstraint(
                name="conversion_has_converter",
                condition=Q(origin="IMPORTED") | Q(converted_by__isnull=False),
                violation_error_code="converted_by",
                violation_error_message=_("A conversion says who made it."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "converted_at", "id"], name="conversion_account_at_idx"
            ),
        ]

    def __str__(self):
        return str(self.lead)

    def get_absolute_url(self):
        return address_of("leads:lead_conversion", self.lead_id)

    @classmethod
    def loans(cls, asker):
        """Who developed a lead sees what became of it: the deal, also after it was handed over."""
        mine = Q(converted_by=asker.user) | Q(lead__handed_over_by=asker.user)
        rows = cls.objects.filter(mine, opportunity__isnull=False)
        return [Loan("opportunities.Opportunity", rows, key="opportunity_id", role=Role.SDR)]

    def get_operation(self):
        """The operation that made this conversion, from the journal; its undo takes it back."""
        changes = Change.objects.filter(model=self._meta.label_lower, object_id=self.pk)
        created = changes.filter(verb=Verb.CREATED).select_related("operation")
        change = created.order_by("-version").first()
        return change.operation if change else None
