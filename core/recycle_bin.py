"""The recycle bin: which records are archived, how they got there, and bringing them back."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from core.errors import Conflict
from core.journal import Change, Kind, Label, operation, retried
from core.journal import Verb as Written
from core.models import OwnedRecord
from core.reach import RECYCLE_BIN, Verb, may_undo, require, within
from core.records import lock
from core.undo import undo


class NotArchived(Conflict):
    """The record is not in the recycle bin, perhaps restored a moment ago."""


class ParentArchived(Conflict):
    """The record hangs on another one that is in the recycle bin as well."""


def archived(model, *, by):
    """The archived records of ``model`` that ``by`` may restore, in no order."""
    return within(model.objects.archived(), by, RECYCLE_BIN)


def archiving_of(record):
    """
    The operation that put ``record`` into the recycle bin; None if no Change says so.

    What came in archived was never put there: to take that back would remove it.
    """
    changes = Change.objects.filter(model=record._meta.label_lower, object_id=record.pk)
    changes = changes.select_related("operation__actor").order_by("-version")
    for change in changes:
        if change.after_values.get("archived_at"):
            return change.operation if change.verb == Written.UPDATED else None
    return None


def restore(record, *, by, key=None):
    """
    Bring ``record`` back from the recycle bin, with everything that was archived with it.

    It is the undo of the archiving. A record that was archived alone by somebody else than
    ``by`` may undo is brought back by itself, and so is one of a batch, whose records were
    ticked one by one. Returns the Operation. Rule: docs/rules/records.md.

    :raises NotArchived: if it is not in the recycle bin
    :raises ParentArchived: if a record that it hangs on is archived and would stay so
    :raises NotAllowed: if the record, or what was archived with it, is out of reach
    """
    archiving = archiving_of(record)
    if archiving and archiving.kind == Kind.BULK_EDIT:
        archiving = None
    together = _archived_together(archiving) if archiving else set()
    _refuse_archived_parents(record, besides=together)
    if archiving and (may_undo(by, archiving.actor) or len(together) > 1):
        return undo(archiving, by=by)
    return _restore_alone(record, by=by, key=key)


def _archived_together(archiving):
    changes = Change.objects.filter(operation=archiving).values_list("model", "object_id")
    return set(changes)


def _refuse_archived_parents(record, *, besides):
    for field in record._meta.concrete_fields:
        if not field.is_relation or not issubclass(field.related_model, OwnedRecord):
            continue
        parent = getattr(record, field.name)
        if parent is None or field.name == "merged_into" or parent.archived_at is None:
            continue
        if (parent._meta.label_lower, parent.pk) not in besides:
            message = _("%(parent)s is in the recycle bin. Restore it first.")
            raise ParentArchived(message % {"parent": parent})


@retried
def _restore_alone(record, *, by, key):
    label = Label(gettext_noop("Restored %(record)s"), record=record)
    with operation(Kind.RESTORE, by=by, label=label, key=key) as op:
        rows = lock(type(record).objects.visible_to(by).filter(pk=record.pk))
        record = rows.order_by("pk").get()
        if record.archived_at is None:
            raise NotArchived(_("%(record)s is not in the recycle bin.") % {"record": record})
        if not archived(type(record), by=by).filter(pk=record.pk).exists():
            require(by, Verb.ARCHIVE, record)
        record.archived_at = None
        record.save(update_fields=["archived_at"])
        op.location = record.get_absolute_url()
    return op.row
