import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from core.journal import Kind, Label, operation
from core.undo import undo
from crm.home import READ_DEALS
from leads.models import Lead, LeadStatus, Phase
from leads.services import qualify
from opportunities.models import ForecastCategory, Opportunity
from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory
from users.models import Role

pytestmark = pytest.mark.django_db


def day(days):
    return timezone.localdate() + datetime.timedelta(days=days)


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


def home(client, **query):
    return client.get(reverse("home"), query)


def shown_leads(response):
    return {
        panel["phase"]: [lead for lead, _late in panel["rows"]]
        for panel in response.context["leads"].panels()
    }


def test_home_shows_my_new_leads_the_promising_and_then_the_oldest_first(as_rep, rep, stranger):
    now = timezone.now()
    young = LeadFactory(owner=rep, created_at=now - datetime.timedelta(hours=1))
    old = LeadFactory(owner=rep, created_at=now - datetime.timedelta(days=3))
    best = LeadFactory(owner=rep, interest="HIGH", budget_status="APPROVED", authority="INFLUENCER")
    LeadFactory(owner=rep, working=True)
    LeadFactory(owner=stranger)

    response = home(as_rep)

    assert shown_leads(response) == {Phase.OPEN: [best, old, young]}
    assert "3 new leads wait for an answer." in response.content.decode()


def test_home_offers_to_convert_qualified_leads(as_rep, rep):
    lead = LeadFactory(owner=rep, qualified=True)

    response = home(as_rep)

    assert shown_leads(response) == {Phase.QUALIFIED: [lead]}
    assert reverse("leads:lead_convert", args=[lead.pk]) in response.content.decode()


@pytest.mark.parametrize(("until", "is_shown"), [(-1, True), (0, True), (1, False)])
def test_home_shows_nurtured_leads_once_their_rest_is_over(as_rep, rep, until, is_shown):
    LeadFactory(owner=rep, nurturing=True, nurture_until=day(until))

    assert (Phase.NURTURING in shown_leads(home(as_rep))) is is_shown


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"close_date": day(-1), "next_step": "Call"}, "Overdue for 1 day"),
        ({"close_date": day(0), "next_step": "Call"}, "Closes today"),
        ({"close_date": day(14), "next_step": "Call"}, "Closes in 14 days"),
        ({"close_date": day(15), "next_step": ""}, "No next step"),
    ],
)
def test_home_says_why_a_deal_needs_a_look(as_rep, rep, values, reason):
    deal = OpportunityFactory(owner=rep, **values)

    found = home(as_rep).context["deals"].urgent

    assert [(shown, text) for shown, text, _tone in found] == [(deal, reason)]


def test_home_leaves_out_deals_that_need_nothing(as_rep, rep, stranger):
    OpportunityFactory(owner=rep, close_date=day(40), next_step="Call")
    OpportunityFactory(owner=rep, close_date=day(-5), won=True)
    OpportunityFactory(owner=stranger, close_date=day(-5))

    assert home(as_rep).context["deals"].urgent == []


def test_home_adds_up_amounts_in_each_currency_by_itself(as_rep, rep):
    for currency in ("USD", "USD", "EUR", "GBP", "JPY"):
        OpportunityFactory(owner=rep, amount=1000, currency=currency, close_date=day(40))
    OpportunityFactory(owner=rep, forecast_category=ForecastCategory.OMITTED, close_date=day(40))

    figure = next(home(as_rep).context["deals"].figures())

    assert figure["value"] == 5
    assert figure["note"] == "$2,000, EUR\xa01,000, 2 more currencies"


def test_home_counts_all_open_deals_however_many_there_are(as_rep, rep):
    account = AccountFactory()
    for count, days in ((READ_DEALS, -1), (3, 9), (2, 40)):
        OpportunityFactory.create_batch(
            count, owner=rep, account=account, amount=10, close_date=day(days)
        )

    open_deals, soon, overdue = home(as_rep).context["deals"].figures()

    assert (open_deals["value"], open_deals["note"]) == (READ_DEALS + 5, "$450")
    assert (soon["value"], soon["note"]) == (3, "$30")
    assert (overdue["value"], overdue["note"]) == (READ_DEALS, "$400")


def test_home_of_the_team_shows_what_its_members_have(client, rep, manager, stranger):
    client.force_login(manager)
    lead = LeadFactory(owner=rep)
    LeadFactory(owner=stranger)

    assert shown_leads(home(client)) == {}
    assert shown_leads(home(client, whose="team")) == {Phase.OPEN: [lead]}


def test_home_shows_what_i_changed_last_without_undos_and_what_is_gone(as_rep, rep, stranger):
    def change(record, by):
        with operation(Kind.EDIT, by=by, label=Label("Edited")) as op:
            record.description = f"{by} was here"
            record.save()
        return op.row

    first, second, undone = (AccountFactory(name=name, owner=rep) for name in "ABC")
    lead = LeadFactory(owner=rep, first_name="", last_name="", company="Baltic Cold Storage")
    change(first, rep)
    change(lead, rep)
    change(second, stranger)
    undo(change(undone, rep), by=rep)

    changes = home(as_rep).context["changes"]

    assert [change["name"] for change in changes] == ["C", "Baltic Cold Storage", "A"]
    assert changes[1]["url"] == lead.get_absolute_url()


def test_home_shows_what_i_looked_at_last(as_rep, rep, stranger):
    first, hidden = AccountFactory(name="First", owner=rep), LeadFactory(owner=rep)
    named, archived = LeadFactory(last_name="Ruiz", owner=rep), AccountFactory(owner=rep)
    for record in (first, hidden, named, archived, first):
        as_rep.post(reverse("core:seen", args=[record._meta.label_lower, record.pk]))
    Lead.objects.filter(pk=hidden.pk).update(owner=stranger)
    archived.archived_at = timezone.now()
    archived.save()

    seen = home(as_rep).context["seen"]

    assert [record["name"] for record in seen] == ["First", "Lea Ruiz"]
    assert seen[1]["url"] == named.get_absolute_url()


def test_home_leaves_out_records_that_are_hidden_now(as_rep, rep, stranger):
    lead = LeadFactory(owner=rep)
    qualify(lead, by=rep)
    lead.refresh_from_db()
    lead.owner = stranger
    lead.save()

    assert home(as_rep).context["changes"] == []


@pytest.mark.parametrize("role", list(Role))
def test_home_opens_for_every_role(client, role):
    client.force_login(UserFactory(role=role))

    response = home(client)

    assert response.status_code == 200
    assert (response.context["leads"] is None) is (role == Role.SUPPORT)
    assert "Nothing waits for you" in response.content.decode()


@pytest.mark.parametrize("count", [1, 9])
def test_home_costs_12_queries_at_most(as_rep, rep, count, django_assert_max_num_queries):
    for _number in range(count):
        qualify(LeadFactory(owner=rep), by=rep)
        LeadFactory(owner=rep)
        OpportunityFactory(owner=rep, currency="EUR", close_date=day(3))

    with django_assert_max_num_queries(12):
        response = home(as_rep)

    assert len(response.context["changes"]) == min(2 * count, 8)


def test_home_says_how_many_more_leads_there_are(as_rep, rep):
    LeadFactory.create_batch(9, owner=rep, status=LeadStatus.default())

    (panel,) = home(as_rep).context["leads"].panels()

    assert (len(panel["rows"]), panel["count"]) == (6, 9)


def test_home_names_deals_that_stay_too_long_in_their_stage(as_rep, rep):
    deal = OpportunityFactory(owner=rep, close_date=day(90), next_step="Call")
    days = deal.stage.stale_after_days + 1
    Opportunity.objects.filter(pk=deal.pk).update(
        stage_entered_at=deal.stage_entered_at - datetime.timedelta(days=days)
    )

    ((shown, reason, tone),) = home(as_rep).context["deals"].urgent

    assert (shown, tone) == (deal, "warn")
    assert reason == f"In {deal.stage} for {days} days"
