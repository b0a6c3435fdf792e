"""
Sharing one record beyond what the rules allow: with whom, how far, until when.

The team of a deal is what shares are for other records. Rule: docs/rules/access.md, section 6.
"""

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core.errors import Invalid
from core.journal import Kind, Label, operation, retried
from core.models import Organisation
from core.reach import Access, Scope, Verb, above, may, require, uncapped
from core.records import lock, remove
from core.services import locked
from users.models import User

__all__ = [
    "EndsInPast",
    "GranteeInactive",
    "OwnsIt",
    "end_share",
    "save_share",
    "shares_of",
    "who_can",
]


class GranteeInactive(Invalid):
    """The chosen user can no longer log in."""


class OwnsIt(Invalid):
    """The chosen user owns the record, so there is nothing to share."""


class EndsInPast(Invalid):
    """The last day of the share is over."""


def shares_of(record):
    """With whom ``record`` is shared, by name; those that have ended are among them."""
    rows = record.shares.select_related("user", "team", "created_by")
    return rows.order_by("user__name", "team__name", "pk")


def who_can(verb, record):
    """Who may view or edit ``record`` beside those it is shared with, and why: a line each."""
    model, owner = type(record), record.owner
    things = model._meta.verbose_name_plural
    if may(owner, verb, model):
        yield _("%(owner)s, who owns it") % {"owner": owner}
    if people := [str(person) for person in above(owner) if may(person, verb, model)]:
        yield _("%(people)s, above %(owner)s") % {"people": ", ".join(people), "owner": owner}
    yield _("Administrators")
    if getattr(record, "is_private", False):
        return
    default = "read" if verb == Verb.VIEW else "edit"
    reach = getattr(Organisation.current(), f"{model.access}_{default}")
    if reach == Scope.TEAM and owner.team_id is not None:
        yield _("The team %(team)s, as far as the roles allow it") % {"team": owner.team}
    elif reach == Scope.ALL:
        yield _("Everybody whose role allows it")
    if roles := [str(role.label) for role in uncapped(model, verb)]:
        values = {"roles": capfirst(", ".join(roles)), "things": things}
        if verb == Verb.VIEW:
            yield _("%(roles)s: they see all %(things)s") % values
        else:
            yield _("%(roles)s: certain fields of all %(things)s") % values


@retried
def save_share(share, *, by, key=None):
    """
    Share a record, or change how far and how long it is shared; the share is saved by this.

    ``until`` is the last day, in the organisation's time zone.

    :raises NotAllowed: ``by`` neither owns the record nor stands above its owner, or would give
        more than he has
    :raises OwnsIt: with whom it is shared owns it
    :raises GranteeInactive: with whom it is shared can no longer log in
    :raises EndsInPast: its last day is over
    """
    record, is_new = share.record, share._state.adding
    text = gettext_noop("Shared %(record)s with %(grantee)s")
    if not is_new:
        text = gettext_noop("Changed how %(record)s is shared with %(grantee)s")
    label = Label(text, record=record, grantee=share.grantee)
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        if share.user_id is not None:
            user = lock(User.objects.filter(pk=share.user_id)).order_by("pk").get()
            _refuse_grantee(user, record)
        record = locked(record, by=by, verb=Verb.SHARE)
        if share.level == Access.EDIT:
            require(by, Verb.EDIT, record)
        if share.until is not None and share.until < Organisation.current().today():
            raise EndsInPast(_("The last day is over already."), field="until")
        if is_new:
            share.pk, share._state.adding = None, True  # also when this is tried again
        share.save()
        op.location = record.get_absolute_url()
    return share


def _refuse_grantee(user, record):
    if not user.is_active:
        message = _("%(user)s is not active any more. Choose somebody else.") % {"user": user}
        raise GranteeInactive(message, field="user")
    if user.pk == record.owner_id:
        message = _("%(user)s owns it and needs no share.") % {"user": user}
        raise OwnsIt(message, field="user")


@retried
def end_share(share, *, by, key=None):
    """
    Stop sharing a record with somebody.

    :raises NotAllowed: ``by`` neither owns the record nor stands above its owner
    """
    label = Label(
        gettext_noop("Stopped sharing %(record)s with %(grantee)s"),
        record=share.record,
        grantee=share.grantee,
    )
    with operation(Kind.EDIT, by=by, label=label, key=key) as op:
        record = locked(share.record, by=by, verb=Verb.SHARE)
        row = lock(type(share).objects.filter(pk=share.pk)).order_by("pk").get()
        remove([row])
        op.location = record.get_absolute_url()
    return record
