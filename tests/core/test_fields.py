from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models
from django.db.migrations.writer import MigrationWriter
from django.forms.models import model_to_dict
from django.test.utils import isolate_apps
from django.utils import translation

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from core.fields import (
    CountryField,
    E164Field,
    ListField,
    LongTextField,
    MoneyField,
    StringListField,
    UrlListField,
    derive_e164,
    long_text_constraints,
)
from core.models import ListValue, Organisation
from core.normalise import CleanContext, Option, Options
from leads.models import Lead

TODAY = date(2026, 6, 15)
OLD = Option("Old", "Old", is_active=False)
ROLES = Options([Option("Advisor", "Advisor"), Option("Other", "Other"), OLD])


def context(**kwargs):
    return CleanContext(**{"today": TODAY, "lists": {"account_contact_role": ROLES}, **kwargs})


def field_of(model, name):
    return model._meta.get_field(name)


def form_of(model, *names, by=None):
    """A form of the form fields of ``model``, without the rules over the whole record."""

    class FieldsForm(forms.Form):
        def __init__(self, data=None, instance=None):
            self.by, self.instance = by, instance
            super().__init__(data, initial=model_to_dict(instance) if instance else {})

    FieldsForm.base_fields = {name: field_of(model, name).formfield() for name in names}
    return FieldsForm


@pytest.mark.parametrize(
    "field",
    [
        LongTextField(limit=255, blank=True),
        LongTextField(),
        MoneyField(decimal_places=0, currency_field="budget_currency", minimum=None, null=True),
        MoneyField(null=True),
        ListField("type", list_key="account_type", blank=True),
        E164Field(source="phone"),
        StringListField(list_key="account_contact_role", limit=13),
        UrlListField(limit=10, blank=True),
        CountryField(blank=True),
    ],
    ids=lambda field: type(field).__name__,
)
def test_fields_come_back_from_migrations_as_they_were(field):
    _name, _path, args, kwargs = field.deconstruct()

    again = type(field)(*args, **kwargs)

    assert again.deconstruct()[1:] == field.deconstruct()[1:]
    assert len(again.validators) == len(field.validators)
    code, _imports = MigrationWriter.serialize(field)
    assert type(field).__name__ in code


def test_money_field_knows_the_currency_field_of_its_model():
    assert field_of(Lead, "budget").currency_field == "budget_currency"
    assert field_of(Lead, "annual_revenue").currency_field == "currency"


# lists of values


def test_string_list_takes_lines_and_drops_repeats():
    field = field_of(Lead, "interests")

    assert field.clean_value(" Golf \r\n\nsailing\nGOLF; chess", context()) == [
        "Golf",
        "sailing",
        "GOLF; chess",
    ]
    assert field.clean_value("Golf;sailing", context(imported=True)) == ["Golf", "sailing"]
    assert field.clean_value(["a", "", "A"], context()) == ["a"]
    assert field.clean_value(None, context()) == []


def test_string_list_names_its_limits():
    field = field_of(Lead, "interests")

    with pytest.raises(ValidationError, match="At most 30 entries, these are 31"):
        field.clean_value([str(number) for number in range(31)], context())
    with pytest.raises(ValidationError, match="At most 60 characters, this has 61"):
        field.clean_value(["x" * 61], context())
    with pytest.raises(ValidationError, match="Enter text"):
        field.clean_value([1], context())


def test_url_list_cleans_each_address():
    field = field_of(Lead, "social_profiles")

    assert field.clean_value("example.com/ana\nhttps://example.com/ana", context()) == [
        "https://example.com/ana"
    ]
    with pytest.raises(ValidationError, match="not a valid web address"):
        field.clean_value("javascript:x", context())


def test_string_list_of_a_list_key_takes_its_values_only():
    field = field_of(AccountContactRelation, "roles")

    assert field.clean_value(["advisor", "OTHER"], context()) == ["Advisor", "Other"]
    with pytest.raises(ValidationError, match="Did you mean Advisor"):
        field.clean_value(["Adviser"], context())
    with pytest.raises(ValidationError):
        field.clean_value(["Old"], context())
    relation = AccountContactRelation(roles=["Old"])
    assert field.clean_value(["Old", "Other"], context(instance=relation)) == ["Old", "Other"]


def test_list_field_keeps_the_retired_value_of_its_record():
    field = field_of(Account, "type")
    lists = {"account_type": Options([OLD])}

    with pytest.raises(ValidationError):
        field.clean_value("Old", context(lists=lists))
    assert field.clean_value("Old", context(lists=lists, imported=True)) == "Old"
    account = Account(type="Old", currency="USD")
    assert field.clean_value("Old", context(lists=lists, instance=account)) == "Old"


# phone numbers


def test_derive_e164_reads_numbers_in_the_country_of_the_record():
    home = Account(phone="0221 4470118", billing_country="DE", currency="USD")
    abroad = Account(phone="0221 4470118", fax="call us", currency="USD")

    derive_e164([home, abroad], "US")

    assert home.phone_e164 == "+492214470118"
    assert (abroad.phone_e164, abroad.fax_e164) == ("", "")
    derive_e164([], "US")


# text limits


@pytest.mark.django_db
def test_long_text_constraint_counts_characters_in_the_database():
    (constraint,) = long_text_constraints("contact", "consent_note", 3)

    assert constraint.name == "contact_consent_note_length"
    constraint.validate(Contact, Contact(consent_note="🙂🙂🙂"))
    with pytest.raises(ValidationError, match="At most 3 characters"):
        constraint.validate(Contact, Contact(consent_note="🙂🙂🙂🙂"))


@pytest.mark.django_db
def test_a_text_without_a_limit_of_its_own_takes_100_000_characters():
    field = LongTextField("note")
    field.set_attributes_from_name("note")
    form_class = type("NoteForm", (forms.Form,), {"note": field.formfield()})

    assert form_class({"note": "🙂" * 100_000}).is_valid()
    typed = "🙂" * 100_001
    form = form_class({"note": typed})

    assert form.errors == {"note": ["At most 100000 characters, this has 100001."]}
    assert typed in str(form["note"])


@pytest.mark.django_db(transaction=True)
@isolate_apps("core")
def test_the_database_too_keeps_a_text_to_100_000_characters():
    class Note(models.Model):
        text = LongTextField()

        class Meta:
            app_label = "core"
            constraints = long_text_constraints("note", "text")

        def __str__(self):
            return self.text

    with connection.constraint_checks_disabled(), connection.schema_editor() as editor:
        editor.create_model(Note)
    try:
        Note.objects.create(text="🙂" * 100_000)
        with pytest.raises(IntegrityError, match="note_text_length"):
            Note.objects.create(text="🙂" * 100_001)
    finally:
        with connection.constraint_checks_disabled(), connection.schema_editor() as editor:
            editor.delete_model(Note)


# forms


@pytest.mark.django_db
def test_forms_have_the_input_of_the_kind_and_cut_nothing():
    contact = form_of(
        Contact,
        "email",
        "phone",
        "linkedin_url",
        "mailing_street",
        "mailing_country",
        "lead_source",
    )()
    account = form_of(Account, "annual_revenue")()

    html = {name: str(contact[name]) for name in contact.fields}
    assert 'type="email"' in html["email"]
    assert 'type="tel"' in html["phone"]
    assert 'inputmode="url"' in html["linkedin_url"]
    assert "<textarea" in html["mailing_street"]
    assert '<option value="DE">Germany</option>' in html["mailing_country"]
    assert '<option value="Web">Web</option>' in html["lead_source"]
    assert 'inputmode="decimal"' in str(account["annual_revenue"])
    assert not any("maxlength" in text for text in html.values())


@pytest.mark.django_db
def test_forms_clean_as_the_model_fields_do():
    data = {
        "email": "mailto:Ana@Example.com",
        "phone": "0221 4470118 ext. 7",
        "linkedin_url": "example.com",
        "mailing_street": "1 High Street\r\nBack door",
        "mailing_country": "Deutschland",
        "lead_source": "trade show",
        "interests": "Golf\r\nSailing",
    }

    form = form_of(Contact, *data)(data)

    assert form.errors == {}
    assert form.cleaned_data == {
        "email": "Ana@example.com",
        "phone": "0221 4470118;ext=7",
        "linkedin_url": "https://example.com",
        "mailing_street": "1 High Street\nBack door",
        "mailing_country": "DE",
        "lead_source": "Trade Show",
        "interests": ["Golf", "Sailing"],
    }


@pytest.mark.django_db
def test_forms_read_amounts_by_the_locale_of_their_user(rep):
    form_class = form_of(Account, "annual_revenue", by=rep)

    rep.locale = "de"
    assert form_class({"annual_revenue": "1.000"}).errors == {}
    rep.locale = "en"
    assert form_class({"annual_revenue": "1.000"}).errors == {
        "annual_revenue": ["Enter a whole number, without decimal places."]
    }


@pytest.mark.django_db
def test_forms_say_what_is_wrong_at_the_field_and_keep_what_was_typed():
    data = {"email": "a@b", "mailing_country": "Grmany", "mailing_street": "x" * 256}

    form = form_of(Contact, *data)(data)

    assert form.errors == {
        "email": ["“a@b” is not a valid e-mail address. Write it like name@firm.com."],
        "mailing_country": ["“Grmany” is not a valid choice. Did you mean Germany?"],
        "mailing_street": ["At most 255 characters, this has 256."],
    }
    assert [form[name].value() for name in data] == list(data.values())


@pytest.mark.parametrize(
    ("amount", "currency", "decimal", "typed"),
    [
        (Decimal("48500.500"), "USD", ".", "48500.50"),
        (Decimal("48500.500"), "EUR", ",", "48500,50"),
        (Decimal("48500.000"), "JPY", ",", "48500"),
        (Decimal("1.000"), "USD", ".", "1.00"),
        (Decimal("0.125"), "KWD", ".", "0.125"),
        (Decimal("1.125"), "USD", ".", "1.125"),
        (None, "USD", ".", None),
        ("1,000", "USD", ".", "1,000"),
    ],
)
def test_amounts_stand_in_the_form_as_their_user_types_them(amount, currency, decimal, typed):
    lead = SimpleNamespace(budget_currency=currency)

    assert field_of(Lead, "budget").typed(amount, context(instance=lead, decimal=decimal)) == typed


@pytest.mark.django_db
def test_what_a_form_shows_is_taken_back_unchanged():
    contact = Contact(
        email="ana@example.com",
        mailing_country="DE",
        interests=["Golf, tennis", "a;b"],
        phone="(415) 555-2671;ext=5",
        description="a\n\n  b",
    )
    names = ("email", "mailing_country", "interests", "phone", "description")
    shown = form_of(Contact, *names)(instance=contact)
    data = {name: shown[name].value() for name in names}

    form = form_of(Contact, *names)(data, instance=contact)

    assert form.errors == {}
    assert form.changed_data == []
    assert form.cleaned_data == {name: getattr(contact, name) for name in names}


@pytest.mark.django_db
def test_a_retired_value_is_offered_to_the_record_that_has_it_only():
    ListValue.objects.filter(list_key="industry", value="Energy").update(is_active=False)

    new = form_of(Account, "industry")()["industry"]
    kept = form_of(Account, "industry")(instance=Account(industry="Energy"))["industry"]

    assert "Energy" not in str(new)
    assert '<option value="Energy" selected>Energy (retired)</option>' in str(kept)


@pytest.mark.django_db
def test_several_values_of_a_list_are_ticked():
    form_class = form_of(AccountContactRelation, "roles")

    relation = AccountContactRelation(roles=["Advisor"])
    html = str(form_class(instance=relation)["roles"])
    form = form_class({"roles": ["Advisor", "Influencer"]}, instance=relation)

    assert isinstance(form.fields["roles"].widget, forms.CheckboxSelectMultiple)
    assert html.count("checked") == 1
    assert form.errors == {}
    assert form.cleaned_data["roles"] == ["Advisor", "Influencer"]


@pytest.mark.django_db
def test_names_of_countries_follow_the_language():
    with translation.override("de"):
        html = str(form_of(Contact, "mailing_country")()["mailing_country"])

    assert '<option value="DE">Deutschland</option>' in html


@pytest.mark.django_db
def test_full_clean_cleans_too():
    organisation = Organisation.current()
    organisation.default_currency = " eur "

    organisation.full_clean()

    assert organisation.default_currency == "EUR"
    organisation.default_currency = "XYZ"
    with pytest.raises(ValidationError, match="not a valid choice"):
        organisation.full_clean()
