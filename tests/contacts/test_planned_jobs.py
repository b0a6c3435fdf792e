"""Changes of job on a day to come: planning, cancelling, the night in which they are done."""

import datetime

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from contacts.models import Contact, PlannedJobChange
from contacts.services import (
    FURTHEST,
    AlreadyPlanned,
    AlreadyRelated,
    BadDate,
    JobChange,
    NeedsNextDirect,
    PlanSettled,
    cancel_job_change,
    carry_out,
    carry_out_due,
    change_job,
    plan_job_change,
    set_direct_account,
)
from core.errors import NotAllowed
from core.journal import Kind, Operation
from core.models import Organisation
from core.services import archive
from core.undo import CannotUndo, undo
from opportunities.services import close_lost
from tests.digest import digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, PlannedJobChangeFactory, RelationFactory
from tests.factories.opportunities import RoleFactory
from tests.pages import send, sent
from tests.threads import at_once

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)
PLANNED, DONE, CANCELLED = PlannedJobChange.Status


def today():
    return Organisation.current().today()


def fresh(record):
    return type(record).objects.get(pk=record.pk)


def last_operation():
    return Operation.objects.order_by("-pk").first()


@pytest.fixture
def acme(rep):
    return AccountFactory(name="Acme", owner=rep)


@pytest.fixture
def beta(rep):
    return AccountFactory(name="Beta", owner=rep)


@pytest.fixture
def ana(rep, acme):
    return ContactFactory(
        first_name="Ana", last_name="Ruiz", owner=rep, account=acme, email="ana@acme.example"
    )


@pytest.fixture
def plan(rep, ana, beta):
    """Ana goes to Beta tomorrow, as Rae planned it."""
    change = JobChange(date=today() + DAY, title="CTO", email="ana@acme.example")
    return plan_job_change(ana, account=beta, by=rep, change=change)


@pytest.fixture
def its_day():
    """Lets the day of a plan come: ``its_day(plan)``."""

    def come(plan):
        PlannedJobChange.objects.filter(pk=plan.pk).update(date=today())
        return fresh(plan)

    return come


@pytest.fixture
def as_rep(client, rep):
    client.force_login(rep)
    return client


@pytest.fixture
def nothing_written():
    """Checks at the end that the whole database is as it was when the test called it."""
    before = []
    yield lambda: before.append(digest(journal=True, stamps=True))
    assert before
    assert digest(journal=True, stamps=True) == before[-1]


# -- planning ---------------------------------------------------------------------------------


def test_plan_changes_nothing_else_until_its_day(rep, ana, acme, beta, plan):
    assert carry_out_due() == (0, 0)

    assert (fresh(ana).account, fresh(ana).title) == (acme, "")
    assert not beta.relations.exists()
    operation = Operation.objects.get(changes__model="contacts.plannedjobchange")
    assert (operation.kind, operation.actor, operation.changes.count()) == (Kind.JOB_CHANGE, rep, 1)


def test_plan_keeps_only_what_would_be_another_value(plan):
    assert plan.entered == {"title": "CTO"}


@pytest.mark.parametrize("days", [0, -1, FURTHEST.days + 1])
def test_plan_refuses_a_day_that_does_not_lie_ahead(rep, ana, beta, days, nothing_written):
    change = JobChange(date=today() + days * DAY)
    nothing_written()

    with pytest.raises(BadDate):
        plan_job_change(ana, account=beta, by=rep, change=change)


def test_plan_refuses_a_day_before_the_present_job_began(rep, ana, acme, beta):
    acme.relations.update(start_date=today() + 9 * DAY)

    with pytest.raises(BadDate):
        plan_job_change(ana, account=beta, by=rep, change=JobChange(date=today() + DAY))


def test_a_second_plan_is_refused_until_the_first_is_cancelled(rep, ana, plan):
    other, change = AccountFactory(owner=rep), JobChange(date=today() + 2 * DAY)

    with pytest.raises(AlreadyPlanned):
        plan_job_change(ana, account=other, by=rep, change=change)
    cancel_job_change(plan, by=rep)
    plan_job_change(ana, account=other, by=rep, change=change)

    assert ana.planned_job_changes.open().get().new_account == other


def test_plan_asks_for_the_rights_of_a_change_of_today(rep, stranger, ana, beta, nothing_written):
    foreign, change = AccountFactory(owner=stranger), JobChange(date=today() + DAY)
    nothing_written()

    with pytest.raises(NotAllowed):
        plan_job_change(ana, account=beta, by=stranger, change=change)
    with pytest.raises(NotAllowed):
        plan_job_change(ana, account=foreign, by=rep, change=change)


def test_plan_refuses_the_present_account_and_asks_for_the_next_one(rep, ana, acme, beta):
    change, other = JobChange(date=today() + DAY), RelationFactory(contact=ana, account=beta)

    with pytest.raises(AlreadyRelated):
        plan_job_change(ana, account=acme, by=rep, change=change)
    with pytest.raises(NeedsNextDirect):
        plan_job_change(ana, account=None, by=rep, change=change)
    change = JobChange(date=today() + DAY, next_direct=other)
    plan = plan_job_change(ana, account=None, by=rep, change=change)

    assert (plan.new_account, plan.entered) == (None, {"next_direct": other.pk})


def test_undone_plan_leaves_nothing(rep, ana, plan):
    undo(last_operation(), by=rep)

    assert not ana.planned_job_changes.exists()


# -- its day ----------------------------------------------------------------------------------


def test_sweep_carries_out_what_is_due_in_the_name_of_who_planned_it(
    rep, ana, acme, beta, plan, its_day, capsys
):
    its_day(plan)

    call_command("sweep")

    plan, operation = fresh(plan), last_operation()
    assert (fresh(ana).account, fresh(ana).title) == (beta, "CTO")
    assert fresh(ana).email == "ana@acme.example"
    assert acme.relations.get().end_date == beta.relations.get().start_date == today()
    assert (plan.status, plan.refusal) == (DONE, "")
    assert plan.carried_out_at is not None
    assert (operation.kind, operation.actor) == (Kind.JOB_CHANGE, rep)
    assert "Carried out 1 planned changes of job; 0 could not" in capsys.readouterr().out


def test_what_changed_before_the_day_stays(rep, ana, plan, its_day):
    Contact.objects.filter(pk=ana.pk).update(email="ruiz@acme.example")

    carry_out(its_day(plan))

    assert fresh(ana).email == "ruiz@acme.example"


def test_each_plan_is_an_operation_of_its_own_and_one_does_not_stop_another(rep, ana, plan):
    others = [
        PlannedJobChangeFactory(
            contact=ContactFactory(owner=rep, account=AccountFactory(owner=rep)),
            new_account=AccountFactory(owner=rep),
            planned_by=rep,
        )
        for _n in range(3)
    ]
    archive(others[1].contact, by=rep)
    before = last_operation().pk

    assert carry_out_due() == (2, 1)

    assert [fresh(other).status for other in others] == [DONE, PLANNED, DONE]
    done = Operation.objects.filter(pk__gt=before, kind=Kind.JOB_CHANGE)
    assert done.count() == 2
    assert "recycle bin" in fresh(others[1]).refusal
    assert fresh(plan).status == PLANNED


def test_what_is_no_longer_allowed_stays_and_says_why(
    rep, stranger, ana, acme, beta, plan, its_day
):
    its_day(plan)
    beta.owner = stranger
    beta.save()

    assert carry_out_due() == (0, 1)

    assert (fresh(ana).account, fresh(plan).status) == (acme, PLANNED)
    assert fresh(plan).refusal == "Rae Rep, who planned it, may not do it any more."


def test_a_planner_who_can_no_longer_log_in_does_nothing(rep, ana, acme, plan, its_day):
    its_day(plan)
    rep.is_active = False
    rep.save()

    assert carry_out_due() == (0, 1)

    assert (fresh(ana).account, fresh(plan).status) == (acme, PLANNED)
    assert "may not do it" in fresh(plan).refusal


def test_who_works_elsewhere_by_then_stays_there(rep, ana, plan, its_day):
    elsewhere = AccountFactory(owner=rep)
    set_direct_account(ana, elsewhere, by=rep)
    its_day(plan)

    assert carry_out_due() == (0, 1)

    assert fresh(ana).account == elsewhere
    assert "another main account" in fresh(plan).refusal


def test_a_plan_that_could_not_be_done_is_tried_again_and_says_the_same_once(
    rep, stranger, ana, beta, plan, its_day
):
    its_day(plan)
    beta.owner = stranger
    beta.save()
    carry_out_due()
    before = digest(journal=True, stamps=True)
    assert carry_out_due() == (0, 1)
    assert digest(journal=True, stamps=True) == before
    beta.owner = rep
    beta.save()

    assert carry_out_due() == (1, 0)

    assert (fresh(plan).status, fresh(plan).refusal) == (DONE, "")


def test_roles_are_settled_on_the_day_as_they_stand_then(rep, ana, acme, beta, its_day):
    successor = ContactFactory(account=acme, owner=rep)
    deal = {"opportunity__account": acme, "opportunity__owner": rep}
    handed, left, closed = (RoleFactory(contact=ana, **deal) for _n in range(3))
    answers = {str(handed.pk): str(successor.pk), str(left.pk): "left", str(closed.pk): "left"}
    plan = plan_job_change(
        ana,
        account=beta,
        by=rep,
        change=JobChange(date=today() + DAY),
        answers={"opportunities": answers},
    )
    since = RoleFactory(contact=ana, **deal)
    close_lost(closed.opportunity, by=rep, reason="Price")

    carry_out(its_day(plan))

    assert handed.opportunity.roles.get().contact == successor
    assert fresh(left).notes.startswith("Left on")
    assert (fresh(closed).notes, fresh(since).notes) == ("", "")


def test_an_answer_that_is_no_longer_possible_stops_the_plan(rep, ana, acme, beta, its_day):
    successor = ContactFactory(account=acme, owner=rep)
    role = RoleFactory(contact=ana, opportunity__account=acme, opportunity__owner=rep)
    plan = plan_job_change(
        ana,
        account=beta,
        by=rep,
        change=JobChange(date=today() + DAY),
        answers={"opportunities": {str(role.pk): str(successor.pk)}},
    )
    archive(successor, by=rep)
    its_day(plan)

    assert carry_out_due() == (0, 1)

    assert fresh(plan).refusal.startswith(str(role.opportunity))
    assert fresh(ana).account == acme


# -- cancelling, and changes of today ---------------------------------------------------------


def test_a_cancelled_plan_is_not_carried_out_and_undo_opens_it_again(rep, ana, acme, plan, its_day):
    its_day(plan)

    cancel_job_change(plan, by=rep)
    assert carry_out_due() == (0, 0)
    undo(last_operation(), by=rep)

    assert (fresh(ana).account, fresh(plan).status) == (acme, PLANNED)


def test_a_settled_plan_is_neither_cancelled_nor_carried_out(rep, plan, its_day):
    cancel_job_change(plan, by=rep)

    for verb in (lambda: cancel_job_change(plan, by=rep), lambda: carry_out(its_day(plan))):
        with pytest.raises(PlanSettled):
            verb()


def test_cancel_needs_edit_rights_on_the_person(stranger, plan, nothing_written):
    nothing_written()

    with pytest.raises(NotAllowed):
        cancel_job_change(plan, by=stranger)


def test_a_change_of_today_cancels_the_plan_and_its_undo_opens_it_again(rep, ana, plan):
    change_job(ana, account=AccountFactory(owner=rep), by=rep)
    assert fresh(plan).status == CANCELLED

    undo(last_operation(), by=rep)

    assert fresh(plan).status == PLANNED


# -- undo -------------------------------------------------------------------------------------


def test_what_was_carried_out_and_taken_back_is_not_done_again_by_night(
    rep, ana, acme, beta, plan, its_day
):
    before = digest()
    carry_out(its_day(plan))

    undo(last_operation(), by=rep)
    assert carry_out_due() == (0, 0)
    assert (fresh(ana).account, fresh(plan).status) == (acme, PLANNED)
    changed = ("contacts.plannedjobchange",)  # its day, and when it was done
    assert [t for t, rows in digest().items() if t not in changed and rows != before[t]] == []
    undo(last_operation(), by=rep)

    assert (fresh(ana).account, fresh(plan).status) == (beta, DONE)


def test_a_plan_that_was_carried_out_is_not_taken_back_alone(rep, ana, plan, its_day):
    planned = last_operation()
    carry_out(its_day(plan))

    with pytest.raises(CannotUndo):
        undo(planned, by=rep)


# -- pages ------------------------------------------------------------------------------------


def job_page(contact):
    return reverse("contacts:contact_job_change", args=[contact.pk])


def cancel_page(plan):
    return reverse("contacts:plannedjobchange_cancel", args=[plan.contact_id, plan.pk])


def html_of(response):
    return response.content.decode()


def test_a_day_to_come_is_planned_by_the_form(as_rep, ana, acme, beta):
    role = RoleFactory(contact=ana, opportunity__account=acme, opportunity__owner=ana.owner)
    day = today() + 30 * DAY

    response = send(
        as_rep,
        job_page(ana),
        account=str(beta.pk),
        date=day.isoformat(),
        title="CTO",
        **{f"opportunities-{role.pk}": "left"},
    )

    plan = PlannedJobChange.objects.get()
    assert (response.status_code, response.url) == (303, ana.get_absolute_url())
    assert (plan.date, plan.old_account, plan.new_account) == (day, acme, beta)
    assert (plan.entered, plan.answers) == (
        {"title": "CTO"},
        {"opportunities": {str(role.pk): "left"}},
    )
    assert fresh(ana).account == acme
    page = html_of(as_rep.get(response.url))
    assert "Planned the change of job of Ana Ruiz for" in page
    assert "Undo" in page


@pytest.mark.parametrize(
    ("days", "said"), [(0, "Acme ends on"), (30, "Planned for")], ids=["today", "to come"]
)
def test_preview_says_what_would_change_and_writes_nothing(
    as_rep, ana, beta, days, said, nothing_written
):
    day = (today() + days * DAY).isoformat()
    data = sent(as_rep.get(job_page(ana)), account=str(beta.pk), date=day, title="CTO")
    nothing_written()

    response = as_rep.post(job_page(ana), {**data, "preview": "1"})

    html = html_of(response)
    preview = html[html.index('id="preview"') :]
    assert response.status_code == 200
    assert said in preview
    assert "Beta becomes the main account" in preview
    assert ("Planned for" in preview) == bool(days)
    assert 'value="CTO"' in html


def test_preview_says_what_would_be_refused(as_rep, ana, plan, beta):
    day = (today() + 9 * DAY).isoformat()
    data = sent(as_rep.get(job_page(ana)), account=str(beta.pk), date=day)

    response = as_rep.post(job_page(ana), {**data, "preview": "1"})

    assert response.status_code == 409
    assert "planned for Ana Ruiz already" in html_of(response)


def test_the_person_and_both_accounts_tell_of_the_plan(as_rep, ana, acme, beta, plan):
    for page in (ana, acme, beta):
        html = html_of(as_rep.get(page.get_absolute_url()))
        assert "Ana Ruiz moves from Acme to Beta on" in html
        assert cancel_page(plan) in html
    assert "Ana Ruiz moves" in html_of(as_rep.get(job_page(ana)))


@pytest.mark.parametrize(
    ("has_old", "has_new", "said"),
    [(False, True, "starts at Beta on"), (True, False, "leaves Acme on"),
     (False, False, "changes the job on")],
)  # fmt: skip
def test_the_sentence_fits_where_there_is_no_old_or_no_new_account(
    as_rep, rep, acme, beta, has_old, has_new, said
):
    contact = ContactFactory(owner=rep, account=acme if has_old else None)
    PlannedJobChangeFactory(contact=contact, new_account=beta if has_new else None)

    assert said in html_of(as_rep.get(contact.get_absolute_url()))


def test_pages_of_others_tell_of_the_plan_without_cancelling(client, stranger, ana, acme, plan):
    client.force_login(stranger)

    for page in (ana, acme):
        html = html_of(client.get(page.get_absolute_url()))
        assert "moves from Acme to Beta" in html
        assert cancel_page(plan) not in html
    assert client.get(cancel_page(plan)).status_code == 403


def test_pages_say_why_a_plan_was_not_done(as_rep, rep, stranger, ana, beta, plan, its_day):
    its_day(plan)
    beta.owner = stranger
    beta.save()
    carry_out_due()

    html = html_of(as_rep.get(ana.get_absolute_url()))

    assert "It could not be done: Rae Rep, who planned it, may not do it any more." in html


def test_pages_are_silent_about_settled_plans_and_archived_people(as_rep, rep, ana, acme, plan):
    archive(ana, by=rep)
    assert "moves from" not in html_of(as_rep.get(acme.get_absolute_url()))

    Contact.objects.filter(pk=ana.pk).update(archived_at=None)
    cancel_job_change(plan, by=rep)

    for page in (ana, acme):
        assert "moves from" not in html_of(as_rep.get(page.get_absolute_url()))


def test_cancel_is_a_page_of_its_own(as_rep, ana, plan):
    page = as_rep.get(cancel_page(plan))
    assert "Cancel the planned change of job of Ana Ruiz" in html_of(page)

    response = as_rep.post(cancel_page(plan), sent(page))

    assert (response.status_code, response.url) == (303, ana.get_absolute_url())
    assert fresh(plan).status == CANCELLED
    again = as_rep.post(cancel_page(plan), sent(page) | {"key": ""})
    assert again.status_code == 409


def test_a_plan_of_another_person_or_an_archived_one_is_not_found(as_rep, rep, ana, plan):
    other = reverse("contacts:plannedjobchange_cancel", args=[ContactFactory().pk, plan.pk])
    assert as_rep.post(other).status_code == 404

    Contact.objects.filter(pk=ana.pk).update(archived_at=timezone.now())

    assert as_rep.get(cancel_page(plan)).status_code == 404


@pytest.mark.parametrize("count", [1, 9])
def test_pages_cost_the_same_for_one_plan_and_for_nine(
    as_rep, rep, acme, beta, count, django_assert_num_queries
):
    for _n in range(count):
        contact = ContactFactory(owner=rep, account=acme)
        PlannedJobChangeFactory(contact=contact, new_account=beta)

    with django_assert_num_queries(16):
        html = html_of(as_rep.get(beta.get_absolute_url()))

    assert html.count("moves from Acme to Beta") == count


# -- at once: real threads, real commits ------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_nights_at_once_one_carries_the_plan_out(rep, ana, beta, plan, its_day):
    plan = its_day(plan)

    results = at_once(*[lambda: carry_out(fresh(plan))] * 2)

    assert sorted(type(result).__name__ for result in results) == [
        "PlanSettled",
        "PlannedJobChange",
    ]
    assert (fresh(ana).account, ana.relations.count()) == (beta, 2)


@pytest.mark.django_db(transaction=True)
def test_of_two_plans_at_once_one_is_made(rep, ana, beta):
    change = JobChange(date=today() + DAY)

    results = at_once(*[lambda: plan_job_change(ana, account=beta, by=rep, change=change)] * 2)

    assert sum(isinstance(result, AlreadyPlanned) for result in results) == 1
    assert ana.planned_job_changes.count() == 1
