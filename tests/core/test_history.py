import pytest
from django.apps import apps
from django.db import models

from core.history import Reader, story
from core.journal import Kind, Label, operation, start_run
from core.models import ListValue
from core.once import request_cache
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.users import UserFactory

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


@pytest.mark.parametrize(
    "model",
    [model for model in apps.get_models() if getattr(model, "named_by", ())],
    ids=lambda model: model._meta.label,
)
def test_a_name_needs_no_more_than_the_fields_that_the_model_tells(model):
    texts = {
        field.name: field.name
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField)
    }
    named = {name: texts[name] for name in model.named_by}
    blank = dict.fromkeys(texts, "") | {model.named_by[-1]: "x"}
    last = {name: blank[name] for name in model.named_by}

    assert str(model(**texts)) == str(model(**named)) != ""
    assert str(model(**blank)) == str(model(**last))


def test_names_of_several_kinds_are_read_by_one_query(rep, django_assert_num_queries):
    records = [made(rep), ContactFactory(owner=rep), LeadFactory(owner=rep), UserFactory()]
    label = Label("%(one)s %(two)s %(three)s %(four)s", one=records[0], two=records[1],
                  three=records[2], four=records[3])  # fmt: skip
    with operation(Kind.EDIT, by=rep, label=label) as op:
        ListValue.objects.filter(value="Energy").update(label="Power")

    with request_cache():
        Reader(rep, [op.row])
        with django_assert_num_queries(1):
            told = Reader(rep, [op.row]).label(op.row)

    assert told == " ".join(map(str, records))


def test_names_of_hidden_records_are_not_told(rep, stranger):
    hidden, shown = LeadFactory(owner=stranger, last_name="Secret"), LeadFactory(owner=rep)
    label = Label("%(one)s %(two)s %(three)s", one=hidden, two=shown, three=stranger)
    with operation(Kind.EDIT, by=rep, label=label) as op:
        ListValue.objects.filter(value="Energy").update(label="Power")

    told = Reader(rep, [op.row]).label(op.row)

    assert told == f"lead (restricted or removed) {shown} {stranger}"
