"""Conversion, rule by rule: docs/rules/conversion.md."""

import datetime
from contextlib import suppress
from decimal import Decimal

import pytest
from django.dispatch import receiver
from django.urls import reverse

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from contacts.services import change_job, end_relation
from core.checks import all_checks
from core.errors import Invalid, NotAllowed
from core.journal import FormKey, Operation
from core.models import Organisation
from core.once import request_cache
from core.undo import CannotUndo, preview_undo, undo
from leads.conversion import (
    AlreadyConverted,
    ConversionChoices,
    Relation,
    convert_lead,
    default_choices,
    plan_conversion,
    sibling_leads,
    suggest_matches,
)
from leads.conversion.choices import Deal
from leads.conversion.execution import PlanChanged
from leads.models import Conversion, Lead, LeadStatus, Phase
from leads.signals import conversion_planned, lead_converted
from opportunities.models import Opportunity, Stage
from opportunities.services import close_won, save_opportunity
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.factories.users import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(rep):
    return LeadFactory(
        owner=rep,
        first_name="Ana",
        last_name="Ruiz",
        company="Meridian Foods",
        email="ana@meridian.example",
        website="https://meridian.example",
        phone="+49 40 5550132",
        street="Kühlhausstraße 14",
        city="Hamburg",
        country="DE",
        industry="Food & Beverage",
        title="Head of Operations",
        budget=Decimal(48000),
        budget_currency="EUR",
        description="Met at the fair.",
        need="Door sensors",
    )


def new(**values):
    return ConversionChoices(deal=Deal.NEW, **values)


# -- section 2: choices and defaults -----------------------------------------------------------


def test_convert_lead_creates_account_contact_and_deal(lead, rep):
    conversion = convert_lead(lead, by=rep, choices=new())

    account, contact, deal = conversion.account, conversion.contact, conversion.opportunity
    assert (account.name, account.website, account.billing_city) == (
        "Meridian Foods",
        "https://meridian.example",
        "Hamburg",
    )
    assert (contact.last_name, contact.title, contact.account) == (
        "Ruiz",
        "Head of Operations",
        account,
    )
    assert (deal.name, deal.amount, deal.currency) == ("Meridian Foods", Decimal(48000), "EUR")
    assert deal.stage == Stage.first_open()
    assert deal.lead_status == lead.status.name
    assert {account.owner, contact.owner, deal.owner} == {rep}
    role = deal.roles.get()
    assert (role.contact, role.is_primary, role.role) == (contact, True, "")
    assert deal.history.count() == 1
    lead.refresh_from_db()
    assert lead.is_converted
    assert lead.converted_at == conversion.converted_at


def test_the_certain_account_is_preselected_by_domain(lead, rep):
    account = AccountFactory(name="Other name", website="https://www.meridian.example")

    matches = suggest_matches(lead, by=rep)

    assert [m.record for m in matches.accounts] == [account]
    assert matches.accounts[0].is_certain
    assert default_choices(lead, by=rep).account == account


def test_a_free_mail_domain_is_no_proof(lead, rep):
    lead.website, lead.company, lead.email = "", "", "ana@gmail.com"
    lead.save()
    AccountFactory(website="https://gmail.com")

    assert suggest_matches(lead, by=rep).accounts == ()


def test_the_same_name_is_certain_only_in_the_same_country(lead, rep):
    lead.website = lead.email = ""
    lead.save()
    account = AccountFactory(name="Meridian Foods GmbH")
    assert default_choices(lead, by=rep).account is None

    account.billing_country = "DE"
    account.save()

    assert default_choices(lead, by=rep).account == account


def test_a_lead_without_company_becomes_an_individual_account(rep):
    lead = LeadFactory(owner=rep, first_name="Ana", last_name="Ruiz", company="", email="")

    conversion = convert_lead(lead, by=rep, choices=ConversionChoices())

    assert conversion.account.kind == Account.Kind.INDIVIDUAL
    assert conversion.account.name == "Ana Ruiz"


def test_the_contact_with_the_same_email_is_preselected(lead, rep):
    contact = ContactFactory(email="ANA@meridian.example")

    assert default_choices(lead, by=rep).contact == contact


def test_a_shared_mailbox_is_no_proof_of_identity(lead, rep):
    lead.email = "info@meridian.example"
    lead.save()
    ContactFactory(email="info@meridian.example")

    assert default_choices(lead, by=rep).contact is None


def test_an_existing_contact_also_works_at_the_account(lead, rep):
    employer = AccountFactory(owner=rep)
    contact = ContactFactory(account=employer, owner=rep)

    conversion = convert_lead(lead, by=rep, choices=ConversionChoices(contact=contact))

    contact.refresh_from_db()
    assert contact.account == employer
    relation = contact.relations.get(account=conversion.account)
    assert (relation.is_active, relation.is_direct) == (True, False)


def test_an_existing_contact_moves_to_the_account(lead, rep):
    employer = AccountFactory(owner=rep)
    contact = ContactFactory(account=employer, owner=rep)
    choices = ConversionChoices(contact=contact, relation=Relation.MOVED)

    conversion = convert_lead(lead, by=rep, choices=choices)

    contact.refresh_from_db()
    assert contact.account == conversion.account
    old = contact.relations.get(account=employer)
    assert (old.is_active, old.is_direct) == (False, False)
    assert old.end_date is not None


def test_not_yet_creates_no_deal(lead, rep):
    assert convert_lead(lead, by=rep, choices=ConversionChoices()).opportunity is None
    assert not Opportunity.objects.exists()


def test_a_deal_is_preselected_if_the_lead_carries_a_budget(lead, rep):
    assert default_choices(lead, by=rep).deal == Deal.NEW

    lead.budget = None
    lead.save()

    assert default_choices(lead, by=rep).deal == Deal.NONE


@pytest.mark.parametrize(
    ("timeline", "expected"),
    [
        ("WITHIN_3_MONTHS", datetime.date(2027, 2, 28)),
        ("WITHIN_6_MONTHS", datetime.date(2027, 5, 30)),
        ("", datetime.date(2026, 12, 31)),
    ],
)
def test_the_close_date_comes_from_the_timeline(lead, rep, timeline, expected, monkeypatch):
    today = datetime.date(2026, 11, 30)
    monkeypatch.setattr("core.models.Organisation.today", lambda self: today)
    lead.timeline = timeline
    lead.save()

    plan = plan_conversion(lead, by=rep, choices=new())

    assert plan.opportunity.record.close_date == expected


def test_an_existing_deal_gets_its_blanks_filled_and_the_contact_a_role(lead, rep):
    account = AccountFactory(owner=rep)
    deal = OpportunityFactory(account=account, owner=rep, amount=None, description="Kept")
    choices = ConversionChoices(account=account, deal=Deal.EXISTING, opportunity=deal)

    conversion = convert_lead(lead, by=rep, choices=choices)

    deal.refresh_from_db()
    assert (deal.amount, deal.currency, deal.description) == (Decimal(48000), "EUR", "Kept")
    assert deal.roles.get().contact == conversion.contact
    assert deal.roles.get().is_primary


def test_new_records_go_to_the_chosen_owner_and_existing_ones_stay(lead, rep, manager):
    account = AccountFactory(owner=manager)
    colleague = UserFactory(team=rep.team)

    conversion = convert_lead(
        lead, by=rep, choices=ConversionChoices(account=account, owner=colleague)
    )

    account.refresh_from_db()
    assert account.owner == manager
    assert conversion.contact.owner == colleague


# -- sections 3 and 4: field map, merging -------------------------------------------------------


def test_an_unticked_field_is_not_carried_over(lead, rep):
    choices = ConversionChoices(left=frozenset({"account.phone", "contact.title"}))

    conversion = convert_lead(lead, by=rep, choices=choices)

    assert conversion.account.phone == ""
    assert conversion.contact.title == ""
    assert conversion.contact.phone == lead.phone


def test_blank_fields_of_an_existing_record_are_filled(lead, rep):
    account = AccountFactory(owner=rep, name="Meridian", phone="")

    convert_lead(lead, by=rep, choices=ConversionChoices(account=account))

    account.refresh_from_db()
    assert (account.name, account.phone, account.industry) == (
        "Meridian",
        lead.phone,
        "Food & Beverage",
    )


def test_of_differing_values_the_records_stays_unless_the_leads_is_chosen(lead, rep):
    account = AccountFactory(owner=rep, phone="+1 202 5550100", website="https://old.example")
    plan = plan_conversion(lead, by=rep, choices=ConversionChoices(account=account))
    assert {e.key for e in plan.account.conflicts} == {"account.phone", "account.website"}

    choices = ConversionChoices(account=account, winners={"account.phone": "lead"})
    convert_lead(lead, by=rep, choices=choices)

    account.refresh_from_db()
    assert (account.phone, account.website) == (lead.phone, "https://old.example")


def test_values_that_only_look_different_are_no_conflict(lead, rep):
    account = AccountFactory(
        owner=rep, phone="+49 (40) 555-0132", website="http://meridian.example/"
    )

    plan = plan_conversion(lead, by=rep, choices=ConversionChoices(account=account))

    assert plan.account.conflicts == []


def test_an_address_is_never_half_overwritten(lead, rep):
    account = AccountFactory(owner=rep, billing_city="Bremen")
    convert_lead(lead, by=rep, choices=ConversionChoices(account=account))

    account.refresh_from_db()

    assert (account.billing_city, account.billing_street) == ("Bremen", "")


def test_the_name_of_an_existing_account_is_never_changed(lead, rep):
    account = AccountFactory(owner=rep, name="Meridian Holding")
    choices = ConversionChoices(account=account, winners={"account.name": "lead"})

    convert_lead(lead, by=rep, choices=choices)

    account.refresh_from_db()
    assert account.name == "Meridian Holding"


def test_an_opt_out_of_either_counts_and_cannot_be_unticked(lead, rep):
    lead.email_opt_out = True
    lead.save()
    contact = ContactFactory(owner=rep)
    choices = ConversionChoices(contact=contact, left=frozenset({"contact.email_opt_out"}))

    convert_lead(lead, by=rep, choices=choices)

    contact.refresh_from_db()
    assert contact.email_opt_out
    assert contact.email_opt_out_source == "CONVERSION"
    assert contact.email_opt_out_at is not None


def test_lists_are_united(lead, rep):
    lead.interests = ["Sensors", "golf"]
    lead.save()
    contact = ContactFactory(owner=rep, interests=["Golf"])

    convert_lead(lead, by=rep, choices=ConversionChoices(contact=contact))

    contact.refresh_from_db()
    assert contact.interests == ["Golf", "Sensors"]


def test_a_replaced_email_stays_as_second_one(lead, rep):
    contact = ContactFactory(owner=rep, email="old@other.example")
    choices = ConversionChoices(contact=contact, winners={"contact.email": "lead"})

    convert_lead(lead, by=rep, choices=choices)

    contact.refresh_from_db()
    assert (contact.email, contact.secondary_email) == (lead.email, "old@other.example")


def test_a_contact_that_may_only_be_seen_gets_the_relation_and_nothing_else(lead, rep, stranger):
    contact = ContactFactory(owner=stranger, title="")

    conversion = convert_lead(lead, by=rep, choices=ConversionChoices(contact=contact))

    contact.refresh_from_db()
    assert contact.title == ""
    assert contact.relations.filter(account=conversion.account).exists()


# -- section 6: afterwards ----------------------------------------------------------------------


def test_a_converted_lead_is_read_only_and_names_what_it_became(lead, rep):
    conversion = convert_lead(lead, by=rep, choices=ConversionChoices())

    lead.refresh_from_db()

    assert lead.why_read_only()
    assert lead.conversion == conversion


def test_sibling_leads_are_offered(lead, rep):
    same_domain = LeadFactory(owner=rep, email="bo@meridian.example", company="")
    same_company = LeadFactory(owner=rep, email="", company="Meridian Foods GmbH")
    LeadFactory(owner=rep)
    convert_lead(lead, by=rep, choices=ConversionChoices())

    assert sibling_leads(lead, by=rep) == [same_domain, same_company]


def test_a_failing_receiver_undoes_the_whole_conversion(lead, rep):
    before = digest()

    @receiver(lead_converted, dispatch_uid="test.fail")
    def fail(sender, **kwargs):
        raise RuntimeError

    try:
        with pytest.raises(RuntimeError):
            convert_lead(lead, by=rep, choices=new())
    finally:
        lead_converted.disconnect(dispatch_uid="test.fail")

    assert digest() == before


def test_a_higher_app_adds_its_section_to_the_plan(lead, rep):
    class Section:
        title, lines, icon, fingerprint = "Moves 2 tasks", (), "checkbox", "tasks:2"

    @receiver(conversion_planned, dispatch_uid="test.section")
    def add(sender, *, plan, **kwargs):
        return Section

    try:
        plan = plan_conversion(lead, by=rep, choices=new())
        with_section = plan.fingerprint
    finally:
        conversion_planned.disconnect(dispatch_uid="test.section")

    assert plan.sections == [Section]
    assert plan_conversion(lead, by=rep, choices=new()).fingerprint != with_section


# -- section 7: once -----------------------------------------------------------------------------


def test_convert_lead_refuses_a_second_conversion_and_writes_nothing(lead, rep):
    conversion = convert_lead(lead, by=rep, choices=ConversionChoices())
    before = digest(journal=True, stamps=True)

    with pytest.raises(AlreadyConverted) as caught:
        convert_lead(lead, by=rep, choices=ConversionChoices())

    assert caught.value.location == conversion.get_absolute_url()
    assert digest(journal=True, stamps=True) == before


def test_a_conversion_that_is_no_longer_what_was_seen_is_refused(lead, rep):
    account = AccountFactory(owner=rep)
    choices = ConversionChoices(account=account)
    seen = plan_conversion(lead, by=rep, choices=choices).fingerprint
    account.phone = "+1 202 5550100"
    account.save()
    before = digest(journal=True, stamps=True)

    with pytest.raises(PlanChanged):
        convert_lead(lead, by=rep, choices=choices, expected=seen)

    assert digest(journal=True, stamps=True) == before
    seen = plan_conversion(lead, by=rep, choices=choices).fingerprint
    assert convert_lead(lead, by=rep, choices=choices, expected=seen)


def test_the_same_form_twice_gives_the_same_conversion(lead, rep):
    key = FormKey("k", "d")
    conversion = convert_lead(lead, by=rep, choices=ConversionChoices(), key=key)

    with pytest.raises(Exception) as caught:
        convert_lead(lead, by=rep, choices=ConversionChoices(), key=key)

    assert caught.value.location == conversion.get_absolute_url()
    assert Conversion.objects.count() == 1


@pytest.mark.parametrize("choices", ["new", "existing"])
def test_convert_needs_few_statements(lead, rep, choices, django_assert_max_num_queries):
    given = new()
    if choices == "existing":
        account = AccountFactory(owner=rep, phone="1")
        contact = ContactFactory(owner=rep, account=account)
        deal = OpportunityFactory(owner=rep, account=account)
        given = ConversionChoices(
            account=account, contact=contact, deal=Deal.EXISTING, opportunity=deal
        )

    with request_cache(), django_assert_max_num_queries(15):
        plan_conversion(Lead.objects.get(pk=lead.pk), by=rep, choices=given)
    with request_cache(), django_assert_max_num_queries(27):  # a request has 4 of its own
        convert_lead(lead, by=rep, choices=given, key=FormKey("k", "d"))


# -- section 8: undo -----------------------------------------------------------------------------


def situations(rep):
    employer = AccountFactory(owner=rep)
    account = AccountFactory(owner=rep, phone="+1 202 5550100", website="https://old.example")
    person = ContactFactory(owner=rep, account=employer, title="Buyer", email="x@y.example")
    deal = OpportunityFactory(owner=rep, account=account, amount=None)
    winners = {"account.phone": "lead", "contact.title": "lead", "contact.email": "lead"}
    return {
        "all new": new(),
        "no deal": ConversionChoices(),
        "all existing with conflicts": ConversionChoices(
            account=account,
            contact=person,
            deal=Deal.EXISTING,
            opportunity=deal,
            winners=winners,
        ),
        "job change": ConversionChoices(account=account, contact=person, relation=Relation.MOVED),
        "also works there": ConversionChoices(contact=person),
    }


SITUATIONS = ["all new", "no deal", "all existing with conflicts", "job change", "also works there"]


@pytest.mark.parametrize("situation", [*SITUATIONS, "individual account"])
def test_convert_then_undo_restores_the_database_and_redo_converts_again(lead, rep, situation):
    if situation == "individual account":
        lead.company = ""
        lead.save()
        choices = ConversionChoices()
    else:
        choices = situations(rep)[situation]
    before = digest()

    conversion = convert_lead(lead, by=rep, choices=choices)
    after = digest()
    taken_back = undo(conversion.get_operation(), by=rep)

    assert differences(before, digest()) == {}
    undo(taken_back, by=rep)
    assert differences(after, digest()) == {}


def test_undo_keeps_what_was_edited_since_on_an_existing_record(lead, rep):
    account = AccountFactory(owner=rep, phone="")
    conversion = convert_lead(lead, by=rep, choices=ConversionChoices(account=account))
    account.refresh_from_db()
    account.phone = "+1 202 5550199"
    account.save()

    undo(conversion.get_operation(), by=rep)

    account.refresh_from_db()
    assert (account.phone, account.industry) == ("+1 202 5550199", "")


def test_undo_asks_for_a_tick_where_edits_of_new_records_would_disappear(lead, rep):
    conversion = convert_lead(lead, by=rep, choices=ConversionChoices())
    contact = conversion.contact
    contact.title = "Chief"
    contact.save()

    with pytest.raises(CannotUndo):
        undo(conversion.get_operation(), by=rep)
    undo(conversion.get_operation(), by=rep, accept=[("contacts.contact", contact.pk)])

    assert not Contact.objects.filter(pk=contact.pk).exists()
    assert Lead.objects.get(pk=lead.pk).phase == Phase.OPEN


def test_undo_is_refused_when_something_new_was_built_on_it(lead, rep):
    conversion = convert_lead(lead, by=rep, choices=ConversionChoices())
    OpportunityFactory(account=conversion.account, owner=rep)
    before = digest(stamps=True)

    with pytest.raises(CannotUndo) as caught:
        undo(conversion.get_operation(), by=rep)

    assert [f.kind for f in caught.value.plan.in_the_way] == ["in_use"]
    assert digest(stamps=True) == before


def test_a_manager_above_may_undo_and_a_stranger_may_not(lead, rep, manager, stranger):
    conversion = convert_lead(lead, by=rep, choices=ConversionChoices())

    with pytest.raises(NotAllowed):
        undo(conversion.get_operation(), by=stranger)
    assert undo(conversion.get_operation(), by=manager)


# -- section 11: errors --------------------------------------------------------------------------


def refused(lead, by, choices):
    before = digest(journal=True, stamps=True)
    with pytest.raises(Invalid) as caught:
        convert_lead(lead, by=by, choices=choices)
    assert digest(journal=True, stamps=True) == before
    return caught.value.errors


def test_a_lead_that_is_archived_or_hidden_cannot_be_converted(lead, stranger):
    with pytest.raises(Lead.DoesNotExist):
        convert_lead(lead, by=stranger, choices=ConversionChoices())


def test_a_read_only_user_is_refused(lead):
    reader = UserFactory(role="READ_ONLY")

    with pytest.raises(NotAllowed):
        convert_lead(lead, by=reader, choices=ConversionChoices())


def test_an_archived_account_is_refused_at_its_card(lead, rep):
    account = AccountFactory(owner=rep)
    Account.objects.filter(pk=account.pk).update(archived_at=datetime.datetime.now(datetime.UTC))

    assert set(refused(lead, rep, ConversionChoices(account=account))) == {"account"}


def test_a_deal_that_is_closed_or_of_another_account_is_refused_at_its_card(lead, rep):
    account = AccountFactory(owner=rep)
    closed = OpportunityFactory(account=account, owner=rep, lost=True)
    other = OpportunityFactory(owner=rep)

    for deal in (closed, other):
        choices = ConversionChoices(account=account, deal=Deal.EXISTING, opportunity=deal)
        assert set(refused(lead, rep, choices)) == {"opportunity"}


def test_a_missing_required_field_is_named(rep):
    lead = LeadFactory(owner=rep, first_name="", last_name="", company="Acme")

    errors = refused(lead, rep, ConversionChoices())

    assert set(errors) == {"contact.last_name"}
    choices = ConversionChoices(values={"contact.last_name": "Typed"})
    assert convert_lead(lead, by=rep, choices=choices).contact.last_name == "Typed"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("opportunity.amount", "-1"),
        ("opportunity.amount", "much"),
        ("opportunity.amount", "1e400"),
        ("opportunity.close_date", "2026-02-30"),
        ("opportunity.name", "x" * 121),
        ("account.name", "a\x00b"),
        ("account.name", "   "),
        ("contact.email", "nobody"),
        ("account.website", "javascript:alert(1)"),
    ],
)
def test_a_bad_value_is_refused_at_its_field(lead, rep, field, text):
    assert set(refused(lead, rep, new(values={field: text}))) == {field}


def test_a_status_that_is_not_converted_is_refused(lead, rep):
    choices = ConversionChoices(status=LeadStatus.first(Phase.WORKING))

    assert set(refused(lead, rep, choices)) == {"status"}


def test_an_inactive_owner_is_refused(lead, rep):
    choices = ConversionChoices(owner=UserFactory(is_active=False))

    assert set(refused(lead, rep, choices)) == {"owner"}


def test_a_hidden_match_is_told_by_its_owner_only(lead, rep, stranger, monkeypatch):
    ContactFactory(owner=stranger, email=lead.email, last_name="Secret")
    monkeypatch.setattr("leads.conversion.matches.allowed", lambda records, user, verb: set())

    matches = suggest_matches(lead, by=rep)

    assert matches.contacts == ()
    assert matches.hidden == {"contact": str(stranger)}


def test_preview_writes_nothing(lead, rep):
    before = digest(journal=True, stamps=True)

    plan_conversion(lead, by=rep, choices=new())

    assert digest(journal=True, stamps=True) == before


def test_one_operation_holds_the_whole_conversion(lead, rep):
    before = Operation.objects.count()

    conversion = convert_lead(lead, by=rep, choices=new())

    assert Operation.objects.count() == before + 1
    models = set(conversion.get_operation().changes.values_list("model", flat=True))
    assert models == {
        "accounts.account",
        "contacts.accountcontactrelation",
        "contacts.contact",
        "leads.conversion",
        "leads.lead",
        "opportunities.opportunity",
        "opportunities.opportunitycontactrole",
        "opportunities.opportunitystagehistory",
    }
    assert AccountContactRelation.objects.get().is_direct


# -- the plan foresees what execution would refuse ------------------------------------------------


def test_moving_a_person_away_from_an_account_out_of_reach_is_refused_in_the_plan(
    lead, rep, stranger
):
    contact = ContactFactory(owner=rep, account=AccountFactory(owner=stranger))
    choices = new(account=AccountFactory(owner=rep), contact=contact, relation=Relation.MOVED)

    plan = plan_conversion(lead, by=rep, choices=choices)

    assert list(plan.all_errors) == ["relation"]


def test_moving_a_person_to_a_new_account_of_another_team_is_refused_in_the_plan(
    lead, rep, stranger
):
    contact = ContactFactory(owner=rep, account=AccountFactory(owner=rep))
    choices = new(contact=contact, relation=Relation.MOVED, owner=stranger)

    assert list(plan_conversion(lead, by=rep, choices=choices).all_errors) == ["relation"]


def test_a_job_that_has_not_begun_cannot_be_left(lead, rep):
    contact = ContactFactory(owner=rep, account=AccountFactory(owner=rep))
    contact.relations.update(start_date=datetime.date(2099, 1, 1))
    choices = new(account=AccountFactory(owner=rep), contact=contact, relation=Relation.MOVED)

    assert list(plan_conversion(lead, by=rep, choices=choices).all_errors) == ["relation"]


def test_texts_that_are_too_long_together_are_refused_at_the_existing_deal(lead, rep):
    lead.description, lead.need = "x" * 31990, "y" * 200
    lead.save()
    account = AccountFactory(owner=rep)
    deal = OpportunityFactory(owner=rep, account=account)
    choices = ConversionChoices(account=account, deal=Deal.EXISTING, opportunity=deal)

    plan = plan_conversion(lead, by=rep, choices=choices)

    assert list(plan.all_errors) == ["opportunity.description"]


def test_an_amount_that_fills_an_existing_deal_leaves_its_row_of_history(lead, rep):
    account = AccountFactory(owner=rep)
    deal = OpportunityFactory(owner=rep, account=account, amount=None)

    convert_lead(
        lead,
        by=rep,
        choices=ConversionChoices(account=account, deal=Deal.EXISTING, opportunity=deal),
    )

    assert deal.history.order_by("-pk").first().to_amount == lead.budget


# -- undo, by somebody who tries to break it ------------------------------------------------------


def ticked(operation, by):
    plans = preview_undo(operation, by=by)
    return [(tick.model, tick.object_id) for plan in plans for tick in plan.ticks]


def assert_all_rules_hold():
    assert [str(o) for check in all_checks() for o in check.offences(full=True)] == []


def test_redo_of_a_conversion_is_refused_once_the_lead_was_converted_anew(lead, rep):
    taken_back = undo(convert_lead(lead, by=rep, choices=new()).get_operation(), by=rep)
    convert_lead(lead, by=rep, choices=new())

    (plan,) = preview_undo(taken_back, by=rep)

    assert "taken" in {finding.kind for finding in plan.in_the_way}
    with pytest.raises(CannotUndo):
        undo(taken_back, by=rep)


@pytest.mark.parametrize("since", ["ended", "moved on"])
def test_undo_of_a_job_change_after_the_person_left_again_keeps_the_rules(lead, rep, since):
    contact = ContactFactory(owner=rep, account=AccountFactory(owner=rep))
    choices = new(account=AccountFactory(owner=rep), contact=contact, relation=Relation.MOVED)
    done = convert_lead(lead, by=rep, choices=choices).get_operation()
    if since == "ended":
        today = Organisation.current().today()
        end_relation(contact.relations.direct().get(), by=rep, end_date=today)
    else:
        change_job(contact, account=AccountFactory(owner=rep), by=rep)

    with suppress(CannotUndo):
        undo(done, by=rep, accept=ticked(done, rep))

    assert_all_rules_hold()


def test_undo_never_puts_an_amount_into_another_currency(lead, rep):
    account = AccountFactory(owner=rep)
    deal = OpportunityFactory(owner=rep, account=account, amount=None, currency="USD")
    choices = ConversionChoices(account=account, deal=Deal.EXISTING, opportunity=deal)
    done = convert_lead(lead, by=rep, choices=choices).get_operation()
    deal = Opportunity.objects.get(pk=deal.pk)
    deal.amount = Decimal(50000)
    save_opportunity(deal, by=rep)

    undo(done, by=rep, accept=ticked(done, rep))

    deal = Opportunity.objects.get(pk=deal.pk)
    assert (deal.amount, deal.currency) == (Decimal(50000), "EUR")
    assert_all_rules_hold()


def test_a_new_deal_that_was_edited_since_needs_a_tick_and_takes_its_history_along(lead, rep):
    before = digest()
    conversion = convert_lead(lead, by=rep, choices=new())
    deal = Opportunity.objects.get(pk=conversion.opportunity_id)
    deal.amount = Decimal(77)
    save_opportunity(deal, by=rep)
    done, after = conversion.get_operation(), digest()
    with pytest.raises(CannotUndo):
        undo(done, by=rep)

    taken_back = undo(done, by=rep, accept=ticked(done, rep))

    assert differences(before, digest()) == {}
    undo(taken_back, by=rep)
    assert differences(after, digest()) == {}


def test_a_new_deal_that_was_won_since_stands_in_the_way(lead, rep):
    conversion = convert_lead(lead, by=rep, choices=new())
    close_won(conversion.opportunity, by=rep)
    done = conversion.get_operation()

    with pytest.raises(CannotUndo):
        undo(done, by=rep, accept=ticked(done, rep))


def test_what_stands_in_the_way_of_an_undo_is_not_named_to_who_may_not_see_it(
    lead, rep, stranger, client
):
    conversion = convert_lead(lead, by=rep, choices=new())
    OpportunityFactory(account=conversion.account, owner=stranger, name="Secret deal")
    client.force_login(rep)

    done = conversion.get_operation()
    (plan,) = preview_undo(done, by=rep)
    page = client.get(reverse("core:undo", args=[done.pk]))

    assert not plan.is_possible
    assert "Secret deal" not in page.content.decode()
