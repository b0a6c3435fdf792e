"""Undo and redo on one plain model; whole records and conversions have tests of their own."""

import pytest
from django.utils import timezone

from core import records
from core.errors import Conflict, NotAllowed
from core.journal import Change, Kind, Label, Operation, operation, start_run
from core.models import ListValue
from core.undo import CannotUndo, is_undone, play_back, preview_undo, undo, undo_planned

pytestmark = pytest.mark.django_db


def rows():
    """The table as it is, without versions and stamps."""
    hidden = {"version", "updated_at", "updated_by_id"}
    return [
        {name: value for name, value in row.items() if name not in hidden}
        for row in ListValue.objects.filter(list_key="test").order_by("pk").values()
    ]


def create(name, **fields):
    return ListValue.objects.create(list_key="test", value=name, label=name, **fields)


def doing(kind, by):
    return operation(kind, by=by, label=Label("Something"))


def test_undo_of_a_creation_removes_and_redo_brings_back_the_same_row(admin):
    with doing(Kind.CREATE, admin) as op:
        value = create("one")
    before = rows()

    taken_back = undo(op.row, by=admin)

    assert rows() == []
    assert is_undone(op.row)
    redone = undo(taken_back, by=admin)
    assert rows() == before
    assert ListValue.objects.get(value="one").pk == value.pk
    assert not is_undone(op.row)
    undo(redone, by=admin)
    assert rows() == []


def test_undo_of_an_undone_operation_that_was_redone_undoes_the_redo(admin):
    with doing(Kind.CREATE, admin) as op:
        create("one")
    redo = undo(undo(op.row, by=admin), by=admin)

    last = undo(op.row, by=admin)

    assert last.undoes == redo
    assert rows() == []


def test_undo_twice_is_refused(admin):
    with doing(Kind.CREATE, admin) as op:
        create("one")
    undo(op.row, by=admin)

    with pytest.raises(Conflict):
        undo(op.row, by=admin)


def test_undo_of_edits_puts_the_values_before_back(admin):
    value = create("one", position=1)
    with doing(Kind.EDIT, admin) as op:
        value.position = 2
        value.save()
        value.position = 3
        value.label = "uno"
        value.save()

    undo(op.row, by=admin)

    value.refresh_from_db()
    assert (value.position, value.label) == (1, "one")
    versions = Change.objects.filter(model="core.listvalue", object_id=value.pk)
    assert list(versions.order_by("version").values_list("version", flat=True)) == [1, 2, 3, 4, 5]


def test_undo_of_an_edit_is_refused_when_the_field_was_changed_since(admin):
    value = create("one")
    with doing(Kind.EDIT, admin) as op:
        value.label = "uno"
        value.save()
    value.label = "later"
    value.save()
    before = rows()

    with pytest.raises(CannotUndo) as caught:
        undo(op.row, by=admin)

    assert [finding.field for finding in caught.value.plan.in_the_way] == ["label"]
    assert rows() == before


def test_undo_leaves_other_fields_changed_since_alone(admin):
    value = create("one", position=1)
    with doing(Kind.EDIT, admin) as op:
        value.label = "uno"
        value.save()
    value.position = 7
    value.save()

    undo(op.row, by=admin)

    value.refresh_from_db()
    assert (value.label, value.position) == ("one", 7)


def test_undo_of_a_removal_brings_the_row_back(admin):
    value = create("one")
    with doing(Kind.REMOVE, admin) as op:
        records.remove([value])
    assert rows() == []

    undo(op.row, by=admin)

    again = ListValue.objects.get(value="one")
    assert (again.pk, again.version) == (value.pk, 3)


def test_undo_of_a_removal_is_refused_when_its_unique_value_is_taken(admin):
    value = create("one")
    with doing(Kind.REMOVE, admin) as op:
        records.remove([value])
    create("one")

    (plan,) = preview_undo(op.row, by=admin)

    assert [finding.kind for finding in plan.in_the_way] == ["taken"]
    with pytest.raises(CannotUndo):
        undo(op.row, by=admin)


@pytest.mark.parametrize("first", ["one", "two"])
def test_a_moved_unique_flag_is_moved_back_whatever_the_order_of_rows(admin, first):
    one, two = create("one"), create("two")
    giver, taker = (one, two) if first == "one" else (two, one)
    giver.is_default = True
    giver.save()
    with doing(Kind.EDIT, admin) as op:
        giver.is_default = False
        giver.save()
        taker.is_default = True
        taker.save()

    taken_back = undo(op.row, by=admin)
    assert ListValue.objects.get(is_default=True, list_key="test") == giver
    undo(taken_back, by=admin)
    assert ListValue.objects.get(is_default=True, list_key="test") == taker


def test_only_who_did_it_a_manager_above_or_an_administrator_may_undo(rep, stranger, admin):
    with doing(Kind.CREATE, rep) as op:
        create("one")

    with pytest.raises(NotAllowed):
        undo(op.row, by=stranger)
    assert undo(op.row, by=admin).actor == admin


def run_of_two(by):
    run = start_run(Kind.IMPORT, by=by, label=Label("Import"))
    made = []
    for names in (("a", "b"), ("c",)):
        with operation(Kind.IMPORT, by=by, label=Label("Rows"), run=run):
            made += [create(name) for name in names]
    return run, made


def test_undo_of_a_run_takes_back_its_chunks_newest_first_and_redo_brings_them_back(admin):
    run, _made = run_of_two(admin)
    before = rows()

    taken_back = undo(run, by=admin)

    assert rows() == []
    assert taken_back.undoes == run
    assert Operation.objects.filter(run=taken_back).count() == 2
    undo(taken_back, by=admin)
    assert rows() == before


def test_undo_of_a_run_leaves_what_was_changed_since_and_goes_on(admin):
    run, made = run_of_two(admin)
    ListValue.objects.filter(pk=made[0].pk).update(label="edited")

    plans = list(preview_undo(run, by=admin))
    undo(run, by=admin)

    assert [f.object_id for plan in plans for f in plan.kept] == [made[0].pk]
    assert [row["value"] for row in rows()] == ["a"]


def test_preview_writes_nothing(admin):
    with doing(Kind.CREATE, admin) as op:
        create("one")
    before = (Operation.objects.count(), Change.objects.count(), rows())

    preview_undo(op.row, by=admin)

    assert (Operation.objects.count(), Change.objects.count(), rows()) == before


def test_erased_changes_cannot_be_undone(admin):
    with doing(Kind.CREATE, admin) as op:
        create("one")
    (plan,) = preview_undo(op.row, by=admin)
    assert plan.is_possible

    change = Change(**Change.objects.filter(operation=op.row).values().get())
    change.erased_at = timezone.now()
    plan.steps, plan.state = [change], {}
    play_back(plan)

    assert [finding.kind for finding in plan.in_the_way] == ["erased"]


def test_what_a_partial_undo_of_a_run_had_left_is_taken_back_by_the_next_one(admin):
    run = start_run(Kind.IMPORT, by=admin, label=Label("Import"))
    for name in ("a", "b"):
        with operation(Kind.IMPORT, by=admin, label=Label("Rows"), run=run):
            create(name)
    kept = ListValue.objects.get(list_key="test", value="a")
    kept.label = "edited"
    kept.save()
    taken_back = undo(run, by=admin)
    assert [row["value"] for row in rows()] == ["a"]
    undo(taken_back, by=admin)
    kept.label = "a"
    kept.save()

    undo(run, by=admin)

    assert rows() == []


def test_each_undo_of_a_chain_is_called_what_it_does(admin):
    with doing(Kind.CREATE, admin) as op:
        create("one")

    done = [op.row]
    for _step in range(3):
        done.append(undo(done[-1], by=admin))

    words = [step.label["message"].split(":")[0] for step in done[1:]]
    assert words == ["Undid", "Redid", "Undid"]


def test_a_run_whose_undo_is_refused_is_not_undone(admin):
    run, _made = run_of_two(admin)

    def refuse(sender, **kwargs):
        raise Conflict("Not now.")

    undo_planned.connect(refuse)
    try:
        with pytest.raises(Conflict):
            undo(run, by=admin)
    finally:
        undo_planned.disconnect(refuse)

    assert not is_undone(run)


def test_bringing_back_many_rows_costs_few_statements(admin, django_assert_max_num_queries):
    with doing(Kind.CREATE, admin) as op:
        ListValue.objects.bulk_create(
            ListValue(list_key="test", value=f"v{n}", label="x") for n in range(300)
        )
    taken_back = undo(op.row, by=admin)

    with django_assert_max_num_queries(60):
        preview_undo(taken_back, by=admin)
        undo(taken_back, by=admin)

    assert len(rows()) == 300
