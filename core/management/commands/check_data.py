"""Ask every invariant of the data; the exit status is 1 if a row offends one."""

import json
import sys

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext_noop

from core.checks import all_checks, snapshot
from core.journal import Kind, Label, operation
from core.once import request_cache


class Command(BaseCommand):
    help = "Ask whether all data is as it must be: one line for each row that is not."

    def add_arguments(self, parser):
        parser.add_argument("--only", default="", help="numbers of invariants: I07,I15")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument(
            "--full", action="store_true", help="ask costly questions of all rows, not of 1 %%"
        )
        parser.add_argument(
            "--fix", default="", help="recompute derived values of these invariants: I11,I30"
        )

    def handle(self, **options):
        only, fix = _numbers(options["only"]), _numbers(options["fix"])
        checks = all_checks({*only, *fix} if only or fix else ())
        known = {check.id for check in all_checks()}
        if unknown := sorted((only | fix) - known):
            raise CommandError(f"There is no invariant {', '.join(unknown)}.")
        if stuck := sorted(fix - {check.id for check in checks if check.repair}):
            raise CommandError(f"Nothing of {', '.join(stuck)} can be recomputed.")
        found = []
        with request_cache(), snapshot():
            for check in checks:
                for offence in check.offences(full=options["full"]):
                    found.append(offence)
                    self.stdout.write(_line(offence, as_json=options["json"]))
        if fix:
            self._repair([o for o in found if o.check.id in fix])
        elif found:
            sys.exit(1)

    def _repair(self, offences):
        label = Label(gettext_noop("Recomputed derived values"))
        with operation(Kind.EDIT, by=None, label=label):
            for repair in {offence.check.repair for offence in offences}:
                mine = [o for o in offences if o.check.repair is repair]
                repair({(offence.label, offence.pk) for offence in mine})
        self.stderr.write(f"Recomputed {len(offences)} rows.")


def _numbers(text):
    return {part.strip().upper() for part in text.split(",") if part.strip()}


def _line(offence, *, as_json):
    if not as_json:
        return str(offence)
    values = {"check": offence.check.id, "model": offence.label, "id": offence.pk}
    return json.dumps({**values, "rule": offence.check.rule})
