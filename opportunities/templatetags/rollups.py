"""What the deals of an account and of its hierarchy add up to, shown on the accounts' pages."""

from decimal import Decimal

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account
from core import display
from core.models import Organisation
from core.once import once
from opportunities.models.opportunity import parts_inside
from opportunities.models.rollup import Rollups
from opportunities.templatetags.opportunities import may_look

register = template.Library()


def rollups_of(account, *, user):
    """The Rollups of the deals that ``user`` may see in the hierarchy; read once a request."""

    def load():
        today = Organisation.current().today()
        return Rollups(parts_inside(account.tree_branch, user=user, today=today), today=today)

    return once(("rollups", user.pk, account.tree_id), load)


def without_rate(total):
    """What has no rate and is not in the Sum, in words."""
    texts = [display.money(amount, currency) for currency, amount in total.unconverted.items()]
    if not texts:
        return ""
    amounts = {"amounts": ", ".join(sorted(texts))}
    if total.is_known:
        return _("and %(amounts)s without a rate") % amounts
    return _("%(amounts)s without a rate") % amounts


def joined(*parts):
    return ", ".join(part for part in parts if part)


@register.inclusion_tag("opportunities/_sum.html")
def converted_sum(total):
    """Show a Sum: the amount in the organisation's currency, and below it what has no rate."""
    return {
        "sum": total,
        "currency": display.home_currency(),
        "without_rate": without_rate(total),
    }


# -- the header of an account -----------------------------------------------------------------


@register.simple_tag(takes_context=True)
def facts_with_deals(context, facts, account):
    """What the deals of an account say, followed by the other ``facts`` of its header."""
    user = context["request"].user
    if not may_look(user):
        return facts
    rollups = rollups_of(account, user=user)
    whole, own = rollups.whole(account.pk), rollups.own(account.pk)
    is_more = len(whole.parts) > len(own.parts)
    with_sub = _("with sub-accounts") if is_more else ""
    found = [
        fact_of(_("Open pipeline"), whole.open, note=with_sub),
        fact_of(_("Won"), whole.won, note=won_this_year(whole)),
    ]
    if since := whole.customer_since:
        words = _("Since %(year)s") % {"year": since.year}
        found.insert(0, {"label": _("Customer"), "value": words, "kind": "pill", "tone": "good"})
    return [*found, *facts]


def fact_of(label, total, *, note):
    """A Sum as a fact of the header."""
    fact = {"label": label, "note": joined(note, without_rate(total))}
    if not total.is_known:
        return {**fact, "value": without_rate(total), "kind": "text", "note": note}
    return {**fact, "value": total.amount, "kind": "money", "currency": display.home_currency()}


def won_this_year(rollup):
    """How much of what was won is of this fiscal year, in words; "" if it is all of it."""
    year, won = rollup.won_year, rollup.won
    if not won.amount or year.amount == won.amount:
        return ""
    amount = display.money(year.amount, display.home_currency())
    return _("%(amount)s this fiscal year") % {"amount": amount}


# -- the figures of an account ----------------------------------------------------------------


@register.inclusion_tag("opportunities/_deal_figures.html", takes_context=True)
def deal_figures(context, account):
    """
    Show what the visible deals of ``account`` and of the accounts below add up to.

    Amounts are converted to the organisation's currency, open ones with the rates of the day,
    won ones with those of their close dates; what has no rate is said beside the figure.
    """
    user = context["request"].user
    if not may_look(user):
        return {"figures": []}
    rollups = rollups_of(account, user=user)
    whole, own = rollups.whole(account.pk), rollups.own(account.pk)
    weighted_note = joined(_("by probability"), without_rate(whole.weighted))
    won_note = joined(counted(whole, "won_count"), won_this_year(whole), without_rate(whole.won))
    return {
        "figures": [
            figure(_("Open pipeline"), whole.open, note=open_note(whole, own)),
            figure(_("Weighted pipeline"), whole.weighted, note=weighted_note),
            figure(_("Won"), whole.won, note=won_note),
            win_rate_figure(whole),
        ]
    }


def counted(rollup, name):
    count = rollup.count(name)
    return ngettext("%(n)s deal", "%(n)s deals", count) % {"n": count}


def open_note(whole, own):
    unknown, here = whole.count("unknown"), ""
    if own.open.amount != whole.open.amount:
        amount = display.money(own.open.amount, display.home_currency())
        here = _("%(amount)s here") % {"amount": amount}
    return joined(
        counted(whole, "open_count"),
        here,
        _("%(n)s without an amount") % {"n": unknown} if unknown else "",
        without_rate(whole.open),
    )


def figure(label, total, *, note):
    currency = display.home_currency()
    value = total.amount if total.is_known else "–"
    kind = "money" if total.is_known else "text"
    return {"label": label, "value": value, "kind": kind, "currency": currency, "note": note}


def win_rate_figure(rollup):
    won, lost = rollup.count("won_count"), rollup.count("lost_count")
    note = _("%(won)s won, %(lost)s lost") % {"won": won, "lost": lost}
    if won + lost == 0:
        return {"label": _("Win rate"), "value": "–", "kind": "text", "note": note}
    rate = round(Decimal(100) * won / (won + lost))
    return {"label": _("Win rate"), "value": rate, "kind": "percent", "note": note}


@register.inclusion_tag("opportunities/_account_rollup.html", takes_context=True)
def account_rollup(context, account):
    """Show the figures of ``account``, and of it with all below, by currency and converted."""
    user = context["request"].user
    if not may_look(user):
        return {"scopes": []}
    rollups = rollups_of(account, user=user)
    scopes = (
        (_("This account"), rollups.own(account.pk)),
        (_("With sub-accounts"), rollups.whole(account.pk)),
    )
    home = display.home_currency()
    return {
        "home": home,
        "scopes": [
            {
                "label": label,
                "rollup": rollup,
                "totals": [rollup.totals[currency] for currency in sorted(rollup.totals)],
                "is_converted": rollup.totals.keys() - {home},
            }
            for label, rollup in scopes
        ],
    }


# -- hierarchies ------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def with_sums(context, tree):
    """
    The rows of a hierarchy, each with its Rollup: ``{% with_sums tree as sums %}``.

    ``sums.rows`` have the row and its rollup, None for a stub or for who sees no deals at all,
    as ``sums.is_shown`` says. One query for all of them.
    """
    user = context["request"].user
    if not may_look(user):
        return {"is_shown": False, "rows": [{"row": row, "rollup": None} for row in tree.rows]}
    rollups = rollups_of(tree.account, user=user)
    of = rollups.whole if tree.with_sub else rollups.own
    rows = [
        {"row": row, "rollup": None if is_blank(row) else of(row.account.pk)} for row in tree.rows
    ]
    return {"is_shown": True, "rows": rows}


def is_blank(row):
    """Whether a row of a hierarchy has no figures: a stub, or what the page has no room for."""
    return getattr(row, "is_restricted", True)


@register.inclusion_tag("opportunities/_move_preview.html", takes_context=True)
def move_preview(context, account, parent):
    """Show what the groups that ``account`` leaves and joins add up to, now and afterwards."""
    user = context["request"].user
    if not may_look(user):
        return {"rows": []}
    leaving = account.ancestor_ids
    joining = [*parent.ancestor_ids, parent.pk] if parent else []
    seen = Account.objects.live().visible_to(user).in_bulk({*leaving, *joining})
    old = rollups_of(account, user=user)
    new = rollups_of(parent or account, user=user)
    moved = old.parts_of(account.pk)
    lost = [key for key in leaving if key not in joining]
    won = [key for key in joining if key not in leaving]
    rows = [changed_row(seen.get(key), old, key, lost=moved) for key in lost]
    rows += [changed_row(seen.get(key), new, key, won=moved) for key in won]
    return {"account": account, "rows": rows}


def changed_row(account, rollups, key, *, lost=(), won=()):
    """An account, None for a hidden one, with its Rollup now and after the move."""
    if account is None:
        return {"account": None}
    gone = set(map(id, lost))
    after = [part for part in rollups.parts_of(key) if id(part) not in gone]
    return {"account": account, "now": rollups.whole(key), "after": rollups.of([*after, *won])}
