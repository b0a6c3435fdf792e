import pytest

from core.history import story
from core.journal import Kind, Label, operation, start_run
from core.once import request_cache
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

    told = story(account, user=rep, limit=8)

    found = told.origin
    assert (found.operation.kind, found.operation.actor, found.label) == (
        Kind.CREATE,
        rep,
        "Entered",
    )
    assert [entry.change for entry in told.entries][-1] == found.change
    assert not told.has_older


def test_origin_lies_beyond_a_long_history(rep, django_assert_num_queries):
    account = made(rep)
    for number in range(9):
        account.site = f"Site {number}"
        account.save()

    with request_cache():
        story(account, user=rep, limit=8)  # reads once what the request keeps
        with django_assert_num_queries(1):
            told = story(account, user=rep, limit=8)

    assert told.has_older
    assert [entry.change.version for entry in told.entries] == [10, 9, 8, 7, 6, 5, 4, 3]
    assert (told.origin.label, told.origin.change.version) == ("Entered", 1)


def test_story_of_a_record_without_journal_is_blank(rep):
    account = made(rep)
    account.pk += 1

    told = story(account, user=rep, limit=8)

    assert (told.entries, told.has_older, told.origin) == ([], False, None)


def test_origin_of_a_chunk_is_the_whole_run(rep):
    run = start_run(Kind.IMPORT, by=rep, label=Label("Imported people.csv"))
    with operation(Kind.IMPORT, by=rep, label=Label("Rows 1 to 10"), run=run):
        contact = ContactFactory(owner=rep)

    found = story(contact, user=rep, limit=8).origin

    assert (found.operation, found.label) == (run, "Imported people.csv")
