import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from imports.models import ImportRun
from leads.models import Lead
from tests.factories.users import UserFactory
from users.models import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def command():
    """Run the command and give what it says: ``command("leads", path, dry_run=True)``."""

    def command(kind, path, **options):
        out = StringIO()
        call_command("import_records", kind, str(path), stdout=out, **options)
        return out.getvalue()

    return command


def test_import_records_tells_what_it_did(command, listed, admin, tmp_path):
    path = listed("Id,Last name,Email,Owner,Shoe size", "L1,Lee,,Jane,42", "L2,Oz,bad,,")

    said = command("leads", path)

    job = ImportRun.objects.get()
    assert Lead.objects.count() == 1
    assert "2 rows: 1 created, 0 updated, 0 unchanged, 0 skipped, 1 failed" in said
    assert "line 3, “Email”: “bad” is not a valid e-mail address" in said
    assert "Unknown owner “Jane” (1 rows)" in said
    assert "“Shoe size” (1 filled): no field of that name" in said
    assert f"manage.py undo {job.operation_id}" in said
    assert (tmp_path / "list.result.csv").read_text(encoding="utf-8-sig").count("\n") == 3


def test_dry_run_writes_a_file_and_no_record(command, listed, admin, tmp_path):
    said = command("leads", listed("Last name", "Lee"), dry_run=True)

    assert "1 created" in said
    assert "would be" in said
    assert "undo" not in said
    assert (Lead.objects.count(), ImportRun.objects.count()) == (0, 0)
    assert (tmp_path / "list.dry-run.csv").exists()


def test_mapping_owner_map_and_arguments(command, listed, admin, rep, tmp_path):
    (tmp_path / "map.json").write_text(json.dumps({"columns": {"Who": "last_name"}}))
    (tmp_path / "owners.csv").write_text("owner;email\nJane;rae@example.com\n")
    path = listed("A list of leads", "Who;Owner", "Lee;Jane")

    command(
        "leads",
        path,
        map=str(tmp_path / "map.json"),
        owner_map=str(tmp_path / "owners.csv"),
        header_row=2,
        delimiter="semicolon",
        result=str(tmp_path / "out.csv"),
    )

    assert Lead.objects.values_list("last_name", "owner").get() == ("Lee", rep.pk)
    assert (tmp_path / "out.csv").exists()


def test_header_without_rows_says_so(command, listed, admin):
    assert "no rows: nothing to import" in command("leads", listed("Last name"))


def test_who_imports_must_be_clear(command, listed, admin):
    path = listed("Last name", "Lee")
    UserFactory(role=Role.ADMIN, email="second@example.com")

    with pytest.raises(CommandError, match="--user"):
        command("leads", path)
    with pytest.raises(CommandError, match="nobody@example.com"):
        command("leads", path, user="nobody@example.com")
    command("leads", path, user="second@example.com")

    assert Lead.objects.get().owner.email == "second@example.com"


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"", b"a;b\n1;2\n"])
def test_file_that_cannot_be_read_is_refused_in_words(command, admin, tmp_path, content):
    (tmp_path / "list.csv").write_bytes(content)

    with pytest.raises(CommandError):
        command("leads", tmp_path / "list.csv")

    assert ImportRun.objects.count() == 0


def test_import_that_is_not_there_cannot_go_on(command, listed, admin):
    with pytest.raises(CommandError, match="no import 7"):
        command("leads", listed("Last name", "Lee"), resume=7)


def test_rep_without_the_grant_is_refused(command, listed, rep):
    with pytest.raises(CommandError, match="can't import"):
        command("leads", listed("Last name", "Lee"), user=rep.email)
