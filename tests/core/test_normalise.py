import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from core.models import ListValue, Organisation
from core.normalise import (
    CleanContext,
    Lists,
    Option,
    Options,
    clean_boolean,
    clean_country,
    clean_currency,
    clean_date,
    clean_datetime,
    clean_decimal,
    clean_email,
    clean_fields,
    clean_integer,
    clean_json,
    clean_money,
    clean_percent,
    clean_phone,
    clean_text,
    clean_url,
    domain_of,
    e164,
    email_key,
    fold,
    locale_format,
    name_key,
    person_key,
    search_text,
)
from core.search import words_of
from leads.models import Lead

TODAY = date(2026, 6, 15)
TEXT = st.text(st.characters(codec=None), max_size=80)  # lone surrogates too


def context(**kwargs):
    return CleanContext(**{"today": TODAY, "lists": {}, **kwargs})


def messages_of(clean, *args, **kwargs):
    with pytest.raises(ValidationError) as refused:
        clean(*args, **kwargs)
    return refused.value.messages


# text


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Acme   Inc ", "Acme Inc"),
        ("Acme\tInc\r\nLtd", "Acme Inc Ltd"),
        ("Acme\u00a0Inc\u3000Ltd", "Acme Inc Ltd"),
        ("e\u0301", "é"),
        ("e\u200b\u0301", "é"),
        ("Ac\u200bme\ufeff", "Acme"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("O'Brien", "O'Brien"),
        ("Null", "Null"),
        ("<script>alert(1)</script> {{ 7*7 }}", "<script>alert(1)</script> {{ 7*7 }}"),
        ("李", "李"),
        (None, ""),
        (12.0, "12"),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_clean_text_of_one_line(typed, stored):
    assert clean_text(typed, 255) == stored


@pytest.mark.parametrize(
    "typed", ["", "   ", "\u200b\u200b", "\u202e\u202c", "\u200d", "\u2060", "\u3164", "\u2800 "]
)
@pytest.mark.parametrize("multiline", [False, True])
def test_clean_text_finds_blank_what_nobody_sees(typed, multiline):
    assert clean_text(typed, multiline=multiline) == ""


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9f", "\ud800"])
@pytest.mark.parametrize("multiline", [False, True])
def test_clean_text_refuses_what_cannot_be_stored(char, multiline):
    (message,) = messages_of(clean_text, f"a{char}b", multiline=multiline)

    assert message.startswith("This contains a character that cannot be stored.")
    assert char not in message


def test_clean_text_of_several_lines_keeps_everything_but_the_kind_of_line_break():
    typed = "\n a\tb\r\nc\rd  e\u200b\u202e \n"

    assert clean_text(typed, 100, multiline=True) == "a\tb\nc\nd  e\u200b\u202e"


def test_clean_text_refuses_vertical_tabs_in_notes_only():
    assert clean_text("a\x0bb") == "a b"
    assert messages_of(clean_text, "a\x0bb", multiline=True)


def test_clean_text_counts_code_points_after_normalising():
    assert clean_text(" " + "e\u0301" * 5 + " ", 5) == "é" * 5
    assert clean_text("🙂" * 5, 5) == "🙂" * 5
    assert clean_text("a\r\nb", 3, multiline=True) == "a\nb"
    assert messages_of(clean_text, "x" * 301, 255) == ["At most 255 characters, this has 301."]


@pytest.mark.parametrize("value", [True, ["a"], {"a": 1}, b"a"])
def test_clean_text_refuses_other_kinds_of_values(value):
    assert messages_of(clean_text, value) == ["Enter text."]


@given(TEXT)
def test_clean_text_twice_is_clean_text(text):
    for multiline in (False, True):
        try:
            cleaned = clean_text(text, multiline=multiline)
        except ValidationError:
            continue
        assert clean_text(cleaned, multiline=multiline) == cleaned
        cleaned.encode()


def naughty_strings():
    folder = os.environ.get("CRM_REAL_DATA")
    if not folder:
        return []
    lines = (Path(folder) / "naughty-strings/blns.txt").read_text("utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.skipif(not os.environ.get("CRM_REAL_DATA"), reason="CRM_REAL_DATA names no folder")
def test_naughty_strings_are_refused_with_a_message_or_stored():
    strings = naughty_strings()
    fields = [field.name for field in Lead._meta.concrete_fields if field.editable]
    lists = dict.fromkeys(("salutation", "industry", "lead_source"), Options([]))
    naughty = CleanContext(today=TODAY, lists={**lists, "disqualify_reason": Options([])})
    for string in strings:
        cleaned, errors = clean_fields(Lead, dict.fromkeys(fields, string), naughty)
        assert cleaned.keys() | errors.keys() == set(fields)
        if "last_name" in cleaned:
            stored = cleaned["last_name"]
            assert fold(stored) == fold(string)
            assert clean_text(stored, 80) == stored
        for name in ("nurture_until", "budget", "email_opt_out", "website"):
            assert errors.get(name, [""])[0].isprintable()
    assert len(strings) == 516


@given(TEXT)
def test_every_field_refuses_or_cleans_any_text(text):
    names = [field.name for field in Lead._meta.concrete_fields if field.editable]
    fields = [name for name in names if "currency" not in name]  # their default is in the database
    lists = {key: Options([Option("Web", "Web")]) for key in ("lead_source", "industry")}
    lists["salutation"] = lists["disqualify_reason"] = Options([])
    for imported in (False, True):
        given_context = CleanContext(today=TODAY, lists=lists, imported=imported)
        cleaned, errors = clean_fields(Lead, dict.fromkeys(fields, text), given_context)
        assert cleaned.keys() | errors.keys() == set(fields)
        again, none = clean_fields(Lead, cleaned, given_context)
        assert again == cleaned
        assert none == {}


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.decimals()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_every_field_refuses_or_cleans_any_kind_of_value(value):
    fields = [field.name for field in Lead._meta.concrete_fields if field.editable]
    lists = dict.fromkeys(("salutation", "industry", "lead_source"), Options([]))

    cleaned, errors = clean_fields(
        Lead,
        dict.fromkeys(fields, value),
        CleanContext(today=TODAY, lists={**lists, "disqualify_reason": Options([])}),
    )

    assert cleaned.keys() | errors.keys() == set(fields)
    assert all(message.isprintable() for found in errors.values() for message in found)


# keys


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ACME", "acme"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("İstanbul", "istanbul"),
        ("Diyarbakır", "diyarbakir"),
        ("Ａｃｍｅ１", "acme1"),
        ("ﬁrm", "firm"),
        ("e\u0301tude", "etude"),
        ("étude", "etude"),
        ("Søren Østergård", "soren ostergard"),
        ("François Œuvrard", "francois oeuvrard"),
        ("Łódź", "lodz"),
        ("O'Brien-Smith", "obriensmith"),
        ("j.gross@müller.example", "jgrossmullerexample"),
        ("  a \n b  ", "a b"),
        ("ΣΊΣΥΦΟΣ", fold("σίσυφος")),
        ("!?", ""),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


@given(TEXT)
def test_fold_twice_is_fold(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_fold_of_a_part_is_a_part_of_the_fold(before, part, after):
    glued = "".join(fold(f"{before}x{part}y{after}").split())

    assert "".join(fold(f"x{part}y").split()) in glued


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Acme Inc.", "acme"),
        ("ACME Incorporated", "acme"),
        ("Müller & Söhne GmbH & Co. KG", "muller and sohne"),
        ("Müller und Söhne KG", "muller und sohne"),
        ("Food and Beverage Ltd", "food and beverage"),
        ("Food & Beverage Limited", "food and beverage"),
        ("Société Générale S.A.", "societe generale"),
        ("Acme S. A. S.", "acme"),
        ("Novo Nordisk A/S", "novo nordisk"),
        ("Nokia Oyj", "nokia"),
        ("Pirelli & C. SpA", "pirelli and c"),
        ("Telstra Pty Ltd", "telstra"),
        ("Toyota KK", "toyota"),
        ("Foo Sp. z o.o.", "foo"),
        ("Bar Sdn Bhd", "bar"),
        ("Limited", "limited"),
        ("Co AG", "co"),
        ("株式会社", "株式会社"),
        ("!", ""),
    ],
)
def test_name_key(name, key):
    assert name_key(name) == key


def test_person_key_keeps_names_that_look_like_legal_forms():
    assert person_key("Maria", "", "Sá") == "maria sa"


def test_email_key_is_the_address_without_case():
    assert email_key("Ana.Ruiz@Example.com") == "ana.ruiz@example.com"


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("https://www.acme.com/about?x=1", "acme.com"),
        ("http://shop.acme.com:8080", "shop.acme.com"),
        ("ana@acme.com", "acme.com"),
        ("ana@gmail.com", ""),
        ("ana@yahoo.co.uk", ""),
        ("https://www.gmx.net", ""),
        ("ana@gmx.acme.example.com", "gmx.acme.example.com"),
        ("ana", ""),
        ("", ""),
    ],
)
def test_domain_of(text, domain):
    assert domain_of(text) == domain


def test_domain_of_takes_the_organisations_own_free_hosts():
    assert domain_of("ana@gmail.com", ["acme.*"]) == "gmail.com"
    assert domain_of("ana@acme.io", ["acme.*"]) == ""


@pytest.mark.parametrize(
    "typed", ["+49 221 4470 118", "0221/4470118", "4470118", "44 70 118", "sören", "s.oster"]
)
def test_search_text_holds_what_a_search_asks_for(typed):
    text = search_text(["Søren", "s.oster@acme.com", "+49 (221) 44-70-118;ext=5", None, ""])

    assert all(word in text for word in words_of(typed))


# e-mail


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Ana.Ruiz@Example.COM", "Ana.Ruiz@example.com"),
        (" mailto:ana@example.com ", "ana@example.com"),
        ("<ana@example.com>", "ana@example.com"),
        ("ana+news@example.com", "ana+news@example.com"),
        ("ana@müller.example", "ana@xn--mller-kva.example"),
        ("ana@straße.example", "ana@xn--strae-oqa.example"),
        ("ana@例え.jp", "ana@xn--r8jz45g.jp"),
        ("", ""),
    ],
)
def test_clean_email(typed, stored):
    assert clean_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "a@b",
        "ana",
        "@example.com",
        "ana@",
        "ana@example.com, bo@example.com",
        "Ana <ana@example.com>",
        "a@b.c\r\nBcc: all@example.com",
        '"ana ruiz"@example.com',
        "ana..ruiz@example.com",
        "ana@[127.0.0.1]",
        "ana@127.0.0.1",
        "ana@-example.com",
        "ana@exa_mple.com",
        "jürgen@example.com",
        "x" * 65 + "@example.com",
    ],
)
def test_clean_email_refuses(typed):
    (message,) = messages_of(clean_email, typed)

    assert "is not a valid e-mail address. Write it like name@firm.com." in message
    assert message.isprintable()


def test_clean_email_names_its_limit():
    domain = ".".join(["b" * 60] * 4) + ".example"

    assert clean_email(f"a@{domain}") == f"a@{domain}"
    assert messages_of(clean_email, f"abc@{domain}") == ["At most 254 characters, this has 255."]


@given(st.one_of(TEXT, st.emails()))
def test_clean_email_twice_is_clean_email(text):
    try:
        email = clean_email(text)
    except ValidationError:
        return
    assert clean_email(email) == email
    assert email.isascii()


# phone


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" +49 221  4470-118 ", "+49 221 4470-118"),
        ("(415) 555-2671 x123", "(415) 555-2671;ext=123"),
        ("(415) 555-2671, ext. 12", "(415) 555-2671;ext=12"),
        ("+1 415 555 2671;ext=5", "+1 415 555 2671;ext=5"),
        ("1-800-FLOWERS", "1-800-FLOWERS"),
        ("ask at the desk", "ask at the desk"),
        ("x 5", "x 5"),
        ("9" * 40, "9" * 40),
    ],
)
def test_clean_phone_keeps_what_was_typed(typed, stored):
    assert clean_phone(typed, "US") == stored


def test_clean_phone_names_its_limit():
    assert messages_of(clean_phone, "9" * 200) == ["At most 40 characters, this has 200."]


@pytest.mark.parametrize(
    ("number", "country", "form"),
    [
        ("(415) 555-2671", "US", "+14155552671"),
        ("+49 221 4470 118", "US", "+492214470118"),
        ("0221 4470118", "DE", "+492214470118"),
        ("+49 (0)221 4470118", "US", "+492214470118"),
        ("(415) 555-2671;ext=123", "US", "+14155552671"),
        ("1-800-FLOWERS", "US", ""),
        ("555-2671", "US", ""),
        ("12", "US", ""),
        ("٤١٥٥٥٥٢٦٧١", "US", ""),
        ("0221 4470118", "", ""),
        ("9" * 40, "US", ""),
        ("", "US", ""),
    ],
)
def test_e164(number, country, form):
    assert e164(number, country) == form


@given(st.one_of(TEXT, st.from_regex(r"\+?[0-9 ()-]{5,20}( x[0-9]{1,5})?", fullmatch=True)))
def test_clean_phone_and_e164_twice_are_the_same(text):
    try:
        phone = clean_phone(text, "US")
    except ValidationError:
        return
    assert clean_phone(phone, "US") == phone
    assert e164(e164(phone, "US"), "US") == e164(phone, "US")
    assert len(e164(phone, "US")) <= 16


# web addresses


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("example.com", "https://example.com"),
        (" HTTP://WWW.Example.COM/Path?q=A#top ", "http://www.example.com/Path?q=A"),
        ("example.com:8080/a", "https://example.com:8080/a"),
        ("http://müller.example/über", "http://xn--mller-kva.example/über"),
        ("https://example.com/@ana", "https://example.com/@ana"),
        ("http://192.0.2.1/x", "http://192.0.2.1/x"),
        ("", ""),
    ],
)
def test_clean_url(typed, stored):
    assert clean_url(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)",
        " JaVa\tscript:alert(1)",
        "data:text/html,<b>x</b>",
        "vbscript:x",
        "mailto:ana@example.com",
        "ftp://example.com",
        "//x",
        "//example.com",
        "http://user:pw@example.com",
        "http://user@example.com",
        'http://example.com"onclick=',
        "http://example.com/a b",
        "http://example.com\\@evil.example",
        "http://localhost/",
        "http://example.com:99999/",
        "http://999.1.1.1/",
        "n/a",
        "1.5",
    ],
)
def test_clean_url_refuses(typed):
    (message,) = messages_of(clean_url, typed)

    assert "is not a valid web address. Write it like https://firm.com." in message
    assert message.isprintable()


def test_clean_url_names_its_limit():
    assert messages_of(clean_url, "https://example.com/" + "a" * 300) == [
        "At most 255 characters, this has 320."
    ]


@given(st.one_of(TEXT, TEXT.map("http://a.example/{}".format), TEXT.map("{}.example".format)))
def test_clean_url_twice_is_clean_url_and_never_another_scheme(text):
    try:
        url = clean_url(text)
    except ValidationError:
        return
    assert clean_url(url) == url
    assert url == "" or url.startswith(("https://", "http://"))


# countries, currencies, lists


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("GB", "GB"),
        ("uk", "GB"),
        ("Deutschland", "DE"),
        ("deu", "DE"),
        ("U.S.A.", "US"),
        ("united states of america", "US"),
        ("Côte d’Ivoire", "CI"),
        ("cote d'ivoire", "CI"),
        ("The Netherlands", "NL"),
        ("Bosnia & Herzegovina", "BA"),
        ("Czech Republic", "CZ"),
        ("Türkei", "TR"),
        ("Korea, Republic of", "KR"),
        ("", ""),
    ],
)
def test_clean_country(typed, code):
    assert clean_country(typed) == code


def test_clean_country_names_near_ones():
    assert messages_of(clean_country, "Grmany") == [
        "“Grmany” is not a valid choice. Did you mean Germany?"
    ]
    with translation.override("de"):
        (message,) = messages_of(clean_country, "Grmany")
    assert "Deutschland" in message


@pytest.mark.parametrize(
    ("typed", "code"),
    [("EUR", "EUR"), (" eur ", "EUR"), ("€", "EUR"), ("Euro", "EUR"), ("$", "USD"), ("", "")],
)
def test_clean_currency(typed, code):
    assert clean_currency(typed) == code


def test_clean_currency_reads_a_shared_sign_as_the_organisations():
    assert clean_currency("$", "CAD") == "CAD"
    assert clean_currency("$", "EUR") == "USD"
    assert clean_currency("", "CAD") == "CAD"


@pytest.mark.parametrize("typed", ["XYZ", "kr", "EURO-DOLLAR", "DEM"])
def test_clean_currency_refuses(typed):
    assert f"“{typed}” is not a valid choice." in messages_of(clean_currency, typed)[0]


STAGES = Options(
    [
        Option("Closed Won", "Closed Won", ("Won",)),
        Option("Closed Lost", "Closed Lost"),
        Option("Proposal/Price Quote", "Proposal/Price Quote", ("Proposal",)),
        Option("Old", "Old stage", is_active=False),
    ]
)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("Closed Won", "Closed Won"),
        ("closed/won", "Closed Won"),
        ("CLOSED-WON.", "Closed Won"),
        ("won", "Closed Won"),
        ("Proposal", "Proposal/Price Quote"),
        (" ", ""),
    ],
)
def test_options_are_found_as_people_write_them(typed, value):
    assert STAGES.find(typed) == value


def test_options_refuse_and_name_near_ones():
    assert messages_of(STAGES.find, "Closed Wen") == [
        "“Closed Wen” is not a valid choice. Did you mean Closed Won / Closed Lost?"
    ]
    assert messages_of(STAGES.find, "Quux\x1b"[:4]) == ["“Quux” is not a valid choice."]


def test_options_find_a_retired_value_only_where_it_stands_already_or_in_files():
    assert messages_of(STAGES.find, "Old")
    assert STAGES.find("old stage", present="Old") == "Old"
    assert STAGES.find("Old", retired=True) == "Old"
    assert STAGES.find("gone", present="gone") == "gone"
    assert [value for value, _label in STAGES.offered("Old")][-1] == "Old"
    assert "Old" not in dict(STAGES.offered())


# numbers


@pytest.mark.parametrize(
    ("typed", "currency", "decimal", "amount"),
    [
        ("1000", "USD", ".", "1000"),
        ("1,000.50", "USD", ".", "1000.5"),
        ("1.000,50", "EUR", ",", "1000.5"),
        ("1.000", "EUR", ",", "1000"),
        ("1 000,5", "EUR", ",", "1000.5"),
        ("1\u202f000", "EUR", ",", "1000"),
        ("1'000.50", "CHF", ".", "1000.5"),
        ("12,34,567", "INR", ".", "1234567"),
        ("$48,500.00", "USD", ".", "48500"),
        ("48.500,00 €", "EUR", ",", "48500"),
        ("EUR 5", "EUR", ".", "5"),
        ("5 usd", "USD", ".", "5"),
        ("1.500", "KWD", ".", "1.5"),
        ("0", "USD", ".", "0"),
        ("48500.000", "USD", ".", "48500"),
        ("0.000", "USD", ".", "0"),
        (48500, "USD", ".", "48500"),
        (0.1 + 0.2, "USD", ",", "0.3"),
        (Decimal("48500.000"), "USD", ",", "48500"),
        ("999999999999.999", "KWD", ".", "999999999999.999"),
    ],
)
def test_clean_money(typed, currency, decimal, amount):
    cleaned = clean_money(typed, currency, decimal)

    assert cleaned == Decimal(amount)
    assert cleaned.as_tuple().exponent == -3


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_clean_money_of_nothing_is_unknown(blank):
    assert clean_money(blank, "USD") is None


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("1e400", "“1e400” is not a number. Write it like 1,000.50."),
        ("NaN", "“NaN” is not a number. Write it like 1,000.50."),
        ("Infinity", "“Infinity” is not a number. Write it like 1,000.50."),
        ("１２", "“１２” is not a number. Write it like 1,000.50."),
        ("٣", "“٣” is not a number. Write it like 1,000.50."),
        ("²", "“²” is not a number. Write it like 1,000.50."),
        ("1.000,50", "“1.000,50” is not a number. Write it like 1,000.50."),
        ("1,00", "“1,00” is not a number. Write it like 1,000.50."),
        ("€5", "“€5” is not a number. Write it like 1,000.50."),
        ("3.00E+07", "“3.00E+07” is not a number. Write it like 1,000.50."),
        ("1_000", "“1_000” is not a number. Write it like 1,000.50."),
        (float("nan"), "“nan” is not a number. Write it like 1,000.50."),
        (Decimal("Infinity"), "“Infinity” is not a number. Write it like 1,000.50."),
        (True, "“True” is not a number. Write it like 1,000.50."),
        ([1], "“[1]” is not a number. Write it like 1,000.50."),
        ("-1", "Enter 0 or more."),
        ("1.005", "At most 2 decimal places in USD."),
        ("1.000", "At most 2 decimal places in USD."),
        ("1000000000000", "At most 12 digits before the decimal sign."),
        (Decimal("1e400"), "At most 12 digits before the decimal sign."),
    ],
)
def test_clean_money_refuses(typed, message):
    assert messages_of(clean_money, typed, "USD") == [message]


def test_clean_money_of_currencies_without_decimals_and_whole_amounts():
    assert clean_money("1,500", "JPY") == 1500
    assert messages_of(clean_money, "1.5", "JPY") == [
        "Enter a whole number, without decimal places."
    ]
    assert clean_money("900750000.00", "USD", decimal_places=0) == 900750000
    assert messages_of(clean_money, "0.50", "USD", decimal_places=0)
    assert clean_money("0.0025", "USD", decimal_places=4) == Decimal("0.0025")


def test_clean_money_reads_exponents_of_files_only():
    assert clean_money("3.00E+07", "USD", exponents=True) == 30_000_000
    assert clean_money("3,00E+07", "EUR", ",", exponents=True) == 30_000_000
    for typed in ("1e400", "1e99", "1e-9"):
        assert messages_of(clean_money, typed, "USD", exponents=True)


@given(TEXT)
def test_clean_money_never_fails_in_another_way(text):
    for decimal in ".,":
        try:
            amount = clean_money(text, "USD", decimal, exponents=True)
        except ValidationError as error:
            assert error.messages[0].isprintable()
        else:
            assert amount is None or 0 <= amount < 10**12


@pytest.mark.parametrize(
    ("typed", "decimal", "number"),
    [("12", ".", 12), ("1,200", ".", 1200), ("1.200", ",", 1200), ("-5", ".", -5), (5.0, ".", 5)],
)
def test_clean_integer(typed, decimal, number):
    assert clean_integer(typed, -10, 10_000, decimal) == number


@pytest.mark.parametrize("typed", ["1.5", "٣", "²", "１２", "abc", "1_000", "0x1", 5.5, True])
def test_clean_integer_refuses(typed):
    assert "is not a whole number." in messages_of(clean_integer, typed)[0]


@pytest.mark.parametrize("typed", ["-1", "100000000", "9" * 30])
def test_clean_integer_names_its_range(typed):
    assert messages_of(clean_integer, typed, 0, 99_999_999) == [
        "Enter a number from 0 to 99,999,999."
    ]


def test_clean_percent():
    assert clean_percent("50") == clean_percent("50 %") == 50
    for typed in ("101", "-1"):
        assert messages_of(clean_percent, typed) == ["Enter a number from 0 to 100."]
    assert messages_of(clean_percent, "50.5") == ["“50.5” is not a whole number."]


def test_clean_decimal_keeps_to_its_places():
    assert clean_decimal("1.5", max_digits=5, decimal_places=2) == Decimal("1.50")
    assert messages_of(clean_decimal, "1.555", max_digits=5, decimal_places=2)


@pytest.mark.parametrize("typed", ["true", "TRUE", "Yes", "1", "ja", "Y", "x", "oui", 1, True])
def test_clean_boolean_yes(typed):
    assert clean_boolean(typed) is True


@pytest.mark.parametrize("typed", ["false", "No", "0", "nein", "n", "", None, 0, False])
def test_clean_boolean_no(typed):
    assert clean_boolean(typed) is False


def test_clean_boolean_refuses_anything_else():
    assert messages_of(clean_boolean, "maybe") == ["“maybe” is neither yes nor no."]


# dates


@pytest.mark.parametrize(
    ("typed", "order", "day"),
    [
        ("2026-03-09", "ISO", date(2026, 3, 9)),
        ("2026-03-09", "DMY", date(2026, 3, 9)),
        ("09.03.2026", "DMY", date(2026, 3, 9)),
        ("9. 3. 2026", "DMY", date(2026, 3, 9)),
        ("9/3/2026", "DMY", date(2026, 3, 9)),
        ("3/9/2026", "MDY", date(2026, 3, 9)),
        ("2026/03/09", "YMD", date(2026, 3, 9)),
        ("1900-01-01", "ISO", date(1900, 1, 1)),
        ("2199-12-31", "ISO", date(2199, 12, 31)),
        (datetime(2026, 3, 9, 12), "ISO", date(2026, 3, 9)),
        ("", "ISO", None),
    ],
)
def test_clean_date(typed, order, day):
    assert clean_date(typed, order) == day


@pytest.mark.parametrize(
    ("typed", "order", "example"),
    [
        ("2026-02-30", "ISO", "2026-02-28"),
        ("0000-00-00", "ISO", "2026-02-28"),
        ("10000-01-01", "ISO", "2026-02-28"),
        ("24:00", "ISO", "2026-02-28"),
        ("09.03.2026", "ISO", "2026-02-28"),
        ("13/13/2026", "DMY", "28.02.2026"),
        ("02/24/2026", "DMY", "28.02.2026"),
        ("24.02.2026", "MDY", "02/28/2026"),
        ("09.03.26", "DMY", "28.02.2026"),
        ("2026-02-28 10:00", "ISO", "2026-02-28"),
        ("２０２６-02-28", "ISO", "2026-02-28"),
        ("20260228", "ISO", "2026-02-28"),
        ("2026-W01-1", "ISO", "2026-02-28"),
    ],
)
def test_clean_date_refuses_and_names_the_format(typed, order, example):
    assert messages_of(clean_date, typed, order) == [
        f"“{typed}” is not a date. Write it like {example}."
    ]


@pytest.mark.parametrize("typed", ["1899-12-31", "2200-01-01", date(9999, 1, 1)])
def test_clean_date_names_its_range(typed):
    assert messages_of(clean_date, typed) == ["Enter a date from 1900 to 2199, like 2026-02-28."]


@pytest.mark.parametrize(
    ("typed", "order", "day"),
    [
        ("02/24/26", "MDY", date(2026, 2, 24)),
        ("31.12.68", "DMY", date(2068, 12, 31)),
        ("31.12.69", "DMY", date(1969, 12, 31)),
        ("02/24/26 02:18 AM", "MDY", date(2026, 2, 24)),
        ("2026-02-24T23:11:12.000+0000", "ISO", date(2026, 2, 24)),
    ],
)
def test_clean_date_of_files_takes_short_years_and_times(typed, order, day):
    assert clean_date(typed, order, imported=True) == day


def test_clean_date_of_files_refuses_times_that_are_none():
    assert messages_of(clean_date, "2026-02-24 24:00", imported=True)


@pytest.mark.parametrize(
    ("typed", "order", "moment"),
    [
        ("2026-02-24T10:11:12.5+02:00", "ISO", datetime(2026, 2, 24, 8, 11, 12, 500000, UTC)),
        ("2026-02-24T10:11:12.000+0000", "ISO", datetime(2026, 2, 24, 10, 11, 12, 0, UTC)),
        ("02/24/26 02:18 PM", "MDY", datetime(2026, 2, 24, 13, 18, tzinfo=UTC)),
        ("24.02.2026 00:30", "DMY", datetime(2026, 2, 23, 23, 30, tzinfo=UTC)),
        ("2026-07-01", "ISO", datetime(2026, 6, 30, 22, 0, tzinfo=UTC)),
        ("", "ISO", None),
    ],
)
def test_clean_datetime_is_utc_and_reads_local_times_in_the_zone(typed, order, moment):
    assert clean_datetime(typed, order, ZoneInfo("Europe/Berlin")) == moment


@pytest.mark.parametrize(
    "typed", ["2026-02-24 25:00", "2026-02-24 13:61", "02/24/26", "2026-02-24 13:00 PM", "now"]
)
def test_clean_datetime_refuses(typed):
    assert messages_of(clean_datetime, typed, "ISO")


@given(TEXT)
def test_clean_date_never_fails_in_another_way(text):
    for order in ("ISO", "DMY", "MDY", "YMD"):
        for imported in (False, True):
            try:
                clean_date(text, order, imported=imported)
            except ValidationError as error:
                assert error.messages[0].isprintable()


def test_clean_json_refuses_what_one_database_would_not_store():
    assert clean_json({"a": ["b", 1, None]}) == {"a": ["b", 1, None]}
    deep = []
    for _level in range(10_000):
        deep = [deep]
    for value in ({"a\x00": 1}, ["\ud800"], float("nan"), deep):
        assert messages_of(clean_json, value)


# a record


def test_clean_fields_leaves_alone_what_is_not_named():
    cleaned, errors = clean_fields(Lead, {"last_name": " Ruiz "}, context())

    assert (cleaned, errors) == ({"last_name": "Ruiz"}, {})


def test_clean_fields_gives_each_field_its_own_blank():
    blank = {
        "last_name": " ",
        "email": "\u200b",
        "budget": "",
        "nurture_until": None,
        "interests": "",
        "email_opt_out": "",
        "rating": "",
        "matched_account": "",
    }

    cleaned, errors = clean_fields(Lead, blank, context())

    assert errors == {}
    assert cleaned == {
        "last_name": "",
        "email": "",
        "budget": None,
        "nurture_until": None,
        "interests": [],
        "email_opt_out": False,
        "rating": "",
        "matched_account": None,
    }


def test_clean_fields_reports_every_field():
    values = {"email": "a@b", "website": "javascript:x", "employees": "²", "rating": "Warmish"}

    cleaned, errors = clean_fields(Lead, values, context())

    assert cleaned == {}
    assert errors.keys() == values.keys()
    assert errors["rating"] == ["“Warmish” is not a valid choice. Did you mean Warm?"]


def test_clean_fields_reads_amounts_in_the_currency_of_the_row():
    values = {"budget": "1.5", "budget_currency": "JPY", "annual_revenue": "5", "currency": "USD"}

    _cleaned, errors = clean_fields(Lead, values, context())
    assert errors == {"budget": ["Enter a whole number, without decimal places."]}

    lead = SimpleNamespace(budget_currency="KWD")
    cleaned, errors = clean_fields(Lead, {"budget": "1.555"}, context(instance=lead))
    assert (cleaned, errors) == ({"budget": Decimal("1.555")}, {})


def test_clean_fields_asks_for_what_a_field_needs_and_fills_in_for_files():
    values = {"currency": "", "lifecycle": ""}

    cleaned, errors = clean_fields(Lead, values, context())
    assert cleaned == {}
    assert errors == dict.fromkeys(values, ["This field is required."])


@pytest.mark.django_db
def test_clean_fields_fills_in_defaults_for_files():
    values = {"currency": "", "lifecycle": ""}

    cleaned, errors = clean_fields(Lead, values, context(imported=True))

    assert errors == {}
    assert cleaned == {"currency": "USD", "lifecycle": "RAW"}


def test_clean_fields_finds_fixed_choices_by_label_too():
    cleaned, _errors = clean_fields(
        Lead, {"rating": "hot", "budget_status": "No budget"}, context()
    )

    assert cleaned["rating"] == "HOT"


def test_clean_fields_takes_records_and_refuses_keys_of_records():
    _cleaned, errors = clean_fields(Lead, {"matched_account": "7"}, context())

    assert errors["matched_account"][0].startswith("Select a valid choice.")


def test_clean_fields_refuses_a_name_that_is_no_field():
    with pytest.raises(KeyError):
        clean_fields(Lead, {"no_such_field": "x"}, context())


# contexts


@pytest.mark.parametrize(
    ("locale", "country", "format_"),
    [
        ("en", "US", ("MDY", ".")),
        ("en", "GB", ("DMY", ".")),
        ("en-gb", "US", ("DMY", ".")),
        ("en_US", "GB", ("MDY", ".")),
        ("de", "US", ("DMY", ",")),
        ("de-ch", "CH", ("DMY", ".")),
        ("sv", "SE", ("YMD", ",")),
        ("ja", "JP", ("YMD", ".")),
    ],
)
def test_locale_format(locale, country, format_):
    assert locale_format(locale, country) == format_


@pytest.mark.django_db
def test_context_for_user_follows_locale_and_organisation(rep):
    Organisation.objects.filter(pk=1).update(
        default_country="DE", default_currency="EUR", time_zone="Pacific/Kiritimati"
    )
    rep.locale = "de"

    found = CleanContext.for_user(rep)

    assert (found.date_order, found.decimal) == ("DMY", ",")
    assert (found.country, found.currency) == ("DE", "EUR")
    assert found.today == datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    assert not found.imported


@pytest.mark.django_db
def test_context_for_user_without_locale_follows_the_active_language():
    with translation.override("de"):
        assert CleanContext.for_user(None).decimal == ","
    with translation.override("en"):
        assert CleanContext.for_user(None).decimal == "."


@pytest.mark.django_db
def test_context_for_file_follows_the_mapping(rep):
    rep.locale = "de"

    found = CleanContext.for_file(rep, date_order="MDY", decimal=".")

    assert (found.date_order, found.decimal, found.imported) == ("MDY", ".", True)


@pytest.mark.django_db
def test_lists_are_read_from_the_database_once(django_assert_num_queries):
    ListValue.objects.filter(list_key="salutation", value="Mx.").update(is_active=False)
    lists = Lists()

    with django_assert_num_queries(1):
        assert lists["salutation"].find("MS") == "Ms."
        assert lists["salutation"].find("Mr.") == "Mr."
    assert messages_of(lists["salutation"].find, "Mx.")
