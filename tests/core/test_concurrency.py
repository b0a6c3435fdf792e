"""Two people at once: real threads, real commits, on both databases."""

from contextlib import suppress

import pytest
from django.db import connection, models

from core import records
from core.errors import Conflict, Repeated, Stale
from core.journal import Change, FormKey, Kind, Label, Operation, operation, start_run
from core.models import ListValue
from core.undo import undo
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def versions_of(record):
    rows = Change.objects.filter(model=record._meta.label_lower, object_id=record.pk)
    return list(rows.order_by("version").values_list("version", flat=True))


@pytest.fixture
def value(db):
    return ListValue.objects.create(list_key="test", value="one", label="one")


def test_of_two_writers_of_one_version_one_wins(value, admin):
    def write(label):
        def run():
            mine = models.QuerySet(ListValue).get(pk=value.pk)
            mine.version = 1
            mine.label = label
            with operation(Kind.EDIT, by=admin, label=Label("Edit")):
                mine.save()

        return run

    results = at_once(*[write(f"writer {n}") for n in range(4)])

    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, Stale) for result in results) == 3
    assert versions_of(value) == [1, 2]


def compare_and_set(value, admin):
    def run(label):
        rows = ListValue.objects.filter(pk=value.pk, label="one")
        with operation(Kind.EDIT, by=admin, label=Label("Edit")):
            return rows.update(label=label)

    return at_once(*[lambda n=n: run(f"winner {n}") for n in range(3)])


def test_of_three_compare_and_sets_one_wins(value, admin):
    results = compare_and_set(value, admin)

    assert sorted(results) == [0, 0, 1]
    assert versions_of(value) == [1, 2]


def test_the_same_form_sent_at_once_is_saved_once(admin):
    def send():
        with operation(Kind.CREATE, by=admin, label=Label("Once"), key=FormKey("k", "d")) as op:
            ListValue.objects.create(list_key="test", value="once", label="once")
            op.location = "/there/"
        return "saved"

    results = at_once(*[send] * 5)

    assert results.count("saved") == 1
    assert [r.location for r in results if isinstance(r, Repeated)] == ["/there/"] * 4


def test_of_two_undos_at_once_one_wins(value, admin):
    with operation(Kind.EDIT, by=admin, label=Label("Edit")) as op:
        value.label = "uno"
        value.save()

    results = at_once(*[lambda: undo(op.row, by=admin)] * 4)

    assert sum(isinstance(result, Operation) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert versions_of(value) == [1, 2, 3]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row locks")
def test_without_the_row_lock_the_losers_do_not_find_out_in_time(value, admin, monkeypatch):
    """The guard's own test: taken out, losers run into the second lines instead of getting 0."""
    monkeypatch.setattr(records, "lock", lambda queryset: queryset)

    outcomes = []
    for _round in range(20):
        models.QuerySet(ListValue).filter(pk=value.pk).update(label="one")
        outcomes += compare_and_set(value, admin)

    assert any(isinstance(outcome, Exception) for outcome in outcomes)


def test_undos_of_two_edits_of_one_record_at_once_both_happen(value, admin):
    done = []
    for name, new in (("label", "uno"), ("position", 7)):
        with operation(Kind.EDIT, by=admin, label=Label("Edit")) as op:
            setattr(value, name, new)
            value.save()
        done.append(op.row)

    results = at_once(*[lambda op=op: undo(op, by=admin) for op in done])

    assert all(isinstance(result, Operation) for result in results), results
    value.refresh_from_db()
    assert (value.label, value.position) == ("one", 0)
    assert versions_of(value) == [1, 2, 3, 4, 5]


def test_of_two_undos_of_a_run_at_once_each_part_is_undone_once(admin):
    run = start_run(Kind.IMPORT, by=admin, label=Label("Import"))
    for name in "abc":
        with operation(Kind.IMPORT, by=admin, label=Label("Rows"), run=run):
            ListValue.objects.create(list_key="test", value=name, label=name)

    results = at_once(*[lambda: undo(run, by=admin)] * 3)

    assert all(isinstance(result, Operation | Conflict) for result in results), results
    with suppress(Conflict):
        undo(run, by=admin)  # who was refused in the middle goes on
    assert not ListValue.objects.filter(list_key="test").exists()
    assert Operation.objects.filter(undoes=run).count() == 1
