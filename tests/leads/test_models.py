import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.normalise import CleanContext
from leads.models import MOVES, Lead, LeadStatus, Likeness, Phase
from leads.models.lead import POINTS
from leads.seeds import seed
from tests.factories.accounts import AccountFactory
from tests.factories.leads import LeadFactory

TODAY = datetime.date(2026, 5, 12)


def clean(values, instance=None, **context):
    context = CleanContext(today=TODAY, instance=instance, **context)
    return Lead.clean_values(values, context)


# -- statuses ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_seeded_statuses_are_written_once():
    seed(using="default")

    assert [s.phase for s in LeadStatus.everything()] == [
        "OPEN",
        "WORKING",
        "NURTURING",
        "QUALIFIED",
        "CONVERTED",
        "DEAD",
    ]
    assert LeadStatus.default().name == "Open - Not Contacted"


@pytest.mark.django_db
def test_people_cannot_choose_a_converted_or_retired_status():
    LeadStatus.objects.filter(phase=Phase.WORKING).update(is_active=False)

    assert [s.phase for s in LeadStatus.choices()] == ["OPEN", "NURTURING", "QUALIFIED", "DEAD"]


@pytest.mark.django_db
def test_phase_of_a_status_is_fixed_once_it_was_used():
    status = LeadFactory().status
    context = CleanContext(today=TODAY, instance=status)

    assert "phase" in LeadStatus.clean_values({"phase": "WORKING"}, context)[1]


@pytest.mark.django_db
@pytest.mark.parametrize("phase", [Phase.OPEN, Phase.CONVERTED, Phase.DEAD])
def test_last_active_status_of_a_needed_phase_cannot_be_retired(phase):
    context = CleanContext(today=TODAY, instance=LeadStatus.first(phase))

    assert "is_active" in LeadStatus.clean_values({"is_active": False}, context)[1]


# -- keys and score ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_lead_computes_its_keys():
    lead = LeadFactory(
        first_name="José",
        last_name="Muñoz",
        company="Müller Stahlbau GmbH",
        email="J.Munoz@Mueller.example",
        website="https://www.mueller.example",
        phone="0221 4470118",
        country="DE",
    )

    assert lead.name_key == "jose munoz"
    assert lead.company_key == "muller stahlbau"
    assert lead.email_key == "j.munoz@mueller.example"
    assert lead.email_domain == lead.web_domain == "mueller.example"
    assert lead.phone_e164 == "+492214470118"


@pytest.mark.django_db
def test_lead_has_no_domain_from_free_mail():
    assert LeadFactory(email="lea@gmail.com").email_domain == ""


@given(st.fixed_dictionaries({name: st.sampled_from(["", *POINTS[name]]) for name in POINTS}))
def test_qualification_is_the_sum_of_its_parts(values):
    lead = Lead(status_id=1, currency="USD", budget_currency="USD", **values)
    parts = lead.qualification_parts

    assert sum(p or 0 for p in parts.values()) <= 100
    assert lead.unknown_parts == [name for name in POINTS if not values[name]]


@pytest.mark.django_db
def test_qualification_score_is_kept_up_to_date():
    lead = LeadFactory(interest="HIGH", budget_status="APPROVED")
    scores = [lead.qualification_score]
    lead.authority = "DECISION_MAKER"
    lead.save()
    scores.append(Lead.objects.get(pk=lead.pk).qualification_score)
    Lead.objects.filter(pk=lead.pk).update(timeline="WITHIN_3_MONTHS")
    scores.append(Lead.objects.get(pk=lead.pk).qualification_score)

    assert scores == [50, 75, 100]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("score", "band"), [(0, "low"), (39, "low"), (40, "medium"), (59, "medium"), (60, "high")]
)
def test_qualification_band(score, band):
    assert Lead(status_id=1, qualification_score=score).qualification_band == band


@pytest.mark.django_db
def test_lead_is_called_by_name_company_or_address():
    assert str(Lead(status_id=1, salutation="Dr.", last_name="Ruiz")) == "Dr. Ruiz"
    assert str(Lead(status_id=1, salutation="Dr.", company="Acme")) == "Acme"
    assert str(Lead(status_id=1, email="a@b.example")) == "a@b.example"


# -- rules of values --------------------------------------------------------------------------


@pytest.mark.django_db
def test_new_lead_is_given_the_preset_status_and_its_phase():
    cleaned, errors = clean({"last_name": "Ruiz"})

    assert errors == {}
    assert (cleaned["status"], cleaned["phase"]) == (LeadStatus.default(), Phase.OPEN)


@pytest.mark.django_db
def test_lead_needs_a_name_a_company_or_an_address():
    assert clean({"first_name": "Lea"})[1].keys() == {"last_name"}
    for name in ("last_name", "company"):
        assert clean({name: "x"})[1] == {}
    assert clean({"email": "not an address"})[1].keys() == {"email"}


@pytest.mark.django_db
def test_status_converted_is_refused_on_every_path_but_history_from_a_file():
    values = {"last_name": "Ruiz", "status": LeadStatus.first(Phase.CONVERTED)}

    assert clean(values)[1]["status"] == ["Use Convert."]
    assert "status" in clean(values, imported=True)[1]
    assert clean({**values, "converted_at": "2025-01-01"}, imported=True)[1] == {}


@pytest.mark.django_db
def test_dead_lead_says_why():
    values = {"last_name": "Ruiz", "status": LeadStatus.first(Phase.DEAD)}

    assert "disqualify_reason" in clean(values)[1]
    assert "disqualify_note" in clean({**values, "disqualify_reason": "Other"})[1]
    assert clean({**values, "disqualify_reason": "No budget"})[1] == {}
    assert clean(values, imported=True)[0]["disqualify_reason"] == "Not recorded"


@pytest.mark.django_db
def test_reason_and_date_go_with_their_phase():
    cleaned, errors = clean(
        {"last_name": "Ruiz", "disqualify_reason": "Timing", "nurture_until": "2026-08-01"}
    )

    assert errors == {}
    assert (cleaned["disqualify_reason"], cleaned["nurture_until"]) == ("", None)


@pytest.mark.django_db
def test_nurtured_lead_rests_for_as_long_as_the_organisation_says():
    values = {"last_name": "Ruiz", "status": LeadStatus.first(Phase.NURTURING)}

    assert clean(values)[0]["nurture_until"] == TODAY + datetime.timedelta(days=90)


@pytest.mark.django_db
def test_qualified_lead_can_be_reached():
    values = {"last_name": "Ruiz", "status": LeadStatus.first(Phase.QUALIFIED)}

    assert "email" in clean(values)[1]
    assert clean({**values, "phone": "0221 4470118"})[1] == {}


@pytest.mark.django_db
@pytest.mark.parametrize("phase", [p for p in Phase if p != Phase.CONVERTED])
def test_edit_moves_a_lead_only_where_its_phase_leads(phase):
    trait = {} if phase == Phase.OPEN else {phase.lower(): True}
    lead = LeadFactory(**trait)

    for target in MOVES:
        if target in (Phase.CONVERTED, phase):
            continue
        values = {"status": LeadStatus.first(target), "disqualify_reason": "No interest"}
        errors = clean(values, instance=lead)[1]
        assert ("status" in errors) is (target not in MOVES[phase])


# -- questions --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_open_leads_are_neither_dead_nor_converted():
    leads = [LeadFactory(), LeadFactory(nurturing=True), LeadFactory(qualified=True)]
    LeadFactory(dead=True)

    assert set(Lead.objects.open()) == set(leads)
    assert Lead.objects.unconverted().count() == 4


@pytest.mark.django_db
def test_likely_leads_share_a_domain_or_the_company_name_with_the_tree():
    top = AccountFactory(name="Acme Inc", website="https://acme.example")
    AccountFactory(name="Acme Labs", website="https://labs.example", parent=top)
    likely = [
        LeadFactory(email="a@acme.example"),
        LeadFactory(website="https://www.labs.example"),
        LeadFactory(company="ACME, Inc."),
        LeadFactory(matched_account=top),
    ]
    LeadFactory(company="Acme Inc", matched_account=AccountFactory())
    LeadFactory(company="Acme Inc", dead=True)
    LeadFactory()

    found = {lead: (lead.likeness, lead.same_domain) for lead in Lead.objects.likely_for(top)}

    by_mail, by_web, by_name, said = likely
    assert found == {
        by_mail: (Likeness.DOMAIN, "acme.example"),
        by_web: (Likeness.DOMAIN, "labs.example"),
        by_name: (Likeness.NAME, ""),
        said: (Likeness.CONFIRMED, ""),
    }
