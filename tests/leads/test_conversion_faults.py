"""All or nothing, and once: conversion under faults and under many hands."""

import threading

import pytest
from django.db import connection, connections

from core.errors import Conflict
from core.journal import FormKey, Kind, Label, open_operation, operation
from core.records import lock
from core.undo import undo
from leads.conversion import AlreadyConverted, ConversionChoices, Relation, convert_lead, execution
from leads.conversion.choices import Deal
from leads.models import Conversion, Lead
from tests.digest import digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


class Fault(Exception):
    """Raised in place of a statement."""


class FailAt:
    """An execute wrapper that fails at the n-th statement; None counts only."""

    def __init__(self, number):
        self.number, self.seen = number, 0

    def __call__(self, execute, sql, params, many, context):
        self.seen += 1
        if self.seen == self.number:
            raise Fault(sql[:80])
        return execute(sql, params, many, context)


@pytest.fixture
def lead(rep):
    return LeadFactory(owner=rep, budget=1000, phone="+49 40 5550132")


def choices_for(rep, kind):
    if kind == "new":
        return ConversionChoices(deal=Deal.NEW)
    employer, account = AccountFactory(owner=rep), AccountFactory(owner=rep)
    contact = ContactFactory(owner=rep, account=employer)
    deal = OpportunityFactory(owner=rep, account=account, amount=None)
    return ConversionChoices(
        account=account,
        contact=contact,
        deal=Deal.EXISTING,
        opportunity=deal,
        relation=Relation.MOVED,
    )


def fails_whole_at_each_statement(action):
    """Run ``action`` with a fault at each statement; after each the database is as before."""
    number = 0
    while True:
        number += 1
        before = digest(journal=True, stamps=True)
        fault = FailAt(number)
        try:
            with connection.execute_wrapper(fault):
                action()
        except Fault:
            assert digest(journal=True, stamps=True) == before, f"statement {number}"
            continue
        return number - 1


@pytest.mark.parametrize("kind", ["new", "existing"])
def test_a_fault_at_any_statement_of_a_conversion_or_its_undo_leaves_no_trace(lead, rep, kind):
    choices = choices_for(rep, kind)
    key = FormKey("k", "d")

    statements = fails_whole_at_each_statement(
        lambda: convert_lead(Lead.objects.get(pk=lead.pk), by=rep, choices=choices, key=key)
    )
    done = Conversion.objects.get(lead=lead).get_operation()
    undone = fails_whole_at_each_statement(lambda: undo(done, by=rep))

    assert statements > 15
    assert undone > 15


def convert_at_once(lead, rep, clients=8):
    def convert():
        return convert_lead(
            Lead.objects.get(pk=lead.pk), by=rep, choices=ConversionChoices(deal=Deal.NEW)
        )

    return at_once(*[convert] * clients)


def test_a_lead_is_converted_once_by_eight_clients_at_once(lead, rep):
    results = convert_at_once(lead, rep)

    assert sum(isinstance(result, Conversion) for result in results) == 1
    assert sum(isinstance(result, AlreadyConverted) for result in results) == 7
    assert Conversion.objects.count() == 1


def test_two_leads_of_one_company_are_converted_at_once_into_one_chosen_account(rep):
    account = AccountFactory(owner=rep, name="Acme")
    leads = LeadFactory.create_batch(2, owner=rep, company="Acme")

    def convert(lead):
        choices = ConversionChoices(account=account)
        return lambda: convert_lead(Lead.objects.get(pk=lead.pk), by=rep, choices=choices)

    results = at_once(*[convert(lead) for lead in leads for _client in range(4)])

    assert sum(isinstance(result, Conversion) for result in results) == 2
    assert {c.account_id for c in Conversion.objects.all()} == {account.pk}
    assert all(isinstance(result, Conversion | Conflict) for result in results)


def test_the_same_form_sent_by_eight_clients_converts_once(lead, rep):
    def convert():
        choices = ConversionChoices()
        key = FormKey("k", "d")
        return convert_lead(Lead.objects.get(pk=lead.pk), by=rep, choices=choices, key=key)

    results = at_once(*[convert] * 8)

    conversion = Conversion.objects.get()
    losers = [result for result in results if not isinstance(result, Conversion)]
    assert len(losers) == 7
    assert {loser.location for loser in losers} == {conversion.get_absolute_url()}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row locks")
def test_without_the_row_lock_the_losers_are_not_told_in_time(lead, rep, monkeypatch):
    """The guard's own test: taken out, clients collide instead of hearing "already converted"."""
    monkeypatch.setattr(execution, "lock", lambda queryset: queryset)
    monkeypatch.setattr(execution, "locked_owner", lambda owner: owner)  # it is one owner's here

    results = []
    for _round in range(5):
        results += convert_at_once(LeadFactory(owner=rep, budget=1), rep)

    strays = [r for r in results if not isinstance(r, Conversion | AlreadyConverted)]
    assert strays


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row locks")
def test_a_lock_that_is_not_given_in_time_is_a_conflict(lead, rep):
    held, done = threading.Event(), threading.Event()

    def hold():
        with operation(Kind.EDIT, by=rep, label=Label("Hold")):
            lock(Lead.objects.filter(pk=lead.pk)).get()
            held.set()
            done.wait(20)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)
    try:
        with pytest.raises(Conflict):
            convert_lead(lead, by=rep, choices=ConversionChoices())
    finally:
        done.set()
        holder.join()
    assert open_operation() is None
    assert not Conversion.objects.exists()
