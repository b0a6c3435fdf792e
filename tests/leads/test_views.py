"""Leads through their pages."""

import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.journal import Operation
from leads.conversion import ConversionChoices, convert_lead
from leads.conversion.choices import Deal
from leads.models import Lead, LeadStatus, Phase
from leads.services import disqualify
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.users import UserFactory
from users.models import Role

pytestmark = pytest.mark.django_db

PAGES = (
    "leads:lead_detail",
    "leads:lead_update",
    "leads:lead_status",
    "leads:lead_disqualify",
    "leads:lead_nurture",
    "leads:lead_reopen",
    "leads:lead_assign",
    "leads:lead_archive",
    "leads:lead_history",
)
WRITING = tuple(name for name in PAGES if name not in ("leads:lead_detail", "leads:lead_history"))


@pytest.fixture
def lead(rep):
    return LeadFactory(first_name="Ana", last_name="Ruiz", company="Meridian", owner=rep)


@pytest.fixture
def reader(db):
    return UserFactory(role=Role.READ_ONLY)


@pytest.fixture
def marketer(db):
    return UserFactory(role=Role.MARKETING)


def url(name, lead):
    return reverse(name, args=[lead.pk])


def state():
    """Everything that a refused request must leave as it is."""
    return list(Lead.objects.order_by("pk").values()), Operation.objects.count()


def sent(page):
    """What the page's form sends if nobody types anything."""
    form = page.context["form"]
    data = {}
    for bound in form:
        value = bound.value()
        if value in (None, False):
            continue
        data[bound.html_name] = "\n".join(value) if isinstance(value, list) else value
    return data


def status_of(phase):
    return LeadStatus.first(phase)


def converted(lead, **choices):
    return convert_lead(lead, by=lead.owner, choices=ConversionChoices(**choices))


# -- the list ---------------------------------------------------------------------------------


def listed(client, query=""):
    page = client.get(reverse("leads:lead_list") + query)
    assert page.status_code == 200
    return [str(record) for record in page.context["page"].records]


def test_list_leaves_converted_and_dead_leads_out(client, rep, lead):
    LeadFactory(owner=rep, dead=True)
    converted(LeadFactory(owner=rep))
    client.force_login(rep)

    assert listed(client) == ["Ana Ruiz"]


def test_list_shows_each_state_in_a_view_of_its_own(client, rep, lead):
    LeadFactory(last_name="Dead", owner=rep, dead=True)
    LeadFactory(last_name="Resting", owner=rep, nurturing=True)
    converted(LeadFactory(last_name="Done", owner=rep))
    client.force_login(rep)

    assert listed(client, "?view=converted") == ["Lea Done"]
    assert listed(client, "?view=dead") == ["Lea Dead"]
    assert listed(client, "?view=nurturing") == ["Lea Resting"]
    assert len(listed(client, "?view=all")) == 4


def test_list_of_my_leads_leaves_those_of_my_team_out(client, rep, manager, lead):
    LeadFactory(owner=manager)
    client.force_login(rep)

    assert listed(client, "?view=mine") == ["Ana Ruiz"]


def test_list_filtered_by_status_looks_through_closed_leads_as_well(client, rep, lead):
    conversion = converted(LeadFactory(last_name="Done", owner=rep))
    client.force_login(rep)

    assert listed(client, f"?status={conversion.lead.status_id}") == ["Lea Done"]
    assert listed(client, "?phase=CONVERTED") == ["Lea Done"]


def test_list_filters_by_score_source_and_search(client, rep):
    LeadFactory(last_name="High", owner=rep, interest="HIGH", timeline="WITHIN_3_MONTHS")
    LeadFactory(last_name="Low", owner=rep, interest="LOW", lead_source="Web")
    client.force_login(rep)

    assert listed(client, "?score=50") == ["Lea High"]
    assert listed(client, "?source=Web") == ["Lea Low"]
    assert listed(client, "?q=high") == ["Lea High"]


@pytest.mark.parametrize(
    "query",
    ["status=abc", "status=999", "phase=NOWHERE", "score=many", "score=1e400", "owner=nobody"],
)
def test_list_says_that_a_filter_is_bad_and_shows_no_lead(client, rep, lead, query):
    client.force_login(rep)
    page = client.get(reverse("leads:lead_list") + f"?{query}")

    assert page.status_code == 200
    assert page.context["page"].records == []
    assert "is not a valid value" in page.content.decode()


def test_list_shows_no_lead_of_another_team(client, stranger, lead):
    client.force_login(stranger)

    assert listed(client, "?view=all") == []


@pytest.mark.parametrize("sort", ["name", "-company", "score", "-status_changed_at", "created_at"])
def test_list_can_be_sorted_by_indexed_columns(client, rep, lead, sort):
    client.force_login(rep)
    page = client.get(reverse("leads:lead_list") + f"?sort={sort}")

    assert [h["is_current"] for h in page.context["heads"] if h.get("sort")].count(True) == 1


@pytest.mark.parametrize("query", ["", "?view=converted", "?owner=me&score=0&sort=-score"])
def test_list_costs_the_same_for_one_lead_and_for_fifty(client, rep, query):
    client.force_login(rep)
    counts = []
    for more in (1, 49):
        for made in LeadFactory.create_batch(more, owner=rep):
            if "converted" in query:
                converted(made)
        with CaptureQueriesContext(connection) as queries:
            listed(client, query)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 8


def test_list_without_leads_says_where_others_may_be(client, rep, lead):
    client.force_login(rep)

    assert (
        "No leads in this view"
        in client.get(reverse("leads:lead_list") + "?view=dead").content.decode()
    )
    assert (
        "No leads match these filters"
        in client.get(reverse("leads:lead_list") + "?q=nobody").content.decode()
    )


def test_list_is_not_for_support(client, lead):
    client.force_login(UserFactory(role=Role.SUPPORT))

    assert client.get(reverse("leads:lead_list")).status_code == 403


# -- one lead ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_a_lead_are_unknown_to_strangers(client, stranger, lead, name):
    client.force_login(stranger)
    before = state()

    assert client.get(url(name, lead)).status_code == 404
    assert client.post(url(name, lead)).status_code in (404, 405)
    assert state() == before


@pytest.mark.parametrize("name", WRITING)
def test_pages_that_change_a_lead_are_forbidden_to_readers(client, reader, lead, name):
    client.force_login(reader)
    before = state()

    assert client.get(url(name, lead)).status_code == 403
    assert client.post(url(name, lead)).status_code == 403
    assert state() == before


def test_page_offers_a_reader_nothing_to_change(client, reader, lead):
    client.force_login(reader)
    page = client.get(url("leads:lead_detail", lead))

    assert set(page.context["actions"]) == {"history", "sharing"}
    assert page.context["path_action"] == ""


@pytest.mark.parametrize("edits", [1, 12])
def test_page_of_a_lead_costs_at_most_15_queries(
    client, rep, manager, edits, django_assert_max_num_queries
):
    account = AccountFactory(name="Meridian", website="https://meridian.example", owner=rep)
    ContactFactory.create_batch(
        edits, first_name="Ana", last_name="Ruiz", email="ana@meridian.example", owner=rep
    )
    lead = LeadFactory(
        company="Meridian", email="ana@meridian.example", owner=rep, matched_account=account
    )
    for number in range(edits):
        lead.title = f"Title {number}"
        lead.owner = [rep, manager][number % 2]
        lead.matched_account = [account, None][number % 2]
        lead.save()
    client.force_login(rep)

    with django_assert_max_num_queries(15):
        client.get(url("leads:lead_detail", lead))


def test_page_of_a_converted_lead_costs_at_most_15_queries(
    client, rep, lead, django_assert_max_num_queries
):
    lead.budget = 5000
    lead.save()
    converted(lead, deal=Deal.NEW)
    client.force_login(rep)

    with django_assert_max_num_queries(15):
        client.get(url("leads:lead_detail", lead))


def test_edit_page_costs_at_most_12_queries(client, rep, lead, django_assert_max_num_queries):
    client.force_login(rep)

    with django_assert_max_num_queries(12):
        client.get(url("leads:lead_update", lead))


def test_page_names_records_that_the_lead_may_be_with_the_reasons(client, rep):
    account = AccountFactory(name="Meridian", website="https://meridian.example", owner=rep)
    lead = LeadFactory(company="Meridian", email="ana@meridian.example", owner=rep)
    client.force_login(rep)

    page = client.get(url("leads:lead_detail", lead))

    assert [match.record for match in page.context["matches"]] == [account]
    assert "Same e-mail domain, same name" in page.content.decode()
    assert "1 match" in page.content.decode()


def test_page_explains_the_score_and_says_what_to_ask(client, rep):
    lead = LeadFactory(owner=rep, interest="HIGH", timeline="WITHIN_3_MONTHS", budget_status="")
    client.force_login(rep)

    page = client.get(url("leads:lead_detail", lead))

    assert page.context["points"] == [
        ("Interest", 25), ("Budget", None), ("Authority", None), ("Timeline", 25),
    ]  # fmt: skip
    assert page.context["missing"] == ["budget", "authority"]
    assert "Why 50?" in page.content.decode()


@pytest.mark.parametrize(
    ("made", "steps"),
    [
        ({}, "now open open open convert"),
        ({"working": True}, "done now open open convert"),
        ({"nurturing": True}, "open open now open convert"),
        ({"qualified": True}, "done done open now convert"),
        ({"dead": True}, "open open shut shut now"),
    ],
)
def test_path_offers_the_moves_of_the_phase(client, rep, made, steps):
    client.force_login(rep)
    lead = LeadFactory(owner=rep, **made)

    page = client.get(url("leads:lead_detail", lead))

    assert [step_word(step) for step in page.context["steps"]] == steps.split()


def step_word(step):
    if step["state"] == "now":
        return "now"
    if step["url"]:
        return "convert"
    if step["is_open"]:
        return "open"
    return step["state"] or "shut"


def test_page_has_one_filled_button(client, rep, lead):
    client.force_login(rep)

    assert client.get(url("leads:lead_detail", lead)).context["primary"].label == "Convert"
    disqualify(lead, by=rep, reason="No budget")
    assert client.get(url("leads:lead_detail", lead)).context["primary"].label == "Reopen"


def test_page_does_not_offer_to_reach_who_opted_out(client, rep):
    client.force_login(rep)
    open_lead = LeadFactory(owner=rep, phone="+49 40 5550132")
    closed = LeadFactory(owner=rep, phone="+49 40 5550132", email_opt_out=True, do_not_call=True)

    actions = client.get(url("leads:lead_detail", open_lead)).context["actions"]
    assert actions["call"].url == "tel:+49405550132"
    actions = client.get(url("leads:lead_detail", closed)).context["actions"]
    assert {"call", "email"}.isdisjoint(actions)


# -- making and changing ----------------------------------------------------------------------


def test_new_lead_belongs_to_who_made_it_and_is_open(client, rep):
    client.force_login(rep)
    data = sent(client.get(reverse("leads:lead_create")))

    page = client.post(
        reverse("leads:lead_create"), {**data, "last_name": " Ruiz ", "budget": "48,000"}
    )

    lead = Lead.objects.get()
    assert (page.status_code, page.url) == (303, lead.get_absolute_url())
    assert (lead.last_name, lead.budget, lead.owner) == ("Ruiz", 48000, rep)
    assert (lead.phase, lead.status) == (Phase.OPEN, LeadStatus.default())


def test_new_lead_sent_twice_is_made_once(client, rep):
    client.force_login(rep)
    data = {**sent(client.get(reverse("leads:lead_create"))), "company": "Meridian"}

    answers = [client.post(reverse("leads:lead_create"), data) for _time in range(2)]

    assert {answer.status_code for answer in answers} == {303}
    assert answers[0].url == answers[1].url
    assert Lead.objects.count() == 1


def test_new_lead_keeps_everything_typed_when_it_is_refused(client, rep):
    client.force_login(rep)
    before = state()

    page = client.post(
        reverse("leads:lead_create"),
        {"first_name": "Ana", "email": "info(at)jensen", "budget": "-1", "need": "Cold\nchain"},
    )

    text = page.content.decode()
    assert page.status_code == 422
    assert {"email", "budget"} <= page.context["form"].errors.keys()
    assert all(typed in text for typed in ("Ana", "info(at)jensen", "-1", "Cold\nchain"))
    assert state() == before


def test_new_lead_without_any_identity_is_refused(client, rep):
    client.force_login(rep)
    page = client.post(reverse("leads:lead_create"), {"first_name": "Ana", "currency": "USD"})

    assert page.status_code == 422
    assert "Enter a last name, a company or an e-mail address." in page.content.decode()
    assert Lead.objects.count() == 0


def test_new_lead_cannot_be_given_a_status_or_score(client, rep):
    client.force_login(rep)
    data = sent(client.get(reverse("leads:lead_create")))
    extra = {"status": status_of(Phase.CONVERTED).pk, "phase": "CONVERTED", "owner": 999}

    client.post(
        reverse("leads:lead_create"),
        {**data, **extra, "last_name": "Ruiz", "qualification_score": 100},
    )

    lead = Lead.objects.get()
    assert (lead.phase, lead.qualification_score, lead.owner) == (Phase.OPEN, 0, rep)


def test_edit_writes_what_was_typed_and_nothing_else(client, rep, lead):
    client.force_login(rep)
    data = sent(client.get(url("leads:lead_update", lead)))

    page = client.post(url("leads:lead_update", lead), {**data, "title": "Buyer"})

    assert page.status_code == 303
    lead.refresh_from_db()
    assert (lead.title, lead.last_name, lead.version) == ("Buyer", "Ruiz", 2)


def test_edit_notes_when_somebody_opted_out(client, rep, lead):
    client.force_login(rep)
    data = sent(client.get(url("leads:lead_update", lead)))

    client.post(url("leads:lead_update", lead), {**data, "email_opt_out": "on"})

    lead.refresh_from_db()
    assert lead.email_opt_out
    assert lead.email_opt_out_at is not None
    assert lead.email_opt_out_source == "UI"


def test_edit_over_a_newer_version_shows_both_values(client, rep, manager, lead):
    client.force_login(rep)
    data = sent(client.get(url("leads:lead_update", lead)))
    lead.title = "Director"
    lead.save()

    page = client.post(url("leads:lead_update", lead), {**data, "title": "Buyer"})

    assert page.status_code == 409
    assert [d.name for d in page.context["comparison"].conflicts] == ["title"]
    assert {"Director", "Buyer"} <= set(re.findall(r"Director|Buyer", page.content.decode()))
    lead.refresh_from_db()
    assert (lead.title, lead.version) == ("Director", 2)


def test_edit_by_marketing_is_limited_to_permissions_of_accepted_leads(client, marketer, rep):
    lead = LeadFactory(owner=rep, lifecycle="SAL")
    client.force_login(marketer)

    form = client.get(url("leads:lead_update", lead)).context["form"]

    shown = {field.name for field in form.visible_fields()}
    assert shown == {"email_opt_out", "do_not_call", "fax_opt_out", "consent_note"}


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        ({}, set()),
        ({"nurturing": True}, {"nurture_until"}),
        ({"dead": True}, {"disqualify_reason", "disqualify_note"}),
    ],
)
def test_edit_asks_of_the_status_what_goes_with_the_phase(client, rep, made, asked):
    client.force_login(rep)
    lead = LeadFactory(owner=rep, **made)

    fields = client.get(url("leads:lead_update", lead)).context["form"].fields

    assert fields.keys() & {"nurture_until", "disqualify_reason", "disqualify_note"} == asked


# -- status -----------------------------------------------------------------------------------


def test_step_of_the_path_moves_the_lead_and_offers_undo(client, rep, lead):
    client.force_login(rep)
    page = client.get(url("leads:lead_detail", lead))
    step = page.context["steps"][1]
    key = page.context["path_form"]["key"].value()

    answer = client.post(page.context["path_action"], {"status": step["value"], "key": key})

    lead.refresh_from_db()
    assert (answer.status_code, answer.url) == (303, lead.get_absolute_url())
    assert lead.phase == Phase.WORKING
    text = client.get(answer.url).content.decode()
    assert "Set Ana Ruiz to Working - Contacted." in text
    assert reverse("core:undo", args=[Operation.objects.latest("pk").pk]) in text


def test_step_to_nurturing_rests_until_the_preset_day(client, rep, lead):
    client.force_login(rep)

    client.post(url("leads:lead_status", lead), {"status": status_of(Phase.NURTURING).pk})

    lead.refresh_from_db()
    assert lead.nurture_until == timezone.now().date() + datetime.timedelta(days=90)


def test_giving_up_asks_for_the_reason_first(client, rep, lead):
    client.force_login(rep)
    before = state()
    dead = status_of(Phase.DEAD)

    page = client.post(url("leads:lead_status", lead), {"status": dead.pk})

    assert page.status_code == 303
    assert page.url == url("leads:lead_disqualify", lead) + f"?status={dead.pk}"
    assert state() == before


@pytest.mark.parametrize(
    ("phase", "status"), [(Phase.CONVERTED, 409), (Phase.OPEN, 409), (None, 422)]
)
def test_status_that_the_phase_does_not_lead_to_is_refused(client, rep, phase, status):
    client.force_login(rep)
    lead = LeadFactory(owner=rep, working=True)
    before = state()
    chosen = status_of(phase).pk if phase else "abc"

    page = client.post(url("leads:lead_status", lead), {"status": chosen})

    assert page.status_code == status
    assert "status" in page.context["form"].errors
    assert state() == before


def test_disqualify_keeps_the_reason(client, rep, lead):
    client.force_login(rep)
    data = sent(client.get(url("leads:lead_disqualify", lead)))

    client.post(
        url("leads:lead_disqualify", lead),
        {**data, "disqualify_reason": "Other", "disqualify_note": "Moved abroad"},
    )

    lead.refresh_from_db()
    assert (lead.phase, lead.disqualify_reason) == (Phase.DEAD, "Other")
    assert "Moved abroad" in client.get(lead.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({}, "disqualify_reason"),
        ({"disqualify_reason": "Not recorded"}, "disqualify_reason"),
        ({"disqualify_reason": "Other"}, "disqualify_note"),
    ],
)
def test_disqualify_without_an_explanation_is_refused(client, rep, lead, typed, field):
    client.force_login(rep)
    data = sent(client.get(url("leads:lead_disqualify", lead)))
    before = state()

    page = client.post(url("leads:lead_disqualify", lead), {**data, **typed})

    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert state() == before


def test_nurture_until_a_past_day_is_refused(client, rep, lead):
    client.force_login(rep)
    data = sent(client.get(url("leads:lead_nurture", lead)))

    page = client.post(url("leads:lead_nurture", lead), {**data, "nurture_until": "2020-01-01"})

    assert page.status_code == 422
    assert page.context["form"].errors["nurture_until"] == ["Choose a day after today."]
    lead.refresh_from_db()
    assert lead.phase == Phase.OPEN


def test_reopen_takes_a_dead_lead_up_again(client, rep):
    client.force_login(rep)
    lead = LeadFactory(owner=rep, dead=True)
    data = sent(client.get(url("leads:lead_reopen", lead)))

    client.post(url("leads:lead_reopen", lead), data)

    lead.refresh_from_db()
    assert (lead.phase, lead.disqualify_reason) == (Phase.WORKING, "")


def test_page_of_a_move_that_is_not_possible_leads_back(client, rep, lead):
    client.force_login(rep)
    dead = LeadFactory(owner=rep, dead=True)

    assert client.get(url("leads:lead_disqualify", dead)).url == dead.get_absolute_url()
    assert client.get(url("leads:lead_nurture", dead)).url == dead.get_absolute_url()


def test_status_of_an_accepted_lead_is_none_of_marketings_business(client, marketer, rep):
    lead = LeadFactory(owner=rep, lifecycle="SAL")
    client.force_login(marketer)
    before = state()

    page = client.post(url("leads:lead_status", lead), {"status": status_of(Phase.WORKING).pk})

    assert page.status_code == 403
    assert state() == before
    assert client.get(lead.get_absolute_url()).context["path_action"] == ""


# -- assigning, archiving ---------------------------------------------------------------------


def test_assign_gives_the_lead_to_a_colleague(client, rep, manager, lead):
    client.force_login(rep)
    data = sent(client.get(url("leads:lead_assign", lead)))

    page = client.post(url("leads:lead_assign", lead), {**data, "owner": manager.pk})

    assert page.status_code == 303
    lead.refresh_from_db()
    assert lead.owner == manager


def test_assign_to_another_team_is_refused(client, rep, stranger, lead):
    client.force_login(rep)
    before = state()

    page = client.post(url("leads:lead_assign", lead), {"owner": stranger.pk})

    assert page.status_code == 422
    assert state() == before


def test_archived_lead_leaves_the_list_and_can_only_be_looked_at(client, rep, lead):
    client.force_login(rep)

    assert client.post(url("leads:lead_archive", lead)).status_code == 303

    assert listed(client, "?view=all") == []
    page = client.get(url("leads:lead_detail", lead))
    assert set(page.context["actions"]) == {"restore", "history", "sharing"}
    assert client.get(url("leads:lead_update", lead)).status_code == 404


# -- converted leads --------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITING)
def test_converted_lead_is_changed_by_no_page(client, rep, lead, name):
    converted(lead)
    client.force_login(rep)
    before = state()
    dead = {"status": status_of(Phase.DEAD).pk, "disqualify_reason": "No budget"}

    for answer in (
        client.get(url(name, lead)),
        client.post(url(name, lead), {**dead, "owner": rep.pk, "last_name": "X", "version": 2}),
    ):
        assert (answer.status_code, answer.url) == (303, lead.get_absolute_url())
    assert state() == before
    assert "The lead is converted." in client.get(lead.get_absolute_url()).content.decode()


def test_converted_lead_links_to_what_it_became_and_offers_undo(client, rep, lead):
    conversion = converted(lead)
    client.force_login(rep)

    page = client.get(lead.get_absolute_url())

    text = page.content.decode()
    assert conversion.account.get_absolute_url() in text
    assert conversion.contact.get_absolute_url() in text
    assert page.context["undo_url"] == reverse("core:undo", args=[conversion.get_operation().pk])
    assert set(page.context["actions"]) == {"history", "sharing", "conversion"}


def test_converted_lead_shows_what_it_was_just_before(client, rep, lead):
    lead.title = "Buyer"
    lead.save()
    converted(lead)
    client.force_login(rep)

    before = client.get(lead.get_absolute_url()).context["before"]

    shown = {d["column"].key: d["shown"] for _heading, details in before for d in details}
    assert (shown["title"], shown["company"]) == ("Buyer", "Meridian")


def test_converted_lead_lists_what_no_record_took_over(client, rep):
    account = AccountFactory(name="Meridian", phone="+49 40 111111", owner=rep)
    contact = ContactFactory(account=account, phone="+49 40 222222", owner=rep)
    lead = LeadFactory(
        owner=rep, company="Meridian", phone="+49 40 333333", need="Cold chain", budget=5000
    )
    converted(lead, account=account, contact=contact)
    account.phone = "+49 40 333333"  # typed afterwards: still not taken over then
    account.save()
    client.force_login(rep)

    left = client.get(lead.get_absolute_url()).context["left"]

    shown = {detail["column"].key: str(detail["shown"]) for detail in left}
    assert {"phone", "need", "budget"} <= shown.keys()
    assert "company" not in shown


def test_converted_lead_is_found_by_search(client, rep, lead):
    converted(lead)
    client.force_login(rep)

    text = client.get(reverse("core:search") + "?q=ruiz").content.decode()

    assert lead.get_absolute_url() in text


def test_converted_lead_is_open_again_after_undo(client, rep, lead):
    converted(lead)
    client.force_login(rep)
    undo_url = client.get(lead.get_absolute_url()).context["undo_url"]

    client.post(undo_url)

    page = client.get(lead.get_absolute_url())
    assert "conversion" not in page.context
    assert page.context["primary"].label == "Convert"


def test_conversion_can_be_redone_and_undone_once_more(client, rep, lead):
    conversion = converted(lead)
    client.force_login(rep)
    for _time in range(2):  # undo, then undo of the undo
        client.post(reverse("core:undo", args=[Operation.objects.latest("pk").pk]))

    page = client.get(lead.get_absolute_url())

    assert page.context["conversion"] == conversion
    client.post(page.context["undo_url"])
    lead.refresh_from_db()
    assert lead.phase == Phase.OPEN
