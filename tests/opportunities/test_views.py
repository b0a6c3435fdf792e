import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.journal import Kind, Operation
from core.models import ExchangeRate, Organisation
from opportunities.models import Opportunity, OpportunityContactRole, Stage
from opportunities.services import close_lost, close_won
from tests.digest import digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory
from tests.factories.users import UserFactory
from tests.pages import send, sent
from users.models import Role

pytestmark = pytest.mark.django_db

OF_ALL = ("opportunities:opportunity_list", "opportunities:opportunity_create")
OF_DEAL = (
    "opportunities:opportunity_detail",
    "opportunities:opportunity_history",
    "opportunities:opportunity_update",
    "opportunities:opportunity_assign",
    "opportunities:opportunity_archive",
    "opportunities:opportunity_stage",
    "opportunities:opportunity_won",
    "opportunities:opportunity_lost",
    "opportunities:opportunity_reopen",
    "opportunities:role_create",
)
OF_ROLE = ("opportunities:role_update", "opportunities:role_primary", "opportunities:role_remove")


def url(name, record=None):
    """The address of a page: of all deals, of one, or of one of its roles."""
    if record is None:
        return reverse(name)
    if isinstance(record, OpportunityContactRole):
        return reverse(name, args=[record.opportunity_id, record.pk])
    return reverse(name, args=[record.pk])


@pytest.fixture
def acme(rep):
    return AccountFactory(name="Acme", owner=rep)


@pytest.fixture
def ana(rep, acme):
    return ContactFactory(first_name="Ana", last_name="Ruiz", owner=rep, account=acme)


@pytest.fixture
def deal(rep, acme):
    return OpportunityFactory(name="Sentry 200", account=acme, owner=rep)


@pytest.fixture
def role(deal, ana):
    return RoleFactory(opportunity=deal, contact=ana, role="Evaluator", is_primary=True)


@pytest.fixture
def stages(db):
    return {stage.name: stage for stage in Stage.objects.order_by("position")}


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


def need(stage, *names):
    """Let a stage require fields."""
    Stage.objects.filter(pk=stage.pk).update(required_fields=list(names))


# the list


def test_list_shows_open_deals_by_close_date(as_rep, rep, deal):
    later = OpportunityFactory(owner=rep, close_date=datetime.date(2031, 1, 1))
    OpportunityFactory(owner=rep, won=True)
    OpportunityFactory(owner=rep, archived_at=timezone.now())

    response = as_rep.get(url("opportunities:opportunity_list"))

    assert response.context["page"].records == [deal, later]


def test_list_adds_up_what_it_shows_by_currency(as_rep, rep, acme):
    for amount, currency in ((1000, "EUR"), (500, "EUR"), (None, "USD"), (300, "USD")):
        OpportunityFactory(owner=rep, account=acme, amount=amount, currency=currency)

    response = as_rep.get(url("opportunities:opportunity_list"))

    assert [
        (s["currency"], s["count"], s["amount"], s["expected"], s["unknown"])
        for s in response.context["sums"]
    ] == [("EUR", 2, 1500, 150, 0), ("USD", 2, 300, 30, 1)]
    assert "1 without an amount" in html_of(response)


def test_list_shows_what_is_within_reach(client, stranger, deal):
    client.force_login(stranger)

    response = client.get(url("opportunities:opportunity_list"))

    assert response.context["page"].records == []
    assert response.context["sums"] == []


@pytest.mark.parametrize("count", [1, 50])
def test_list_costs_the_same_for_one_row_and_for_fifty(client, manager, rep, count):
    for _number in range(count):
        OpportunityFactory(owner=rep, account=AccountFactory(owner=rep), type="Renewal")
    client.force_login(manager)

    with CaptureQueriesContext(connection) as queries:
        response = client.get(url("opportunities:opportunity_list"), {"owner": "team"})

    assert len(response.context["page"].records) == count
    assert len(queries) <= 8, [q["sql"][:90] for q in queries]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("view=all", ["Late", "Open", "Won", "Lost"]),
        ("view=won", ["Won"]),
        ("view=lost", ["Lost"]),
        ("view=mine", ["Open"]),
        ("closed=true", ["Won", "Lost"]),
        ("closed=false", ["Late", "Open"]),
        ("overdue=true", ["Late"]),
        ("overdue=false", ["Open"]),
        ("category=CLOSED", ["Won"]),
        ("owner=me", ["Open"]),
        ("close_after=2030-01-01", ["Open"]),
        ("close_before=2022-12-31", ["Late"]),
        ("amount_min=5000", ["Late"]),
        ("loss_reason=Price", ["Lost"]),
        ("q=op", ["Open"]),
        ("view=nonsense", ["Late", "Open"]),
    ],
)
def test_list_filters(client, manager, rep, query, names):
    team_mate = UserFactory(team=rep.team)
    OpportunityFactory(name="Open", owner=manager)
    OpportunityFactory(
        name="Late", owner=team_mate, close_date=datetime.date(2020, 1, 1), amount=9000
    )
    OpportunityFactory(name="Won", owner=rep, won=True, close_date=datetime.date(2031, 1, 1))
    OpportunityFactory(name="Lost", owner=rep, lost=True, close_date=datetime.date(2032, 1, 1))
    client.force_login(manager)

    response = client.get(f"{url('opportunities:opportunity_list')}?{query}")

    assert [record.name for record in response.context["page"].records] == names


def test_list_filters_by_stage(as_rep, rep, deal, stages):
    other = OpportunityFactory(owner=rep, stage=stages["Needs Analysis"])
    page = url("opportunities:opportunity_list")

    response = as_rep.get(page, {"stage": stages["Needs Analysis"].pk})

    assert response.context["page"].records == [other]


@pytest.mark.parametrize(
    "query",
    ["stage=abc", "stage=999999", "category=NOPE", "close_after=2026-02-30", "amount_min=1e40",
     "loss_reason=Nope"],
)  # fmt: skip
def test_a_bad_filter_says_so_and_the_list_is_empty(as_rep, deal, query):
    response = as_rep.get(f"{url('opportunities:opportunity_list')}?{query}")

    assert (response.status_code, response.context["page"].records) == (200, [])
    assert response.context["filter"].form.errors


# who may look, and change


@pytest.mark.parametrize("name", [*OF_DEAL, *OF_ROLE])
def test_pages_ask_for_a_log_in(client, deal, role, name):
    response = client.get(url(name, role if name in OF_ROLE else deal))

    assert (response.status_code, response.url.split("?")[0]) == (302, "/login/")


@pytest.mark.parametrize("name", [*OF_DEAL, *OF_ROLE])
def test_a_stranger_finds_nothing(client, stranger, deal, role, name, nothing_written):
    client.force_login(stranger)
    page = url(name, role if name in OF_ROLE else deal)
    nothing_written()

    assert client.get(page).status_code == 404
    assert client.post(page, {"name": "Changed"}).status_code == 404


@pytest.mark.parametrize("name", [*OF_DEAL[2:], *OF_ROLE])
def test_who_only_reads_changes_nothing(client, auditor, deal, role, name, nothing_written):
    client.force_login(auditor)
    page = url(name, role if name in OF_ROLE else deal)
    nothing_written()

    assert client.get(page).status_code == 403
    assert client.post(page, {"name": "Changed"}).status_code == 403


@pytest.mark.parametrize("name", [*OF_DEAL[2:], *OF_ROLE])
def test_a_team_mate_sees_the_deal_and_may_not_change_it(client, rep, deal, role, name):
    client.force_login(UserFactory(team=rep.team))

    assert client.get(url("opportunities:opportunity_detail", deal)).status_code == 200
    assert client.post(url(name, role if name in OF_ROLE else deal)).status_code == 403


def test_who_only_reads_is_offered_nothing(client, auditor, deal, role):
    client.force_login(auditor)

    response = client.get(url("opportunities:opportunity_detail", deal))

    assert set(response.context["actions"]) == {"history", "sharing"}
    assert (response.context["path_action"], response.context["add_person_url"]) == ("", "")
    assert response.context["committee"][0]["actions"] == []
    assert client.get(url("opportunities:opportunity_create")).status_code == 403


@pytest.mark.parametrize("name", OF_DEAL[2:])
def test_an_archived_deal_is_looked_at_only(as_rep, deal, name):
    Opportunity.objects.filter(pk=deal.pk).update(archived_at=timezone.now())

    assert as_rep.get(url("opportunities:opportunity_detail", deal)).status_code == 200
    assert as_rep.get(url(name, deal)).status_code == 404


@pytest.mark.parametrize("name", OF_ROLE)
def test_a_role_of_another_deal_is_not_found(as_rep, rep, role, name, nothing_written):
    other = OpportunityFactory(owner=rep)
    nothing_written()

    assert as_rep.post(reverse(name, args=[other.pk, role.pk])).status_code == 404


# the page of one deal


def test_page_shows_the_figures_and_the_path(as_rep, rep, acme, stages):
    deal = OpportunityFactory(
        owner=rep, account=acme, stage=stages["Value Proposition"], amount=Decimal(48000)
    )

    response = as_rep.get(url("opportunities:opportunity_detail", deal))

    values = [figure["value"] for figure in response.context["figures"]]
    assert values == [48000, 50, 24000, deal.close_date, "Pipeline"]
    steps = response.context["steps"]
    assert [step["state"] for step in steps] == ["done"] * 3 + ["now"] + [""] * 5
    assert f'value="{stages["Needs Analysis"].pk}"' in html_of(response)
    assert steps[-1]["url"] == url("opportunities:opportunity_won", deal)


def test_page_of_a_closed_deal_has_no_steps_to_take(as_rep, rep):
    for closed in (
        OpportunityFactory(owner=rep, won=True),
        OpportunityFactory(owner=rep, lost=True),
    ):
        response = as_rep.get(url("opportunities:opportunity_detail", closed))

        assert response.context["path_action"] == ""
        assert response.context["primary"].label == "Reopen"
        assert response.context["steps"][-1]["state"] == "now"


def test_page_says_what_the_next_stage_needs(as_rep, deal, stages):
    need(stages["Qualification"], "next_step")

    response = as_rep.get(url("opportunities:opportunity_detail", deal))

    assert [field["label"] for field in response.context["needed"]] == ["Next step"]
    assert "Qualification needs:" in html_of(response)


def test_page_names_the_gaps_of_the_committee(as_rep, rep, stages, role):
    early = as_rep.get(role.opportunity.get_absolute_url())
    late = OpportunityFactory(owner=rep, stage=stages["Perception Analysis"])

    response = as_rep.get(late.get_absolute_url())

    assert early.context["gaps"] == []
    assert [str(gap) for gap in response.context["gaps"]] == [
        "No decision maker",
        "No primary contact",
        "Fewer than 2 people",
    ]


def test_page_says_that_a_deal_is_overdue_and_without_an_amount(as_rep, rep):
    deal = OpportunityFactory(
        owner=rep, amount=None, close_date=today() - datetime.timedelta(days=2)
    )

    html = html_of(as_rep.get(deal.get_absolute_url()))

    assert "2 days overdue" in html
    assert "not known yet" in html


def test_page_shows_the_stages_that_the_deal_was_in(as_rep, deal, stages):
    for name in ("Qualification", "Needs Analysis"):
        as_rep.post(url("opportunities:opportunity_stage", deal), {"stage": stages[name].pk})

    history = as_rep.get(deal.get_absolute_url()).context["history"]

    assert [row["stage"].name for row in history] == [
        "Needs Analysis",
        "Qualification",
        "Prospecting",
    ]
    assert [row["is_now"] for row in history] == [True, False, False]


@pytest.mark.parametrize("count", [1, 50])
def test_record_pages_cost_the_same_for_one_row_and_for_fifty(as_rep, rep, deal, count):
    for number in range(count):
        contact = ContactFactory(owner=rep, account=AccountFactory(owner=rep))
        RoleFactory(opportunity=deal, contact=contact, role="Evaluator", is_primary=not number)
        deal.amount = number
        deal.save()

    pages = (
        (url("opportunities:opportunity_detail", deal), 15),
        (url("opportunities:opportunity_update", deal), 12),
        (url("opportunities:opportunity_stage", deal), 12),
        (url("opportunities:opportunity_won", deal), 12),
        (url("opportunities:opportunity_lost", deal), 12),
    )
    for page, limit in pages:
        with CaptureQueriesContext(connection) as queries:
            as_rep.get(page)
        assert len(queries) <= limit, [q["sql"][:90] for q in queries]


def test_what_people_type_is_shown_escaped(as_rep, rep, acme):
    deal = OpportunityFactory(
        name="<script>alert(1)</script>", owner=rep, account=acme, next_step="<b>x"
    )

    for name in (OF_DEAL[0], OF_DEAL[1], OF_DEAL[2], OF_DEAL[5], OF_DEAL[6]):
        html = html_of(as_rep.get(url(name, deal)))
        assert "<script>alert" not in html
        assert "<b>x" not in html


# making and changing


def test_create_adds_a_deal_with_its_primary_contact(as_rep, rep, acme, ana):
    page = as_rep.get(url("opportunities:opportunity_create"), {"contact": ana.pk})

    response = as_rep.post(
        url("opportunities:opportunity_create"),
        sent(page, name="Sentry 200", amount="48,000"),
    )
    deal = Opportunity.objects.get()

    assert (response.status_code, response.url) == (303, deal.get_absolute_url())
    assert (deal.account, deal.amount, deal.owner) == (acme, Decimal(48000), rep)
    assert (deal.currency, deal.probability) == (acme.currency, 10)
    role = deal.roles.get()
    assert (role.contact, role.is_primary) == (ana, True)
    operation = Operation.objects.latest("pk")
    assert (operation.kind, operation.actor) == (Kind.CREATE, rep)


def test_create_begins_with_the_account_and_its_name(as_rep, acme):
    html = html_of(as_rep.get(url("opportunities:opportunity_create"), {"account": acme.pk}))

    assert f'value="{acme.pk}" checked' in html
    assert 'value="Acme – "' in html


@pytest.mark.parametrize("query", ["contact=x", "account=999999", "contact=" + "9" * 30])
def test_create_begins_blank_with_what_cannot_be_found(as_rep, query):
    assert as_rep.get(f"{url('opportunities:opportunity_create')}?{query}").status_code == 200


def test_create_without_an_amount_is_saved_and_says_so(as_rep, acme):
    page = as_rep.get(url("opportunities:opportunity_create"), {"account": acme.pk})

    response = as_rep.post(url("opportunities:opportunity_create"), sent(page, name="Vague"))

    assert response.status_code == 303
    assert "No amount yet" in html_of(as_rep.get(response.url))
    assert not Opportunity.objects.get().roles.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("account", ""),
        ("account", "999999"),
        ("amount", "-1"),
        ("amount", "1e400"),
        ("amount", "a lot"),
        ("close_date", "2020-01-01"),
        ("close_date", "soon"),
        ("probability", "100"),
        ("probability", "x"),
        ("stage", "999999"),
        ("contract_months", "241"),
        ("primary_contact", "999999"),
        ("name", "x" * 121),
        ("next_step", "a\x00b"),
    ],
)
def test_an_invalid_form_keeps_what_was_typed(as_rep, acme, field, value, nothing_written):
    page = as_rep.get(url("opportunities:opportunity_create"), {"account": acme.pk})
    data = {"name": "Sentry", "main_competitor": "Coolbox", field: value}
    nothing_written()

    response = as_rep.post(url("opportunities:opportunity_create"), sent(page, **data))

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert 'value="Coolbox"' in html_of(response)


def test_a_form_that_is_sent_twice_makes_one_deal(as_rep, acme):
    page = as_rep.get(url("opportunities:opportunity_create"), {"account": acme.pk})
    data = sent(page, name="Sentry")

    first, second = (
        as_rep.post(url("opportunities:opportunity_create"), data) for _time in range(2)
    )

    assert (first.status_code, first.url) == (second.status_code, second.url)
    assert Opportunity.objects.count() == 1


def test_update_writes_history_and_counts_the_push(as_rep, deal):
    response = send(
        as_rep,
        url("opportunities:opportunity_update", deal),
        amount="2000",
        close_date="2030-09-30",
        probability="42",
    )
    deal.refresh_from_db()

    assert response.status_code == 303
    assert (deal.amount, deal.push_count, deal.probability) == (2000, 1, 42)
    assert deal.probability_overridden
    assert deal.history.count() == 2


def test_update_over_a_newer_version_asks_which_value_stays(as_rep, deal):
    mine = sent(as_rep.get(url("opportunities:opportunity_update", deal)), name="Mine")
    Opportunity.objects.filter(pk=deal.pk).update(name="Theirs")

    conflict = as_rep.post(url("opportunities:opportunity_update", deal), mine)
    saved = as_rep.post(
        url("opportunities:opportunity_update", deal), sent(conflict) | {"keep-name": "mine"}
    )
    deal.refresh_from_db()

    assert (conflict.status_code, saved.status_code, deal.name) == (409, 303, "Mine")


def test_update_of_a_closed_deal_leaves_its_state_alone(as_rep, rep):
    deal = OpportunityFactory(owner=rep, lost=True)
    page = as_rep.get(url("opportunities:opportunity_update", deal))
    assert not {"stage", "probability", "forecast_category"} & set(page.context["form"].fields)

    response = as_rep.post(
        url("opportunities:opportunity_update", deal),
        sent(page, loss_note="Too dear", stage=str(Stage.first_open().pk)),
    )
    deal.refresh_from_db()

    assert (response.status_code, deal.loss_note, deal.is_lost) == (303, "Too dear", True)


def test_update_to_another_account_marks_who_is_from_outside(as_rep, rep, role):
    deal, beta = role.opportunity, AccountFactory(owner=rep)

    send(as_rep, url("opportunities:opportunity_update", deal), account=str(beta.pk))
    role.refresh_from_db()

    assert role.is_external


def test_archive_puts_the_deal_into_the_recycle_bin(as_rep, deal):
    response = send(as_rep, url("opportunities:opportunity_archive", deal))
    deal.refresh_from_db()

    assert (response.status_code, deal.is_archived) == (303, True)


# stages


def test_a_step_of_the_path_moves_the_deal(as_rep, deal, stages):
    page = as_rep.get(deal.get_absolute_url())
    wanted = stages["Value Proposition"]

    response = as_rep.post(page.context["path_action"], {"stage": wanted.pk, "key": "k" * 20})
    deal.refresh_from_db()

    assert (response.status_code, response.url) == (303, deal.get_absolute_url())
    assert (deal.stage, deal.probability) == (wanted, 50)
    assert Operation.objects.latest("pk").kind == Kind.STAGE
    assert "Moved Sentry 200 to Value Proposition." in html_of(as_rep.get(response.url))


def test_a_stage_asks_for_the_fields_that_it_needs_then_moves_the_deal(as_rep, deal, stages):
    need(stages["Qualification"], "next_step", "type")
    page = url("opportunities:opportunity_stage", deal)
    before = digest(journal=True, stamps=True)

    asked = as_rep.post(page, {"stage": stages["Qualification"].pk})

    assert asked.status_code == 422
    assert digest(journal=True, stamps=True) == before
    assert set(asked.context["form"].fields) == {"stage", "type", "next_step", "version", "key"}
    still = as_rep.post(page, sent(asked, next_step="Call Ana"))
    assert still.status_code == 422
    assert set(still.context["form"].errors) == {"type"}
    assert 'value="Call Ana"' in html_of(still)

    moved = as_rep.post(page, sent(still, type="Renewal"))
    deal.refresh_from_db()
    assert moved.status_code == 303
    assert (deal.stage, deal.next_step, deal.type) == (
        stages["Qualification"],
        "Call Ana",
        "Renewal",
    )
    assert deal.history.count() == 2


def test_the_fields_of_a_stage_over_a_newer_version_are_a_conflict(as_rep, deal, stages):
    need(stages["Qualification"], "next_step")
    page = url("opportunities:opportunity_stage", deal)
    data = sent(as_rep.post(page, {"stage": stages["Qualification"].pk}), next_step="Mine")
    Opportunity.objects.filter(pk=deal.pk).update(description="Theirs")

    response = as_rep.post(page, data)
    deal.refresh_from_db()

    assert (response.status_code, deal.stage) == (409, stages["Prospecting"])


@pytest.mark.parametrize("stage", ["", "x", "999999", "9" * 30, "\x00"])
def test_a_stage_that_does_not_exist_is_refused(as_rep, deal, stage, nothing_written):
    nothing_written()

    response = as_rep.post(url("opportunities:opportunity_stage", deal), {"stage": stage})

    assert response.status_code == 422


def test_the_same_stage_is_refused(as_rep, deal, nothing_written):
    nothing_written()

    response = as_rep.post(url("opportunities:opportunity_stage", deal), {"stage": deal.stage_id})

    assert response.status_code == 409


def test_a_closed_stage_leads_to_the_page_that_closes(as_rep, deal, nothing_written):
    nothing_written()
    page = url("opportunities:opportunity_stage", deal)

    won = as_rep.post(page, {"stage": Stage.first_won().pk})
    lost = as_rep.post(page, {"stage": Stage.first_lost().pk})

    assert won.url == url("opportunities:opportunity_won", deal)
    assert lost.url == url("opportunities:opportunity_lost", deal)


def test_a_closed_deal_takes_no_step(as_rep, rep, stages, nothing_written):
    deal = OpportunityFactory(owner=rep, won=True)
    nothing_written()

    response = as_rep.post(
        url("opportunities:opportunity_stage", deal), {"stage": stages["Qualification"].pk}
    )

    assert response.status_code == 409


# closing and opening again


def test_won_closes_the_deal_today(as_rep, deal):
    response = send(as_rep, url("opportunities:opportunity_won", deal), win_reason="Service")
    deal.refresh_from_db()

    assert (response.status_code, response.url) == (303, deal.get_absolute_url())
    assert (deal.is_won, deal.probability, deal.win_reason) == (True, 100, "Service")
    assert deal.close_date == today()


def test_won_says_which_day_was_expected(as_rep, deal):
    html = html_of(as_rep.get(url("opportunities:opportunity_won", deal)))

    assert f'value="{today().isoformat()}"' in html
    assert "Expected for" in html


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"amount": ""}, "amount"),
        ({"amount": "0"}, "worth_nothing"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "x"}, "amount"),
        ({"close_date": ""}, "close_date"),
        ({"win_reason": "Nope"}, "win_reason"),
    ],
)
def test_won_says_what_is_missing(as_rep, rep, acme, data, field, nothing_written):
    deal = OpportunityFactory(owner=rep, account=acme, amount=None)
    page = as_rep.get(url("opportunities:opportunity_won", deal))
    nothing_written()

    response = as_rep.post(
        url("opportunities:opportunity_won", deal), sent(page, **{"amount": "5", **data})
    )

    assert response.status_code == 422
    assert field in response.context["form"].errors


def test_won_for_nothing_is_confirmed(as_rep, deal):
    send(as_rep, url("opportunities:opportunity_won", deal), amount="0", worth_nothing="on")
    deal.refresh_from_db()

    assert (deal.is_won, deal.amount) == (True, 0)


def test_won_names_the_fields_that_a_stage_on_the_way_needs(as_rep, deal, stages):
    need(stages["Qualification"], "next_step")
    page = as_rep.get(url("opportunities:opportunity_won", deal))

    response = as_rep.post(url("opportunities:opportunity_won", deal), sent(page))

    assert "A won deal also needs: Next step." in html_of(page)
    assert response.status_code == 422


def test_lost_needs_a_reason_and_keeps_it(as_rep, deal):
    response = send(
        as_rep,
        url("opportunities:opportunity_lost", deal),
        loss_reason="Lost to competitor",
        main_competitor="Coolbox",
    )
    deal.refresh_from_db()

    assert response.status_code == 303
    assert (deal.is_lost, deal.loss_reason, deal.main_competitor) == (
        True,
        "Lost to competitor",
        "Coolbox",
    )


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "loss_reason"),
        ({"loss_reason": "Nope"}, "loss_reason"),
        ({"loss_reason": "Other"}, "loss_note"),
        ({"loss_reason": "Lost to competitor"}, "main_competitor"),
        ({"loss_reason": "Price", "loss_note": "x" * 2001}, "loss_note"),
        ({"loss_reason": "Price", "main_competitor": "x" * 101}, "main_competitor"),
        ({"loss_reason": "Price", "close_date": "x"}, "close_date"),
    ],
)
def test_lost_says_what_is_missing(as_rep, deal, data, field, nothing_written):
    page = as_rep.get(url("opportunities:opportunity_lost", deal))
    nothing_written()

    response = as_rep.post(url("opportunities:opportunity_lost", deal), sent(page, **data))

    assert response.status_code == 422
    assert field in response.context["form"].errors


def test_closing_a_closed_deal_is_a_conflict(as_rep, rep, deal):
    data = sent(as_rep.get(url("opportunities:opportunity_won", deal)))
    close_lost(deal, by=rep, reason="Price")
    before = digest(journal=True, stamps=True)

    response = as_rep.post(url("opportunities:opportunity_won", deal), data)

    assert response.status_code == 409
    assert digest(journal=True, stamps=True) == before
    assert "closed already" in html_of(response)
    assert as_rep.get(url("opportunities:opportunity_won", deal)).status_code == 303


def test_reopen_needs_a_reason_and_leads_back_to_the_stage(as_rep, rep, deal):
    close_won(deal, by=rep)
    page = as_rep.get(url("opportunities:opportunity_reopen", deal))

    refused = as_rep.post(url("opportunities:opportunity_reopen", deal), sent(page))
    response = as_rep.post(
        url("opportunities:opportunity_reopen", deal), sent(page, reason="They backed out")
    )
    deal.refresh_from_db()

    assert "reason" in refused.context["form"].errors
    assert (refused.status_code, response.status_code) == (422, 303)
    assert (deal.is_closed, deal.stage) == (False, Stage.first_open())
    assert "They backed out" in html_of(as_rep.get(deal.get_absolute_url()))


@pytest.mark.parametrize("reason", ["x" * 256, "a\x00b", "  "])
def test_reopen_refuses_a_reason_that_cannot_be_kept(as_rep, rep, deal, reason):
    close_won(deal, by=rep)
    page = as_rep.get(url("opportunities:opportunity_reopen", deal))

    response = as_rep.post(url("opportunities:opportunity_reopen", deal), sent(page, reason=reason))

    assert response.status_code == 422


def test_reopen_of_an_open_deal_is_a_conflict(as_rep, deal, nothing_written):
    nothing_written()

    response = as_rep.post(url("opportunities:opportunity_reopen", deal), {"reason": "x"})

    assert response.status_code == 409


# the people who decide


def test_add_person_gives_a_role_the_first_one_is_primary(as_rep, deal, ana):
    response = send(
        as_rep,
        url("opportunities:role_create", deal),
        contact=str(ana.pk),
        role="Decision Maker",
        stance="SUPPORTER",
    )
    role = deal.roles.get()

    assert (response.status_code, response.url) == (303, deal.get_absolute_url())
    assert (role.contact, role.role, role.stance) == (ana, "Decision Maker", "SUPPORTER")
    assert role.is_primary


def test_add_person_in_place_of_the_primary_one(as_rep, rep, role):
    boss = ContactFactory(owner=rep)

    send(
        as_rep,
        url("opportunities:role_create", role.opportunity),
        contact=str(boss.pk),
        is_primary="on",
    )
    role.refresh_from_db()
    new = role.opportunity.roles.get(contact=boss)

    assert (role.is_primary, new.is_primary, new.is_external) == (False, True, True)


@pytest.mark.parametrize("contact", ["", "999999", "x"])
def test_add_person_refuses_who_cannot_be_found(as_rep, deal, contact, nothing_written):
    page = as_rep.get(url("opportunities:role_create", deal))
    nothing_written()

    response = as_rep.post(
        url("opportunities:role_create", deal), sent(page, contact=contact, notes="Kept")
    )

    assert response.status_code == 422
    assert 'value="Kept"' in html_of(response)


def test_add_person_twice_is_refused(as_rep, role, nothing_written):
    page = url("opportunities:role_create", role.opportunity)
    data = sent(as_rep.get(page), contact=str(role.contact_id))
    nothing_written()

    response = as_rep.post(page, data)

    assert response.status_code in (409, 422)
    assert "has a role in this deal already" in html_of(response)


def test_edit_changes_what_is_said_of_a_person(as_rep, role):
    response = send(
        as_rep, url("opportunities:role_update", role), role="Champion", stance="SUPPORTER"
    )
    role.refresh_from_db()

    assert (response.status_code, role.role, role.stance) == (303, "Champion", "SUPPORTER")
    assert role.is_primary


def test_edit_of_a_role_over_a_newer_version_is_a_conflict(as_rep, role):
    page = url("opportunities:role_update", role)
    mine = sent(as_rep.get(page), notes="Mine")
    OpportunityContactRole.objects.filter(pk=role.pk).update(notes="Theirs")

    response = as_rep.post(page, mine)
    role.refresh_from_db()

    assert (response.status_code, role.notes) == (409, "Theirs")


def test_make_primary_takes_the_place_of_the_one_before(as_rep, role):
    other = RoleFactory(opportunity=role.opportunity)

    response = as_rep.post(url("opportunities:role_primary", other))
    role.refresh_from_db()
    other.refresh_from_db()

    assert response.status_code == 303
    assert (role.is_primary, other.is_primary) == (False, True)


def test_remove_takes_a_person_off_the_deal(as_rep, role):
    response = as_rep.post(url("opportunities:role_remove", role))

    assert (response.status_code, response.url) == (303, role.opportunity.get_absolute_url())
    assert not role.opportunity.roles.exists()


# what other pages show of deals


def test_account_page_shows_its_open_deals_and_those_below(as_rep, rep, acme, deal):
    below = AccountFactory(parent=acme, owner=rep)
    OpportunityFactory(name="Below", account=below, owner=rep)
    OpportunityFactory(name="Done", account=acme, owner=rep, won=True)
    OpportunityFactory(name="Foreign", account=acme)

    html = html_of(as_rep.get(acme.get_absolute_url()))

    assert "Sentry 200" in html
    assert "Below" in html
    assert "Done" not in html
    assert "Foreign" not in html
    assert f"{url('opportunities:opportunity_create')}?account={acme.pk}" in html


def test_hierarchy_page_adds_up_the_deals_by_the_rates(as_rep, rep, acme):
    home = Organisation.current().default_currency
    ExchangeRate.objects.create(
        currency="GBP", valid_from=datetime.date(2020, 1, 1), rate=Decimal("0.5")
    )
    below = AccountFactory(parent=acme, owner=rep)
    for account, amount, currency in (
        (acme, 1000, home), (below, 300, home), (below, 100, "GBP"), (below, 70, "CHF"),
    ):  # fmt: skip
        OpportunityFactory(account=account, owner=rep, amount=amount, currency=currency)
    OpportunityFactory(
        account=below, owner=rep, amount=50, currency="GBP", won=True,
        close_date=datetime.date(2021, 1, 1),
    )  # fmt: skip
    OpportunityFactory(account=acme, owner=rep, lost=True)

    html = html_of(as_rep.get(reverse("accounts:account_tree", args=[acme.pk])))

    assert "$1,500" in html  # 1000 + 300 + 100 / 0.5
    assert "4 deals, $1,000 here, and CHF\xa070 without a rate" in html
    assert "$100" in html  # 50 / 0.5, won
    assert "1 won, 1 lost" in html


def test_hierarchy_adds_up_each_branch(as_rep, rep, acme, deal):
    below = AccountFactory(name="Below", parent=acme, owner=rep)
    OpportunityFactory(account=below, owner=rep, amount=500)
    OpportunityFactory(account=below, owner=rep, amount=200, won=True)

    html = html_of(as_rep.get(below.get_absolute_url()))

    assert "$1,500" in html
    assert html.count("$500") >= 2  # the figure and the branch
    assert "$200" in html


@pytest.mark.parametrize("count", [1, 50])
def test_account_page_costs_the_same_for_one_deal_and_for_fifty(as_rep, rep, acme, count):
    for number in range(count):
        below = AccountFactory(parent=acme, owner=rep)
        OpportunityFactory(account=below, owner=rep, currency="GBP" if number % 2 else "USD")
        OpportunityFactory(account=below, owner=rep, currency="GBP", won=True)
        ContactFactory(account=below, owner=rep)

    with CaptureQueriesContext(connection) as queries:
        as_rep.get(acme.get_absolute_url(), {"people": "tree"})

    assert len(queries) <= 18, [q["sql"][:90] for q in queries]


def test_pages_show_no_panels_of_deals_to_who_sees_but_their_names(client, acme, deal, role):
    AccountFactory(parent=acme)
    client.force_login(UserFactory(role=Role.SUPPORT))

    pages = [client.get(record.get_absolute_url()) for record in (acme, role.contact)]

    for page in pages:
        assert page.status_code == 200
        for text in ("Sentry 200", "Open deals", "$1,000", "Role in open deals", "Weighted"):
            assert text not in html_of(page)


# a person of the committee changes jobs


def test_job_change_asks_who_takes_over_each_role(as_rep, rep, acme, ana, role):
    boss = ContactFactory(last_name="Behn", owner=rep, account=acme)
    beta = AccountFactory(owner=rep)
    page = as_rep.get(reverse("contacts:contact_job_change", args=[ana.pk]))
    name = f"opportunities-{role.pk}"
    assert "Roles in open deals of the old account" in html_of(page)

    as_rep.post(page.wsgi_request.path, sent(page, account=str(beta.pk), **{name: str(boss.pk)}))

    taken = role.opportunity.roles.get()
    assert (taken.contact, taken.role, taken.is_primary) == (boss, "Evaluator", True)


@pytest.mark.parametrize(("answer", "notes"), [("stays", ""), ("left", "Left on ")])
def test_job_change_keeps_the_role_or_marks_it(as_rep, rep, ana, role, answer, notes):
    beta = AccountFactory(owner=rep)
    page = as_rep.get(reverse("contacts:contact_job_change", args=[ana.pk]))

    data = sent(page, account=str(beta.pk), **{f"opportunities-{role.pk}": answer})
    response = as_rep.post(page.wsgi_request.path, data)
    role.refresh_from_db()

    assert response.status_code == 303
    assert (role.contact, role.is_external) == (ana, True)
    assert role.notes.startswith(notes)
    assert bool(role.notes) == bool(notes)


def test_job_change_does_not_ask_about_deals_of_others(as_rep, ana, acme):
    RoleFactory(opportunity=OpportunityFactory(name="Foreign", account=acme), contact=ana)

    html = html_of(as_rep.get(reverse("contacts:contact_job_change", args=[ana.pk])))

    assert "Foreign" not in html
    assert "Roles in open deals" not in html


def test_job_change_page_costs_the_same_for_one_role_and_for_fifty(as_rep, rep, acme, ana):
    counts = []
    for number in (1, 49):
        for _number in range(number):
            deal = OpportunityFactory(account=acme, owner=rep)
            RoleFactory(opportunity=deal, contact=ana)
            ContactFactory(account=acme, owner=rep)
        with CaptureQueriesContext(connection) as queries:
            as_rep.get(reverse("contacts:contact_job_change", args=[ana.pk]))
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 12
