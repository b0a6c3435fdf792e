import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from core import bulk
from core.errors import NotAllowed
from core.journal import Change, Operation
from core.models import ListValue
from core.undo import undo
from imports.engine import importer
from imports.kinds import KINDS
from imports.mapping import MappingRefused
from imports.models import ImportRow, ImportRun, Outcome
from imports.receivers import StillRunning
from imports.runs import ImportFinished, OtherFile, import_file
from leads.models import Conversion, Lead, Phase
from opportunities.models import Opportunity, OpportunityContactRole, OpportunityStageHistory
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory, QueueFactory, RuleFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory
from tests.imports.conftest import messages, outcomes, read_result
from users.models import Role

pytestmark = pytest.mark.django_db

LEADS = "Id,Last name,Company,Email"


# -- a run --------------------------------------------------------------------------------------


def test_rows_become_records_with_their_outcomes(bring, admin):
    result = bring("leads", LEADS, "L1,Lee,Acme,lee@acme.example", "L2,Oz,,no address", ",,,")

    lead = Lead.objects.get()
    assert (lead.last_name, lead.external_source, lead.external_id) == (
        "Lee", "import:leads", "L1",
    )  # fmt: skip
    assert (lead.owner, lead.capture_channel) == (admin, Lead.CaptureChannel.IMPORT)
    assert outcomes(result) == {"created": 1, "failed": 1, "skipped": 1}
    assert result.report.errors[0][:2] == (3, "Email")
    rows = ImportRow.objects.order_by("number").values_list("number", "outcome", "object_id")
    assert list(rows) == [
        (2, Outcome.CREATED, lead.pk), (3, Outcome.FAILED, None), (4, Outcome.SKIPPED, None),
    ]  # fmt: skip
    assert (result.job.state, result.job.done, result.job.total) == (ImportRun.State.DONE, 3, 3)


def test_each_chunk_is_an_operation_of_the_run(bring, monkeypatch):
    monkeypatch.setattr(importer, "CHUNK", 2)

    result = bring("leads", LEADS, *(f"L{n},Lee,," for n in range(5)))

    run = result.job.operation
    assert [op.changes.count() for op in Operation.objects.filter(run=run).order_by("pk")] == [
        2, 2, 1,
    ]  # fmt: skip
    assert run.changes.count() == 0


def test_number_of_statements_does_not_grow_with_the_rows(bring, monkeypatch):
    monkeypatch.setattr(bulk, "PAUSE", 0)
    AccountFactory(external_source="import:accounts", external_id="A1")

    def statements(first, count):
        rows = [f"C{first + n},Lee{n},A1,c{first + n}@b.example" for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            bring("contacts", "Id,Last name,Account id,Email", *rows)
        return len(queries)

    one = statements(0, 1)

    # Django's own batches of 999 parameters on SQLite are in what the relations cost.
    assert statements(1, 60) <= one + 3
    assert statements(100, 240) <= one + 12


def test_undo_takes_the_whole_run_back(bring, admin, clean):
    lead = LeadFactory(external_source="import:leads", external_id="L1", company="Old")
    result = bring("leads", LEADS, "L1,Lee,New,", "L2,Oz,Two,")
    assert outcomes(result) == {"created": 1, "updated": 1}

    undo(result.job.operation, by=admin)

    lead.refresh_from_db()
    assert lead.company == "Old"
    assert Lead.objects.count() == 1
    assert clean() == []


def test_running_import_is_not_undone(bring, admin):
    result = bring("leads", LEADS, "L1,Lee,,")
    ImportRun.objects.update(state=ImportRun.State.RUNNING)

    with pytest.raises(StillRunning):
        undo(result.job.operation, by=admin)

    assert Lead.objects.count() == 1


def test_second_run_changes_nothing(bring):
    rows = ["L1,Lee,Acme,lee@acme.example", "L2,Oz,Two,"]
    bring("leads", LEADS, *rows)
    before = Change.objects.count()

    assert outcomes(bring("leads", LEADS, *rows)) == {"unchanged": 2}
    assert Change.objects.count() == before


def test_rows_without_keys_are_known_by_their_content(bring, admin):
    rows = ["Lee,Acme", "Oz,Two"]
    first = bring("leads", "Last name,Company", *rows, "Lee,Acme")
    again = bring("leads", "Last name,Company", *rows, "New,Three")

    assert outcomes(first) == {"created": 2, "skipped": 1}
    assert outcomes(again) == {"created": 1, "unchanged": 2}

    undo(first.job.operation, by=admin)
    assert outcomes(bring("leads", "Last name,Company", *rows)) == {"created": 2}


def test_dry_run_tells_the_same_and_leaves_nothing(bring):
    LeadFactory(external_source="import:leads", external_id="L1")
    before = (Operation.objects.count(), Change.objects.count(), Lead.objects.count())
    rows = ["L1,Lee,Acme,", "L2,Oz,,", "L3,,,nothing", "L2,Twice,,"]

    rehearsed = bring("leads", LEADS, *rows, dry_run=True)

    assert (Operation.objects.count(), Change.objects.count(), Lead.objects.count()) == before
    assert ImportRun.objects.count() == ImportRow.objects.count() == 0
    done = bring("leads", LEADS, *rows)
    assert outcomes(rehearsed) == outcomes(done) == {"created": 1, "updated": 1, "failed": 2}
    assert rehearsed.report.errors == done.report.errors


def test_chunk_that_the_database_refuses_is_halved(bring, monkeypatch):
    monkeypatch.setattr(KINDS["leads"].model, "clean_rules", _without_identity)
    rows = [f"L{n},Lee,," if n != 5 else "L5,,," for n in range(8)]

    result = bring("leads", LEADS, *rows)

    assert outcomes(result) == {"created": 7, "failed": 1}
    assert messages(result) == {7: "Enter a last name, a company or an e-mail address."}


@classmethod
def _without_identity(cls, cleaned, errors, context):
    cleaned["status"] = cls.status.field.related_model.default()
    cleaned["phase"] = cleaned["status"].phase


def test_crash_between_chunks_can_be_resumed(bring, listed, admin, monkeypatch, clean):
    monkeypatch.setattr(importer, "CHUNK", 2)
    rows = [f"L{n},Lee{n},," for n in range(7)]
    original, calls = importer.Importer.write_outcomes, []

    def crash(self, drafts):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        original(self, drafts)

    monkeypatch.setattr(importer.Importer, "write_outcomes", crash)
    with pytest.raises(KeyboardInterrupt):
        bring("leads", LEADS, *rows)
    job = ImportRun.objects.get()
    assert (job.state, job.done, Lead.objects.count()) == (ImportRun.State.STOPPED, 4, 4)
    with pytest.raises(NotAllowed):
        bring("leads", LEADS, *rows, resume=job, by=UserFactory(role=Role.ADMIN))

    result = bring("leads", LEADS, *rows, resume=job)

    assert outcomes(result) == {"created": 7}
    assert sorted(Lead.objects.values_list("last_name", flat=True)) == [f"Lee{n}" for n in range(7)]
    assert clean() == []
    with pytest.raises(ImportFinished):
        bring("leads", LEADS, *rows, resume=job)
    ImportRun.objects.update(state=ImportRun.State.STOPPED)
    job.refresh_from_db()
    with pytest.raises(OtherFile):
        bring("leads", LEADS, "X,Other,,", resume=job)


def test_resumed_run_knows_what_stood_before(bring, monkeypatch):
    monkeypatch.setattr(importer, "CHUNK", 1)
    rows = ["L1,Lee,,", "L1,Again,,"]
    original, calls = importer.Importer.write_outcomes, []

    def crash(self, drafts):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        original(self, drafts)

    monkeypatch.setattr(importer.Importer, "write_outcomes", crash)
    with pytest.raises(KeyboardInterrupt):
        bring("leads", LEADS, *rows)

    result = bring("leads", LEADS, *rows, resume=ImportRun.objects.get())

    assert outcomes(result) == {"created": 1, "failed": 1}


def test_result_file_is_the_input_with_outcomes(bring, tmp_path):
    header = "Id,Last name,Phone,Budget,Description"
    result = bring("leads", header, "L1,=1+1,+49 30 12,-5,@SUM(A1)", 'L2,Lee,+49 30 12,7,"\t-x"')

    rows = read_result(result, tmp_path / "result.csv")

    assert [row["Outcome"] for row in rows] == ["failed", "created"]
    assert rows[0]["Last name"] == "'=1+1"
    assert (rows[0]["Phone"], rows[0]["Budget"]) == ("+49 30 12", "-5")
    assert rows[0]["Description"] == "'@SUM(A1)"
    assert rows[1]["Record"] == f"/leads/{Lead.objects.get().pk}/"


def test_formula_cells_are_stored_as_plain_text(bring):
    bring("leads", "Last name,Company", "=1+1,-5", "@x,+1")

    assert set(Lead.objects.values_list("last_name", "company")) == {("=1+1", "-5"), ("@x", "+1")}


def test_formula_cells_that_were_neutralised_are_read_as_they_were(bring):
    bring("leads", "Last name,Company", "'=1+1,'t Hooft Ltd")

    assert Lead.objects.get().last_name == "=1+1"
    assert Lead.objects.get().company == "'t Hooft Ltd"


# -- updates ------------------------------------------------------------------------------------


def test_blank_cell_leaves_and_clear_cell_empties(bring):
    lead = LeadFactory(
        external_source="import:leads", external_id="L1", company="Acme", phone="12345"
    )

    result = bring("leads", "Id,Company,Phone,Title", "L1,,#N/A,CEO")

    lead.refresh_from_db()
    assert outcomes(result) == {"updated": 1}
    assert (lead.company, lead.phone, lead.title) == ("Acme", "", "CEO")


def test_opt_outs_are_only_switched_on(bring):
    out = LeadFactory(external_source="import:leads", external_id="L1", email_opt_out=True)
    LeadFactory(external_source="import:leads", external_id="L2")

    bring("leads", "Id,Email opt out", "L1,false", "L2,yes")

    out.refresh_from_db()
    assert out.email_opt_out
    other = Lead.objects.get(external_id="L2")
    assert (other.email_opt_out, other.email_opt_out_source) == (True, "IMPORT")
    assert other.email_opt_out_at is not None


def test_only_blanks_are_filled_where_the_mapping_says_so(bring):
    lead = LeadFactory(external_source="import:leads", external_id="L1", company="Acme", title="")

    document = {"options": {"only_blanks": ["company", "title"]}}
    bring("leads", "Id,Company,Title", "L1,Other,CEO", document=document)

    lead.refresh_from_db()
    assert (lead.company, lead.title) == ("Acme", "CEO")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("create", {"created": 1, "skipped": 1}),
        ("update", {"updated": 1, "failed": 1}),
        ("upsert", {"created": 1, "updated": 1}),
    ],
)
def test_mode(bring, mode, expected):
    LeadFactory(external_source="import:leads", external_id="L1")
    document = {"options": {"mode": mode}}

    result = bring("leads", LEADS, "L1,New name,,", "L2,Lee,,", document=document)

    assert outcomes(result) == expected


def test_match_by_email_finds_people_whatever_the_case(bring):
    ContactFactory(email="Ann.Lee@Acme.example", external_id="")
    document = {"options": {"match_by": "email"}}
    header = "Id,Last name,Email"

    result = bring(
        "contacts", header, "C1,Lee,ann.lee@acme.example", "C2,Two,ANN.LEE@acme.example",
        "C3,None,", "C4,None,", document=document,
    )  # fmt: skip

    assert outcomes(result) == {"created": 2, "updated": 1, "skipped": 1}
    ann = Contact.objects.get(last_name="Lee")
    assert (ann.external_source, ann.external_id) == ("import:contacts", "C1")


def test_match_by_email_of_several_people_is_refused(bring):
    ContactFactory.create_batch(2, email="info@acme.example")

    result = bring(
        "contacts", "Last name,Email", "Lee,info@acme.example",
        document={"options": {"match_by": "email"}},
    )  # fmt: skip

    assert outcomes(result) == {"failed": 1}


def test_external_id_twice_in_the_file_is_refused(bring, monkeypatch):
    monkeypatch.setattr(importer, "CHUNK", 1)

    result = bring("leads", LEADS, "L1,Lee,,", "L1,Oz,,")

    assert outcomes(result) == {"created": 1, "failed": 1}
    assert "line 2" in messages(result)[3]


def test_overlong_external_id_and_unstorable_text_are_refused(bring):
    result = bring("leads", LEADS, f"{'x' * 101},Lee,,", "L\x001,Oz,,", "L2,A\x00b,,")

    assert outcomes(result) == {"failed": 3}


def test_archived_match_is_refused_by_name(bring):
    lead = LeadFactory(external_source="import:leads", external_id="L1", first_name="")
    Lead.objects.filter(pk=lead.pk).update(archived_at=lead.created_at)

    result = bring("leads", LEADS, "L1,New,,")

    assert outcomes(result) == {"failed": 1}
    assert str(lead) in messages(result)[2]
    assert "recycle bin" in messages(result)[2]


def test_merged_match_follows_the_winner(bring):
    winner = AccountFactory(name="Winner")
    AccountFactory(
        external_source="import:accounts",
        external_id="A1",
        merged_into=winner,
        archived_at=winner.created_at,
    )

    result = bring("accounts", "Id,Name,Site", "A1,Winner,London")

    winner.refresh_from_db()
    assert outcomes(result) == {"updated": 1}
    assert winner.site == "London"


def test_converted_match_stays_as_it_is(bring):
    bring("leads", LEADS + ",IsConverted", "L1,Lee,,,TRUE")

    result = bring("leads", LEADS, "L1,Other,,")

    assert outcomes(result) == {"skipped": 1}
    assert Lead.objects.get().last_name == "Lee"


# -- rights -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_import_needs_the_grant(kind, rep, listed):
    with pytest.raises(NotAllowed):
        import_file(listed("Id,Name,Last name,Account id,Opportunity id"), kind, by=rep)

    assert ImportRun.objects.count() == 0


def test_hidden_and_foreign_records_are_not_touched(bring, rep, stranger):
    hidden = OpportunityFactory(
        owner=stranger, name="Secret", external_source="import:opportunities", external_id="O1"
    )
    foreign = AccountFactory(
        owner=stranger, name="Foreign", external_source="import:accounts", external_id="A1"
    )

    deals = bring("opportunities", "Id,Name,Account id", "O1,Mine now,A1", by=rep)
    accounts = bring("accounts", "Id,Name", "A1,Mine now", by=rep)

    assert messages(deals)[2].startswith("Not found")
    assert "Secret" not in messages(deals)[2]
    assert "can't edit" in messages(accounts)[2]
    hidden.refresh_from_db()
    foreign.refresh_from_db()
    assert (hidden.name, foreign.name) == ("Secret", "Foreign")


def test_a_file_tells_nothing_of_a_field_that_is_hidden(bring, rep, team, reaches):
    """Neither by changing it nor by saying that it is the same."""
    ContactFactory(
        owner=UserFactory(team=team),
        birthdate=datetime.date(1980, 2, 3),
        external_source="import:contacts",
        external_id="C1",
    )
    head = "Id,Last name,Birthdate"

    same = bring("contacts", head, "C1,Ruiz,1980-02-03", by=rep)
    other = bring("contacts", head, "C1,Ruiz,1981-02-03", by=rep)

    assert messages(same) == messages(other)
    assert "can't change all these fields" in messages(same)[2]
    assert Contact.objects.get().birthdate == datetime.date(1980, 2, 3)


def test_links_to_hidden_records_are_answered_as_if_there_were_none(bring, rep, stranger):
    hidden = OpportunityFactory(
        owner=stranger, external_source="import:opportunities", external_id="O1"
    )
    ContactFactory(external_source="import:contacts", external_id="C1")
    header = "Opportunity id,Contact id"

    result = bring("contact_roles", header, "O1,C1", "O2,C1", by=rep)

    assert messages(result)[2].replace("O1", "O2") == messages(result)[3]
    assert not hidden.roles.exists()


def test_hidden_match_by_email_is_said_and_not_touched(bring, stranger):
    manager = UserFactory(role=Role.MANAGER)
    LeadFactory(owner=stranger, email="lee@acme.example")
    document = {"options": {"match_by": "email"}}

    result = bring(
        "leads", "Last name,Email", "Lee,lee@acme.example", by=manager, document=document
    )

    assert outcomes(result) == {"created": 1}
    assert "cannot see" in messages(result)[2]


# -- owners -------------------------------------------------------------------------------------


def test_owners_by_address_and_map_and_unknown_ones_listed(bring, admin, rep):
    gone = UserFactory(email="gone@example.com", is_active=False)

    result = bring(
        "accounts", "Id,Name,Owner", "A1,One,RAE@example.com", "A2,Two,Jane Doe",
        "A3,Three,nobody", "A4,Four,gone@example.com", "A5,Five,nobody",
        owner_map={"janedoe": "rae@example.com"},
    )  # fmt: skip

    owners = dict(Account.objects.values_list("name", "owner"))
    assert owners == {
        "One": rep.pk, "Two": rep.pk, "Three": admin.pk, "Four": admin.pk, "Five": admin.pk,
    }  # fmt: skip
    assert result.report.unknown_owners == {"nobody": 2, gone.email: 1}


def test_unknown_owner_leaves_the_present_one(bring, rep):
    account = AccountFactory(owner=rep, external_source="import:accounts", external_id="A1")

    bring("accounts", "Id,Site,Owner", "A1,London,nobody")

    account.refresh_from_db()
    assert (account.owner, account.site) == (rep, "London")


# -- what is deleted at the source --------------------------------------------------------------


def test_deleted_rows_are_skipped_unless_they_come_as_archived(bring):
    rows = ["L1,Lee,TRUE", "L2,Oz,FALSE"]
    assert outcomes(bring("leads", "Id,Last name,IsDeleted", *rows)) == {
        "created": 1, "skipped": 1,
    }  # fmt: skip

    document = {"options": {"import_archived": True}}
    bring("leads", "Id,Last name,IsDeleted", *rows, document=document)

    assert Lead.objects.get(external_id="L1").is_archived


# -- values -------------------------------------------------------------------------------------


def test_created_at_the_source_is_kept_beside_our_own(bring):
    document = {"options": {"date_order": "DMY"}}
    bring("leads", "Last name,Created", "Lee,09.03.2024 14:30", document=document)

    lead = Lead.objects.get()
    assert lead.source_created_at.isoformat() == "2024-03-09T14:30:00+00:00"
    assert lead.created_at.year != 2024


def test_defaults_are_for_new_records_and_may_name_columns(bring):
    bring(
        "leads", "Number,Last name", "7,Lee",
        document={"defaults": {"company": "Fair {Number}", "rating": "Hot"}},
    )  # fmt: skip

    assert Lead.objects.values_list("company", "rating").get() == ("Fair 7", "HOT")


def test_values_are_replaced_as_the_mapping_says(bring):
    document = {"values": {"rating": {"A": "Hot", "n/a": ""}}}

    bring("leads", "Id,Last name,Rating", "L1,Lee,a", "L2,Oz,N/A", document=document)

    assert dict(Lead.objects.values_list("external_id", "rating")) == {"L1": "HOT", "L2": ""}


def test_several_columns_fill_the_first_free_field(bring):
    document = {"columns": {h: ["email", "secondary_email"] for h in ("Work", "Home", "Other")}}

    result = bring(
        "contacts", "Last name,Work,Home,Other", "Lee,,h@b.example,o@b.example",
        "Oz,w@b.example,h@c.example,o@c.example", document=document,
    )  # fmt: skip

    assert set(Contact.objects.values_list("last_name", "email", "secondary_email")) == {
        ("Lee", "h@b.example", "o@b.example"), ("Oz", "w@b.example", "h@c.example"),
    }  # fmt: skip
    assert "o@c.example" in messages(result)[3]


def test_full_names_are_cut(bring):
    bring("leads", "Name,Company", "Ana María Ruiz,One", '"Lee, Ann",Two', "Plato,Three")

    assert dict(
        Lead.objects.values_list("company", "first_name")
    ) == {"One": "Ana María", "Two": "Ann", "Three": ""}  # fmt: skip
    assert set(Lead.objects.values_list("last_name", flat=True)) == {"Ruiz", "Lee", "Plato"}


def test_unknown_list_value_is_refused_unless_the_list_is_opened(bring):
    header = "Id,Name,Industry"
    closed = bring("accounts", header, "A1,One,Space Mining")
    assert outcomes(closed) == {"failed": 1}

    document = {"options": {"add_to_lists": ["industry"]}}
    opened = bring(
        "accounts", header, "A1,One,Space Mining", "A2,Two,space mining", document=document
    )

    assert outcomes(opened) == {"created": 2}
    assert set(Account.objects.values_list("industry", flat=True)) == {"Space Mining"}
    assert ListValue.objects.filter(list_key="industry", value="Space Mining").count() == 1
    assert opened.report.values_added == {"industry": {"Space Mining"}}


def test_dry_run_adds_nothing_to_lists(bring):
    document = {"options": {"add_to_lists": ["industry"]}}

    result = bring("accounts", "Name,Industry", "One,Space Mining", document=document, dry_run=True)

    assert outcomes(result) == {"created": 1}
    assert not ListValue.objects.filter(value="Space Mining").exists()


def test_only_administrators_open_lists(bring, manager):
    document = {"options": {"add_to_lists": ["industry"]}}

    with pytest.raises(NotAllowed):
        bring("accounts", "Name,Industry", "One,Space Mining", by=manager, document=document)


@pytest.mark.parametrize(
    "options", [{"add_to_lists": ["name"]}, {"round": ["name"]}, {"external_source": "x" * 41}]
)
def test_options_that_do_not_fit_are_refused(bring, options):
    with pytest.raises(MappingRefused):
        bring("accounts", "Name", "One", document={"options": options})


def test_amounts_are_rounded_only_where_the_mapping_says_so(bring):
    header, row = "Id,Name,Annual revenue", "A1,One,1234.56"
    assert outcomes(bring("accounts", header, row)) == {"failed": 1}

    result = bring("accounts", header, row, document={"options": {"round": ["annual_revenue"]}})

    assert Account.objects.get().annual_revenue == 1235
    assert "1234.56" in messages(result)[2]


def test_unreadable_values_are_left_out_only_where_the_mapping_says_so(bring):
    header, row = "Id,Name,Website", "A1,One,not a site"
    assert outcomes(bring("accounts", header, row)) == {"failed": 1}

    document = {"options": {"leave_out_unreadable": ["website"]}}
    result = bring("accounts", header, row, document=document)

    assert outcomes(result) == {"created": 1}
    assert "not a site" in messages(result)[2]


def test_long_texts_are_cut_only_where_the_mapping_says_so(bring):
    header, row = "Id,Name,Site", f"A1,One,{'x' * 90}"
    assert outcomes(bring("accounts", header, row)) == {"failed": 1}

    result = bring("accounts", header, row, document={"options": {"truncate": ["site"]}})

    assert Account.objects.get().site == "x" * 80
    assert "cut to 80" in messages(result)[2]


def test_required_fields_of_the_mapping(bring):
    result = bring(
        "leads", "Last name,Company", ",Acme", "Lee,Acme",
        document={"options": {"required": ["last_name"]}},
    )  # fmt: skip

    assert outcomes(result) == {"created": 1, "failed": 1}


# -- accounts -----------------------------------------------------------------------------------


def test_parents_may_stand_anywhere_in_the_file(bring, monkeypatch, clean):
    monkeypatch.setattr(importer, "CHUNK", 2)
    rows = ["A1,One,A2", "A2,Two,A3", "A3,Three,", "A4,Four,A1", "A5,Five,A4"]

    result = bring("accounts", "Id,Name,Parent Id", *rows)

    assert outcomes(result) == {"created": 5}
    depths = dict(Account.objects.values_list("name", "depth"))
    assert depths == {"Three": 0, "Two": 1, "One": 2, "Four": 3, "Five": 4}
    assert clean() == []
    assert outcomes(bring("accounts", "Id,Name,Parent Id", *rows)) == {"unchanged": 5}


def test_changed_parent_makes_an_unchanged_row_an_updated_one(bring, clean):
    bring("accounts", "Id,Name,Parent Id", "A1,One,", "A2,Two,A1", "A3,Three,A2")

    result = bring("accounts", "Id,Name,Parent Id", "A2,Two,#N/A", "A3,Three,A1")

    assert outcomes(result) == {"updated": 2}
    depths = dict(Account.objects.values_list("name", "depth"))
    assert depths == {"One": 0, "Two": 0, "Three": 1}
    assert clean() == []


def test_parent_that_is_nowhere_fails_the_row(bring):
    result = bring("accounts", "Id,Name,Parent Id", "A1,One,A9", "A2,Two,")

    assert outcomes(result) == {"created": 1, "failed": 1}
    assert "“A9”" in messages(result)[2]


def test_rings_of_parents_are_noted_and_not_set(bring, clean):
    result = bring("accounts", "Id,Name,Parent Id", "A1,One,A2", "A2,Two,A1", "A3,Three,A3")

    assert outcomes(result) == {"created": 3}
    assert not Account.objects.exclude(parent=None).exists()
    assert set(messages(result)) == {2, 3, 4}
    assert clean() == []


def test_accounts_found_by_name_or_domain(bring):
    one = AccountFactory(name="Müller Stahl GmbH", website="https://www.muellerstahl.example")

    by_name = bring(
        "accounts", "Name,Site", "MULLER STAHL,Köln", document={"options": {"match_by": "name"}}
    )
    by_domain = bring(
        "accounts", "Name,Website,Site", "Other,muellerstahl.example/x,Bonn",
        document={"options": {"match_by": "domain"}},
    )  # fmt: skip

    one.refresh_from_db()
    assert outcomes(by_name) == outcomes(by_domain) == {"updated": 1}
    assert (one.name, one.site) == ("Other", "Bonn")


# -- contacts -----------------------------------------------------------------------------------


def test_contacts_get_their_direct_relation(bring, clean):
    account = AccountFactory(external_source="import:accounts", external_id="A1")

    bring("contacts", "Id,Last name,Account id", "C1,Lee,A1", "C2,Oz,")

    lee = Contact.objects.get(last_name="Lee")
    assert lee.account == account
    relation = AccountContactRelation.objects.get()
    assert (relation.contact, relation.account, relation.is_direct) == (lee, account, True)
    assert clean() == []


def test_contact_of_an_unknown_account_is_refused(bring):
    result = bring("contacts", "Last name,Account id", "Lee,A9")

    assert outcomes(result) == {"failed": 1}
    assert result.report.errors[0][1] == "Account id"
    assert Contact.objects.count() == 0


def test_accounts_are_created_by_name_once_and_reused(bring, clean):
    AccountFactory(name="Acme Inc.")
    document = {"options": {"create_accounts_by_name": True}}
    header = "Last name,Email,Company"

    result = bring(
        "contacts", header, "One,1@b.example,ACME inc", "Two,2@b.example,New Firm",
        "Three,3@b.example,new  firm", "Four,not an address,Never Made", document=document,
    )  # fmt: skip

    assert outcomes(result) == {"created": 3, "failed": 1}
    assert sorted(Account.objects.values_list("name", flat=True)) == ["Acme Inc.", "New Firm"]
    assert len(result.report.accounts_made) == 1
    assert Contact.objects.exclude(account=None).count() == 3
    assert clean() == []


def test_account_of_an_unknown_name_is_refused_without_being_asked_for(bring):
    result = bring("contacts", "Last name,Company", "Lee,Acme")

    assert outcomes(result) == {"failed": 1}
    assert Account.objects.count() == 0


def test_account_of_a_contact_is_corrected(bring, clean):
    old, new = AccountFactory(), AccountFactory(
        external_source="import:accounts", external_id="A2"
    )  # fmt: skip
    contact = ContactFactory(
        account=old, external_source="import:contacts", external_id="C1", last_name="Lee"
    )

    result = bring("contacts", "Id,Last name,Account id", "C1,Lee,A2")

    contact.refresh_from_db()
    assert outcomes(result) == {"updated": 1}
    assert contact.account == new
    assert clean() == []


def test_superiors_may_stand_anywhere_in_the_file(bring, clean):
    result = bring(
        "contacts", "Id,Last name,Reports to", "C1,Lee,C3", "C2,Oz,C1", "C3,Top,", "C4,Bad,C9"
    )

    assert outcomes(result) == {"created": 3, "failed": 1}
    names = dict(Contact.objects.values_list("last_name", "reports_to__last_name"))
    assert names == {"Lee": "Top", "Oz": "Lee", "Top": None}
    assert clean() == []


def test_rings_of_superiors_are_noted_and_not_closed(bring, clean):
    result = bring("contacts", "Id,Last name,Reports to", "C1,Lee,C2", "C2,Oz,C1")

    assert Contact.objects.exclude(reports_to=None).count() == 1
    assert len(messages(result)) == 1
    assert clean() == []


# -- relations ----------------------------------------------------------------------------------


@pytest.fixture
def people():
    """Two accounts A1, A2 and two people C1 (of A1) and C2 (of none)."""
    known = {"external_source": "import:accounts"}
    one = AccountFactory(name="One", external_id="A1", **known)
    AccountFactory(name="Two", external_id="A2", **known)
    known = {"external_source": "import:contacts"}
    ContactFactory(last_name="Lee", account=one, external_id="C1", email="l@b.example", **known)
    ContactFactory(last_name="Oz", external_id="C2", **known)


def test_relations_are_added_and_the_first_one_is_direct(bring, people, clean):
    header = "Contact id,Account id,Roles,Start date"

    result = bring(
        "relations", header, "C1,A2,Decision Maker;Evaluator,2024-01-31", "C2,A2,,", "C2,A1,,"
    )

    assert outcomes(result) == {"created": 3}
    relations = AccountContactRelation.objects
    assert relations.get(contact__last_name="Lee", account__name="Two").roles == [
        "Decision Maker", "Evaluator",
    ]  # fmt: skip
    assert dict(relations.direct().values_list("contact__last_name", "account__name")) == {
        "Lee": "One", "Oz": "Two",
    }  # fmt: skip
    assert clean() == []
    again = bring("relations", header, "C1,A2,Evaluator,2024-01-31", "C2,A2,,", "C2,A1,,")
    assert outcomes(again) == {"updated": 1, "unchanged": 2}


def test_relations_find_people_by_address_and_accounts_by_name(bring, people):
    result = bring("relations", "Email,Account name,Title", "L@b.example,two,Adviser")

    assert outcomes(result) == {"created": 1}
    assert AccountContactRelation.objects.get(account__name="Two").title_there == "Adviser"


def test_direct_relation_of_the_file_takes_the_place_and_the_old_one_stays(bring, people, clean):
    bring("relations", "Contact id,Account id,Is direct", "C1,A2,yes")

    lee = Contact.objects.get(last_name="Lee")
    assert lee.account.name == "Two"
    assert sorted(lee.relations.active().values_list("account__name", "is_direct")) == [
        ("One", False), ("Two", True),
    ]  # fmt: skip
    assert clean() == []


def test_ended_relations_are_history(bring, people, clean):
    header = "Contact id,Account id,Start date,End date,Active"
    result = bring(
        "relations", header, "C2,A1,2019-01-01,2020-12-31,", "C2,A2,,,no", "C1,A1,,2021-05-05,"
    )

    assert outcomes(result) == {"created": 2, "updated": 1}
    assert Contact.objects.exclude(account=None).count() == 0
    assert AccountContactRelation.objects.active().count() == 0
    assert clean() == []
    again = bring(
        "relations", header, "C2,A1,2019-01-01,2020-12-31,", "C2,A2,,,no", "C1,A1,,2021-05-05,"
    )
    assert set(outcomes(again)) == {"unchanged"}


@pytest.mark.parametrize("row", ["C9,A1,", "C1,A9,", "C1,,", ",A1,", "C1,A2,2024-02-30"])
def test_relations_that_point_at_nothing_or_never_began_are_refused(bring, people, row):
    result = bring("relations", "Contact id,Account id,Start date", row)

    assert outcomes(result) == {"failed": 1}


# -- leads --------------------------------------------------------------------------------------

CONVERTED = "Id,Last name,Status,IsConverted,ConvertedDate,ConvertedAccountId,ConvertedContactId"


def test_converted_leads_are_history_with_the_links_that_resolve(bring, people, clean):
    result = bring("leads", CONVERTED, "L1,Lee,Closed - Converted,TRUE,2026-02-24,A1,C9")

    lead = Lead.objects.get()
    assert outcomes(result) == {"created": 1}
    assert (lead.phase, lead.converted_at.date()) == (Phase.CONVERTED, datetime.date(2026, 2, 24))
    conversion = Conversion.objects.get()
    assert (conversion.origin, conversion.converted_by) == (Conversion.Origin.IMPORTED, None)
    assert (conversion.account.name, conversion.contact) == ("One", None)
    assert "C9" in messages(result)[2]
    assert clean() == []


def test_status_that_says_converted_without_being_it_becomes_qualified(bring, clean):
    result = bring("leads", CONVERTED, "L1,Lee,Closed - Converted,FALSE,,,")

    assert Lead.objects.get().phase == Phase.QUALIFIED
    assert "never converted" in messages(result)[2]
    assert clean() == []


def test_dead_lead_without_a_reason_is_not_recorded(bring):
    bring("leads", "Last name,Status", "Lee,Closed - Not Converted")

    lead = Lead.objects.get()
    assert (lead.phase, lead.disqualify_reason) == (Phase.DEAD, "Not recorded")


def test_unknown_status_is_refused_with_near_ones(bring):
    result = bring("leads", "Last name,Status", "Lee,Nurtring")

    assert outcomes(result) == {"failed": 1}
    assert "Nurturing" in messages(result)[2]


def test_date_of_the_next_contact_is_kept_or_said_to_be_lost(bring):
    result = bring(
        "leads", "Last name,Status,Next contact", "Lee,Nurturing,2030-01-31", "Oz,New,2030-01-31"
    )

    assert Lead.objects.get(last_name="Lee").nurture_until == datetime.date(2030, 1, 31)
    assert "next contact" in messages(result)[3]


def test_lead_converted_at_the_source_later_is_converted_by_the_next_file(bring, people, clean):
    bring("leads", CONVERTED, "L1,Lee,New,FALSE,,,")

    result = bring("leads", CONVERTED, "L1,Lee,Closed - Converted,TRUE,2026-02-24,A1,C1")

    assert outcomes(result) == {"updated": 1}
    assert Conversion.objects.get().contact.last_name == "Lee"
    assert clean() == []


# -- opportunities ------------------------------------------------------------------------------

DEALS = "Id,Name,Account id,Stage,Amount,Close date,Probability"


def test_open_deals_keep_what_the_file_says(bring, people, clean):
    result = bring("opportunities", DEALS, "O1,Deal,A1,Proposal,1200.50,2024-01-31,35")

    deal = Opportunity.objects.get()
    assert outcomes(result) == {"created": 1}
    assert (deal.amount, deal.close_date) == (Decimal("1200.500"), datetime.date(2024, 1, 31))
    assert (deal.probability, deal.probability_overridden) == (35, True)
    assert (deal.original_amount, deal.original_close_date) == (deal.amount, deal.close_date)
    assert OpportunityStageHistory.objects.filter(opportunity=deal).count() == 1
    assert clean() == []


def test_closed_deals_get_the_values_of_their_stage(bring, people, clean):
    result = bring(
        "opportunities",
        f"{DEALS},LastStageChangeDate",
        "O1,Won,A1,Closed Won,10,2024-01-31,50,",
        "O2,Lost,A1,Closed Lost,10,2024-01-31,50,2024-02-01",
        "O3,Gift,A1,Closed Won,,2024-01-31,,",
    )

    won, lost, gift = Opportunity.objects.order_by("external_id")
    assert outcomes(result) == {"created": 3}
    assert (won.probability, won.closed_at.date()) == (100, datetime.date(2024, 1, 31))
    assert (lost.loss_reason, lost.closed_at.date()) == (
        "Not recorded", datetime.date(2024, 2, 1),
    )  # fmt: skip
    assert gift.amount is None
    assert "Won without" in messages(result)[4]
    assert clean() == []


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("O1,Deal,A1,Assigned dynamically,10,2024-01-31,", "Stage"),
        ("O1,Deal,A1,Proposal,-10,2024-01-31,", "Amount"),
        ("O1,Deal,A1,Proposal,ten,2024-01-31,", "Amount"),
        ("O1,Deal,A1,Proposal,10,2024-02-30,", "Close date"),
        ("O1,Deal,A1,Proposal,10,2024-01-31,101", "Probability"),
        ("O1,Deal,A9,Proposal,10,2024-01-31,", "Account id"),
        ("O1,Deal,,Proposal,10,2024-01-31,", ""),
        ("O1,,A1,Proposal,10,2024-01-31,", "Name"),
    ],
)
def test_bad_deals_are_refused_at_their_column(bring, people, row, column):
    result = bring("opportunities", DEALS, row)

    assert outcomes(result) == {"failed": 1}
    assert result.report.errors[0][:2] == (2, column or "Account id")
    assert Opportunity.objects.count() == 0


def test_probability_as_a_fraction(bring, people):
    document = {"options": {"probability_scale": 100}}

    bring("opportunities", DEALS, "O1,Deal,A1,Proposal,10,2024-01-31,0.25", document=document)

    assert Opportunity.objects.get().probability == 25


def test_expected_revenue_is_compared_and_not_stored(bring, people):
    header = f"{DEALS},Expected revenue"

    result = bring(
        "opportunities", header, "O1,Right,A1,Proposal,100,2024-01-31,50,50",
        "O2,Wrong,A1,Proposal,100,2024-01-31,50,51",
    )  # fmt: skip

    assert set(messages(result)) == {3}


def test_primary_contact_of_a_deal_and_one_that_is_not_there(bring, people, clean):
    result = bring("opportunities", "Id,Name,Account id,Contact id", "O1,One,A1,C1", "O2,Two,A1,C9")

    role = OpportunityContactRole.objects.get()
    assert (role.opportunity.name, role.contact.last_name) == ("One", "Lee")
    assert (role.is_primary, role.is_external) == (True, False)
    assert "C9" in messages(result)[3]
    assert clean() == []


def test_deals_that_move_write_their_history(bring, people, clean):
    bring("opportunities", DEALS, "O1,Deal,A1,Prospecting,10,2030-01-31,")

    result = bring("opportunities", DEALS, "O1,Deal,A1,Closed Won,20,2030-02-28,")

    deal = Opportunity.objects.get()
    assert outcomes(result) == {"updated": 1}
    assert (deal.is_won, deal.probability, deal.forecast_category) == (True, 100, "CLOSED")
    assert deal.closed_at is not None
    first, second = OpportunityStageHistory.objects.order_by("pk")
    assert (second.from_stage, second.to_stage) == (first.to_stage, deal.stage)
    assert clean() == []


def test_currency_of_a_deal_is_the_account_s_unless_the_file_says(bring, people):
    Account.objects.filter(name="One").update(currency="JPY")

    result = bring(
        "opportunities", f"{DEALS},Currency", "O1,Yen,A1,Proposal,100,2024-01-31,,",
        "O2,Euro,A1,Proposal,1.25,2024-01-31,,EUR", "O3,Bad,A1,Proposal,1.25,2024-01-31,,",
    )  # fmt: skip

    assert dict(Opportunity.objects.values_list("name", "currency")) == {
        "Yen": "JPY", "Euro": "EUR",
    }  # fmt: skip
    assert set(messages(result)) == {4}


# -- contact roles ------------------------------------------------------------------------------

ROLES = "Opportunity id,Contact id,Role,Is primary"


@pytest.fixture
def deal(people):
    account = Account.objects.get(name="One")
    return OpportunityFactory(
        account=account, external_source="import:opportunities", external_id="O1"
    )


def test_contact_roles(bring, deal, clean):
    result = bring("contact_roles", ROLES, "O1,C1,Decision Maker,true", "O1,C2,Evaluator,false")

    assert outcomes(result) == {"created": 2}
    assert list(deal.roles.order_by("pk").values_list("role", "is_primary", "is_external")) == [
        ("Decision Maker", True, False), ("Evaluator", False, True),
    ]  # fmt: skip
    assert clean() == []
    again = bring("contact_roles", ROLES, "O1,C1,Evaluator,true", "O1,C2,Evaluator,false")
    assert outcomes(again) == {"updated": 1, "unchanged": 1}


def test_second_primary_contact_is_refused(bring, deal):
    result = bring("contact_roles", ROLES, "O1,C1,,true", "O1,C2,,true")

    assert outcomes(result) == {"created": 1, "failed": 1}
    assert result.report.errors[0][1] == "Is primary"


def test_first_role_is_primary_where_the_file_does_not_say(bring, deal):
    bring("contact_roles", "Opportunity id,Contact id", "O1,C1", "O1,C2")

    assert list(deal.roles.order_by("pk").values_list("is_primary", flat=True)) == [True, False]


def test_same_role_twice_in_the_file_is_skipped(bring, deal):
    result = bring("contact_roles", ROLES, "O1,C1,Evaluator,", "O1,C1,Blocker,")

    assert outcomes(result) == {"created": 1, "skipped": 1}


# -- whose the leads are ------------------------------------------------------------------------


@pytest.fixture
def rules(admin):
    """One rule for Germans, shared out between two people, and one for everybody else."""
    ann, bob, cay = (UserFactory(name=name) for name in ("Ann", "Bob", "Cay"))
    germans = {"all": [{"field": "country", "op": "in", "value": ["DE"]}]}
    RuleFactory(name="Germans", criteria=germans, queue=QueueFactory(members=[ann, bob]))
    RuleFactory(name="All", target_user=cay)


ASSIGN = {"options": {"assign": True}}
FROM_FILE = "External id,Last name,Country,Owner,Status"


def owners():
    return list(Lead.objects.order_by("pk").values_list("owner__name", "assigned_by_rule__name"))


def test_leads_of_a_file_are_assigned_only_if_that_is_ticked(bring, rules, clean):
    rows = ("L1,Lee,Germany", "L2,Oz,France", "L3,Ny,Germany", "L4,Ed,Germany")

    bring("leads", FROM_FILE, *rows[:1])
    result = bring("leads", FROM_FILE, *rows, document=ASSIGN)

    assert outcomes(result) == {"created": 3, "unchanged": 1}
    assert owners() == [
        ("Ada Admin", None), ("Cay", "All"), ("Ann", "Germans"), ("Bob", "Germans")
    ]  # fmt: skip
    assert clean() == []


def test_a_file_that_names_the_owner_is_not_overruled(bring, rules, rep):
    bring("leads", FROM_FILE, f"L1,Lee,Germany,{rep.email}", "L2,Oz,Germany,nobody@x.example",
          document=ASSIGN)  # fmt: skip

    assert owners() == [("Rae Rep", None), ("Ann", "Germans")]


def test_leads_that_are_closed_in_the_file_are_not_assigned(bring, rules):
    bring("leads", FROM_FILE, "L1,Lee,Germany,,Closed - Not Converted", document=ASSIGN)

    assert owners() == [("Ada Admin", None)]


def test_a_dry_run_takes_no_turn(bring, rules):
    bring("leads", FROM_FILE, "L1,Lee,Germany", document=ASSIGN, dry_run=True)
    bring("leads", FROM_FILE, "L1,Lee,Germany", document=ASSIGN)

    assert owners() == [("Ann", "Germans")]


def test_a_file_that_gives_a_lead_to_somebody_else_forgets_the_rule(bring, rules, rep):
    bring("leads", FROM_FILE, "L1,Lee,Germany", document=ASSIGN)

    bring("leads", FROM_FILE, f"L1,Lee,Germany,{rep.email}", document=ASSIGN)

    assert owners() == [("Rae Rep", None)]


def test_only_leads_are_assigned(bring):
    with pytest.raises(MappingRefused):
        bring("accounts", "Name", "One", document=ASSIGN)
