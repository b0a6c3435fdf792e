"""
What is done to a lead before it is converted: its way through the statuses, its hand-over.

Converting is ``leads.conversion``, choosing an owner by rules ``leads.assignment``.
Rules: docs/rules/leads.md, docs/rules/assignment.md.
"""

import copy

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core.errors import Conflict, Invalid, NotAllowed
from core.journal import Kind, Label, operation, retried
from core.models import Organisation
from core.reach import Verb, editable_fields
from core.records import remove
from core.services import locked, locked_owner, refuse_owner
from core.signals import owner_changed
from leads.models import Lead, LeadStatus, Phase, Queue
from leads.models.lead import nurture_preset, refuse_unexplained
from leads.models.takers import ROLES, why_not_taken
from leads.models.turns import turns_of
from users.models import Role, User

LEAST_NOTE = 20
HANDED_OVER_IN = (Lead.Lifecycle.SAL, Lead.Lifecycle.SQL)


class UseConvert(Conflict):
    """A lead becomes converted by conversion only."""


class SameStatus(Conflict):
    """The lead has this status already."""


class NoSuchMove(Conflict):
    """The lead cannot go from its phase to the other one."""


class StatusRetired(Invalid):
    """The status can no longer be chosen."""


class CannotBeReached(Invalid):
    """A qualified lead needs an e-mail address or a phone number."""


class NotExplained(Invalid):
    """A lead is given up with a reason only."""


class NotHandedOver(Conflict):
    """The lead is not one that is handed over, or no hand-over waits for this user's answer."""


class NoReceiver(Invalid):
    """Nobody is there to whom the lead could be handed over."""


class NoteTooShort(Invalid):
    """Who hands a lead over, or returns it, says what the other one needs to know."""


class BadNurtureDate(Invalid):
    """A lead rests until a day that is still to come."""


@retried
def change_status(lead, *, status, by, reason="", note="", until=None, key=None):
    """
    Give ``lead`` another status, as far as its phase allows.

    The phase Dead needs ``reason``, with ``note`` if that is Other; Nurturing takes ``until``,
    by default as many days from today as the organisation says; Qualified needs a way to reach
    the lead. Rule: docs/rules/leads.md, section 2.

    :raises UseConvert: the status is a converted one
    :raises ReadOnly: the lead is converted
    :raises SameStatus: it has this status already
    :raises NoSuchMove: its phase does not lead there
    :raises NotExplained: the reason is missing
    :raises NotAllowed: ``by`` may not edit the lead
    """
    label = Label(gettext_noop("Set %(lead)s to %(status)s"), lead=lead, status=status)
    with operation(Kind.STAGE, by=by, label=label, key=key) as op:
        lead = locked(lead, by=by, verb=Verb.EDIT)
        require_status(lead, by=by)
        _refuse_move(lead, status)
        if status.phase == Phase.DEAD:
            _refuse_unexplained(reason, note)
        if status.phase == Phase.NURTURING:
            until = _nurture_date(until)
        if status.phase == Phase.QUALIFIED and not lead.can_be_reached:
            message = _("A qualified lead needs an e-mail address or a phone number.")
            raise CannotBeReached(message, field="status")
        lead.enter(status, at=op.at, reason=reason, note=note, until=until)
        lead.save()
        op.location = lead.get_absolute_url()
    return lead


def disqualify(lead, *, by, reason, note="", status=None, key=None):
    """Give ``lead`` up, with a reason. Raises as ``change_status``."""
    status = status or LeadStatus.first(Phase.DEAD)
    return change_status(lead, status=status, by=by, reason=reason, note=note, key=key)


def nurture(lead, *, by, until=None, status=None, key=None):
    """Let ``lead`` rest until a day. Raises as ``change_status``."""
    status = status or LeadStatus.first(Phase.NURTURING)
    return change_status(lead, status=status, by=by, until=until, key=key)


def reopen(lead, *, by, status=None, key=None):
    """Take up a resting or given up ``lead`` again. Raises as ``change_status``."""
    status = status or LeadStatus.first(Phase.WORKING)
    return change_status(lead, status=status, by=by, key=key)


def qualify(lead, *, by, status=None, key=None):
    """Mark ``lead`` as worth converting. Raises as ``change_status``."""
    status = status or LeadStatus.first(Phase.QUALIFIED)
    return change_status(lead, status=status, by=by, key=key)


def may_set_status(lead, *, by):
    """Whether the fields of ``lead`` that ``by`` may edit include its status."""
    limit = editable_fields(lead, by)
    return limit is None or "status" in limit


def require_status(lead, *, by):
    """
    Refuse who may edit some other fields of ``lead`` only.

    :raises NotAllowed: its status is out of the user's reach
    """
    if not may_set_status(lead, by=by):
        names = {"lead": lead, "owner": lead.owner}
        message = _("You can't set the status of %(lead)s. It belongs to %(owner)s.")
        raise NotAllowed(message % names)


def _refuse_move(lead, status):
    if status.phase == Phase.CONVERTED:
        raise UseConvert(_("Use Convert."), field="status")
    if lead.status_id == status.pk:
        message = _("%(lead)s has this status already.") % {"lead": lead}
        raise SameStatus(message, field="status")
    if not status.is_active:
        message = _("“%(status)s” can no longer be chosen.") % {"status": status}
        raise StatusRetired(message, field="status")
    if not lead.may_move_to(status.phase):
        message = _("A lead in the phase “%(phase)s” cannot become “%(status)s”.")
        message = message % {"phase": lead.get_phase_display(), "status": status}
        raise NoSuchMove(message, field="status")


def _nurture_date(until):
    today = Organisation.current().today()
    if until is None:
        return nurture_preset(today)
    if until <= today:
        message = _("Choose a day after today.")
        raise BadNurtureDate(message, field="nurture_until")
    return until


class _Refusals:
    """Collects what ``refuse_unexplained`` refuses."""

    def __init__(self):
        self.errors = {}

    def refuse(self, name, message):
        self.errors.setdefault(name, []).append(message)


def _refuse_unexplained(reason, note):
    refusals = _Refusals()
    refuse_unexplained(refusals, reason, note)
    if refusals.errors:
        first = next(iter(refusals.errors.values()))[0]
        raise NotExplained(first, errors=refusals.errors)


# -- the hand-over ----------------------------------------------------------------------------


def may_hand_over(lead, *, by):
    """Whether ``by`` may offer ``lead``, as it stands, to a representative."""
    is_open = not lead.is_archived and not lead.is_closed
    return is_open and lead.lifecycle in HANDED_OVER_IN and lead.can(by, Verb.ASSIGN)


@retried
def hand_over(lead, *, to, note, by, key=None):
    """
    Offer ``lead`` to a representative, or to the next one of a queue; the owner stays till then.

    A hand-over that still waits is replaced. Rule: docs/rules/assignment.md, section 4.

    :raises NotHandedOver: sales has not accepted the lead yet, or it is closed
    :raises NoteTooShort: the note has less than 20 characters
    :raises NoReceiver: ``to`` can't take it, or nobody in the queue can
    :raises NotAllowed: ``by`` may not give it away, or not to this person
    """
    message = gettext_noop("Handed %(lead)s over to %(user)s")
    with operation(Kind.EDIT, by=by, label=Label(""), key=key) as op:
        lead = locked(lead, by=by, verb=Verb.ASSIGN)
        if not may_hand_over(lead, by=by):
            text = _("Only open leads that sales has accepted or qualified are handed over.")
            raise NotHandedOver(text)
        if len(note.strip()) < LEAST_NOTE:
            text = _("Say in at least %(count)s characters what is needed, by when, and what next.")
            raise NoteTooShort(text % {"count": LEAST_NOTE}, field="note")
        receiver = _receiver(to, lead, by=by)
        lead.end_handover()
        lead.handed_over_to, lead.handed_over_by, lead.handed_over_at = receiver, by, op.at
        lead.handover_note = note
        lead.save()
        op.label = Label(message, lead=lead, user=receiver)
        op.location = lead.get_absolute_url()
    return lead


def receivers(by):
    """The people to whom ``by`` may hand leads over; marketing only to queues."""
    people = User.objects.active().filter(role=Role.REP).exclude(pk=by.pk)
    return people.none() if by.role == Role.MARKETING else people.order_by("name", "pk")


def _receiver(to, lead, *, by):
    today = Organisation.current().today()
    if isinstance(to, Queue):
        turns = turns_of([to.pk], today)[to.pk]
        turns.members = [m for m in turns.members if m.user_id != lead.owner_id]
        receiver = turns.next([])
        if receiver is None:
            message = _("Nobody in %(queue)s can take a lead now.") % {"queue": to}
            raise NoReceiver(message, field="queue")
        turns.keep()
        return receiver
    if to.pk == lead.owner_id:
        message = _("%(user)s owns the lead already.") % {"user": to}
        raise NoReceiver(message, field="user")
    if not receivers(by).filter(pk=to.pk).exists():
        message = _("Leads are handed over to active representatives only.")
        raise NoReceiver(message, field="user")
    if reason := why_not_taken(to, today=today):
        raise NoReceiver(reason, field="user")
    return to


@retried
def accept_handover(lead, *, by, key=None):
    """
    Take over ``lead``, which was handed over to ``by``: now he owns it. Announces owner_changed.

    :raises NotHandedOver: no hand-over of it waits for the answer of ``by``
    :raises NotAllowed: ``by`` has a role by now that does not work on leads
    :raises OwnerInactive: ``by`` has been deactivated meanwhile
    """
    label = Label(gettext_noop("Accepted %(lead)s"), lead=lead)
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        refuse_owner(locked_owner(by), by=by)
        lead = _locked_for_answer(lead, by=by)
        before = copy.copy(lead)
        lead.handed_over_to = None
        lead.give_to(by)
        lead.save()
        owner_changed.send(sender=Lead, record=lead, before=before)
        op.location = lead.get_absolute_url()
    return lead


@retried
def return_handover(lead, *, reason, by, key=None):
    """
    Give ``lead``, which was handed over to ``by``, back with a reason; its owner stays.

    :raises NotHandedOver: no hand-over of it waits for the answer of ``by``
    :raises NotAllowed: ``by`` has a role by now that does not work on leads
    :raises NoteTooShort: there is no reason
    """
    label = Label(gettext_noop("Returned %(lead)s"), lead=lead)
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        lead = _locked_for_answer(lead, by=by)
        if not reason.strip():
            raise NoteTooShort(_("Say why the lead is returned."), field="reason")
        lead.handed_over_to, lead.returned_by, lead.return_reason = None, by, reason
        lead.save()
        op.location = lead.get_absolute_url()
    return lead


def _locked_for_answer(lead, *, by):
    lead = locked(lead, by=by, verb=Verb.VIEW)
    if not lead.waits_for(by):
        raise NotHandedOver(_("%(lead)s does not wait for your answer.") % {"lead": lead})
    if by.role not in ROLES:  # it was another one when the lead was handed over
        raise NotAllowed(_("%(user)s does not work on leads.") % {"user": by})
    return lead


# -- settings ---------------------------------------------------------------------------------


@retried
def remove_member(member, *, by, key=None):
    """
    Take somebody out of a queue; the undo brings him back to his place.

    :raises NotAllowed: only administrators write settings
    """
    label = Label(gettext_noop("Removed %(user)s from %(queue)s"), user=member.user,
                  queue=member.queue)  # fmt: skip
    with operation(Kind.REMOVE, by=by, label=label, key=key) as op:
        remove([locked(member, by=by, verb=Verb.EDIT)])
        op.location = member.queue.get_absolute_url()


def save_status(status, *, is_default):
    """Save a status, inside an operation; as the preset it takes the place of the one before."""
    if is_default:
        LeadStatus.objects.filter(is_default=True).exclude(pk=status.pk).update(is_default=False)
    status.is_default = is_default
    status.save()
