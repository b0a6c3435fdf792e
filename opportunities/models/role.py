"""The people who take part in a deal's decision."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contacts.models import AccountContactRelation
from core.fields import ListField
from core.models import Record, RecordQuerySet

DECIDING_ROLES = ("Decision Maker", "Economic Buyer")


class RoleQuerySet(RecordQuerySet):
    def primary(self):
        return self.filter(is_primary=True)

    def in_open_deals(self):
        return self.filter(opportunity__is_closed=False, opportunity__archived_at=None)

    def committee_order(self):
        """The primary contact first, then by name."""
        return self.order_by("-is_primary", "contact__last_name", "contact__first_name", "pk")


class OpportunityContactRole(Record):
    """What one person has to say in one deal."""

    class Stance(models.TextChoices):
        SUPPORTER = "SUPPORTER", _("Supporter")
        NEUTRAL = "NEUTRAL", _("Neutral")
        OPPONENT = "OPPONENT", _("Opponent")
        UNKNOWN = "UNKNOWN", _("Unknown")

    opportunity = models.ForeignKey(
        "opportunities.Opportunity",
        models.CASCADE,
        related_name="roles",
        verbose_name=_("opportunity"),
    )
    contact = models.ForeignKey(
        "contacts.Contact", models.PROTECT, related_name="deal_roles", verbose_name=_("person")
    )
    role = ListField(_("role"), list_key="opportunity_contact_role", blank=True)
    is_primary = models.BooleanField(_("primary contact"), default=False, editable=False)
    is_external = models.BooleanField(_("from outside the account"), default=False, editable=False)
    stance = models.CharField(_("stance"), max_length=9, choices=Stance, default=Stance.UNKNOWN)
    notes = models.CharField(_("notes"), max_length=255, blank=True)

    access_parents = ("opportunity",)
    values_of_rules = {"role": DECIDING_ROLES}
    derived = {"is_external": ("opportunity", "contact")}

    objects = RoleQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = _("contact role")
        verbose_name_plural = _("contact roles")
        constraints = [
            models.UniqueConstraint(
                name="ocr_contact_once",
                fields=["opportunity", "contact"],
                violation_error_code="contact",
                violation_error_message=_("This person has a role in this deal already."),
            ),
            models.UniqueConstraint(
                name="ocr_one_primary",
                fields=["opportunity"],
                condition=Q(is_primary=True),
                violation_error_code="contact",
                violation_error_message=_("This deal has a primary contact already."),
            ),
        ]

    def __str__(self):
        return f"{self.contact} – {self.opportunity}"

    def get_absolute_url(self):
        return self.opportunity.get_absolute_url()

    @classmethod
    def derive(cls, records):
        """Mark the people who belong neither to the deal's account nor to one above or below."""
        super().derive(records)
        lines = _lines_of({role.contact_id for role in records})
        accounts = _accounts_of(records)
        for role in records:
            branch = accounts[role.opportunity_id]
            own = lines.get(role.contact_id, ())
            role.is_external = not any(_on_one_line(branch, line) for line in own)


def _lines_of(contacts):
    """The branches of the accounts that people have active relations with, by person."""
    relations = AccountContactRelation.objects.active().filter(contact__among=sorted(contacts))
    found = {}
    for contact, pk, path in relations.values_list("contact_id", "account_id", "account__path"):
        found.setdefault(contact, []).append(f"{path}{pk}/")
    return found


def _accounts_of(roles):
    """The branches of the deals' accounts, by deal; those in memory are not read again."""
    found, missing = {}, set()
    for role in roles:
        deal = role._state.fields_cache.get("opportunity")
        account = deal._state.fields_cache.get("account") if deal else None
        if account is not None:
            found[deal.pk] = account.branch
        else:
            missing.add(role.opportunity_id)
    if missing:
        model = OpportunityContactRole._meta.get_field("opportunity").related_model
        deals = model.objects.filter(pk__among=sorted(missing))
        rows = deals.values_list("pk", "account_id", "account__path")
        found |= {deal: f"{path}{pk}/" for deal, pk, path in rows}
    return found


def _on_one_line(branch, other):
    """Whether one of two accounts is the other, or lies above it."""
    return branch.startswith(other) or other.startswith(branch)
