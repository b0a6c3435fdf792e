"""
Who gets a lead: the owner of its account, or whom the first fitting rule names, or the default.

``assign_by_rules`` asks the rules for a lead that is there, ``choose_owners`` for leads that are
about to be saved, ``explain`` for one without writing anything; all three decide alike.
Rule: docs/rules/assignment.md.
"""

import copy
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Account
from core.filtering import Condition, Filter, FilterRefused, Group, parse
from core.journal import Kind, Label, RowsMoved, operation, retried
from core.models import Organisation
from core.reach import Verb
from core.records import lock
from core.services import locked
from core.signals import owner_changed
from core.tables import column_of
from leads.models import AssignedBy, AssignmentRule, Lead
from leads.models.lead import BY_A_RULE
from leads.models.takers import ROLES, why_not_taken
from leads.models.turns import turns_of
from users.models import User

BY_RULE = gettext_noop("Assigned %(record)s to %(owner)s by the rule %(rule)s")
INSTEAD_OF_RULE = gettext_noop(
    "Assigned %(record)s to %(owner)s: the target of the rule %(rule)s was away"
)
LABELS = {
    AssignedBy.RULE: BY_RULE,
    AssignedBy.FALLBACK: INSTEAD_OF_RULE,
    AssignedBy.INSTEAD: INSTEAD_OF_RULE,
    AssignedBy.ACCOUNT: gettext_noop("Assigned %(record)s to %(owner)s, who owns its account"),
    AssignedBy.DEFAULT: gettext_noop("Assigned %(record)s to %(owner)s: no rule fits it"),
    AssignedBy.KEPT: gettext_noop("Left %(record)s with %(owner)s: nobody could take it"),
}


@dataclass(frozen=True)
class Decision:
    """Who gets a lead and why: the rule that it fits, and who was passed over, in words."""

    owner: User
    how: AssignedBy
    rule: AssignmentRule | None = None
    account: Account | None = None
    passed_over: tuple = ()

    def set_on(self, lead, *, at):
        """Set the owner and what chose him; saves nothing, returns the names of the fields."""
        names = lead.give_to(self.owner)
        lead.assigned_by, lead.assigned_at = self.how, at
        lead.assigned_by_rule = self.rule
        return names

    def label(self, lead):
        """The words of the assignment, for the journal."""
        named = {"rule": self.rule} if self.how in BY_A_RULE else {}
        return Label(LABELS[self.how], record=lead, owner=self.owner, **named)


class Assigner:
    """
    Decides about some leads by the rules as they are now.

    ``rows`` is ``lock`` where the turns are to be kept: the queues stay locked until the end of
    the transaction, so that nobody is served twice in one turn. The leads must be derived.
    """

    def __init__(self, leads, *, rows=lock):
        self.leads = leads
        self.rows = rows
        self.organisation = Organisation.current()
        self.today = self.organisation.today()

    # what it decides by, read when it is first needed

    @cached_property
    def rules(self):
        """The active rules in their order."""
        return list(AssignmentRule.objects.active().in_order())

    @cached_property
    def filters(self):
        """The conditions of each rule by its key: a Filter, or why they can't be asked."""
        return {rule.pk: _asked(rule) for rule in self.rules}

    @cached_property
    def turns(self):
        """The queues that rules name, by key, each with its members."""
        return turns_of({rule.queue_id for rule in self.rules} - {None}, self.today, self.rows)

    @cached_property
    def _accounts(self):
        """The accounts of the leads' domains and those said to be theirs, by domain and key."""
        domains = {name for lead in self.leads for name in _domains(lead)}
        keys = {lead.matched_account_id for lead in self.leads} - {None}
        live = Account.objects.live().select_related("owner")
        by_domain = defaultdict(list)
        for account in live.filter(domain__among=sorted(domains)) if domains else ():
            by_domain[account.domain].append(account)
        by_key = {a.pk: a for a in live.filter(pk__among=sorted(keys))} if keys else {}
        return by_domain, by_key

    # deciding

    def decide(self, lead):
        """The Decision about one of the leads, whose queue then has served its member."""
        account = self.account_of(lead)
        if account is not None and not why_not_taken(account.owner, today=self.today):
            return Decision(account.owner, AssignedBy.ACCOUNT, account=account)
        rule = next((rule for rule in self.rules if self.fits(rule, lead)), None)
        return self._by_default(lead) if rule is None else self._by_rule(lead, rule)

    def fits(self, rule, lead):
        """Whether a lead meets the conditions of a rule; one that can't be asked fits nothing."""
        found = self.filters[rule.pk]
        return isinstance(found, Filter) and found.matches(lead)

    def account_of(self, lead):
        """
        The account that a lead certainly belongs to, if such leads go to its owner, else None.

        Certain is the one that somebody said, and the topmost account of the lead's domains if
        all accounts of these domains stand in one hierarchy.
        """
        if not self.organisation.routes_to_account_owner:
            return None
        by_domain, by_key = self._accounts
        if said := by_key.get(lead.matched_account_id):
            return said
        found = [account for domain in _domains(lead) for account in by_domain[domain]]
        if len({account.tree_id for account in found}) != 1:
            return None
        return min(found, key=lambda account: (account.depth, account.pk))

    def _by_rule(self, lead, rule):
        passed_over = []
        if rule.queue_id is not None:
            owner = self.turns[rule.queue_id].next(passed_over)
        else:
            owner = self._available(rule.target_user, passed_over)
        if owner is not None:
            return Decision(owner, AssignedBy.RULE, rule, passed_over=tuple(passed_over))
        if rule.fallback_owner is not None:
            if (owner := self._available(rule.fallback_owner, passed_over)) is not None:
                return Decision(owner, AssignedBy.FALLBACK, rule, passed_over=tuple(passed_over))
        return self._by_default(lead, rule, passed_over)

    def _by_default(self, lead, rule=None, passed_over=()):
        owner = self.organisation.default_lead_owner
        # Out of office he still gets it, as the last one who can.
        if owner is not None and owner.is_active and owner.role in ROLES:
            how = AssignedBy.DEFAULT if rule is None else AssignedBy.INSTEAD
            return Decision(owner, how, rule, passed_over=tuple(passed_over))
        return Decision(lead.owner, AssignedBy.KEPT, rule, passed_over=tuple(passed_over))

    def _available(self, user, passed_over):
        if reason := why_not_taken(user, today=self.today):
            passed_over.append(reason)
            return None
        return user

    def keep(self):
        """Save whose turn it was, in the transaction that saves the leads."""
        if "turns" in self.__dict__:
            for turns in self.turns.values():
                turns.keep()


def _domains(lead):
    return {lead.email_domain, lead.web_domain} - {""}


def _asked(rule):
    try:
        return parse(Lead, rule.criteria, by=None)
    except FilterRefused as error:
        return error


# -- assigning --------------------------------------------------------------------------------


@retried
def assign_by_rules(lead, *, by, key=None):
    """
    Let the assignment rules choose the owner of ``lead`` now. Announces ``owner_changed``.

    Whom the rules name is not limited by the reach of ``by``: administrators made them.

    :raises ReadOnly: the lead is converted
    :raises NotAllowed: ``by`` may not assign it
    """
    with operation(Kind.EDIT, by=by, label=Label(""), key=key) as op:
        lead = locked(lead, by=by, verb=Verb.ASSIGN)
        before = copy.copy(lead)
        assigner = Assigner([lead])
        decision = assigner.decide(lead)
        _hold_owners([decision])
        lead.save(update_fields=decision.set_on(lead, at=op.at))
        assigner.keep()
        op.label = decision.label(lead)
        op.location = lead.get_absolute_url()
        if lead.owner_id != before.owner_id:
            owner_changed.send(sender=Lead, record=lead, before=before)
    return lead


def choose_owners(leads):
    """Set the owners of new ``leads`` by the rules, inside the operation that then saves them."""
    Lead.derive(leads)
    assigner = Assigner(leads)
    decisions = [assigner.decide(lead) for lead in leads]
    _hold_owners(decisions)
    for lead, decision in zip(leads, decisions, strict=True):
        decision.set_on(lead, at=timezone.now())
    assigner.keep()


def _hold_owners(decisions):
    """
    Lock those who are about to get leads; one statement, none where everybody keeps his own.

    :raises RowsMoved: somebody was deactivated since it was decided; the service is run again
    """
    keys = {d.owner.pk for d in decisions if d.how != AssignedBy.KEPT}
    if not keys:
        return
    rows = lock(User.objects.filter(pk__in=keys)).order_by("pk")
    if not all(user.is_active for user in rows):
        raise RowsMoved("an owner was deactivated since the rules chose him")


# -- explaining -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What a rule says to a lead: it wins, it does not fit because …, or it is not asked."""

    WINS, MISSES, UNASKED = "wins", "misses", "unasked"

    rule: AssignmentRule
    state: str
    reasons: tuple = ()


@dataclass(frozen=True)
class Explanation:
    """Who would get a lead now, and what each active rule says to it."""

    decision: Decision
    verdicts: list


def explain(lead):
    """Say who would get ``lead`` now and why, rule by rule, without writing anything."""
    assigner = Assigner([lead], rows=lambda queues: queues)
    decision = assigner.decide(lead)
    is_decided = decision.how == AssignedBy.ACCOUNT
    verdicts = []
    for rule in assigner.rules:
        if is_decided:
            verdicts.append(Verdict(rule, Verdict.UNASKED))
        elif rule == decision.rule:
            is_decided = True
            verdicts.append(Verdict(rule, Verdict.WINS, decision.passed_over))
        else:
            reasons = tuple(why_not(assigner.filters[rule.pk], lead))
            verdicts.append(Verdict(rule, Verdict.MISSES, reasons))
    return Explanation(decision, verdicts)


def why_not(found, lead):
    """Why a lead does not meet a rule's conditions: each that fails, with what the lead has."""
    if isinstance(found, FilterRefused):
        yield _("Its conditions can't be asked: %(reason)s") % {"reason": found.message}
        return
    for item in found.items:
        if item.matches(lead):
            continue
        if isinstance(item, Group):
            yield f"{item.label}: {item.words}"
        else:
            yield _against(item, lead)


def _against(condition, lead):
    """A condition and what stands in its place in the lead."""
    wanted = f"{condition.label} {condition.words}"
    if not isinstance(condition, Condition) or condition.field == "search_text":
        return wanted
    value = column_of(Lead, condition.field).value_of(lead)
    if value is None or value == "" or value == []:
        return _("%(wanted)s; here it is empty") % {"wanted": wanted}
    return _("%(wanted)s; here: %(value)s") % {
        "wanted": wanted,
        "value": column_of(Lead, condition.field).shown(lead),
    }
