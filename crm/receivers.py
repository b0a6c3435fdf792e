"""What stands in the way of taking back a change of users and teams: the rules of saving them."""

from django.dispatch import receiver

from core.errors import Conflict
from core.undo import Finding, build, undo_planned
from users.models import Team, User

MODELS = {model._meta.label_lower: model for model in (User, Team)}


@receiver(undo_planned, dispatch_uid="crm.keep_the_rules_of_people")
def keep_the_rules_of_people(sender, *, plan, **kwargs):
    """An administrator remains, and nobody stands below himself, after an undo as after a save."""
    for at, values in list(plan.state.items()):
        if at[0] not in MODELS or at in plan.skipped:
            continue
        if values is None:  # who goes does not administer any more
            values = {
                **(plan.before(at) or {}),
                "is_active": False,
                "manager": None,
                "parent": None,
            }
        row = build(MODELS[at[0]], at[1], values)
        try:
            if isinstance(row, User):
                row.check_manager()
                row.check_last_admin()
            else:
                row.check_parent()
        except Conflict as error:
            plan.stop(Finding("in_use", *at, str(error.message)))
