"""
Every door of the product, as everybody: what the tables say is what the pages answer.

The doors stand in ``tests/matrix/doors.py``, the tables in ``tests/matrix/rights.py``. What a
request writes is rolled back after the answer was looked at; a refusal must not have written.
"""

from collections import defaultdict
from copy import copy

import pytest
from django.test import Client

from tests.laboratory import Laboratory, is_html, rolled_back
from tests.matrix.company import Company, client_of
from tests.matrix.doors import (
    MINE,
    OPEN,
    OPERATORS,
    PEOPLE,
    ROWS,
    SETTINGS,
    SIGNED_IN,
    door_of,
)
from tests.matrix.rights import (
    BIN_AND_UNDO,
    CELLS,
    REACHED,
    SOME_FIELDS,
    reached,
    sees_names_only,
)
from tests.pages import sent
from tests.routes import routes
from users.models import Role, User

pytestmark = pytest.mark.django_db

ALL = sorted(routes(), key=str)
ROUTES = [route for route in ALL if door_of(route)]
WHERE = ("own", "team", "other")
OK = {"GET": {200, 302, 303}, "POST": {200, 204, 302, 303, 409, 422}}
OK_FOR_OPERATORS = {200, 302, 403, 405}  # much there can only be looked at
IN_PART = (OPEN, SIGNED_IN, OPERATORS)  # doors that open to a link, or to what one has set up
# Loading the sample organisation takes seconds.
SLOW = {("administration:sample_data", "POST", "ADMIN")}
EXTRA = {
    "core:choose": lambda row: {"verb": "archive", "pick": row.pk},
    "leads:lead_return": lambda row: {"reason": "Not our market."},
    "core:listvalue_move": lambda row: {"place": 0},
    "leads:assignmentrule_move": lambda row: {"place": 0},
    "leads:leadstatus_move": lambda row: {"place": 0},
    "leads:queuemember_move": lambda row: {"place": 0},
    "opportunities:stage_move": lambda row: {"place": 0},
}


def methods_of(route):
    """The methods that the route's view knows; of Django admin's functions, both."""
    if route.view is None:
        return {"GET"} if route.name == "home" else {"GET", "POST"}
    known = {name for name in ("get", "post") if hasattr(route.view, name)}
    return {name.upper() for name in known & set(route.view.http_method_names)}


def test_every_route_and_method_has_its_line():
    for route in ALL:
        door = door_of(route)
        assert door is not None, f"{route}: add a line to tests/matrix/doors.py"
        assert route.is_admin or set(door.methods) == methods_of(route), route
    assert set(ROWS) - {route.name for route in ROUTES} == {"admin:*"}


# -- what the tables say ----------------------------------------------------------------------


def whole(role, thing, verb):
    """Where the record may lie if the verb is about all of it, not about certain fields."""
    note = CELLS[thing].get((role, verb), "–")[1:]
    if (thing, note) not in SOME_FIELDS:
        return reached(role, thing, verb)
    return REACHED["O"] if role == "MARKETING" else REACHED["–"]


def expected(door, role, where, method):
    """The answer that the tables give to ``role``: "ok", 403 or 404."""
    if door.verb in (OPEN, SIGNED_IN):
        return "ok"
    if door.verb in (SETTINGS, OPERATORS, PEOPLE):
        is_leader = door.verb == PEOPLE and role == "MANAGER"
        return "ok" if role == "ADMIN" or is_leader else 403
    if door.verb == MINE:
        return _of_owner(door, role, where)
    thing, verb = door.thing, door.verb
    seen = reached(role, thing, "view")
    if verb in ("list", "create"):
        return "ok" if reached(role, thing, "view" if verb == "list" else "create") else 403
    if verb == "choose":
        may = reached(role, thing, "archive")
        return 403 if not may else "ok" if where in seen else 404
    scope = REACHED[BIN_AND_UNDO[role]]
    if door.what == "operation":
        seen = seen | scope | {"own"}
    if where not in seen:
        return 404
    if sees_names_only(role, thing) and door.what in ("role", "deal share"):
        return 404
    if sees_names_only(role, thing) and door.what == "whole deal":
        return 403
    if door.what == "operation" and verb == "view":
        return "ok"
    if verb in ("undo", "restore"):
        return "ok" if where in scope & reached(role, thing, "view") else 403
    return "ok" if where in _done_to(door, role, method) else 403


def _done_to(door, role, method):
    """Where the record may lie for what is done there, as far as it is seen."""
    if door.verb == "answer":
        return REACHED["A"]
    either = whole(role, "contact", "edit") | reached(role, "account", "edit")
    if door.verb == "relate":
        return REACHED["A"] if either else either
    if door.verb == "move" and method == "POST":
        return whole(role, "contact", "edit") & reached(role, "account", "edit")
    if door.verb == "move" or door.what in ("plan", "relation"):
        return whole(role, "contact", "edit")
    return reached(role, door.thing, door.verb)


def _of_owner(door, role, where):
    if door.what == "key":
        return 404
    if where != "own":
        return "ok" if role == "ADMIN" and door.what == "view" else 404
    return "ok" if not door.thing or reached(role, door.thing, "archive") else 403


# -- asking -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def company(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), rolled_back():
        yield Company()


class Visitor(Laboratory):
    """Somebody who comes to the company's doors; ``wrong`` are the answers he should not get."""

    def __init__(self, company, user, client=None):
        company.rep = None  # the laboratory's own secret is not ours
        super().__init__(company, client or client_of(user), None)
        self.wrong = []

    def knock(self, route, method, row, is_right, data=None, **headers):
        address, cookies = self.world.address(route, row), copy(self.client.cookies)
        send = self.get if method == "GET" else lambda at, **h: self.post(at, data or {}, **h)
        response = send(address, **headers)
        self.client.cookies = cookies  # also after he signed out
        if not is_right(response):
            told = f"{route} {method} {address}: {response.status_code}"
            self.wrong.append(f"{told} {response.headers.get('Location', '')}")
        return response

    def _faults(self, response, method, *, is_follow_up):
        """Nothing but what is refused and yet done; how pages look, other tests ask."""
        if self.written and (method == "GET" or response.status_code >= 400):
            if not self.world.is_unchanged():
                yield f"{response.status_code} and yet wrote {self.written}"

    def _follow(self, response):
        """Where an answer leads to is a door of its own."""

    def judge(self):
        assert not self.wrong, "\n".join(self.wrong)
        super().judge()


def doors_of(group):
    """The routes of one group of doors: those of a kind of record, or all others of an app."""
    return [route for route in ROUTES if group_of(route) == group]


def group_of(route):
    door = door_of(route)
    if door.thing:
        return door.thing
    return route.name.partition(":")[0] if ":" in route.name else "log-in"


GROUPS = sorted({group_of(route) for route in ROUTES})


def answers(route, method, role, where):
    """Whether a response is the one that the tables ask for."""
    wanted = expected(door_of(route), role, where, method)
    if wanted == "ok" and route.is_admin:
        return lambda response: response.status_code in OK_FOR_OPERATORS
    if door_of(route).verb == OPEN:  # who has a link that is valid, or not any more
        return lambda response: response.status_code in OK[method] | {410}
    if wanted == "ok":
        return lambda response: response.status_code in OK[method]
    if route.is_admin:
        return lambda response: (
            response.status_code == 403
            or response.headers.get("Location", "").startswith("/admin/login/")
        )
    return lambda response: response.status_code == wanted


@pytest.fixture(scope="module")
def forms(company):
    """What the administrator's page of a door would send, so that a refusal has all it needs."""
    found = {}
    admin = client_of(company.users["ADMIN"])

    def form_of(route, row, client):
        address = company.address(route, row)
        if address not in found:
            response = client.get(address)
            if response.status_code != 200:
                response = admin.get(address)
            is_form = response.status_code == 200 and is_html(response)
            found[address] = sent(response) if is_form else {}
        return found[address] | EXTRA.get(route.name, lambda row: {})(row)

    return form_of


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("role", Role.values)
def test_each_role_gets_what_the_tables_say(company, forms, role, group):
    user = company.users[role]
    visitor = Visitor(company, user)
    sets = company.sets(user)
    for route in doors_of(group):
        door = door_of(route)
        for where in WHERE if door.what else WHERE[:1]:
            row = sets[where].get(door.what)
            for method in sorted(methods_of(route)):
                if (route.name, method, role) in SLOW:
                    continue
                data = forms(route, row, visitor.client) if method == "POST" else None
                is_right = answers(route, method, role, where)
                with rolled_back():
                    visitor.knock(route, method, row, is_right, data)
    visitor.judge()


def sends_to_log_in(response):
    return response.status_code == 302 and response.url.startswith("/login/")


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("who", ["anonymous", "inactive"])
def test_who_is_not_signed_in_gets_no_further_than_the_log_in(company, forms, who, group):
    client = Client(raise_request_exception=False)
    if who == "inactive":
        User.objects.filter(pk=company.inactive.pk).update(is_active=True)
        client = client_of(User.objects.get(pk=company.inactive.pk))
        User.objects.filter(pk=company.inactive.pk).update(is_active=False)
    visitor = Visitor(company, None, client)
    records = company.records[company.mate]
    for route in doors_of(group):
        door = door_of(route)
        if door.verb == OPEN:
            continue
        row = records.get(door.what)
        for method in sorted(methods_of(route)):
            data = forms(route, row, visitor.client) if method == "POST" else None
            visitor.knock(route, method, row, sends_to_log_in, data)
            is_told = lambda response: response.status_code == 401  # noqa: E731
            visitor.knock(route, method, row, is_told, data, **{"HX-Request": "true"})
            assert not visitor.written, route
    visitor.judge()


def test_each_door_opens_for_an_administrator(company):
    """What is refused to others is a page that is there; the words behind say what it needs."""
    admin = company.users["ADMIN"]
    visitor = Visitor(company, admin)
    found = defaultdict(set)
    for route in ROUTES:
        door = door_of(route)
        if "GET" in methods_of(route) and door.verb not in IN_PART and door.what != "key":
            row = company.records[admin].get(door.what)
            response = visitor.knock(route, "GET", row, lambda response: True)
            found[response.status_code].add(route.name)
    assert found.keys() == {200, 303}
    assert found[303] == {"leads:lead_accept", "leads:lead_return"}  # who is not asked
