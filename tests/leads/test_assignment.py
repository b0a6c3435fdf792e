"""Who gets a lead: rules, turns, fallbacks, and that trying them tells the truth."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import NotAllowed
from core.journal import Change, Kind, Operation
from core.models import Organisation
from core.reach import Verb, can
from core.services import ReadOnly, assign
from core.undo import undo
from leads.assignment import Verdict, assign_by_rules, choose_owners, explain
from leads.conversion import ConversionChoices, convert_lead
from leads.models import AssignedBy, AssignmentRule, Lead, QueueMember
from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory, QueueFactory, RuleFactory
from tests.factories.users import UserFactory
from users.models import Role

pytestmark = pytest.mark.django_db

GERMANS = {"all": [{"field": "country", "op": "in", "value": ["DE"]}]}
HOT = {"all": [{"field": "rating", "op": "in", "value": ["HOT"]}]}


@pytest.fixture
def organisation(db):
    return Organisation.objects.get_or_create(pk=1)[0]


@pytest.fixture
def default_owner(organisation):
    user = UserFactory(name="Dee Default")
    organisation.default_lead_owner = user
    organisation.save()
    return user


@pytest.fixture
def lead(admin):
    return LeadFactory(first_name="Ana", last_name="Ruiz", country="DE", owner=admin)


def people(*names):
    return [UserFactory(name=name) for name in names]


def assigned(lead, by):
    lead = assign_by_rules(lead, by=by)
    lead.refresh_from_db()
    return lead


# LA2: the first rule that fits


def test_the_first_fitting_rule_wins_and_later_ones_are_not_asked(admin, lead):
    ann, bob, cay = people("Ann", "Bob", "Cay")
    RuleFactory(name="Hot", criteria=HOT, target_user=ann)
    germans = RuleFactory(name="Germans", criteria=GERMANS, target_user=bob)
    RuleFactory(name="All", target_user=cay)

    lead = assigned(lead, admin)

    assert (lead.owner, lead.assigned_by_rule) == (bob, germans)
    assert lead.assigned_by == AssignedBy.RULE


def test_rules_are_asked_in_their_order_not_by_age(admin, lead):
    ann, bob = people("Ann", "Bob")
    RuleFactory(target_user=ann, position=5)
    RuleFactory(target_user=bob, position=2)

    assert assigned(lead, admin).owner == bob


def test_a_rule_without_conditions_fits_every_lead(admin):
    (ann,) = people("Ann")
    RuleFactory(criteria={}, target_user=ann)

    assert assigned(LeadFactory(last_name="", company="", owner=admin), admin).owner == ann


def test_a_rule_that_is_not_active_is_passed_over(admin, lead):
    ann, bob = people("Ann", "Bob")
    RuleFactory(target_user=ann, is_active=False)
    RuleFactory(target_user=bob)

    assert assigned(lead, admin).owner == bob


def test_a_rule_whose_conditions_cannot_be_asked_fits_nothing(admin, lead):
    ann, bob = people("Ann", "Bob")
    gone = {"all": [{"field": "shoe_size", "op": "is", "value": 44}]}
    RuleFactory(criteria=gone, target_user=ann)
    RuleFactory(target_user=bob)

    assert "shoe_size" in explain(lead).verdicts[0].reasons[0]
    assert assigned(lead, admin).owner == bob


# LA3: the target is away


def away(today=None):
    return {"out_of_office_until": Organisation.current().today()}


@pytest.mark.parametrize("how", ["inactive", "out of office"])
def test_of_a_target_who_is_away_the_fallback_owner_not_the_next_rule(admin, lead, how):
    values = {"is_active": False} if how == "inactive" else away()
    ann = UserFactory(name="Ann", **values)
    bob, cay = people("Bob", "Cay")
    first = RuleFactory(target_user=ann, fallback_owner=bob)
    RuleFactory(target_user=cay)

    lead = assigned(lead, admin)

    assert (lead.owner, lead.assigned_by_rule) == (bob, first)
    assert lead.assigned_by == AssignedBy.FALLBACK


def test_of_target_and_fallback_owner_away_the_default_owner(admin, lead, default_owner):
    ann, bob = UserFactory(**away()), UserFactory(is_active=False)
    rule = RuleFactory(target_user=ann, fallback_owner=bob)

    lead = assigned(lead, admin)

    assert (lead.owner, lead.assigned_by_rule) == (default_owner, rule)
    assert lead.assigned_by == AssignedBy.INSTEAD


def test_out_of_office_ends_after_its_last_day(admin, lead):
    today = Organisation.current().today()
    ann = UserFactory(out_of_office_until=today - datetime.timedelta(days=1))
    RuleFactory(target_user=ann)

    assert assigned(lead, admin).owner == ann


def test_without_anybody_the_lead_stays_and_says_so(admin, lead):
    rule = RuleFactory(target_user=UserFactory(is_active=False))

    lead = assigned(lead, admin)

    assert (lead.owner, lead.assigned_by) == (admin, AssignedBy.KEPT)
    assert lead.assigned_by_rule == rule


# LA4: turns


def test_members_of_a_queue_take_turns_in_their_order(admin):
    team = people("Ann", "Bob", "Cay")
    RuleFactory(queue=QueueFactory(members=team))

    owners = [assigned(LeadFactory(owner=admin), admin).owner.name for _n in range(5)]

    assert owners == ["Ann", "Bob", "Cay", "Ann", "Bob"]


def test_leads_saved_together_are_shared_out_as_one_after_the_other(admin):
    team = people("Ann", "Bob", "Cay")
    RuleFactory(queue=QueueFactory(members=team))
    leads = [LeadFactory.build(owner=admin, status=None) for _n in range(4)]

    choose_owners(leads)

    assert [lead.owner.name for lead in leads] == ["Ann", "Bob", "Cay", "Ann"]
    assert QueueMember.objects.get(user=team[0]).served == 2


def test_a_turn_passes_over_who_is_away_or_has_had_enough_today(admin):
    ann, bob, cay = people("Ann", "Bob", "Cay")
    queue = QueueFactory(members=[ann, bob, cay])
    RuleFactory(queue=queue)
    queue.members.filter(user=ann).update(daily_cap=1)
    bob.is_active = False
    bob.save()

    owners = [assigned(LeadFactory(owner=admin), admin).owner.name for _n in range(4)]

    assert owners == ["Ann", "Cay", "Cay", "Cay"]


def test_the_most_leads_a_day_count_anew_on_the_next_day_of_the_organisation(admin, organisation):
    (ann,) = people("Ann")
    queue = QueueFactory(members=[ann])
    queue.members.update(daily_cap=1)
    RuleFactory(queue=queue)
    assert assigned(LeadFactory(owner=admin), admin).owner == ann
    assert assigned(LeadFactory(owner=admin), admin).owner == admin

    member = queue.members.get()
    member.served_on -= datetime.timedelta(days=1)
    member.save(update_fields=["served_on"])

    assert assigned(LeadFactory(owner=admin), admin).owner == ann


def test_of_a_queue_in_which_nobody_can_the_fallback_owner(admin, lead):
    ann, bob = people("Ann", "Bob")
    queue = QueueFactory(members=[UserFactory(is_active=False), UserFactory(role=Role.SUPPORT)])
    RuleFactory(queue=queue, fallback_owner=bob)
    RuleFactory(target_user=ann)

    lead = assigned(lead, admin)

    assert (lead.owner, lead.assigned_by) == (bob, AssignedBy.FALLBACK)


def test_of_a_queue_without_members_the_default_owner(admin, lead, default_owner):
    RuleFactory(queue=QueueFactory())

    assert assigned(lead, admin).owner == default_owner


def test_an_undo_gives_the_lead_back_and_no_turn(admin):
    RuleFactory(queue=QueueFactory(members=people("Ann", "Bob")))
    lead = assigned(LeadFactory(owner=admin), admin)
    assign_by_rules(LeadFactory(owner=admin), by=admin)

    undo(Operation.objects.get(changes__model="leads.lead", changes__object_id=lead.pk,
                               changes__version=2), by=admin)  # fmt: skip

    lead.refresh_from_db()
    assert (lead.owner, lead.assigned_by, lead.assigned_by_rule) == (admin, "", None)
    assert assigned(LeadFactory(owner=admin), admin).owner.name == "Ann"


# LA5: the owner of its account


def routed(organisation):
    organisation.routes_to_account_owner = True
    organisation.save()


def test_a_lead_of_one_accounts_domain_goes_to_its_owner_before_any_rule(admin, organisation):
    routed(organisation)
    ann, bob = people("Ann", "Bob")
    above = AccountFactory(name="Acme", website="https://acme.example", owner=ann)
    AccountFactory(name="Acme North", website="https://acme.example", parent=above)
    RuleFactory(target_user=bob)

    lead = assigned(LeadFactory(email="x@acme.example", owner=admin), admin)

    assert (lead.owner, lead.assigned_by) == (ann, AssignedBy.ACCOUNT)
    assert lead.assigned_by_rule is None


@pytest.mark.parametrize("why", ["off", "two hierarchies", "free mail", "archived", "away"])
def test_without_certainty_or_setting_the_rules_decide(admin, organisation, why):
    if why != "off":
        routed(organisation)
    ann, bob = people("Ann", "Bob")
    domain = "gmail.com" if why == "free mail" else "acme.example"
    organisation.free_mail_domains = ["gmail.com"]
    organisation.save()
    account = AccountFactory(website=f"https://{domain}", owner=ann)
    if why == "two hierarchies":
        AccountFactory(website=f"https://{domain}", owner=ann)
    if why == "archived":
        account.archived_at = account.created_at
        account.save()
    if why == "away":
        ann.is_active = False
        ann.save()
    RuleFactory(target_user=bob)

    assert assigned(LeadFactory(email=f"x@{domain}", owner=admin), admin).owner == bob


def test_the_account_that_somebody_said_counts_more_than_the_domain(admin, organisation):
    routed(organisation)
    ann, bob = people("Ann", "Bob")
    AccountFactory(website="https://acme.example", owner=ann)
    said = AccountFactory(owner=bob)

    lead = LeadFactory(email="x@acme.example", owner=admin, matched_account=said)

    assert assigned(lead, admin).owner == bob


# LA6, LA7


def test_what_no_rule_fits_goes_to_the_default_owner(admin, default_owner):
    RuleFactory(criteria=HOT, target_user=UserFactory())

    lead = assigned(LeadFactory(owner=admin), admin)

    assert (lead.owner, lead.assigned_by) == (default_owner, AssignedBy.DEFAULT)


def test_without_a_default_owner_a_lead_keeps_its_own(admin, lead):
    assert assigned(lead, admin).owner == admin


def test_the_history_keeps_the_rule(admin, lead):
    rule = RuleFactory(name="Germans", target_user=UserFactory())

    assign_by_rules(lead, by=admin)

    change = Change.objects.filter(model="leads.lead", object_id=lead.pk).order_by("-pk").first()
    assert change.after_values["assigned_by_rule"] == rule.pk
    assert change.operation.label["named"]["rule"] == {
        "model": "leads.assignmentrule", "id": rule.pk
    }  # fmt: skip
    assert change.operation.kind == Kind.EDIT


def test_who_is_given_a_lead_by_hand_has_it_by_no_rule(admin, lead):
    RuleFactory(target_user=UserFactory())
    lead = assigned(lead, admin)

    lead = assign(lead, owner=UserFactory(), by=admin)

    lead.refresh_from_db()
    assert (lead.assigned_by, lead.assigned_by_rule, lead.assigned_at) == ("", None, None)


def test_editing_a_lead_never_assigns_it(admin, lead):
    RuleFactory(criteria=HOT, target_user=UserFactory())

    lead.rating = "HOT"
    lead.save()

    lead.refresh_from_db()
    assert (lead.owner, lead.assigned_by) == (admin, "")


# LA8: trying


def test_trying_says_why_earlier_rules_do_not_fit_and_writes_nothing(admin, lead):
    ann, bob = people("Ann", "Bob")
    RuleFactory(name="Hot", criteria=HOT, target_user=ann)
    RuleFactory(name="Germans", criteria=GERMANS, queue=QueueFactory(members=[bob]))
    RuleFactory(name="All", target_user=ann)
    done = Operation.objects.count()

    explanation = explain(lead)

    assert explanation.decision.owner == bob
    assert [(str(v.rule), v.state) for v in explanation.verdicts] == [
        ("Hot", Verdict.MISSES), ("Germans", Verdict.WINS), ("All", Verdict.UNASKED)
    ]  # fmt: skip
    assert explanation.verdicts[0].reasons == ("Rating is Hot; here it is empty",)
    assert Operation.objects.count() == done
    assert QueueMember.objects.get().served == 0


ASKED = (
    {},
    HOT,
    GERMANS,
    {"any": [*HOT["all"], *GERMANS["all"]]},
    {"all": [{"field": "company", "op": "contains", "value": "a"}]},
    {"all": [{"field": "owner", "op": "in", "value": ["inactive"]}]},
)


@pytest.mark.parametrize("has_default", [True, False])
def test_trying_tells_what_assigning_does(admin, organisation, has_default):
    everybody = people("Ann", "Bob", "Cay")
    everybody[1].out_of_office_until = organisation.today()
    everybody[1].save()
    organisation.default_lead_owner = everybody[0] if has_default else None
    organisation.save()
    queue = QueueFactory(members=everybody)
    queue.members.update(daily_cap=3)
    person = st.sampled_from(everybody)
    rules = st.lists(
        st.tuples(st.sampled_from(ASKED), st.one_of(person, st.just(queue)), st.booleans()),
        max_size=4,
    )
    values = st.fixed_dictionaries(
        {"rating": st.sampled_from(["", "HOT"]), "country": st.sampled_from(["", "DE", "FR"]),
         "company": st.sampled_from(["", "Acme"])}
    )  # fmt: skip

    @settings(max_examples=40)
    @given(rules=rules, values=values)
    def agree(rules, values):
        AssignmentRule.objects.update(is_active=False)
        for criteria, to, has_fallback in rules:
            target = {"queue": to} if to == queue else {"target_user": to}
            fallback = everybody[2] if has_fallback else None
            RuleFactory(criteria=criteria, fallback_owner=fallback, **target)
        lead = LeadFactory(owner=admin, **values)
        told = explain(lead).decision

        lead = assigned(lead, admin)

        assert (lead.owner, lead.assigned_by, lead.assigned_by_rule) == (
            told.owner, told.how, told.rule
        )  # fmt: skip

    agree()


# rights


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.ADMIN, True), (Role.MARKETING, True), (Role.SUPPORT, False), (Role.READ_ONLY, False)],
)
def test_who_may_assign_may_ask_the_rules(lead, role, may):
    (ann,) = people("Ann")
    RuleFactory(target_user=ann)
    by = UserFactory(role=role)

    if may:
        assert assigned(lead, by).owner == ann
    else:
        with pytest.raises((NotAllowed, Lead.DoesNotExist)):
            assign_by_rules(lead, by=by)
        lead.refresh_from_db()
        assert lead.owner != ann


def test_a_representative_asks_the_rules_for_own_leads_and_not_for_those_of_others(rep, manager):
    (ann,) = people("Ann")
    RuleFactory(target_user=ann)

    assert assigned(LeadFactory(owner=rep), rep).owner == ann
    with pytest.raises(NotAllowed):
        assign_by_rules(LeadFactory(owner=manager), by=rep)
    assert can(LeadFactory(owner=rep), rep, Verb.ASSIGN)


def test_a_converted_lead_is_not_assigned(admin, lead):
    convert_lead(lead, by=admin, choices=ConversionChoices())

    with pytest.raises(ReadOnly):
        assign_by_rules(lead, by=admin)


# costs


@pytest.mark.parametrize("many", [5])
def test_the_number_of_queries_does_not_grow_with_rules_members_and_leads(
    admin, organisation, many
):
    routed(organisation)

    def cost(count):
        for _n in range(count):
            RuleFactory(criteria=HOT, queue=QueueFactory(members=people(*"AB")))
        RuleFactory(queue=QueueFactory(members=people(*"C" * count)))
        leads = [LeadFactory.build(owner=admin, status=None) for _n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            choose_owners(leads)
        AssignmentRule.objects.update(is_active=False)
        return len(
            [q for q in queries if q["sql"].startswith("SELECT") and "organ" not in q["sql"]]
        )

    assert cost(many) == cost(1)
