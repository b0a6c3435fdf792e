"""The pages of assignment: rules, queues, trying the rules, and the lead's own."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.journal import Operation
from core.models import Organisation
from core.undo import undo
from leads.models import AssignedBy, AssignmentRule, Lead, Queue, QueueMember
from tests.factories.leads import LeadFactory, QueueFactory, RuleFactory
from tests.factories.users import UserFactory
from tests.pages import send, sent
from users.models import Role

pytestmark = pytest.mark.django_db

GERMANS = {"all": [{"field": "country", "op": "in", "value": ["DE"]}]}


@pytest.fixture
def as_admin(client, admin):
    client.force_login(admin)
    return client


@pytest.fixture
def ann(db):
    return UserFactory(name="Ann Able")


def html(client, name, *args):
    page = client.get(reverse(name, args=args))
    assert page.status_code == 200
    return page.content.decode()


# rights


@pytest.mark.parametrize(
    "name",
    ["leads:assignmentrule_list", "leads:assignmentrule_create", "leads:assignmentrule_try",
     "leads:queue_list", "leads:queue_create"],
)  # fmt: skip
def test_settings_of_assignment_are_for_administrators(client, manager, name):
    client.force_login(manager)

    assert client.get(reverse(name)).status_code == 403
    assert client.post(reverse(name)).status_code in (403, 405)


@pytest.mark.parametrize(
    "name",
    ["leads:assignmentrule_update", "leads:assignmentrule_move", "leads:queue_update",
     "leads:queuemember_list", "leads:queuemember_create", "leads:queuemember_update",
     "leads:queuemember_move", "leads:queuemember_remove"],
)  # fmt: skip
def test_rows_of_assignment_are_changed_by_administrators_only(client, manager, ann, name):
    rule = RuleFactory(queue=QueueFactory(members=[ann]))
    rows = {"assignmentrule": rule.pk, "queue": rule.queue_id,
            "queuemember": QueueMember.objects.get().pk}  # fmt: skip
    kind = "queue" if name.endswith(("member_list", "member_create")) else name[6:].split("_")[0]
    before = Operation.objects.count()
    client.force_login(manager)

    assert client.post(reverse(name, args=[rows[kind]])).status_code in (403, 405)
    assert Operation.objects.count() == before


# rules


def test_the_list_says_for_which_leads_and_to_whom(as_admin, ann):
    RuleFactory(name="Germans", criteria=GERMANS, target_user=ann)
    RuleFactory(name="All", queue=QueueFactory(name="Inbound"), fallback_owner=ann)

    page = html(as_admin, "leads:assignmentrule_list")

    for words in ("Country is Germany", "Every lead", "Ann Able", "Queue Inbound"):
        assert words in page


def test_the_list_tells_of_rules_that_cannot_be_asked(as_admin, ann):
    RuleFactory(criteria={"all": [{"field": "gone", "op": "is", "value": 1}]}, target_user=ann)

    assert "Fits no lead" in html(as_admin, "leads:assignmentrule_list")


def test_the_list_tells_administrators_where_somebody_was_away(client, admin, as_admin, ann):
    rule = RuleFactory(name="Germans", target_user=UserFactory(is_active=False), fallback_owner=ann)
    lead = LeadFactory(first_name="Ana", last_name="Ruiz", owner=admin)
    assert "Not as the rules say" not in html(as_admin, "leads:assignmentrule_list")

    send(as_admin, reverse("leads:lead_rules", args=[lead.pk]))

    page = html(as_admin, "leads:assignmentrule_list")
    assert "Not as the rules say" in page
    assert f"Went to Ann Able: the target of the rule “{rule}” was away." in page


def test_a_new_rule_comes_last_with_the_conditions_of_its_editor(as_admin, ann):
    RuleFactory(target_user=ann)
    address = reverse("leads:assignmentrule_create")
    data = sent(as_admin.get(address), name="Germans", target_user=str(ann.pk))

    page = as_admin.post(address, data | {"do": "add:r", "r.add": "country"})
    assert page.status_code == 200
    assert not AssignmentRule.objects.filter(name="Germans").exists()
    data |= {"r-0.field": "country", "r-0.op": "in", "r-0.value": "DE", "do": "save"}
    answer = as_admin.post(address, data)

    assert answer.status_code == 303
    rule = AssignmentRule.objects.get(name="Germans")
    assert (rule.criteria, rule.target, rule.position) == (GERMANS, ann, 1)


def test_a_rule_keeps_what_was_typed_when_a_condition_is_added(as_admin, ann):
    address = reverse("leads:assignmentrule_create")
    data = sent(as_admin.get(address), name="Germans", target_user=str(ann.pk), do="add:r")
    data.pop("is_active", None)

    page = as_admin.post(address, data | {"r.add": "country"})

    assert 'value="Germans"' in page.content.decode()
    assert 'name="r-0.field" value="country"' in page.content.decode()
    assert page.context["form"]["is_active"].value() is False


def test_a_rule_is_changed_with_its_conditions(as_admin, ann):
    rule = RuleFactory(criteria=GERMANS, target_user=ann)
    address = reverse("leads:assignmentrule_update", args=[rule.pk])
    page = as_admin.get(address)
    assert "It is asked first." in page.content.decode()

    data = sent(page, name="Austrians", do="save")
    data["r-0.op"], data["r-0.value"] = "in", "AT"
    assert as_admin.post(address, data).status_code == 303

    rule.refresh_from_db()
    assert rule.name == "Austrians"
    assert rule.criteria["all"][0]["value"] == ["AT"]


def test_a_form_without_conditions_leaves_those_of_the_rule(as_admin, ann):
    rule = RuleFactory(criteria=GERMANS, target_user=ann)
    address = reverse("leads:assignmentrule_update", args=[rule.pk])

    data = {"name": "New", "version": "1", "key": "k"}
    assert as_admin.post(f"{address}?field=name", data).status_code in (200, 303)

    rule.refresh_from_db()
    assert (rule.name, rule.criteria) == ("New", GERMANS)


@pytest.mark.parametrize("values", [{"is_active": False}, {"role": Role.SUPPORT}])
@pytest.mark.parametrize("name", ["target_user", "fallback_owner"])
def test_a_rule_that_names_somebody_who_gets_no_leads_is_refused(as_admin, ann, name, values):
    gone = UserFactory(**values)
    data = {"target_user": str(ann.pk), "fallback_owner": "", name: str(gone.pk)}

    answer = send(as_admin, reverse("leads:assignmentrule_create"), name="Rule", **data)

    assert answer.status_code == 422
    assert name in answer.context["form"].errors


def test_a_rule_whose_target_has_left_is_not_saved_again(as_admin, ann):
    rule = RuleFactory(target_user=ann)
    ann.is_active = False
    ann.save()

    answer = send(as_admin, reverse("leads:assignmentrule_update", args=[rule.pk]), name="New")

    assert answer.status_code == 422
    assert "is not active any more" in answer.content.decode()


@pytest.mark.parametrize("chosen", ["nobody", "both"])
def test_a_rule_has_one_target(as_admin, ann, chosen):
    queue = QueueFactory()
    both = {"target_user": str(ann.pk), "queue": str(queue.pk)}
    data = both if chosen == "both" else {"target_user": "", "queue": ""}

    answer = send(as_admin, reverse("leads:assignmentrule_create"), name="Rule", **data)

    assert answer.status_code == 422
    assert "one of the two" in answer.content.decode()
    assert not AssignmentRule.objects.exists()


def test_a_rule_cannot_ask_for_me_or_for_a_record(as_admin, ann):
    address = reverse("leads:assignmentrule_create")
    page = as_admin.get(address)
    assert 'value="matched_account"' not in page.content.decode()
    data = sent(page, name="Rule", target_user=str(ann.pk), do="save")
    data |= {"r-0.field": "owner", "r-0.op": "in", "r-0.value": "me"}

    answer = as_admin.post(address, data)

    assert answer.status_code == 422
    assert not AssignmentRule.objects.exists()


def test_rules_move_by_their_buttons(as_admin, ann):
    first, second = RuleFactory(target_user=ann), RuleFactory(target_user=ann)

    as_admin.post(reverse("leads:assignmentrule_move", args=[second.pk]), {"place": "0"})

    assert list(AssignmentRule.objects.in_order()) == [second, first]


def test_a_change_of_a_rule_can_be_undone(as_admin, admin, ann):
    rule = RuleFactory(target_user=ann, name="Before")
    send(as_admin, reverse("leads:assignmentrule_update", args=[rule.pk]), name="After", do="save")

    undo(Operation.objects.filter(actor=admin).order_by("-pk").first(), by=admin)

    rule.refresh_from_db()
    assert rule.name == "Before"


def cost(client, address):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


@pytest.mark.parametrize("name", ["leads:assignmentrule_list", "leads:queue_list"])
def test_lists_cost_the_same_for_few_and_many(as_admin, ann, name):
    def more(count):
        for _n in range(count):
            RuleFactory(criteria=GERMANS, queue=QueueFactory(members=[ann]))
        return cost(as_admin, reverse(name))

    assert more(1) == more(6)


# trying


def test_trying_a_lead_says_who_gets_it_and_why_not_the_others(as_admin, admin, ann):
    lead = LeadFactory(first_name="Ana", last_name="Ruiz", country="FR", owner=admin)
    RuleFactory(name="Germans", criteria=GERMANS, target_user=admin)
    RuleFactory(name="All", target_user=ann)
    before = Operation.objects.count()

    page = as_admin.get(reverse("leads:assignmentrule_try"), {"lead": lead.pk}).content.decode()

    assert "Ana Ruiz would go to Ann Able" in page
    assert "Country is Germany; here: France" in page
    assert Operation.objects.count() == before


def test_trying_finds_the_lead_by_its_name_without_a_script(as_admin, admin):
    LeadFactory(first_name="Ana", last_name="Ruiz", owner=admin)
    LeadFactory(first_name="Ana", last_name="Ruizman", owner=admin)
    address = reverse("leads:assignmentrule_try")

    assert "Ana Ruizman" in as_admin.get(address, {"lead_q": "ruiz"}).content.decode()
    assert as_admin.get(address, {"lead": "x"}).status_code == 200
    assert as_admin.get(address, {"lead": str(10**17)}).context["explanation"] is None


# queues


def test_a_queue_is_made_with_members_in_their_order(as_admin, ann):
    bob = UserFactory(name="Bob Baker")
    answer = send(as_admin, reverse("leads:queue_create"), name="Inbound")
    queue = Queue.objects.get(name="Inbound")
    assert answer.url == queue.get_absolute_url()
    for user, cap in ((ann, ""), (bob, "5")):
        address = reverse("leads:queuemember_create", args=[queue.pk])
        assert send(as_admin, address, user=str(user.pk), daily_cap=cap).status_code == 303

    members = queue.members.order_by("position")
    assert [(m.user, m.daily_cap) for m in members] == [(ann, None), (bob, 5)]
    as_admin.post(reverse("leads:queuemember_move", args=[members[1].pk]), {"place": "0"})

    page = html(as_admin, "leads:queuemember_list", queue.pk)
    assert page.index("Bob Baker") < page.index("Ann Able")
    assert "No limit" in page
    assert "Bob Baker, Ann Able" in html(as_admin, "leads:queue_list")


def test_a_queue_is_renamed_and_says_which_rules_use_it(as_admin):
    queue = QueueFactory(name="Inbound")
    address = reverse("leads:queue_update", args=[queue.pk])
    assert "No rule uses it." in as_admin.get(address).content.decode()
    RuleFactory(name="All", queue=queue)
    assert "Used by: All." in as_admin.get(address).content.decode()

    assert send(as_admin, address, name="Web").status_code == 303

    queue.refresh_from_db()
    assert queue.name == "Web"


@pytest.mark.parametrize("cap", ["0", "-1", "x"])
def test_a_member_takes_at_least_one_lead_a_day(as_admin, ann, cap):
    member = QueueFactory(members=[ann]).members.get()

    answer = send(as_admin, reverse("leads:queuemember_update", args=[member.pk]), daily_cap=cap)

    assert answer.status_code == 422


def test_nobody_is_twice_in_a_queue_or_in_it_without_working_on_leads(as_admin, ann):
    queue = QueueFactory(members=[ann])
    address = reverse("leads:queuemember_create", args=[queue.pk])

    for user in (ann, UserFactory(role=Role.SUPPORT), UserFactory(is_active=False)):
        assert send(as_admin, address, user=str(user.pk)).status_code == 422
    assert queue.members.count() == 1


def test_a_member_is_removed_and_the_undo_brings_him_back(as_admin, admin, ann):
    queue = QueueFactory(members=[ann, UserFactory()])
    member = queue.members.get(user=ann)

    answer = send(as_admin, reverse("leads:queuemember_remove", args=[member.pk]))

    assert answer.url == queue.get_absolute_url()
    assert not queue.members.filter(user=ann).exists()
    undo(Operation.objects.filter(actor=admin).order_by("-pk").first(), by=admin)
    assert queue.members.get(user=ann).position == 0


# the organisation


def test_the_organisation_names_the_default_owner(as_admin, ann):
    Organisation.objects.get_or_create(pk=1)
    address = reverse("core:organisation_update")

    answer = send(as_admin, address, default_lead_owner=str(ann.pk), routes_to_account_owner="on")

    assert answer.status_code == 303
    organisation = Organisation.objects.get(pk=1)
    assert (organisation.default_lead_owner, organisation.routes_to_account_owner) == (ann, True)
    gone = UserFactory(is_active=False)
    assert send(as_admin, address, default_lead_owner=str(gone.pk)).status_code == 422


# a lead


def test_assign_now_says_who_has_it_and_the_page_keeps_the_rule(as_admin, admin, ann):
    RuleFactory(name="All", target_user=ann)
    lead = LeadFactory(first_name="Ana", last_name="Ruiz", owner=admin)
    assert "rules" in as_admin.get(lead.get_absolute_url()).context["actions"]

    answer = send(as_admin, reverse("leads:lead_rules", args=[lead.pk]))

    page = as_admin.get(answer.url).content.decode()
    assert "Assigned Ana Ruiz to Ann Able by the rule All." in page
    assert "Rule “All”" in page
    lead.refresh_from_db()
    assert lead.owner == ann


def test_who_gives_a_lead_out_of_his_reach_is_led_to_the_list(client, rep, stranger):
    RuleFactory(target_user=stranger)
    lead = LeadFactory(owner=rep)
    client.force_login(rep)

    answer = send(client, reverse("leads:lead_rules", args=[lead.pk]))

    assert answer.url == reverse("leads:lead_list")
    assert client.get(lead.get_absolute_url()).status_code == 404


def test_who_may_not_assign_is_offered_no_rules(client, rep, manager):
    lead = LeadFactory(owner=manager)
    client.force_login(rep)

    assert "rules" not in client.get(lead.get_absolute_url()).context["actions"]
    assert client.post(reverse("leads:lead_rules", args=[lead.pk])).status_code == 403


@pytest.mark.parametrize("is_ticked", [True, False])
def test_a_new_lead_is_assigned_only_if_that_is_ticked(client, rep, manager, is_ticked):
    rule = RuleFactory(name="All", target_user=manager)
    client.force_login(rep)
    data = {"by_rules": "on"} if is_ticked else {}

    answer = send(client, reverse("leads:lead_create"), last_name="Ruiz", **data)

    assert answer.status_code == 303
    lead = Lead.objects.get()
    assert (lead.owner, lead.assigned_by_rule) == ((manager, rule) if is_ticked else (rep, None))
    history = client.get(reverse("leads:lead_history", args=[lead.pk])).content.decode()
    assert ("by the rule All" in history) == is_ticked


def test_editing_by_the_form_never_assigns(client, rep, manager):
    RuleFactory(target_user=manager)
    lead = LeadFactory(owner=rep)
    client.force_login(rep)

    send(client, reverse("leads:lead_update", args=[lead.pk]), last_name="New", by_rules="on")

    lead.refresh_from_db()
    assert (lead.last_name, lead.owner, lead.assigned_by) == ("New", rep, "")


def test_leads_are_filtered_by_what_assigned_them(as_admin, admin, ann):
    rule = RuleFactory(target_user=ann)
    lead = LeadFactory(owner=admin)
    LeadFactory(owner=admin)
    send(as_admin, reverse("leads:lead_rules", args=[lead.pk]))
    asked = {"field": "assigned_by_rule", "op": "in", "value": [rule.pk]}
    document = json.dumps({"all": [asked]})

    page = as_admin.get(reverse("leads:lead_list"), {"filter": document})

    assert [record.assigned_by for record in page.context["page"].records] == [AssignedBy.RULE]


def test_the_form_of_a_user_says_which_rules_and_queues_give_him_leads(as_admin, ann):
    RuleFactory(name="Germans", target_user=UserFactory(), fallback_owner=ann)
    QueueFactory(name="Inbound", members=[ann])

    page = html(as_admin, "administration:user_update", ann.pk)

    assert "Gets leads by the assignment rules: Germans." in page
    assert "Is given leads in turns by the queues: Inbound." in page


def test_the_list_marks_a_target_who_is_away(as_admin, ann):
    ann.out_of_office_until = Organisation.current().today()
    ann.save()
    RuleFactory(target_user=ann)

    assert "Ann Able (away)" in html(as_admin, "leads:assignmentrule_list")
