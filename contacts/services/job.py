"""A person leaves the main account for another one. Rule: docs/rules/relations.md, section 3."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.models import AccountContactRelation, Contact
from contacts.models.relation import FORMER_EMPLOYEE
from contacts.services.relation import (
    AlreadyRelated,
    locked_pair,
    next_direct_of,
    refuse_date,
    require_move,
    set_direct,
)
from contacts.signals import job_changed, relations_changed
from core.journal import Kind, Label, operation, retried
from core.models import Organisation
from core.reach import Verb, require

REACHED_AT = ("title", "department", "email", "phone", "mobile")


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
    had left a company is active again. Announces ``job_changed``.
    Rule: docs/rules/relations.md, section 3.

    :raises BadDate: in the future, or before the old relation began
    :raises AlreadyRelated: it is the direct account already
    :raises NeedsNextDirect: no new account, others are active and none was chosen
    :raises NotAllowed: without edit rights on the person and both accounts
    """
    change = change or JobChange()
    date = change.date or Organisation.current().today()
    label = Label(gettext_noop("Changed the job of %(contact)s"), contact=contact)
    if account is not None:
        label = Label(
            gettext_noop("%(contact)s went to %(account)s"), contact=contact, account=account
        )
    with operation(Kind.JOB_CHANGE, by=by, label=label, key=key) as op:
        account, contact = locked_pair(account, contact, by=by)
        require(by, Verb.EDIT, contact)
        left = contact.direct_relation()
        require_move(left, account, by=by)
        refuse_date(left, date)
        if left is not None and account is not None and left.account_id == account.pk:
            message = _("%(contact)s works for %(account)s already.")
            message = message % {"contact": contact, "account": account}
            raise AlreadyRelated(message, field="account")
        following = next_direct_of(contact, left, account, change.next_direct)
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
