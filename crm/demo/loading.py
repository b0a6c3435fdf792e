"""Writing the sample organisation as one run of the journal, which can be undone as a whole."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core.errors import Conflict
from core.journal import Kind, Label, Operation, operation, start_run
from core.once import forget, request_cache
from core.undo import is_undone
from crm.demo.people import make_people
from crm.demo.story import tell


class AlreadyLoaded(Conflict):
    """The sample organisation is in the database; ``run`` is what brought it."""

    def __init__(self, message, *, run):
        super().__init__(message)
        self.run = run


@dataclass(frozen=True)
class Loaded:
    """The run that brought the sample organisation, and how many operations it has."""

    run: Operation
    operations: int


def loaded_run():
    """The run whose sample organisation is in the database, or None."""
    runs = Operation.objects.filter(kind=Kind.DEMO, run=None).order_by("-pk")
    return next((run for run in runs if not is_undone(run)), None)


def load(*, now=None):
    """
    Write the sample organisation; gives what was loaded.

    The same records each time, with dates counted back from ``now``. Users and teams stand
    outside the run: they stay when it is undone, as users always do, and are found again.

    :raises AlreadyLoaded: it is there, or a part of it after a failure
    """
    if (run := loaded_run()) is not None:
        message = _("The sample organisation is loaded already. To remove it: manage.py undo %s")
        raise AlreadyLoaded(message % run.pk, run=run)
    with request_cache():
        people = make_people()
        events = tell(people, now or timezone.now())
        label = Label(gettext_noop("Loaded the sample organisation"))
        run = start_run(Kind.DEMO, by=people["nadia"], label=label)
        for event in events:
            with operation(event.kind, by=event.by, label=event.label, run=run) as op:
                op.at = event.at  # the sample organisation has a past
                event.do(op)
        forget()
    return Loaded(run, len(events))
