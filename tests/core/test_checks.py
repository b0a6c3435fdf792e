import datetime
import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models

from accounts.models import Account
from accounts.services import move_account
from contacts.models import AccountContactRelation, Contact
from contacts.services import change_job
from core.checks import all_checks, snapshot
from core.journal import Change, Kind, Operation
from core.undo import undo
from leads.models import AssignmentRule, Conversion, Lead, LeadStatus, Phase
from opportunities.models import (
    Opportunity,
    OpportunityContactRole,
    OpportunityStageHistory,
    Stage,
)
from opportunities.services import change_stage, close_lost
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, PlannedJobChangeFactory
from tests.factories.leads import LeadFactory, RuleFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory
from tests.factories.users import UserFactory
from tests.threads import at_once
from users.models import User

NOW = datetime.datetime(2026, 5, 12, tzinfo=datetime.UTC)


def plain(model, **where):
    """The private door past the journal, by which a test breaks what it holds."""
    return models.QuerySet(model).filter(**where)


def forge(change, **values):
    """Change the journal as only somebody with the database's own tools could."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL topsail.erasure = 'on'")
    Change.objects.filter(pk=change.pk).update(**values)


def found():
    return {o.check.id for check in all_checks() for o in check.offences(full=True)}


@pytest.fixture
def world(admin):
    """A small company with everything that the invariants are about."""
    top = AccountFactory(phone="+49 221 4470118", website="https://acme.example")
    account = AccountFactory(parent=AccountFactory(parent=top))
    contact = ContactFactory(account=account)
    AccountFactory(parent=account)
    role = RoleFactory(opportunity__account=account, contact=contact, is_primary=True)
    close_lost(OpportunityFactory(account=account), by=admin, reason="Price")
    LeadFactory(nurturing=True)
    lead = LeadFactory(qualified=True)
    lead.mark_converted(status=LeadStatus.first(Phase.CONVERTED), at=NOW)
    conversion = Conversion.objects.create(
        lead=lead,
        account=account,
        contact=contact,
        opportunity=role.opportunity,
        converted_at=NOW,
        converted_by=admin,
    )
    return {"top": top, "account": account, "contact": contact, "role": role,
            "lead": lead, "conversion": conversion}  # fmt: skip


def test_sound_data_offends_nothing(world):
    assert found() == set()


def test_data_stays_sound_through_services_and_their_undo(world, admin):
    role, contact = world["role"], world["contact"]
    change_job(contact, account=AccountFactory(), by=admin)
    change_stage(role.opportunity, stage=Stage.named("Value Proposition"), by=admin)
    move_account(world["account"], parent=None, by=admin)
    operations = list(Operation.objects.order_by("-pk")[:3])

    assert found() == set()
    for operation in operations:
        undo(operation, by=admin)
        assert found() == set()


def converted_lead_without_conversion(world):
    plain(Conversion)._raw_delete("default")


def conversion_of_an_open_lead(world):
    status = LeadStatus.first(Phase.OPEN)
    plain(Lead, pk=world["lead"].pk).update(phase="OPEN", status=status, converted_at=None)


def person_of_a_conversion_elsewhere(world):
    plain(Conversion).update(contact=ContactFactory())


def deal_of_a_conversion_elsewhere(world):
    plain(Conversion).update(opportunity=OpportunityFactory())


def conversion_at_another_time(world):
    plain(Conversion).update(converted_at=NOW + datetime.timedelta(seconds=1))


def phase_of_another_status(world):
    plain(Lead, phase="NURTURING").update(phase="WORKING")


def edit_of_a_converted_lead(world):
    Lead.objects.filter(pk=world["lead"].pk).update(title="CTO")


def account_below_itself(world):
    plain(Account, pk=world["top"].pk).update(
        parent=world["account"], root=world["account"], depth=4
    )


def account_at_a_wrong_place(world):
    plain(Account, pk=world["account"].pk).update(path="/1/")


def child_of_an_archived_account(world):
    Account.objects.filter(pk=world["account"].pk).update(archived_at=NOW)


def person_with_another_account(world):
    plain(Contact).update(account=world["top"])


def person_with_relations_but_no_direct_one(world):
    plain(AccountContactRelation).update(is_direct=False)
    plain(Contact).update(account=None)


def role_of_an_unmarked_stranger(world):
    plain(OpportunityContactRole).update(contact=ContactFactory())


def deal_with_estimates_of_another_stage(world):
    plain(Opportunity, is_closed=False).update(probability=55)


def stage_without_history(world):
    plain(OpportunityStageHistory)._raw_delete("default")


def history_with_a_gap(world):
    rows = plain(OpportunityStageHistory, from_stage__isnull=False)
    rows.update(from_stage=Stage.named("Perception Analysis"))


def amount_without_a_currency(world):
    plain(Opportunity).update(currency="")


def record_past_the_journal(world):
    plain(Account, pk=world["top"].pk).update(version=7)


def value_past_the_journal(world):
    plain(Account, pk=world["top"].pk).update(site="London")


def forged_change(world):
    forge(Change.objects.order_by("pk").first(), after="{}")


def empty_operation(world):
    Operation.objects.create(kind=Kind.EDIT, at=NOW)


def outdated_key(world):
    plain(Account, pk=world["top"].pk).update(domain="globex.example")


def chain_of_merged_records(world):
    first, second, third = AccountFactory.create_batch(3)
    plain(Account, pk=first.pk).update(archived_at=NOW, merged_into=second)
    plain(Account, pk=second.pk).update(archived_at=NOW, merged_into=third)


def person_of_a_merged_account(world):
    plain(Account, pk=world["account"].pk).update(archived_at=NOW, merged_into=AccountFactory())


def planned_change_of_job_that_nobody_can_read(world):
    PlannedJobChangeFactory(contact=world["contact"], entered={"shoe_size": 44})


def rule_that_asks_for_what_is_not_there(world):
    gone = {"all": [{"field": "shoe_size", "op": "is", "value": 44}]}
    plain(AssignmentRule, pk=RuleFactory().pk).update(criteria=gone)


def lead_of_somebody_inactive(world):
    plain(User, pk=LeadFactory(owner=UserFactory()).owner_id).update(is_active=False)


BREAKS = {
    "I01": converted_lead_without_conversion,
    "I02": conversion_of_an_open_lead,
    "I04": person_of_a_conversion_elsewhere,
    "I05": deal_of_a_conversion_elsewhere,
    "I06": conversion_at_another_time,
    "I07": phase_of_another_status,
    "I08": edit_of_a_converted_lead,
    "I10": account_below_itself,
    "I11": account_at_a_wrong_place,
    "I12": child_of_an_archived_account,
    "I15": person_with_another_account,
    "I15 too": person_with_relations_but_no_direct_one,
    "I17": role_of_an_unmarked_stranger,
    "I20": deal_with_estimates_of_another_stage,
    "I22": stage_without_history,
    "I22 too": history_with_a_gap,
    "I23": amount_without_a_currency,
    "I26": record_past_the_journal,
    "I27": value_past_the_journal,
    "I28": forged_change,
    "I29": empty_operation,
    "I30": outdated_key,
    "I31": chain_of_merged_records,
    "I32": person_of_a_merged_account,
    "I37": lead_of_somebody_inactive,
    "I43": rule_that_asks_for_what_is_not_there,
    "I44": planned_change_of_job_that_nobody_can_read,
}


@pytest.mark.parametrize("name", BREAKS)
def test_check_finds_what_offends_it(world, name):
    BREAKS[name](world)

    assert name.split()[0] in found()


def test_check_finds_an_undo_that_did_not_restore(world, admin):
    account = AccountFactory(owner=admin, name="Acme")
    operation = move_of(account, admin)
    undone = undo(operation, by=admin)
    change = undone.changes.get()
    forge(change, after=change.after.replace("null", "1"))

    assert "I33" in found()


def move_of(account, admin):
    move_account(account, parent=AccountFactory(owner=admin), by=admin)
    return Operation.objects.order_by("-pk").first()


# -- the command ------------------------------------------------------------------------------


def run(**options):
    out = io.StringIO()
    try:
        call_command("check_data", stdout=out, stderr=io.StringIO(), **options)
    except SystemExit as stop:
        return stop.code, out.getvalue()
    return 0, out.getvalue()


def test_check_data_says_nothing_of_sound_data(world):
    assert run(full=True) == (0, "")


def test_check_data_prints_a_line_for_each_offence_and_fails(world):
    lead = Lead.objects.get(phase="NURTURING")
    phase_of_another_status(world)

    status, text = run()
    rule = "A lead's phase is its status's, and a converted one has the time of its conversion."
    assert (status, text) == (1, f"I07 lead {lead.pk}: {rule}\n")

    status, text = run(json=True)
    assert (status, json.loads(text)["id"]) == (1, lead.pk)
    assert run(only="I15,I16") == (0, "")


def test_check_data_repairs_derived_values_only(world):
    outdated_key(world)
    account_at_a_wrong_place(world)

    run(fix="I11,I30", full=True)

    assert found() == set()
    with pytest.raises(CommandError, match="I07"):
        run(fix="I07")
    with pytest.raises(CommandError, match="I99"):
        run(only="I99")


@pytest.mark.django_db(transaction=True)
def test_snapshot_reads_without_writing():
    with snapshot():
        assert Account.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_snapshot_is_the_first_thing_that_a_connection_does():
    def count():
        with snapshot():
            return Account.objects.count()

    assert at_once(count) == [0]
