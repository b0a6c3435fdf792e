import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models

from accounts.models import Account
from core.errors import from_integrity
from tests.factories.accounts import AccountFactory

pytestmark = pytest.mark.django_db

BROKEN = {
    "account_name_not_blank": ({"name": ""}, "name"),
    "account_depth_range": ({"depth": 20, "root_id": "top", "parent_id": "top"}, "parent"),
    "account_top_consistent": ({"depth": 1}, "parent"),
    "account_annual_revenue_gte_0": ({"annual_revenue": -1}, "annual_revenue"),
    "account_employees_range": ({"employees": 100_000_000}, "employees"),
    "account_duns_digits": ({"duns": "12345678x"}, "duns"),
    "account_individual_no_parent": (
        {"kind": "INDIVIDUAL", "parent_id": "top", "depth": 1, "root_id": "top"},
        "parent",
    ),
    "account_description_length": ({"description": "x" * 32_001}, "description"),
    "account_billing_street_length": ({"billing_street": "x" * 256}, "billing_street"),
}


def broken_account(changes):
    top = AccountFactory()
    values = {name: top.pk if value == "top" else value for name, value in changes.items()}
    account = AccountFactory()
    for name, value in values.items():
        setattr(account, name, value)
    return account, values


@pytest.mark.parametrize("name", BROKEN)
def test_database_refuses_what_must_never_be_and_names_the_field(name):
    changes, field = BROKEN[name]
    account, values = broken_account(changes)

    with pytest.raises(IntegrityError) as refusal:
        models.QuerySet(Account).filter(pk=account.pk).update(**values)

    assert name in str(refusal.value)
    assert from_integrity(refusal.value).field == field


@pytest.mark.parametrize("name", BROKEN)
def test_validation_says_it_beforehand_at_the_field(name):
    changes, field = BROKEN[name]
    account, _values = broken_account(changes)

    with pytest.raises(ValidationError) as refusal:
        account.validate_constraints()

    assert field in refusal.value.message_dict


def test_account_is_not_its_own_parent():
    account = AccountFactory()

    with pytest.raises(IntegrityError, match="account_not_own_parent|FOREIGN KEY"):
        models.QuerySet(Account).filter(pk=account.pk).update(
            parent_id=account.pk, root_id=account.pk, depth=1
        )


def test_external_id_is_unique_among_archived_accounts_too():
    AccountFactory(external_source="sf", external_id="001", archived_at="2026-01-01T00:00Z")

    with pytest.raises(IntegrityError) as refusal:
        AccountFactory(external_source="sf", external_id="001")

    assert from_integrity(refusal.value).field == "external_id"


def test_accounts_without_external_id_do_not_collide():
    AccountFactory(external_source="sf")
    AccountFactory(external_source="sf")

    assert Account.objects.count() == 2
