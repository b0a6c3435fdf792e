import platform
import shutil
import sqlite3
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand, SystemCheckError
from django.db import Error, connection

from crm.health import known_migrations, pending_migrations

ENOUGH = 2 * 1024**3  # bytes; an upgrade writes a backup and rewrites tables


class Command(BaseCommand):
    help = (
        "Look whether an upgrade can be dared: settings, room on the disk, versions, pending "
        "migrations, invariants. Changes nothing; exit status 1 if anything speaks against it."
    )
    requires_system_checks = ()

    def handle(self, *args, **options):
        self.doubts = []
        self.say("code", f"Python {platform.python_version()}, Django {django.__version__}")
        self.settings()
        self.room()
        if self.database():
            self.data()
        if self.doubts:
            self.stdout.write(f"Not ready: {', '.join(self.doubts)}.")
            sys.exit(1)
        self.stdout.write("Ready.")

    def say(self, name, text, *, is_good=True):
        if not is_good:
            self.doubts.append(name)
        self.stdout.write(f"{name:<12}{'' if is_good else '! '}{text}")

    def settings(self):
        try:
            call_command("check", deploy=settings.HTTPS, fail_level="WARNING", stdout=self.stderr)
            self.say("settings", "are sound")
        except SystemCheckError as error:
            self.say("settings", str(error).strip(), is_good=False)

    def room(self):
        folders = {_present(Path(default_storage.location))}
        if connection.vendor == "sqlite":
            folders.add(Path(connection.settings_dict["NAME"]).resolve().parent)
        free = min(shutil.disk_usage(folder).free for folder in folders)
        self.say("disk", f"{free / 1024**3:.1f} GB are free", is_good=free >= ENOUGH)

    def database(self):
        try:
            pending = pending_migrations()
        except Error:
            self.say("database", "does not answer", is_good=False)
            return False
        self.say("database", _version())
        names = ", ".join(".".join(key) for key in pending) or "none"
        self.say("migrations", f"{names} pending, {len(known_migrations())} in all")
        return not pending

    def data(self):
        """The code's invariants can be asked of a database with its tables only."""
        try:
            call_command("check_data", stdout=self.stderr)
            self.say("data", "all invariants hold")
        except SystemExit:
            self.say("data", "offends invariants", is_good=False)


def _version():
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with connection.temporary_connection():
        number = connection.pg_version
    return f"PostgreSQL {number // 10000}.{number % 10000}"


def _present(folder):
    """The folder, or the nearest one above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder
