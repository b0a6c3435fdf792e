"""
Requests that nobody thought of: any route, as anybody, with any text in any field.

Everything is drawn from one seed, so that a request can be asked again; the routes, their
forms and their filters are read from the product, so that a new page is asked unnamed.
"""

import json
import random
import re
from dataclasses import dataclass, field
from itertools import cycle, islice
from urllib.parse import quote, urlencode

from django.test import Client

from tests.digest import digest
from tests.factories.users import UserFactory
from tests.laboratory import CANARY, FORM, Laboratory, form_in, is_html
from tests.pages import sent
from tests.routes import routes
from users.models import Role

NAMES = (
    "q", "after", "before", "sort", "per_page", "page", "columns", "show", "whose", "kind", "next",
    "view", "filter", "as", "key", "version", "expected", "owner", "o", "p", "e", "_popup",
    "_to_field", "_changelist_filters", "action", "_selected_action", "id", "is_superuser", "role",
    "created_by", "merged_into", "a[]", "a[$ne]", "__proto__",
)  # fmt: skip
TEXTS = (
    "", " ", "\x00", "\ud800", "\u200b\u202e", "\r\nSet-Cookie: canary=1", "-1", "0", "1.5", "²",
    "٣", "9" * 30, "1e400", "NaN", "Infinity", "-0", "１２", "1.000,50", "0x10", "true", "on", "me",
    "2026-02-30", "0000-00-00", "10000-01-01", "24:00", "a@b", "a@b.c\r\nBcc: d@e.f",
    "//evil.example", "javascript:alert(1)", " JaVa\tscript:alert(1)", "data:text/html,x",
    "http://user:pw@x.example", 'http://x.example"onclick=', "{{ 7|add:7 }}", "{% load i18n %}",
    "%s%n%(x)s", "%00", "../../etc/passwd", "=1+1", "@x", "Null", "None", "[]", "{}", '{"',
    "'; DROP TABLE x; --", "O'Brien 👩\u200d👧 عربى 漢字", "-owner__password", "owner__password",
    "abc:def:ghi", "x" * 300, "x" * 5000, "\U0010ffff",
)  # fmt: skip
KEYS = ("0", "-1", "1.5", "abc", "9" * 30, "%00", "%C2%B2", "..", "%FF", quote(CANARY))
OPERATORS = ("all", "any", "is", "contains", "before", "between", "some", "count", "")
ROLES = (None, *Role)
HEADERS = (
    {},
    {},
    {"HX-Request": "true"},
    {"HX-Request": "true", "HX-Target": CANARY, "HX-Current-URL": "https://evil.example/"},
    {"Referer": f"http://testserver/{CANARY}"},
    {"Accept-Language": "de"},
    {"Accept-Language": CANARY},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
)
NAME = re.compile(r'\sname="([^"]+)"')


@dataclass
class Target:
    """A route as somebody sees it: where, what its form sends, and the names that it knows."""

    addresses: list
    data: dict = field(default_factory=dict)
    names: list = field(default_factory=list)


class Fuzzer:
    """Draws requests to the pages of ``world`` and sends them by one laboratory a role."""

    def __init__(self, world):
        self.world = world
        self.draw = random.Random()
        self.routes = sorted((r for r in routes() if r.name not in SLOW), key=str)
        self.laboratories = {role: self._laboratory(role) for role in ROLES}
        world.digest = digest(journal=True, stamps=True)  # with the people of all roles
        self.targets = {}

    def _laboratory(self, role):
        laboratory = Laboratory(self.world, Client(), person_of(self.world, role))
        laboratory.keeps_refused = True
        return laboratory

    def run(self, seed, batch, count, *, then=None):
        """
        Send the ``count`` requests of a batch; returns the complaints about them.

        ``then`` is called after each one and may complain as well: it returns a text or "".
        """
        self.draw.seed(f"{seed}-{batch}")
        complaints = []
        for role, route in islice(self.deck(seed), batch * count, (batch + 1) * count):
            laboratory = self.laboratories[role]
            sent = self.ask(laboratory, route)
            complaints += laboratory.complaints
            laboratory.complaints.clear()
            if then and (found := then()):
                complaints.append(f"{found}: {sent}")
        return complaints

    def deck(self, seed):
        """Every role at every route, again and again, so that each is asked as often as others."""
        pairs = [(role, route) for role in ROLES for route in self.routes]
        random.Random(seed).shuffle(pairs)
        return cycle(pairs)

    def ask(self, laboratory, route):
        """Send one request to the route; returns it in words."""
        draw, target = self.draw, self.target_of(laboratory, route)
        address = draw.choice(target.addresses) if draw.random() < 0.8 else self.odd(route)
        headers = draw.choice(HEADERS)
        if draw.random() < 0.5:
            query = self.changed({}, target.names)
            laboratory.get(f"{address}?{encoded(query)}", **headers)
            return f"GET {address}?{encoded(query)}"
        data = self.changed(target.data, target.names)
        if draw.random() < 0.1:
            address += f"?{encoded(self.changed({}, target.names))}"
        laboratory.ask("POST", address, body=encoded(data), content_type=FORM, headers=headers)
        return f"POST {address} {encoded(data)}"

    def target_of(self, laboratory, route):
        """Read once: which addresses the route has, and the names and values on its page."""
        known = laboratory.user, route.name
        if known not in self.targets:
            texts = self.world.arguments_of(route)[:4]
            target = Target([route.at(row) for row in texts] or [route.at({})])
            address, page = laboratory.page_of(route)
            if page.status_code == 200 and is_html(page):
                target.data = sent(page)
                target.names = names_on(page) | {*target.data, *filters_of(route)}
            target.names = sorted({*target.names, *NAMES})
            target.addresses.append(address)
            self.targets[known] = target
        return self.targets[known]

    def odd(self, route):
        """The route's address with something else where a key stands, or a record out of reach."""
        hidden = [str(record.pk) for record in (*self.world.hidden.values(), *self.world.archived)]
        return route.at({n: self.draw.choice([*KEYS, *hidden]) for n in route.arguments})

    def changed(self, data, names):
        """The data with some values, or all, replaced, taken out, repeated or added."""
        data = {name: value for name, value in data.items() if self.draw.random() > 0.05}
        if self.draw.random() < 0.3:
            return data | dict.fromkeys(names, self.value())
        some = len(names) if self.draw.random() < 0.3 else self.draw.randint(1, 5)
        for name in self.draw.sample(names, min(len(names), some)):
            values = [self.value() for _value in range(self.draw.choice((1, 1, 1, 1, 2, 30)))]
            data[name] = values if len(values) > 1 else values[0]
        return data

    def value(self):
        draw = self.draw
        kind = draw.random()
        if kind < 0.35:
            return CANARY
        if kind < 0.75:
            return draw.choice(TEXTS)
        if kind < 0.83:
            return json.dumps(self.document(draw.randint(0, 5)))
        if kind < 0.92:
            return str(draw.randint(0, 40))
        return "".join(chr(draw.randrange(1, 0x2FFF)) for _letter in range(draw.randint(1, 60)))

    def document(self, depth):
        """Something like a saved condition."""
        draw = self.draw
        if depth == 0:
            return draw.choice((None, 1, "me", CANARY, [], {}, "x" * 300, True, -1, 1e300))
        inner = [self.document(depth - 1) for _part in range(draw.randint(0, 3))]
        if draw.random() < 0.3:
            return inner
        return {draw.choice(OPERATORS): inner, "field": draw.choice(NAMES), "value": CANARY}


# The sample data takes seconds each time; its form has no fields.
SLOW = {"administration:sample_data"}


def person_of(world, role):
    """Somebody of the role, in the representative's team; nobody for None."""
    if role is None:
        return None
    known = {Role.REP: world.rep, Role.ADMIN: world.admin}
    return known.get(role) or UserFactory(role=role, team=world.team)


def names_on(page):
    form = form_in(page)
    return {*NAME.findall(page.content.decode()), *getattr(form, "fields", ())}


def filters_of(route):
    """What a list may be filtered by."""
    filterset = getattr(route.view, "filterset_class", None)
    ends = ("", "_min", "_max", "_after", "_before")
    return {f"{name}{end}" for name in getattr(filterset, "base_filters", ()) for end in ends}


def encoded(data):
    return urlencode(data, doseq=True, errors="surrogatepass")
