import json

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account
from core.journal import Kind, Label, Operation, operation, start_run
from core.models import OwnedRecord
from core.recycle_bin import NotArchived, ParentArchived, archiving_of, restore
from core.services import archive
from core.undo import undo
from core.views import record_models, url_of
from tests.digest import digest
from tests.factories.accounts import AccountFactory
from tests.factories.users import UserFactory
from users.models import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(rep):
    return AccountFactory(name="Acme", owner=rep)


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


def edited(account, by, **values):
    """The operation by which ``by`` changed ``account``."""
    fresh = type(account).objects.get(pk=account.pk)
    with operation(Kind.EDIT, by=by, label=Label("Edited %(record)s", record=fresh)) as op:
        for name, value in values.items():
            setattr(fresh, name, value)
        fresh.save()
    return op.row


def page(name, op):
    return reverse({"operation": "core:operation", "undo": "core:undo"}[name], args=[op.pk])


# operations


def test_history_lists_what_the_user_did_newest_first(as_rep, account, rep, manager):
    first, second = edited(account, rep, site="1"), edited(account, rep, site="2")
    edited(account, manager, site="3")

    response = as_rep.get(reverse("core:history"))

    assert [op for op, _label in response.context["operations"]] == [second, first]
    assert "Edited Acme" in response.content.decode()


@pytest.mark.parametrize("query", ["before=x", "before=" + "9" * 30, "before=-1"])
def test_history_survives_any_parameter(as_rep, query):
    assert as_rep.get(f"{reverse('core:history')}?{query}").status_code == 200


def test_an_operation_shows_the_fields_before_and_after(as_rep, account, rep):
    op = edited(account, rep, site="Hamburg", rating="HOT")

    response = as_rep.get(page("operation", op))

    values = {v.name: (v.before, v.after) for v in response.context["entries"][0]["values"]}
    assert values == {"site": ("", "Hamburg"), "rating": ("", "Hot")}
    assert "Undo" in response.content.decode()


def test_an_operation_leaves_out_what_the_reader_may_not_see(client, rep, stranger, account):
    user = UserFactory()
    with operation(Kind.EDIT, by=rep, label=Label("Edited two")) as op:
        account.site = "Hamburg"
        account.save()
        user.name = "Renamed"
        user.save()
    client.force_login(stranger)

    response = client.get(page("operation", op.row))

    assert [entry["record"] for entry in response.context["entries"]] == [account]
    assert response.context["hidden"] == 1
    assert "Renamed" not in response.content.decode()


def test_an_operation_out_of_reach_is_not_found(client, rep, stranger):
    user = UserFactory()
    with operation(Kind.EDIT, by=rep, label=Label("Edited a user")) as op:
        user.name = "Renamed"
        user.save()
    client.force_login(stranger)

    for name in ("operation", "undo"):
        assert client.get(page(name, op.row)).status_code == 404
    assert client.get("/operations/99999999999999999/").status_code == 404


def test_undo_shows_what_will_happen_and_does_it(as_rep, account, rep):
    op = edited(account, rep, site="Hamburg")

    plan = as_rep.get(page("undo", op)).context["plans"][0]
    response = as_rep.post(page("undo", op))

    assert plan["lines"] == [{"name": "Acme", "sign": "change", "fields": ["site"]}]
    assert (response.status_code, response.url) == (303, account.get_absolute_url())
    account.refresh_from_db()
    assert account.site == ""


def test_an_undo_can_be_redone(as_rep, account, rep):
    op = edited(account, rep, site="Hamburg")
    as_rep.post(page("undo", op))
    undone = Operation.objects.get(undoes=op)

    assert "Redo" in as_rep.get(page("undo", undone)).content.decode()
    as_rep.post(page("undo", undone))

    account.refresh_from_db()
    assert account.site == "Hamburg"


def test_undo_with_something_in_its_way_lists_it_and_changes_nothing(as_rep, account, rep):
    op = edited(account, rep, site="Hamburg")
    edited(account, rep, site="Bremen")
    before = digest(journal=True, stamps=True)

    preview, refused = as_rep.get(page("undo", op)), as_rep.post(page("undo", op))

    assert (preview.status_code, refused.status_code) == (200, 409)
    for response in (preview, refused):
        assert "site was changed since." in response.content.decode()
        assert not response.context["is_possible"]
    assert digest(journal=True, stamps=True) == before


def test_undo_of_what_is_undone_is_a_conflict(as_rep, account, rep):
    op = edited(account, rep, site="Hamburg")
    as_rep.post(page("undo", op))
    before = digest(journal=True)

    for response in (as_rep.get(page("undo", op)), as_rep.post(page("undo", op))):
        assert response.status_code == 409
        assert "undone already" in response.content.decode()
    assert digest(journal=True) == before


def test_undo_by_somebody_else_is_refused(client, account, rep, stranger):
    op = edited(account, rep, site="Hamburg")
    client.force_login(stranger)

    assert client.get(page("undo", op)).status_code == 403
    assert client.post(page("undo", op)).status_code == 403
    account.refresh_from_db()
    assert account.site == "Hamburg"


@pytest.mark.parametrize(
    "accept", ["x", ":", "accounts.account:", "a:1", "\x00:1", "a:" + "9" * 30]
)
def test_undo_ignores_ticks_that_make_no_sense(as_rep, account, rep, accept):
    op = edited(account, rep, site="Hamburg")

    assert as_rep.post(page("undo", op), {"accept": accept}).status_code == 303


def test_undo_of_a_creation_leads_to_the_list(as_rep, rep):
    with operation(Kind.CREATE, by=rep, label=Label("")) as op:
        account = AccountFactory(owner=rep)
        op.label = Label("Added %(record)s", record=account)

    response = as_rep.post(page("undo", op.row))

    assert (response.status_code, response.url) == (303, reverse("accounts:account_list"))
    assert not Account.objects.exists()


# history of a record


def test_a_records_history_is_shown_in_pages(as_rep, account, rep):
    for number in range(35):
        edited(account, rep, site=str(number))
    address = url_of(account, "history")

    first = as_rep.get(address)
    second = as_rep.get(address, {"after": first.context["older"]})

    sites = [
        e.values[0].after for e in (*first.context["entries"], *second.context["entries"][:-1])
    ]
    assert sites == [str(number) for number in range(34, -1, -1)]
    assert second.context["older"] == ""
    assert as_rep.get(address, {"after": "x"}).status_code == 200


# the recycle bin


def test_recycle_bin_shows_what_the_user_may_restore(as_rep, account, rep, stranger):
    archive(account, by=rep)
    AccountFactory(owner=stranger, archived_at=timezone.now())
    AccountFactory(owner=rep)

    response = as_rep.get(reverse("core:recycle_bin"), {"kind": "account"})

    assert response.context["page"].records == [account]


@pytest.mark.parametrize("query", ["", "kind=x", "kind=account&after=x"])
def test_recycle_bin_survives_any_parameter(as_rep, query):
    assert as_rep.get(f"{reverse('core:recycle_bin')}?{query}").status_code == 200


def test_restore_brings_the_record_back_and_can_be_undone(as_rep, account, rep):
    archive(account, by=rep)

    response = as_rep.post(reverse("core:restore", args=["accounts.account", account.pk]))

    account.refresh_from_db()
    assert (response.status_code, account.archived_at) == (303, None)
    assert "/undo/" in as_rep.get(response.url).content.decode()


def test_restore_of_what_somebody_else_archived_is_for_its_owner(account, rep, manager):
    archive(account, by=manager)
    account.refresh_from_db()
    assert archiving_of(account).actor == manager

    restore(account, by=rep)

    account.refresh_from_db()
    assert account.archived_at is None


def test_restore_waits_for_an_archived_parent(as_rep, account, rep):
    below = AccountFactory(parent=account, owner=rep)
    archive(below, by=rep)
    archive(account, by=rep)
    below.refresh_from_db()

    with pytest.raises(ParentArchived):
        restore(below, by=rep)

    response = as_rep.post(reverse("core:restore", args=["accounts.account", below.pk]))
    assert response.status_code == 409
    assert "Acme is in the recycle bin" in response.content.decode()


def test_restore_of_what_is_not_archived_is_refused(account, rep):
    with pytest.raises(NotArchived):
        restore(account, by=rep)


@pytest.mark.parametrize(
    ("label", "status"),
    [("accounts.account", 404), ("users.user", 404), ("x", 404), ("core.listvalue", 404)],
)
def test_restore_of_anything_else_is_not_found(as_rep, account, label, status):
    pk = account.pk if label != "accounts.account" else 999_999
    assert as_rep.post(f"/recycle-bin/{label}/{pk}/").status_code == status
    assert as_rep.get(f"/recycle-bin/{label}/{pk}/").status_code == 405


def test_restore_by_a_stranger_is_refused(client, account, rep, stranger):
    archive(account, by=rep)
    client.force_login(stranger)

    assert client.post(f"/recycle-bin/accounts.account/{account.pk}/").status_code == 403
    account.refresh_from_db()
    assert account.archived_at is not None


# search and pickers


def test_search_finds_live_records_that_the_user_may_see(as_rep, account):
    AccountFactory(name="Acme gone", archived_at=timezone.now())

    groups = as_rep.get(reverse("core:search"), {"q": "acme"}).context["groups"]

    assert [[hit["record"] for hit in group["hits"]] for group in groups] == [[account]]


@pytest.mark.parametrize(
    "text", ["", " ", "%", "_", "\\", "x" * 10_000, "(.*)", "!!!", "²", "ß İ", "\ud800"]
)
def test_search_takes_any_text_literally(as_rep, account, text):
    query = {"q": text.encode("utf-8", "replace")}
    response = as_rep.get(reverse("core:search"), query)

    assert response.status_code == 200
    assert response.context["groups"] == []


def test_search_answers_htmx_with_the_hits(as_rep, account):
    response = as_rep.get(reverse("core:search"), {"q": "acme"}, headers={"HX-Request": "true"})

    assert "<html" not in response.content.decode()
    assert account.get_absolute_url() in response.content.decode()


def test_picker_offers_visible_live_records(as_rep, account):
    chosen = AccountFactory(name="Chosen")
    AccountFactory(name="Acme gone", archived_at=timezone.now())

    response = as_rep.get(
        reverse("core:picker", args=["accounts.account"]),
        {"name": "parent", "parent": chosen.pk, "parent_q": "acm"},
    )

    options = response.context["picker"]["options"]
    assert [(option.label, option.is_chosen) for option in options] == [
        ("Chosen", True),
        ("Acme", False),
    ]
    assert 'name="parent_shown" value="acm"' in response.content.decode()


@pytest.mark.parametrize(
    "query",
    ["", "name=<script>", "name=a&a=abc", "name=a&a=²",
     "name=a&a=" + "9" * 30, "name=a&a_q=" + "x" * 10_000],
)  # fmt: skip
def test_picker_survives_any_parameter(as_rep, account, query):
    response = as_rep.get(f"/pick/accounts.account/?{query}")

    assert response.status_code == 200
    assert "<script>" not in response.content.decode()


@pytest.mark.parametrize("label", ["users.user", "x", "core.organisation"])
def test_picker_is_for_records_only(as_rep, label):
    assert as_rep.get(f"/pick/{label}/").status_code == 404


def test_record_models_are_the_owned_records_in_the_order_of_the_apps():
    models = record_models()

    assert models[0] is Account
    assert all(issubclass(model, OwnedRecord) for model in models)


# who may


@pytest.mark.parametrize("name", ["core:history", "core:recycle_bin", "core:search"])
def test_pages_of_core_ask_for_the_log_in(client, name):
    assert client.get(reverse(name)).status_code == 302


def test_a_reader_sees_an_empty_recycle_bin_and_restores_nothing(client, account, rep):
    archive(account, by=rep)
    client.force_login(UserFactory(role=Role.READ_ONLY))

    assert client.get(reverse("core:recycle_bin")).context["page"].records == []
    assert client.post(f"/recycle-bin/accounts.account/{account.pk}/").status_code == 403


def test_reading_writes_nothing(as_rep, account, rep):
    op = edited(account, rep, site="Hamburg")
    before = json.dumps(digest(journal=True, stamps=True), default=str)

    for address in (
        reverse("core:history"), page("operation", op), page("undo", op),
        reverse("core:recycle_bin"), reverse("core:search") + "?q=acme",
        *(url_of(account, view) for view in ("detail", "update", "archive", "history", "move")),
    ):  # fmt: skip
        assert as_rep.get(address).status_code == 200

    assert json.dumps(digest(journal=True, stamps=True), default=str) == before


def test_undo_of_a_long_run_counts_what_it_does_not_list(client, admin):
    run = start_run(Kind.IMPORT, by=admin, label=Label("Import"))
    for _chunk in range(2):
        with operation(Kind.IMPORT, by=admin, label=Label("Rows"), run=run):
            Account.objects.bulk_create(Account(name="Acme", owner=admin) for _row in range(60))
    client.force_login(admin)

    response = client.get(reverse("core:undo", args=[run.pk]))

    (told,) = response.context["plans"]
    assert (len(told["lines"]), told["more"]) == (100, 20)
    assert "and 20 more records" in response.content.decode()


def test_undo_of_what_is_undone_offers_no_button(client, admin):
    with operation(Kind.CREATE, by=admin, label=Label("Create")) as op:
        Account.objects.create(name="Acme", owner=admin)
    undo(op.row, by=admin)
    client.force_login(admin)

    response = client.get(reverse("core:undo", args=[op.row.pk]))

    assert response.status_code == 409
    assert not response.context["is_possible"]
