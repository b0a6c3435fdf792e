"""
A backup that can be trusted, and its way back into an empty database.

A backup is a folder: the database as its own tool writes it, the files, and ``manifest.json``
with hashes, the number of rows of each table and the migrations it was made under. It comes into
being under another name and is renamed when it is whole. Rule: docs/admin/backup.md.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import ConnectionHandler, connection, connections, models
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from core.checks import snapshot
from core.errors import DomainError
from core.postgresql import export_snapshot
from crm.health import known_migrations

MANIFEST, FILES = "manifest.json", "files"
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
TOLD_SETTINGS = ("ALLOWED_HOSTS", "DEFAULT_FROM_EMAIL", "HTTPS", "TASK_ENGINE")
FORMAT = 1
OTHER = "other"  # the alias of a database that the settings don't name


class BackupRefused(DomainError):
    """The backup cannot be made or taken back as asked; the message says why."""


# -- making one -------------------------------------------------------------------------------


def back_up(folder):
    """
    Write database and files into the new ``folder``; returns what its manifest says.

    Others may go on working: all tables are those of one moment.

    :raises BackupRefused: if the folder exists, or the copy is not what was there
    """
    if folder.exists():
        raise BackupRefused(f"{folder} exists already.")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    rows = _copy_database(unfinished / DATABASES[connection.vendor])
    _copy_files(Path(default_storage.location), unfinished / FILES)
    manifest = {
        "format": FORMAT,
        "taken_at": timezone.now().isoformat(timespec="seconds"),
        "database": connection.vendor,
        "migrations": sorted(map(list, MigrationRecorder(connection).applied_migrations())),
        "rows": rows,
        "sha256": _hashes(unfinished),
        "settings": {name: getattr(settings, name) for name in TOLD_SETTINGS},
    }
    (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=2))
    unfinished.rename(folder)
    return manifest


def _copy_database(target):
    """Copy the database as of one moment; returns the number of rows of each table then."""
    with snapshot():
        rows = _rows_in(connection.alias)
        if connection.vendor == "postgresql":
            at = f"--snapshot={export_snapshot()}"
            _call("pg_dump", connection, "--format=custom", at, f"--file={target}")
            return rows
        with closing(sqlite3.connect(target)) as copy:
            connection.connection.backup(copy)
    with other_database({"ENGINE": "django.db.backends.sqlite3", "NAME": str(target)}):
        if rows != _rows_in(OTHER):
            raise BackupRefused("The copy of the database is not what was copied.")
    return rows


def _rows_in(alias):
    """The number of rows of each table: {label of its model: number}."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.proxy:
            found[model._meta.label_lower] = models.QuerySet(model).using(alias).count()
    return found


def _copy_files(source, target):
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)


def _hashes(folder):
    """The SHA-256 of each file: {path below the folder: hash}."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            found[str(path.relative_to(folder))] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


# -- taking one back --------------------------------------------------------------------------


def restore(folder, *, into, files=None):
    """
    Write the backup into the empty database ``into``, given as in Django's DATABASES.

    ``files`` is the new or empty folder for the files; without it they are left out. Returns
    what the manifest says. To bring the database up to date is left to ``migrate``.

    :raises BackupRefused: if the backup is damaged or of newer code, or a target is not empty
    """
    manifest = _trusted(folder)
    if files is not None and files.exists() and any(files.iterdir()):
        raise BackupRefused(f"{files} is not empty.")
    with other_database(into) as target:
        if target.vendor != manifest["database"]:
            raise BackupRefused(
                f"This is a backup of {manifest['database']}: name such a database."
            )
        if target.introspection.table_names():
            raise BackupRefused("The database is not empty.")
        _fill(target, folder / DATABASES[target.vendor])
        known = _rows_in(OTHER) if not _missing(manifest) else manifest["rows"]
        if wrong := {label for label, n in manifest["rows"].items() if known.get(label) != n}:
            raise BackupRefused(f"Rows are missing: {', '.join(sorted(wrong))}.")
    if files is not None:
        _copy_files(folder / FILES, files)
    return manifest


def _trusted(folder):
    """The manifest of a backup that is whole and that this code can read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise BackupRefused(f"{folder} is no backup.") from error
    newer = {tuple(key) for key in manifest["migrations"]} - known_migrations()
    if manifest["format"] > FORMAT or newer:
        raise BackupRefused("The backup was made by newer code: restore it by that.")
    found = _hashes(folder)
    del found[MANIFEST]
    if found != manifest["sha256"]:
        wrong = sorted({path for path, _hash in found.items() ^ manifest["sha256"].items()})
        raise BackupRefused(f"The backup is damaged: {', '.join(wrong)}.")
    return manifest


def _missing(manifest):
    """The migrations that the code has and the backup has not: its tables are other ones."""
    return known_migrations() - {tuple(key) for key in manifest["migrations"]}


def _fill(target, copy):
    if target.vendor == "postgresql":
        name = f"--dbname={target.settings_dict['NAME']}"
        whole = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
        _call("pg_restore", target, *whole, name, copy)
        return
    with closing(sqlite3.connect(copy)) as source:
        source.backup(target.connection)


# -- databases --------------------------------------------------------------------------------


@contextmanager
def other_database(found):
    """Have the database ``found``, given as in Django's DATABASES, under the alias OTHER."""
    database = ConnectionHandler({"default": found})["default"]
    database.alias = OTHER
    connections[OTHER] = database
    try:
        database.ensure_connection()
        yield database
    finally:
        database.close()
        del connections[OTHER]


def _call(program, database, *options):
    """Run one of PostgreSQL's programs on the database; its password is in no list of processes."""
    found = database.settings_dict
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
    server = {variable: str(found[name]) for name, variable in names.items() if found[name]}
    if mode := found["OPTIONS"].get("sslmode"):
        server["PGSSLMODE"] = mode
    try:
        done = subprocess.run(
            [program, *options],
            env=os.environ | server | {"PGDATABASE": found["NAME"]},
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        message = f"{program} is missing: install the client programs of PostgreSQL."
        raise BackupRefused(message) from error
    if done.returncode:
        raise BackupRefused(f"{program}: {done.stderr.strip()}")
