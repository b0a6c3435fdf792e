import pytest

from core.history import history, origin
from core.journal import Kind, Label, operation, start_run
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory

pytestmark = pytest.mark.django_db


def made(by, **fields):
    with operation(Kind.CREATE, by=by, label=Label("Entered")):
        return AccountFactory(owner=by, **fields)


def test_origin_is_what_made_the_record(rep):
    account = made(rep)
    account.site = "Hamburg"
    account.save()

    found = origin(account, user=rep)

    assert (found.operation.kind, found.operation.actor, found.label) == (
        Kind.CREATE,
        rep,
        "Entered",
    )


def test_origin_is_found_in_a_history_that_was_read(rep, django_assert_num_queries):
    account = made(rep)
    entries, has_older = history(account, user=rep)

    with django_assert_num_queries(0):
        found = origin(account, user=rep, entries=entries)

    assert not has_older
    assert found is entries[-1]


def test_origin_of_a_chunk_is_the_whole_run(rep):
    run = start_run(Kind.IMPORT, by=rep, label=Label("Imported people.csv"))
    with operation(Kind.IMPORT, by=rep, label=Label("Rows 1 to 10"), run=run):
        contact = ContactFactory(owner=rep)
    entries, _has_older = history(contact, user=rep)

    for found in (origin(contact, user=rep), origin(contact, user=rep, entries=entries)):
        assert (found.operation, found.label) == (run, "Imported people.csv")
