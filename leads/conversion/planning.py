"""
What a conversion would do, worked out without writing anything.

The preview, the dry run and the execution use this one plan; there is no second copy of the
rules. Rule: docs/rules/conversion.md, sections 2 to 5.
"""

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from core import reach
from core.constraints import constraint_errors
from core.journal import canonical
from core.models import Organisation
from core.normalise import CleanContext, fold
from core.records import codecs
from leads.conversion import mapping
from leads.conversion.choices import ConversionChoices, Deal, Relation
from leads.conversion.mapping import FIELD_MAP, How
from leads.conversion.matches import Matches, suggest_matches
from leads.models import LeadStatus, Phase
from leads.signals import conversion_planned
from opportunities.models import Opportunity, Stage


class Outcome(StrEnum):
    """What happens to one mapped field."""

    CREATE = "create"  # a value of a new record
    FILL = "fill"  # a blank of an existing record
    ADD = "add"  # to a list, or an opt-out
    REPLACE = "replace"  # a conflict that the lead's value wins
    KEEP = "keep"  # a conflict that the record's value wins
    SAME = "same"
    LEFT = "left"  # unticked
    CLOSED = "closed"  # the record may not be edited


WRITTEN = (Outcome.CREATE, Outcome.FILL, Outcome.ADD, Outcome.REPLACE)


@dataclass(frozen=True)
class Effect:
    """One row of the field map in one conversion, with both values."""

    pair: mapping.Pair
    label: str
    outcome: Outcome
    offered: dict
    present: dict
    written: dict
    is_conflict: bool = False

    @property
    def key(self):
        return self.pair.key

    @property
    def is_carried(self):
        """Whether the field's tick "carry over" is set."""
        return self.outcome is not Outcome.LEFT

    @property
    def can_be_left(self):
        return self.pair.how is not How.ALWAYS and not self.pair.is_name


class Action(StrEnum):
    CREATE = "create"
    USE = "use"
    NONE = "none"


@dataclass
class Card:
    """What happens to one of the three targets."""

    name: str
    model: type
    action: Action
    record: object = None  # the existing one, or the new one as it would be saved
    effects: list[Effect] = field(default_factory=list)
    values: dict = field(default_factory=dict)  # by attribute, what is written
    errors: dict = field(default_factory=dict)
    may_edit: bool = True

    @property
    def creates(self):
        return self.action is Action.CREATE

    @property
    def conflicts(self):
        return [effect for effect in self.effects if effect.is_conflict]

    def of(self, *outcomes):
        return [effect for effect in self.effects if effect.outcome in outcomes]

    @property
    def fills(self):
        return self.of(Outcome.FILL)

    @property
    def adds(self):
        return self.of(Outcome.ADD)

    @property
    def replaces(self):
        return self.of(Outcome.REPLACE)

    @property
    def keeps(self):
        return self.of(Outcome.KEEP)

    @property
    def same(self):
        return self.of(Outcome.SAME)

    @property
    def offers(self):
        """The rows that can be ticked or left."""
        return [effect for effect in self.effects if effect.can_be_left]

    @property
    def carried(self):
        return [effect for effect in self.offers if effect.is_carried]


class Link(StrEnum):
    """What happens to the relation of the person with the account."""

    DIRECT = "direct"  # becomes the direct account
    ADD = "add"  # a further active relation
    MOVE = "move"  # job change: the old direct one ends today
    KEEP = "keep"  # there is one already


@dataclass(frozen=True)
class RelationPlan:
    """The relation of contact and account, and whether the user is asked."""

    link: Link
    elsewhere: Account | None = None  # the person's present direct account, if another one


@dataclass
class ConversionPlan:
    """Everything that one conversion would do; ``execute`` does exactly this."""

    lead: object
    by: object
    choices: ConversionChoices
    matches: Matches
    account: Card
    contact: Card
    opportunity: Card
    relation: RelationPlan
    status: object
    owner: object
    role_action: Action = Action.NONE
    role_is_primary: bool = False
    sections: list = field(default_factory=list)
    errors: dict = field(default_factory=dict)

    @property
    def cards(self):
        return (self.account, self.contact, self.opportunity)

    @cached_property
    def all_errors(self):
        """
        Messages by form field: ``account.name``, of a card as a whole ``account``.

        The database is asked what it would refuse of the new records, in one statement. Where
        a typed value is refused already, the record does not have its values yet.
        """
        asked = [card for card in self.cards if card.creates and card.record and not card.errors]
        refused = constraint_errors([card.record for card in asked])
        for card, errors in zip(asked, refused, strict=True):
            card.errors.update(errors)
        found = {name: list(messages) for name, messages in self.errors.items()}
        for card in self.cards:
            for name, messages in card.errors.items():
                key = card.name if name in ("", "__all__") else f"{card.name}.{name}"
                found.setdefault(key, []).extend(messages)
        return found

    @property
    def fingerprint(self):
        """
        The sha256 of what was shown: effects, values, matches.

        No clock, no keys of new records, no versions of records that are not touched.
        """
        shown = {
            "cards": [_shown(card) for card in self.cards],
            "relation": [self.relation.link, getattr(self.relation.elsewhere, "pk", None)],
            "role": [self.role_action, self.role_is_primary, self.choices.role],
            "status": self.status.pk,
            "owner": self.owner.pk,
            "matches": self.matches.fingerprint,
            "sections": [getattr(section, "fingerprint", None) for section in self.sections],
        }
        return hashlib.sha256(canonical(shown).encode()).hexdigest()


def _shown(card):
    dump = {codec.attname: codec.dump for codec in codecs(card.model).values()}
    dump |= {codec.name: codec.dump for codec in codecs(card.model).values()}
    effects = [
        [effect.key, effect.outcome, _texts(effect.offered, dump), _texts(effect.present, dump)]
        for effect in card.effects
    ]
    key = None if card.creates or card.record is None else card.record.pk
    told = {name: value for name, value in card.values.items() if value not in ("", None, [])}
    values = _texts(told, dump) if card.creates else {}
    return [card.action, key, effects, values]


def _texts(values, dump):
    clocks = ("_at",)
    return {
        name: dump[name](getattr(value, "pk", value)) if name in dump else str(value)
        for name, value in values.items()
        if not name.endswith(clocks)
    }


def plan_conversion(lead, *, by, choices, matches=None):
    """
    Work out what converting ``lead`` with ``choices`` would do; reads only.

    Refusals that belong to a field of the form are in ``plan.all_errors``; the plan is whole
    all the same, so that the page can show it. Amounts keep the lead's currency; the close date
    is a day in the organisation's time zone.
    """
    return _Planner(lead, by, choices, matches).plan()


class _Planner:
    def __init__(self, lead, by, choices, matches):
        self.lead = lead
        self.by = by
        self.choices = choices
        self.matches = matches or suggest_matches(lead, by=by, account=choices.account)
        self.owner = choices.owner or lead.owner
        self.errors = {}
        self.now = timezone.now()

    def plan(self):
        account = self.account_card()
        contact = self.contact_card()
        opportunity = self.opportunity_card(account)
        plan = ConversionPlan(
            lead=self.lead,
            by=self.by,
            choices=self.choices,
            matches=self.matches,
            account=account,
            contact=contact,
            opportunity=opportunity,
            relation=self.relation(account, contact),
            status=self.status(),
            owner=self.owner,
            errors=self.errors,
        )
        self.plan_role(plan)
        if not self.owner.is_active:
            self.refuse("owner", _("%(owner)s is not active any more.") % {"owner": self.owner})
        for _receiver, section in conversion_planned.send(sender=type(self.lead), plan=plan):
            if section is not None:
                plan.sections.append(section)
        return plan

    def refuse(self, name, message):
        self.errors.setdefault(name, []).append(message)

    def status(self):
        statuses = LeadStatus.of_phase(Phase.CONVERTED)
        chosen = self.choices.status
        if chosen is None:
            return statuses[0] if statuses else LeadStatus.first(Phase.CONVERTED)
        if chosen.phase != Phase.CONVERTED:
            self.refuse("status", _("“%(status)s” is not a converted status.") % {"status": chosen})
        return chosen

    # -- account ------------------------------------------------------------------------------

    def account_card(self):
        existing = self.choices.account
        card = self.card("account", Account, existing)
        if card.creates:
            if not self.lead.company and not self.typed("account"):
                card.values["kind"] = Account.Kind.INDIVIDUAL
            self.finish_new(card)
        return card

    # -- contact ------------------------------------------------------------------------------

    def contact_card(self):
        card = self.card("contact", Contact, self.choices.contact)
        if card.creates:
            self.finish_new(card)
        elif replaced := next((e for e in card.replaces if e.key == "contact.email"), None):
            if not card.record.secondary_email and "secondary_email" not in card.values:
                card.values["secondary_email"] = replaced.present["email"]
        return card

    # -- both ---------------------------------------------------------------------------------

    def card(self, name, model, existing):
        card = Card(name, model, Action.USE if existing is not None else Action.CREATE, existing)
        if existing is not None:
            card.may_edit = existing.can(self.by, "edit")
        elif not reach.may(self.by, "create", model):
            card.errors[""] = [_("You can't create one. Choose an existing one.")]
        for pair in FIELD_MAP[name]:
            offered = mapping.lead_values(pair, self.lead)
            if effect := self.effect(card, pair, offered):
                card.effects.append(effect)
                card.values.update(effect.written)
        if existing is not None:
            self.refuse_long(card)
        return card

    def refuse_long(self, card):
        """What several of the lead's texts make together may be too long for an existing field."""
        for name, value in card.values.items():
            limit = getattr(card.model._meta.get_field(name), "limit", None)
            if limit is not None and isinstance(value, str) and len(value) > limit:
                message = _("At most %(limit)s characters fit.") % {"limit": limit}
                card.errors.setdefault(name, []).append(message)

    def effect(self, card, pair, offered):
        telling = {name: v for name, v in offered.items() if name != "currency"}
        if mapping.is_blank(telling):
            return None
        label = str(pair.label or card.model._meta.get_field(pair.fields[0]).verbose_name)
        left = pair.key in self.choices.left and pair.how is not How.ALWAYS and not pair.is_name
        if card.creates:
            outcome = Outcome.LEFT if left else Outcome.CREATE
            written = {} if left else self.stamped(pair, offered)
            return Effect(pair, label, outcome, offered, {}, written)
        present = {name: getattr(card.record, name) for name in pair.fields}
        outcome, written, conflict = self.meet(card, pair, offered, present, left)
        if written and not left:
            written = self.stamped(pair, written)
        return Effect(pair, label, outcome, offered, present, written, conflict)

    def stamped(self, pair, values):
        """An opt-out without a time of its own gets the time of the conversion."""
        if pair.how is How.ALWAYS and values.get(pair.fields[1]) is None:
            return values | {pair.fields[1]: self.now}
        return dict(values)

    def meet(self, card, pair, offered, present, left):
        """How the lead's values meet those of an existing record: outcome, written, conflict."""
        telling = {name: value for name, value in present.items() if name != "currency"}
        if pair.how is How.ALWAYS:  # an opt-out wins everywhere, also where nothing else is edited
            if present[pair.fields[0]]:
                return Outcome.SAME, {}, False
            return Outcome.ADD, offered, False
        if mapping.is_same(pair, offered, present):
            return Outcome.SAME, {}, False
        if left:
            return Outcome.LEFT, {}, False
        if not card.may_edit:
            return Outcome.CLOSED, {}, False
        if pair.how is How.UNION:
            return self.unite(pair, offered, present)
        if mapping.is_blank(telling):
            return Outcome.FILL, offered, False
        if pair.is_name or pair.how is How.FILL:
            return Outcome.KEEP, {}, False
        if self.choices.winners.get(pair.key) == "lead":
            return Outcome.REPLACE, offered, True
        return Outcome.KEEP, {}, True

    def unite(self, pair, offered, present):
        name = pair.fields[0]
        known = {fold(str(value)) for value in present[name]}
        new = [value for value in offered[name] if fold(str(value)) not in known]
        if not new:
            return Outcome.SAME, {}, False
        return Outcome.ADD, {name: [*present[name], *new]}, False

    def typed(self, card):
        """What was typed for the new record of ``card``: {field: text}."""
        start = f"{card}."
        values = self.choices.values.items()
        return {name.removeprefix(start): v for name, v in values if name.startswith(start)}

    def finish_new(self, card):
        """Add what was typed, clean it, ask the constraints; the record as it would be saved."""
        context = CleanContext.for_user(self.by)
        typed = self.typed(card.name)
        cleaned, errors = card.model.clean_values(typed, context) if typed else ({}, {})
        self.take_typed(card, cleaned)
        card.values["owner"] = self.owner
        for name, messages in errors.items():
            card.errors.setdefault(name, []).extend(messages)
        card.record = card.model(**card.values)

    def take_typed(self, card, cleaned):
        """What was typed wins over the lead; a field that was emptied is not carried over."""
        card.values.update(cleaned)
        emptied = {name for name, value in cleaned.items() if value in ("", None)}
        card.effects = [
            replace(effect, outcome=Outcome.LEFT, written={})
            if emptied & set(effect.pair.fields) and effect.can_be_left
            else effect
            for effect in card.effects
        ]

    # -- relation -----------------------------------------------------------------------------

    def relation(self, account, contact):
        if contact.creates:
            return RelationPlan(Link.DIRECT)
        person = contact.record
        rows = AccountContactRelation.objects.filter(contact=person).active()
        related = {row.account_id: row for row in rows.select_related("account")}
        direct = next((row for row in related.values() if row.is_direct), None)
        here = related.get(account.record.pk) if not account.creates else None
        if direct is None:
            return RelationPlan(Link.DIRECT)
        if here is not None and here.is_direct:
            return RelationPlan(Link.KEEP)
        if self.choices.relation == Relation.MOVED:
            self.require_move(account, contact, direct)
            return RelationPlan(Link.MOVE, direct.account)
        return RelationPlan(Link.KEEP if here is not None else Link.ADD, direct.account)

    def require_move(self, account, contact, direct):
        """Refuse what the change of job would refuse: rights on all three, a job not begun."""
        if not contact.may_edit:
            name = {"contact": contact.record}
            self.refuse("relation", _("You may not move %(contact)s.") % name)
        elif not reach.can(account.record, self.by, "edit"):
            name = {"account": account.record}
            self.refuse("relation", _("You may not move people to %(account)s.") % name)
        elif not reach.can(direct.account, self.by, "edit"):
            self.refuse("relation", _("You may not move people away from where they work now."))
        elif direct.start_date and direct.start_date > self.today()[0]:
            message = _("The present job only begins on %(start)s.")
            self.refuse("relation", message % {"start": direct.start_date.isoformat()})

    # -- opportunity --------------------------------------------------------------------------

    def opportunity_card(self, account):
        if self.choices.deal == Deal.NONE:
            return Card("opportunity", Opportunity, Action.NONE)
        existing = self.choices.opportunity if self.choices.deal == Deal.EXISTING else None
        if self.choices.deal == Deal.EXISTING and existing is None:
            card = Card("opportunity", Opportunity, Action.USE)
            card.errors[""] = [_("Choose the deal.")]
            return card
        card = self.card("opportunity", Opportunity, existing)
        if existing is not None:
            self.check_deal(card, account)
        else:
            self.new_deal(card, account)
        return card

    def lead_status_name(self):
        statuses = LeadStatus.everything()
        return next((s.name for s in statuses if s.pk == self.lead.status_id), "")

    def check_deal(self, card, account):
        deal = card.record
        if deal.is_closed:
            card.errors[""] = [_("%(deal)s is closed. Choose an open deal.") % {"deal": deal}]
        elif account.creates or deal.account_id != account.record.pk:
            message = _("%(deal)s belongs to another account.") % {"deal": deal}
            card.errors[""] = [message]

    def new_deal(self, card, account):
        today, organisation = self.today()
        stage = Stage.first_open()
        preset = {
            "name": mapping.deal_name(self.lead),
            "stage": stage,
            "currency": self.lead.budget_currency,
            "close_date": mapping.deal_close_date(
                self.lead, organisation=organisation, today=today
            ),
            "lead_status": self.lead_status_name(),
            "owner": self.owner,
        }
        card.values = preset | card.values
        context = CleanContext.for_user(self.by)
        typed = self.typed("opportunity")
        cleaned, errors = Opportunity.clean_values(typed, context) if typed else ({}, {})
        # What follows from the stage is set by enter() below, for typed and preset stages alike.
        self.take_typed(card, {name: cleaned[name] for name in typed if name in cleaned})
        for name, messages in errors.items():
            card.errors.setdefault(name, []).extend(messages)
        if card.values["stage"].is_closed:
            card.errors.setdefault("stage", []).append(_("A new deal begins in an open stage."))
        card.record = Opportunity(**card.values)
        if not account.creates:
            card.record.account = account.record
        card.record.enter(card.values["stage"], at=self.now)

    def today(self):
        organisation = Organisation.current()
        return organisation.today(), organisation

    def plan_role(self, plan):
        """The contact's role in the deal: primary if there is no primary yet."""
        card = plan.opportunity
        if card.action is Action.NONE or card.record is None:
            return
        plan.role_action, plan.role_is_primary = Action.CREATE, True
        if card.creates:
            return
        roles = list(card.record.roles.all())
        plan.role_is_primary = not any(role.is_primary for role in roles)
        if not plan.contact.creates and plan.contact.record.pk in {r.contact_id for r in roles}:
            plan.role_action = Action.NONE
