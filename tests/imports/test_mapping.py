import json

import pytest

from imports.headers import HEADERS, fields_by_header
from imports.kinds import KINDS, OWN_FIELDS
from imports.mapping import MappingRefused, open_file, read_document, read_owner_map
from imports.survey import Undecided, date_vote, decimal_vote, survey


@pytest.fixture
def mapped(tmp_path):
    """Map the columns of a header (and rows): ``mapped("leads", "Last name,Ort", {…})``."""

    def mapped(kind, text, document=None):
        path = tmp_path / "list.csv"
        path.write_text(text + "\n", encoding="utf-8")
        return open_file(path, kind, document)[1]

    return mapped


@pytest.fixture
def surveyed(tmp_path):
    def surveyed(text, document=None, kind="leads"):
        path = tmp_path / "list.csv"
        path.write_text(text, encoding="utf-8")
        file, mapping = open_file(path, kind, document)
        return survey(file, mapping, dates={"nurture_until"}, numbers={"budget"})

    return surveyed


def single(mapping):
    return {header: fields[0] for header, fields in mapping.columns.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_the_headers_is_one_of_the_model_or_read_by_the_kind(kind):
    rules = KINDS[kind]
    known = {field.name for field in rules.model._meta.concrete_fields}
    known |= OWN_FIELDS | rules.links.keys() | rules.read_here

    assert set(HEADERS[kind]) <= known


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_found_by_its_own_name(kind):
    known = fields_by_header(kind)

    found = {known[name.replace("_", "")] for name in HEADERS[kind]}

    assert found == set(HEADERS[kind])


def test_salesforce_headers_are_known(mapped):
    mapping = mapped("contacts", "Id,AccountId,LastName,MobilePhone,MailingPostalCode,OwnerId")

    assert single(mapping) == {
        "Id": "external_id",
        "AccountId": "account",
        "LastName": "last_name",
        "MobilePhone": "mobile",
        "MailingPostalCode": "mailing_postal_code",
        "OwnerId": "owner",
    }


def test_german_headers_are_known(mapped):
    mapping = mapped("leads", "Vorname,Nachname,Straße,PLZ,Geschätzter Wert,Nächster Kontakt")

    assert list(single(mapping).values()) == [
        "first_name", "last_name", "street", "postal_code", "budget", "nurture_until",
    ]  # fmt: skip


def test_case_blanks_and_punctuation_do_not_matter(mapped):
    assert single(mapped("leads", " LAST_name , E-MAIL,Lead Source")) == {
        "LAST_name": "last_name", "E-MAIL": "email", "Lead Source": "lead_source",
    }  # fmt: skip


def test_what_is_not_mapped_is_named_with_the_reason(mapped):
    mapping = mapped("leads", "Last name,Surname,Shoe size,Name")

    assert single(mapping) == {"Last name": "last_name"}
    assert set(mapping.left_out) == {"Surname", "Shoe size", "Name"}
    assert "last_name" in mapping.left_out["Surname"]


def test_document_has_the_last_word(mapped):
    document = {"columns": {"surname": "company", "Mail": ["email", "secondary_email"], "X": None}}

    mapping = mapped("leads", "Surname,Last name,mail,x", document)

    assert mapping.columns == {
        "Surname": ("company",),
        "Last name": ("last_name",),
        "mail": ("email", "secondary_email"),
    }
    assert set(mapping.left_out) == {"x"}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"colums": {}}, "no part “colums”"),
        ({"columns": []}, "must be an object"),
        ({"columns": {"Last name": "shoe_size"}}, "no field “shoe_size”"),
        ({"columns": {"Nothing": "email"}}, "names the column “Nothing”"),
        ({"columns": {"Last name": "email", "Mail": "email"}}, "from two columns"),
        ({"values": {"shoe_size": {}}}, "no field “shoe_size”"),
        ({"values": {"status": "New"}}, "must be an object"),
        ({"defaults": {"shoe_size": "42"}}, "no field “shoe_size”"),
        ({"options": {"speed": 1}}, "no option “speed”"),
        ({"options": {"mode": "delete"}}, "“mode” can't be “delete”"),
        ({"options": {"match_by": "name"}}, "“match_by” can't be “name”"),
        ({"options": {"date_order": "dd.mm."}}, "“date_order”"),
        ({"options": {"decimal": ";"}}, "“decimal”"),
        ({"options": {"header_row": 0}}, "“header_row”"),
        ({"options": {"header_row": "2"}}, "“header_row”"),
        ({"options": {"create_accounts_by_name": "yes"}}, "“create_accounts_by_name”"),
        ({"options": {"round": "amount"}}, "“round”"),
        ({"options": {"required": ["shoe_size"]}}, "“required”"),
    ],
)
def test_document_that_is_wrong_is_refused_in_words(mapped, document, words):
    with pytest.raises(MappingRefused, match=words):
        mapped("leads", "Last name,Mail", document)


def test_file_without_any_known_column_is_refused(mapped):
    with pytest.raises(MappingRefused, match="No column"):
        mapped("leads", "a;b")


@pytest.mark.parametrize("content", ["", "[1]", '{"a":', "[" * 100_000])
def test_mapping_file_that_is_no_json_object_is_refused(tmp_path, content):
    (tmp_path / "map.json").write_text(content)

    with pytest.raises(MappingRefused):
        read_document(tmp_path / "map.json")


def test_owner_map_of_a_table_finds_the_addresses(tmp_path):
    (tmp_path / "reps.csv").write_text("id,name,email\n7,Rae,rae@example.com\n,x,y\n")
    (tmp_path / "two.csv").write_text("who;whom\nJane Doe;ada@example.com\n")
    (tmp_path / "map.json").write_text(json.dumps({"Jane Doe": "ada@example.com"}))

    assert read_owner_map(tmp_path / "reps.csv") == {"7": "rae@example.com"}
    assert read_owner_map(tmp_path / "two.csv") == {"janedoe": "ada@example.com"}
    assert read_owner_map(tmp_path / "map.json") == {"janedoe": "ada@example.com"}


def test_owner_map_of_one_column_is_refused(tmp_path):
    (tmp_path / "reps.csv").write_text("email\na@b.example\n")

    with pytest.raises(MappingRefused, match="two columns"):
        read_owner_map(tmp_path / "reps.csv")


# -- dates and decimals -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "vote"),
    [
        ("2026-03-09", None),
        ("2026/03/09", "YMD"),
        ("09.03.2026", "DMY"),
        ("31/01/2026", "DMY"),
        ("01/31/26", "MDY"),
        ("03/09/2026", "either"),
        ("5/5/2026", "same"),
        ("31/31/2026", None),
        ("soon", None),
    ],
)
def test_date_vote(text, vote):
    assert date_vote(text) == vote


@pytest.mark.parametrize(
    ("text", "vote"),
    [
        ("48500", None),
        ("48500.00", "."),
        ("48.500,00", ","),
        ("$48,500.00", "."),
        ("48,500", None),
        ("48.500", "either"),
        ("1.234.567", ","),
        ("1,234,567", "."),
        ("12,5", ","),
        ("0.125", "."),
        ("3.00E+07", "."),
        ("unknown", None),
    ],
)
def test_decimal_vote(text, vote):
    assert decimal_vote(text) == vote


def test_one_clear_date_decides_for_the_file_and_is_shown(surveyed):
    found = surveyed("Last name,Next contact\nA,3/9/2026\nB,2/28/2026\n")

    assert found.date_order == "MDY"
    assert "month first" in found.notes[0]


def test_dates_that_may_be_either_ask_for_the_order(surveyed):
    text = "Last name,Next contact\nA,3/9/2026\nB,4/8/2026\n"

    with pytest.raises(Undecided, match="Next contact"):
        surveyed(text)
    assert surveyed(text, {"options": {"date_order": "DMY"}}).date_order == "DMY"


def test_dates_that_contradict_each_other_ask_for_the_order(surveyed):
    with pytest.raises(Undecided):
        surveyed("Last name,Next contact\nA,31/12/2026\nB,12/31/2026\n")


def test_one_slip_against_many_rows_does_not_count(surveyed):
    rows = "".join(f"A,{day}/1/2026\n" for day in list(range(13, 32)) * 2)

    assert surveyed(f"Last name,Next contact\n{rows}B,1/31/2026\n").date_order == "DMY"


def test_numbers_that_may_be_either_ask_for_the_decimal_sign(surveyed):
    text = "Last name,Budget\nA,48.500\nB,12.750\n"

    with pytest.raises(Undecided, match="Budget"):
        surveyed(text)
    assert surveyed(text, {"options": {"decimal": ","}}).decimal == ","


def test_decimal_comma_is_found_and_said(surveyed):
    found = surveyed("Last name;Budget\nA;48.500,00\nB;7\n")

    assert found.decimal == ","
    assert "comma" in found.notes[0]


def test_survey_counts_rows_and_filled_cells(surveyed):
    found = surveyed("Last name,Next contact,Shoe size\nA,,42\nB,,\n")

    assert found.rows == 2
    assert dict(found.filled) == {"Last name": 2, "Shoe size": 1}
