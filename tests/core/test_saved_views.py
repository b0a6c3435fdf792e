"""Saved views and the pages that make, share, pin and change them."""

import json

import pytest
from django.urls import reverse

from core.journal import Operation
from core.models import SavedView
from core.undo import undo
from leads.models import Lead
from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory

pytestmark = pytest.mark.django_db

HOT = {"all": [{"field": "rating", "op": "in", "value": ["HOT"]}]}
LIST = "/leads/"
NEW = "/views/leads.lead/new/"


def make(owner, **values):
    values = {"name": "Hot leads", "model": "leads.lead", "filter": HOT, **values}
    return SavedView.objects.create(owner=owner, **values)


def listed(client, query=""):
    response = client.get(f"{LIST}{query}")
    assert response.status_code == 200
    return [lead.last_name for lead in response.context["page"].records]


def typed(document, path="r"):
    """What the editor sends for a document."""
    if "field" in document:
        value = document.get("value", "")
        return {
            f"{path}.field": document["field"],
            f"{path}.op": document["op"],
            f"{path}.value": value,
        }
    ((join, items),) = document.items()
    sent = {f"{path}.join": join}
    for number, item in enumerate(items):
        sent |= typed(item, f"{path}-{number}")
    return sent


def state():
    return list(SavedView.objects.order_by("pk").values()), Operation.objects.count()


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


@pytest.fixture
def leads(rep):
    return [
        LeadFactory(last_name="Hot", rating="HOT", owner=rep),
        LeadFactory(last_name="Cold", rating="COLD", owner=rep),
        LeadFactory(last_name="Dead", rating="HOT", owner=rep, dead=True),
    ]


# the list in a view


def test_a_view_cuts_the_list_and_brings_its_columns_and_order(as_rep, rep, leads):
    view = make(rep, columns=["name", "rating"], sort="name")

    response = as_rep.get(f"{LIST}?view={view.pk}")

    assert [lead.last_name for lead in response.context["page"].records] == ["Dead", "Hot"]
    assert [head["column"].key for head in response.context["heads"]] == ["name", "rating"]
    assert listed(as_rep, f"?view={view.pk}&sort=-name") == ["Hot", "Dead"]
    assert listed(as_rep, f"?view={view.pk}&q=dead") == ["Dead"]
    (chip,) = response.context["view_chips"]
    assert (chip["label"], chip["text"]) == ("Rating", "is Hot")
    assert sorted(listed(as_rep, f"?{chip['without']}")) == ["Cold", "Dead", "Hot"]


def test_a_filter_in_the_url_takes_the_place_of_the_view(as_rep, leads):
    document = json.dumps({"all": [{"field": "rating", "op": "in", "value": ["COLD"]}]})

    assert listed(as_rep, f"?filter={document}") == ["Cold"]
    assert listed(as_rep, f"?filter={document}&view=dead") == ["Cold"]
    assert listed(as_rep, f"?filter={document}&status=x") == []
    tabs = as_rep.get(f"{LIST}?filter={document}&view=dead").context["views"]
    assert not any(tab["is_current"] for tab in tabs)


@pytest.mark.parametrize(
    "document",
    [
        "{", "[]", "7", "null", "[" * 2000, '{"all":[{"all":[{"all":[{"all":[]}]}]}]}',
        '{"all":[{"field":"password","op":"is","value":1}]}',
        '{"all":[{"field":"rating","op":"sql","value":1}]}',
        '{"none":[]}', '{"all":[{"field":"owner","op":"in","value":["%C2%B2"]}]}',
    ],
)  # fmt: skip
def test_a_bad_filter_in_the_url_says_so_and_finds_nothing(as_rep, leads, document):
    response = as_rep.get(f"{LIST}?view=all&filter={document}")

    assert response.status_code == 200
    assert response.context["page"].records == []
    assert response.context["refusal"]
    assert response.context["refusal"] in response.content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize(
    "stored",
    [
        [], "x", 7, None, {"none": []}, {"all": "x"}, {"all": [7, None, []]},
        {"all": [{"field": "password", "op": "is", "value": "x"}]},
        {"all": [{"field": "rating", "op": "in", "value": ["GONE"]}]},
        {"all": [{"all": [{"all": [{"all": [{"field": "rating", "op": "empty"}]}]}]}]},
        {"all": [{"field": {"a": 1}, "op": ["x"], "value": {"y": 2}}]},
    ],
    ids=lambda stored: json.dumps(stored)[:40],
)  # fmt: skip
def test_a_bad_stored_filter_is_told_and_can_be_put_right(as_rep, rep, leads, stored):
    view = make(rep, filter={"x": 1}, is_pinned=True)
    SavedView.objects.filter(pk=view.pk).update(filter=stored if stored is not None else "null")

    response = as_rep.get(f"{LIST}?view={view.pk}")
    assert response.status_code == 200
    if response.context["refusal"]:
        assert response.context["page"].records == []
        assert "Edit view" in response.content.decode()
    else:
        assert stored in ([], "x") or not stored

    assert as_rep.get(reverse("core:pinned")).status_code == 200
    page = reverse("core:savedview_update", args=[view.pk])
    assert as_rep.get(page).status_code == 200
    sent = typed(HOT) | {"name": "Hot", "audience": "ME", "version": "2", "do": "save"}
    assert as_rep.post(page, sent).status_code == 303
    assert sorted(listed(as_rep, f"?view={view.pk}")) == ["Dead", "Hot"]


def test_previous_and_next_walk_through_the_view_as_it_is_sorted(as_rep, rep, leads):
    hot, _cold, dead = leads
    view = make(rep, sort="-name")
    query = f"view={view.pk}"

    came_from = {"HTTP_REFERER": f"http://testserver{LIST}?{query}"}
    first = as_rep.get(hot.get_absolute_url(), **came_from).context["view"].position
    last = as_rep.get(dead.get_absolute_url(), **came_from).context["view"].position

    assert (first.previous, first.next) == ("", dead.get_absolute_url())
    assert (last.previous, last.next) == (hot.get_absolute_url(), "")
    assert first.list == f"{LIST}?{query}"


def test_a_view_that_is_gone_or_hidden_shows_nothing(as_rep, stranger, leads):
    hidden = make(stranger)

    for key in (hidden.pk, 10**9, "9" * 30):
        response = as_rep.get(f"{LIST}?view={key}")
        assert response.context["page"].records == []
        assert "This view is gone" in response.content.decode()


@pytest.mark.parametrize("count", [1, 50])
def test_a_list_in_a_view_costs_eight_queries_at_most(
    as_rep, rep, count, django_assert_max_num_queries
):
    for number in range(count):
        LeadFactory(owner=rep, rating="HOT")
        make(rep, name=f"View {number}", is_pinned=True)
    view = SavedView.objects.order_by("pk").first()

    with django_assert_max_num_queries(8):
        as_rep.get(f"{LIST}?view={view.pk}&owner=me")


def test_columns_are_shown_and_kept_in_the_order_that_was_chosen(as_rep, rep, leads):
    def keys(response):
        return [head["column"].key for head in response.context["heads"]]

    page = as_rep.get(f"{LIST}?columns=city&columns=rating&columns=company")
    assert keys(page) == ["name", "city", "rating", "company"]
    choices = list(page.context["choices"])
    assert [choice["is_shown"] for choice in choices[:4]] == [True, True, True, False]
    assert [choice["can_move"] for choice in choices[:4]] == [False, True, True, False]

    moved = as_rep.get(f"{LIST}?view=all&columns=city,rating&columns=company&earlier=company")
    assert moved.status_code == 302
    page = as_rep.get(moved["Location"])
    assert keys(page) == ["name", "city", "company", "rating"]
    assert page.context["is_choosing"]
    assert "view=all" in moved["Location"]
    for key in ("city", "name", "nothing", "x" * 300):
        moved = as_rep.get(f"{LIST}?columns=city&columns=rating&earlier={key}")
        assert keys(as_rep.get(moved["Location"])) == ["name", "city", "rating"]

    query = "?columns=city&columns=rating"
    sent = typed(HOT) | {"name": "Kept", "audience": "ME", "do": "save"}
    saved = as_rep.post(f"{NEW}{query}", sent)
    assert keys(as_rep.get(saved["Location"])) == ["name", "city", "rating"]


# saving


def test_the_present_list_is_saved_as_a_view(as_rep, rep, leads):
    query = "?view=open&country=DE&sort=-name&columns=name&columns=city&q=hot"
    page = as_rep.get(f"{NEW}{query}")
    document = page.context["editor"].document
    assert [item.get("field") for item in document["all"]] == ["phase", "search_text", "country"]

    sent = {"name": "Mine", "audience": "TEAM", "is_pinned": "on", "do": "save", "key": "k1"}
    response = as_rep.post(f"{NEW}{query}", sent | typed(document))

    assert response.status_code == 303, str(response.context["form"].errors)
    view = SavedView.objects.get()
    assert response["Location"] == f"{LIST}?view={view.pk}"
    assert (view.owner, view.model, view.sort, view.columns) == (
        rep, "leads.lead", "-name", ["name", "city"],
    )  # fmt: skip
    assert (view.name, view.audience, view.is_pinned) == ("Mine", "TEAM", True)
    assert view.filter == document
    assert Operation.objects.order_by("-pk").first().kind == "CREATE"

    again = as_rep.post(f"{NEW}{query}", sent | typed(document))
    assert again.status_code == 303, str(again.context["form"].errors)
    assert SavedView.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"name": ""}, "required"),
        ({"name": "x" * 81}, "80"),
        ({"audience": "NOBODY"}, "NOBODY"),
        ({"name": "Hot leads"}, "You have a view of this name already."),
        ({"r-0.value": "NOPE"}, "is not one of the choices"),
        ({"r-0.op": "sql"}, "asked with"),
        ({"r-0.field": "password"}, "Unknown or unavailable field"),
        ({"r-0.value": "\x00"}, "is not one of the choices"),
    ],
)
def test_a_bad_view_is_refused_and_keeps_what_was_typed(as_rep, rep, sent, message):
    make(rep)
    before = state()
    good = {"name": "Kept words", "audience": "ME", "do": "save"} | typed(HOT)

    response = as_rep.post(NEW, good | sent)

    assert response.status_code == 422
    assert message in response.content.decode().replace("&#x27;", "'")
    if "name" not in sent:
        assert "Kept words" in response.content.decode()
    assert state() == before


def test_a_view_is_changed_undone_and_removed(as_rep, rep, leads):
    view = make(rep)
    page = reverse("core:savedview_update", args=[view.pk])
    cold = {"all": [{"field": "rating", "op": "in", "value": ["COLD"]}]}
    sent = {"name": "Cold", "audience": "EVERYONE", "version": "1", "do": "save", "key": "k"}

    assert as_rep.post(f"{page}?sort=name", sent | typed(cold)).status_code == 303
    view.refresh_from_db()
    assert (view.name, view.filter, view.sort) == ("Cold", cold, "name")

    undo(Operation.objects.order_by("-pk").first(), by=rep)
    view.refresh_from_db()
    assert (view.name, view.filter, view.audience) == ("Hot leads", HOT, "ME")

    remove = reverse("core:savedview_delete", args=[view.pk])
    assert "The view goes" in as_rep.get(remove).content.decode()
    assert as_rep.post(remove, {"key": "r"}).status_code == 303
    assert not SavedView.objects.exists()
    undo(Operation.objects.order_by("-pk").first(), by=rep)
    assert SavedView.objects.get() == view


def test_a_stale_view_asks_which_value_stays(as_rep, rep):
    view = make(rep)
    SavedView.objects.filter(pk=view.pk).update(name="Theirs")
    page = reverse("core:savedview_update", args=[view.pk])
    sent = {"name": "Mine", "audience": "ME", "version": "1", "do": "save"} | typed(HOT)

    response = as_rep.post(page, sent)

    assert response.status_code == 409
    assert "Theirs" in response.content.decode()
    assert 'name="r-0.value"' in response.content.decode()


# editing conditions without a script


def test_conditions_and_groups_are_added_and_removed_by_buttons(as_rep):
    def fields(response):
        assert response.status_code == 200
        return response.context["editor"].document

    document = fields(as_rep.post(NEW, {"r.join": "all", "r.add": "rating", "do": "add:r"}))
    assert document == {"all": [{"field": "rating", "op": "in", "value": []}]}

    sent = typed({"all": [{"field": "rating", "op": "in", "value": ["HOT"]}]})
    document = fields(as_rep.post(NEW, sent | {"do": "group:r", "name": "Kept"}))
    assert document["all"][1] == {"any": []}

    sent |= {"r-1.join": "any", "r-1.add": "email", "do": "add:r-1"}
    document = fields(as_rep.post(NEW, sent))
    assert document["all"][1] == {"any": [{"field": "email", "op": "is", "value": ""}]}

    sent |= {"r-1-0.field": "email", "r-1-0.op": "empty", "do": "remove:r-0"}
    document = fields(as_rep.post(NEW, sent))
    assert document == {"all": [{"any": [{"field": "email", "op": "empty"}]}]}

    for do in ("add:r-7", "add:", "remove:r", "group:r-0", "nonsense", "add:r-0-0-0-0"):
        assert as_rep.post(NEW, sent | {"do": do}).status_code == 200
    assert SavedView.objects.count() == 0


def test_conditions_on_related_records_are_edited_in_a_group_of_their_own(as_rep, rep):
    page = "/views/accounts.account/new/"

    added = as_rep.post(page, {"r.join": "all", "r.add": "opportunities", "do": "add:r"})
    (node,) = added.context["editor"].root.items
    assert node.document == {
        "field": "opportunities", "op": "has", "value": {"all": []}, "count": "1",
    }  # fmt: skip
    assert "amount" in dict(node.fields)

    sent = {"r.join": "all", "r-0.field": "opportunities", "r-0.op": "has", "r-0.count": "2"}
    added = as_rep.post(page, sent | {"r-0.add": "amount", "do": "add:r-0"})
    assert 'name="r-0-0.value"' in added.content.decode()

    sent |= {"r-0-0.field": "amount", "r-0-0.op": "gte", "r-0-0.value": "100"}
    shown = as_rep.get(as_rep.post(page, sent | {"do": "show"})["Location"])
    assert shown.context["page"].records == []
    account = AccountFactory(owner=rep)
    OpportunityFactory.create_batch(2, account=account, owner=rep, amount=100)
    shown = as_rep.get(shown.request["PATH_INFO"] + "?" + shown.request["QUERY_STRING"])
    assert shown.context["page"].records == [account]
    (chip,) = shown.context["view_chips"]
    assert chip["text"] == "at least 2 with Amount at least 100"

    refused = as_rep.post(page, sent | {"r-0.count": "0", "do": "show"})
    assert refused.status_code == 422
    assert "Enter a number from 1 to" in refused.content.decode()
    again = as_rep.get(f"{page}?{shown.request['QUERY_STRING']}").context["editor"]
    assert again.check().document == shown.context["filter"].document


def test_edited_conditions_are_shown_without_saving(as_rep, leads):
    response = as_rep.post(f"{NEW}?sort=name&columns=name", typed(HOT) | {"do": "show"})

    assert response.status_code == 303
    shown = as_rep.get(response["Location"])
    assert [lead.last_name for lead in shown.context["page"].records] == ["Dead", "Hot"]

    many = {"all": [{"field": "description", "op": "is", "value": "x" * 200}] * 40}
    refused = as_rep.post(NEW, typed(many) | {"do": "show"})
    assert refused.status_code == 422
    assert "Save it as a view" in refused.content.decode()


def test_a_record_is_found_and_ticked(as_rep, rep):
    account = AccountFactory(name="Meridian", owner=rep)
    sent = {"r.join": "all", "r-0.field": "matched_account", "r-0.op": "in", "do": "find"}

    page = as_rep.post(NEW, sent | {"r-0.find": "merid"}).content.decode()

    assert f'value="{account.pk}"' in page
    ticked = as_rep.post(NEW, sent | {"r-0.value": str(account.pk)}).content.decode()
    assert "Meridian" in ticked


@pytest.mark.parametrize("field", ["rating", "owner", "interests", "created_at", "budget", "email"])
def test_every_operator_of_a_field_has_its_inputs(as_rep, field):
    page = as_rep.post(NEW, {"r.join": "all", "r.add": field, "do": "add:r"})
    (node,) = page.context["editor"].root.items

    for op in node.type.offered:
        sent = {"r.join": "all", "r-0.field": field, "r-0.op": op, "do": "update"}
        html = as_rep.post(NEW, sent).content.decode()
        assert ('name="r-0.value"' in html) == (op not in ("empty", "filled"))


# who may


def test_a_view_is_offered_to_its_audience(client, rep, manager, stranger, admin):
    make(rep, name="Mine")
    make(rep, name="Ours", audience="TEAM")
    make(rep, name="All's", audience="EVERYONE")

    def tabs(user):
        client.force_login(user)
        found = {view["label"] for view in client.get(LIST).context["views"]}
        return found & {"Mine", "Ours", "All's"}

    assert tabs(rep) == {"Mine", "Ours", "All's"}
    assert tabs(manager) == {"Ours", "All's"}
    assert tabs(stranger) == {"All's"}
    assert tabs(admin) == {"All's"}


@pytest.mark.parametrize(
    ("audience", "who", "status"),
    [
        ("ME", "manager", 404),
        ("TEAM", "manager", 403),
        ("TEAM", "stranger", 404),
        ("EVERYONE", "stranger", 403),
        ("ME", "admin", 303),
    ],
)
def test_only_the_owner_and_administrators_change_a_view(
    client, rep, manager, stranger, admin, audience, who, status
):
    view = make(rep, audience=audience)
    client.force_login({"manager": manager, "stranger": stranger, "admin": admin}[who])
    before = state()
    sent = {"name": "Changed", "audience": audience, "version": "1", "do": "save"} | typed(HOT)

    assert client.post(reverse("core:savedview_update", args=[view.pk]), sent).status_code == status
    removed = client.post(reverse("core:savedview_delete", args=[view.pk]), {"key": "x"})
    assert removed.status_code == status
    assert (state() == before) == (status != 303)


def test_a_shared_view_shows_each_reader_his_own_records(client, rep, stranger, leads):
    view = make(rep, audience="EVERYONE", filter={}, is_pinned=True)
    LeadFactory(last_name="Theirs", owner=stranger)
    client.force_login(stranger)

    assert listed(client, f"?view={view.pk}") == ["Theirs"]
    (pin,) = client.get(reverse("core:pinned")).context["pinned"]
    assert pin["count"] == 1


def test_who_may_not_view_the_records_gets_no_page_and_no_pin(client, rep):
    view = make(rep, audience="EVERYONE", is_pinned=True)
    client.force_login(UserFactory(role="SUPPORT"))

    assert client.get(f"{LIST}?view={view.pk}").status_code == 403
    assert client.get(NEW).status_code == 403
    assert client.get(reverse("core:pinned")).context["pinned"] == []
    assert client.get(reverse("core:savedview_create", args=["leads.nothing"])).status_code == 404


# pins


def test_pins_count_what_the_list_shows(as_rep, rep, leads):
    LeadFactory(owner=rep, rating="HOT", archived_at="2026-01-01T00:00Z")
    view = make(rep, is_pinned=True)
    make(rep, name="Not pinned")

    (pin,) = as_rep.get(reverse("core:pinned")).context["pinned"]

    assert pin["count"] == len(listed(as_rep, f"?view={view.pk}")) == 2
    rail = as_rep.get("/").content.decode()
    assert "Pinned views" in rail
    assert view.get_absolute_url() in rail
    assert "Not pinned" not in rail


def test_the_start_page_shows_the_pinned_views(as_rep, rep, leads):
    assert 'as=lines"' not in as_rep.get("/").content.decode()
    view = make(rep, is_pinned=True)

    home = as_rep.get("/").content.decode()
    lines = as_rep.get(reverse("core:pinned") + "?as=lines").content.decode()

    assert 'as=lines"' in home
    assert home.count(view.get_absolute_url()) == 2
    assert "hx-trigger" not in lines
    assert ">2<" in lines


def test_each_pin_costs_one_query(as_rep, rep, leads, django_assert_num_queries):
    make(rep, is_pinned=True)
    with django_assert_num_queries(6):
        as_rep.get(reverse("core:pinned"))
    make(rep, name="Another", is_pinned=True)
    with django_assert_num_queries(7):
        as_rep.get(reverse("core:pinned"))
    assert Lead.objects.count() == 3
