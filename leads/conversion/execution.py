"""Doing what the plan says, in one transaction, once."""

import copy
from dataclasses import replace

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from contacts.services import change_job, create_contact, relate
from core import reach
from core.errors import Conflict, Invalid, Stale
from core.journal import Kind, Label, operation, retried
from core.records import lock
from core.services import locked_owner
from leads.conversion.planning import Action, Link, plan_conversion
from leads.models import Conversion, Lead
from leads.signals import lead_converted
from opportunities.models import OpportunityContactRole
from opportunities.services import create_opportunities, record_history


class AlreadyConverted(Conflict):
    """The lead has been converted before, perhaps by another user a moment ago."""


class PlanChanged(Stale):
    """What would happen is no longer what the user saw; ``plan`` is what would happen now."""

    def __init__(self, message, *, plan):
        super().__init__(message)
        self.plan = plan


@retried
def convert_lead(lead, *, by, choices, expected=None, key=None):
    """
    Convert an open lead into an account, a contact and, if chosen, an opportunity.

    Locks owner, lead, account, contact and deal in this order, plans again on the locked rows and
    executes the plan. Amounts keep the lead's currency; the close date is a day in the
    organisation's time zone. Sends ``lead_converted`` inside the operation.
    Rule: docs/rules/conversion.md.

    :raises AlreadyConverted: the lead was converted before; ``location`` is what it became
    :raises PlanChanged: the plan is no longer the one whose fingerprint is ``expected``
    :raises NotAllowed: the user may not convert this lead
    :raises Invalid: values or choices that the plan refuses, by field
    """
    label = Label(gettext_noop("Converted %(lead)s"), lead=lead)
    with operation(Kind.CONVERT, by=by, label=label, key=key) as op:
        owner = locked_owner(choices.owner or lead.owner)  # the plan refuses who is not active
        choices = replace(choices, owner=owner) if choices.owner else choices
        rows = Lead.objects.visible_to(by).live().select_related("owner")
        lead = op.hold(lock(rows).get(pk=lead.pk))
        _refuse_converted(lead)
        choices = choices.lock(op, by=by)
        reach.require(by, "convert", lead)
        plan = plan_conversion(lead, by=by, choices=choices)
        if expected is not None and plan.fingerprint != expected:
            message = _("Something has changed since you looked. Check again, then convert.")
            raise PlanChanged(message, plan=plan)
        if plan.all_errors:
            raise Invalid(_("The lead can't be converted like this."), errors=plan.all_errors)
        conversion = execute(plan)
        lead_converted.send(sender=Lead, lead=lead, conversion=conversion, choices=choices)
        op.location = conversion.get_absolute_url()
    return conversion


def _refuse_converted(lead):
    if lead.converted_at is None:
        return
    conversion = Conversion.objects.filter(lead=lead).select_related("converted_by").first()
    location = conversion.get_absolute_url() if conversion else lead.get_absolute_url()
    if conversion and conversion.converted_by_id:
        message = _("%(lead)s has been converted already by %(user)s.")
        message = message % {"lead": lead, "user": conversion.converted_by}
    else:
        message = _("%(lead)s has been converted already.") % {"lead": lead}
    raise AlreadyConverted(message, location=location)


def execute(plan):
    """Write what ``plan`` says: account, contact, relation, deal, role, lead, conversion."""
    at, by = timezone.now(), plan.by
    account = _write(plan.account)
    contact = _write_contact(plan, account)
    deal = _write_deal(plan, account, contact, at=at)
    plan.lead.mark_converted(status=plan.status, at=at)
    conversion = Conversion(
        lead=plan.lead,
        account=account,
        contact=contact,
        opportunity=deal,
        account_created=plan.account.creates,
        contact_created=plan.contact.creates,
        opportunity_created=plan.opportunity.creates,
        converted_at=at,
        converted_by=by,
    )
    conversion.save()
    return conversion


def _write(card):
    """Create the card's record or write its values; only what the plan shows."""
    record = card.record
    if card.creates:
        record.save()
    elif card.values:
        for name, value in card.values.items():
            setattr(record, name, value)
        record.save(update_fields=list(card.values))
    return record


def _write_contact(plan, account):
    """Create or fill the contact, and relate it to the account as the plan says."""
    if plan.contact.creates:
        return create_contact(plan.contact.record, account)
    contact = _write(plan.contact)
    link = plan.relation.link
    if link in (Link.DIRECT, Link.ADD):
        relate(contact, account)
    elif link is Link.MOVE:
        contact = change_job(contact, account=account, by=plan.by)
    return contact


def _write_deal(plan, account, contact, *, at):
    """Create or fill the deal, and give the contact a role in it."""
    card = plan.opportunity
    if card.action is Action.NONE:
        return None
    deal = card.record
    deal.account = account  # of an existing deal it is the same; in memory it is not read again
    if card.creates:
        create_opportunities([deal], by=plan.by, at=at)
    else:
        before = copy.copy(deal)
        _write(card)
        record_history([deal], before={deal.pk: before}, by=plan.by, at=at)
    if plan.role_action is Action.CREATE:
        # Related to the deal's account a moment ago: never a person from outside.
        OpportunityContactRole.objects.create(
            opportunity=deal,
            contact=contact,
            role=plan.choices.role,
            is_primary=plan.role_is_primary,
        )
    return deal
