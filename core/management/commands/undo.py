from django.core.management.base import CommandError

from core.journal import Operation
from core.management.acting import ActingCommand
from core.undo import CannotUndo, undo


class Command(ActingCommand):
    help = "Take an operation back, or bring back what an undo took; its number is in the history."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument("operation", type=int)
        parser.add_argument(
            "--drop-later-edits",
            action="store_true",
            help="also take out records of it that were edited since",
        )

    def act(self, *, by, operation, drop_later_edits, **options):
        found = Operation.objects.filter(pk=operation).first()
        if found is None:
            raise CommandError(f"There is no operation {operation}.")
        try:
            done = self.take_back(found, by=by, drop_later_edits=drop_later_edits)
        except CannotUndo as refusal:
            self.describe(refusal.plan)
            raise CommandError(f"{refusal.message} Nothing was changed.") from refusal
        self.stdout.write(f"Undone. To bring it back: manage.py undo {done.pk}")

    def take_back(self, operation, *, by, drop_later_edits):
        try:
            return undo(operation, by=by)
        except CannotUndo as refusal:
            plan = refusal.plan
            if not drop_later_edits or plan is None or not plan.is_possible:
                raise
            accept = {(tick.model, tick.object_id) for tick in plan.ticks}
            return undo(operation, by=by, accept=accept)

    def describe(self, plan):
        """What stands in the way, and what would disappear, one line each."""
        if plan is None:
            return
        for finding in plan.in_the_way:
            self.stdout.write(f"In the way: {self.line(plan, finding)}")
        for finding in plan.ticks:
            self.stdout.write(f"Edited since: {self.line(plan, finding)}")
        if plan.ticks and plan.is_possible:
            self.stdout.write("With --drop-later-edits these edits disappear as well.")

    def line(self, plan, finding):
        at = finding.model, finding.object_id
        record = plan.present.get(at) or plan.met.get(at)
        kind = finding.model_class._meta.verbose_name
        name = f" “{record}”" if record is not None else ""
        return f"{kind} {finding.object_id}{name}: {finding.text}"
