"""Leads that arrive at once: real threads, real commits, on both databases."""

import threading
import time
from collections import Counter

import pytest
from django.db import connection

from core import services
from core.errors import DomainError
from core.journal import Kind, Label, operation, retried
from leads import assignment
from leads.assignment import assign_by_rules, choose_owners
from leads.conversion import ConversionChoices, convert_lead
from leads.models import Lead, QueueMember
from leads.models.turns import turns_of
from leads.services import accept_handover, hand_over, return_handover
from tests.factories.leads import LeadFactory, QueueFactory, RuleFactory
from tests.factories.users import UserFactory
from tests.threads import at_once
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)

NOTE = "Needs a quote for 40 seats by March."


@pytest.fixture
def members(db):
    members = [UserFactory(name=name) for name in ("Ann", "Bob", "Cay")]
    RuleFactory(queue=QueueFactory(members=members))
    return members


def arriving(by):
    """Ten leads that are made at once, each in a transaction of its own."""
    leads = [LeadFactory.build(owner=by, status=None) for _n in range(10)]
    default = LeadFactory(owner=by).status

    def arrive(lead):
        @retried
        def run():
            lead.status = default
            with operation(Kind.CREATE, by=by, label=Label("Arrived")):
                choose_owners([lead])
                lead.save()
            return lead.owner_id

        return run

    return at_once(*[arrive(lead) for lead in leads])


def test_ten_leads_at_once_are_shared_out_4_3_3(members, admin):
    owners = arriving(admin)

    assert Counter(owners) == dict(zip([u.pk for u in members], (4, 3, 3), strict=True))
    served = QueueMember.objects.order_by("position").values_list("served", flat=True)
    assert list(served) == [4, 3, 3]


def test_ten_leads_assigned_at_once_are_shared_out_4_3_3(members, admin):
    leads = [LeadFactory(owner=admin) for _n in range(10)]

    at_once(*[lambda lead=lead: assign_by_rules(lead, by=admin) for lead in leads])

    owners = Lead.objects.values_list("owner_id", flat=True)
    assert Counter(owners) == dict(zip([u.pk for u in members], (4, 3, 3), strict=True))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no row locks")
def test_without_the_lock_two_are_given_the_same_turn(members, admin, monkeypatch):
    """The guard's own test: taken out, the turns of several rounds are not shared out evenly."""

    def unlocked(keys, today, rows):
        return turns_of(keys, today, lambda queues: queues)

    monkeypatch.setattr(assignment, "turns_of", unlocked)

    outcomes = [sorted(Counter(arriving(admin)).values()) for _round in range(5)]

    assert any(outcome != [3, 3, 4] for outcome in outcomes)


def test_of_two_answers_to_a_hand_over_at_once_one_counts(admin):
    rep = UserFactory()
    lead = LeadFactory(owner=admin, lifecycle=Lead.Lifecycle.SQL)
    hand_over(lead, to=rep, note=NOTE, by=admin)

    results = at_once(
        lambda: accept_handover(lead, by=rep),
        lambda: return_handover(lead, reason="Not mine", by=rep),
    )

    assert sum(isinstance(result, Exception) for result in results) == 1
    lead.refresh_from_db()
    assert (lead.owner == rep) == (lead.return_reason == "")


# -- an owner who is deactivated in the same moment ---------------------------------------------


def meanwhile_deactivated(user, admin, act):
    """What ``act`` gives if it begins while a transaction that deactivates ``user`` is open."""
    written = threading.Event()

    def deactivate():
        with operation(Kind.EDIT, by=admin, label=Label("Deactivated")):
            row = User.objects.get(pk=user.pk)
            row.is_active = False
            row.save()
            written.set()
            time.sleep(0.5)

    def run():
        connection.ensure_connection()
        written.wait(5)
        return act()

    return at_once(deactivate, run)[1]


def owners_are_active():
    return not Lead.objects.filter(owner__is_active=False).exists()


def test_rules_give_nothing_to_who_is_deactivated_in_the_same_moment(admin):
    target, fallback = UserFactory(), UserFactory()
    RuleFactory(target_user=target, fallback_owner=fallback)
    lead = LeadFactory(owner=admin)

    meanwhile_deactivated(target, admin, lambda: assign_by_rules(lead, by=admin))

    lead.refresh_from_db()
    assert lead.owner == fallback


def test_new_leads_do_not_go_to_who_is_deactivated_in_the_same_moment(admin):
    target, fallback = UserFactory(), UserFactory()
    RuleFactory(target_user=target, fallback_owner=fallback)
    lead = LeadFactory.build(owner=admin, status=LeadFactory(owner=admin).status)

    @retried
    def arrive():
        with operation(Kind.CREATE, by=admin, label=Label("Arrived")):
            choose_owners([lead])
            lead.save()

    meanwhile_deactivated(target, admin, arrive)

    assert lead.owner == fallback
    assert owners_are_active()


def test_a_conversion_makes_nothing_for_who_is_deactivated_in_the_same_moment(admin):
    owner = UserFactory()
    lead = LeadFactory(owner=admin, qualified=True)

    refusal = meanwhile_deactivated(
        owner,
        admin,
        lambda: convert_lead(lead, by=admin, choices=ConversionChoices(owner=owner)),
    )

    assert isinstance(refusal, DomainError)
    lead.refresh_from_db()
    assert lead.converted_at is None


def test_nothing_is_assigned_to_who_is_deactivated_in_the_same_moment(admin):
    owner, lead = UserFactory(), LeadFactory(owner=admin)

    refusal = meanwhile_deactivated(
        owner, admin, lambda: services.assign(lead, owner=owner, by=admin)
    )

    assert isinstance(refusal, services.OwnerInactive)


def test_nobody_accepts_a_lead_while_he_is_deactivated(admin):
    rep = UserFactory()
    lead = LeadFactory(owner=admin, lifecycle=Lead.Lifecycle.SQL)
    hand_over(lead, to=rep, note=NOTE, by=admin)

    refusal = meanwhile_deactivated(rep, admin, lambda: accept_handover(lead, by=rep))

    assert isinstance(refusal, services.OwnerInactive)
    assert owners_are_active()
