"""The relation of a person with an organisation, with its history."""

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from core.fields import StringListField
from core.models import Record, RecordQuerySet

FORMER_EMPLOYEE = "Former Employee"


class RelationQuerySet(RecordQuerySet):
    def active(self):
        return self.filter(is_active=True)

    def direct(self):
        """Relations to the account where the person works first of all."""
        return self.filter(is_direct=True)

    def primary(self):
        """Relations of the people whom an organisation names first."""
        return self.filter(is_primary_for_account=True, is_active=True)

    def oldest_first(self):
        return self.order_by(F("start_date").asc(nulls_first=True), "pk")

    def person_order(self):
        """The direct one, then active ones by the account's name, then ended ones, newest first."""
        return self.order_by(
            Case(When(is_direct=True, then=0), When(is_active=True, then=1), default=Value(2)),
            F("end_date").desc(nulls_last=True),
            "account__name",
            "pk",
        )

    def account_order(self):
        """The primary contact, then active people, then former ones, the latest relation first."""
        return self.order_by("-is_primary_for_account", "-is_active", "-pk")

    def with_sub_accounts(self, account):
        """Relations with ``account`` and every account below it."""
        branch = type(account).objects.within(account)
        return self.filter(account__in=branch)


class AccountContactRelation(Record):
    """A person's relation with an organisation; an ended one stays as history."""

    account = models.ForeignKey(
        "accounts.Account", models.CASCADE, related_name="relations", verbose_name=_("account")
    )
    contact = models.ForeignKey(
        "contacts.Contact", models.CASCADE, related_name="relations", verbose_name=_("person")
    )
    is_direct = models.BooleanField(_("main account"), default=False, editable=False)
    is_primary_for_account = models.BooleanField(
        _("primary contact"), default=False, editable=False
    )
    roles = StringListField(_("roles"), list_key="account_contact_role", limit=13, blank=True)
    title_there = models.CharField(_("title there"), max_length=128, blank=True)
    is_active = models.BooleanField(_("active"), default=True, editable=False)
    start_date = models.DateField(_("from"), null=True, blank=True)
    end_date = models.DateField(_("until"), null=True, blank=True)
    notes = models.CharField(_("notes"), max_length=255, blank=True)

    access_parents = ("account", "contact")
    values_of_rules = {"roles": (FORMER_EMPLOYEE,)}

    objects = RelationQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = _("relation")
        verbose_name_plural = _("relations")
        constraints = [
            models.UniqueConstraint(
                name="acr_one_direct_per_contact",
                fields=["contact"],
                condition=Q(is_direct=True),
                violation_error_code="account",
                violation_error_message=_("This person has a main account already."),
            ),
            models.UniqueConstraint(
                name="acr_one_primary_per_account",
                fields=["account"],
                condition=Q(is_primary_for_account=True, is_active=True),
                violation_error_code="contact",
                violation_error_message=_("This account has a primary contact already."),
            ),
            models.UniqueConstraint(
                name="acr_one_active_pair",
                fields=["account", "contact"],
                condition=Q(is_active=True),
                violation_error_code="account",
                violation_error_message=_("This person is related to this account already."),
            ),
            models.CheckConstraint(
                name="acr_dates_ordered",
                condition=Q(end_date=None) | Q(start_date=None) | Q(end_date__gte=F("start_date")),
                violation_error_code="end_date",
                violation_error_message=_("The end lies before the start."),
            ),
            models.CheckConstraint(
                name="acr_direct_is_active",
                condition=Q(is_direct=False) | Q(is_active=True, end_date=None),
                violation_error_code="end_date",
                violation_error_message=_("The main account's relation cannot have an end."),
            ),
            models.CheckConstraint(
                name="acr_inactive_not_primary",
                condition=Q(is_primary_for_account=False) | Q(is_active=True),
                violation_error_code="contact",
                violation_error_message=_("A person who has left is no primary contact."),
            ),
        ]
        indexes = [
            models.Index(fields=["account", "is_active"], name="acr_account_active_idx"),
            models.Index(
                fields=["account"],
                condition=Q(is_active=True, is_direct=False),
                name="acr_further_account_idx",
            ),
            models.Index(
                fields=["account", "is_primary_for_account", "is_active", "id"],
                name="acr_account_order_idx",
            ),
            models.Index(fields=["contact", "is_active"], name="acr_contact_active_idx"),
        ]

    def __str__(self):
        return f"{self.contact} – {self.account}"

    def get_absolute_url(self):
        return self.contact.get_absolute_url()

    @classmethod
    def clean_rules(cls, cleaned, errors, context):
        super().clean_rules(cleaned, errors, context)
        instance = context.instance
        start = cleaned.get("start_date", instance.start_date if instance else None)
        end = cleaned.get("end_date", instance.end_date if instance else None)
        if start and end and end < start:
            errors.setdefault("end_date", []).append(_("The end lies before the start."))

    def ended(self, date):
        """Set what makes this relation a thing of the past since ``date``; saves nothing."""
        self.is_direct = self.is_primary_for_account = self.is_active = False
        self.end_date = date
