"""What can be done to a record of any kind: give it to another owner, put it away."""

import copy

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from core.errors import Conflict, Invalid, NotAllowed
from core.journal import Kind, Label, operation, retried
from core.reach import Verb, allowed, require
from core.records import lock
from core.signals import owner_changed
from users.models import Role, User

ASSIGNED = gettext_noop("Assigned %(record)s to %(owner)s")


class ReadOnly(Conflict):
    """Nobody may change the record as it is now."""


class OwnerInactive(Invalid):
    """The chosen owner can no longer log in."""


def locked(record, *, by, verb=Verb.EDIT):
    """
    Lock ``record`` for a change and return it as it is now.

    :raises record.DoesNotExist: ``by`` cannot see it, or it is in the recycle bin
    :raises NotAllowed: ``by`` may not do this to it
    :raises ReadOnly: nobody may
    """
    rows = lock(type(record).objects.visible_to(by).live().filter(pk=record.pk))
    row = rows.order_by("pk").get()
    require(by, verb, row)
    refuse_read_only(row)
    return row


def locked_all(model, keys, *, by):
    """
    Lock the live records of ``model`` that have these keys, in the order of the keys.

    :returns: the records as they are now, by key
    :raises model.DoesNotExist: one of them is hidden from ``by`` or in the recycle bin
    """
    wanted = {key for key in keys if key is not None}
    rows = lock(model.objects.visible_to(by).live().filter(pk__in=wanted)).order_by("pk")
    found = {row.pk: row for row in rows}
    if found.keys() != wanted:
        raise model.DoesNotExist(f"{model._meta.label} matching these keys does not exist.")
    return found


def locked_owner(owner):
    """
    Lock a user who is about to own something, before the records, and return him as he is now.

    Who deactivates him at the same moment waits, or has done it already.
    """
    return lock(User.objects.filter(pk=owner.pk)).order_by("pk").get()


def require_all(records, *, by, verb):
    """
    Refuse unless ``by`` may ``verb`` each of ``records``, without naming those he may not.

    :raises NotAllowed: at least one of them is out of the user's reach
    """
    if len(allowed(records, by, verb)) < len({record.pk for record in records}):
        raise NotAllowed(_("Something that belongs to it is out of your reach."))


def refuse_read_only(record):
    """
    Refuse to change a record that is finished, such as a converted lead.

    :raises ReadOnly: with the reason, and the page where to look
    """
    if reason := record.why_read_only():
        raise ReadOnly(reason, location=record.get_absolute_url())


@retried
def assign(record, *, owner, by, key=None):
    """
    Give ``record`` to another active user. Announces ``owner_changed``.

    Representatives hand over inside their own team. Rule: docs/rules/access.md.

    :raises OwnerInactive: the new owner can no longer log in
    :raises NotAllowed: the record, or that owner, is out of the user's reach
    """
    label = Label(ASSIGNED, record=record, owner=owner)
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        owner = locked_owner(owner)
        record = locked(record, by=by, verb=Verb.ASSIGN)
        refuse_owner(owner, by=by)
        before = copy.copy(record)
        record.save(update_fields=record.give_to(owner))
        owner_changed.send(sender=type(record), record=record, before=before)
        op.location = record.get_absolute_url()
    return record


def refuse_owner(owner, *, by):
    """
    Refuse a user who may not become an owner by the hand of ``by``.

    :raises OwnerInactive: the new owner can no longer log in
    :raises NotAllowed: a representative hands over within his own team only
    """
    if not owner.is_active:
        message = _("%(owner)s is not active any more. Choose somebody else.") % {"owner": owner}
        raise OwnerInactive(message, field="owner")
    if by is None or by.role not in (Role.REP, Role.SDR) or owner.pk == by.pk:
        return
    if owner.team_id is None or owner.team_id != by.team_id:
        message = _("%(owner)s is not in your team.") % {"owner": owner}
        raise NotAllowed(message, field="owner")


@retried
def archive(record, *, by, key=None):
    """
    Put ``record`` into the recycle bin; the undo of the operation restores it.

    Records with dependants have a service of their own, such as ``archive_account``.
    """
    label = Label(gettext_noop("Archived %(record)s"), record=record)
    with operation(Kind.ARCHIVE, by=by, label=label, key=key) as op:
        record = locked(record, by=by, verb=Verb.ARCHIVE)
        record.archived_at = timezone.now()
        record.save(update_fields=["archived_at"])
        op.location = record.get_absolute_url()
    return record


@retried
def move_in_order(row, *, place, among, by):
    """
    Move a row of a reference table to the ``place``, counted from 0, of the rows ``among``.

    Returns the Operation; None if it stands there already.

    :raises NotAllowed: only administrators write reference tables
    """
    label = Label(gettext_noop("Moved %(row)s in its list"), row=row)
    with operation(Kind.EDIT, by=by, label=label) as op:
        rows = list(lock(among).order_by("position", "pk"))
        row = next(other for other in rows if other.pk == row.pk)
        require(by, Verb.EDIT, row)
        positions = [other.position for other in rows]
        if len(set(positions)) < len(rows):
            positions = list(range(len(rows)))
        was = rows.index(row)
        rows.insert(place, rows.pop(was))
        moved = [(r, to) for r, to in zip(rows, positions, strict=True) if r.position != to]
        if row._meta.get_field("position").unique and moved:
            # It stands aside, so that each of the others finds its place free when it moves.
            _put_at(row, max(positions) + 1)
        downwards = rows.index(row) < was
        for other, to in reversed(moved) if downwards else moved:
            if other is not row:
                _put_at(other, to)
        _put_at(row, positions[rows.index(row)])
    return op.row


def _put_at(row, position):
    if row.position != position:
        row.position = position
        row.save(update_fields=["position"])


def next_position(rows):
    """The position behind the last of the ``rows`` of a reference table."""
    last = rows.order_by("-position").values_list("position", flat=True).first()
    return 0 if last is None else last + 1
