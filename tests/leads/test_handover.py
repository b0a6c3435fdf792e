"""Handing a lead over: from sales development to a representative, who accepts or returns it."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from core.errors import NotAllowed
from core.journal import Operation
from core.models import Organisation
from core.reach import Verb, can
from core.services import assign
from core.undo import undo
from leads.assignment import assign_by_rules
from leads.conversion import ConversionChoices, convert_lead
from leads.models import Lead, QueueMember
from leads.services import (
    NoReceiver,
    NoteTooShort,
    NotHandedOver,
    accept_handover,
    disqualify,
    hand_over,
    return_handover,
)
from tests.factories.leads import LeadFactory, QueueFactory, RuleFactory
from tests.factories.users import TeamFactory, UserFactory
from tests.pages import send
from users.models import Role

pytestmark = pytest.mark.django_db

NOTE = "Needs a quote for 40 seats by March; budget is there."


@pytest.fixture
def sdr(db):
    """Sales development in a team of its own, which sees no leads of representatives."""
    return UserFactory(name="Sid Sdr", role=Role.SDR, team=TeamFactory(name="Development"))


@pytest.fixture
def lead(sdr):
    return LeadFactory(first_name="Ana", last_name="Ruiz", owner=sdr, lifecycle="SQL")


def pending(lead, to):
    return hand_over(lead, to=to, note=NOTE, by=lead.owner)


def late(lead):
    """The hand-over of the lead, one hour more ago than the organisation wants."""
    hours = Organisation.current().sdr_handover_hours + 1
    lead.handed_over_at = timezone.now() - datetime.timedelta(hours=hours)
    lead.save()
    return lead


def url(name, lead):
    return reverse(name, args=[lead.pk])


def last_of(user):
    return Operation.objects.filter(actor=user).order_by("-pk").first()


# offering


def test_the_owner_stays_until_the_answer(lead, sdr, rep):
    lead = pending(lead, rep)

    lead.refresh_from_db()
    assert (lead.owner, lead.handed_over_to, lead.handed_over_by) == (sdr, rep, sdr)
    assert (lead.handover_note, lead.is_handed_over) == (NOTE, True)


@pytest.mark.parametrize("lifecycle", ["RAW", "MQL"])
def test_what_sales_has_not_accepted_is_not_handed_over(sdr, rep, lifecycle):
    lead = LeadFactory(owner=sdr, lifecycle=lifecycle)

    with pytest.raises(NotHandedOver):
        pending(lead, rep)


def test_what_was_given_up_is_not_handed_over(lead, sdr, rep):
    disqualify(lead, by=sdr, reason="No interest")

    with pytest.raises(NotHandedOver):
        pending(lead, rep)


@pytest.mark.parametrize("note", ["", "Call them.", "                    short    "])
def test_a_short_note_is_refused(lead, sdr, rep, note):
    with pytest.raises(NoteTooShort):
        hand_over(lead, to=rep, note=note, by=sdr)


def test_only_active_present_representatives_other_than_the_owner_get_it(lead, sdr, manager):
    today = Organisation.current().today()
    for user in (
        sdr, manager, UserFactory(is_active=False), UserFactory(out_of_office_until=today)
    ):  # fmt: skip
        with pytest.raises(NoReceiver):
            pending(lead, user)


def test_the_next_of_a_queue_gets_it(lead, rep, stranger):
    queue = QueueFactory(members=[rep, stranger])
    pending(LeadFactory(owner=lead.owner, lifecycle="SAL"), queue)

    assert pending(lead, queue).handed_over_to == stranger
    assert list(QueueMember.objects.values_list("served", flat=True)) == [1, 1]


def test_a_queue_in_which_nobody_can_is_refused(lead):
    with pytest.raises(NoReceiver):
        pending(lead, QueueFactory(members=[UserFactory(is_active=False)]))


def test_who_may_not_assign_the_lead_may_not_hand_it_over(lead, rep, sdr):
    other = LeadFactory(owner=rep, lifecycle="SQL")

    with pytest.raises(Lead.DoesNotExist):
        hand_over(other, to=UserFactory(), note=NOTE, by=sdr)
    with pytest.raises(NotAllowed):
        hand_over(lead, to=rep, note=NOTE, by=UserFactory(role=Role.READ_ONLY))


def test_marketing_hands_over_to_queues_only(lead, rep):
    marketer = UserFactory(role=Role.MARKETING)

    with pytest.raises(NoReceiver):
        hand_over(lead, to=rep, note=NOTE, by=marketer)
    queue = QueueFactory(members=[rep])
    assert hand_over(lead, to=queue, note=NOTE, by=marketer).handed_over_to == rep


# reach


def test_until_the_answer_the_receiver_and_his_manager_see_the_lead_and_nobody_else(
    lead, rep, manager, stranger
):
    assert not Lead.objects.visible_to(rep).exists()

    lead = pending(lead, rep)

    for user in (rep, manager):
        assert Lead.objects.visible_to(user).get() == lead
        assert can(lead, user, Verb.VIEW)
        assert not can(lead, user, Verb.EDIT)
        assert not Lead.objects.visible_to(user, Verb.EDIT).exists()
    assert not Lead.objects.visible_to(stranger).exists()
    assert not can(lead, stranger, Verb.VIEW)

    return_handover(lead, reason="Not my country", by=rep)

    assert not Lead.objects.visible_to(rep).exists()


def test_a_converted_or_archived_lead_is_lent_to_nobody(lead, rep, sdr):
    lead = pending(lead, rep)
    convert_lead(lead, by=sdr, choices=ConversionChoices())

    assert not Lead.objects.visible_to(rep).exists()


# answering


def test_accepting_moves_the_lead(lead, sdr, rep):
    lead = accept_handover(pending(lead, rep), by=rep)

    lead.refresh_from_db()
    assert (lead.owner, lead.handed_over_to, lead.handed_over_by) == (rep, None, sdr)
    assert (lead.handover_note, lead.is_handed_over) == (NOTE, False)
    assert not Lead.objects.visible_to(sdr).exists()


def test_returning_leaves_the_lead_and_says_why(lead, sdr, rep):
    lead = return_handover(pending(lead, rep), reason="Not my country", by=rep)

    lead.refresh_from_db()
    assert (lead.owner, lead.handed_over_to) == (sdr, None)
    assert (lead.returned_by, lead.return_reason) == (rep, "Not my country")


def test_returning_needs_a_reason(lead, rep):
    lead = pending(lead, rep)

    with pytest.raises(NoteTooShort):
        return_handover(lead, reason=" ", by=rep)


def test_only_the_receiver_answers_and_only_once(lead, rep, manager, sdr):
    lead = pending(lead, rep)

    for user in (manager, sdr):
        with pytest.raises(NotHandedOver):
            accept_handover(lead, by=user)
    accept_handover(lead, by=rep)
    with pytest.raises(NotHandedOver):
        return_handover(lead, reason="Too late", by=rep)


def test_who_may_only_read_by_then_answers_nothing(client, lead, sdr, rep):
    pending(lead, rep)
    rep.role = Role.READ_ONLY
    rep.save()
    client.force_login(rep)

    for name, data in (("accept", {}), ("return", {"reason": "Not mine"})):
        response = client.post(url(f"leads:lead_{name}", lead), data)
        assert (response.status_code, response.url) == (303, lead.get_absolute_url())

    lead.refresh_from_db()
    assert (lead.owner, lead.handed_over_to) == (sdr, rep)


def test_all_of_it_can_be_undone(lead, sdr, rep, admin):
    lead = accept_handover(pending(lead, rep), by=rep)

    undo(last_of(rep), by=rep)
    lead.refresh_from_db()
    assert (lead.owner, lead.handed_over_to) == (sdr, rep)

    return_handover(lead, reason="Not my country", by=rep)
    with pytest.raises(NotAllowed):  # he may no longer see it
        undo(last_of(rep), by=rep)
    undo(last_of(rep), by=admin)
    lead.refresh_from_db()
    assert (lead.handed_over_to, lead.return_reason) == (rep, "")

    undo(last_of(sdr), by=sdr)
    lead.refresh_from_db()
    assert (lead.handed_over_to, lead.handed_over_by, lead.handover_note) == (None, None, "")


def test_another_hand_over_takes_the_place_of_one_that_waits(lead, rep, stranger):
    pending(lead, rep)

    lead = pending(lead, stranger)

    assert lead.handed_over_to == stranger
    assert not Lead.objects.visible_to(rep).exists()


def test_another_owner_settles_a_hand_over_that_waits(lead, rep, admin):
    lead = assign(pending(lead, rep), owner=UserFactory(), by=admin)

    lead.refresh_from_db()
    assert (lead.handed_over_to, lead.handed_over_by, lead.handover_note) == (None, None, "")


def test_rules_that_leave_the_owner_leave_the_hand_over(lead, rep, sdr):
    RuleFactory(target_user=sdr)

    assert assign_by_rules(pending(lead, rep), by=sdr).handed_over_to == rep


# pages


def test_the_page_hands_over_and_the_receiver_accepts(client, lead, sdr, rep):
    client.force_login(sdr)
    page = client.get(url("leads:lead_detail", lead))
    assert "hand_over" in page.context["actions"]
    answer = send(client, url("leads:lead_hand_over", lead), user=str(rep.pk), note=NOTE)
    assert answer.status_code == 303
    assert "has not answered yet" in client.get(answer.url).content.decode()

    client.force_login(rep)
    home = client.get(reverse("home")).content.decode()
    assert "Ana Ruiz" in home
    assert "From Sid Sdr" in home
    assert NOTE in client.get(url("leads:lead_detail", lead)).content.decode()
    answer = send(client, url("leads:lead_accept", lead))

    assert answer.status_code == 303
    lead.refresh_from_db()
    assert lead.owner == rep
    assert "From Sid Sdr" not in client.get(reverse("home")).content.decode()


def test_the_button_of_the_banner_accepts_once(client, lead, rep):
    pending(lead, rep)
    client.force_login(rep)
    form = client.get(url("leads:lead_detail", lead)).context["handover"]["form"]
    data = {"key": form.initial["key"]}

    first = client.post(url("leads:lead_accept", lead), data)
    second = client.post(url("leads:lead_accept", lead), data)

    assert (first.status_code, second.status_code) == (303, 303)
    assert Operation.objects.filter(actor=rep).count() == 1


def test_the_page_returns_with_a_reason(client, lead, rep, sdr):
    pending(lead, rep)
    client.force_login(rep)
    assert send(client, url("leads:lead_return", lead), reason="").status_code == 422
    assert send(client, url("leads:lead_return", lead), reason="Not mine").status_code == 303

    client.force_login(sdr)
    page = client.get(url("leads:lead_detail", lead)).content.decode()
    assert "User" in str(rep) or rep.name in page
    assert "Not mine" in page


@pytest.mark.parametrize("chosen", ["nobody", "both"])
def test_the_page_wants_a_person_or_a_queue(client, lead, sdr, rep, chosen):
    queue = QueueFactory(members=[rep])
    both = {"user": str(rep.pk), "queue": str(queue.pk)}
    data = both if chosen == "both" else {"user": "", "queue": ""}
    client.force_login(sdr)

    answer = send(client, url("leads:lead_hand_over", lead), note=NOTE, **data)

    assert answer.status_code == 422
    lead.refresh_from_db()
    assert lead.handed_over_to is None


@pytest.mark.parametrize("name", ["lead_accept", "lead_return", "lead_hand_over"])
def test_pages_of_a_hand_over_are_hidden_from_strangers(client, lead, rep, stranger, name):
    pending(lead, rep)
    client.force_login(stranger)

    assert client.get(url(f"leads:{name}", lead)).status_code == 404
    assert client.post(url(f"leads:{name}", lead)).status_code == 404


@pytest.mark.parametrize("name", ["lead_accept", "lead_return"])
def test_who_does_not_have_to_answer_is_led_to_the_lead(client, lead, rep, sdr, name):
    pending(lead, rep)
    client.force_login(sdr)

    assert client.get(url(f"leads:{name}", lead)).url == lead.get_absolute_url()


def test_a_lead_that_is_not_accepted_yet_leads_back_to_its_page(client, sdr):
    raw = LeadFactory(owner=sdr)
    client.force_login(sdr)

    assert "hand_over" not in client.get(raw.get_absolute_url()).context["actions"]
    assert client.get(url("leads:lead_hand_over", raw)).url == raw.get_absolute_url()


def test_an_overdue_answer_is_told_to_who_waits_and_to_the_receivers_manager(
    client, lead, rep, sdr, manager, stranger
):
    late(pending(lead, rep))

    for user, is_told in ((sdr, True), (manager, True), (rep, True), (stranger, False)):
        client.force_login(user)
        page = client.get(reverse("home")).content.decode()
        assert ("Overdue since" in page) == is_told, user
    client.force_login(sdr)
    assert "overdue since" in client.get(lead.get_absolute_url()).content.decode()


def test_before_it_is_overdue_all_three_see_when_the_answer_is_due(client, lead, rep, sdr, manager):
    pending(lead, rep)

    for user, words in ((sdr, "To Rae Rep"), (manager, "To Rae Rep"), (rep, "From Sid Sdr")):
        client.force_login(user)
        page = client.get(reverse("home")).content.decode()
        assert words in page
        assert "Overdue since" not in page


def test_home_with_hand_overs_costs_12_queries_at_most(
    client, rep, sdr, django_assert_max_num_queries
):
    for _n in range(3):
        pending(LeadFactory(owner=sdr, lifecycle="SQL"), rep)
    LeadFactory(owner=rep)
    client.force_login(rep)
    client.get(reverse("home"))

    with django_assert_max_num_queries(12):
        page = client.get(reverse("home"))
    assert len(page.context["handovers"]) == 3
