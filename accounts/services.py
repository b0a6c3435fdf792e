"""What is done to accounts: moving in the hierarchy, copying addresses, archiving."""

import copy
from dataclasses import dataclass

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.models import MAX_DEPTH, Account, WouldMakeCycle
from accounts.signals import (
    account_moved,
    belongings_wanted,
    dependants_archiving,
    dependants_moving,
    dependants_wanted,
)
from core.errors import Conflict, Invalid, NotAllowed
from core.journal import Kind, Label, operation, retried
from core.reach import Verb, can, require
from core.records import lock, lock_tree
from core.services import ASSIGNED, assign, locked, locked_all, require_all

__all__ = [
    "Belongings",
    "Dependants",
    "DependantsChoice",
    "HasDependants",
    "IndividualInHierarchy",
    "NoRightOnParent",
    "NothingToCopy",
    "TooDeep",
    "WouldMakeCycle",
    "archive_account",
    "assign_account",
    "belongings_of",
    "check_move",
    "copy_billing_to_shipping",
    "dependants_of",
    "move_account",
]


class TooDeep(Conflict):
    """The hierarchy would get more than 20 levels."""


class IndividualInHierarchy(Invalid):
    """A private person has neither a parent account nor accounts below."""


class NoRightOnParent(NotAllowed):
    """The user may not edit the account that is left, or the one that is joined."""


class NothingToCopy(Conflict):
    """The billing address is blank, or the shipping address is the same."""


class HasDependants(Conflict):
    """The account has accounts, people or deals; ``dependants`` counts them."""

    def __init__(self, message, *, dependants, **kwargs):
        super().__init__(message, **kwargs)
        self.dependants = dependants


@dataclass(frozen=True)
class Dependants:
    """How much of one kind belongs to an account: directly, and with all accounts below it."""

    label: str
    own: int
    branch: int


@dataclass(frozen=True)
class DependantsChoice:
    """What becomes of an archived account's dependants: they go to ``target``, else with it."""

    target: Account | None = None


# -- the hierarchy ----------------------------------------------------------------------------


@retried
def move_account(account, *, parent, by, key=None):
    """
    Put ``account`` and everything below it below ``parent``; to the top with None.

    Takes the lock of the hierarchy first and reads both ends again under it, so that of two
    opposite moves one is refused. Announces ``account_moved``. Rule: docs/rules/hierarchy.md.

    :raises WouldMakeCycle: the parent is the account itself or lies below it
    :raises TooDeep: the lowest account would be on the 21st level
    :raises NotAllowed: without edit rights on the account, its old and its new parent
    :raises Conflict: it has this parent already
    """
    label = Label(gettext_noop("Moved %(account)s to the top"), account=account)
    if parent is not None:
        label = Label(
            gettext_noop("Moved %(account)s below %(parent)s"), account=account, parent=parent
        )
    with operation(Kind.MOVE, by=by, label=label, key=key) as op:
        lock_tree()
        rows = locked_all(Account, [account.pk, parent and parent.pk], by=by)
        account, parent = rows[account.pk], rows.get(parent and parent.pk)
        check_move(account, parent=parent, by=by)
        before = copy.copy(account)
        account.parent = parent
        account.save(update_fields=["parent"])
        account_moved.send(sender=Account, account=account, before=before)
        op.location = account.get_absolute_url()
    return account


def check_move(account, *, parent, by):
    """
    Refuse what ``move_account`` refuses, by the places as they stand in memory.

    :raises WouldMakeCycle: the parent is the account itself or lies below it
    :raises TooDeep: the lowest account would be on the 21st level
    :raises NotAllowed: without edit rights on the account, its old and its new parent
    :raises Conflict: it has this parent already
    """
    require(by, Verb.EDIT, account)
    _require_ends(account, parent, by=by)
    _refuse_place(account, parent, by=by)


def _require_ends(account, parent, *, by):
    """Ask for edit rights on the parent that is left and on the one that is joined."""
    left = Account.objects.filter(pk=account.parent_id).first()
    for end in (left, parent):
        if end is not None and not can(end, by, Verb.EDIT):
            message = _("You need edit rights on the old and on the new parent account.")
            raise NoRightOnParent(message, field="parent")


def _refuse_place(account, parent, *, by):
    if (parent.pk if parent else None) == account.parent_id:
        raise Conflict(_("%(account)s has this place already.") % {"account": account})
    if parent is None:
        return
    if account.is_individual or parent.is_individual:
        message = _("A private person stands outside every hierarchy.")
        raise IndividualInHierarchy(message, field="parent")
    if parent.pk == account.pk:
        raise WouldMakeCycle(_("An account cannot be its own parent."), field="parent")
    if account.pk in parent.ancestor_ids:
        message = _("%(parent)s is below %(account)s (%(chain)s), so it cannot become its parent.")
        words = {"parent": parent, "account": account, "chain": chain_of(parent, by=by)}
        raise WouldMakeCycle(message % words, field="parent")
    if parent.depth + 1 + _height_of(account) > MAX_DEPTH:
        message = _("Below %(parent)s (%(chain)s) there would be more than 20 levels.")
        words = {"parent": parent, "chain": chain_of(parent, by=by)}
        raise TooDeep(message % words, field="parent")


def chain_of(account, *, by):
    """The names from the top of the hierarchy down to ``account``, hidden ones left blank."""
    seen = Account.objects.visible_to(by).above(account).in_bulk()
    names = [str(seen.get(pk, _("restricted account"))) for pk in account.ancestor_ids]
    return " › ".join([*names, str(account)])


def _height_of(account):
    """How many levels lie below ``account``."""
    deepest = Account.objects.below(account).aggregate(deepest=Max("depth"))["deepest"]
    return 0 if deepest is None else deepest - account.depth


# -- addresses --------------------------------------------------------------------------------


@retried
def copy_billing_to_shipping(account, *, by, key=None):
    """
    Let the shipping address be what the billing address is now; later changes do not follow.

    :raises NothingToCopy: there is no billing address, or shipping is the same already
    :raises NotAllowed: without edit rights on the account
    """
    label = Label(gettext_noop("Copied the billing address of %(account)s"), account=account)
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        account = locked(account, by=by, verb=Verb.EDIT)
        if not account.billing_differs:
            message = _("%(account)s has no billing address that differs from the shipping one.")
            raise NothingToCopy(message % {"account": account})
        account.ship_to_billing()
        op.location = account.get_absolute_url()
    return account


# -- owners -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Belongings:
    """What of one kind the owner of an account has there: its name, a label and the records."""

    key: str
    label: str
    records: object


def belongings_of(account, *, owner):
    """The Belongings of ``owner`` at ``account``; kinds of which there is nothing as well."""
    sent = belongings_wanted.send(sender=Account, account=account, owner=owner)
    return [answer for _to, answer in sent]


@retried
def assign_account(account, *, owner, by, along=(), key=None):
    """
    Give ``account`` to another owner, and with it what the old one had there.

    ``along`` are the keys of the Belongings that move: his people, his open deals. All of it is
    one operation. Rule: docs/rules/batches.md, section 5.

    :raises NotAllowed: the account, or one of those records, is out of the user's reach
    :raises OwnerInactive: the new owner can no longer log in
    """
    label = Label(ASSIGNED, record=account, owner=owner)
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        old = locked(account, by=by, verb=Verb.ASSIGN).owner
        found = [b for b in belongings_of(account, owner=old) if b.key in along]
        account = assign(account, owner=owner, by=by)
        for belongings in found:
            records = list(lock(belongings.records).order_by("pk"))
            require_all(records, by=by, verb=Verb.ASSIGN)
            for record in records:
                assign(record, owner=owner, by=by)
        op.location = account.get_absolute_url()
    return account


# -- archiving --------------------------------------------------------------------------------


def dependants_of(account):
    """What belongs to ``account``, by kind; kinds of which there is nothing are left out."""
    children = Account.objects.live().filter(parent=account.pk).count()
    below = Account.objects.live().below(account).count()
    found = [Dependants(gettext_lazy("accounts below"), children, below)]
    found += [answer for _to, answer in dependants_wanted.send(sender=Account, account=account)]
    return [dependants for dependants in found if dependants.branch]


@retried
def archive_account(account, *, by, dependants=None, key=None):
    """
    Put ``account`` into the recycle bin; ``dependants`` says what becomes of what it has.

    They go to another account or into the bin with it; restoring, the undo of the operation,
    brings all of it back. Rule: docs/rules/archive.md.

    :raises HasDependants: there are some and ``dependants`` does not say what becomes of them
    :raises NotAllowed: the account or one of the dependants is out of the user's reach
    :raises WouldMakeCycle: they would go to an account below
    """
    label = Label(gettext_noop("Archived %(account)s"), account=account)
    with operation(Kind.ARCHIVE, by=by, label=label, key=key) as op:
        lock_tree()
        target = dependants.target if dependants else None
        rows = locked_all(Account, [account.pk, target and target.pk], by=by)
        account, target = rows[account.pk], rows.get(target and target.pk)
        require(by, Verb.ARCHIVE, account)
        found = dependants_of(account)
        if found and dependants is None:
            message = _("%(account)s has %(dependants)s. Say what becomes of them.")
            listed = ", ".join(f"{d.branch} {d.label}" for d in found)
            message = message % {"account": account, "dependants": listed}
            raise HasDependants(message, dependants=found)
        at = timezone.now()
        if found and target is not None:
            _move_dependants(account, target, by=by)
        elif found:
            _archive_dependants(account, at=at, by=by)
        account.archived_at = at
        account.save(update_fields=["archived_at"])
        op.location = account.get_absolute_url()
    return account


def _move_dependants(account, target, *, by):
    if target.pk == account.pk or account.pk in target.ancestor_ids:
        message = _("%(target)s belongs to what is archived. Choose another account.")
        raise WouldMakeCycle(message % {"target": target}, field="target")
    require(by, Verb.EDIT, target)
    children = lock(Account.objects.live().filter(parent=account.pk)).order_by("pk")
    require_all(children, by=by, verb=Verb.EDIT)
    if children and target.depth + _height_of(account) > MAX_DEPTH:
        message = _("Below %(target)s there would be more than 20 levels.")
        raise TooDeep(message % {"target": target}, field="target")
    for child in children:
        before = copy.copy(child)
        child.parent = target
        child.save(update_fields=["parent"])
        account_moved.send(sender=Account, account=child, before=before)
    dependants_moving.send(sender=Account, account=account, target=target, by=by)


def _archive_dependants(account, *, at, by):
    below = lock(Account.objects.live().below(account)).order_by("pk")
    require_all(below, by=by, verb=Verb.ARCHIVE)
    branch = Account.objects.within(account)
    dependants_archiving.send(sender=Account, accounts=branch, at=at, by=by)
    Account.objects.live().below(account).update(archived_at=at)
