"""
A person leaves the main account for another one, now or on a day to come.

Rule: docs/rules/relations.md, sections 3 and 4.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from contacts.models import AccountContactRelation, Contact, PlannedJobChange
from contacts.models.relation import FORMER_EMPLOYEE
from contacts.services.relation import (
    AlreadyRelated,
    BadDate,
    locked_pair,
    next_direct_of,
    refuse_before_start,
    refuse_date,
    require_move,
    set_direct,
)
from contacts.signals import job_change_asked, job_changed, relations_changed
from core.errors import Conflict, DomainError, NotAllowed
from core.journal import Kind, Label, operation, retried
from core.models import Organisation
from core.reach import Verb, require
from core.records import lock

REACHED_AT = ("title", "department", "email", "phone", "mobile")
FURTHEST = datetime.timedelta(days=5 * 366)  # what lies further ahead is a slip in the year


class AlreadyPlanned(Conflict):
    """A change of job is planned for the person already."""


class PlanSettled(Conflict):
    """The planned change was done or cancelled, perhaps a moment ago."""


class OtherAccount(Conflict):
    """The person works for another account than when the change was planned."""


@dataclass(frozen=True)
class JobChange:
    """
    What is said of a change of job besides the account.

    ``date`` is a day not after today, None for today. Values that are None stay as they are;
    ``address`` maps ``street``, ``city`` and so on. The old e-mail becomes the second one if
    ``keeps_old_email``. ``next_direct`` is the relation that becomes the main one where the
    person goes to no new account. ``extras`` holds what higher apps asked, by app.
    """

    date: datetime.date | None = None
    title: str | None = None
    department: str | None = None
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    address: Mapping | None = None
    keeps_old_email: bool = False
    next_direct: AccountContactRelation | None = None
    extras: Mapping = field(default_factory=lambda: MappingProxyType({}))


@retried
def change_job(contact, *, account, by, change=None, key=None):
    """
    Let ``contact`` leave the direct account and work for ``account``, or for none.

    The old relation ends on the day of the change and stays as history, with the role "Former
    Employee"; a new direct one begins. Bounces are forgotten when the e-mail changes, and who
    had left a company is active again. A change that was planned is cancelled by it. Announces
    ``job_changed``.
    Rule: docs/rules/relations.md, section 3.

    :raises BadDate: in the future, or before the old relation began
    :raises AlreadyRelated: it is the direct account already
    :raises NeedsNextDirect: no new account, others are active and none was chosen
    :raises NotAllowed: without edit rights on the person and both accounts
    """
    change = change or JobChange()
    date = change.date or Organisation.current().today()
    label = _label_of(contact, account)
    with operation(Kind.JOB_CHANGE, by=by, label=label, key=key) as op:
        account, contact = locked_pair(account, contact, by=by)
        refuse_date(None, date)
        left, following = _agreed(contact, account, date, change, by=by)
        for plan in lock(contact.planned_job_changes.open()).order_by("pk"):
            plan.mark_cancelled()
        before = left.account if left else None
        if left is not None:
            if FORMER_EMPLOYEE not in left.roles:
                left.roles = [*left.roles, FORMER_EMPLOYEE]
            left.ended(date)
            left.save()
        _take_over(contact, change)
        set_direct(contact, account, following, start_date=date)
        relations_changed.send(sender=Contact, contacts=[contact.pk])
        job_changed.send(
            sender=Contact, contact=contact, before=before, account=account, change=change
        )
        op.location = contact.get_absolute_url()
    return contact


def _take_over(contact, change):
    """Set on ``contact`` what the change of job says about reaching the person; not yet saved."""
    old_email = contact.email
    for name in REACHED_AT:
        if (value := getattr(change, name)) is not None:
            setattr(contact, name, value)
    for part, value in (change.address or {}).items():
        setattr(contact, f"mailing_{part}", value)
    if contact.email != old_email:
        contact.email_bounced_at, contact.email_bounce_reason = None, ""
        if change.keeps_old_email and old_email:
            contact.secondary_email = old_email
    if contact.status == Contact.Status.LEFT_COMPANY:
        contact.status = Contact.Status.ACTIVE


def _label_of(contact, account):
    if account is None:
        return Label(gettext_noop("Changed the job of %(contact)s"), contact=contact)
    return Label(gettext_noop("%(contact)s went to %(account)s"), contact=contact, account=account)


def _agreed(contact, account, date, change, *, by):
    """
    Ask what a change of job asks, now or on a day to come; writes nothing.

    Returns the relation that ends, and the one that becomes the direct one, or None for a new one.
    """
    require(by, Verb.EDIT, contact)
    left = contact.direct_relation()
    require_move(left, account, by=by)
    refuse_before_start(left, date)
    if left is not None and account is not None and left.account_id == account.pk:
        message = _("%(contact)s works for %(account)s already.")
        message = message % {"contact": contact, "account": account}
        raise AlreadyRelated(message, field="account")
    return left, next_direct_of(contact, left, account, change.next_direct)


# -- planned ----------------------------------------------------------------------------------


def lies_ahead(date):
    """Whether a change of job on ``date`` is planned rather than done now."""
    return date is not None and date > Organisation.current().today()


def questions_about(contact, *, by):
    """What higher apps ask about a change of job of ``contact``: a list of Questions."""
    asked = job_change_asked.send(sender=Contact, contact=contact, account=contact.account, by=by)
    return [answer for _receiver, answer in asked if answer is not None]


def check_job_change(contact, *, account, by, change):
    """
    Ask beforehand what ``change_job``, or ``plan_job_change``, would refuse; writes nothing.

    Returns the relation that would become the direct one, None for a new one or none at all.
    """
    date = change.date or Organisation.current().today()
    if lies_ahead(date):
        _refuse_plan(contact, date)
    return _agreed(contact, account, date, change, by=by)[1]


def _refuse_plan(contact, date):
    today = Organisation.current().today()
    if not today < date <= today + FURTHEST:
        raise BadDate(_("Enter a day within the next five years."), field="date")
    if contact.planned_job_changes.open().exists():
        message = _("A change of job is planned for %(contact)s already. Cancel that one first.")
        raise AlreadyPlanned(message % {"contact": contact}, field="date")


@retried
def plan_job_change(contact, *, account, by, change, answers=None, key=None):
    """
    Plan that ``contact`` goes to ``account``, or to none, on a day to come.

    Nothing else changes until then. What ``change`` says as it is now anyway is not kept, so
    that an e-mail that changes before the day stays. ``answers`` are those to the Questions, by
    app; ``change.extras`` is worked out from them on the day.
    Rule: docs/rules/relations.md, section 4.

    :raises BadDate: not in the future, too far ahead, or before the present job began
    :raises AlreadyPlanned: one is planned already
    :raises AlreadyRelated, NeedsNextDirect, NotAllowed: as a change of today
    """
    label = Label(gettext_noop("Planned a change of job of %(contact)s"), contact=contact)
    if account is not None:
        label = Label(
            gettext_noop("Planned that %(contact)s goes to %(account)s"),
            contact=contact,
            account=account,
        )
    with operation(Kind.JOB_CHANGE, by=by, label=label, key=key) as op:
        account, contact = locked_pair(account, contact, by=by)
        _agreed(contact, account, change.date, change, by=by)
        _refuse_plan(contact, change.date)
        plan = PlannedJobChange.objects.create(
            contact=contact,
            old_account=contact.account,
            new_account=account,
            date=change.date,
            planned_by=by,
            entered=_entered(contact, change),
            answers=answers or {},
        )
        op.location = contact.get_absolute_url()
    return plan


def _entered(contact, change):
    """What a plan keeps of ``change``: what would be another value than now."""
    entered = {name: getattr(change, name) for name in REACHED_AT}
    entered = {
        name: value
        for name, value in entered.items()
        if value is not None and value != getattr(contact, name)
    }
    if change.address:
        entered["address"] = dict(change.address)
    if change.keeps_old_email:
        entered["keeps_old_email"] = True
    if change.next_direct is not None:
        entered["next_direct"] = change.next_direct.pk
    return entered


@retried
def cancel_job_change(plan, *, by, key=None):
    """
    Cancel a planned change of job.

    :raises PlanSettled: it was done or cancelled before
    :raises NotAllowed: without edit rights on the person
    """
    label = Label(
        gettext_noop("Cancelled the planned change of job of %(contact)s"), contact=plan.contact
    )
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        _account, contact = locked_pair(None, plan.contact, by=by)
        require(by, Verb.EDIT, contact)
        plan = _locked_plan(plan)
        plan.mark_cancelled()
        op.location = contact.get_absolute_url()
    return plan


def _locked_plan(plan):
    """Lock an open plan after its person, and return it as it is now."""
    rows = PlannedJobChange.objects.open().filter(pk=plan.pk)
    plan = lock(rows).order_by("pk").first()
    if plan is None:
        raise PlanSettled(_("This planned change was done or cancelled already."))
    return plan


def carry_out_due():
    """
    Carry out the planned changes of job whose day has come, one operation each.

    One that can no longer be done stays and says why; it is tried again the next time. Returns
    how many were done and how many were not.
    """
    due = PlannedJobChange.objects.due(today=Organisation.current().today())
    due = due.select_related("contact", "new_account", "planned_by").order_by("date", "pk")
    done = refused = 0
    for plan in due:
        with override(plan.planned_by.locale or settings.LANGUAGE_CODE):
            try:
                carry_out(plan)
                done += 1
            except PlanSettled:
                continue
            except ObjectDoesNotExist:
                why = _("The person or the new account is in the recycle bin.")
                refused += _note_refusal(plan, why)
            except NotAllowed:
                # Its own words are addressed to who acts, and would be read by others.
                why = _("%(user)s, who planned it, may not do it any more.")
                refused += _note_refusal(plan, why % {"user": plan.planned_by})
            except DomainError as refusal:
                refused += _note_refusal(plan, refusal.message)
    return done, refused


@retried
def carry_out(plan):
    """
    Do a planned change of job, in the name of who planned it and as ``change_job`` does.

    :raises PlanSettled: it was done or cancelled before
    :raises OtherAccount: the person works for another account by now
    :raises NotAllowed: who planned it may not do it, or is not active any more
    """
    by = plan.planned_by
    label = _label_of(plan.contact, plan.new_account)
    with operation(Kind.JOB_CHANGE, by=by, label=label) as op:
        if not by.is_active:
            raise NotAllowed(_("%(user)s is not active any more.") % {"user": by})
        account, contact = locked_pair(plan.new_account, plan.contact, by=by)
        plan = _locked_plan(plan)
        if contact.account_id != plan.old_account_id:
            message = _("%(contact)s has another main account by now.") % {"contact": contact}
            raise OtherAccount(message)
        change = _change_of(plan, contact, by=by)
        plan.mark_done(at=op.at)
        change_job(contact, account=account, by=by, change=change)
    return plan


def _change_of(plan, contact, *, by):
    """The JobChange that a plan was made for, as things stand now."""
    entered = dict(plan.entered)
    key = entered.pop("next_direct", None)
    extras = {
        asked.app: asked.recall(plan.answers.get(asked.app, {}))
        for asked in questions_about(contact, by=by)
    }
    change = JobChange(date=plan.date, **entered, extras=extras)
    if key is None:
        return change
    return replace(change, next_direct=contact.relations.filter(pk=key).first())


@retried
def _note_refusal(plan, why):
    """Let a plan, if it is still open, say why it could not be done; returns how many do."""
    label = Label(
        gettext_noop("Could not change the job of %(contact)s as planned"), contact=plan.contact
    )
    with operation(Kind.EDIT, by=None, label=label):
        rows = lock(PlannedJobChange.objects.open().filter(pk=plan.pk)).order_by("pk")
        for row in rows:
            row.mark_refused(why=why)
    return len(rows)
