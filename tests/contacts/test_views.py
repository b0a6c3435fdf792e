import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts.models import AccountContactRelation, Contact
from contacts.services import set_direct_account, set_primary_contact
from core.journal import Kind, Operation
from core.models import Organisation
from tests.digest import digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, RelationFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory
from tests.factories.users import UserFactory
from tests.pages import send, sent
from users.models import Role

pytestmark = pytest.mark.django_db

OF_ALL = ("contacts:contact_list", "contacts:contact_create")
OF_CONTACT = (
    "contacts:contact_detail",
    "contacts:contact_history",
    "contacts:contact_update",
    "contacts:contact_assign",
    "contacts:contact_archive",
    "contacts:contact_job_change",
    "contacts:contact_account",
    "contacts:relation_create",
)
OF_RELATION = (
    "contacts:relation_update",
    "contacts:relation_main",
    "contacts:relation_primary",
    "contacts:relation_end",
    "contacts:relation_remove",
)


def url(name, record=None):
    """The address of a page: of all people, of one, or of one of the relations."""
    if record is None:
        return reverse(name)
    if isinstance(record, AccountContactRelation):
        return reverse(name, args=[record.contact_id, record.pk])
    return reverse(name, args=[record.pk])


@pytest.fixture
def acme(rep):
    return AccountFactory(name="Acme", owner=rep)


@pytest.fixture
def beta(rep):
    return AccountFactory(name="Beta", owner=rep)


@pytest.fixture
def ana(rep, acme):
    return ContactFactory(
        first_name="Ana",
        last_name="Ruiz",
        owner=rep,
        account=acme,
        email="ana@acme.example",
        mobile="+49 171 5550132",
        title="Buyer",
    )


@pytest.fixture
def direct(ana):
    return ana.relations.get()


@pytest.fixture
def other(ana, beta):
    return RelationFactory(contact=ana, account=beta)


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


@pytest.fixture
def auditor(db):
    return UserFactory(name="Ria Reader", role=Role.READ_ONLY)


@pytest.fixture
def nothing_written():
    """Checks at the end that the whole database is as it was when the test called it."""
    before = []
    yield lambda: before.append(digest(journal=True, stamps=True))
    assert before
    assert digest(journal=True, stamps=True) == before[-1]


def today():
    return Organisation.current().today()


def html_of(response):
    return response.content.decode()


# the list


def test_list_shows_live_people_by_last_name(as_rep, ana):
    zoe = ContactFactory(last_name="Zoe")
    ContactFactory(last_name="Gone", archived_at=timezone.now())

    response = as_rep.get(url("contacts:contact_list"))

    assert response.context["page"].records == [ana, zoe]
    assert "Acme" in html_of(response)


@pytest.mark.parametrize("count", [1, 50])
def test_list_costs_the_same_for_one_row_and_for_fifty(client, manager, rep, acme, count):
    for number in range(count):
        ContactFactory(owner=rep, account=acme, title=f"Buyer {number}")
    client.force_login(manager)

    with CaptureQueriesContext(connection) as queries:
        response = client.get(url("contacts:contact_list"), {"owner": "team"})

    assert len(response.context["page"].records) == count
    assert len(queries) <= 8, [q["sql"][:90] for q in queries]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=ruiz", ["Ruiz"]),
        ("q=ana%40acme", ["Ruiz"]),
        ("q=171+555", ["Ruiz"]),
        ("owner=me", ["Ruiz"]),
        ("no_account=true", ["Weber"]),
        ("no_account=false", ["Ruiz"]),
        ("country=DE", ["Weber"]),
        ("email_opt_out=true", ["Weber"]),
        ("status=LEFT_COMPANY", ["Weber"]),
        ("status=ACTIVE", ["Ruiz"]),
        ("created_before=2020-01-01", []),
    ],
)
def test_list_filters(as_rep, ana, stranger, query, names):
    ContactFactory(
        last_name="Weber",
        owner=stranger,
        mailing_country="DE",
        email_opt_out=True,
        status="LEFT_COMPANY",
    )

    response = as_rep.get(f"{url('contacts:contact_list')}?{query}")

    assert [contact.last_name for contact in response.context["page"].records] == names


@pytest.mark.parametrize(
    "query",
    ["owner=abc", "status=NOPE", "country=XX", "level=Nope",
     "created_after=2026-02-30"],
)  # fmt: skip
def test_a_bad_filter_says_so_and_the_list_is_empty(as_rep, ana, query):
    response = as_rep.get(f"{url('contacts:contact_list')}?{query}")

    assert (response.status_code, response.context["page"].records) == (200, [])
    assert response.context["filter"].form.errors


# who may look, and change


@pytest.mark.parametrize("name", [*OF_CONTACT, *OF_RELATION])
def test_pages_ask_for_a_log_in(client, ana, direct, name):
    page = url(name, direct if name in OF_RELATION else ana)

    response = client.get(page)

    assert (response.status_code, response.url.split("?")[0]) == (302, "/login/")


@pytest.mark.parametrize("name", OF_CONTACT)
@pytest.mark.parametrize("pk", ["999999", "9" * 30])
def test_an_unknown_person_is_not_found(as_rep, name, pk):
    page = reverse(name, args=[1]).replace("/1/", f"/{pk}/")

    assert as_rep.get(page).status_code == 404


@pytest.mark.parametrize("name", OF_RELATION)
def test_a_relation_of_another_person_is_not_found(as_rep, direct, name, nothing_written):
    stray = ContactFactory()
    nothing_written()

    response = as_rep.post(reverse(name, args=[stray.pk, direct.pk]))

    assert response.status_code == 404


@pytest.mark.parametrize("name", [n for n in OF_CONTACT if n not in OF_CONTACT[:2]])
def test_an_archived_person_is_looked_at_only(as_rep, ana, name):
    Contact.objects.filter(pk=ana.pk).update(archived_at=timezone.now())

    assert as_rep.get(url("contacts:contact_detail", ana)).status_code == 200
    assert as_rep.get(url(name, ana)).status_code == 404


@pytest.mark.parametrize("name", OF_RELATION)
def test_relations_of_an_archived_person_are_not_found(as_rep, ana, direct, name):
    Contact.objects.filter(pk=ana.pk).update(archived_at=timezone.now())

    assert as_rep.post(url(name, direct)).status_code == 404


@pytest.mark.parametrize("name", [*OF_CONTACT[2:], *OF_RELATION])
def test_who_only_reads_changes_nothing(client, auditor, ana, direct, name, nothing_written):
    client.force_login(auditor)
    page = url(name, direct if name in OF_RELATION else ana)
    nothing_written()

    assert client.get(page).status_code == 403
    assert client.post(page, {"last_name": "Changed"}).status_code == 403


def test_who_only_reads_is_offered_nothing(client, auditor, ana):
    client.force_login(auditor)

    response = client.get(url("contacts:contact_detail", ana))

    assert set(response.context["actions"]) == {"history", "sharing", "call", "email"}
    assert response.context["add_account_url"] == ""
    assert response.context["relations"][0]["actions"] == []
    assert "Add deal" not in html_of(response)
    assert client.get(url("contacts:contact_create")).status_code == 403


@pytest.mark.parametrize("name", OF_CONTACT[2:5])
def test_a_stranger_sees_the_person_and_may_not_change_it(
    client, stranger, ana, name, nothing_written
):
    client.force_login(stranger)
    nothing_written()

    assert client.get(url("contacts:contact_detail", ana)).status_code == 200
    assert client.post(url(name, ana)).status_code == 403


# the page of one person


def test_page_shows_accounts_deals_and_who_reports(as_rep, rep, ana, acme, beta):
    boss = ContactFactory(last_name="Behn", owner=rep)
    ContactFactory(last_name="Kessler", owner=rep, reports_to=ana)
    Contact.objects.filter(pk=ana.pk).update(reports_to=boss)
    RelationFactory(contact=ana, account=beta, roles=["Influencer"], title_there="Board member")
    deal = OpportunityFactory(name="Sentry 200", account=acme, owner=rep)
    RoleFactory(opportunity=deal, contact=ana, role="Evaluator", is_primary=True)

    html = html_of(as_rep.get(url("contacts:contact_detail", ana)))

    for text in ("2 now", "Board member", "Influencer", "Sentry 200", "1 open", "Behn", "Kessler"):
        assert text in html
    assert "Role in open deals" in html
    assert "Evaluator" in html
    assert f"account={acme.pk}" in html  # Add deal begins with both
    assert f"contact={ana.pk}" in html


def test_page_says_how_the_person_came_in(as_rep):
    send(as_rep, url("contacts:contact_create"), last_name="Ruiz")
    contact = Contact.objects.get()

    html = html_of(as_rep.get(contact.get_absolute_url()))

    assert "Entered by hand:" in html
    assert "Added Ruiz" in html


def test_page_puts_what_the_person_does_not_want_above_everything(as_rep, ana):
    Contact.objects.filter(pk=ana.pk).update(
        email_opt_out=True, email_opt_out_source="LINK", do_not_call=True
    )

    response = as_rep.get(url("contacts:contact_detail", ana))
    html = html_of(response)

    assert html.index("Opted out of e-mail") < html.index("<h1>")
    assert html.index("Wants no calls") < html.index("<h1>")
    assert response.context["actions"]["email"].reason
    assert response.context["actions"]["call"].reason


def test_a_deal_that_is_hidden_does_not_show_on_the_page(client, stranger, rep, ana, acme):
    deal = OpportunityFactory(name="Secret", account=acme, owner=rep)
    RoleFactory(opportunity=deal, contact=ana, role="Evaluator")
    client.force_login(stranger)

    html = html_of(client.get(url("contacts:contact_detail", ana)))

    assert "Secret" not in html
    assert "Role in open deals" not in html


@pytest.mark.parametrize("count", [1, 50])
def test_record_pages_cost_the_same_for_one_row_and_for_fifty(as_rep, rep, ana, count):
    for number in range(count):
        account = AccountFactory(owner=rep)
        RelationFactory(contact=ana, account=account, roles=["Influencer"])
        deal = OpportunityFactory(account=account, owner=rep)
        RoleFactory(opportunity=deal, contact=ana, role="Evaluator")
        ContactFactory(owner=rep, reports_to=ana, last_name=f"Report {number}")

    pages = (
        (url("contacts:contact_detail", ana), 15),
        (url("contacts:contact_update", ana), 12),
        (url("contacts:contact_job_change", ana), 12),
    )
    for page, limit in pages:
        with CaptureQueriesContext(connection) as queries:
            as_rep.get(page)
        assert len(queries) <= limit, [q["sql"][:90] for q in queries]


def test_what_people_type_is_shown_escaped(as_rep, rep):
    contact = ContactFactory(last_name="<script>alert(1)</script>", owner=rep, title="<b>x")

    for name in ("contacts:contact_detail", "contacts:contact_update", "contacts:contact_history"):
        html = html_of(as_rep.get(url(name, contact)))
        assert "<script>alert" not in html
        assert "<b>x" not in html


# making and changing


def test_create_adds_a_person_with_the_direct_relation(as_rep, rep, acme):
    response = send(as_rep, url("contacts:contact_create"), last_name="Ruiz", account=str(acme.pk))
    contact = Contact.objects.get()

    assert (response.status_code, response.url) == (303, contact.get_absolute_url())
    assert (contact.owner, contact.account) == (rep, acme)
    assert contact.relations.get().is_direct
    operation = Operation.objects.latest("pk")
    assert (operation.kind, operation.actor, operation.changes.count()) == (Kind.CREATE, rep, 2)


def test_create_begins_with_the_account_of_the_address(as_rep, acme):
    html = html_of(as_rep.get(url("contacts:contact_create"), {"account": acme.pk}))

    assert f'value="{acme.pk}" checked' in html


def test_a_form_that_is_sent_twice_makes_one_person(as_rep):
    data = sent(as_rep.get(url("contacts:contact_create")), last_name="Ruiz")

    first, second = (as_rep.post(url("contacts:contact_create"), data) for _time in range(2))

    assert (first.status_code, first.url) == (second.status_code, second.url)
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("account", ["999999", "x", "9" * 30])
def test_create_refuses_an_account_that_cannot_be_found(as_rep, account, nothing_written):
    page = as_rep.get(url("contacts:contact_create"))
    nothing_written()

    response = as_rep.post(
        url("contacts:contact_create"), sent(page, last_name="Ruiz", account=account)
    )

    assert response.status_code == 422
    assert "account" in response.context["form"].errors
    assert 'value="Ruiz"' in html_of(response)


def test_an_invalid_form_keeps_what_was_typed(as_rep, nothing_written):
    nothing_written()

    response = as_rep.post(
        url("contacts:contact_create"),
        {"last_name": "", "title": "Buyer", "email": "info(at)acme", "status": "ACTIVE"},
    )

    html = html_of(response)
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"last_name", "email"}
    assert 'value="Buyer"' in html
    assert 'value="info(at)acme"' in html


def test_update_leaves_the_account_to_its_own_pages(as_rep, ana, beta):
    page = as_rep.get(url("contacts:contact_update", ana))

    response = as_rep.post(
        url("contacts:contact_update", ana), sent(page, title="CTO", account=str(beta.pk))
    )
    ana.refresh_from_db()

    assert (response.status_code, ana.title, ana.account.name) == (303, "CTO", "Acme")
    assert reverse("contacts:contact_job_change", args=[ana.pk]) in html_of(page)
    assert reverse("contacts:contact_account", args=[ana.pk]) in html_of(page)


def test_update_over_a_newer_version_asks_which_value_stays(as_rep, ana):
    mine = sent(as_rep.get(url("contacts:contact_update", ana)), title="Mine")
    Contact.objects.filter(pk=ana.pk).update(title="Theirs")

    conflict = as_rep.post(url("contacts:contact_update", ana), mine)

    assert conflict.status_code == 409
    assert "Mine" in html_of(conflict)
    assert "Theirs" in html_of(conflict)
    ana.refresh_from_db()
    assert ana.title == "Theirs"


def test_update_refuses_a_superior_who_reports_to_the_person(as_rep, rep, ana):
    below = ContactFactory(owner=rep, reports_to=ana)
    page = as_rep.get(url("contacts:contact_update", ana))

    response = as_rep.post(
        url("contacts:contact_update", ana), sent(page, reports_to=str(below.pk))
    )

    assert response.status_code == 422
    assert "reports_to" in response.context["form"].errors


def test_archive_puts_the_person_into_the_recycle_bin(as_rep, ana):
    response = send(as_rep, url("contacts:contact_archive", ana))
    ana.refresh_from_db()

    assert (response.status_code, ana.is_archived) == (303, True)


# a change of job


def test_job_change_ends_the_old_relation_and_begins_a_new_one(as_rep, ana, direct, beta):
    response = send(
        as_rep,
        url("contacts:contact_job_change", ana),
        account=str(beta.pk),
        title="Head of Operations",
        email="ana@beta.example",
        keeps_old_email="on",
    )
    ana.refresh_from_db()
    direct.refresh_from_db()

    assert (response.status_code, response.url) == (303, ana.get_absolute_url())
    assert (ana.account, ana.title, ana.email) == (beta, "Head of Operations", "ana@beta.example")
    assert ana.secondary_email == "ana@acme.example"
    assert (direct.is_active, direct.end_date) == (False, today())
    assert Operation.objects.latest("pk").kind == Kind.JOB_CHANGE


def test_job_change_takes_over_the_address_of_the_new_account(as_rep, rep, ana):
    there = AccountFactory(owner=rep, billing_city="Hamburg", billing_country="DE")

    send(as_rep, url("contacts:contact_job_change", ana), account=str(there.pk), address="on")
    ana.refresh_from_db()

    assert (ana.mailing_city, ana.mailing_country) == ("Hamburg", "DE")


def test_job_change_to_none_makes_the_chosen_account_the_main_one(as_rep, ana, other):
    page = as_rep.get(url("contacts:contact_job_change", ana))
    assert "Main account if there is no new one" in html_of(page)

    response = as_rep.post(url("contacts:contact_job_change", ana), sent(page))
    ana.refresh_from_db()

    assert (response.status_code, ana.account) == (303, other.account)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", "2199-01-01"),
        ("date", "yesterday"),
        ("date", ""),
        ("email", "not an address"),
        ("title", "x" * 129),
        ("title", "a\x00b"),
        ("account", "999999"),
    ],
)
def test_job_change_keeps_what_was_typed_and_says_what_is_wrong(
    as_rep, ana, beta, field, value, nothing_written
):
    page = url("contacts:contact_job_change", ana)
    typed = {"account": str(beta.pk), "department": "Purchasing", field: value}
    data = sent(as_rep.get(page), **typed)
    nothing_written()

    response = as_rep.post(page, data)

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert 'value="Purchasing"' in html_of(response)


def test_job_change_needs_edit_rights_on_both_accounts(as_rep, ana, stranger, nothing_written):
    foreign = AccountFactory(owner=stranger)
    page = url("contacts:contact_job_change", ana)
    data = sent(as_rep.get(page), account=str(foreign.pk))
    nothing_written()

    response = as_rep.post(page, data)

    assert response.status_code == 403
    assert "old and on the new account" in html_of(response)


# the wrong account


def test_correcting_the_account_leaves_no_history(as_rep, ana, beta):
    response = send(as_rep, url("contacts:contact_account", ana), account=str(beta.pk))
    ana.refresh_from_db()

    assert (response.status_code, ana.account) == (303, beta)
    assert [relation.account for relation in ana.relations.all()] == [beta]


def test_correcting_to_no_account_takes_the_next_one(as_rep, ana, other):
    send(as_rep, url("contacts:contact_account", ana))
    ana.refresh_from_db()

    assert ana.account == other.account


# relations


def test_add_account_makes_one_more_relation(as_rep, ana, beta):
    response = send(
        as_rep,
        url("contacts:relation_create", ana),
        account=str(beta.pk),
        roles=["Influencer", "Advisor"],
        title_there="Board member",
        start_date="2025-01-01",
    )
    relation = ana.relations.get(account=beta)

    assert (response.status_code, response.url) == (303, ana.get_absolute_url())
    assert (relation.roles, relation.title_there) == (["Influencer", "Advisor"], "Board member")
    assert (relation.is_direct, relation.start_date) == (False, datetime.date(2025, 1, 1))


def test_adding_an_account_twice_is_refused(as_rep, ana, other, nothing_written):
    page = url("contacts:relation_create", ana)
    data = sent(as_rep.get(page), account=str(other.account_id), notes="Kept")
    nothing_written()

    response = as_rep.post(page, data)

    assert response.status_code == 422
    assert "related to this account already" in response.context["form"].errors["account"][0]
    assert 'value="Kept"' in html_of(response)


def test_whoever_edits_only_the_account_adds_it_to_a_person(client, stranger, ana):
    own = AccountFactory(owner=stranger)
    client.force_login(stranger)

    response = send(client, url("contacts:relation_create", ana), account=str(own.pk))

    assert response.status_code == 303
    assert ana.relations.filter(account=own).exists()


def test_adding_an_account_needs_edit_rights_on_either_end(
    client, stranger, ana, beta, nothing_written
):
    client.force_login(stranger)
    page = url("contacts:relation_create", ana)
    data = sent(client.get(page), account=str(beta.pk))
    nothing_written()

    assert client.post(page, data).status_code == 403


def test_edit_changes_what_a_relation_says(as_rep, other):
    response = send(
        as_rep, url("contacts:relation_update", other), roles=["Billing"], notes="On Mondays"
    )
    other.refresh_from_db()

    assert (response.status_code, other.roles, other.notes) == (303, ["Billing"], "On Mondays")


def test_edit_of_a_relation_over_a_newer_version_is_a_conflict(as_rep, other):
    page = url("contacts:relation_update", other)
    mine = sent(as_rep.get(page), notes="Mine")
    AccountContactRelation.objects.filter(pk=other.pk).update(notes="Theirs")

    response = as_rep.post(page, mine)
    other.refresh_from_db()

    assert (response.status_code, other.notes) == (409, "Theirs")
    assert "Mine" in html_of(response)


def test_edit_page_of_a_relation_offers_what_can_be_done(as_rep, direct, other):
    of_main = as_rep.get(url("contacts:relation_update", direct)).context["actions"]
    of_other = as_rep.get(url("contacts:relation_update", other)).context["actions"]

    primary = "Make primary contact of"
    assert [a.label for a in of_main] == [f"{primary} Acme", "End", "Remove"]
    assert [a.label for a in of_other] == ["Make main account", f"{primary} Beta", "End", "Remove"]


def test_make_main_swaps_the_direct_account_and_keeps_both(as_rep, ana, direct, other):
    response = as_rep.post(url("contacts:relation_main", other))
    ana.refresh_from_db()
    direct.refresh_from_db()

    assert (response.status_code, ana.account) == (303, other.account)
    assert (direct.is_active, direct.is_direct) == (True, False)


def test_make_main_refuses_the_main_one(as_rep, direct, nothing_written):
    nothing_written()

    response = as_rep.post(url("contacts:relation_main", direct))

    assert response.status_code == 409
    assert "is the main account" in html_of(response)


def test_make_primary_contact_clears_the_one_before(as_rep, rep, acme, direct):
    before = RelationFactory(account=acme, contact=ContactFactory(owner=rep))
    as_rep.post(url("contacts:relation_primary", before))

    response = as_rep.post(url("contacts:relation_primary", direct))
    before.refresh_from_db()
    direct.refresh_from_db()

    assert (response.status_code, response.url) == (303, acme.get_absolute_url())
    assert (before.is_primary_for_account, direct.is_primary_for_account) == (False, True)


def test_end_keeps_the_relation_as_history(as_rep, ana, other):
    response = send(as_rep, url("contacts:relation_end", other))
    other.refresh_from_db()

    assert (response.status_code, response.url) == (303, ana.get_absolute_url())
    assert (other.is_active, other.end_date) == (False, today())
    assert "1 now, 1 before" in html_of(as_rep.get(ana.get_absolute_url()))


def test_end_of_the_main_one_asks_for_the_next(as_rep, ana, direct, other):
    page = as_rep.get(url("contacts:relation_end", direct))
    assert "New main account" in html_of(page)

    as_rep.post(url("contacts:relation_end", direct), sent(page))
    ana.refresh_from_db()

    assert ana.account == other.account


def test_end_of_the_main_one_without_the_next_is_refused(as_rep, direct, other, nothing_written):
    data = sent(as_rep.get(url("contacts:relation_end", direct)), next_direct="")
    nothing_written()

    response = as_rep.post(url("contacts:relation_end", direct), data)

    assert response.status_code == 422
    assert "next_direct" in response.context["form"].errors


@pytest.mark.parametrize("day", ["2199-01-01", "2010-01-01", "soon"])
def test_end_refuses_a_day_that_does_not_fit(as_rep, rep, ana, day, nothing_written):
    relation = RelationFactory(
        contact=ana, account=AccountFactory(owner=rep), start_date=datetime.date(2020, 1, 1)
    )
    data = sent(as_rep.get(url("contacts:relation_end", relation)), end_date=day)
    nothing_written()

    response = as_rep.post(url("contacts:relation_end", relation), data)

    assert response.status_code == 422
    assert f'value="{day}"' in html_of(response)


def test_end_twice_is_refused(as_rep, other, nothing_written):
    data = sent(as_rep.get(url("contacts:relation_end", other)))
    as_rep.post(url("contacts:relation_end", other), data | {"key": ""})
    nothing_written()

    response = as_rep.post(url("contacts:relation_end", other), data | {"key": ""})

    assert response.status_code == 409


def test_remove_leaves_nothing_of_a_mistake(as_rep, ana, other):
    response = send(as_rep, url("contacts:relation_remove", other))

    assert (response.status_code, response.url) == (303, ana.get_absolute_url())
    assert not AccountContactRelation.objects.filter(pk=other.pk).exists()


def test_remove_of_the_main_one_without_the_next_is_refused(as_rep, direct, other, nothing_written):
    nothing_written()

    assert as_rep.post(url("contacts:relation_remove", direct)).status_code == 422


# the people of an account


def test_account_page_shows_its_people_and_those_below(as_rep, rep, ana, acme):
    below = AccountFactory(name="Below", parent=acme, owner=rep)
    ContactFactory(last_name="Kessler", owner=rep, account=below)

    own = html_of(as_rep.get(acme.get_absolute_url()))
    tree = html_of(as_rep.get(acme.get_absolute_url(), {"people": "tree"}))

    assert "Ana Ruiz" in own
    assert "Kessler" not in own
    assert "Ana Ruiz" in tree
    assert "Kessler" in tree


def test_account_page_shows_ten_people_and_leads_to_all(as_rep, rep, ana, acme):
    ContactFactory.create_batch(25, owner=rep, account=acme, last_name="Abbott")
    set_primary_contact(acme, contact=ana, by=rep)
    other = ContactFactory(owner=rep, last_name="Elsewhere")

    response = as_rep.get(acme.get_absolute_url())
    everybody = as_rep.get(url("contacts:contact_list"), {"account": acme.pk})

    html = html_of(response)
    people = html[html.index('id="people"') :]
    assert "Ana Ruiz" in people[: people.index("Abbott")]
    assert people.count("Abbott</a>") == 9
    assert f"{url('contacts:contact_list')}?account={acme.pk}" in people
    found = everybody.context["page"].records
    assert len(found) == 26
    assert other not in found
    assert f"is {acme}" in html_of(everybody)


@pytest.mark.parametrize("key", ["0", "x", "9" * 30, "²"])
def test_list_of_the_people_of_no_account_is_empty(as_rep, ana, key):
    response = as_rep.get(url("contacts:contact_list"), {"account": key})

    assert response.status_code == 200
    assert response.context["page"].records == []


def test_account_page_shows_who_left_last(as_rep, rep, ana, acme, beta):
    ContactFactory(last_name="Zabel", owner=rep, account=acme)
    set_direct_account(ContactFactory(owner=rep), beta, by=rep)
    send(as_rep, url("contacts:contact_job_change", ana), account=str(beta.pk))

    html = html_of(as_rep.get(acme.get_absolute_url()))

    assert html.index("Zabel") < html.index("Ana Ruiz")
