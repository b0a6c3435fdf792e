"""What imports have to say about the news of others."""

from django.dispatch import receiver
from django.utils.translation import gettext as _

from core.errors import Conflict
from core.undo import undo_planned
from imports.models import ImportRun


class StillRunning(Conflict):
    """The import is not finished; what it does can't be taken back meanwhile."""


@receiver(undo_planned, dispatch_uid="imports.refuse_undo_of_running")
def refuse_undo_of_running(sender, *, plan, **kwargs):
    """Refuse to take back what a running import has written so far."""
    run = plan.operation.run_id or plan.operation.pk
    if ImportRun.objects.filter(operation=run, state=ImportRun.State.RUNNING).exists():
        raise StillRunning(_("This import is still running. Wait until it is finished."))
