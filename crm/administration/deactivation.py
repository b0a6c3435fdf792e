"""
Ending somebody's log-in: what he has to do goes to successors, in one operation.

What is closed keeps its owner. Rule: docs/rules/access.md, section 8.
"""

import copy
from dataclasses import dataclass

from django.db.transaction import on_commit
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from accounts.models import Account
from contacts.models import Contact
from core.addresses import address_of
from core.errors import Conflict, Invalid, NotAllowed
from core.journal import Kind, Label, operation, retried
from core.models import Organisation
from core.reach import MATRIX, Scope, Verb
from core.records import lock, lock_tree, remove
from core.signals import owner_changed
from leads.models import AssignmentRule, Lead, QueueMember
from opportunities.models import Opportunity
from users.models import Role, Team, User
from users.security import note
from users.sessions import end_sessions


class NoSuccessor(Invalid):
    """Somebody has to take over, and nobody, or nobody who could, was named."""


class AlreadyInactive(Conflict):
    """The log-in has ended before."""


@dataclass(frozen=True)
class Part:
    """One sort of things that are handed over; ``optional`` ones may stay where they are."""

    name: str
    label: str
    rows: object  # user -> queryset
    give: object  # (queryset, user, successor): hands them over, inside the operation
    access: str = ""  # the row of the matrix whose records the successor must be able to edit
    optional: bool = False

    @property
    def field(self):
        """The field of the form that decides about it."""
        return f"with_{self.name}" if self.optional else self.name

    def refuse(self, successor):
        """Why ``successor`` can't take these over, in words; "" if he can."""
        if not successor.is_active:
            message = _("%(owner)s is not active any more. Choose somebody else.")
            return message % {"owner": successor}
        cell = MATRIX[self.access].get((Role(successor.role), Verb.EDIT)) if self.access else None
        if cell and cell[0] == Scope.NONE:
            message = _("The role of %(user)s does not allow to edit these.")
            return message % {"user": successor}
        return ""


def _give_records(rows, user, successor):
    records = list(lock(rows).order_by("pk"))
    before = {record.pk: copy.copy(record) for record in records}
    fields = set()
    for record in records:
        fields.update(record.give_to(successor))
    rows.model.objects.bulk_update(records, sorted(fields))
    for record in records:
        owner_changed.send(sender=rows.model, record=record, before=before[record.pk])


def _give_places(rows, user, successor):
    """His places in queues; where the successor stands already the place goes."""
    places = list(lock(rows).order_by("pk"))
    taken = set(
        QueueMember.objects.filter(user=successor).order_by().values_list("queue_id", flat=True)
    )
    remove([place for place in places if place.queue_id in taken])
    keys = [place.pk for place in places if place.queue_id not in taken]
    QueueMember.objects.filter(pk__among=keys).update(user=successor)


def _give_rules(rows, user, successor):
    AssignmentRule.objects.filter(target_user=user).update(target_user=successor)
    AssignmentRule.objects.filter(fallback_owner=user).update(fallback_owner=successor)
    Organisation.objects.filter(default_lead_owner=user).update(default_lead_owner=successor)


def _give_people(rows, user, successor):
    """The teams that he manages, and who reports to him; one of them steps into his place."""
    rows.update(manager=successor)
    if successor.reports_to(user):
        User.objects.filter(pk=successor.pk).update(manager=user.manager)
    reports = User.objects.active().filter(manager=user).exclude(pk=successor.pk)
    reports.update(manager=successor)


def _owned(model):
    return lambda user: model.objects.live().filter(owner=user)


PARTS = (
    Part(
        "leads",
        gettext_lazy("Open leads"),
        lambda user: _owned(Lead)(user).open(),
        _give_records,
        "lead",
    ),
    Part(
        "accounts",
        gettext_lazy("Accounts"),
        _owned(Account),
        _give_records,
        "account",
        optional=True,
    ),
    Part(
        "contacts",
        gettext_lazy("Contacts"),
        _owned(Contact),
        _give_records,
        "contact",
        optional=True,
    ),
    Part(
        "deals",
        gettext_lazy("Open deals"),
        lambda user: _owned(Opportunity)(user).open(),
        _give_records,
        "opportunity",
    ),
    Part(
        "queues",
        gettext_lazy("Places in queues"),
        lambda user: QueueMember.objects.filter(user=user),
        _give_places,
        "lead",
    ),
    Part(
        "rules",
        gettext_lazy("Assignment of leads"),
        lambda user: AssignmentRule.objects.naming(user),
        _give_rules,
        "lead",
    ),
    Part(
        "teams",
        gettext_lazy("Managed teams and people"),
        lambda user: Team.objects.filter(manager=user),
        _give_people,
    ),
)


def open_records(user):
    """What is open and belongs to ``user``: a queryset for leads and one for deals."""
    return [part.rows(user) for part in PARTS if part.name in ("leads", "deals")]


def holdings(user):
    """How many of each part ``user`` has: [(Part, number)], those with none left out."""
    counts = [(part, part.rows(user).count() + _besides(part, user)) for part in PARTS]
    return [(part, count) for part, count in counts if count]


def _besides(part, user):
    """What belongs to a part and stands in another table: reports, the default owner."""
    if part.name == "teams":
        return User.objects.active().filter(manager=user).count()
    return int(part.name == "rules" and Organisation.current().default_lead_owner_id == user.pk)


@retried
def deactivate_user(user, *, successors, by, key=None):
    """
    End the log-in of ``user`` and hand over what he has.

    ``successors`` maps the names of PARTS to users; an optional part without one stays with him.
    Hand-overs of leads that wait for his answer end: the leads stay with who offered them.

    :raises NotAllowed: ``by`` is no administrator, or it is his own log-in
    :raises AlreadyInactive: it has ended before
    :raises LastAdministrator: nobody would be left who can administer
    :raises NoSuccessor: somebody has to take over, or cannot
    """
    label = Label(gettext_noop("Deactivated %(user)s"), user=user)
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        lock_tree()
        people = [user, by, *filter(None, successors.values())]
        keys = sorted({person.pk for person in people})
        locked = {row.pk: row for row in lock(User.objects.filter(pk__in=keys)).order_by("pk")}
        user = locked[user.pk]
        _require_administrator(user, by=locked[by.pk])
        if not user.is_active:
            raise AlreadyInactive(_("%(user)s is not active any more.") % {"user": user})
        user.is_active = False
        user.check_last_admin()
        taking = {
            name: locked[person.pk] for name, person in successors.items() if person is not None
        }
        _refuse_successors(user, taking)
        waiting = Lead.objects.handed_over().filter(handed_over_to=user)
        for lead in lock(waiting).order_by("pk"):
            lead.save(update_fields=lead.end_handover())
        for part in PARTS:
            if part.name in taking:
                part.give(part.rows(user), user, taking[part.name])
        user.save()
        end_sessions(user)  # at once, and for good if this is undone
        on_commit(lambda: note("deactivated", user=by, of=f"user:{user.pk}"))
        op.location = address_of("administration:user_update", user.pk)
    return user


@retried
def activate_user(user, *, by, key=None):
    """
    Let ``user`` log in again; what was handed over stays where it is.

    :raises NotAllowed: ``by`` is no administrator
    """
    label = Label(gettext_noop("Activated %(user)s"), user=user)
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        lock_tree()
        user = lock(User.objects.filter(pk=user.pk)).order_by("pk").get()
        _require_administrator(user, by=User.objects.get(pk=by.pk))
        user.is_active = True
        user.save()
        on_commit(lambda: note("activated", user=by, of=f"user:{user.pk}"))
        op.location = address_of("administration:user_update", user.pk)
    return user


def _require_administrator(user, *, by):
    if by.role != Role.ADMIN or not by.is_active:
        raise NotAllowed(_("Only administrators can change settings."))
    if user.pk == by.pk:
        raise NotAllowed(_("Nobody ends his own log-in. Ask another administrator."))


def _refuse_successors(user, taking):
    errors = {}
    for part, _count in holdings(user):
        successor = taking.get(part.name)
        if successor is None and not part.optional:
            errors[part.field] = [_("Choose who takes over.")]
        elif successor is not None and successor.pk == user.pk:
            errors[part.field] = [_("Choose somebody else.")]
        elif successor is not None and (reason := part.refuse(successor)):
            errors[part.field] = [reason]
    if errors:
        raise NoSuccessor(_("Choose who takes over."), errors=errors)
