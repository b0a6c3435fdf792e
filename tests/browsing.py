"""The pages that somebody can open: a new route joins unnamed, with the states of its records."""

import re
from html import unescape

from django.test import Client

from tests.laboratory import is_html
from tests.routes import routes

MAIN = re.compile(r"<main\b.*</main>", re.S)
TAG = re.compile(r'<([a-z0-9]+)(?:\s(?:"[^"]*"|[^">])*)?>')
TELLING = re.compile(r'\s(class|type|role|aria-current|open|disabled)(?:="([^"]*)")?(?=[\s>])')
TO_ITSELF = re.compile(r'href="(\?[^"]+)"|name="(show)" value="(\w+)"')
ROWS = 4  # records of one route that are tried for another look
STATES = 5  # states of one page that its own links lead to


def make_of(html):
    """What a page is made of: kinds of elements, without their number, order and texts."""
    found = MAIN.search(html)
    tags = TAG.finditer(found[0] if found else html)
    return frozenset((tag[1], *sorted(TELLING.findall(tag[0]))) for tag in tags)


def _link(found):
    link, name, value = found
    return unescape(link) or f"?{name}={value}"


class Walk:
    """Finds the pages of ``world``; two that are made of the same are one."""

    def __init__(self, world):
        self.world = world
        self.seen = {}  # {name of the route: what its pages were made of}

    def pages(self, user):
        """The addresses that ``user`` can open and that look like none before."""
        client = Client()
        if user is not None:
            client.force_login(user)
        for route in sorted(routes(), key=str):
            is_public = not getattr(route.pattern.callback, "login_required", True)
            if not route.is_admin and (user is not None or is_public):
                yield from self._pages_of(route, client)

    def _pages_of(self, route, client):
        for texts in self.world.arguments_of(route)[:ROWS]:
            address = route.at(texts)
            html = self._html(client, address)
            if html is None:
                continue
            if self._is_new(route, html):
                yield address
            states = 0
            for link in dict.fromkeys(map(_link, TO_ITSELF.findall(html))):
                state = "sort=" not in link and self._html(client, address + link)
                if state and self._is_new(route, state):
                    yield address + link
                    states += 1
                if states == STATES:
                    break

    def _html(self, client, address):
        response = client.get(address)
        if response.status_code != 200 or response.streaming or not is_html(response):
            return None
        html = response.content.decode()
        return html if html.lstrip().startswith("<!doctype") else None  # a part of a page

    def _is_new(self, route, html):
        seen, make = self.seen.setdefault(route.name, set()), make_of(html)
        is_new = make not in seen
        seen.add(make)
        return is_new
