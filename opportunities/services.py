"""
What is done to a deal: its way through the stages, its history, the people who decide.

Every function that moves stage, amount, probability, forecast category, close date or owner
writes a row of history in the same operation. Rule: docs/rules/opportunities.md.
"""

import copy

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Account
from contacts.models import Contact
from core.errors import Conflict, Invalid
from core.fiscal import first_of_month
from core.journal import Kind, Label, operation, retried
from core.models import Organisation
from core.normalise import clean_text
from core.reach import Verb, require
from core.records import lock, remove
from core.services import locked, locked_all
from opportunities.models import (
    Opportunity,
    OpportunityContactRole,
    OpportunityStageHistory,
    Stage,
    default_close_date,
)
from opportunities.models.history import WATCHED
from opportunities.models.opportunity import BLANK, refuse_far_close, refuse_loss

REASON_LIMIT = 255
NOTES_LENGTH = OpportunityContactRole._meta.get_field("notes").max_length


class AlreadyClosed(Conflict):
    """The deal was won or lost before, perhaps by another user a moment ago."""


class StillOpen(Conflict):
    """Only a closed deal can be opened again."""


class SameStage(Conflict):
    """The deal is in this stage already."""


class StageClosed(Conflict):
    """The stage is a closed one: the deal is won or lost by an action of its own."""


class StageRetired(Invalid):
    """The stage can no longer be chosen."""


class FieldsMissing(Invalid):
    """The stage needs fields that are blank; ``errors`` names them."""


class AmountMissing(Invalid):
    """A deal is won with an amount; with none only if that is said."""


class NotExplained(Invalid):
    """A loss, or opening again, without saying why."""


class CloseTooFar(Invalid):
    """No deal of ours is closed on such a day; the year is a slip."""


class AmountFromLines(Invalid):
    """The amount is the sum of the products and cannot be typed."""


class NoSuchRole(Conflict):
    """The person has no role in this deal."""


class HasRole(Conflict):
    """The person has a role in this deal already."""


# -- beginning --------------------------------------------------------------------------------


@retried
def create_opportunity(opportunity, *, by, primary_contact=None, key=None):
    """
    Save a new deal, with its first row of history and the primary contact's role.

    ``opportunity`` is not saved yet; blank currency, stage, close date and estimates are the
    account's, the first open one, the end of the quarter and the stage's.

    :raises FieldsMissing: its stage needs fields that are blank
    :raises Account.DoesNotExist: the account is hidden from ``by`` or in the recycle bin
    :raises NotAllowed: ``by`` may not create deals
    """
    label = Label(gettext_noop("Created %(opportunity)s"), opportunity=opportunity)
    with operation(Kind.CREATE, by=by, label=label, key=key) as op:
        require(by, Verb.CREATE, Opportunity)
        opportunity.pk, opportunity._state.adding = None, True  # also when this is tried again
        opportunity.account = locked_all(Account, [opportunity.account_id], by=by)[
            opportunity.account_id
        ]
        if opportunity.owner_id is None:
            opportunity.owner = by
        prepare([opportunity], at=op.at)
        _refuse_missing(opportunity, opportunity.stage)
        opportunity.save()
        record_history([opportunity], before={}, by=by, at=op.at)
        if primary_contact is not None:
            contact = locked_all(Contact, [primary_contact.pk], by=by)[primary_contact.pk]
            OpportunityContactRole.objects.create(
                opportunity=opportunity, contact=contact, is_primary=True
            )
        op.location = opportunity.get_absolute_url()
    return opportunity


def create_opportunities(opportunities, *, by, at=None):
    """
    Save many new deals with their history by a few statements; rights are the caller's.

    A closed deal keeps the ``closed_at`` that it brings. For files and sample data.
    """
    at = at or timezone.now()
    opportunities = list(opportunities)
    with operation(Kind.CREATE, by=by, label=Label(gettext_noop("Created deals"))):
        prepare(opportunities, at=at)
        Opportunity.objects.bulk_create(opportunities)
        record_history(opportunities, before={}, by=by, at=at)
    return opportunities


def prepare(opportunities, *, at):
    """Fill what new deals leave open and what their stages decide; saves nothing."""
    today = Organisation.current().today()
    for deal in opportunities:
        if deal.stage_id is None:
            deal.stage = Stage.first_open()
        if deal.close_date is None:
            deal.close_date = default_close_date(today)
        deal.currency = deal.currency or deal.account.currency
        given = {
            name: getattr(deal, name)
            for name in ("probability", "forecast_category")
            if getattr(deal, name) not in BLANK and not deal.stage.is_closed
        }
        closed_at, reasons = deal.closed_at, (deal.loss_reason, deal.loss_note, deal.win_reason)
        deal.enter(deal.stage, at=at)
        for name, value in given.items():
            setattr(deal, name, value)
        deal.note_overrides()
        if deal.is_closed:
            deal.closed_at = deal.stage_entered_at = closed_at or at
            deal.loss_reason, deal.loss_note, deal.win_reason = reasons
        deal.original_amount = deal.amount
        deal.original_close_date = deal.close_date


# -- history ----------------------------------------------------------------------------------


def record_history(opportunities, *, before, by, at):
    """
    Write a row of history for each saved deal that moved, within an open operation.

    ``before`` maps keys to the deals as they were, none for new ones. One row a deal and save.
    """
    rows = []
    for deal in opportunities:
        past = before.get(deal.pk)
        values = {}
        for name in WATCHED:
            attname = Opportunity._meta.get_field(name).attname
            values[f"to_{attname}"] = getattr(deal, attname)
            if past is not None:
                values[f"from_{attname}"] = getattr(past, attname)
        moved = [n for n in values if n[:3] == "to_" and values[n] != values.get(f"from_{n[3:]}")]
        if not moved:
            continue
        if past is not None and "to_stage_id" in moved:
            values["seconds_in_from_stage"] = max(
                int((at - past.stage_entered_at).total_seconds()), 0
            )
        rows.append(OpportunityStageHistory(opportunity=deal, at=at, by=by, **values))
    if rows:
        OpportunityStageHistory.objects.bulk_create(rows)


def _save(deal, before, *, by, at):
    """Save a changed deal with push count and history, all of them in one write each."""
    pushed = first_of_month(deal.close_date) > first_of_month(before.close_date)
    if pushed and not deal.is_closed and not before.is_closed:
        deal.push_count += 1
    deal.save()
    record_history([deal], before={deal.pk: before}, by=by, at=at)


@retried
def save_opportunity(opportunity, *, by, key=None):
    """
    Save the edited fields of a deal, with what follows from them.

    ``opportunity`` is the changed instance, with the version that it was read with; it is left
    as it is, the saved one is returned. Another open stage, other estimates or another account
    have their consequences: history, push count, marks of what was overridden, roles of people
    from outside.

    :raises Stale: somebody else changed it since it was read
    :raises AmountFromLines: the amount is the sum of the products
    :raises StageClosed: winning, losing and opening again are actions of their own
    :raises FieldsMissing: the new stage needs fields that are blank
    :raises NotAllowed: ``by`` may not edit it, or not change its stage
    """
    label = Label(gettext_noop("Edited %(opportunity)s"), opportunity=opportunity)
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        before = locked(opportunity, by=by, verb=Verb.EDIT)
        deal = copy.copy(opportunity)
        if deal.amount != before.amount and before.amount_source == deal.AmountSource.LINES:
            raise AmountFromLines(_("The amount comes from the products."), field="amount")
        if deal.stage_id != before.stage_id:
            require(by, Verb.CHANGE_STAGE, before)
            _refuse_stage(before, deal.stage)
            _refuse_missing(deal, deal.stage)
            _enter_keeping(deal, before, at=op.at)
        if not deal.is_closed:
            deal.note_overrides()
        _save(deal, before, by=by, at=op.at)
        if deal.account_id != before.account_id:
            refresh_external(deal.roles.all())
        op.location = deal.get_absolute_url()
    return deal


def _enter_keeping(deal, before, *, at):
    """Enter the stage of an edit; estimates that were typed in the same edit are kept."""
    names = ("probability", "forecast_category")
    typed = {n: getattr(deal, n) for n in names if getattr(deal, n) != getattr(before, n)}
    deal.enter(deal.stage, at=at)
    for name, value in typed.items():
        setattr(deal, name, value)


# -- stages -----------------------------------------------------------------------------------


@retried
def change_stage(opportunity, *, stage, by, key=None):
    """
    Move an open deal to another open stage, forward or back.

    Probability and forecast category become the stage's, also where they were overridden.

    :raises StageClosed: the stage is a closed one; use close_won or close_lost
    :raises AlreadyClosed: the deal is closed; use reopen_opportunity
    :raises SameStage: it is there already
    :raises FieldsMissing: the stage, or an open one before it, needs fields that are blank
    :raises NotAllowed: ``by`` may not change its stage
    """
    label = Label(
        gettext_noop("Moved %(opportunity)s to %(stage)s"), opportunity=opportunity, stage=stage
    )
    with operation(Kind.STAGE, by=by, label=label, key=key) as op:
        deal = locked(opportunity, by=by, verb=Verb.CHANGE_STAGE)
        if deal.is_closed:
            raise _already_closed(deal)
        _refuse_stage(deal, stage)
        _refuse_missing(deal, stage)
        before = copy.copy(deal)
        deal.enter(stage, at=op.at)
        _save(deal, before, by=by, at=op.at)
        op.location = deal.get_absolute_url()
    return deal


@retried
def close_won(
    opportunity,
    *,
    by,
    amount=None,
    worth_nothing=False,
    close_date=None,
    win_reason="",
    stage=None,
    key=None,
):
    """
    Win an open deal: probability 100, category Closed.

    ``amount`` fills or replaces the amount; one of 0 must be confirmed by ``worth_nothing``. A
    close date in the future becomes today in the organisation's zone unless one is given.

    :raises AlreadyClosed: it was won or lost before
    :raises AmountMissing: without an amount, or with 0 unconfirmed
    :raises FieldsMissing: a stage on the way needs fields that are blank
    :raises NotAllowed: ``by`` may not change its stage
    """
    label = Label(gettext_noop("Won %(opportunity)s"), opportunity=opportunity)
    with operation(Kind.STAGE, by=by, label=label, key=key) as op:
        deal = locked(opportunity, by=by, verb=Verb.CHANGE_STAGE)
        if deal.is_closed:
            raise _already_closed(deal)
        before = copy.copy(deal)
        if amount is not None and amount != deal.amount:
            if deal.amount_source == deal.AmountSource.LINES:
                raise AmountFromLines(_("The amount comes from the products."), field="amount")
            deal.amount = amount
        _refuse_worthless(deal, worth_nothing=worth_nothing)
        stage = _closing_stage(stage or Stage.first_won(), is_won=True)
        _refuse_missing(deal, stage)
        deal.enter(stage, at=op.at)
        deal.win_reason = win_reason
        deal.close_date = _closing_date(deal, close_date)
        _save(deal, before, by=by, at=op.at)
        op.location = deal.get_absolute_url()
    return deal


@retried
def close_lost(
    opportunity, *, by, reason, note="", competitor="", close_date=None, stage=None, key=None
):
    """
    Lose an open deal: probability 0, category Omitted, with the reason.

    ``note`` explains the reason Other, ``competitor`` names who won. The close date behaves as
    in ``close_won``.

    :raises AlreadyClosed: it was won or lost before
    :raises NotExplained: reason, note or competitor is missing
    :raises NotAllowed: ``by`` may not change its stage
    """
    label = Label(gettext_noop("Lost %(opportunity)s"), opportunity=opportunity)
    with operation(Kind.STAGE, by=by, label=label, key=key) as op:
        deal = locked(opportunity, by=by, verb=Verb.CHANGE_STAGE)
        if deal.is_closed:
            raise _already_closed(deal)
        competitor = competitor or deal.main_competitor
        _refuse_unexplained(reason, note, competitor)
        before = copy.copy(deal)
        deal.enter(_closing_stage(stage or Stage.first_lost(), is_won=False), at=op.at)
        deal.loss_reason, deal.loss_note, deal.main_competitor = reason, note, competitor
        deal.close_date = _closing_date(deal, close_date)
        _save(deal, before, by=by, at=op.at)
        op.location = deal.get_absolute_url()
    return deal


@retried
def reopen_opportunity(opportunity, *, by, reason, stage=None, key=None):
    """
    Open a closed deal again, in ``stage`` or the one that it was closed from.

    The reason stands in the journal; loss and win reasons are cleared and stay readable there.

    :raises StillOpen: it is not closed
    :raises StageClosed: the stage is a closed one
    :raises NotExplained: without a reason
    :raises NotAllowed: only its owner, a manager above or an administrator reopens a deal
    """
    reason = clean_text(reason, REASON_LIMIT)
    label = Label(
        gettext_noop("Reopened %(opportunity)s: %(reason)s"),
        opportunity=opportunity,
        reason=reason,
    )
    with operation(Kind.STAGE, by=by, label=label, key=key) as op:
        deal = locked(opportunity, by=by, verb=Verb.REOPEN)
        if not deal.is_closed:
            raise StillOpen(_("%(deal)s is open.") % {"deal": deal})
        if not reason:
            raise NotExplained(_("Say why the deal is opened again."), field="reason")
        stage = stage or _stage_before_closing(deal)
        _refuse_closed_stage(stage)
        before = copy.copy(deal)
        deal.enter(stage, at=op.at)
        _save(deal, before, by=by, at=op.at)
        op.location = deal.get_absolute_url()
    return deal


def _stage_before_closing(deal):
    rows = deal.history.filter(from_stage__is_closed=False, to_stage__is_closed=True)
    last = rows.select_related("from_stage").order_by("-at", "-pk").first()
    if last is not None and last.from_stage.is_active:
        return last.from_stage
    return Stage.first_open()


def _already_closed(deal):
    word = _("won") if deal.is_won else _("lost")
    message = _("%(deal)s is closed already: %(result)s.") % {"deal": deal, "result": word}
    return AlreadyClosed(message)


def _refuse_stage(deal, stage):
    if deal.stage_id == stage.pk:
        message = _("%(deal)s is in this stage already.") % {"deal": deal}
        raise SameStage(message, field="stage")
    if deal.is_closed:
        raise _already_closed(deal)
    _refuse_closed_stage(stage)


def _refuse_closed_stage(stage):
    if stage.is_closed:
        message = _("A deal gets to “%(stage)s” by closing it.") % {"stage": stage}
        raise StageClosed(message, field="stage")
    if not stage.is_active:
        message = _("“%(stage)s” can no longer be chosen.") % {"stage": stage}
        raise StageRetired(message, field="stage")


def _closing_stage(stage, *, is_won):
    if not stage.is_closed or stage.is_won != is_won or not stage.is_active:
        message = _("“%(stage)s” is not the right stage for this.") % {"stage": stage}
        raise StageRetired(message, field="stage")
    return stage


def _closing_date(deal, given):
    """The given day; else the close date, but not one that is still to come."""
    if given:
        refusals = _Refusals()
        refuse_far_close(refusals, given)
        if refusals.errors:
            raise CloseTooFar(refusals.errors["close_date"][0], field="close_date")
    return given or min(deal.close_date, Organisation.current().today())


def _refuse_worthless(deal, *, worth_nothing):
    if deal.amount is None:
        raise AmountMissing(_("Enter the amount that was won."), field="amount")
    if deal.amount == 0 and not worth_nothing:
        message = _("Confirm that the deal is worth nothing.")
        raise AmountMissing(message, field="worth_nothing")


def _refuse_missing(deal, stage):
    missing = deal.missing_for(stage)
    if missing:
        message = _("The stage “%(stage)s” needs this.") % {"stage": stage}
        raise FieldsMissing(message, errors={name: [message] for name in missing})


class _Refusals:
    """Collects what the rules of a deal refuse."""

    def __init__(self):
        self.errors = {}

    def refuse(self, name, message):
        self.errors.setdefault(name, []).append(message)


def _refuse_unexplained(reason, note, competitor):
    refusals = _Refusals()
    refuse_loss(refusals, reason, note, competitor)
    if refusals.errors:
        first = next(iter(refusals.errors.values()))[0]
        raise NotExplained(first, errors=refusals.errors)


# -- the people who decide --------------------------------------------------------------------


@retried
def add_contact_role(
    opportunity,
    contact,
    *,
    by,
    role="",
    stance=OpportunityContactRole.Stance.UNKNOWN,
    notes="",
    is_primary=False,
    key=None,
):
    """
    Give ``contact`` a role in a deal; the first one becomes the primary contact.

    With ``is_primary`` the new one takes the place of the present primary contact.

    :raises HasRole: the person has one already
    :raises NotAllowed: ``by`` may not edit the deal
    """
    label = Label(
        gettext_noop("Added %(contact)s to %(opportunity)s"),
        contact=contact,
        opportunity=opportunity,
    )
    with operation(Kind.RELATE, by=by, label=label, key=key) as op:
        contact = locked_all(Contact, [contact.pk], by=by)[contact.pk]
        deal = locked(opportunity, by=by, verb=Verb.EDIT)
        roles = list(lock(deal.roles.all()).order_by("pk"))
        if any(other.contact_id == contact.pk for other in roles):
            message = _("%(contact)s has a role in this deal already.") % {"contact": contact}
            raise HasRole(message, field="contact")
        has_primary = any(other.is_primary for other in roles)
        if is_primary:
            _clear_primary(roles)
        created = OpportunityContactRole.objects.create(
            opportunity=deal,
            contact=contact,
            role=role,
            stance=stance,
            notes=notes,
            is_primary=is_primary or not (roles or has_primary),
        )
        op.location = deal.get_absolute_url()
    return created


@retried
def save_contact_role(role, *, by, key=None):
    """
    Save what is said of a person in a deal: role, stance, notes.

    ``role`` is the changed instance, with the version that it was read with.

    :raises Stale: somebody else changed it since it was read
    :raises NotAllowed: ``by`` may not edit the deal
    """
    label = Label(
        gettext_noop("Edited the role of %(contact)s in %(opportunity)s"),
        contact=role.contact,
        opportunity=role.opportunity,
    )
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        deal = locked(role.opportunity, by=by, verb=Verb.EDIT)
        role.save()
        op.location = deal.get_absolute_url()
    return role


@retried
def set_primary_role(role, *, by, key=None):
    """
    Make the person of ``role`` the deal's primary contact, in place of the present one.

    :raises NoSuchRole: the role was removed meanwhile
    :raises NotAllowed: ``by`` may not edit the deal
    """
    label = Label(
        gettext_noop("Made %(contact)s the primary contact of %(opportunity)s"),
        contact=role.contact,
        opportunity=role.opportunity,
    )
    with operation(Kind.RELATE, by=by, label=label, key=key) as op:
        deal = locked(role.opportunity, by=by, verb=Verb.EDIT)
        roles = list(lock(deal.roles.all()).order_by("pk"))
        chosen = _role_among(roles, role)
        _clear_primary([other for other in roles if other is not chosen])
        chosen.is_primary = True
        chosen.save(update_fields=["is_primary"])
        op.location = deal.get_absolute_url()
    return chosen


@retried
def remove_contact_role(role, *, by, key=None):
    """
    Remove a role from its deal; of a primary one nobody takes the place by himself.

    :raises NoSuchRole: the role was removed meanwhile
    :raises NotAllowed: ``by`` may not edit the deal
    """
    label = Label(
        gettext_noop("Removed %(contact)s from %(opportunity)s"),
        contact=role.contact,
        opportunity=role.opportunity,
    )
    with operation(Kind.REMOVE, by=by, label=label, key=key) as op:
        deal = locked(role.opportunity, by=by, verb=Verb.EDIT)
        roles = list(lock(deal.roles.all()).order_by("pk"))
        remove([_role_among(roles, role)])
        op.location = deal.get_absolute_url()
    return deal


def hand_over_role(role, *, to):
    """
    Let somebody else take over a role within an open operation; rights are the caller's.

    With ``to`` None the role stays and its note says that the person has left.
    """
    if to is None:
        day = Organisation.current().today().isoformat()
        left = _("Left on %(day)s.") % {"day": day}
        role.notes = f"{role.notes} {left}".strip()[:NOTES_LENGTH]
        role.save(update_fields=["notes"])
        return role
    deal = role.opportunity
    remove([role])
    other = lock(deal.roles.filter(contact=to)).order_by("pk").first()
    if other is None:
        return OpportunityContactRole.objects.create(
            opportunity=deal, contact=to, role=role.role, is_primary=role.is_primary
        )
    if role.is_primary:
        other.is_primary = True
        other.save(update_fields=["is_primary"])
    return other


def _role_among(roles, wanted):
    for role in roles:
        if role.pk == wanted.pk:
            return role
    raise NoSuchRole(_("This person has no role in the deal any more."))


def _clear_primary(roles):
    for role in roles:
        if role.is_primary:
            role.is_primary = False
            role.save(update_fields=["is_primary"])


def refresh_external(roles):
    """
    Mark again, among ``roles``, the people who are from outside the deal's account and its line.

    After relations or accounts have moved. A derived value, written past the journal.
    """
    rows = list(roles.order_by("pk"))
    if not rows:
        return
    before = {role.pk: role.is_external for role in rows}
    OpportunityContactRole.derive(rows)
    for external in (True, False):
        keys = [r.pk for r in rows if r.is_external is external and before[r.pk] is not external]
        if keys:
            plain = models.QuerySet(OpportunityContactRole)
            plain.filter(pk__among=keys).update(is_external=external)


# -- stages -----------------------------------------------------------------------------------


def deals_with_its_probability(stage):
    """The open deals in ``stage`` whose probability nobody set by hand."""
    return Opportunity.objects.live().open().filter(stage=stage, probability_overridden=False)


def save_stage(stage, *, apply_to_deals=False):
    """
    Save a stage; inside an operation.

    A new probability counts for deals that enter the stage from now on; with
    ``apply_to_deals`` also for those in it. Rule: docs/rules/opportunities.md.
    """
    stage.save()
    if apply_to_deals:
        deals_with_its_probability(stage).update(probability=stage.probability)
