"""The hierarchy of an account: which part of it stands on a page, and the page of the whole."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Case, Count, F, OuterRef, Subquery, Value, When, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from accounts.models import Account, inside
from core import reach
from core.forms import key_or_none
from core.prepared import prepared
from core.reach import Verb, where
from core.views import Action, RecordMixin, url_of

WHOLE = 200  # a hierarchy of so many accounts stands on its page as a whole
STEP = 50  # of a larger one so many accounts below one another one at a time
MAX_ROWS = 1000
MAX_OPENED = 100
PANEL = 20  # the same on the page of one account
PANEL_STEP = 10
SHOWN = ("name", "path", "depth", "parent", "root", "owner__name", "owner__email")


@dataclass(frozen=True)
class Size:
    """How much of a hierarchy a page shows: as a whole, or below each account that is open."""

    whole: int
    step: int


PAGE = Size(WHOLE, STEP)
PART = Size(PANEL, PANEL_STEP)


@dataclass(frozen=True)
class Node:
    """One account of the hierarchy as it stands on the page."""

    account: Account
    is_here: bool
    is_open: bool
    toggle: str  # where the accounts below are shown, or hidden again; "" if that is fixed

    is_more = False

    @property
    def level(self):
        """How far below the top the account stands."""
        return self.account.depth

    @property
    def spoken_level(self):
        return self.account.depth + 1

    @property
    def is_restricted(self):
        """Whether the reader may know no more than that there is an account, and whose it is."""
        return self.account.is_restricted

    @property
    def below(self):
        """How many accounts lie directly below this one."""
        return self.account.children_count


@dataclass(frozen=True)
class More:
    """The accounts below ``account`` that the page has no room for."""

    account: Account
    count: int
    url: str

    is_more = True

    @property
    def level(self):
        return self.account.depth + 1


class Tree:
    """
    What a page shows of the hierarchy of ``account``: one query, however large it is.

    A small hierarchy stands there as a whole. Of a large one the way from the top to the
    account, and what lies below the accounts that are open; the others open by a link.
    ``opened`` are the keys that the reader opened, a key twice for a second step of what lies
    below it. Accounts that ``user`` may not see are stubs, so that the chain stays readable.
    """

    def __init__(self, account, *, user, size, opened=(), with_sub=True):
        self.account = account
        self.user = user
        self.size = size
        self.with_sub = with_sub
        self.opened = Counter(opened)
        self.chain = [*account.ancestor_ids, account.pk]
        self.url = url_of(account, "tree")

    @cached_property
    def steps(self):
        """How many steps of what lies below an account are shown: {key: steps}."""
        always = self.chain if self.size is PAGE else [self.account.pk]
        return self.opened + Counter(always)

    @cached_property
    def found(self):
        return accounts_of_tree(
            inside(self.account.tree_branch),
            where(Account, self.user),
            sorted({*self.chain, *self.steps}),
            sorted(self.steps),
            limit=self.limit,
        )

    @property
    def limit(self):
        """The most rows that are read."""
        more = self.size.step * sum(self.steps.values())
        return min(max(self.size.whole, more) + len(self.chain), MAX_ROWS)

    @property
    def total(self):
        """How many accounts the hierarchy has, those that the reader may not see included."""
        return self.found[0].total if self.found else 0

    @property
    def is_whole(self):
        return self.total <= self.size.whole

    @cached_property
    def shown(self):
        """The accounts on the page by their parent, each level in its order: {key: [accounts]}."""
        below = {}
        for account in self.found:
            if self.is_whole or account.rank == 0 or self.is_within_steps(account):
                below.setdefault(account.parent_id, []).append(account)
        for accounts in below.values():
            accounts.sort(key=lambda a: (a.is_restricted, a.pk if a.is_restricted else a.number))
        return below

    def is_within_steps(self, account):
        most = self.size.step * self.steps[account.parent_id]
        return account.rank == 1 and account.number <= most

    @cached_property
    def rows(self):
        """Nodes, each followed by those below it and by what there is More of them."""
        rows, waiting = [], self.shown.get(None, [])[::-1]
        while waiting:
            item = waiting.pop()
            if isinstance(item, More):
                rows.append(item)
                continue
            rows.append(self.node(item))
            below = self.shown.get(item.pk, [])
            if self.is_open(item) and (left := item.children_count - len(below)):
                url = "" if self.limit == MAX_ROWS else self.url_with(item.pk)
                waiting.append(More(item, left, url))
            waiting += below[::-1]
        return rows

    @cached_property
    def nodes(self):
        return [row for row in self.rows if isinstance(row, Node)]

    @property
    def restricted_count(self):
        """How many of the accounts on the page the reader may not see."""
        return sum(node.is_restricted for node in self.nodes)

    @property
    def is_group(self):
        """Whether the account has any other one above or below it."""
        return self.total > 1

    @property
    def has_sub(self):
        """Whether there is an account below this one that the reader may see."""
        return any(not a.is_restricted for a in self.shown.get(self.account.pk, ()))

    # -- opening ------------------------------------------------------------------------------

    def is_open(self, account):
        return not self.is_whole and account.pk in self.steps

    def node(self, account):
        is_open, toggle = self.is_open(account), ""
        if not self.is_whole and account.children_count and account.pk not in self.chain:
            toggle = self.url_without(account.pk) if is_open else self.url_with(account.pk)
        return Node(account, account.pk == self.account.pk, is_open, toggle)

    def url_with(self, key):
        return self.url_of([*self.opened.elements(), key], key)

    def url_without(self, key):
        return self.url_of([pk for pk in self.opened.elements() if pk != key], key)

    def url_of(self, opened, key):
        """The page with ``opened`` accounts open, at the row of the account ``key``."""
        query = [("open", pk) for pk in opened[-MAX_OPENED:]]
        if not self.with_sub:
            query.append(("sums", "own"))
        return f"{self.url}?{urlencode(query)}#account-{key}"


@prepared
def accounts_of_tree(tree, visible, kept, opened, *, limit):
    """
    The first accounts of ``tree``: those ``kept``, what lies below those ``opened``, and others.

    Each with its rank among these, its number below its parent, and how many there are of all
    and below it; the others than ``visible`` ones are restricted.
    """
    rank = Case(
        When(pk__among=kept, then=Value(0)),
        When(parent__among=opened, then=Value(1)),
        default=Value(2),
    )
    children = Account.objects.live().filter(parent=OuterRef("pk")).order_by()
    counted = children.values("parent").annotate(count=Count("pk")).values("count")
    first = (F("is_restricted"), F("name"), F("pk"))
    rows = Account.objects.live().filter(tree).with_stubs_unless(visible)
    rows = rows.annotate(
        rank=rank,
        number=Window(RowNumber(), partition_by="parent", order_by=first),
        total=Window(Count("pk")),
        children_count=Coalesce(Subquery(counted), 0),
    )
    # Narrow rows: the whole hierarchy is sorted to find those that the page has room for.
    rows = rows.select_related("owner").only(*SHOWN)
    return rows.order_by("rank", "number", "depth", "pk")[:limit]


def add_below(account, *, user):
    """The Action that adds an account below ``account``; None if ``user`` may not."""
    may_edit = account.may_have_children and account.can(user, Verb.EDIT)
    if not may_edit or not reach.may(user, Verb.CREATE, Account):
        return None
    url = f"{url_of(Account, 'create')}?{urlencode({'parent': account.pk})}"
    return Action(_("Add account below"), url, "plus")


class AccountTreeView(RecordMixin, TemplateView):
    """The whole hierarchy that an account belongs to, and what its deals add up to."""

    model = Account
    template_name = "accounts/account_tree.html"

    def get_queryset(self):
        return super().get_queryset().live().select_related("owner")

    def get_crumbs(self):
        return [*super().get_crumbs(), {"label": _("Hierarchy")}]

    def get_context_data(self, **kwargs):
        opened = map(key_or_none, self.request.GET.getlist("open")[-MAX_OPENED:])
        tree = Tree(
            self.record,
            user=self.request.user,
            size=PAGE,
            opened=[key for key in opened if key],
            with_sub=self.request.GET.get("sums") != "own",
        )
        action = add_below(self.record, user=self.request.user)
        actions = [action] if action else []
        return {"tree": tree, "actions": actions, **super().get_context_data(**kwargs)}
