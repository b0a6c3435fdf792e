from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from core.management.acting import acting_user
from imports.mapping import KINDS, read_document, read_owner_map
from imports.models import ImportRun, Outcome
from imports.reader import DELIMITERS
from imports.runs import import_file

SHOWN_COLUMNS = 15
SHOWN_NOTES = 10


class Command(BaseCommand):
    help = "Bring in accounts, contacts, relations, leads, opportunities or contact roles."

    def add_arguments(self, parser):
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("file", help="a CSV file; save workbooks as CSV first")
        parser.add_argument(
            "--map", metavar="FILE", help="a mapping: JSON, see docs/rules/imports.md"
        )
        parser.add_argument("--owner-map", metavar="FILE", help="owner at the source -> e-mail")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen only")
        parser.add_argument("--user", metavar="EMAIL", help="who imports; default: the only admin")
        parser.add_argument("--resume", metavar="IMPORT", type=int, help="go on with this import")
        parser.add_argument("--result", metavar="FILE", help="where the result file goes")
        parser.add_argument("--delimiter", help="comma, semicolon, tab, bar, backquote or a sign")
        parser.add_argument("--encoding", help="such as utf-8, cp1252, mac_roman, iso-8859-15")
        parser.add_argument("--header-row", type=int, help="the line that names the columns")

    def handle(self, *args, **options):
        path = Path(options["file"])
        try:
            result = import_file(
                path,
                options["kind"],
                by=acting_user(options["user"]),
                document=self.document(options),
                owner_map=read_owner_map(options["owner_map"]) if options["owner_map"] else None,
                dry_run=options["dry_run"],
                resume=self.run_to_resume(options["resume"]),
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        target = Path(options["result"] or self.default_target(path, dry_run=options["dry_run"]))
        self.describe(result)
        try:
            result.write(target)
        except OSError as error:
            raise CommandError(f"The result file can't be written: {error}.") from error
        self.stdout.write(f"Row by row: {target}")
        if result.job is not None:
            run = result.job.operation_id
            self.stdout.write(f"To take all of it back: manage.py undo {run}")

    def document(self, options):
        """The mapping file, with what the arguments say about reading the file."""
        document = read_document(options["map"]) if options["map"] else {}
        given = {name: options[name] for name in ("delimiter", "encoding", "header_row")}
        given = {name: value for name, value in given.items() if value is not None}
        if given:
            document = {**document, "options": {**document.get("options", {}), **given}}
        return document or (None if options["resume"] else {})

    def run_to_resume(self, pk):
        if pk is None:
            return None
        run = ImportRun.objects.filter(pk=pk).first()
        if run is None:
            raise CommandError(f"There is no import {pk}.")
        return run

    def default_target(self, path, *, dry_run):
        ending = "dry-run" if dry_run else "result"
        return path.with_name(f"{path.stem}.{ending}.csv")

    # -- in words -------------------------------------------------------------------------

    def describe(self, result):
        file, report = result.file, result.report
        separator = DELIMITERS.get(file.delimiter, file.delimiter)
        self.stdout.write(f"{file.path.name}: {file.encoding}, cells separated by {separator}.")
        for note in result.survey.notes:
            self.stdout.write(note)
        if not result.survey.rows:
            self.stdout.write("The file has a header and no rows: nothing to import.")
        counts = result.counts
        numbers = ", ".join(f"{counts[outcome]} {outcome.label}" for outcome in Outcome)
        verb = "would be" if result.job is None else "were"
        self.stdout.write(f"{sum(counts.values())} rows: {numbers} ({verb}).")
        self.describe_making(report)
        self.describe_errors(report, counts[Outcome.FAILED])
        self.describe_notes(report)
        self.describe_owners(report)
        self.describe_columns(result)

    def describe_making(self, report):
        if report.accounts_made:
            self.stdout.write(f"Accounts created by name: {len(report.accounts_made)}")
        for list_key, values in sorted(report.values_added.items()):
            self.stdout.write(f"Added to the list {list_key}: {', '.join(sorted(values))}")

    def describe_errors(self, report, failed):
        for line, column, message in report.errors:
            where = f"line {line}, “{column}”" if column else f"line {line}"
            self.stdout.write(f"  {where}: {message}")
        if failed > len(report.errors):
            self.stdout.write("  More of them in the result file.")

    def describe_notes(self, report):
        if report.noted:
            self.stdout.write(f"Rows that came in with a note: {report.noted}")
        for line, message in report.notes[:SHOWN_NOTES]:
            self.stdout.write(f"  line {line}: {message}")

    def describe_owners(self, report):
        for owner, count in report.unknown_owners.most_common():
            self.stdout.write(f"Unknown owner “{owner}” ({count} rows): you are the owner.")

    def describe_columns(self, result):
        columns = result.not_imported
        if columns:
            self.stdout.write("Columns that were not imported:")
        for name, reason, filled in columns[:SHOWN_COLUMNS]:
            self.stdout.write(f"  “{name}” ({filled} filled): {reason}")
        if len(columns) > SHOWN_COLUMNS:
            rest = ", ".join(name for name, _reason, _filled in columns[SHOWN_COLUMNS:])
            self.stdout.write(f"  and: {rest}")
