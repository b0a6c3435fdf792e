import datetime
import json

import pytest
from django.db import IntegrityError, connection

from accounts.models import Account
from core import bulk
from core.bulk import Maker, insert, insert_rows
from core.checks import all_checks
from core.journal import Change, Kind, Label, OneTimeKey, canonical, operation
from tests.factories.accounts import AccountFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def op(admin):
    with operation(Kind.IMPORT, by=admin, label=Label("In a test")) as op:
        yield op


def after_of(record):
    change = Change.objects.get(model=record._meta.label_lower, object_id=record.pk)
    return change.after_values | {"name": "", "created_at": ""}


def test_insert_writes_what_bulk_create_writes(admin):
    values = {"owner": admin, "website": "https://www.acme.example", "annual_revenue": 1200}
    with operation(Kind.IMPORT, by=admin, label=Label("In a test")):
        one, two = Account(name="One", **values), Account(name="Two", **values)
        insert([one])
        Account.objects.bulk_create([two])

    assert after_of(one) == after_of(two)
    stored, other = Account.objects.get(pk=one.pk), Account.objects.get(pk=two.pk)
    same = {"domain", "name_key", "created_by_id", "updated_by_id", "version", "path"}
    assert {name: getattr(stored, name) for name in same - {"name_key"}} == {
        name: getattr(other, name) for name in same - {"name_key"}
    }
    assert stored.name_key == "one"
    assert [o for c in all_checks() for o in c.offences(full=True)] == []


def test_insert_writes_the_journal_s_canonical_text(op, admin):
    insert([Account(name="Müller", owner=admin)])

    text = op.changes[0][4]
    assert text == canonical(json.loads(text))


def test_insert_sets_keys_that_go_on(op, admin):
    before = AccountFactory()

    first, second = insert([Account(name=n, owner=admin) for n in ("One", "Two")])
    after = AccountFactory()

    assert before.pk < first.pk < second.pk < after.pk
    assert not first._state.adding


def test_insert_that_the_database_refuses_leaves_nothing(admin):
    with operation(Kind.IMPORT, by=admin, label=Label("In a test")) as op:
        with pytest.raises(IntegrityError), op.attempt():
            insert([Account(name=name, owner=admin) for name in ("One", "")])
        insert([Account(name="Good", owner=admin)])

    assert list(Account.objects.values_list("name", flat=True)) == ["Good"]
    assert Change.objects.filter(model="accounts.account").count() == 1


def test_insert_of_nothing_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert insert([]) == []


@pytest.mark.parametrize("count", [1, 300])
def test_insert_costs_the_same_for_one_and_for_many(
    op, admin, count, django_assert_max_num_queries
):
    accounts = [Account(name=f"A{n}", owner=admin) for n in range(count)]

    with django_assert_max_num_queries(3):
        insert(accounts)


def test_maker_makes_independent_records(admin):
    maker = Maker(Account)

    one, two = maker.make({"owner": admin, "name": "One"}), maker.make({"owner_id": admin.pk})
    one.custom["key"] = 1

    assert (one.owner, one.owner_id, one.name) == (admin, admin.pk, "One")
    assert (two.custom, two.owner_id, two.name, two.kind) == ({}, admin.pk, "", "BUSINESS")
    assert two.pk is None
    assert two._state.adding
    assert isinstance(two.created_at, datetime.datetime)


def test_rows_outside_the_journal_are_inserted_as_they_are(admin):
    row = {"user_id": admin.pk, "key": "k", "digest": "d", "claim": "c", "status": 0}
    row |= {"location": "", "operation_id": None, "created_at": admin.last_login}
    row["created_at"] = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)

    insert_rows(OneTimeKey, [row])

    assert OneTimeKey.objects.get(pk=row["id"]).created_at == row["created_at"]
    assert not Change.objects.filter(model="core.onetimekey").exists()
    assert connection.vendor in ("sqlite", "postgresql")


def test_long_work_pauses_before_others_wait_too_long(monkeypatch):
    clock, slept = [0.0], []
    monkeypatch.setattr(bulk.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(bulk.time, "sleep", slept.append)
    pauses = bulk.Pauses()
    for _chunk in range(5):
        pauses.pause()
        with pauses.holding():
            clock[0] += 0.25

    if connection.vendor == "postgresql":
        assert slept == []
    else:
        assert slept == [bulk.PAUSE, bulk.LONG_PAUSE, bulk.PAUSE, bulk.LONG_PAUSE]
