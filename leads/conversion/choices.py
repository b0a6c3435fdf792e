"""What the user decides about one conversion, as one frozen object."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from contacts.models import Contact
from core.errors import Invalid
from core.records import lock
from leads.conversion.matches import suggest_matches
from opportunities.models import Opportunity


class Relation(models.TextChoices):
    """How a person who works elsewhere is related to the chosen account."""

    ALSO = "also", _("also works there")
    MOVED = "moved", _("moved there")


class Deal(models.TextChoices):
    """What becomes of the sale."""

    NEW = "new", _("Create new")
    EXISTING = "existing", _("Use existing")
    NONE = "none", _("Not yet")


@dataclass(frozen=True)
class ConversionChoices:
    """
    The decisions of one conversion.

    ``account``, ``contact``, ``opportunity``: an existing record, or None for a new one (a
    deal only if ``deal`` says so). ``values`` holds what was typed for new records by
    ``"account.name"``; ``left`` the keys of mapped fields that were unticked; ``winners`` for a
    conflict's key "lead" or "record"; ``extras`` what higher apps add, by app.
    """

    account: Account | None = None
    contact: Contact | None = None
    deal: str = Deal.NONE
    opportunity: Opportunity | None = None
    relation: str = Relation.ALSO
    role: str = ""
    owner: object = None
    status: object = None
    values: Mapping = field(default_factory=dict)
    left: frozenset = frozenset()
    winners: Mapping = field(default_factory=dict)
    extras: Mapping = field(default_factory=dict)

    def lock(self, op, *, by):
        """
        The same choices on locked, freshly read records: account, contact, deal, in this order.

        :raises Invalid: a chosen record is archived, merged, gone or not visible to ``by``
        """
        return replace(
            self,
            account=_locked(self.account, op, by, "account"),
            contact=_locked(self.contact, op, by, "contact"),
            opportunity=_locked(self.opportunity, op, by, "opportunity"),
        )


def _locked(record, op, by, card):
    if record is None:
        return None
    rows = type(record).objects.visible_to(by)
    found = lock(rows.filter(pk=record.pk)).order_by("pk").first()
    if found is None:
        raise Invalid(_("This is no longer there. Choose another one."), field=card)
    if found.is_archived:
        raise Invalid(archived_message(found, by), field=card)
    return op.hold(found)


def archived_message(record, by):
    """Why an archived record can't be chosen, with what it was merged into if that is seen."""
    if record.merged_into_id is not None:
        into = type(record).objects.visible_to(by).filter(pk=record.merged_into_id)
        if (winner := into.order_by("pk").first()) is not None:
            return _("This was merged into %(record)s. Choose that.") % {"record": winner}
    return _("This is in the recycle bin. Choose another one.")


def default_choices(lead, *, by, matches=None):
    """
    What is preselected: the certain account, the contact with the same e-mail, a deal if the
    lead carries a budget.
    """
    matches = matches or suggest_matches(lead, by=by)
    account = next((m.record for m in matches.accounts if m.is_certain), None)
    contact = next((m.record for m in matches.contacts if m.is_certain), None)
    deal = Deal.NEW if lead.budget is not None else Deal.NONE
    return ConversionChoices(account=account, contact=contact, deal=deal, owner=lead.owner)
