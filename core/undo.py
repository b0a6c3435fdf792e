"""
Taking operations back: the journal played in reverse, inside an operation of its own.

``preview_undo`` reads only and says beforehand what would be taken back, what stands in the
way, what stays and what must be ticked; ``undo`` does it. An undo is an operation, so it can be
undone as well (redo): the same rows under the same keys. Rule: docs/rules/undo.md.
"""

import functools
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby

from django.apps import apps
from django.db import IntegrityError, models
from django.dispatch import Signal
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from core import reach
from core.errors import Conflict, NotAllowed, from_integrity
from core.journal import Change, Kind, Label, Operation, Verb, operation, retried, start_run
from core.records import (
    BATCH,
    codecs,
    derived_by,
    derived_from,
    last_versions,
    lock,
    lock_tree,
    references,
)

undo_planned = Signal()
"""
An undo is being planned. Sent with ``plan``: a receiver may claim referring rows by
``plan.claim(model, id, text)``, which then no longer stand in the way, or say by
``plan.stop(finding)`` what its rules refuse.
"""

undoing = Signal()
"""
An undo is about to play back, inside its operation. Sent with ``plan`` and ``op``: receivers
do what they claimed. An exception undoes the whole.
"""

undone = Signal()
"""
An undo has played back, inside its operation. Sent with ``plan`` and ``op``: receivers write
derived values of their own rows anew. An exception undoes the whole.
"""

RUNS = (Kind.IMPORT, Kind.BULK_EDIT, Kind.BULK_CONVERT, Kind.DEMO)


class CannotUndo(Conflict):
    """Something stands in the way of an undo; ``plan`` lists it."""

    def __init__(self, message, *, plan=None, **kwargs):
        super().__init__(message, **kwargs)
        self.plan = plan


@dataclass(frozen=True)
class Finding:
    """One thing that an undo's preview tells: what about which record, in words."""

    kind: str  # changed, in_use, gone, taken, erased, kept, disappears, claimed
    model: str
    object_id: int
    text: str
    field: str = ""

    @property
    def model_class(self):
        return apps.get_model(self.model)


@dataclass
class UndoPlan:
    """What the undo of one operation would do; ``steps`` are its changes, newest first."""

    operation: Operation
    target: Operation  # the last operation of the chain: a redo, if it was redone
    policy: str
    by: object = None  # who asks for it; None is the system
    steps: list = field(default_factory=list)
    left: dict = field(default_factory=dict)  # what newer chunks of a run would leave, as state
    state: dict = field(default_factory=dict)  # (model, id) -> values after the playback, or None
    present: dict = field(default_factory=dict)  # (model, id) -> record as it is now
    in_the_way: list = field(default_factory=list)
    kept: list = field(default_factory=list)
    ticks: list = field(default_factory=list)
    claimed: list = field(default_factory=list)
    skipped: set = field(default_factory=set)  # (model, id) left alone, by policy
    kept_fields: set = field(default_factory=set)  # (model, id, field) left alone, by policy
    met: dict = field(default_factory=dict)  # (model, id) -> other record that stands in the way

    @property
    def is_possible(self):
        return not self.in_the_way

    def claim(self, model, object_id, text):
        """Let a higher app take care of a referring row; it no longer stands in the way."""
        self.in_the_way = [
            f for f in self.in_the_way if (f.model, f.object_id) != (model, object_id)
        ]
        self.claimed.append(Finding("claimed", model, object_id, text))

    def stop(self, finding):
        """Let ``finding`` stand in the way; in a run its record alone is left as it is."""
        if self.policy in RUNS:
            self.skip(finding.model, finding.object_id)
            if finding not in self.kept:
                self.kept.append(finding)
        else:
            self.in_the_way.append(finding)

    def skip(self, model, object_id):
        """Leave one record as it is."""
        at = model, object_id
        self.skipped.add(at)
        if at in self.present:
            self.state[at] = self.before(at)

    def before(self, at):
        """The values of a record as the playback finds it, None if it is not there."""
        values = self.left[at] if at in self.left else _now(self.present.get(at))
        return None if values is None else dict(values)

    def removed(self):
        """The records that the playback removes: {model label: {id, …}}."""
        found = {}
        for (model, pk), values in self.state.items():
            if values is None and self.was_there((model, pk)):
                found.setdefault(model, set()).add(pk)
        return found

    def was_there(self, at):
        """Whether the playback finds the record."""
        return (self.left[at] if at in self.left else self.present.get(at)) is not None


# -- the chain: A, undone by U, undone by R -----------------------------------------------------


def last_of_chain(op):
    """The last operation of the chain of undos that begins with ``op``, and its length."""
    length = 0
    while (after := Operation.objects.filter(undoes=op).first()) is not None:
        op, length = after, length + 1
    return op, length


def start_of_chain(op):
    """The operation that the chain of undos before ``op`` began with."""
    while op.undoes_id is not None:
        op = op.undoes
    return op


def is_redo(op):
    """Whether taking ``op`` back does again what its chain began with."""
    length = 0
    while op.undoes_id is not None:
        op, length = op.undoes, length + 1
    return length % 2 == 1


def is_undone(op):
    """Whether ``op`` is undone by an operation that is not undone itself."""
    return last_of_chain(op)[1] % 2 == 1


# -- planning -----------------------------------------------------------------------------------


def preview_undo(op, *, by):
    """
    Plan the undo of ``op`` without writing: gives one UndoPlan, for a run one a chunk.

    Those of a run come one after the other, so that nobody holds all of them at once.

    :raises NotAllowed: the user may not undo this
    :raises Conflict: it is undone already
    """
    _require_rights(op, by)
    target = _target(op)
    if is_run(target):
        return _plan_run(op, target, start_of_chain(op).kind, by=by)
    return [_plan(op, target, start_of_chain(op).kind, by=by)]


def _plan_run(op, run, policy, *, by):
    """One plan a chunk, newest first, each on top of what the ones before would leave."""
    left = {}
    for chunk in _chunks_of(op, run):
        plan = _plan(chunk, last_of_chain(chunk)[0], policy, by=by, left=left)
        yield plan
        left.update((at, v) for at, v in plan.state.items() if at not in plan.skipped)


def _chunks_of(op, run):
    """
    What is left of a run to take back, newest first.

    Of the whole run, asked for by ``op``, also what an interrupted or partial undo had left and
    its redo did therefore not bring back.
    """
    return open_chunks(op if op.undoes_id is None else run)


def is_run(op):
    """Whether ``op`` is a run: it has chunks and no Changes of its own."""
    return Operation.objects.filter(run=op).exists()


def open_chunks(run):
    """The chunks of a run that are not undone yet, newest first."""
    chunks = list(Operation.objects.filter(run=run).order_by("-pk"))
    lengths = dict.fromkeys((chunk.pk for chunk in chunks), 0)
    ends = {chunk.pk: chunk.pk for chunk in chunks}
    while ends:  # one query for each step of the longest chain
        after = Operation.objects.filter(undoes__among=sorted(ends)).order_by("pk")
        ends = {pk: ends[undone] for undone, pk in after.values_list("undoes_id", "pk")}
        for start in ends.values():
            lengths[start] += 1
    return [chunk for chunk in chunks if lengths[chunk.pk] % 2 == 0]


def _target(op):
    target, length = last_of_chain(op)
    if length % 2:
        if is_run(op) and _chunks_of(op, _last_active(op)):
            return _last_active(op)  # an undo of a run that was interrupted goes on
        raise Conflict(_("This is undone already."), location=target.get_absolute_url())
    return target


def _last_active(op):
    """The last of the chain that is not an undo of what is asked for."""
    target, length = last_of_chain(op)
    return target.undoes if length % 2 else target


def _plan(op, target, policy, *, by, locked=False, left=None):
    plan = UndoPlan(op, target, policy, by, left={} if left is None else left)
    plan.steps = list(Change.objects.filter(operation=target).order_by("-pk"))
    _load_present(plan, locked=locked)
    _require_reverse(plan, by)
    play_back(plan)
    _find_archived(plan)
    _find_obstacles(plan)
    left_alone = len(plan.skipped)
    undo_planned.send(sender=UndoPlan, plan=plan)
    if len(plan.skipped) > left_alone:
        _find_obstacles(plan)
    return plan


def _find_obstacles(plan):
    """
    What the playback would break: links, unique values, rows that refer to what disappears.

    In a run a record that stays may be what stands in the way of another one: a relation that
    is kept holds the place of the one before it. So all of it is asked again until nothing new
    is found.
    """
    left_alone = -1
    while left_alone < len(plan.skipped):
        left_alone = len(plan.skipped)
        _find_gone(plan)
        _find_taken(plan)
        _keep_children(plan)
        _find_in_use(plan)
        if plan.policy not in RUNS:
            break


def _load_present(plan, *, locked=False):
    keys = {}
    for change in plan.steps:
        keys.setdefault(change.model, set()).add(change.object_id)
    for label in sorted(keys, key=_lock_order):
        model = apps.get_model(label)
        rows = models.QuerySet(model).filter(pk__among=sorted(keys[label])).order_by("pk")
        found = {row.pk: row for row in (lock(rows) if locked else rows)}
        for pk in keys[label]:
            plan.present[label, pk] = found.get(pk)


LOCK_ORDER = ("users", "leads.lead", "accounts.account", "contacts.contact",
              "opportunities.opportunity")  # fmt: skip


def _lock_order(label):
    """The global order of row locks: users, leads, accounts, contacts, deals, then children."""
    place = next((n for n, start in enumerate(LOCK_ORDER) if label.startswith(start)), 99)
    return place, label


def play_back(plan):
    """Take the steps back in memory, newest first, and collect what stands in the way."""
    created = {(c.model, c.object_id) for c in plan.steps if c.verb == Verb.CREATED}
    for change in plan.steps:
        at = change.model, change.object_id
        if change.erased_at:
            _obstacle(plan, "erased", change, _("It was erased; nothing of it can come back."))
            continue
        if at not in plan.state:
            plan.state[at] = plan.before(at)
        if at in plan.skipped:
            continue
        _play_one(plan, change, at, at in created)


def _now(record):
    if record is None:
        return None
    return {
        codec.name: codec.dump(codec.clean(record.__dict__[attname]))
        for attname, codec in codecs(type(record)).items()
    }


def _play_one(plan, change, at, was_created):
    state = plan.state[at]
    if change.verb == Verb.DELETED:
        if state is not None:
            _obstacle(plan, "taken", change, _("Its number is in use again."))
        plan.state[at] = {**change.before_values} if state is None else state
        return
    if state is None:
        _obstacle(plan, "gone", change, _("It is no longer there."))
        return
    for name, written in change.after_values.items():
        if name in state and state[name] != written and (*at, name) not in plan.kept_fields:
            _changed_since(plan, change, name, was_created)
    if at in plan.skipped:
        return
    if change.verb == Verb.CREATED:
        plan.state[at] = None
        return
    for name, value in change.before_values.items():
        if (*at, name) not in plan.kept_fields and name in state:
            state[name] = value


def _changed_since(plan, change, name, was_created):
    at = change.model, change.object_id
    text = _("%(field)s was changed since.") % {"field": field_label(change.model, name)}
    finding = Finding("changed", *at, text, name)
    if was_created and plan.policy == Kind.CONVERT:
        plan.ticks.append(finding)
    elif was_created and plan.policy in RUNS:
        plan.stop(finding)
    elif plan.policy == Kind.CONVERT or plan.policy in RUNS:
        _keep(plan, at, name)
        plan.kept.append(finding)
    else:
        plan.in_the_way.append(finding)


def _keep(plan, at, name):
    """Leave a field as it is now, with those that mean nothing without it."""
    before = plan.before(at)
    for other in together_with(apps.get_model(at[0]), name):
        plan.kept_fields.add((*at, other))
        plan.state[at][other] = before[other]


def together_with(model, name):
    """The field ``name`` of a model and those that only mean something together with it."""
    return next((names for names in model.together if name in names), (name,))


def _obstacle(plan, kind, change, text):
    finding = Finding(kind, change.model, change.object_id, str(text))
    if kind == "erased":
        plan.in_the_way.append(finding)
    else:
        plan.stop(finding)


def field_label(model, name):
    """A field's name as people read it."""
    try:
        return str(apps.get_model(model)._meta.get_field(name).verbose_name)
    except LookupError:
        return name


def _find_archived(plan):
    """Records that were archived since."""
    archived_here = {(c.model, c.object_id) for c in plan.steps if "archived_at" in c.after_values}
    for at, record in plan.present.items():
        archived = getattr(record, "archived_at", None)
        if archived and at not in archived_here and at not in plan.skipped:
            plan.stop(Finding("gone", *at, str(_("It is in the recycle bin."))))


def _find_gone(plan):
    """Targets of restored links that are not there."""
    links = list(_restored_links(plan))
    there = _live_targets(plan, links)
    for (model, pk), name, target, key in links:
        if key not in there[target]:
            text = _("%(field)s points at something that is no longer there.")
            text = text % {"field": field_label(model, name)}
            plan.stop(Finding("gone", model, pk, text, name))


def _restored_links(plan):
    """
    The foreign keys that the playback sets: (record, field name, target model, key).

    Of a record that comes back from the recycle bin all of them: what it hangs on must live.
    """
    for at, values in plan.state.items():
        if values is None or at in plan.skipped:
            continue
        model = apps.get_model(at[0])
        before = plan.before(at) or {}
        revived = before.get("archived_at") is not None and values.get("archived_at") is None
        for codec in codecs(model).values():
            key = values.get(codec.name)
            if not codec.field.is_relation or key is None:
                continue
            if revived or before.get(codec.name) != key:
                yield at, codec.name, codec.field.related_model, key


def _live_targets(plan, links):
    """Of the targets of ``links`` those that will be there and not archived: {model: {id}}."""
    wanted = defaultdict(set)
    for _at, _name, target, key in links:
        wanted[target].add(key)
    found = {}
    for target, keys in wanted.items():
        rows = models.QuerySet(target).filter(pk__among=sorted(keys))
        if any(f.name == "archived_at" for f in target._meta.concrete_fields):
            rows = rows.filter(archived_at=None)
        there = set(rows.values_list("pk", flat=True))
        for key in keys:
            at = target._meta.label_lower, key
            if at in plan.state or at in plan.left:
                values = plan.state[at] if at in plan.state else plan.left[at]
                there.discard(key)
                if values is not None and not values.get("archived_at"):
                    there.add(key)
        found[target] = there
    return found


def _keep_children(plan):
    """With a record that stays stay the child rows that were made for it."""
    for at, values in list(plan.state.items()):
        if values is not None or not plan.was_there(at):
            continue
        before = plan.before(at)
        links = _cascades(apps.get_model(at[0]))
        parents = {(label, before.get(name)) for name, label in links}
        if parents & plan.skipped and all(plan.state.get(p, ()) is not None for p in parents):
            plan.skip(*at)


@functools.cache
def _cascades(model):
    """The foreign keys of ``model`` that make it a child: (name, label of the parent)."""
    return tuple(
        (field.name, field.related_model._meta.label_lower)
        for field in model._meta.concrete_fields
        if field.is_relation and field.remote_field.on_delete is models.CASCADE
    )


def _find_in_use(plan):
    """Rows that would still point at a record that the playback removes."""
    for label, keys in plan.removed().items():
        model = apps.get_model(label)
        for link, _cascade in references(model):
            if link.name in getattr(link.model, "derived", ()):
                continue  # follows what it is derived from
            rows = models.QuerySet(link.model).filter(**{f"{link.name}__among": sorted(keys)})
            for row in rows:
                other = link.model._meta.label_lower, row.pk
                values = plan.state.get(other, plan.left.get(other, _now_or_key(row, link)))
                if values is None:
                    continue
                target = values.get(link.name)
                if target in keys:
                    _in_use(plan, label, target, row)


def _now_or_key(row, link):
    return {link.name: getattr(row, link.attname)}


def _in_use(plan, label, key, row):
    # Whose name it is, the reader may not be allowed to know: the page names what he may see.
    if plan.policy in RUNS:
        text = _("%(kind)s refers to it.") % {"kind": capfirst(row._meta.verbose_name)}
        plan.stop(Finding("in_use", label, key, text))
    else:
        text = _("refers to what would disappear: %(kind)s.")
        text = text % {"kind": apps.get_model(label)._meta.verbose_name}
        at = row._meta.label_lower, row.pk
        plan.met[at] = row
        plan.in_the_way.append(Finding("in_use", *at, text))


def _find_taken(plan):
    """Unique values that a restored record needs and another record will have."""
    restored = defaultdict(list)
    for at, values in plan.state.items():
        if values is None or at in plan.skipped:
            continue
        before = plan.before(at) or {}
        changed = {name for name in values if before.get(name) != values[name]}
        model = apps.get_model(at[0])
        for number, constraint in enumerate(unique_constraints(model)):
            if not changed.isdisjoint(_constraint_names(constraint)):
                restored[model, number].append(at)
    for (model, number), found in restored.items():
        constraint = unique_constraints(model)[number]
        for at in _taken(plan, model, constraint, found):
            text = constraint.get_violation_error_message()
            plan.stop(Finding("taken", *at, str(text), constraint.fields[0]))


@functools.cache
def unique_constraints(model):
    """The unique constraints of a model over fields, those of single fields included."""
    named = [
        constraint
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields
    ]
    single = [
        models.UniqueConstraint(
            fields=[field.name],
            name=f"{model._meta.db_table}_{field.column}",
            violation_error_message=_("Another record has this value already."),
        )
        for field in model._meta.concrete_fields
        if field.unique and not field.primary_key
    ]
    return tuple(named + single)


def _constraint_names(constraint):
    condition = constraint.condition
    return {*constraint.fields, *(condition.referenced_base_fields if condition else ())}


PROBED = 500  # unique values asked about in one statement


def _taken(plan, model, constraint, found):
    """Those of the restored records whose unique values somebody else has after the playback."""
    label, names = model._meta.label_lower, constraint.fields
    wanted = defaultdict(list)
    for at in found:
        values = tuple(plan.state[at].get(name) for name in names)
        if None not in values:
            wanted[values].append(at)
    for values, at in _holders(model, constraint, wanted):
        after = plan.state.get((label, at), plan.left.get((label, at), {}))
        stays = after is not None and all(
            name not in after or after[name] == value
            for name, value in zip(names, values, strict=True)
        )
        if stays and _applies(model, constraint, after):
            yield from (
                other
                for other in wanted[values]
                if other[1] != at and _applies(model, constraint, plan.state[other])
            )


def _holders(model, constraint, wanted):
    """The rows that have one of the ``wanted`` values now: (values, key)."""
    names = constraint.fields
    by_name = {codec.name: codec for codec in codecs(model).values()}
    rows = models.QuerySet(model).order_by("pk")
    if constraint.condition is not None:
        rows = rows.filter(constraint.condition)
    last = sorted({values[-1] for values in wanted})
    for start in range(0, len(last), PROBED):
        some = rows.filter(**{f"{names[-1]}__in": last[start : start + PROBED]})
        for pk, *raw in some.values_list("pk", *names):
            values = tuple(
                by_name[name].dump(by_name[name].clean(value))
                for name, value in zip(names, raw, strict=True)
            )
            if values in wanted:
                yield values, pk


def _applies(model, constraint, values):
    """Whether the condition of ``constraint`` holds for these values; unknown ones count."""
    condition = constraint.condition
    if condition is None or not condition.referenced_base_fields <= values.keys():
        return True
    against = build(model, None, values)._get_field_expression_map(meta=model._meta, exclude=set())
    return condition.check(against)


def build(model, pk, values):
    """A record in memory from journalled values; fields that are missing take their defaults."""
    known = {codec.name: codec for codec in codecs(model).values()}
    given = {
        known[name].attname: known[name].load(value)
        for name, value in values.items()
        if name in known
    }
    return model(pk=pk, **given)


# -- rights -------------------------------------------------------------------------------------


def _require_rights(op, by):
    """Who did it, a manager above, an administrator: nobody else takes it back."""
    start = start_of_chain(op)
    if not reach.may_undo(by, start.actor):
        raise NotAllowed(_("Only who did this, a manager above or an administrator can undo it."))


def _require_reverse(plan, by):
    """
    The rights for the reverse action on each record, as they are now.

    Whoever converted may take it back whatever he may edit else, and whoever made a record may
    take it out again. In a run, what is out of reach is left as it is.
    """
    if plan.policy == Kind.CONVERT or reach.is_admin(by):
        return
    mine = plan.target.actor_id == by.pk
    made = {(c.model, c.object_id) for c in plan.steps if c.verb == Verb.CREATED and mine}
    for at, record in plan.present.items():
        if record is None or not hasattr(record, "can") or at in plan.skipped | made:
            continue
        verb = "archive" if getattr(record, "archived_at", None) else "edit"
        if reach.can(record, by, verb):
            continue
        if plan.policy in RUNS:
            plan.stop(Finding("out_of_reach", *at, str(_("You may not change it."))))
        elif reach.can(record, by, "view"):
            raise NotAllowed(
                _("You may not change %(name)s, so you can't undo this.") % {"name": record}
            )
        else:
            raise NotAllowed(_("Something that this touched is out of your reach now."))


# -- doing it -----------------------------------------------------------------------------------


def undo(op, *, by, accept=()):
    """
    Take ``op`` back; a run chunk by chunk. Returns the new Operation.

    ``accept`` holds the (model, id) of the records whose later edits may disappear with them.
    Undo of what was redone undoes the redo; undo of an undo is the redo.

    :raises CannotUndo: with the plan, when something stands in the way
    :raises NotAllowed: the user may not undo this
    :raises Conflict: it is undone already
    """
    _require_rights(op, by)
    if is_run(_last_active(op)):
        return _undo_run(op, by=by)
    return _undo_one(op, by=by, accept=accept)


@retried
def _undo_one(op, *, by, accept=(), run=None):
    policy = start_of_chain(run or op).kind  # what holds for a run, holds for its parts
    with operation(Kind.UNDO, by=by, label=_label(op), run=run) as undo_op:
        lock_tree()
        # The row lock and the one-to-one key: two undos at once, one wins.
        lock(Operation.objects.filter(pk=op.pk)).get()
        target = _target(op)
        undo_op.undoes = target
        plan = _plan(op, target, policy, by=by, locked=True)
        _refuse(plan, accept)
        undoing.send(sender=UndoPlan, plan=plan, op=undo_op)
        _apply(plan, undo_op)
        undone.send(sender=UndoPlan, plan=plan, op=undo_op)
        undo_op.location = target.get_absolute_url()
    if undo_op.row is None:
        raise CannotUndo(_("There is nothing left to take back."), plan=plan)
    return undo_op.row


def _label(op):
    message = gettext_noop("Redid: %(operation)s")
    if not is_redo(op):
        message = gettext_noop("Undid: %(operation)s")
    return Label(message, operation=start_of_chain(op))


def _refuse(plan, accept):
    if not plan.is_possible:
        raise CannotUndo(_("Something stands in the way."), plan=plan)
    open_ticks = [t for t in plan.ticks if (t.model, t.object_id) not in set(accept)]
    if open_ticks:
        raise CannotUndo(_("Later changes would disappear. Look at them and tick them."), plan=plan)


def _undo_run(op, *, by):
    target = _last_active(op)
    run = Operation.objects.filter(undoes=target).first()
    chunks = _chunks_of(op, target)
    if run is not None and not chunks:
        raise Conflict(_("This is undone already."), location=run.get_absolute_url())
    if run is None:
        # What refuses the whole must do so before there is a run that undoes it.
        _plan(chunks[0], last_of_chain(chunks[0])[0], start_of_chain(op).kind, by=by)
        run = start_run(Kind.UNDO, by=by, label=_label(op), undoes=target)
    for chunk in chunks:
        try:
            _undo_one(chunk, by=by, run=run)
        except CannotUndo as refusal:
            # What can't be taken back as a whole stays; the rest of the run goes.
            if refusal.plan is None:
                raise
    return run


def _apply(plan, op):
    """Play the changes back, strictly in reverse order, neighbours of one shape together."""
    steps = [c for c in plan.steps if (c.model, c.object_id) not in plan.skipped]
    versions = _versions(plan, op)
    touched = {}
    for _shape, group in groupby(enumerate(steps), key=lambda pair: _shape_of(*pair)):
        changes = [change for _number, change in group]
        model = apps.get_model(changes[0].model)
        touched.setdefault(model, set()).update(change.object_id for change in changes)
        try:
            with op.attempt():
                _apply_group(plan, model, changes, versions, op)
        except IntegrityError as error:
            message = _("Another record has taken its place.")
            refusal = from_integrity(error)
            text = str(refusal.message if refusal else message)
            finding = Finding("taken", changes[0].model, changes[0].object_id, text)
            plan.in_the_way.append(finding)
            raise CannotUndo(message, plan=plan) from error
    for model in sorted(touched, key=lambda m: _lock_order(m._meta.label_lower)):
        _derive_again(plan, model, touched[model])


def _versions(plan, op):
    """The last version of each touched record, also of those that are not there."""
    found, missing = {}, defaultdict(list)
    for at in plan.state:
        if (record := plan.present[at]) is not None:
            found[at] = record.version
        else:
            missing[at[0]].append(at[1])
    for label, keys in missing.items():
        last = last_versions(apps.get_model(label), sorted(keys), op.connection.alias)
        found |= {(label, pk): version for pk, version in last.items()}
    return found


def _shape_of(number, change):
    """Changes with one shape are written by one statement; unique fields one row at a time."""
    model = apps.get_model(change.model)
    names = frozenset(change.after_values if change.verb == Verb.UPDATED else ())
    alone = number if names & _unique_names(model) else None
    return change.model, change.verb, names, alone


@functools.cache
def _unique_names(model):
    return frozenset().union(*(_constraint_names(c) for c in unique_constraints(model)))


def _apply_group(plan, model, changes, versions, op):
    if changes[0].verb == Verb.CREATED:
        _take_out(model, changes, versions, op)
    elif changes[0].verb == Verb.DELETED:
        _put_back(model, changes, versions, op)
    else:
        _set_back(plan, model, changes, versions, op)


def _take_out(model, changes, versions, op):
    plain = models.QuerySet(model)
    keys = [change.object_id for change in changes]
    for row in plain.filter(pk__among=keys).order_by("-pk"):
        at = model._meta.label_lower, row.pk
        versions[at] += 1
        op.note(at[0], row.pk, Verb.DELETED, _now(row), {}, versions[at])
    plain.filter(pk__among=keys)._raw_delete(plain.db)


def _put_back(model, changes, versions, op):
    records = []
    for change in changes:
        at = change.model, change.object_id
        versions[at] += 1
        record = build(model, change.object_id, change.before_values)
        record.version = versions[at]
        if hasattr(record, "updated_by_id"):
            record.updated_at, record.updated_by_id = op.at, op.by.pk if op.by else None
        records.append(record)
        op.note(at[0], at[1], Verb.CREATED, {}, change.before_values, versions[at])
    model.derive(records)
    models.QuerySet(model).bulk_create(records)


def _set_back(plan, model, changes, versions, op):
    """Write the values before; a record that stands twice in the group is written twice."""
    pending = {}
    for change in changes:
        at = change.model, change.object_id
        if change.object_id in pending:
            _write_back(model, pending, versions, op)
            pending = {}
        pending[change.object_id] = {
            name: value
            for name, value in change.before_values.items()
            if (*at, name) not in plan.kept_fields
        }
    _write_back(model, pending, versions, op)


def _write_back(model, pending, versions, op):
    plain = models.QuerySet(model)
    known = {codec.name: codec for codec in codecs(model).values()}
    rows = {row.pk: row for row in plain.filter(pk__among=sorted(pending))}
    written, names = [], set()
    for pk, before in pending.items():
        row = rows[pk]
        now = _now(row)
        old = {name: now[name] for name in before if name in known and now[name] != before[name]}
        if not old:
            continue
        for name in old:
            row.__dict__[known[name].attname] = known[name].load(before[name])
        row.version += 1
        versions[model._meta.label_lower, pk] = row.version
        if hasattr(row, "updated_by_id"):
            row.updated_at, row.updated_by_id = op.at, op.by.pk if op.by else None
            names |= {"updated_at", "updated_by"}
        names |= old.keys()
        new = {name: before[name] for name in old}
        op.note(model._meta.label_lower, pk, Verb.UPDATED, old, new, row.version)
        written.append(row)
    if written:
        names |= _derive_with(model, written, {known[n].attname for n in names if n in known})
        plain.bulk_update(written, [*sorted(names), "version"], BATCH)


def _derive_with(model, rows, attnames):
    """
    Derive in memory what ``attnames`` lead to, so that it is written in the same statement.

    A constraint may hold a field and what is derived from it together. Returns the names.
    """
    derived = derived_by(model, attnames)
    if not derived:
        return set()
    for row in rows:
        row._state.fields_cache.clear()
    model.derive(rows)
    by_attname = {f.attname: f.name for f in model._meta.concrete_fields}
    return {by_attname[attname] for attname in derived}


def _derive_again(plan, model, keys):
    """Derived fields of what was touched, from the rows as they stand after the playback."""
    names = {attname for found in derived_from(model).values() for attname in found}
    if not names:
        return
    plain = models.QuerySet(model)
    records = list(plain.filter(pk__among=sorted(keys)).order_by("pk"))
    old = {record.pk: {name: record.__dict__[name] for name in names} for record in records}
    model.derive(records)
    moved = [r for r in records if {name: r.__dict__[name] for name in names} != old[r.pk]]
    if moved:
        by_attname = {f.attname: f.name for f in model._meta.concrete_fields}
        plain.bulk_update(moved, [by_attname[name] for name in sorted(names)], BATCH)
    before = {pk: row for (label, pk), row in plan.present.items()
              if row is not None and label == model._meta.label_lower}  # fmt: skip
    model.derive_further([r for r in records if r.pk in before], before)
