"""
What is done to a person and the relations with accounts at once.

``contact.account`` mirrors the one direct relation; only this folder writes either.
Rule: docs/rules/relations.md.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from contacts.signals import relations_changed
from core.errors import Conflict, Invalid, NotAllowed
from core.journal import Kind, Label, operation, retried
from core.models import Organisation
from core.reach import Verb, can, require
from core.records import lock, remove
from core.services import locked, locked_all


class AlreadyRelated(Conflict):
    """The person has an active relation with this account."""


class NotRelated(Conflict):
    """The person has no active relation with this account."""


class RelationEnded(Conflict):
    """The relation is a thing of the past already."""


class AlreadyDirect(Conflict):
    """The relation is the one to the main account already."""


class NeedsNextDirect(Invalid):
    """The main account goes, others stay, and nobody said which becomes the main one."""


class BadDate(Invalid):
    """The date does not fit the relation's time, or lies in the future."""


# -- beginning --------------------------------------------------------------------------------


def create_contact(contact, account):
    """
    Save a new person with the direct relation to ``account``, within an open operation.

    Rights are the caller's; with None the person belongs to no account.
    """
    contact.account = account
    contact.save()
    if account is not None:
        AccountContactRelation.objects.create(account=account, contact=contact, is_direct=True)
    return contact


def relate(contact, account, *, roles=(), title_there="", start_date=None, notes=""):
    """
    Relate ``contact`` with ``account``, within an open operation; rights are the caller's.

    The first active relation of a person is the direct one.

    :raises AlreadyRelated: there is an active one
    """
    if account.relations.active().filter(contact=contact).exists():
        message = _("%(contact)s is related to %(account)s already.")
        message = message % {"contact": contact, "account": account}
        raise AlreadyRelated(message, field="account", location=contact.get_absolute_url())
    is_direct = not contact.relations.direct().exists()
    relation = AccountContactRelation.objects.create(
        account=account,
        contact=contact,
        is_direct=is_direct,
        roles=list(roles),
        title_there=title_there,
        start_date=start_date,
        notes=notes,
    )
    if is_direct:
        _mirror(contact, account)
    relations_changed.send(sender=Contact, contacts=[contact.pk])
    return relation


@retried
def add_relation(
    contact, account, *, by, roles=(), title_there="", start_date=None, notes="", key=None
):
    """
    Add an active relation of ``contact`` with one more ``account``.

    :raises AlreadyRelated: there is an active one, with the person's page
    :raises NotAllowed: without edit rights on the person or the account
    """
    label = Label(
        gettext_noop("Related %(contact)s to %(account)s"), contact=contact, account=account
    )
    with operation(Kind.RELATE, by=by, label=label, key=key) as op:
        account, contact = locked_pair(account, contact, by=by)
        _require_either(account, contact, by=by)
        relation = relate(
            contact,
            account,
            roles=roles,
            title_there=title_there,
            start_date=start_date,
            notes=notes,
        )
        op.location = contact.get_absolute_url()
    return relation


@retried
def save_relation(relation, *, by, key=None):
    """
    Save what a relation says besides its two ends: title, roles, start, notes.

    ``relation`` is the changed instance, with the version that it was read with.

    :raises Stale: somebody else changed it since it was read
    :raises NotAllowed: without edit rights on the person or the account
    """
    label = Label(
        gettext_noop("Edited the relation of %(contact)s to %(account)s"),
        contact=relation.contact,
        account=relation.account,
    )
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        account, contact = _locked_ends(relation)
        _require_either(account, contact, by=by)
        relation.save()
        op.location = contact.get_absolute_url()
    return relation


# -- the direct account -----------------------------------------------------------------------


@retried
def set_direct_account(contact, account, *, by, next_direct=None, key=None):
    """
    Correct the direct account of ``contact``; what was entered wrongly leaves no history.

    With None the person has none; of other active relations ``next_direct`` takes the place.
    A change of job is ``change_job``.

    :raises AlreadyRelated: it is the direct account already
    :raises NeedsNextDirect: others are active and none was chosen
    :raises NotAllowed: without edit rights on the person, and on both accounts for a move
    """
    label = Label(gettext_noop("Corrected the account of %(contact)s"), contact=contact)
    with operation(Kind.RELATE, by=by, label=label, key=key) as op:
        account, contact = locked_pair(account, contact, by=by)
        require(by, Verb.EDIT, contact)
        left = contact.direct_relation()
        require_move(left, account, by=by)
        if left is not None and account is not None and left.account_id == account.pk:
            message = _("%(account)s is the main account already.") % {"account": account}
            raise AlreadyRelated(message, field="account")
        following = next_direct_of(contact, left, account, next_direct)
        if left is not None:
            remove([left])
        set_direct(contact, account, following)
        relations_changed.send(sender=Contact, contacts=[contact.pk])
        op.location = contact.get_absolute_url()
    return contact


@retried
def make_direct(relation, *, by, key=None):
    """
    Make an active relation the direct one; the present direct one stays active.

    :raises AlreadyDirect: it is the direct one
    :raises RelationEnded: it is over
    :raises NotAllowed: without edit rights on the person, or on both accounts
    """
    label = Label(
        gettext_noop("Made %(account)s the main account of %(contact)s"),
        account=relation.account,
        contact=relation.contact,
    )
    with operation(Kind.RELATE, by=by, label=label, key=key) as op:
        account, contact = locked_pair(relation.account, relation.contact, by=by)
        require(by, Verb.EDIT, contact)
        relations = list(lock(contact.relations.active()).order_by("pk"))
        chosen = next((row for row in relations if row.pk == relation.pk), None)
        if chosen is None:
            raise RelationEnded(_("This relation is over already."))
        if chosen.is_direct:
            raise AlreadyDirect(_("%(account)s is the main account.") % {"account": account})
        left = next((row for row in relations if row.is_direct), None)
        require_move(left, account, by=by)
        if left is not None:
            left.is_direct = False
            left.save(update_fields=["is_direct"])
        set_direct(contact, None, chosen)
        op.location = contact.get_absolute_url()
    return chosen


def set_direct_accounts(accounts):
    """
    Set the direct accounts of many people by a few statements; rights are the caller's.

    ``accounts`` maps contacts to accounts or None; for contacts that are new, with ``account``
    filled or not, this writes the relation. An earlier direct relation to another account is
    removed, an active one to the new account becomes the direct one. For files and factories.
    """
    contacts = list(accounts)
    keys = [contact.pk for contact in contacts]
    active = AccountContactRelation.objects.active().filter(contact__among=keys)
    relations = list(lock(active).order_by("pk"))
    wanted = {c.pk: account.pk for c, account in accounts.items() if account is not None}
    fits = {r.contact_id: r for r in relations if wanted.get(r.contact_id) == r.account_id}
    remove([r for r in relations if r.is_direct and r is not fits.get(r.contact_id)])
    _promote([r for r in fits.values() if not r.is_direct])
    AccountContactRelation.objects.bulk_create(
        AccountContactRelation(account_id=account, contact_id=contact, is_direct=True)
        for contact, account in wanted.items()
        if contact not in fits
    )
    stored = dict(Contact.objects.filter(pk__among=keys).values_list("pk", "account_id"))
    for contact in contacts:
        contact.account_id = wanted.get(contact.pk)
    moved = [contact for contact in contacts if stored[contact.pk] != contact.account_id]
    Contact.objects.bulk_update(moved, ["account"])
    if relations:
        relations_changed.send(sender=Contact, contacts=keys)


def move_people(account, *, target):
    """
    Let everybody whose direct account is ``account`` have ``target`` instead, with roles.

    For accounts that are put away; rights are the caller's.
    """
    people = Contact.objects.live().filter(account=account)
    keys = list(lock(people).order_by("pk").values_list("pk", flat=True))
    left = list(lock(account.relations.direct().filter(contact__among=keys)).order_by("pk"))
    there = lock(target.relations.active().filter(contact__among=keys)).order_by("pk")
    known = {relation.contact_id: relation for relation in there}
    remove(left)
    _promote(list(known.values()))
    AccountContactRelation.objects.bulk_create(
        AccountContactRelation(
            account=target,
            contact_id=relation.contact_id,
            is_direct=True,
            roles=relation.roles,
            title_there=relation.title_there,
            start_date=relation.start_date,
            notes=relation.notes,
        )
        for relation in left
        if relation.contact_id not in known
    )
    Contact.objects.filter(pk__among=keys).update(account=target)
    relations_changed.send(sender=Contact, contacts=keys)


def _promote(relations):
    """Make active relations the direct ones of their people."""
    if relations:
        rows = AccountContactRelation.objects.filter(pk__among=[r.pk for r in relations])
        rows.update(is_direct=True, end_date=None)


def refuse_date(relation, date):
    """Refuse a day in the future, or before ``relation``, if any, began."""
    if date > Organisation.current().today():
        message = _("The date lies in the future. Enter the change on that day or later.")
        raise BadDate(message, field="date")
    refuse_before_start(relation, date)


def refuse_before_start(relation, date):
    """Refuse a day before ``relation``, if any, began."""
    if relation is not None and relation.start_date and date < relation.start_date:
        message = _("The present job began on %(start)s only.")
        raise BadDate(message % {"start": relation.start_date.isoformat()}, field="date")


def next_direct_of(contact, left, account, chosen):
    """
    The relation that becomes the direct one, None for a new one or none at all.

    :raises NeedsNextDirect: nobody said which of several
    """
    others = list(contact.other_relations())
    if account is not None:
        return next((r for r in others if r.account_id == account.pk), None)
    if chosen is not None:
        chosen = next((r for r in others if r.pk == chosen.pk), None)
        if chosen is None:
            message = _("This relation is not active any more. Choose another one.")
            raise NeedsNextDirect(message, field="next_direct")
        return chosen
    if left is not None and others:
        message = _("Choose which account becomes the main one.")
        raise NeedsNextDirect(message, field="next_direct")
    return None


def set_direct(contact, account, following, *, start_date=None):
    """Make ``following`` the direct relation, else a new one with ``account``, and mirror it."""
    if following is not None:
        following.is_direct, following.end_date = True, None
        following.save()
        account = following.account
    elif account is not None:
        AccountContactRelation.objects.create(
            account=account, contact=contact, is_direct=True, start_date=start_date
        )
    _mirror(contact, account)


def _mirror(contact, account):
    contact.account = account
    contact.save()


# -- a relation ends --------------------------------------------------------------------------


@retried
def end_relation(relation, *, by, end_date, next_direct=None, key=None):
    """
    End an active relation on ``end_date``; it stays as history.

    Ending the direct one while others are active asks which becomes the direct one.

    :raises RelationEnded: it is over already
    :raises BadDate: before its start or in the future
    :raises NeedsNextDirect: others are active and none was chosen
    :raises NotAllowed: without edit rights on the person or the account
    """
    label = Label(
        gettext_noop("Ended the relation of %(contact)s to %(account)s"),
        contact=relation.contact,
        account=relation.account,
    )
    with operation(Kind.RELATE, by=by, label=label, key=key) as op:
        relation, contact = _locked_relation(relation, by=by)
        if not relation.is_active:
            raise RelationEnded(_("This relation is over already."))
        refuse_date(relation, end_date)
        was_direct = relation.is_direct
        following = next_direct_of(contact, relation, None, next_direct) if was_direct else None
        relation.ended(end_date)
        relation.save()
        if was_direct:
            set_direct(contact, None, following)
        relations_changed.send(sender=Contact, contacts=[contact.pk])
        op.location = contact.get_absolute_url()
    return relation


@retried
def remove_relation(relation, *, by, next_direct=None, key=None):
    """
    Remove a relation that was entered by mistake; nothing of it stays but the journal.

    :raises NeedsNextDirect: it is the direct one, others are active and none was chosen
    :raises NotAllowed: without edit rights on the person or the account
    """
    label = Label(
        gettext_noop("Removed the relation of %(contact)s to %(account)s"),
        contact=relation.contact,
        account=relation.account,
    )
    with operation(Kind.REMOVE, by=by, label=label, key=key) as op:
        relation, contact = _locked_relation(relation, by=by)
        was_direct = relation.is_direct
        following = next_direct_of(contact, relation, None, next_direct) if was_direct else None
        remove([relation])
        if was_direct:
            set_direct(contact, None, following)
        relations_changed.send(sender=Contact, contacts=[contact.pk])
        op.location = contact.get_absolute_url()
    return contact


# -- the primary contact of an account --------------------------------------------------------


@retried
def set_primary_contact(account, *, contact, by, key=None):
    """
    Make ``contact`` the one whom ``account`` names first; None clears it.

    :raises NotRelated: the person has no active relation with the account
    :raises NotAllowed: without edit rights on the account
    """
    label = Label(gettext_noop("Cleared the primary contact of %(account)s"), account=account)
    if contact is not None:
        label = Label(
            gettext_noop("Made %(contact)s the primary contact of %(account)s"),
            contact=contact,
            account=account,
        )
    with operation(Kind.RELATE, by=by, label=label, key=key) as op:
        account = locked(account, by=by, verb=Verb.EDIT)
        relations = list(lock(account.relations.active()).order_by("pk"))
        chosen = next((r for r in relations if contact and r.contact_id == contact.pk), None)
        if contact is not None and chosen is None:
            message = _("%(contact)s has no active relation to %(account)s.")
            message = message % {"contact": contact, "account": account}
            raise NotRelated(message, field="contact")
        for relation in relations:
            if relation.is_primary_for_account and relation is not chosen:
                relation.is_primary_for_account = False
                relation.save(update_fields=["is_primary_for_account"])
        if chosen is not None:
            chosen.is_primary_for_account = True
            chosen.save(update_fields=["is_primary_for_account"])
        op.location = account.get_absolute_url()
    return chosen


# -- locks and rights -------------------------------------------------------------------------


def locked_pair(account, contact, *, by):
    """Lock the account, if any, before the contact, and return both as they are now."""
    if account is not None:
        account = locked_all(Account, [account.pk], by=by)[account.pk]
    return account, locked_all(Contact, [contact.pk], by=by)[contact.pk]


def _locked_ends(relation):
    """Lock the account of a relation before its contact, and return both as they are now."""
    ends = Account.objects.filter(pk=relation.account_id)
    account = lock(ends).order_by("pk").get()
    contact = lock(Contact.objects.filter(pk=relation.contact_id)).order_by("pk").get()
    return account, contact


def _locked_relation(relation, *, by):
    """Lock a relation after its two ends; the person is returned with it."""
    account, contact = _locked_ends(relation)
    rows = AccountContactRelation.objects.visible_to(by).filter(pk=relation.pk)
    relation = lock(rows).order_by("pk").get()
    if relation.is_direct:
        require(by, Verb.EDIT, contact)
        require_move(relation, None, by=by)
    else:
        _require_either(account, contact, by=by)
    return relation, contact


def _require_either(account, contact, *, by):
    """A relation is written with edit rights on the person or on the account."""
    if not (can(account, by, Verb.EDIT) or can(contact, by, Verb.EDIT)):
        message = _("You need edit rights on the person or on the account.")
        raise NotAllowed(message)


def require_move(left, account, *, by):
    """A person moves with edit rights on both accounts; a first account need only be seen."""
    if left is None:
        return
    for end in (left.account, account):
        if end is not None and not can(end, by, Verb.EDIT):
            message = _("You need edit rights on the old and on the new account.")
            raise NotAllowed(message, field="account")
