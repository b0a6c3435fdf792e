"""
Whatever is sent to any page: an answer in words, no 5xx, nothing written, nothing reflected.

The pages come from the URL resolver, so that a new one is asked unnamed. What each request does
is rolled back after it was looked at; ``Laboratory`` complains about the rest.
"""

import os
from itertools import count
from urllib.parse import quote

import pytest
from django.apps import apps
from django.db.models import QuerySet
from django.test import Client

from core.models import Batch, OwnedRecord, SavedView, Seen
from core.records import Journalled
from tests.digest import differences, digest
from tests.laboratory import CANARY, FORM, Laboratory, World, form_in, is_html, rolled_back
from tests.pages import sent
from tests.routes import routes
from users.models import Role, User

pytestmark = pytest.mark.django_db

ROUTES = sorted(routes(), key=str)
BY_NAME = pytest.mark.parametrize("route", ROUTES, ids=str)

# Each page gets a share of the values, so that all are sent somewhere; in CI each gets all.
SHARES = 1 if os.environ.get("ALL_BAD_INPUT") else 6

PLAIN_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
UNKNOWN_METHODS = ("PUT", "PATCH", "DELETE", "BREW")


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """One small company for all requests of the module; it is never changed."""
    with django_db_blocker.unblock(), rolled_back():
        yield World()


@pytest.fixture
def ask(world):
    """A laboratory for a route as who opens it; its complaints fail the test."""
    laboratories = []

    def enter(route, *, user=None, enforce_csrf=False):
        client = Client(enforce_csrf_checks=enforce_csrf)
        laboratory = Laboratory(world, client, user or world.user_for(route))
        laboratories.append(laboratory)
        return laboratory

    yield enter
    for laboratory in laboratories:
        laboratory.judge()


def address_of(world, route):
    return route.at(world.arguments_of(route)[0])


# -- looking ----------------------------------------------------------------------------------


@BY_NAME
def test_looking_changes_nothing_whoever_looks(world, ask, route):
    for user in (None, world.rep, world.admin, world.stranger):
        client = Client()
        laboratory = Laboratory(world, client, user)
        for texts in world.arguments_of(route)[:2]:
            laboratory.get(route.at(texts))
            laboratory.ask("HEAD", route.at(texts))
        laboratory.judge()


@BY_NAME
def test_methods_that_a_page_does_not_know_are_refused(world, ask, route):
    laboratory = ask(route)
    for method in UNKNOWN_METHODS:
        response = laboratory.ask(method, address_of(world, route))
        assert response.status_code == 405, method
        assert set(response.headers["Allow"].split(", ")) <= PLAIN_METHODS


# -- paths and parameters ---------------------------------------------------------------------

NO_KEYS = ("0", "999999999999999999", "9" * 30, "-1", "1.5", "%C2%B2", "abc", "%00", "1%2F2", "..")


@pytest.mark.parametrize("route", [route for route in ROUTES if route.arguments], ids=str)
def test_keys_that_name_nothing_are_not_found(world, ask, route):
    laboratory = ask(route)
    texts = world.arguments_of(route)[0]
    for name in texts:
        for key in NO_KEYS:
            response = laboratory.get(route.at(texts | {name: key}))
            # Django admin sends people back to its start page, with a message.
            wanted = (302, 400, 403, 404) if route.is_admin else (400, 404, 405)
            if name in ("uidb36", "key", "token"):
                wanted = (200, 410, *wanted)  # the page says that the link is not valid
            assert response.status_code in wanted, key


PARAMETERS = (
    "q", "after", "before", "sort", "per_page", "page", "columns", "show", "whose", "kind", "next",
    "owner", "status", "stage", "created", "created_after", "amount_min", "o", "p", "_popup",
    "_to_field", "_changelist_filters", "e", "account", "parent", "name", "view", "filter", "as",
)  # fmt: skip
BAD_TEXTS = (
    "%00", "%ED%A0%80", "%FF", "9" * 30, "-1", "1e400", "NaN", "%C2%B2", quote(CANARY),
    "%25_%5C", "x" * 5000, "2026-02-30", "0000-00-00", "%2F%2Fevil.example", "javascript:alert(1)",
    "-owner__password", "abc%3Adef",
)  # fmt: skip


@BY_NAME
def test_parameters_of_any_kind_get_an_answer(world, ask, route):
    laboratory = ask(route)
    address = address_of(world, route)
    laboratory.get(f"{address}?view=999999999&filter={{&earlier=owner&columns=x")
    for text in BAD_TEXTS[ROUTES.index(route) % SHARES :: SHARES]:
        everywhere = "&".join(f"{name}={text}" for name in PARAMETERS)
        laboratory.get(f"{address}?{everywhere}")
        laboratory.get(f"{address}?q[]={text}&q[$ne]={text}&owner={text}&owner={text}&{text}")
    laboratory.get(f"{address}?{'a' * 8000}")


@pytest.mark.parametrize(
    "name", ["leads:lead_list", "accounts:account_list", "opportunities:opportunity_list"]
)
@pytest.mark.parametrize(
    "name_of_value", ["owner=abc", "owner=²", f"owner={'9' * 30}", "owner=1.5"]
)
def test_a_bad_filter_shows_nothing_and_says_why(world, ask, name, name_of_value):
    (route,) = (route for route in ROUTES if route.name == name)

    response = ask(route).get(f"{address_of(world, route)}?{name_of_value}")

    assert response.status_code == 200
    assert not response.context["page"].records
    assert response.context["filter"].form.errors


@pytest.mark.parametrize("per_page", ["1000000000", "0", "-5", "x"])
def test_a_page_has_200_rows_at_most(world, ask, per_page):
    (route,) = (route for route in ROUTES if route.name == "leads:lead_list")

    response = ask(route).get(f"/leads/?per_page={per_page}&sort=password&after=x")

    assert 0 < len(response.context["page"].records) <= 200


# -- bodies -----------------------------------------------------------------------------------

PART = b'--B\r\nContent-Disposition: form-data; name="%s"%s\r\n%s\r\n%s\r\n'
MULTIPART = "multipart/form-data; boundary=B"
BODIES = {
    "another charset": (b"name=x", f"{FORM}; charset=utf-16"),
    "no charset": (b"name=x", f"{FORM}; charset=nonsense"),
    "too many fields": ("&".join(f"a{n}=1" for n in range(1500)).encode(), FORM),
    "too large": (b"name=" + b"x" * 3_000_000, FORM),
    "too many files": (
        b"".join(PART % (b"f%d" % n, b'; filename="a"', b"", b"x") for n in range(150)) + b"--B--",
        MULTIPART,
    ),
    "broken multipart": (b"--B\r\nContent-Disp", MULTIPART),
    "no boundary": (b"x", "multipart/form-data"),
    "broken base64": (
        PART % (b"f", b"", b"Content-Transfer-Encoding: base64\r\n", b"!!!") + b"--B--",
        MULTIPART,
    ),
    "invalid UTF-8": (b"name=%FF%FE&%C3=1", FORM),
    "JSON": (b'{"name": "x"}', "application/json"),
    "no type": (b"name=x", ""),
}


@BY_NAME
def test_bodies_that_cannot_be_read_are_refused(world, ask, route):
    laboratory = ask(route, enforce_csrf=True)
    address = address_of(world, route)
    for what, (body, content_type) in BODIES.items():
        response = laboratory.ask("POST", address, body=body, content_type=content_type)
        assert 400 <= response.status_code < 500, what


@BY_NAME
def test_a_form_without_its_token_is_refused_and_given_back(world, ask, route):
    laboratory = ask(route, enforce_csrf=True)
    address = address_of(world, route)
    typed = {"name": "typed by hand", "password": "nobody's business"}

    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        response = laboratory.post(address, typed, **headers)
        assert response.status_code == 403
        text = response.content.decode()
        assert "typed by hand" in text and "nobody" not in text


# -- forms ------------------------------------------------------------------------------------

VALUES = (
    "", " ", "\x00", "\ud800", "\u200b\u202e", CANARY, "x" * 300, "x" * 70_000, "9" * 30, "-1",
    "1e400", "NaN", "１２", "2026-02-30", "10000-01-01", "24:00", "a@b", "a@b.c\r\nBcc: d@e.f",
    "javascript:alert(1)", " JaVa\tscript:alert(1)", "http://user:pw@x.example",
    'http://x.example"onclick=', "{{ 7|add:7 }}", "%s%n", "Null", "O'Brien 👩‍👩‍👧 عربى 漢字",
)  # fmt: skip
HIDDEN = {"csrfmiddlewaretoken", "key", "version", "expected", "seen_version"}
# The sample data takes seconds each time; its form has no fields.
FORMS = [route for route in ROUTES if route.name != "administration:sample_data"]


def fields_of(data, page):
    """The names that a form sends and that people fill in."""
    form = form_in(page)
    return (set(data) | (set(form.fields) if form is not None else set())) - HIDDEN


@pytest.mark.parametrize("route", FORMS, ids=str)
def test_forms_answer_any_value_in_every_field(world, ask, route):
    laboratory = ask(route)
    address, data, page = laboratory.form_of(route)
    fields = sorted(fields_of(data, page))
    for value in VALUES[FORMS.index(route) % SHARES :: SHARES]:
        laboratory.post(address, {**data, **dict.fromkeys(fields, value)})
    for name in fields:  # and one wrong value among right ones
        response = laboratory.post(address, {**data, name: "zzz \x07"})
        form = form_in(response)
        if response.status_code == 422 and form is not None and name in form.fields:
            assert form.errors, name
    for name in ("key", "version", "expected"):
        for value in ("", "x" * 500, "-1", "9" * 30, "\x00"):
            laboratory.post(address, {**data, name: value})
    laboratory.post(address, {name: [value, "second"] for name, value in data.items()})


# The form gets such fields from the record: its class does not tell.
BY_RECORD = {"leads:lead_convert"}
# A form that is sent by its address, like a search; "parameters of any kind" asks it.
BY_ADDRESS = {"leads:assignmentrule_try"}

# Shown to who has set up a second step only, or another page's; tests/users/test_sign_in.py asks.
BY_SECOND_STEP = {"mfa_edit_webauthn", "mfa_reauthenticate", "mfa_login_webauthn"}


def form_fields(route):
    """The fields of the form that a page sends, as far as its class tells; {} without one."""
    view = route.view
    if route.is_admin or not hasattr(view, "post") or "get" not in view.http_method_names:
        return {}
    given = getattr(route.pattern.callback, "view_initkwargs", {})
    form_class = given.get("form_class") or getattr(view, "form_class", None)
    of_model = {
        name: view.model._meta.get_field(name).formfield()
        for name in getattr(form_class, "model_fields", ())
    }
    return getattr(form_class, "base_fields", {}) | of_model


def is_typed(field):
    return type(field.widget).__name__ in ("TextInput", "Textarea", "EmailInput", "TelInput")


def is_choice_of_records(field):
    model = getattr(getattr(field, "queryset", None), "model", None)
    return model is not None and issubclass(model, OwnedRecord)


def pages_with(is_wanted):
    return [
        route
        for route in FORMS
        if route.name not in BY_SECOND_STEP
        if route.name in BY_RECORD or any(map(is_wanted, form_fields(route).values()))
    ]


TYPED = pages_with(is_typed)
CHOOSING = pages_with(is_choice_of_records)


@pytest.mark.parametrize(
    ("asked", "is_wanted", "some"),
    [
        (TYPED, is_typed, {"leads:lead_create", "leads:lead_convert", "core:organisation_update"}),
        (
            CHOOSING,
            is_choice_of_records,
            {"leads:lead_convert", "contacts:contact_job_change", "accounts:account_archive"},
        ),
    ],
    ids=["typed text", "choices of records"],
)
def test_every_page_with_such_a_field_is_asked(world, ask, asked, is_wanted, some):
    """What the classes of the forms tell is what the pages show: none is left out in silence."""
    assert some <= {route.name for route in asked}
    known = {route.name for route in asked} | BY_ADDRESS | BY_SECOND_STEP
    left_out = [route for route in FORMS if route.name not in known and not route.is_admin]
    for route in left_out:
        _address, page = ask(route).page_of(route)
        form = form_in(page) if page.status_code == 200 and is_html(page) else None
        shown = getattr(form, "fields", {})
        assert [name for name, field in shown.items() if is_wanted(field)] == [], route


@pytest.mark.parametrize("route", TYPED, ids=str)
def test_a_refused_form_keeps_what_was_typed(world, ask, route):
    laboratory = ask(route)
    address, data, page = laboratory.form_of(route)
    number = count(1)
    texts = {
        name: f"typed {next(number)} \x07"  # a control character: nowhere valid
        for name, field in form_in(page).fields.items()
        if name in data and is_typed(field)
    }
    assert texts

    response = laboratory.post(address, {**data, **texts})

    assert response.status_code in (409, 422)
    kept = sent(response)
    assert {n: str(kept[n]).strip() for n in texts} == {n: t.strip() for n, t in texts.items()}


# What no form shows, and where it would be found if one took it.
NEVER_SHOWN = {
    "id": "77777777",
    "pk": "77777777",
    "is_superuser": "on",
    "is_staff": "on",
    "archived_at": "1999-01-01 00:00",
    "created_at": "1999-01-01 00:00",
    "updated_at": "1999-01-01 00:00",
    "converted_at": "1999-01-01 00:00",
    "stage_entered_at": "1999-01-01 00:00",
    "external_id": "CANARY-7",
    "external_source": "CANARY-7",
    "search_text": "CANARY-7",
    "name_key": "CANARY-7",
    "custom": '{"a": "CANARY-7"}',
    "qualification_score": "77777777",
    "password": "CANARY-7",
}
WRITTEN_BY = ("created_by_id", "updated_by_id", "merged_into_id", "owner_id", "converted_by_id")


@pytest.mark.parametrize("route", FORMS, ids=str)
def test_forms_take_nothing_that_they_do_not_show(world, ask, route):
    laboratory = ask(route)
    address, data = laboratory.filled_in(route)
    page = laboratory.page_of(route)[1]
    shown = fields_of(data, page)
    stranger = world.stranger.pk
    people = dict.fromkeys((name.removesuffix("_id") for name in WRITTEN_BY), str(stranger))
    extra = {n: v for n, v in {**NEVER_SHOWN, **people}.items() if n not in shown}
    before = belongs_to(stranger, shown)
    role = world.rep.role

    def then():
        assert "CANARY-7" not in str(digest(journal=True))
        found = str(digest())
        assert "77777777" not in found and "(1999, 1, 1" not in found
        assert belongs_to(stranger, shown) == before
        assert User.objects.get(pk=world.rep.pk).role == role

    laboratory.post(address, {**data, **extra}, then=then)


def belongs_to(user_id, shown):
    """How often the user stands where forms do not offer to put him."""
    names = [name for name in WRITTEN_BY if name.removesuffix("_id") not in shown]
    rows = [row for table in digest(stamps=True).values() for row in table]
    return sum(row.get(name) == user_id for row in rows for name in names)


@pytest.mark.parametrize("route", CHOOSING, ids=str)
def test_records_out_of_reach_are_refused_like_unknown_ones(world, ask, route):
    laboratory = ask(route)
    address, data, page = laboratory.form_of(route)
    asked = 0
    for name, field in form_in(page).fields.items():
        queryset = getattr(field, "queryset", None)
        for record in world.out_of_reach(getattr(queryset, "model", None)):
            answers = [
                laboratory.post(address, {**data, name: str(key), f"{name}_q": ""})
                for key in (record.pk, 99_999_999)
            ]
            errors = [str(form_in(a).errors.get(name, "")) for a in answers if form_in(a)]
            assert len({a.status_code for a in answers}) == 1, name
            assert len(set(errors)) <= 1, name
            asked += 1
    assert asked


# -- the rest of a request --------------------------------------------------------------------

EVIL = ("//evil.example", "https:evil.example", "https://evil.example/", "javascript:alert(1)",
        "\\\\evil.example", "/\\evil.example", "http:///evil.example")  # fmt: skip


@pytest.mark.parametrize("target", EVIL)
def test_next_leads_nowhere_else(world, ask, target):
    (login,) = (route for route in ROUTES if route.name == "account_login")
    laboratory = ask(login)
    data = {"login": "rae@world.example", "password": "correct horse battery", "next": target}

    response = laboratory.post(f"/login/?next={quote(target)}", data)

    assert response.status_code == 302
    assert response.url == "/"


def test_foreign_hosts_are_refused(world, ask):
    for route in ROUTES[::10]:
        response = ask(route).get(address_of(world, route), Host="evil.example")
        assert response.status_code == 400
        response = ask(route).get(address_of(world, route), X_Forwarded_Host="evil.example")
        assert b"evil.example" not in response.content


@pytest.mark.parametrize("cookie", ["", "x", "0" * 32, "é" * 32, "x" * 4000, "../../etc/passwd"])
def test_a_session_that_is_none_leads_to_the_log_in(world, cookie):
    laboratory = Laboratory(world, Client(), None)
    laboratory.client.cookies["session"] = cookie

    response = laboratory.get("/leads/")

    assert response.status_code == 302 and response.url.startswith("/login/")
    laboratory.judge()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_part_of_a_page_without_a_session_leads_its_page_to_the_log_in(world, method):
    laboratory = Laboratory(world, Client(), None)
    for route in ROUTES:
        if getattr(route.pattern.callback, "login_required", True):
            address = address_of(world, route)
            response = laboratory.ask(method, address, headers={"HX-Request": "true"})
            assert response.status_code == 401, address
            assert response.headers["HX-Redirect"].startswith("/login/?next="), address
            assert response.content == b"", address
    laboratory.judge()


@pytest.mark.parametrize("route", FORMS, ids=str)
def test_a_right_that_is_gone_when_the_form_is_sent_counts_no_more(world, ask, route):
    """Whoever may only read by then changes no record, whatever page was open."""
    laboratory = ask(route)
    address, data = laboratory.filled_in(route)
    user, laboratory.user = laboratory.user, None  # he may see more by then, too
    users = QuerySet(User).filter(pk=user.pk if user else None)  # past the journal
    records = {model._meta.label_lower for model in apps.get_models() if is_business(model)}

    def then():
        changed = differences(world.digest, digest(journal=True, stamps=True))
        assert records & set(changed) == set(), address

    with rolled_back():
        users.update(role=Role.READ_ONLY)
        laboratory.post(address, data, then=then)


def is_business(model):
    """Whether it holds records of the business or settings, not what somebody has for himself."""
    return issubclass(model, Journalled) and model not in (SavedView, Seen, Batch, User)


def test_somebody_who_may_not_come_any_more_is_sent_to_the_log_in(world):
    laboratory = Laboratory(world, Client(), world.rep)
    with rolled_back():
        User.objects.filter(pk=world.rep.pk).update(is_active=False)
        assert laboratory.client.get("/leads/").status_code == 302


def test_headers_of_htmx_are_never_believed(world, ask):
    forged = {"HX-Request": "true", "HX-Target": CANARY, "HX-Current-URL": "https://evil.example/"}
    for route in ROUTES[::3]:
        laboratory = ask(route)
        response = laboratory.get(address_of(world, route), **forged)
        assert "evil.example" not in str(response.headers)
        assert b"evil.example" not in b"".join(response)


@pytest.mark.parametrize("text", ["x" * 10_000, "%", "_", "\\", "the of and", ".*", "'", '"'])
def test_a_search_takes_its_text_literally(world, ask, text):
    (route,) = (route for route in ROUTES if route.name == "leads:lead_list")

    response = ask(route).get(f"/leads/?q={quote(text)}")

    assert response.status_code == 200
    assert not response.context["page"].records


@pytest.mark.parametrize(
    "data",
    [
        {"action": "delete_selected", "_selected_action": "abc"},
        {"action": "delete_selected", "_selected_action": "9" * 30, "post": "yes"},
        {"action": "x", "index": "abc", "select_across": "1"},
        {"_save": "x", "form-TOTAL_FORMS": "abc"},
        {"_save": "x", "form-TOTAL_FORMS": "10000000", "form-INITIAL_FORMS": "-1"},
    ],
)
def test_lists_of_the_operators_view_refuse_forged_actions(world, ask, data):
    lists = [route for route in ROUTES if route.name.endswith("_changelist")]
    assert lists
    for route in lists:
        ask(route).post(address_of(world, route), data)
