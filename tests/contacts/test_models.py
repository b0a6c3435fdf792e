import datetime

import pytest

from contacts.models import AccountContactRelation, Contact
from core.normalise import CleanContext
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, RelationFactory

pytestmark = pytest.mark.django_db

TODAY = datetime.date(2026, 5, 12)


def clean(values, instance=None, **context):
    context = CleanContext(today=TODAY, instance=instance, **context)
    return Contact.clean_values(values, context)


def test_contact_computes_its_keys():
    contact = ContactFactory(
        first_name="José",
        last_name="Muñoz",
        email="J.Munoz@Example.com",
        mobile="0171 4470118",
        mailing_country="DE",
    )

    assert contact.name_key == "jose munoz"
    assert contact.email_key == "j.munoz@example.com"
    assert contact.mobile_e164 == "+491714470118"
    assert "munoz" in contact.search_text


def test_name_key_keeps_a_last_name_that_looks_like_a_legal_form():
    assert ContactFactory(first_name="Kim", last_name="Co").name_key == "kim co"


def test_full_name_skips_blanks():
    contact = Contact(salutation="Dr.", first_name="Ana", last_name="Ruiz", suffix="PhD")

    assert contact.full_name == "Dr. Ana Ruiz PhD"
    assert Contact(last_name="Ruiz").full_name == "Ruiz"
    assert contact.name_sorted == "Ruiz, Ana"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"email": "a@b.example"}, True),
        ({}, False),
        ({"email": "a@b.example", "email_opt_out": True}, False),
        ({"email": "a@b.example", "status": "LEFT_COMPANY"}, False),
        ({"email": "a@b.example", "email_bounced_at": datetime.datetime.now(datetime.UTC)}, False),
    ],
)
def test_can_email_needs_an_address_and_nothing_against_it(values, expected):
    assert Contact(last_name="Ruiz", **values).can_email is expected


def test_with_email_finds_both_addresses_in_any_case():
    first = ContactFactory(email="ana@acme.example")
    second = ContactFactory(secondary_email="Ana@Acme.example")
    ContactFactory(email="bob@acme.example")

    assert set(Contact.objects.with_email("ANA@acme.example")) == {first, second}
    assert set(Contact.objects.with_email("")) == set()


def test_all_accounts_come_direct_first_then_active_then_ended_newest_first():
    contact = ContactFactory()
    direct = RelationFactory(contact=contact, account=AccountFactory(name="Zeta"))
    active = RelationFactory(contact=contact, account=AccountFactory(name="Beta"))
    ended = [
        AccountContactRelation.objects.create(
            contact=contact,
            account=AccountFactory(),
            is_active=False,
            end_date=datetime.date(year, 1, 1),
        )
        for year in (2020, 2024)
    ]

    assert list(contact.all_accounts()) == [direct, active, ended[1], ended[0]]


def test_people_of_an_account_are_those_with_an_active_relation():
    account = AccountFactory()
    person = ContactFactory(account=account)
    AccountContactRelation.objects.create(
        contact=ContactFactory(), account=account, is_active=False
    )

    assert set(Contact.objects.of(account)) == {person}


def test_relations_with_sub_accounts_reach_down_the_tree():
    top = AccountFactory()
    child = AccountFactory(parent=top)
    ContactFactory(account=top)
    ContactFactory(account=child)
    ContactFactory(account=AccountFactory())

    assert AccountContactRelation.objects.with_sub_accounts(top).count() == 2


def test_clean_values_refuses_a_circle_of_superiors():
    boss = ContactFactory()
    middle = ContactFactory(reports_to=boss)
    person = ContactFactory(reports_to=middle)

    assert "reports_to" in clean({"reports_to": person}, instance=boss)[1]
    assert clean({"reports_to": boss}, instance=person)[1] == {}


@pytest.mark.parametrize("born", ["1899-12-31", "2026-05-13"])
def test_clean_values_refuses_a_birthdate_out_of_range(born):
    assert "birthdate" in clean({"birthdate": born})[1]


def test_clean_values_notes_when_and_where_an_opt_out_came_from():
    by_hand, errors = clean({"email_opt_out": True})
    by_file, _errors = clean({"email_opt_out": True}, imported=True)

    assert errors == {}
    assert by_hand["email_opt_out_source"] == "UI"
    assert by_hand["email_opt_out_at"] is not None
    assert by_file["email_opt_out_source"] == "IMPORT"


def test_clean_values_forgets_a_bounce_when_the_address_changes():
    contact = ContactFactory(
        email="old@acme.example",
        email_bounced_at=datetime.datetime.now(datetime.UTC),
        email_bounce_reason="550",
    )

    cleaned, _errors = clean({"email": "new@acme.example"}, instance=contact)
    same, _errors = clean({"email": "OLD@acme.example"}, instance=contact)

    assert cleaned["email_bounced_at"] is None
    assert "email_bounced_at" not in same


@pytest.mark.parametrize("values", [{"language": "english"}, {"time_zone": "Berlin"}])
def test_clean_values_refuses_what_is_no_language_or_zone(values):
    assert clean(values)[1].keys() == values.keys()


def test_relation_refuses_an_end_before_its_start():
    context = CleanContext(today=TODAY)
    values = {"start_date": "2026-02-01", "end_date": "2026-01-01"}

    assert "end_date" in AccountContactRelation.clean_values(values, context)[1]
