"""
A random hour's worth of work: after each step every invariant holds.

The latest operation can always be undone, and undo and redo restore the tables exactly:
without that rule a wrong playback would hide behind conflicts.
"""

import datetime
import os

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.models import Account
from accounts.services import DependantsChoice, archive_account, move_account
from contacts.models import AccountContactRelation, Contact
from contacts.services import add_relation, change_job, end_relation, remove_relation
from core.checks import all_checks
from core.errors import DomainError
from core.journal import Kind, Label, Operation, operation
from core.models import Organisation
from core.services import archive, assign
from core.undo import preview_undo, undo
from leads.conversion import ConversionChoices, Relation, convert_lead
from leads.conversion.choices import Deal
from leads.models import Lead, LeadStatus
from leads.services import change_status
from opportunities.models import Opportunity, Stage
from opportunities.services import change_stage, close_lost, create_opportunity, save_opportunity
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.users import UserFactory

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "12"))
STEPS = int(os.environ.get("STATEFUL_STEPS", "20"))
PICK = st.integers(0, 99)
TEXT = st.sampled_from(["", "One", "Two", "Ünï"])


class Work(RuleBasedStateMachine):
    """Everything that an administrator can do to a small organisation, in any order."""

    def __init__(self):
        super().__init__()
        self.block = transaction.atomic()
        self.block._from_testcase = True  # operations are durable: they accept a test's block
        self.block.__enter__()
        self.by = UserFactory(role="ADMIN")
        self.other = UserFactory(role="REP")
        accounts = AccountFactory.create_batch(3, owner=self.by)
        for account in accounts[:2]:
            ContactFactory(owner=self.by, account=account)
        LeadFactory.create_batch(2, owner=self.by, budget=100)
        self.first = Operation.objects.order_by("-pk").values_list("pk", flat=True).first()

    def teardown(self):
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    # -- picking ------------------------------------------------------------------------------

    def some(self, model, number):
        rows = list(model.objects.order_by("pk"))
        return rows[number % len(rows)] if rows else None

    def mine(self):
        return Operation.objects.filter(pk__gt=self.first).order_by("-pk")

    def do(self, call, *args, **kwargs):
        """Call a service; what it refuses must have changed nothing."""
        before = digest()
        try:
            return call(*args, **kwargs)
        except (DomainError, Lead.DoesNotExist, Account.DoesNotExist, Contact.DoesNotExist,
                Opportunity.DoesNotExist):  # fmt: skip
            assert digest() == before
            return None

    # -- work ---------------------------------------------------------------------------------

    @rule(text=TEXT)
    def enter_lead(self, text):
        with operation(Kind.CREATE, by=self.by, label=Label("Enter")):
            LeadFactory(owner=self.by, company=text, email="", budget=None)

    @rule(number=PICK)
    def enter_account(self, number):
        parent = self.some(Account, number)
        if parent is not None and (parent.archived_at or parent.kind == Account.Kind.INDIVIDUAL):
            parent = None
        with operation(Kind.CREATE, by=self.by, label=Label("Enter")):
            AccountFactory(owner=self.by, parent=parent)

    @rule(number=PICK, amount=st.sampled_from([None, 0, 10]))
    def enter_deal(self, number, amount):
        account = self.some(Account, number)
        contact = self.some(Contact, number)
        deal = Opportunity(name="Deal", account=account, amount=amount, owner=self.by)
        self.do(create_opportunity, deal, by=self.by, primary_contact=contact)

    @rule(number=PICK, text=TEXT)
    def edit(self, number, text):
        record = self.some([Account, Contact, Lead][number % 3], number)
        if record is None or record.why_read_only() or record.archived_at:
            return
        with operation(Kind.EDIT, by=self.by, label=Label("Edit")):
            record.description = text
            record.phone = "+49 40 55501" if text else ""
            record.save()

    @rule(number=PICK, text=TEXT)
    def edit_many(self, number, text):
        model = [Account, Contact][number % 2]
        with operation(Kind.BULK_EDIT, by=self.by, label=Label("Edit many")):
            model.objects.filter(archived_at=None).update(description=text)

    @rule(number=PICK, days=st.integers(0, 90))
    def push_deal(self, number, days):
        deal = self.some(Opportunity, number)
        if deal is None or deal.is_closed:
            return
        deal.close_date = Organisation.current().today() + datetime.timedelta(days=days)
        self.do(save_opportunity, deal, by=self.by)

    @rule(number=PICK, to=PICK)
    def move_stage(self, number, to):
        if (deal := self.some(Opportunity, number)) is not None:
            self.do(change_stage, deal, stage=self.some(Stage, to), by=self.by)

    @rule(number=PICK)
    def lose_deal(self, number):
        if (deal := self.some(Opportunity, number)) is not None:
            self.do(close_lost, deal, reason="Price", by=self.by)

    @rule(number=PICK, to=PICK)
    def move_status(self, number, to):
        if (lead := self.some(Lead, number)) is not None:
            status = self.some(LeadStatus, to)
            self.do(change_status, lead, status=status, by=self.by, reason="No interest")

    @rule(number=PICK, model=st.sampled_from([Account, Contact, Lead, Opportunity]))
    def give_away(self, number, model):
        if (record := self.some(model, number)) is not None:
            self.do(assign, record, owner=self.other, by=self.by)

    @rule(number=PICK, model=st.sampled_from([Contact, Lead, Opportunity]))
    def put_away(self, number, model):
        if (record := self.some(model, number)) is not None:
            self.do(archive, record, by=self.by)

    @rule(number=PICK, to=PICK)
    def put_away_account(self, number, to):
        target = self.some(Account, to) if to % 2 else None
        choice = DependantsChoice(target=target)
        self.do(archive_account, self.some(Account, number), by=self.by, dependants=choice)

    @rule(number=PICK, to=PICK)
    def move_in_hierarchy(self, number, to):
        account = self.some(Account, number)
        parent = self.some(Account, to) if to % 3 else None
        self.do(move_account, account, parent=parent, by=self.by)

    @rule(number=PICK, to=PICK)
    def relate(self, number, to):
        if (contact := self.some(Contact, number)) is not None:
            self.do(add_relation, contact, self.some(Account, to), by=self.by)

    @rule(number=PICK, to=PICK)
    def change_of_job(self, number, to):
        if (contact := self.some(Contact, number)) is not None:
            self.do(change_job, contact, account=self.some(Account, to), by=self.by)

    @rule(number=PICK, remove=st.booleans())
    def end(self, number, remove):
        relation = self.some(AccountContactRelation, number)
        if relation is None:
            return
        others = relation.contact.relations.active().exclude(pk=relation.pk).order_by("pk")
        following = others.first() if relation.is_direct else None
        if remove:
            self.do(remove_relation, relation, by=self.by, next_direct=following)
        else:
            today = Organisation.current().today()
            self.do(end_relation, relation, by=self.by, end_date=today, next_direct=following)

    @rule(number=PICK, deal=st.sampled_from([Deal.NEW, Deal.NONE]), how=PICK)
    def convert(self, number, deal, how):
        lead = self.some(Lead, number)
        account = self.some(Account, how) if how % 2 else None
        contact = self.some(Contact, how) if how % 3 else None
        choices = ConversionChoices(
            account=account,
            contact=contact,
            deal=deal,
            relation=Relation.MOVED if how % 5 == 0 else Relation.ALSO,
            winners={"account.phone": "lead", "contact.email": "lead"},
        )
        self.do(convert_lead, lead, by=self.by, choices=choices)

    # -- undo ---------------------------------------------------------------------------------

    @rule()
    def undo_and_redo_the_latest(self):
        latest = self.mine().first()
        if latest is None:
            return
        now = digest()
        taken_back = undo(latest, by=self.by)
        before = digest()
        again = undo(taken_back, by=self.by)
        assert differences(now, digest()) == {}
        undo(again, by=self.by)
        assert differences(before, digest()) == {}

    @rule()
    def undo_the_latest(self):
        if (latest := self.mine().first()) is not None:
            undo(latest, by=self.by)

    @rule(number=PICK)
    def undo_any(self, number):
        done = list(self.mine())
        if done:
            chosen = done[number % len(done)]
            self.do(self.undo_with_all_ticks, chosen)

    def undo_with_all_ticks(self, done):
        accept = [
            (tick.model, tick.object_id)
            for plan in preview_undo(done, by=self.by)
            for tick in plan.ticks
        ]
        return undo(done, by=self.by, accept=accept)

    # -- what always holds --------------------------------------------------------------------

    @invariant()
    def every_invariant_holds(self):
        for check in all_checks():
            assert [str(offence) for offence in check.offences(full=True)] == []


@pytest.mark.django_db
def test_all_invariants_hold_after_random_work():
    run_state_machine_as_test(
        Work,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            # No shrinking at first: a limit of time would hide a failure.
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
