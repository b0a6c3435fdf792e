"""
What is done to a lead before it is converted: its way through the statuses.

Converting is ``leads.conversion``. Rule: docs/rules/leads.md.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core.errors import Conflict, Invalid, NotAllowed
from core.journal import Kind, Label, operation, retried
from core.models import Organisation
from core.reach import Verb, editable_fields
from core.services import locked
from leads.models import LeadStatus, Phase
from leads.models.lead import nurture_preset, refuse_unexplained


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


def save_status(status, *, is_default):
    """Save a status, inside an operation; as the preset it takes the place of the one before."""
    if is_default:
        LeadStatus.objects.filter(is_default=True).exclude(pk=status.pk).update(is_default=False)
    status.is_default = is_default
    status.save()
