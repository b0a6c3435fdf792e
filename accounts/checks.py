"""The invariants of accounts."""

from django.db import models
from django.db.models import Q

from accounts.models import MAX_DEPTH, Account
from core.checks import check, offending


def _parents():
    return dict(Account.objects.order_by("pk").values_list("pk", "parent_id"))


def chain_above(pk, parents):
    """The keys above ``pk`` from the top; None if it lies below itself."""
    chain, seen = [], {pk}
    while (pk := parents.get(pk)) is not None:
        if pk in seen:
            return None
        seen.add(pk)
        chain.insert(0, pk)
    return chain


@check("I10")
def accounts_are_no_ancestors_of_themselves():
    """No account lies below itself, and none below the 20th level."""
    parents = _parents()
    for pk in parents:
        chain = chain_above(pk, parents)
        if chain is None or len(chain) > MAX_DEPTH:
            yield "account", pk


def place_again(label_and_keys):
    """Write path, depth and root of the given accounts as their parents say."""
    parents = _parents()
    for _label, pk in label_and_keys:
        if (place := _place(pk, parents)) is not None:
            path, depth, root = place
            rows = models.QuerySet(Account).filter(pk=pk)
            rows.update(path=path, depth=depth, root_id=root)


def _place(pk, parents):
    chain = chain_above(pk, parents)
    if chain is None:
        return None
    path = "/" + "".join(f"{key}/" for key in chain)
    return path, len(chain), chain[0] if chain else None


@check("I11", repair=place_again)
def accounts_know_their_place():
    """Path, depth and root of an account are those that the parents give."""
    parents = _parents()
    rows = Account.objects.order_by("pk").values_list("pk", "path", "depth", "root_id")
    for pk, *place in rows.iterator():
        if tuple(place) != _place(pk, parents):
            yield "account", pk


@check("I12")
def archived_accounts_have_no_live_children():
    """An archived or merged account is nobody's live parent."""
    gone = Q(parent__archived_at__isnull=False) | Q(parent__merged_into__isnull=False)
    yield from offending(Account.objects.live().filter(gone))


@check("I23")
def revenues_have_a_currency_and_fit():
    """An annual revenue has a currency and 15 digits at most."""
    wrong = Q(currency="") | Q(annual_revenue__gte=10**15)
    yield from offending(Account.objects.filter(wrong, annual_revenue__isnull=False))
