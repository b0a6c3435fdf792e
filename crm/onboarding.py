"""The first steps of a new user: a list for his role that ticks itself from the data."""

from dataclasses import dataclass

from django.db.models import Exists
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from core.batches import Assign
from core.journal import Kind, Label, Operation, operation, retried
from core.models import Organisation
from core.prepared import prepared
from core.records import lock
from core.services import ASSIGNED
from leads.models import Conversion, Lead, Phase
from users.models import Role, User

LEADS = 5


@dataclass(frozen=True)
class Step:
    """One thing to do: what, why, on which page; ``done(key)`` the rows that prove it of a user."""

    name: str
    label: str
    text: str
    page: str
    done: object

    @property
    def url(self):
        return reverse(self.page)


def _did(key, **how):
    return Operation.objects.filter(actor=key, **how)


ADD = Step(
    "add",
    _("Add five leads"),
    _("A lead is somebody who may be interested. A name and a company are enough."),
    "leads:lead_create",
    lambda key: Lead.objects.filter(owner=key).order_by("pk")[LEADS - 1 : LEADS],
)
QUALIFY = Step(
    "qualify",
    _("Qualify one of them"),
    _("Answer interest, budget and timeline on its page, then set the status."),
    "leads:lead_list",
    # Live ones only: of these an index has the phases. Else all leads may be read for none.
    lambda key: Lead.objects.live().filter(owner=key, phase__in=[Phase.QUALIFIED, Phase.CONVERTED]),
)
CONVERT = Step(
    "convert",
    _("Convert a lead"),
    _("It becomes an account, a contact and a deal. You see beforehand what will happen."),
    "leads:lead_list",
    lambda key: Conversion.objects.filter(converted_by=key),
)
TAKE_BACK = Step(
    "take_back",
    _("Take something back"),
    _("Everything that you did stands in the history, each with its Undo."),
    "core:history",
    lambda key: _did(key, kind=Kind.UNDO),
)
ASSIGN = Step(
    "assign",
    _("Give a lead to somebody"),
    _("“Assign to someone” in the menu of its page. The new owner finds it on the start page."),
    "leads:lead_list",
    lambda key: _did(key, label__message__in=[ASSIGNED, Assign.message]),
)
ORGANISATION = Step(
    "organisation",
    _("Say who you are"),
    _("Name, currency, time zone and fiscal year decide how everybody’s figures read."),
    "core:organisation_update",
    lambda key: Organisation.objects.filter(pk=1, version__gt=1),
)
PEOPLE = Step(
    "people",
    _("Add the people who work with you"),
    _("A role says what each of them may do, a team whose records they see."),
    "administration:user_create",
    lambda key: User.objects.exclude(pk=key),
)
FILL = Step(
    "fill",
    _("Bring in leads, or sample data to play with"),
    _("Sample data comes in one step and goes in one, without a trace."),
    "administration:sample_data",
    lambda key: Lead.objects.all(),
)

SELLING = (ADD, QUALIFY, CONVERT, TAKE_BACK)
STEPS = {
    Role.ADMIN: (ORGANISATION, PEOPLE, FILL, CONVERT, TAKE_BACK),
    Role.MANAGER: (ASSIGN, QUALIFY, CONVERT, TAKE_BACK),
    Role.REP: SELLING,
    Role.SDR: (ADD, QUALIFY, ASSIGN, TAKE_BACK),
}


@dataclass(frozen=True)
class Progress:
    """The steps of a user, each with whether it is done."""

    steps: tuple

    @property
    def is_done(self):
        return all(is_done for _step, is_done in self.steps)

    @property
    def next(self):
        """The first step that is not done; None after the last."""
        return next((step for step, is_done in self.steps if not is_done), None)

    @property
    def count(self):
        return sum(is_done for _step, is_done in self.steps)


def first_steps(user):
    """The Progress of ``user``, in one statement; None if the role has none or he hid them."""
    steps = STEPS.get(user.role, ())
    if not steps or not user.shows_first_steps:
        return None
    (done,) = _done(user.pk, role=user.role)
    return Progress(tuple(zip(steps, done, strict=True)))


@prepared
def _done(key, *, role):
    wanted = [Exists(step.done(key)) for step in STEPS[role]]
    return User.objects.filter(pk=key).values_list(*wanted)


@retried
def hide_first_steps(user, *, key=None):
    """Show the first steps no longer; undone, they come back."""
    label = Label(gettext_noop("Hid the first steps"))
    with operation(Kind.EDIT, by=user, label=label, key=key) as op:
        row = lock(User.objects.filter(pk=user.pk)).order_by("pk").get()
        row.shows_first_steps = False
        row.save(update_fields=["shows_first_steps"])
        op.location = "/"
    return op.row
