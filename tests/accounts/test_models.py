import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.db.transaction import atomic
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Account, WouldMakeCycle
from core.journal import Change, Kind, Label, operation
from core.models import Organisation
from core.normalise import CleanContext
from core.undo import undo
from tests.factories.accounts import AccountFactory
from tests.factories.users import UserFactory

TODAY = datetime.date(2026, 5, 12)


def place(account):
    account.refresh_from_db()
    return account.path, account.depth, account.root_id


def clean(values, instance=None):
    return Account.clean_values(values, CleanContext(today=TODAY, instance=instance))


@pytest.mark.django_db
def test_account_computes_its_keys():
    account = AccountFactory(
        name="Müller & Söhne GmbH",
        website="https://www.mueller.example/start",
        phone="0221 4470118",
        billing_country="DE",
    )

    assert account.name_key == "muller and sohne"
    assert account.domain == "mueller.example"
    assert account.phone_e164 == "+492214470118"
    assert "muller" in account.search_text


@pytest.mark.django_db
def test_account_has_no_domain_from_a_free_mail_host():
    assert AccountFactory(website="https://gmail.com").domain == ""


@pytest.mark.django_db
def test_new_account_takes_its_place_below_the_parent():
    top = AccountFactory()
    middle = AccountFactory(parent=top)
    bottom = AccountFactory(parent=middle)

    assert place(top) == ("/", 0, None)
    assert place(middle) == (f"/{top.pk}/", 1, top.pk)
    assert place(bottom) == (f"/{top.pk}/{middle.pk}/", 2, top.pk)
    assert bottom.tree_id == top.tree_id == top.pk


@pytest.mark.django_db
def test_below_and_within_find_the_branch_and_nothing_with_a_similar_number():
    accounts = [AccountFactory() for _ in range(12)]
    top = accounts[0]
    child = AccountFactory(parent=top)
    grandchild = AccountFactory(parent=child)
    AccountFactory(parent=accounts[-1])

    assert set(Account.objects.below(top)) == {child, grandchild}
    assert set(Account.objects.within(child)) == {child, grandchild}
    assert set(Account.objects.above(grandchild)) == {top, child}


@pytest.mark.django_db
def test_moved_account_takes_everything_below_along_in_one_statement():
    old, new = AccountFactory(), AccountFactory()
    branch = AccountFactory(parent=old)
    leaf = AccountFactory(parent=AccountFactory(parent=branch))
    branch.parent = new

    with CaptureQueriesContext(connection) as queries:
        branch.save()

    below = [q for q in queries if q["sql"].startswith("UPDATE") and '"path" = ' in q["sql"]]
    assert len(below) == 2  # the account itself, and all below it
    assert place(leaf) == (f"/{new.pk}/{branch.pk}/{leaf.parent_id}/", 3, new.pk)
    assert set(Account.objects.below(old)) == set()


@pytest.mark.django_db
def test_detached_account_becomes_a_top():
    branch = AccountFactory(parent=AccountFactory())
    leaf = AccountFactory(parent=branch)

    Account.objects.filter(pk=branch.pk).update(parent=None)

    assert place(branch) == ("/", 0, None)
    assert place(leaf) == (f"/{branch.pk}/", 1, branch.pk)


@pytest.mark.django_db
def test_no_write_path_lets_an_account_lie_below_itself():
    top = AccountFactory()
    leaf = AccountFactory(parent=AccountFactory(parent=top))
    top.parent = leaf

    with pytest.raises(WouldMakeCycle), atomic():
        top.save()
    with pytest.raises(WouldMakeCycle):
        Account.objects.filter(pk=top.pk).update(parent=leaf)

    assert place(top) == ("/", 0, None)


@pytest.mark.django_db
def test_renaming_a_child_leaves_its_place_alone():
    leaf = AccountFactory(parent=AccountFactory())
    before = place(leaf)
    leaf.name = "Renamed"
    leaf.save()

    assert place(leaf) == before


@pytest.mark.django_db
def test_undone_move_brings_the_branch_back(admin):
    old, new = AccountFactory(), AccountFactory()
    branch = AccountFactory(parent=old)
    leaf = AccountFactory(parent=branch)
    with operation(Kind.MOVE, by=admin, label=Label("Moved")) as op:
        branch.parent = new
        branch.save()

    undo(op.row, by=admin)

    assert place(branch) == (f"/{old.pk}/", 1, old.pk)
    assert place(leaf) == (f"/{old.pk}/{branch.pk}/", 2, old.pk)


@pytest.mark.django_db
def test_undone_move_to_the_top_brings_the_parent_back_and_redo_takes_it_away(admin):
    top = AccountFactory()
    branch = AccountFactory(parent=top)
    leaf = AccountFactory(parent=branch)
    with operation(Kind.MOVE, by=admin, label=Label("Moved")) as op:
        branch.parent = None
        branch.save()

    undone = undo(op.row, by=admin)

    assert place(branch) == (f"/{top.pk}/", 1, top.pk)
    assert place(leaf) == (f"/{top.pk}/{branch.pk}/", 2, top.pk)
    undo(undone, by=admin)
    assert place(branch) == ("/", 0, None)
    assert place(leaf) == (f"/{branch.pk}/", 1, branch.pk)


@pytest.mark.django_db
def test_place_in_the_hierarchy_is_not_journalled():
    leaf = AccountFactory(parent=AccountFactory())

    change = Change.objects.get(model="accounts.account", object_id=leaf.pk)

    assert {"path", "depth", "root", "name_key", "search_text"}.isdisjoint(change.after_values)
    assert change.after_values["parent"] == leaf.parent_id


class HierarchyTest(TestCase):
    """Any mixture of moves in one write ends with the places that the parents mean."""

    @given(st.lists(st.tuples(st.integers(0, 7), st.integers(-1, 7)), max_size=6))
    def test_moves_together_end_where_the_parents_say(self, moves):
        owner = UserFactory()
        accounts = [AccountFactory(owner=owner) for _ in range(8)]
        for number in range(1, 8):
            accounts[number].parent = accounts[(number - 1) // 2]
            accounts[number].save()
        for moved, parent in moves:
            accounts[moved].parent = accounts[parent] if parent >= 0 else None
        changed = [accounts[number] for number in sorted({moved for moved, _parent in moves})]
        before = {account.pk: place_of(account) for account in Account.objects.all()}
        try:
            Account.objects.bulk_update(changed, ["parent"])
        except WouldMakeCycle:
            assert before == {a.pk: place_of(a) for a in Account.objects.all()}
            return

        parents = dict(Account.objects.values_list("pk", "parent_id"))
        for account in Account.objects.all():
            chain = chain_above(account.pk, parents)
            assert place_of(account) == (
                "/" + "".join(f"{pk}/" for pk in chain),
                len(chain),
                chain[0] if chain else None,
            )


def place_of(account):
    return account.path, account.depth, account.root_id


def chain_above(pk, parents):
    chain = []
    while (pk := parents[pk]) is not None:
        chain.insert(0, pk)
    return chain


@pytest.mark.django_db
def test_clean_values_writes_ticker_tax_and_postal_code_in_upper_case():
    cleaned, errors = clean(
        {"name": "Acme", "ticker_symbol": "acm", "tax_id": "de1", "billing_postal_code": "sw1a"}
    )

    assert errors == {}
    assert cleaned["ticker_symbol"] == "ACM"
    assert cleaned["tax_id"] == "DE1"
    assert cleaned["billing_postal_code"] == "SW1A"


@pytest.mark.django_db
def test_clean_values_accepts_a_duns_number_of_nine_digits():
    assert clean({"duns": " 123456789 "}) == ({"duns": "123456789"}, {})


@pytest.mark.django_db
@pytest.mark.parametrize("duns", ["1234567", "12345678x", "١٢٣٤٥٦٧٨٩"])
def test_clean_values_refuses_what_is_no_duns_number(duns):
    assert "duns" in clean({"duns": duns})[1]


@pytest.mark.django_db
def test_clean_values_refuses_a_parent_of_a_private_person_and_an_archived_one():
    archived = AccountFactory(archived_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))

    assert "parent" in clean({"parent": archived})[1]
    assert "parent" in clean({"parent": AccountFactory(), "kind": "INDIVIDUAL"})[1]


@pytest.mark.django_db
def test_account_takes_the_currency_of_the_organisation():
    Organisation.objects.filter(pk=1).update(default_currency="EUR")

    account = AccountFactory(annual_revenue=Decimal(0))

    assert account.currency == "EUR"
    assert account.annual_revenue == 0
