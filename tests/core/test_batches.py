"""The same verb for many records at once: chosen in a list, tried out, done, told, undone."""

import pytest
from django.contrib.messages import get_messages
from django.http import QueryDict
from django.urls import reverse

from accounts.models import Account
from core import batches
from core.batches import DONE, FAILED, SKIPPED, machinery
from core.errors import Repeated
from core.journal import Change, Operation
from core.models import Batch
from core.services import archive
from core.undo import preview_undo, undo
from leads.models import Lead, LeadStatus, Phase
from leads.services import qualify
from opportunities.models import Opportunity, OpportunityStageHistory
from tests.digest import digest
from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


@pytest.fixture
def colleague(team):
    return UserFactory(name="Cleo Colleague", team=team)


def choose(client, records=(), *, verb="assign", label="leads.lead", **values):
    """Send the bar of a list; gives the response."""
    picked = {"pick": [record.pk for record in records]}
    return client.post(reverse("core:choose", args=[label]), picked | {"verb": verb} | values)


def batch_of(client, records, **values):
    """Where the verb is done to the chosen records."""
    response = choose(client, records, **values)
    assert response.status_code == 303
    return response["Location"]


def outcomes(batch):
    batch.refresh_from_db()
    return {pk: state for pk, state, _reason in batch.outcomes}


def newest():
    return Batch.objects.order_by("pk").last()


# -- choosing ---------------------------------------------------------------------------------


def test_ticked_rows_of_a_list_become_a_batch(as_rep, rep):
    leads = LeadFactory.create_batch(3, owner=rep)

    page = as_rep.get(reverse("leads:lead_list")).content.decode()
    url = batch_of(as_rep, leads[:2])

    assert f'name="pick" value="{leads[0].pk}" form="bulk"' in page
    assert f'aria-label="{leads[0]}"' in page
    assert url == reverse("core:batch_verb", args=[newest().pk])
    assert newest().keys == [lead.pk for lead in leads[:2]]


def test_all_that_the_list_finds_become_a_batch(as_rep, rep, stranger):
    found = LeadFactory.create_batch(3, owner=rep, company="Kessler")
    LeadFactory(owner=rep, company="Other")
    LeadFactory(owner=stranger, company="Kessler")

    batch_of(as_rep, all="1", query="view=all&q=kessler", records=[])

    assert sorted(newest().keys) == sorted(lead.pk for lead in found)


def test_nothing_ticked_is_said_on_the_list(as_rep, rep):
    response = choose(as_rep, query="view=all")

    assert response["Location"] == "/leads/?view=all"
    assert [str(m) for m in get_messages(response.wsgi_request)] == ["Tick the records first."]
    assert not Batch.objects.exists()


@pytest.mark.parametrize("extra", ["x", "0", "9" * 30, "²"])
def test_a_key_that_names_nothing_refuses_the_whole_request(as_rep, rep, extra):
    lead = LeadFactory(owner=rep)

    response = choose(as_rep, pick=[lead.pk, extra])

    assert response.status_code == 404
    assert not Batch.objects.exists()


@pytest.mark.parametrize("query", ["q=%00", "%00=1", "view=a%00b"])
def test_an_address_that_no_list_has_is_refused(as_rep, rep, query):
    LeadFactory(owner=rep)

    assert choose(as_rep, all="1", query=query).status_code == 400
    assert not Batch.objects.exists()


def test_a_record_out_of_reach_refuses_the_whole_request(as_rep, rep, stranger):
    mine, hidden = LeadFactory(owner=rep), LeadFactory(owner=stranger)

    assert choose(as_rep, [mine, hidden]).status_code == 404
    assert not Batch.objects.exists()


def test_more_than_a_batch_may_have_are_refused(as_rep, rep, monkeypatch):
    monkeypatch.setattr(machinery, "LARGEST", 2)
    LeadFactory.create_batch(3, owner=rep)

    response = choose(as_rep, all="1", query="view=all")

    assert "At most 2 records" in str([*get_messages(response.wsgi_request)][0])
    assert not Batch.objects.exists()


def test_a_batch_is_its_users_own(client, as_rep, rep, manager):
    url = batch_of(as_rep, [LeadFactory(owner=rep)])

    client.force_login(manager)

    assert client.get(url).status_code == 404
    assert client.post(url, {"owner": manager.pk}).status_code == 404
    assert client.get(reverse("core:batch", args=[newest().pk])).status_code == 404


@pytest.mark.parametrize("verb", ["edit", "status", "nothing", ""])
def test_editing_many_needs_the_grant(as_rep, rep, verb):
    assert choose(as_rep, [LeadFactory(owner=rep)], verb=verb).status_code == 403


def test_the_bar_offers_what_the_user_may_do(client, as_rep, rep, manager):
    LeadFactory(owner=rep)
    as_rep_found = [verb.name for verb in as_rep.get("/leads/?view=all").context["verbs"]]
    client.force_login(manager)

    assert as_rep_found == ["assign", "archive"]
    found = [verb.name for verb in client.get("/leads/?view=all").context["verbs"]]
    assert found == ["assign", "edit", "archive", "status"]


# -- doing ------------------------------------------------------------------------------------


def test_assigning_many_is_one_operation_with_an_undo(as_rep, rep, colleague):
    leads = LeadFactory.create_batch(3, owner=rep)
    url = batch_of(as_rep, leads)
    before = Operation.objects.count()

    response = as_rep.post(url, {"owner": colleague.pk}, follow=True)

    batch = newest()
    assert response.redirect_chain[-1][0] == reverse("core:batch", args=[batch.pk])
    assert Operation.objects.count() == before + 1
    assert Lead.objects.filter(owner=colleague).count() == 3
    assert set(outcomes(batch).values()) == {DONE}
    assert "3 changed." in response.content.decode()

    undo(batch.operation, by=rep)

    assert Lead.objects.filter(owner=rep).count() == 3


def test_each_row_says_what_became_of_it(as_manager, rep, colleague):
    mine, other = LeadFactory(owner=rep), LeadFactory(owner=colleague)
    url = batch_of(as_manager, [mine, other])

    response = as_manager.post(url, {"owner": colleague.pk}, follow=True)

    assert outcomes(newest()) == {mine.pk: DONE, other.pk: SKIPPED}
    assert "Belongs to Cleo Colleague already." in response.content.decode()


def test_what_would_happen_is_shown_and_nothing_is_written(as_rep, rep, colleague):
    leads = LeadFactory.create_batch(2, owner=rep)
    url = batch_of(as_rep, leads)
    before = digest()

    response = as_rep.post(url, {"owner": colleague.pk, "preview": "1"})

    assert response.status_code == 200
    trials = response.context["trials"]
    assert [(t.record.pk, t.before, t.after) for t in trials] == [
        (lead.pk, trials[0].before, trials[0].after) for lead in leads
    ]
    assert "Rae Rep" in str(trials[0].before)
    assert "Cleo Colleague" in str(trials[0].after)
    assert "2 would be changed." in response.content.decode()
    assert digest() == before


def test_a_right_that_is_missing_on_one_refuses_all(as_manager, manager, rep, stranger):
    account = AccountFactory(owner=stranger)  # seen by all, assigned within the team
    mine = AccountFactory(owner=rep)
    url = batch_of(as_manager, [mine, account], label="accounts.account")
    before = digest()

    page = as_manager.get(url).content.decode()
    refused = as_manager.post(url, {"owner": manager.pk})

    assert "1 of them is out of your reach" in page
    assert refused.status_code == 403
    assert digest() == before

    response = as_manager.post(url, {"leave_out": "1"})

    assert newest().keys == [mine.pk]
    assert as_manager.post(response["Location"], {"owner": manager.pk}).status_code == 303
    assert Account.objects.get(pk=mine.pk).owner == manager


def test_a_batch_is_done_once(as_rep, rep, colleague):
    url = batch_of(as_rep, [LeadFactory(owner=rep)])
    as_rep.post(url, {"owner": colleague.pk})
    before = Operation.objects.count()

    again = as_rep.post(url, {"owner": rep.pk})

    assert again["Location"] == reverse("core:batch", args=[newest().pk])
    assert Operation.objects.count() == before


def test_a_batch_that_another_browser_began_is_not_begun_again(rep, colleague):
    lead = LeadFactory(owner=rep)
    verb = batches.verb_named("assign", Lead, rep)
    batch = batches.choose(verb, [lead.pk])
    form = verb.get_form([lead], QueryDict(f"owner={colleague.pk}"))
    assert form.is_valid()
    batches.start(batch, verb, form)

    with pytest.raises(Repeated):
        batches.start(batch, verb, form)


def test_large_batches_are_runs_that_can_be_gone_on_with(as_rep, rep, colleague, monkeypatch):
    monkeypatch.setattr(machinery, "CHUNK", 2)
    monkeypatch.setattr(machinery, "SECONDS", 0)
    monkeypatch.setitem(batches.go_on.__kwdefaults__, "seconds", -1)
    leads = LeadFactory.create_batch(5, owner=rep)
    url = batch_of(as_rep, leads)

    response = as_rep.post(url, {"owner": colleague.pk}, follow=True)
    here = response.redirect_chain[-1][0]

    assert "2 of 5 are done." in response.content.decode()
    assert Lead.objects.filter(owner=colleague).count() == 2
    while newest().done_at is None:
        as_rep.post(here)
    assert Lead.objects.filter(owner=colleague).count() == 5
    run = newest().operation
    assert run.chunks.count() == 3

    assert all(plan.is_possible for plan in preview_undo(run, by=rep))
    undo(run, by=rep)

    assert Lead.objects.filter(owner=rep).count() == 5


def test_a_run_goes_on_though_its_first_records_are_gone_by_then(as_manager, rep, monkeypatch):
    monkeypatch.setattr(machinery, "CHUNK", 2)
    monkeypatch.setitem(batches.go_on.__kwdefaults__, "seconds", -1)
    leads = LeadFactory.create_batch(4, owner=rep, industry="Banking")
    url = batch_of(as_manager, leads, verb="edit")
    as_manager.post(url, {"field": "industry", "industry": "Energy"})
    for lead in leads[:2]:
        archive(lead, by=rep)

    as_manager.post(reverse("core:batch", args=[newest().pk]))

    assert set(outcomes(newest()).values()) == {DONE}
    assert newest().done_at is not None


def test_all_or_nothing_does_nothing_if_one_fails(as_manager, rep):
    good = LeadFactory(owner=rep)
    bad = LeadFactory(owner=rep, email="", phone="", mobile="")
    url = batch_of(as_manager, [good, bad], verb="status")
    choice = {"status": LeadStatus.first(Phase.QUALIFIED).pk, "all_or_nothing": "1"}
    before = digest()

    response = as_manager.post(url, choice)

    assert response.status_code == 422
    assert "1 of 2 can&#x27;t be done, so nothing was done" in response.content.decode()
    assert digest() == before


# -- verbs ------------------------------------------------------------------------------------


def test_setting_the_status_of_many_follows_the_rules_of_each(as_manager, rep):
    new = LeadFactory(owner=rep, email="new@example.com")
    done = LeadFactory(owner=rep, email="done@example.com")
    unreachable = LeadFactory(owner=rep, email="", phone="", mobile="")
    qualify(done, by=rep)
    url = batch_of(as_manager, [new, done, unreachable], verb="status")

    as_manager.post(url, {"status": LeadStatus.first(Phase.QUALIFIED).pk})

    assert outcomes(newest()) == {new.pk: DONE, done.pk: SKIPPED, unreachable.pk: FAILED}
    assert Lead.objects.get(pk=new.pk).phase == Phase.QUALIFIED


def test_one_field_of_many_is_edited_with_preview(as_manager, rep):
    one = LeadFactory(owner=rep, industry="Banking")
    two = LeadFactory(owner=rep, industry="Energy")
    url = batch_of(as_manager, [one, two], verb="edit")

    page = as_manager.get(url).content.decode()
    form = as_manager.get(url, {"field": "industry"}).content.decode()
    values = {"field": "industry", "industry": "Energy"}
    shown = as_manager.post(url, values | {"preview": "1"})
    as_manager.post(url, values)

    assert '?field=industry"' in page
    assert 'name="industry"' in form
    assert 'name="company"' not in form
    assert [(t.before, t.after) for t in shown.context["trials"]] == [
        ("Banking", "Energy"), ("Energy", ""),
    ]  # fmt: skip
    assert outcomes(newest()) == {one.pk: DONE, two.pk: SKIPPED}
    (change,) = Change.objects.filter(operation=newest().operation)
    assert (change.object_id, change.after_values) == (one.pk, {"industry": "Energy"})


def test_a_value_that_can_not_be_is_refused_at_the_field(as_manager, rep):
    lead = LeadFactory(owner=rep, employees=5)
    url = batch_of(as_manager, [lead], verb="edit")
    before = digest()

    response = as_manager.post(url, {"field": "employees", "employees": "many"})

    assert response.status_code == 422
    assert response.context["form"].errors["employees"]
    assert digest() == before


@pytest.mark.parametrize("field", ["", "owner", "version", "created_at", "no_such"])
def test_a_field_that_no_form_has_can_not_be_edited(as_manager, rep, field):
    lead = LeadFactory(owner=rep)
    url = batch_of(as_manager, [lead], verb="edit")
    before = digest()

    response = as_manager.post(url, {"field": field, field or "x": "1"})

    assert response.status_code == 422
    assert digest() == before


def test_an_edited_deal_keeps_its_history(as_manager, rep):
    deal = OpportunityFactory(owner=rep, close_date="2030-01-15")
    rows = OpportunityStageHistory.objects.filter(opportunity=deal)
    before = rows.count()
    url = batch_of(as_manager, [deal], verb="edit", label="opportunities.opportunity")

    as_manager.post(url, {"field": "close_date", "close_date": "2030-03-15"})

    assert outcomes(newest()) == {deal.pk: DONE}
    assert rows.count() == before + 1
    assert Opportunity.objects.get(pk=deal.pk).push_count == 1


def test_archived_records_can_be_restored_one_by_one(as_rep, rep):
    leads = LeadFactory.create_batch(2, owner=rep)
    as_rep.post(batch_of(as_rep, leads, verb="archive"))
    assert Lead.objects.archived().count() == 2

    as_rep.post(reverse("core:restore", args=["leads.lead", leads[0].pk]))

    assert [lead.pk for lead in Lead.objects.archived()] == [leads[1].pk]


def test_an_account_with_something_below_is_not_archived_in_a_batch(as_rep, rep):
    top = AccountFactory(owner=rep)
    below = AccountFactory(owner=rep, parent=top)
    url = batch_of(as_rep, [top], verb="archive", label="accounts.account")

    response = as_rep.post(url, follow=True)

    assert set(outcomes(newest()).values()) <= {FAILED, SKIPPED}
    assert "Say what becomes of them." in response.content.decode()
    assert Account.objects.live().filter(pk__in=[top.pk, below.pk]).count() == 2


@pytest.mark.parametrize("count", [1, 50])
def test_the_pages_of_a_batch_ask_the_same_for_one_and_for_fifty(
    as_rep, rep, colleague, count, django_assert_max_num_queries
):
    leads = LeadFactory.create_batch(count, owner=rep)
    url = batch_of(as_rep, leads)

    with django_assert_max_num_queries(11):
        as_rep.get(url)
    as_rep.post(url, {"owner": colleague.pk})
    with django_assert_max_num_queries(11):
        as_rep.get(reverse("core:batch", args=[newest().pk]))


# -- records that are gone by then --------------------------------------------------------------


def test_the_page_of_a_verb_names_others_when_its_first_records_are_gone(as_rep, rep, stranger):
    leads = LeadFactory.create_batch(12, owner=rep)
    url = batch_of(as_rep, leads)
    Lead.objects.filter(pk__in=[lead.pk for lead in leads[:10]]).update(owner=stranger)

    response = as_rep.get(url)

    assert response.status_code == 200
    assert response.context["first"] == leads[10:]


def test_a_verb_for_records_that_are_all_gone_says_so(as_rep, rep, stranger):
    leads = LeadFactory.create_batch(2, owner=rep)
    url = batch_of(as_rep, leads)
    Lead.objects.update(owner=stranger)

    for response in (as_rep.get(url), as_rep.post(url, {"owner": rep.pk})):
        assert (response.status_code, response["Location"]) == (303, reverse("leads:lead_list"))
        text = "None of the chosen records is there any more."
        assert text in [str(m) for m in get_messages(response.wsgi_request)]
