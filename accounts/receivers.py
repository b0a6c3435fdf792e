"""What the accounts have to say about the undo of others."""

from django.db import models
from django.dispatch import receiver
from django.utils.translation import gettext as _

from accounts.models import Account
from core.undo import Finding, undo_planned

LABEL = Account._meta.label_lower


@receiver(undo_planned, dispatch_uid="accounts.refuse_places")
def refuse_places(sender, *, plan, **kwargs):
    """Let no undo put an account where no move could put it: in a circle, at a private person."""
    places = _Places(plan)
    for at, values in list(plan.state.items()):
        if at[0] != LABEL or values is None or at in plan.skipped:
            continue
        before = plan.before(at) or {}
        moves = values["parent"] is not None and before.get("parent") != values["parent"]
        if moves and places.is_circle(at[1]):
            plan.stop(Finding("changed", *at, _("It would be below itself."), "parent"))
        elif moves and places.of(values["parent"])["kind"] == Account.Kind.INDIVIDUAL:
            message = _("What it belonged to is a private person now.")
            plan.stop(Finding("changed", *at, message, "parent"))
        elif values["kind"] == Account.Kind.INDIVIDUAL and before.get("kind") != values["kind"]:
            if places.has_children(at[1]):
                message = _("It has accounts below by now.")
                plan.stop(Finding("changed", *at, message, "kind"))


class _Places:
    """Parents and kinds as a planned undo would leave them."""

    def __init__(self, plan):
        self.plan = plan
        self.stored = {}

    def of(self, pk):
        for known in (self.plan.state, self.plan.left):
            if known.get((LABEL, pk)) is not None:
                return known[LABEL, pk]
        if pk not in self.stored:
            rows = models.QuerySet(Account).filter(pk=pk)
            found = rows.values("parent", "kind").first()
            self.stored[pk] = found or {"parent": None, "kind": Account.Kind.BUSINESS}
        return self.stored[pk]

    def is_circle(self, pk):
        seen = set()
        while pk is not None and pk not in seen:
            seen.add(pk)
            pk = self.of(pk)["parent"]
        return pk is not None

    def has_children(self, pk):
        children = models.QuerySet(Account).filter(parent=pk).values_list("pk", flat=True)
        return any(self.of(child)["parent"] == pk for child in children.order_by("pk"))
