import os
import subprocess
import sys
from pathlib import Path

import environ
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from crm.backup import restore


class Command(BaseCommand):
    help = (
        "Write a backup into an empty database, bring it up to date and ask all invariants of it."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="the folder that backup wrote")
        parser.add_argument(
            "--into", required=True, metavar="URL", help="an empty database, as in DATABASE_URL"
        )
        parser.add_argument(
            "--files", type=Path, help="a new or empty folder for the files; else they are left out"
        )

    def handle(self, *args, folder, into, files, **options):
        try:
            manifest = restore(folder, into=database_of(into), files=files)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{sum(manifest['rows'].values()):,} rows of {manifest['taken_at']}.")
        self.manage(into, "migrate", "--no-input", "--verbosity=0")
        self.manage(into, "check_data", "--full")
        self.stdout.write("All invariants hold. Set DATABASE_URL to it and start the server.")

    def manage(self, url, *command):
        """Run a command of the product on the restored database."""
        done = subprocess.run(
            [sys.executable, settings.BASE_DIR / "manage.py", *command],
            env=os.environ | {"DATABASE_URL": url},
            stdout=self.stdout,
        )
        if done.returncode:
            raise CommandError(f"{command[0]} failed on the restored database.")


def database_of(url):
    """The settings of the database that the URL names; SQLite makes its file anew."""
    try:
        return environ.Env.db_url_config(url)
    except (ValueError, ImproperlyConfigured) as error:
        raise CommandError("--into is a URL as in DATABASE_URL.") from error
