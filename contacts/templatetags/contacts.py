"""What other pages show of people."""

from urllib.parse import urlencode

from django import template
from django.urls import reverse

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from core import reach
from core.reach import Verb

register = template.Library()

SHOWN = 50


@register.inclusion_tag("contacts/_people.html", takes_context=True)
def people(context, account, *, has_sub=False):
    """
    Show the people of ``account``; with ``?people=tree`` also those of the accounts below.

    A person stands there once, with all relations found; ended ones come last. ``has_sub`` says
    whether there are accounts below.
    """
    request = context["request"]
    with_sub = request.GET.get("people") == "tree"
    relations = AccountContactRelation.objects.visible_to(request.user)
    relations = relations.filter(contact__archived_at=None)
    if with_sub:
        relations = relations.with_sub_accounts(account)
    else:
        relations = relations.filter(account=account)
    relations = relations.select_related("contact", "account").account_order()
    found = list(relations[: SHOWN + 1])
    may_edit = not account.is_archived and account.can(request.user, Verb.EDIT)
    return {
        "account": account,
        "people": by_person(found[:SHOWN]),
        "has_more": len(found) > SHOWN,
        "with_sub": with_sub,
        "has_sub": with_sub or has_sub,
        "path": request.path,
        "may_edit": may_edit,
        "add_url": add_url(account, user=request.user),
    }


def by_person(relations):
    """The relations grouped by person, in their order: ``[{"contact": …, "relations": […]}]``."""
    found = {}
    for relation in relations:
        found.setdefault(relation.contact_id, []).append(relation)
    return [{"contact": rows[0].contact, "relations": rows} for rows in found.values()]


def add_url(account, *, user):
    """Where a person is added to ``account``; "" if ``user`` may not."""
    if account.is_archived or not reach.may(user, Verb.CREATE, Contact):
        return ""
    return f"{reverse('contacts:contact_create')}?{urlencode({'account': account.pk})}"


# -- hierarchies ------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def with_people(context, rows, tree):
    """
    The rows of a hierarchy with the number of people: ``{% with_people rows tree as rows %}``.

    A person with an active relation to several of the accounts counts once; one query for all.
    """
    user = context["request"].user
    top = Account(pk=tree.account.tree_id)
    relations = AccountContactRelation.objects.visible_to(user).active().with_sub_accounts(top)
    relations = relations.filter(contact__archived_at=None).order_by()
    counted = people_by_place(relations, with_sub=tree.with_sub)
    return [{**row, "people": len(counted.get(row["row"].account.pk, ()))} for row in rows]


def people_by_place(relations, *, with_sub):
    """The keys of the people of each account, and of those below it: {account's key: {keys}}."""
    found = {}
    for account, path, person in relations.values_list("account", "account__path", "contact"):
        above = [int(key) for key in path.split("/") if key] if with_sub else []
        for key in (*above, account):
            found.setdefault(key, set()).add(person)
    return found
