"""Prepared queries: written once, asked with other values each time, kept for nobody's sake."""

import datetime

import pytest
from django.db import connection
from django.db.models import Q
from django.db.models.query import ModelIterable
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from core.prepared import prepared
from leads.models import Lead
from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory
from tests.factories.users import UserFactory

pytestmark = pytest.mark.django_db


def counting(build):
    """``build`` prepared, and the list of the calls in which Django had to write the query."""
    written = []

    @prepared
    def ask(*args, **form):
        written.append(args)
        return build(*args, **form)

    return ask, written


def test_each_call_is_answered_for_its_own_values():
    acme, globex = AccountFactory(name="Acme"), AccountFactory(name="Globex")
    ask, written = counting(lambda name: Account.objects.filter(name=name))

    assert ask("Acme") == [acme]
    assert ask("Globex") == [globex]
    assert ask("Initech") == []
    assert len(written) == 1


def test_rows_come_with_their_relations_and_annotations():
    lead = LeadFactory()
    ask, _written = counting(lambda pk: Lead.objects.filter(pk=pk).select_related("owner"))

    (found,) = ask(lead.pk)

    with CaptureQueriesContext(connection) as queries:
        assert found.owner == lead.owner
        assert (found.created_at, found.phase) == (lead.created_at, lead.phase)
    assert not queries


def test_a_condition_is_kept_by_its_form_and_not_by_whose_it_is():
    rep, other = UserFactory(), UserFactory()
    mine, his = LeadFactory(owner=rep), LeadFactory(owner=other)
    ask, written = counting(lambda where: Lead.objects.filter(where).order_by("pk"))

    assert ask(Q(owner_id__in=[rep.pk])) == [mine]
    assert ask(Q(owner_id__in=[other.pk])) == [his]
    assert len(written) == 1
    assert ask(Q(owner_id__in=[rep.pk, other.pk])) == [mine, his]
    assert ask(~Q(owner_id__in=[rep.pk])) == [his]
    assert ask(Q(owner_id__in=[rep.pk]) | Q(pk=his.pk)) == [mine, his]
    assert ask(Q()) == [mine, his]
    assert ask(Q(owner_id__in=[])) == []
    assert ask(Q(archived_at=None)) == [mine, his]
    assert ask(Q(do_not_call=True)) == []
    assert ask(Q(do_not_call=False)) == [mine, his]


def test_a_list_is_one_value_whatever_its_length():
    first, second, third = (AccountFactory() for _number in range(3))
    ask, written = counting(lambda keys: Account.objects.filter(pk__among=keys).order_by("pk"))

    assert ask([first.pk, third.pk]) == [first, third]
    assert ask([second.pk]) == [second]
    assert ask([]) == []
    assert len(written) == 1


def test_dates_and_what_is_given_by_keyword():
    old, new = LeadFactory(), LeadFactory()
    Lead.objects.filter(pk=old.pk).update(
        created_at=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    )
    ask, written = counting(
        lambda at, *, order: Lead.objects.filter(created_at__gte=at).order_by(order)
    )

    assert ask(datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC), order="pk") == [new]
    assert ask(datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC), order="pk") == [old, new]
    assert ask(datetime.datetime(2019, 1, 1, tzinfo=datetime.UTC), order="-pk") == [new, old]
    assert len(written) == 2


def test_a_call_is_not_disturbed_by_another_thread_that_asks_meanwhile():
    first, second = AccountFactory(), AccountFactory()
    meanwhile = []

    class Interrupted(ModelIterable):
        """Reads its rows after another call has gone all its way."""

        def __iter__(self):
            if not meanwhile:
                meanwhile.append(None)
                meanwhile.extend(ask(second.pk))
            yield from super().__iter__()

    @prepared
    def ask(pk):
        rows = Account.objects.filter(pk=pk)
        rows._iterable_class = Interrupted
        return rows

    assert ask(first.pk) == [first]
    assert meanwhile == [None, second]


def test_only_so_many_forms_are_kept(monkeypatch):
    monkeypatch.setattr("core.prepared.KEPT", 2)
    lead = LeadFactory()
    ask, written = counting(lambda where: Lead.objects.filter(where))

    for length in (1, 2, 3):
        assert ask(Q(pk__in=[lead.pk] * length)) == [lead]
    assert ask(Q(pk__in=[lead.pk])) == [lead]

    assert len(written) == 4
