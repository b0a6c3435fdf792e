from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from crm.backup import back_up


class Command(BaseCommand):
    help = "Write database and files into a new folder, while people go on working."

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="a folder that does not exist yet")

    def handle(self, *args, folder, **options):
        try:
            manifest = back_up(folder)
        except DomainError as error:
            raise CommandError(str(error)) from error
        rows, files = sum(manifest["rows"].values()), len(manifest["sha256"]) - 1
        self.stdout.write(f"{folder}: {rows:,} rows and {files:,} files.")
