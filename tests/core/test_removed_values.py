"""A value that is removed from its list while somebody saves a form that was cleaned before."""

import threading

import pytest
from django.db import connection

from accounts.forms import AccountForm
from accounts.models import Account
from core import lists, receivers
from core.journal import Kind, Label, operation
from core.lists import ReplacementNeeded, ValueRemoved, remove_value
from core.models import ListValue
from core.services import locked
from tests.factories.accounts import AccountFactory
from tests.pages import sent
from tests.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def value(db):
    return ListValue.objects.create(list_key="industry", value="Alchemy", label="Alchemy")


@pytest.fixture
def account(rep):
    return AccountFactory(name="Acme", owner=rep)


def save(account, *, by, **values):
    """Save an account as a service does, without cleaning it again."""
    with operation(Kind.EDIT, by=by, label=Label("Edited")):
        row = locked(account, by=by)
        for name, new in values.items():
            setattr(row, name, new)
        row.save()


def test_a_form_cleaned_before_a_value_was_removed_is_refused_at_the_field(
    client, rep, admin, account, value, monkeypatch
):
    client.force_login(rep)
    page = f"{account.get_absolute_url()}edit/"
    data = sent(client.get(page), industry="Alchemy", site="Harbour")
    cleaned = AccountForm.is_valid

    def clean_and_be_too_late(form):
        valid = cleaned(form)
        if valid and ListValue.objects.filter(pk=value.pk).exists():
            remove_value(value, by=admin)
        return valid

    monkeypatch.setattr(AccountForm, "is_valid", clean_and_be_too_late)

    response = client.post(page, data)

    account.refresh_from_db()
    assert response.status_code == 422
    assert "not in its list any more" in response.context["form"].errors["industry"][0]
    assert 'value="Harbour"' in response.content.decode()
    assert (account.industry, account.site) == ("", "")


def test_what_was_there_before_does_not_stand_in_the_way(rep, account):
    Account.objects.filter(pk=account.pk).update(industry="Never in the list")

    save(account, by=rep, site="Harbour")

    account.refresh_from_db()
    assert account.site == "Harbour"


def test_a_write_without_values_of_lists_asks_nothing(rep, account, django_assert_num_queries):
    with django_assert_num_queries(0):
        lists.refuse_removed([("accounts.account", 1, "updated", "{}", '{"site":"x"}', 2)])


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.parametrize("is_guarded", [True, False])
def test_of_saving_and_removing_at_once_the_later_one_finds_out(
    rep, admin, account, value, monkeypatch, is_guarded
):
    written, looked = threading.Event(), threading.Event()
    refuse = lists.refuse_removed

    def stop_and_refuse(changes):
        if threading.current_thread() is saver[0]:
            written.set()
            looked.wait(1)  # the other one counts the records, and does not see ours
            if is_guarded:
                refuse(changes)

    saver = []
    monkeypatch.setattr(receivers, "refuse_removed", stop_and_refuse)

    def saving():
        saver.append(threading.current_thread())
        save(account, by=rep, industry="Alchemy")

    def removing():
        written.wait(5)
        try:
            return remove_value(value, by=admin)
        finally:
            looked.set()

    saved, removed = at_once(saving, removing)

    account.refresh_from_db()
    is_left_behind = account.industry == "Alchemy" and not isinstance(removed, ReplacementNeeded)
    assert is_left_behind != is_guarded
    assert isinstance(saved, ValueRemoved) == is_guarded
