"""The saved views that a user is offered, and how many records each of them finds."""

from django.utils.translation import gettext_noop

from core.filtering import FilterRefused, parse
from core.journal import Kind, Label, operation, retried
from core.models import SavedView
from core.once import once
from core.prepared import prepared
from core.reach import Verb, audience, may, reach_of, require
from core.records import lock, remove
from core.tables import COUNT_LIMIT

PINNED = 12


def views_for(user):
    """All views that ``user`` is offered: his own and those shared with him; once a request."""

    return once(("views", user.pk), lambda: _views(audience(reach_of(user))))


@prepared
def _views(offered):
    return SavedView.objects.filter(offered).select_related("owner").order_by("name", "pk")


def views_of(model, user):
    """The views of one list that ``user`` is offered, by name."""
    return [view for view in views_for(user) if view.model == model._meta.label_lower]


def pinned_for(user):
    """The pinned views that stand in the navigation of ``user``."""
    found = (view for view in views_for(user) if view.is_pinned)
    return [view for view in found if may(user, "view", view.model_class)][:PINNED]


def count(view, user):
    """How many records the list of ``view`` shows, up to the limit; None if it can't be asked."""
    model = view.model_class
    try:
        where = parse(model, view.filter, by=user).q
    except FilterRefused:
        return None
    rows = model.objects.live().visible_to(user).filter(where)
    return rows.order_by()[: COUNT_LIMIT + 1].count()


@retried
def remove_view(view, *, by, key=None):
    """
    Remove a saved view; the undo of the operation brings it back.

    :raises NotAllowed: it is another user's
    """
    label = Label(gettext_noop("Removed the view “%(name)s”"), name=view.name)
    with operation(Kind.REMOVE, by=by, label=label, key=key):
        view = lock(SavedView.objects.visible_to(by).filter(pk=view.pk)).order_by("pk").get()
        require(by, Verb.EDIT, view)
        remove([view])
    return view
