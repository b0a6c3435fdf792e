"""What other pages show of people."""

from collections import Counter
from urllib.parse import urlencode

from django import template
from django.db.models import BigIntegerField, CharField, Count, Value
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Account, inside
from contacts.models import AccountContactRelation, Contact, PlannedJobChange
from core import display, reach
from core.models import Organisation
from core.normalise import fold
from core.prepared import prepared
from core.reach import Verb, where
from core.views import Action

register = template.Library()

SHOWN = 10
RELATION_FIELDS = (
    *("roles", "title_there", "is_direct", "is_primary_for_account", "is_active"),
    *("start_date", "end_date", "account__name"),
    *("contact__salutation", "contact__first_name", "contact__middle_name"),
    *("contact__last_name", "contact__suffix", "contact__title", "contact__status"),
    *("contact__mobile", "contact__phone"),
)


@register.inclusion_tag("contacts/_people.html", takes_context=True)
def people(context, account, *, has_sub=False):
    """
    Show the people of ``account``; with ``?people=tree`` also those of the accounts below.

    A person stands there once, with all relations found: the primary contact, active people by
    name, then former ones, who left last before the others. Of many the latest relations are
    shown, found by an index whatever their number. ``has_sub`` says whether there are accounts
    below.
    """
    request = context["request"]
    with_sub = request.GET.get("people") == "tree"
    visible = where(AccountContactRelation, request.user)
    found = below(visible, inside(account.branch)) if with_sub else here(visible, account.pk)
    has_more = len(found) > SHOWN
    people = by_person(sorted(found[:SHOWN], key=place))
    may_edit = not account.is_archived and account.can(request.user, Verb.EDIT)
    return {
        "account": account,
        "people": people,
        "count": f"{SHOWN}+" if has_more else len(people),
        "has_more": has_more,
        "all_url": f"{reverse('contacts:contact_list')}?{urlencode({'account': account.pk})}",
        "with_sub": with_sub,
        "has_sub": with_sub or has_sub,
        "path": request.path,
        "may_edit": may_edit,
        "add_url": add_url(account, user=request.user),
    }


@prepared
def here(visible, account):
    """The relations that the page of the account with this key shows."""
    return _latest(AccountContactRelation.objects.filter(visible, account=account))


@prepared
def below(visible, accounts):
    """The relations that it shows with those of the accounts below."""
    accounts = Account.objects.filter(accounts).order_by()
    return _latest(AccountContactRelation.objects.filter(visible, account__in=accounts))


def _latest(relations):
    relations = relations.filter(contact__archived_at=None).account_order()
    return relations.select_related("contact", "account").only(*RELATION_FIELDS)[: SHOWN + 1]


def place(relation):
    """What the relations of an account's people are sorted by."""
    person, end = relation.contact, relation.end_date
    since_end = -end.toordinal() if end else 0
    name = fold(person.last_name), fold(person.first_name)
    return (not relation.is_primary_for_account, not relation.is_active, since_end, *name)


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


# -- planned changes of job ---------------------------------------------------------------------


@register.inclusion_tag("contacts/_planned_job_changes.html", takes_context=True)
def planned_job_changes(context, *, contact=None, account=None):
    """Show the changes of job that are planned for a person, or from and to an account."""
    user = context["request"].user
    plans = PlannedJobChange.objects.visible_to(user).open().filter(contact__archived_at=None)
    plans = plans.filter(contact=contact) if contact else plans.of_account(account)
    plans = plans.select_related("contact", "old_account", "new_account")
    today = Organisation.current().today()
    return {
        "rows": [
            {
                "words": planned_words(plan, user=user),
                "is_overdue": plan.date <= today,
                "plan": plan,
                "url": "" if contact else plan.get_absolute_url(),
                "cancel": cancel_plan(plan, user=user),
            }
            for plan in plans.order_by("date", "pk")[:SHOWN]
        ]
    }


def planned_words(plan, *, user):
    """A planned change of job in a sentence; accounts that ``user`` may not see are not named."""

    def name(account):
        return account if account.can(user, Verb.VIEW) else _("Account (restricted)")

    old, new = plan.old_account, plan.new_account
    values = {"contact": plan.contact, "day": display.day(plan.date)}
    if new is None:
        values["account"] = name(old) if old else ""
        if old is None:
            return _("%(contact)s changes the job on %(day)s.") % values
        return _("%(contact)s leaves %(account)s on %(day)s.") % values
    values["account"] = name(new)
    if old is None:
        return _("%(contact)s starts at %(account)s on %(day)s.") % values
    values["old"] = name(old)
    return _("%(contact)s moves from %(old)s to %(account)s on %(day)s.") % values


def cancel_plan(plan, *, user):
    """The Action that cancels a planned change of job; None if ``user`` may not."""
    if not plan.contact.can(user, Verb.EDIT):
        return None
    url = reverse("contacts:plannedjobchange_cancel", args=[plan.contact_id, plan.pk])
    return Action(_("Cancel"), url)


# -- hierarchies ------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def with_people(context, rows, tree):
    """
    The rows of a hierarchy with the number of people: ``{% with_people rows tree as rows %}``.

    A person with an active relation to several of the accounts counts once; one query for all.
    """
    user = context["request"].user
    seen = where(Contact, user), where(AccountContactRelation, user)
    found = people_inside(*seen, inside(tree.account.tree_branch))
    counted = people_by_place(found, with_sub=tree.with_sub)
    return [{**row, "people": counted.get(row["row"].account.pk, 0)} for row in rows]


@prepared
def people_inside(visible, visible_relations, accounts):
    """
    How many people work first of all for each of the ``accounts``, and who else works there.

    Rows of account, its path, number, person, the account where he works first of all, its path;
    of those who are counted without the last three. Few people have more than one relation, so
    an index counts nearly all of them.
    """
    accounts = Account.objects.filter(accounts).order_by()
    direct = Contact.objects.live().filter(visible, account__in=accounts).order_by()
    direct = direct.values("account").annotate(number=Count("*"))
    nobody, nowhere = Value(None, BigIntegerField()), Value(None, CharField())
    direct = direct.values_list("account", "account__path", "number", nobody, nobody, nowhere)
    others = AccountContactRelation.objects.active().filter(visible_relations, is_direct=False)
    others = others.filter(account__in=accounts, contact__archived_at=None).order_by()
    others = others.values_list(
        *("account", "account__path", Value(1), "contact", "contact__account"),
        "contact__account__path",
    )
    return direct.union(others, all=True)


def people_by_place(rows, *, with_sub):
    """The number of people of each account, and of those below it: {account's key: number}."""
    counts, known = Counter(), {}
    for account, path, number, person, home, home_path in rows:
        places = _places(account, path, with_sub=with_sub)
        if person is None:
            counts.update(dict.fromkeys(places, number))
            continue
        for key in places.difference(_places(home, home_path, with_sub=with_sub)):
            known.setdefault(key, set()).add(person)
    return counts + Counter({key: len(people) for key, people in known.items()})


def _places(account, path, *, with_sub):
    """The accounts in which somebody of ``account`` counts: it, and those above it."""
    above = path.split("/") if with_sub and path else ()
    return {account, *(int(key) for key in above if key)}
