"""The invariants of imports."""

from datetime import timedelta

from django.db.models import Count, F
from django.utils import timezone

from core.checks import check, offending
from imports.models import ImportRun

LONGEST_SILENCE = timedelta(hours=1)


@check("I34")
def import_runs_have_an_outcome_for_each_row():
    """The rows of an import are as many as its counts say, each with one outcome."""
    counted = ImportRun.objects.annotate(told=Count("rows"))
    yield from offending(counted.exclude(told=F("done")))


@check("I29")
def import_runs_move():
    """No import says that it is running for an hour without progress."""
    silent = timezone.now() - LONGEST_SILENCE
    running = ImportRun.objects.filter(state=ImportRun.State.RUNNING)
    yield from offending(running.filter(moved_at__lt=silent))
