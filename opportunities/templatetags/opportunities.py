"""What other pages show of deals: those of an account and those of a person."""

from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import inside
from core import reach
from core.once import once
from core.prepared import prepared
from core.reach import Verb, where
from core.views.base import Action
from opportunities.models import Opportunity, OpportunityContactRole

register = template.Library()

SHOWN = 10
SHOWN_OF_DEALS = ("name", "close_date", "amount", "currency", "account__name", "stage__name")


@register.simple_tag(takes_context=True)
def add_deal(context, *, account=None, contact=None):
    """
    The Action that begins a deal with an account or a person; None if the user may not.

    ``{% add_deal account=account as action %}``
    """
    user = context["request"].user
    if context.get("is_archived") or not reach.may(user, Verb.CREATE, Opportunity):
        return None
    named = {"account": account, "contact": contact}
    query = urlencode({name: record.pk for name, record in named.items() if record is not None})
    url = reverse("opportunities:opportunity_create")
    return Action(_("Add deal"), f"{url}?{query}" if query else url, "plus")


def may_look(user):
    """Whether ``user`` may see any deal at all; who may not is shown no panel of them."""
    return reach.may(user, Verb.VIEW, Opportunity)


# -- a person's deals -------------------------------------------------------------------------


def roles_of(contact, *, user):
    """The person's roles in deals that ``user`` may see, open deals first; read once a request."""

    def load():
        return _roles(where(OpportunityContactRole, user), contact.pk)

    return once(f"deal roles of {contact.pk}", load)


@prepared
def _roles(visible, contact):
    roles = OpportunityContactRole.objects.filter(visible)
    roles = roles.filter(contact=contact, opportunity__archived_at=None)
    roles = roles.select_related("opportunity__stage")
    return roles.order_by("opportunity__is_closed", "-opportunity__close_date", "pk")[:SHOWN]


@register.simple_tag(takes_context=True)
def facts_with_role(context, facts, contact):
    """``facts`` of a person's header, with the role in open deals before the owner."""
    roles = roles_of(contact, user=context["request"].user)
    words = [role.role or _("No role yet") for role in roles if not role.opportunity.is_closed]
    if not words:
        return facts
    text = ", ".join(dict.fromkeys(words))
    fact = {"label": _("Role in open deals"), "value": text, "kind": "text"}
    return [*facts[:-1], fact, *facts[-1:]]


@register.inclusion_tag("opportunities/_contact_deals.html", takes_context=True)
def contact_deals(context, contact):
    """Show the deals in which a person has a role, open ones first."""
    user = context["request"].user
    roles = roles_of(contact, user=user)
    action = add_deal(context, contact=contact, account=contact.account)
    return {
        "is_shown": may_look(user),
        "roles": roles,
        "counted": counted(role.opportunity for role in roles),
        "add": action,
    }


def counted(deals):
    """How many of ``deals`` are open, won and lost, in words: "1 open, 2 won"."""
    deals = list(deals)
    numbers = (
        (_("%(n)s open"), sum(not deal.is_closed for deal in deals)),
        (_("%(n)s won"), sum(deal.is_won for deal in deals)),
        (_("%(n)s lost"), sum(deal.is_lost for deal in deals)),
    )
    return ", ".join(words % {"n": number} for words, number in numbers if number)


# -- an account's deals -----------------------------------------------------------------------


@register.inclusion_tag("opportunities/_account_deals.html", takes_context=True)
def account_deals(context, account):
    """Show the open deals of ``account`` and of the accounts below it, the next to close first."""
    user = context["request"].user
    found = open_deals(where(Opportunity, user), inside(account.branch), limit=SHOWN + 1)
    return {
        "is_shown": may_look(user),
        "account": account,
        "deals": found[:SHOWN],
        "has_more": len(found) > SHOWN,
        "add": add_deal(context, account=account),
    }


@prepared
def open_deals(visible, accounts, *, limit):
    """The open deals of the ``accounts``, the next to close first."""
    deals = Opportunity.objects.live().filter(visible).of_accounts(accounts).open()
    shown = deals.select_related("account", "stage").only(*SHOWN_OF_DEALS)
    return shown.order_by("close_date", "pk")[:limit]
