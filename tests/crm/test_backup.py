import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, connections, models

from core.journal import Kind, Label, operation
from crm.backup import OTHER, back_up, other_database, restore
from crm.demo import PASSWORD
from crm.management.commands.restore import database_of
from leads.models import Lead, Phase
from tests.factories.leads import LeadFactory
from users.models import Role, User

ROOT = Path(__file__).parents[2]
COMMITTED = pytest.mark.django_db(transaction=True)


@pytest.fixture
def empty(tmp_path):
    """The URL of an empty database of the same kind as the test's own."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/restored.sqlite3"
        return
    name = f"restored_{os.getpid()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    yield f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def files(tmp_path, settings):
    """The folder of the product's files, with one in it."""
    folder = tmp_path / "files"
    (folder / "a").mkdir(parents=True)
    (folder / "a/offer.txt").write_text("42")
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = settings.STORAGES | {
        "default": {**storage, "OPTIONS": {"location": str(folder)}}
    }
    return folder


@COMMITTED
def test_backup_comes_back_with_every_row_and_file(tmp_path, empty, files, rep, settings):
    settings.SECRET_KEY = "the key of this test"
    lead = LeadFactory(owner=rep, last_name="Bergström")
    before = rows_of("default")

    call_command("backup", tmp_path / "monday")
    call_command("restore", tmp_path / "monday", into=empty, files=tmp_path / "elsewhere")

    with other_database(database_of(empty)):
        assert rows_of(OTHER) == before
        assert models.QuerySet(Lead).using(OTHER).get().last_name == lead.last_name
    assert (tmp_path / "elsewhere/a/offer.txt").read_text() == "42"
    manifest = (tmp_path / "monday/manifest.json").read_text()
    assert json.loads(manifest)["rows"]["leads.lead"] == 1
    assert "the key of this test" not in manifest
    assert (tmp_path / "monday").stat().st_mode & 0o777 == 0o700


@COMMITTED
def test_a_backup_that_was_changed_is_refused(tmp_path, empty, files):
    back_up(tmp_path / "monday")
    (copy,) = (tmp_path / "monday").glob("database.*")
    with copy.open("r+b") as file:
        file.seek(5000)
        file.write(b"changed")

    with pytest.raises(CommandError, match=f"damaged: {copy.name}"):
        call_command("restore", tmp_path / "monday", into=empty)

    with other_database(database_of(empty)) as target:
        assert target.introspection.table_names() == []


@COMMITTED
def test_a_backup_that_lost_a_file_is_refused(tmp_path, empty, files):
    back_up(tmp_path / "monday")
    shutil.rmtree(tmp_path / "monday/files")

    with pytest.raises(CommandError, match=r"damaged: files/a/offer\.txt"):
        call_command("restore", tmp_path / "monday", into=empty)


@COMMITTED
def test_a_backup_of_newer_code_is_refused(tmp_path, empty):
    back_up(tmp_path / "monday")
    path = tmp_path / "monday/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["migrations"].append(["leads", "9999_of_next_year"])
    path.write_text(json.dumps(manifest))

    with pytest.raises(CommandError, match="newer code"):
        call_command("restore", tmp_path / "monday", into=empty)


@COMMITTED
def test_nothing_is_restored_over_anything(tmp_path, empty, files):
    back_up(tmp_path / "monday")
    restore(tmp_path / "monday", into=database_of(empty))

    with pytest.raises(CommandError, match="not empty"):
        call_command("restore", tmp_path / "monday", into=empty)
    with pytest.raises(CommandError, match="files is not empty"):
        call_command("restore", tmp_path / "monday", into=empty, files=files)
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", tmp_path / "monday")


def test_what_is_no_backup_is_refused(tmp_path):
    with pytest.raises(CommandError, match="is no backup"):
        call_command("restore", tmp_path, into=f"sqlite:///{tmp_path}/restored.sqlite3")


@COMMITTED
def test_a_backup_that_failed_leaves_no_folder_that_looks_like_one(tmp_path, files):
    (files / "a/offer.txt").unlink()
    (files / "a/offer.txt").symlink_to(tmp_path / "nowhere")

    with pytest.raises(shutil.Error):
        back_up(tmp_path / "monday")

    assert not (tmp_path / "monday").exists()


# -- the drill --------------------------------------------------------------------------------


@pytest.mark.drill
@COMMITTED
def test_drill(tmp_path, empty, files):
    """The sample organisation, backed up while 200 leads are written, goes on elsewhere."""
    call_command("load_demo", verbosity=0)
    admin = User.objects.active().filter(role=Role.ADMIN).order_by("pk")[0]
    before = rows_of("default")
    written = Writer(admin)
    written.start()
    manifest = back_up(tmp_path / "monday")
    written.join()

    call_command("restore", tmp_path / "monday", into=empty, files=tmp_path / "elsewhere")

    with other_database(database_of(empty)):
        after = rows_of(OTHER)
        lead = models.QuerySet(Lead).using(OTHER).filter(phase=Phase.WORKING).order_by("pk")[0]
    assert {label: len(rows) for label, rows in after.items()} == manifest["rows"]
    assert len(before["leads.lead"]) <= manifest["rows"]["leads.lead"] <= Lead.objects.count()
    for label, rows in before.items():
        assert set(map(repr, rows)) <= set(map(repr, after[label])), label
    assert elsewhere(empty, sys.executable, "-c", LOG_IN, admin.email, PASSWORD) == "200\n"
    assert "onverted" in elsewhere(
        empty, sys.executable, "manage.py", "convert_lead", str(lead.pk), "--user", admin.email
    )
    elsewhere(empty, sys.executable, "manage.py", "check_data", "--full")


class Writer(threading.Thread):
    """Writes 200 leads, one operation each, while others do something else."""

    def __init__(self, user):
        super().__init__()
        self.user = user

    def run(self):
        for number in range(200):
            with operation(Kind.EDIT, by=self.user, label=Label("")):
                LeadFactory(owner=self.user, last_name=f"Writer {number}")
        connections.close_all()


LOG_IN = """
import sys, django
django.setup()
from django.test import Client
client = Client(SERVER_NAME="localhost")
client.post("/login/", {"username": sys.argv[1], "login": sys.argv[1], "password": sys.argv[2]})
print(client.get("/leads/").status_code)
"""


def elsewhere(url, *command):
    """What a command says that runs with the database at the URL."""
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "crm.settings"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows_of(alias):
    """All rows of all tables: {label: [rows by key]}."""
    return {
        model._meta.label_lower: list(
            models.QuerySet(model).using(alias).order_by("pk").values_list()
        )
        for model in apps.get_models(include_auto_created=True)
    }
