"""
Links that stand for somebody: the invitation, and the two that change an e-mail address.

A link is signed, ends after some time, and works once: what it was signed for changes with its
use. Rule: docs/rules/access.md, section 9.
"""

from allauth.account.adapter import get_adapter
from django.core import signing
from django.core.mail import send_mail
from django.db.transaction import on_commit
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from core.errors import Conflict
from core.journal import Kind, Label, operation, retried
from core.records import lock
from users.models import EmailChange, User
from users.security import note

INVITATION_HOURS = 72
CHANGE_HOURS = 24
SIDES = ("old", "new")


class LinkEnded(Conflict):
    """The link was used before, or is too old."""


def _state(user):
    """What changes when the link is used: a first password, a log-in, another address."""
    facts = f"{user.pk} {user.password} {user.last_login} {user.email}"
    return salted_hmac("users.invitation", facts, algorithm="sha256").hexdigest()


def invitation_token(user):
    """What stands in the link of an invitation."""
    return signing.dumps([user.pk, _state(user)], salt="users.invitation")


def send_invitation(user, *, site):
    """Send ``user``, who has no password yet, a link to set one; ``site`` is our own address."""
    link = site + reverse("account_invitation", args=[invitation_token(user)])
    _send(user, user.email, "invitation", link=link, hours=INVITATION_HOURS)
    note("invited", of=f"user:{user.pk}")


def invited(token):
    """
    The user whom the link of an invitation stands for.

    :raises LinkEnded: it was used before, or is too old
    """
    pk, state = _loaded(token, "users.invitation", INVITATION_HOURS)
    user = User.objects.active().filter(pk=pk).first()
    if user is None or not constant_time_compare(state, _state(user)):
        raise LinkEnded(_("This link was used before, or is too old."))
    return user


def accept_invitation(token, *, password):
    """
    Give the invited user a first password; the link does not work again.

    :raises LinkEnded: it was used before, or is too old
    """
    user = invited(token)
    get_adapter().set_password(user, password)
    return user


def request_email_change(user, *, email, site):
    """
    Ask for another address: both it and the present one get a link, and both have to be used.

    A change that was asked for before is forgotten.
    """
    EmailChange.objects.filter(user=user).delete()
    change = EmailChange.objects.create(user=user, email=email, asked_at=timezone.now())
    for side, to in zip(SIDES, (user.email, change.email), strict=True):
        token = signing.dumps([change.pk, side], salt="users.email")
        link = site + reverse("account_confirm_email", args=[token])
        _send(user, to, "email_change", link=link, email=change.email, hours=CHANGE_HOURS)


def change_of(token):
    """
    The change of an address that a link belongs to, and its side.

    :raises LinkEnded: it was used, replaced, or is too old
    """
    pk, side = _loaded(token, "users.email", CHANGE_HOURS)
    change = EmailChange.objects.filter(pk=pk, user__is_active=True).select_related("user").first()
    if change is None or getattr(change, f"is_confirmed_{side}"):
        raise LinkEnded(_("This link was used before, or is too old."))
    return change, side


@retried
def confirm_email(token):
    """
    Confirm one side of a change; with the second one the address is changed.

    :returns: the change, and whether it is done
    :raises LinkEnded: the link was used, replaced, or is too old
    :raises Conflict: somebody else has the address by now
    """
    found, side = change_of(token)
    label = Label(gettext_noop("Changed the e-mail address of %(user)s"), user=found.user)
    with operation(Kind.EDIT, by=found.user, label=label):
        user = lock(User.objects.filter(pk=found.user_id)).order_by("pk").get()
        change, side = change_of(token)
        setattr(change, f"is_confirmed_{side}", True)
        change.save()
        is_done = change.is_confirmed_old and change.is_confirmed_new
        if is_done:
            user.email = change.email
            user.save()
            change.delete()
            on_commit(lambda: note("email_changed", user=user))
    return change, is_done


def _loaded(token, salt, hours):
    try:
        return signing.loads(token, salt=salt, max_age=hours * 3600)
    except (signing.BadSignature, ValueError) as error:
        raise LinkEnded(_("This link was used before, or is too old.")) from error


def _send(user, to, name, **context):
    """Send a mail in the user's language."""
    with override(user.locale or None):
        subject = render_to_string(f"account/email/{name}_subject.txt", context).strip()
        body = render_to_string(f"account/email/{name}_message.txt", {"user": user, **context})
    send_mail(subject, body, None, [to])
