"""What a search over everything shows first, and what it never shows."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from contacts.models import Contact
from core.search import CANDIDATES, marked, ranked
from leads.conversion import ConversionChoices, convert_lead
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory

pytestmark = pytest.mark.django_db

URL = "/search/"


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


def names(text, model=Account, limit=20):
    return [str(record) for record in ranked(model.objects.all(), text, limit=limit)]


def found(client, text, **query):
    groups = client.get(URL, {"q": text, **query}).context["groups"]
    return [str(hit["record"]) for group in groups for hit in group["hits"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme", ["Acme", "New Acme", "Acmetron", "Big Acmetron", "Pacmeals"]),
        ("ACMÉ", ["Acme", "New Acme", "Acmetron", "Big Acmetron", "Pacmeals"]),
        ("acmet", ["Acmetron", "Big Acmetron"]),
        ("new acme", ["New Acme"]),
        ("acme new", ["New Acme"]),
        ("ac", ["Acmetron", "Acme"]),
        ("nothing", []),
        ("!!!", []),
        ("", []),
    ],
)
def test_search_shows_the_exact_first_then_beginnings_then_the_rest(text, expected):
    for name in ("Pacmeals", "Acme", "Big Acmetron", "Acmetron", "New Acme"):
        AccountFactory(name=name)

    assert names(text) == expected


@pytest.mark.parametrize("text", ["100%", "_", "%", "\\", "pure_w", "0% p"])
def test_wildcards_are_letters_like_others(text):
    AccountFactory(name="100% Pure_Water")
    AccountFactory(name="1009 Purewater")

    assert set(names(text)) <= {"100% Pure_Water", "1009 Purewater"}
    assert names("%") == names("_") == []


@pytest.mark.parametrize(
    "typed", ["+49 40 5550132", "040 5550132", "(040) 555-0132", "5550132", "0049 40 5550132"]
)
def test_phone_is_found_in_any_format(typed):
    ContactFactory(last_name="Ruiz", phone="+49 (0)40 555-0132")
    ContactFactory(last_name="Ferri", mobile="+49 40 5550132")

    assert names(typed, Contact) == ["Ana Ferri", "Ana Ruiz"]


def test_e_mail_is_found_in_full_and_in_part():
    ContactFactory(last_name="Other", email="anna.ruiz@acme.example")
    ContactFactory(last_name="Ruiz", email="Ana.Ruiz@acme.example")

    assert names("ana.ruiz@ACME.example", Contact) == ["Ana Ruiz"]
    assert names("ruiz@acme", Contact) == ["Ana Ruiz", "Ana Other"]


def test_exact_name_is_found_behind_any_number_of_newer_matches(rep):
    exact = AccountFactory(name="Acme GmbH", owner=rep)
    Account.objects.bulk_create(
        [Account(name=f"Acme {n}", owner=rep) for n in range(CANDIDATES + 5)]
    )

    assert ranked(Account.objects.all(), "acme gmbh", limit=8)[0] == exact
    assert names("Acme 7", limit=1) == ["Acme 7"]


def test_text_beyond_200_characters_does_not_count():
    AccountFactory(name="a" * 200)

    assert names("a" * 10_000) == ["a" * 200]


def test_search_over_everything_shows_each_kind_and_only_what_is_visible(client, rep, stranger):
    account = AccountFactory(name="Meridian Foods", owner=rep)
    ContactFactory(first_name="Ana", last_name="Meridian", owner=rep)
    LeadFactory(last_name="Lind", company="Meridian Foods", owner=rep)
    LeadFactory(last_name="Hidden", company="Meridian Foods", owner=stranger)
    OpportunityFactory(name="Meridian deal", account=account, owner=rep)
    AccountFactory(name="Meridian Old", owner=rep, archived_at="2026-01-01T00:00Z")
    client.force_login(rep)

    assert set(found(client, "meridian")) == {
        "Meridian Foods", "Ana Meridian", "Lea Lind", "Meridian deal",
    }  # fmt: skip
    client.force_login(stranger)
    assert "Lea Lind" not in found(client, "meridian")
    assert "Lea Hidden" in found(client, "meridian")


def test_converted_leads_and_closed_deals_are_marked(as_rep, rep):
    lead = LeadFactory(last_name="Ruiz", owner=rep)
    convert_lead(lead, by=rep, choices=ConversionChoices())
    OpportunityFactory(name="Ruiz deal", owner=rep, won=True)

    groups = as_rep.get(URL, {"q": "ruiz"}).context["groups"]

    marks = {hit["record"].mark for group in groups for hit in group["hits"]}
    assert {"Converted", "Won"} <= marks
    assert "Converted" in as_rep.get(URL, {"q": "ruiz"}).content.decode()


@pytest.mark.parametrize("count", [1, 50])
def test_search_costs_two_queries_a_kind_of_records_that_it_finds(as_rep, rep, count):
    for number in range(count):
        account = AccountFactory(name=f"Meridian {number}", owner=rep)
        ContactFactory(last_name=f"Meridian {number}", owner=rep)
        LeadFactory(last_name=f"Meridian {number}", owner=rep)
        OpportunityFactory(name=f"Meridian {number}", account=account, owner=rep)
    as_rep.get(URL)

    with CaptureQueriesContext(connection) as queries:
        assert len(found(as_rep, "meridian")) == min(count, 8) * 4

    assert len(queries_of_search(queries)) == 8
    assert len(queries) == 13


def test_search_costs_one_query_a_kind_of_which_it_finds_nothing(as_rep, rep):
    LeadFactory(last_name="Meridian", owner=rep)

    with CaptureQueriesContext(connection) as queries:
        assert found(as_rep, "meridian") == ["Lea Meridian"]

    assert len(queries_of_search(queries)) == 5


def queries_of_search(queries):
    return [q["sql"] for q in queries if "search_text" in q["sql"]]


def palette(client, text="", **headers):
    headers["HX-Request"] = "true"
    return client.get(URL, {"q": text, "as": "options"}, headers=headers)


def test_palette_shows_the_best_eight_over_all_kinds(as_rep, rep):
    for number in range(9):
        AccountFactory(name=f"Meridian {number}", owner=rep)
        LeadFactory(last_name="Lind", company=f"Meridian {number}", owner=rep)
    ContactFactory(first_name="Meridian", last_name="Dahl", owner=rep)

    response = palette(as_rep, "meridian")

    counts = {group["label"]: len(group["hits"]) for group in response.context["groups"]}
    assert counts == {"Accounts": 7, "Contacts": 1}
    assert 'href="/search/?q=meridian"' in response.content.decode()
    assert "All results" not in palette(as_rep, "dahl").content.decode()


def test_kind_with_the_exact_match_comes_first(as_rep, rep):
    AccountFactory(name="Ruizfoods", owner=rep)
    ContactFactory(first_name="", last_name="Ruiz", owner=rep)

    groups = as_rep.get(URL, {"q": "ruiz"}).context["groups"]

    assert [group["label"] for group in groups] == ["Contacts", "Accounts"]


def test_hit_tells_why_it_was_found(as_rep, rep):
    account = AccountFactory(name="Acme", owner=rep)
    ContactFactory(
        last_name="Ruiz", title="Buyer", account=account, email="a@meridian.example", owner=rep
    )

    def line(text):
        (group,) = as_rep.get(URL, {"q": text}).context["groups"]
        return group["hits"][0]["line"]

    owner = f", {rep}"
    assert line("ruiz") == [(f"Buyer, Acme{owner}", False)]
    assert line("meridian") == [
        ("Buyer, Acme, a@", False), ("meridian", True), (f".example{owner}", False)
    ]  # fmt: skip


def test_more_hits_than_shown_lead_to_the_list_with_the_same_search(as_rep, rep):
    for number in range(9):
        AccountFactory(name=f"Müller & {number}", owner=rep)

    (group,) = as_rep.get(URL, {"q": "müller &"}).context["groups"]

    assert len(group["hits"]) == 8
    listed = as_rep.get(group["more"]).context["page"].records
    assert len(listed) == 9


@pytest.mark.parametrize(
    ("label", "text", "parts"),
    [
        ("Ana Ruiz", "rui", [("Ana ", False), ("Rui", True), ("z", False)]),
        ("Müller & Söhne", "muller sohne", [("Müller", True), (" & ", False), ("Söhne", True)]),
        ("O'Brien", "obri", [("O'Bri", True), ("en", False)]),
        ("Straße", "strasse", [("Straße", True)]),
        ("Acme", "", [("Acme", False)]),
        ("", "x", []),
    ],
)
def test_typed_letters_are_cut_out_of_a_name(label, text, parts):
    assert marked(label, text) == parts


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a<b>c"])
def test_names_in_hits_are_text(as_rep, rep, name):
    AccountFactory(name=name, owner=rep)

    for query in ({"q": "alert"}, {"q": "a<b"}, {"q": "<"}, {"q": "abc", "as": "options"}):
        html = as_rep.get(URL, query, headers={"HX-Request": "true"}).content.decode()
        assert "<script>" not in html
        assert "<b>" not in html


# -- recent records ---------------------------------------------------------------------------


def see(client, record):
    return client.post(reverse("core:seen", args=[record._meta.label_lower, record.pk]))


def recent(client):
    return [str(hit["record"]) for hit in client.get(URL).context["recent"]]


def test_records_that_were_looked_at_last_come_first(as_rep, rep):
    first, second = AccountFactory(name="First", owner=rep), LeadFactory(last_name="Two", owner=rep)
    before = (first.version, second.version)

    assert [see(as_rep, record).status_code for record in (first, second, first)] == [204] * 3

    assert recent(as_rep) == ["First", "Lea Two"]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.version, second.version) == before


def test_five_recent_records_are_shown_and_none_beside_a_search(as_rep, rep):
    for number in range(7):
        see(as_rep, AccountFactory(name=f"Account {number}", owner=rep))

    assert recent(as_rep) == [f"Account {number}" for number in (6, 5, 4, 3, 2)]
    assert as_rep.get(URL, {"q": "account"}).context["recent"] == []


def test_palette_leaves_out_the_record_of_the_page(as_rep, rep):
    records = [AccountFactory(name=f"Account {number}", owner=rep) for number in range(6)]
    for record in records:
        see(as_rep, record)
    here = f"http://testserver{records[-1].get_absolute_url()}?tab=1"

    hits = palette(as_rep, **{"HX-Current-URL": here}).context["recent"]

    assert [str(hit["record"]) for hit in hits] == [f"Account {n}" for n in (4, 3, 2, 1, 0)]


def test_what_became_hidden_is_not_recent_and_what_was_archived_is_marked(as_rep, rep, stranger):
    lead, account = LeadFactory(owner=rep), AccountFactory(name="Old", owner=rep)
    for record in (lead, account):
        see(as_rep, record)
    lead.owner = stranger
    lead.save()
    account.archived_at = "2026-01-01T00:00Z"
    account.save()

    (hit,) = as_rep.get(URL).context["recent"]

    assert (str(hit["record"]), hit["record"].mark) == ("Old", "Archived")


def test_hidden_unknown_and_nonsense_records_are_not_noted(as_rep, stranger):
    hidden = LeadFactory(owner=stranger)

    assert see(as_rep, hidden).status_code == 404
    for path in ("/seen/leads.lead/999/", "/seen/users.user/1/", "/seen/x/1/"):
        assert as_rep.post(path).status_code == 404
    assert as_rep.get(f"/seen/leads.lead/{hidden.pk}/").status_code == 405
    assert recent(as_rep) == []


def test_page_of_a_record_notes_by_a_post_and_writes_nothing_itself(as_rep, rep):
    account = AccountFactory(owner=rep)
    with CaptureQueriesContext(connection) as queries:
        html = as_rep.get(account.get_absolute_url()).content.decode()

    assert f'data-seen="{reverse("core:seen", args=["accounts.account", account.pk])}"' in html
    assert not [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE"))]


def test_recent_records_cost_two_queries_for_one_kind_at_most(as_rep, rep):
    for number in range(10):
        see(as_rep, AccountFactory(name=f"A {number}", owner=rep))
    with CaptureQueriesContext(connection) as queries:
        as_rep.get(URL, headers={"HX-Request": "true"})

    assert (
        len([q for q in queries if "core_seen" in q["sql"] or '"accounts_account"' in q["sql"]])
        == 2
    )


# -- the keys ---------------------------------------------------------------------------------


def test_page_of_keys_names_every_key_of_the_navigation(as_rep):
    response = as_rep.get(reverse("core:keyboard"))

    html = response.content.decode()
    for key in ("G", "L", "Ctrl", "Shift", "?"):
        assert f"<kbd>{key}</kbd>" in html


def test_single_keys_are_switched_off_by_the_user(as_rep, rep):
    assert b'data-keys="off"' not in as_rep.get("/").content
    rep.uses_single_keys = False
    rep.save()

    assert b'data-keys="off"' in as_rep.get("/").content
    assert b"switched off for you" in as_rep.get(reverse("core:keyboard")).content
