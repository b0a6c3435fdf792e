"""Who can be given leads at all."""

from django.utils.translation import gettext as _

from core import display
from core.reach import MATRIX, Scope, Verb
from users.models import Role

ROLES = tuple(
    role for role in Role if MATRIX["lead"].get((role, Verb.EDIT), (Scope.NONE, ""))[0] > Scope.NONE
)
"""The roles that work on leads; nobody else can own one in earnest."""


def why_not_taken(user, *, today):
    """Why ``user`` is given no leads on the day ``today``, in words; "" if he is."""
    if not user.is_active:
        return _("%(user)s is not active any more.") % {"user": user}
    if user.role not in ROLES:
        return _("%(user)s does not work on leads.") % {"user": user}
    if user.is_away(today=today):
        day = display.day(user.out_of_office_until)
        return _("%(user)s is out of office until %(day)s.") % {"user": user, "day": day}
    return ""


def refuse_taker(errors, name, user):
    """Refuse, in ``errors`` under ``name``, a user who can never be given leads."""
    if not user.is_active:
        message = _("%(owner)s is not active any more. Choose somebody else.")
        errors.setdefault(name, []).append(message % {"owner": user})
    elif user.role not in ROLES:
        message = _("%(user)s does not work on leads.") % {"user": user}
        errors.setdefault(name, []).append(message)
