"""What stands in the way of taking back a change of users and teams: the rules of saving them."""

from django.dispatch import receiver
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.undo import Finding, build, undo_planned
from crm.administration.deactivation import open_records
from users.models import Team, User
from users.services import refuse_team, refuse_user

MODELS = {model._meta.label_lower: model for model in (User, Team)}


@receiver(undo_planned, dispatch_uid="crm.keep_the_rules_of_people")
def keep_the_rules_of_people(sender, *, plan, **kwargs):
    """
    What an undo does to users and teams obeys the rules of saving them.

    Nobody gives himself rights by it, an administrator remains, nobody stands below himself, and
    who can no longer log in owns nothing that is open.
    """
    for at, values in list(plan.state.items()):
        if at[0] not in MODELS or at in plan.skipped:
            continue
        stored = plan.present.get(at)
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
                refuse_user(row, stored, by=plan.by)
                row.check_manager()
                row.check_last_admin()
            else:
                refuse_team(row, stored, by=plan.by)
                row.check_parent()
        except DomainError as error:
            plan.stop(Finding("in_use", *at, str(error.message)))
        if isinstance(row, User) and stored is not None and stored.is_active > row.is_active:
            _keep_owners_active(plan, at, row)


def _keep_owners_active(plan, at, user):
    """Refuse to end a log-in by an undo while open records would be left with it."""
    for rows in open_records(user):
        label = rows.model._meta.label_lower
        for pk in rows.order_by("pk").values_list("pk", flat=True):
            values = plan.state.get((label, pk), {"owner": user.pk})
            if values is not None and values["owner"] == user.pk:
                text = _("Open records belong to the user. Deactivate him on his page.")
                plan.stop(Finding("in_use", *at, text))
                return
