"""
Real files of other programs, brought in by themselves or with a mapping of tests/imports/maps.

The figures were computed apart from the product; CRM_REAL_DATA names the folder of the files.
"""

import csv
import json
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import Count, Max, Sum
from django.db.models.functions import Length

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from core.models import ListValue
from core.normalise import clean_text
from imports.models import Outcome
from imports.reader import CsvFile, FileRefused
from imports.runs import import_file
from leads.models import Conversion, Lead, Phase
from opportunities.models import Opportunity, OpportunityContactRole
from tests.factories.users import UserFactory

FOLDER = Path(os.environ.get("CRM_REAL_DATA") or "nowhere")
MAPS = Path(__file__).parent / "maps"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="CRM_REAL_DATA names no folder"),
]


@pytest.fixture
def bring(admin):
    """Bring in a file of a set: ``bring("leads", "set/leads.csv", "map_without_ending")``."""

    def bring(kind, name, mapping=None, **options):
        document = json.loads((MAPS / f"{mapping}.json").read_text()) if mapping else None
        return import_file(FOLDER / name, kind, by=admin, document=document, **options)

    return bring


def outcomes(result):
    """The outcomes that occur: {"created": 3}."""
    return {outcome.lower(): n for outcome, n in result.counts.items() if n}


def failed(result):
    """The refused rows: {line: message}."""
    rows = result.job.rows.filter(outcome=Outcome.FAILED)
    return dict(rows.values_list("number", "message"))


def amounts(deals):
    """Number and sum of ``deals``."""
    found = deals.aggregate(n=Count("pk"), total=Sum("amount"))
    return found["n"], found["total"].quantize(Decimal("0.01"))


def weighted(deals):
    """Amount times probability, rounded once, as the figures were computed."""
    total = sum((deal.amount or Decimal(0)) * deal.probability / 100 for deal in deals)
    return total.quantize(Decimal("0.01"))


# -- the whole sets -----------------------------------------------------------------------------


def test_salesforce_export_needs_no_mapping(bring):
    folder = "salesforce-dev-export-2026"
    counts = [
        outcomes(bring(kind, f"{folder}/{name}.csv"))
        for kind, name in (
            ("accounts", "Account"),
            ("contacts", "Contact"),
            ("opportunities", "Opportunity"),
            ("leads", "Lead"),
        )
    ]
    again = [
        outcomes(bring(kind, f"{folder}/{name}.csv"))
        for kind, name in (
            ("accounts", "Account"),
            ("contacts", "Contact"),
            ("opportunities", "Opportunity"),
            ("leads", "Lead"),
        )
    ]

    assert counts == [{"created": 18}, {"created": 25}, {"created": 36}, {"created": 22}]
    assert again == [{"unchanged": 18}, {"unchanged": 25}, {"unchanged": 36}, {"unchanged": 22}]
    assert not Account.objects.exclude(parent=None).exists()
    assert Account.objects.aggregate(t=Sum("annual_revenue"))["t"] == 9_469_750_000
    assert Contact.objects.filter(account=None).count() == 0
    assert Contact.objects.filter(email="").count() == 2
    deals = Opportunity.objects
    assert amounts(deals.open()) == (16, 2_115_000)
    assert weighted(deals.open()) == 1_094_500
    assert amounts(deals.won()) == (12, 2_815_000)
    assert {deal.close_date.year for deal in deals.won()} == {2024}
    assert amounts(deals.lost()) == (8, 830_000)
    assert deals.filter(amount=None).count() == 5
    assert {
        row["stage__name"]: (row["n"], row["total"])
        for row in deals.values("stage__name").annotate(n=Count("pk"), total=Sum("amount"))
    } == {
        "Prospecting": (1, 100_000),
        "Qualification": (1, 15_000),
        "Needs Analysis": (2, 675_000),
        "Value Proposition": (3, 330_000),
        "Id. Decision Makers": (3, 110_000),
        "Perception Analysis": (1, 120_000),
        "Proposal/Price Quote": (3, 370_000),
        "Negotiation/Review": (2, 395_000),
        "Closed Won": (12, 2_815_000),
        "Closed Lost": (8, 830_000),
    }
    assert Counter(Lead.objects.values_list("status__name", flat=True)) == {
        "Working - Contacted": 9,
        "Closed - Converted": 5,
        "Qualified": 3,
        "Closed - Not Converted": 3,
        "Open - Not Contacted": 2,
    }
    conversions = Conversion.objects.filter(origin=Conversion.Origin.IMPORTED)
    assert conversions.count() == Lead.objects.converted().count() == 5
    assert not conversions.filter(account=None).exists()
    assert not conversions.filter(contact=None).exists()
    assert not conversions.filter(opportunity=None).exists()
    assert set(
        Lead.objects.filter(phase=Phase.DEAD).values_list("disqualify_reason", flat=True)
    ) == {"Not recorded"}


def test_salesforce_columns_of_later_parts_are_named(bring):
    result = bring("leads", "salesforce-dev-export-2026/Lead.csv")

    names = {name for name, _reason, _filled in result.not_imported}
    assert {"NumberofLocations__c", "LastModifiedDate", "LastActivityDate", "Name"} <= names
    assert result.report.unknown_owners == {"005bm00000NCJmQAAX": 22}
    assert set(Lead.objects.values_list("owner__email", flat=True)) == {"ada@example.com"}


def test_conversion_links_resolve_when_the_records_come_later(bring):
    folder = "salesforce-dev-export-2026"
    bring("leads", f"{folder}/Lead.csv")
    assert Conversion.objects.filter(account=None).count() == 5

    bring("accounts", f"{folder}/Account.csv")
    bring("contacts", f"{folder}/Contact.csv")
    bring("opportunities", f"{folder}/Opportunity.csv")
    again = bring("leads", f"{folder}/Lead.csv")

    assert outcomes(again) == {"updated": 5, "unchanged": 17}
    assert not Conversion.objects.filter(account=None).exists()
    assert not Conversion.objects.filter(opportunity=None).exists()


def test_emea_sales_platform(bring):
    folder = "sales-platform-emea"
    with (FOLDER / folder / "sales_reps.csv").open(encoding="utf-8") as file:
        reps = {row["sales_rep_id"]: row["email"] for row in csv.DictReader(file)}
    for email in reps.values():
        UserFactory(email=email)

    accounts = bring("accounts", f"{folder}/customers.csv", "emea_accounts")
    deals = bring(
        "opportunities", f"{folder}/opportunities.csv", "emea_opportunities", owner_map=reps
    )

    assert (outcomes(accounts), outcomes(deals)) == ({"created": 500}, {"created": 1200})
    assert deals.report.unknown_owners == {}
    assert Opportunity.objects.values("owner").distinct().count() == 20
    assert Account.objects.exclude(opportunities=None).count() == 440
    assert Counter(Account.objects.values_list("billing_country", flat=True)) == {
        "SN": 66, "FR": 65, "TN": 65, "AE": 65, "US": 62, "ES": 61, "DE": 60, "GA": 56,
    }  # fmt: skip
    opportunities = Opportunity.objects
    assert amounts(opportunities.open()) == (808, Decimal("39312648.21"))
    assert weighted(opportunities.open()) == Decimal("15477202.80")
    assert amounts(opportunities.won()) == (184, Decimal("9079891.43"))
    assert amounts(opportunities.lost()) == (208, Decimal("10433554.48"))
    for stage, probability, expected in (
        ("Prospecting", 10, (190, Decimal("9308128.01"))),
        ("Qualification", 25, (203, Decimal("9557423.93"))),
        ("Proposal/Price Quote", 50, (216, Decimal("10779666.84"))),
        ("Negotiation/Review", 70, (199, Decimal("9667429.43"))),
    ):
        there = opportunities.filter(stage__name=stage)
        assert amounts(there) == expected
        assert set(there.values_list("probability", flat=True)) == {probability}
    for year, expected in (
        (2023, (40, Decimal("2172637.59"))),
        (2024, (59, Decimal("3095225.25"))),
        (2025, (85, Decimal("3812028.59"))),
    ):
        assert amounts(opportunities.won().filter(close_date__year=year)) == expected


def test_npsp_people_with_several_accounts(bring):
    folder = "npsp-trailhead"
    counts = {
        kind: outcomes(bring(kind, f"{folder}/{name}.csv", f"npsp_{kind}"))
        for kind, name in (
            ("accounts", "Account"),
            ("contacts", "Contact"),
            ("relations", "Affiliation"),
            ("opportunities", "Opportunity"),
            ("contact_roles", "OpportunityContactRole"),
            ("leads", "Lead"),
        )
    }

    assert counts == {
        "accounts": {"created": 115},
        "contacts": {"created": 166},
        "relations": {"created": 85},
        "opportunities": {"created": 102},
        "contact_roles": {"created": 222},
        "leads": {"created": 3},
    }
    assert Counter(Account.objects.values_list("kind", flat=True)) == {
        "INDIVIDUAL": 82, "BUSINESS": 33,
    }  # fmt: skip
    several = Contact.objects.annotate(n=Count("relations__account", distinct=True))
    assert Counter(several.values_list("n", flat=True)) == {1: 84, 2: 79, 3: 3}
    assert {contact.full_name for contact in several.filter(n=3)} == {
        "Candace Evans", "Daphne Bainter", "Eric Lauterborn",
    }  # fmt: skip
    organisations = Account.objects.filter(kind="BUSINESS").annotate(n=Count("relations"))
    most = dict(organisations.filter(n__gte=6).values_list("name", "n"))
    assert {name: most[name] for name in ("Orange Tree Imports", "Cloud Kicks")} == {
        "Orange Tree Imports": 10, "Cloud Kicks": 7,
    }  # fmt: skip
    assert sorted(most.values())[-3:] == [6, 7, 10]
    assert most["Music Foundation"] == 6
    ended = AccountContactRelation.objects.filter(is_active=False)
    assert ended.count() == 4
    assert amounts(Opportunity.objects.won()) == (70, Decimal("78511.65"))
    pledged = Opportunity.objects.filter(stage__name="Value Proposition")
    assert amounts(pledged) == (30, Decimal("8133.35"))
    assert amounts(Opportunity.objects.filter(stage__name="Negotiation/Review")) == (2, 675_000)
    roles = OpportunityContactRole.objects
    assert Counter(Counter(roles.values_list("opportunity", flat=True)).values()) == {
        1: 5, 2: 25, 3: 43, 4: 5, 6: 3,
    }  # fmt: skip
    assert roles.primary().count() == 77
    assert Counter(roles.values_list("role", flat=True)) == {
        "Household Member": 93, "Donor": 78, "Solicitor": 43, "Soft Credit": 6, "Matched Donor": 2,
    }  # fmt: skip
    home = Contact.objects.exclude(email="").exclude(email__contains="@work")
    with (FOLDER / folder / "Contact.csv").open(encoding="utf-8") as file:
        typed = [row["npe01__HomeEmail__c"] for row in csv.DictReader(file)]
    assert len([text for text in typed if text]) == 116
    shared = Counter(home.values_list("email_key", flat=True))
    wanted = Counter(text.lower() for text in typed if text)
    assert sum(n == 2 for n in wanted.values()) == 16
    assert all(shared[key] >= n for key, n in wanted.items())


def test_npsp_brought_in_twice_changes_nothing(bring):
    folder = "npsp-trailhead"
    files = (
        ("accounts", "Account"),
        ("contacts", "Contact"),
        ("relations", "Affiliation"),
        ("opportunities", "Opportunity"),
        ("contact_roles", "OpportunityContactRole"),
    )
    for kind, name in files:
        bring(kind, f"{folder}/{name}.csv", f"npsp_{kind}")

    again = [outcomes(bring(k, f"{folder}/{name}.csv", f"npsp_{k}")) for k, name in files]

    assert [set(counts) for counts in again] == [{"unchanged"}] * 5


def test_atomic_contacts_create_their_accounts_by_name(bring):
    result = bring("contacts", "atomic-crm-contacts/contacts.csv", "atomic_contacts")
    again = bring("contacts", "atomic-crm-contacts/contacts.csv", "atomic_contacts")

    assert outcomes(result) == {"created": 500}
    assert outcomes(again) == {"unchanged": 500}
    assert Account.objects.count() == len(result.report.accounts_made) == 55
    people = Account.objects.annotate(n=Count("contacts")).order_by("-n", "name")
    assert list(people.values_list("name", "n")[:2]) == [
        ("Quigley Inc", 30), ("Schmitt and Sons", 30),
    ]  # fmt: skip
    contacts = Contact.objects
    assert contacts.values("email_key").exclude(email="").distinct().count() == 500
    for field, filled in (("phone", 274), ("home_phone", 270), ("other_phone", 286)):
        assert contacts.exclude(**{field: ""}).count() == filled
    assert contacts.filter(phone__contains=";ext=").count() == 159
    assert sum(bool(tags) for tags in contacts.values_list("interests", flat=True)) == 243
    marlon = contacts.filter(first_name="Marlon", last_name="Schmidt")
    assert marlon.values("account").distinct().count() == marlon.count() == 3
    assert result.report.unknown_owners == {"Jane Doe": 500}


def test_apex_recipes_refer_by_row(bring):
    accounts = bring("accounts", "apex-recipes-cc0/Accounts.csv", "apex_accounts")
    contacts = bring("contacts", "apex-recipes-cc0/Contacts.csv", "apex_contacts")
    deals = bring("opportunities", "apex-recipes-cc0/Opportunities.csv", "apex_opportunities")

    assert outcomes(accounts) == {"created": 50}
    assert outcomes(contacts) == {"created": 150}
    assert outcomes(deals) == {"created": 50}
    assert set(Account.objects.values_list("billing_country", flat=True)) == {"US"}
    assert Account.objects.filter(industry="").count() == 15
    assert Account.objects.aggregate(t=Sum("annual_revenue"))["t"] == 267_155_493
    assert Contact.objects.values("account").distinct().count() == 48
    assert Opportunity.objects.values("account").distinct().count() == 33
    assert amounts(Opportunity.objects)[1] == Decimal("27858065.52")
    assert amounts(Opportunity.objects.won()) == (3, Decimal("2124982.60"))
    with (FOLDER / "apex-recipes-cc0" / "Opportunities.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        typed = {clean_text(row["description"], multiline=True) for row in csv.DictReader(file)}
    assert set(Opportunity.objects.values_list("description", flat=True)) == typed
    assert {"-1E02", "-1E+02"} <= typed


def test_apex_stages_that_nobody_knows_are_refused_with_their_lines(bring):
    bring("accounts", "apex-recipes-cc0/Accounts.csv", "apex_accounts")

    result = bring("opportunities", "apex-recipes-cc0/Opportunities.csv", "apex_contacts")

    assert outcomes(result) == {"created": 42, "failed": 8}
    assert all("Assigned dynamically" in message for message in failed(result).values())


def test_apex_result_file_neutralises_formulas(bring, tmp_path):
    bring("accounts", "apex-recipes-cc0/Accounts.csv", "apex_accounts")
    result = bring("opportunities", "apex-recipes-cc0/Opportunities.csv", "apex_opportunities")

    result.write(tmp_path / "result.csv")

    with (tmp_path / "result.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 50
    assert {row["Outcome"] for row in rows} == {"created"}
    assert {"'-1E02", "'-1E+02"} <= {row["description"] for row in rows}
    assert not [t for row in rows for t in row.values() if t[:1] in ("=", "+", "-", "@")]


def test_generated_demo_company(bring):
    folder = "generated-demo"
    expected = json.loads((FOLDER / folder / "expected.json").read_text())
    with (FOLDER / folder / "bad_rows.csv").open(encoding="utf-8") as file:
        bad = {(row["file"], row["id"]) for row in csv.DictReader(file)}
    results = {
        name: bring(kind, f"{folder}/{name}.csv", f"demo_{kind}")
        for kind, name in (
            ("accounts", "accounts"),
            ("contacts", "contacts"),
            ("relations", "affiliations"),
            ("opportunities", "opportunities"),
            ("leads", "leads"),
        )
    }

    assert outcomes(results["accounts"]) == {"created": 80}
    assert outcomes(results["contacts"]) == {"created": 194, "failed": 6}
    assert outcomes(results["affiliations"]) == {"created": 13}
    assert outcomes(results["opportunities"]) == {"created": 175, "failed": 5}
    assert outcomes(results["leads"]) == {"created": 253, "failed": 7}
    for name in ("contacts", "opportunities", "leads"):
        lines = {row.line: row.cells[0] for row in results[name].file.rows()}
        refused = {(f"{name}.csv", lines[line]) for line in failed(results[name])}
        assert refused == {(file, row) for file, row in bad if file == f"{name}.csv"}
    levels = Counter(depth + 1 for depth in Account.objects.values_list("depth", flat=True))
    assert {str(level): n for level, n in levels.items()} == expected["accounts_per_level"]
    opportunities = Opportunity.objects
    assert amounts(opportunities.open()) == (88, Decimal("3138126.70"))
    assert weighted(opportunities.open()) == Decimal("982538.78")
    assert amounts(opportunities.won()) == (52, Decimal("1922190.35"))
    assert amounts(opportunities.lost()) == (35, Decimal("1431801.55"))
    assert set(opportunities.values_list("currency", flat=True)) == {"EUR"}
    notes = results["opportunities"].job.rows.filter(outcome=Outcome.CREATED).exclude(message="")
    assert len([row for row in notes if "contact" in row.message]) == 8
    top = Account.objects.get(external_id="A0000000")
    assert Account.objects.within(top).count() == 22
    rolled_up = opportunities.within(top)
    assert amounts(rolled_up.open()) == (51, Decimal("1410558.69"))
    assert amounts(rolled_up.won()) == (31, Decimal("1056545.98"))
    assert amounts(rolled_up.lost()) == (22, Decimal("968096.74"))
    several = Contact.objects.annotate(n=Count("relations__account", distinct=True))
    assert several.filter(n__gt=1).count() == 11


LOCALES = {
    "leads_utf8.csv": "locale_leads",
    "leads_utf8_bom_crlf.csv": "locale_leads",
    "leads_utf16le_bom_tab.tsv": "locale_leads",
    "leads_de_cp1252_semicolon.csv": "locale_leads",
    "leads_us_currency_latin9.csv": "locale_leads_latin9",
    "leads_mac_roman_cr.csv": "locale_leads_mac",
}


@pytest.mark.parametrize("first", LOCALES)
def test_locale_variants_give_the_same_leads(bring, first):
    result = bring("leads", f"locale-variants/{first}", LOCALES[first])
    others = [
        outcomes(bring("leads", f"locale-variants/{name}", mapping))
        for name, mapping in LOCALES.items()
    ]

    assert outcomes(result) == {"created": 11, "failed": 1}
    assert list(failed(result)) == [max(row.line for row in result.file.rows())]
    assert others == [{"unchanged": 11, "failed": 1}] * 6
    assert Lead.objects.aggregate(t=Sum("budget"))["t"] == Decimal("1360621.34")
    assert Counter(Lead.objects.values_list("country", flat=True))["DE"] == 2
    assert Counter(Lead.objects.values_list("country", flat=True))["FR"] == 2
    names = {f"{lead.first_name} {lead.last_name}" for lead in Lead.objects.all()}
    assert {"Jürgen Groß", "Søren Østergård", "François Œuvrard"} <= names
    assert Lead.objects.get(last_name="Groß").nurture_until.isoformat() == "2026-03-09"


def test_locale_variant_says_how_its_dates_are_read(bring):
    result = bring("leads", "locale-variants/leads_us_currency_latin9.csv", "locale_leads_latin9")

    assert result.survey.date_order == "MDY"
    assert any("Next contact" in note for note in result.survey.notes)


def test_workbooks_are_to_be_saved_as_csv(bring):
    with pytest.raises(FileRefused, match="as CSV"):
        bring("leads", "locale-variants/leads.xlsx")


def test_jsforce_accounts(bring):
    result = bring("accounts", "jsforce-accounts/Account_bulk1_test.csv", "jsforce_accounts")

    assert outcomes(result) == {"created": 100}
    accounts = Account.objects
    assert accounts.values("name").distinct().count() == 100
    assert accounts.filter(billing_street__contains="\n").count() == 73
    assert accounts.filter(shipping_street__contains="\n").count() == 73
    found = accounts.aggregate(
        revenue=Sum("annual_revenue"),
        employees=Sum("employees"),
        known=Count("annual_revenue"),
        longest=Max(Length("description")),
    )
    assert found == {
        "revenue": 77_151_000_000, "employees": 2_177_950, "known": 73, "longest": 664,
    }  # fmt: skip
    assert Counter(accounts.values_list("type", flat=True)) == {
        "Customer - Direct": 63, "Customer - Channel": 37,
    }  # fmt: skip


def test_jsforce_back_quotes(bring):
    result = bring(
        "accounts", "jsforce-accounts/Account_bulk2_test_backquote.csv", "jsforce_accounts"
    )

    assert outcomes(result) == {"created": 10}
    assert Account.objects.aggregate(t=Sum("annual_revenue"))["t"] == 45_000


# -- the reader ---------------------------------------------------------------------------------

SPECTRUM = [
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "newlines",
    "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8",
]  # fmt: skip


@pytest.mark.parametrize("name", SPECTRUM)
def test_csv_spectrum_is_read_right(name):
    folder = FOLDER / "csv-suites" / "csv-spectrum"
    table = CsvFile(folder / "csvs" / f"{name}.csv")

    read = [dict(zip(table.header, row.cells, strict=True)) for row in table.rows()]

    expected = json.loads((folder / "json" / f"{name}.json").read_text(encoding="utf-8"))
    # A line break inside a cell is LF here, whatever the file has.
    assert read == [{k: v.replace("\r\n", "\n") for k, v in row.items()} for row in expected]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("cr-line-endings", 2),
        ("crlf-line-endings", 2),
        ("lf-line-endings", 2),
        ("inconsistent-line-endings", 2),
        ("inconsistent-line-endings-unquoted", 2),
        ("windows-line-endings", 1),
        ("valid", 2),
        ("white space in filename", 2),
        ("valid_many_rows", 6),
        ("invalid_many_rows", 10),
    ],
)
def test_csvlint_files_are_read_with_three_columns(name, rows):
    table = CsvFile(FOLDER / "csv-suites" / "csvlint" / f"{name}.csv")

    assert (len(table.header), table.row_count) == (3, rows)
    assert not [row for row in table.rows() if row.problem]


def test_csvlint_title_row_is_passed_over():
    path = FOLDER / "csv-suites" / "csvlint" / "title-row.csv"

    assert CsvFile(path, header_row=2).header == ["Foo", "Bsr", "Baz"]


# -- naughty strings ----------------------------------------------------------------------------


def test_naughty_strings_are_stored_as_typed_or_refused(bring, admin, tmp_path):
    lines = (FOLDER / "naughty-strings" / "blns.txt").read_text(encoding="utf-8").split("\n")
    strings = [line for line in lines if line and not line.startswith("#")]
    path = tmp_path / "naughty.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Last name", "Company", "Description"])
        writer.writerows([text, f"Firm {n}", text] for n, text in enumerate(strings))

    result = import_file(path, "leads", by=admin)

    assert len(strings) == 516
    counts = outcomes(result)
    assert sum(counts.values()) == 516
    assert counts["created"] > 400
    stored = dict(Lead.objects.values_list("company", "last_name"))
    for company, last_name in stored.items():
        assert last_name == clean_text(strings[int(company.removeprefix("Firm "))])
    assert all(message for message in failed(result).values())
    result.write(tmp_path / "result.csv")
    with (tmp_path / "result.csv").open(encoding="utf-8-sig", newline="") as file:
        written = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in written if cell[:1] in ("=", "@")]


def test_lists_are_the_same_unless_the_mapping_opens_them(bring):
    before = ListValue.objects.count()

    bring("accounts", "generated-demo/accounts.csv", "demo_accounts")

    assert ListValue.objects.count() == before
