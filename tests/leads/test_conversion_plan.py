"""The plan says what happens: for random leads, records and choices the outcome equals it."""

from decimal import Decimal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from contacts.models import AccountContactRelation
from core.undo import undo
from leads.conversion import ConversionChoices, Relation, convert_lead, plan_conversion
from leads.conversion.choices import Deal
from leads.conversion.planning import Action, Link
from leads.models import Lead
from opportunities.models import OpportunityContactRole, OpportunityStageHistory
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory

TEXTS = st.sampled_from(["", "Acme", "acme ", "Übersee GmbH", "東京", "x" * 30])
PHONES = st.sampled_from(["", "+49 40 5550132", "+49 (40) 555 0132", "040 1"])
MAILS = st.sampled_from(["", "ana@meridian.example", "ANA@meridian.example", "bo@other.example"])
SITES = st.sampled_from(["", "https://meridian.example", "http://www.meridian.example/"])
LISTS = st.lists(st.sampled_from(["Golf", "golf", "Sensors"]), max_size=2, unique=True)

LEADS = st.fixed_dictionaries(
    {
        "last_name": st.sampled_from(["Ruiz", "Groß"]),
        "company": TEXTS,
        "title": TEXTS,
        "email": MAILS,
        "phone": PHONES,
        "mobile": PHONES,
        "website": SITES,
        "city": TEXTS,
        "street": TEXTS,
        "employees": st.sampled_from([None, 0, 12]),
        "annual_revenue": st.sampled_from([None, Decimal(5)]),
        "budget": st.sampled_from([None, Decimal(0), Decimal("12.5")]),
        "description": TEXTS,
        "need": TEXTS,
        "interests": LISTS,
        "email_opt_out": st.booleans(),
    }
)
ACCOUNTS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Acme", "Beta"]),
        "phone": PHONES,
        "website": SITES,
        "billing_city": TEXTS,
        "employees": st.sampled_from([None, 0, 12]),
    }
)
CONTACTS = st.fixed_dictionaries(
    {
        "last_name": st.sampled_from(["Ruiz", "Groß"]),
        "title": TEXTS,
        "email": MAILS,
        "phone": PHONES,
        "mailing_city": TEXTS,
        "interests": LISTS,
        "email_opt_out": st.booleans(),
    }
)
QUICK = [Phase.explicit, Phase.generate]  # shrinking would take minutes; the values are printed
KEYS = ["account.phone", "account.website", "contact.title", "contact.email", "contact.phone"]
WINNERS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["lead", "record"]))
LEFT = st.frozensets(st.sampled_from([*KEYS, "opportunity.amount", "contact.interests"]))


@st.composite
def situations(draw):
    return {
        "lead": draw(LEADS),
        "account": draw(st.none() | ACCOUNTS),
        "contact": draw(st.none() | CONTACTS),
        "works": draw(st.sampled_from(["nowhere", "there", "elsewhere"])),
        "deal": draw(st.sampled_from([Deal.NEW, Deal.EXISTING, Deal.NONE])),
        "relation": draw(st.sampled_from(Relation.values)),
        "winners": draw(WINNERS),
        "left": draw(LEFT),
    }


def set_up(drawn):
    """The lead and the choices of a drawn situation, on records that are made for it."""
    rep = UserFactory(role="REP")
    lead = LeadFactory(owner=rep, first_name="Ana", **drawn["lead"])
    account = contact = deal = None
    if drawn["account"] is not None:
        account = AccountFactory(owner=rep, **drawn["account"])
    if drawn["contact"] is not None:
        employer = {"there": account, "elsewhere": AccountFactory(owner=rep)}.get(drawn["works"])
        contact = ContactFactory(owner=rep, account=employer, **drawn["contact"])
    wanted = drawn["deal"]
    if wanted == Deal.EXISTING:
        if account is None:
            wanted = Deal.NEW
        else:
            deal = OpportunityFactory(owner=rep, account=account, amount=None)
    choices = ConversionChoices(
        account=account,
        contact=contact,
        deal=wanted,
        opportunity=deal,
        relation=drawn["relation"],
        winners=drawn["winners"],
        left=drawn["left"],
    )
    return Lead.objects.get(pk=lead.pk), rep, choices


def check_card(card, before, after):
    """Of an existing record exactly the planned fields differ, a new one has the planned values."""
    table = card.model._meta.label_lower
    pk = card.record.pk
    new = next(row for row in after[table] if row["id"] == pk)
    by_attname = {card.model._meta.get_field(n).attname: v for n, v in card.values.items()}
    values = {
        name: getattr(value, "pk", value)
        for name, value in by_attname.items()
        if not name.endswith("_at")  # the plan shows no clock
    }
    if card.creates:
        assert all(row["id"] != pk for row in before[table])
        for name, value in values.items():
            assert new[name] == value, name
        return
    old = next(row for row in before[table] if row["id"] == pk)
    derived = {"search_text", *(n for n in new if n.endswith(("_key", "_e164", "domain")))}
    changed = {n for n in new if new[n] != old[n] and not n.endswith("_at")} - derived
    moved = {"account_id"} if card.name == "contact" else set()
    assert changed - moved == {name for name, value in values.items() if old[name] != value}
    for name, value in values.items():
        assert new[name] == value, name


class TestPlan(TestCase):
    @settings(max_examples=40, suppress_health_check=list(HealthCheck), phases=QUICK)
    @given(situations())
    def test_the_outcome_is_what_the_plan_says_and_undo_takes_it_back(self, drawn):
        lead, rep, choices = set_up(drawn)
        before = digest()
        plan = plan_conversion(lead, by=rep, choices=choices)
        if plan.all_errors:
            return
        relations = AccountContactRelation.objects.count()
        roles = OpportunityContactRole.objects.count()

        conversion = convert_lead(lead, by=rep, choices=choices, expected=plan.fingerprint)

        after = digest()
        outcome = {
            "account": conversion.account,
            "contact": conversion.contact,
            "opportunity": conversion.opportunity,
        }
        for card in plan.cards:
            record = outcome[card.name]
            assert (record is None) == (card.action is Action.NONE)
            if record is not None:
                card.record.pk = record.pk
                check_card(card, before, after)
        made = AccountContactRelation.objects.count() - relations
        assert made == (0 if plan.relation.link is Link.KEEP else 1)
        assert OpportunityContactRole.objects.count() - roles == (plan.role_action is Action.CREATE)
        self.check_untouched(before, after, outcome, lead)

        undo(conversion.get_operation(), by=rep)

        assert differences(before, digest()) == {}

    def check_untouched(self, before, after, outcome, lead):
        """No record differs but the planned ones and their child rows."""
        touched = {(r._meta.label_lower, r.pk) for r in [*outcome.values(), lead] if r is not None}
        children = {
            AccountContactRelation._meta.label_lower,
            OpportunityContactRole._meta.label_lower,
            OpportunityStageHistory._meta.label_lower,
            "leads.conversion",
        }
        for label, (old, new) in differences(before, after).items():
            for row in [*old, *new]:
                assert label in children or (label, row["id"]) in touched, (label, row)
