import datetime

import pytest

from core.errors import NotAllowed
from core.journal import Change, Operation
from core.models import Organisation
from core.services import ReadOnly, archive, assign
from core.undo import undo
from leads.models import MOVES, Conversion, Lead, LeadStatus, Phase
from leads.services import (
    BadNurtureDate,
    CannotBeReached,
    NoSuchMove,
    NotExplained,
    SameStatus,
    StatusRetired,
    UseConvert,
    change_status,
    disqualify,
    nurture,
    qualify,
    reopen,
)
from tests.factories.leads import LeadFactory
from tests.factories.users import UserFactory

PHASES = [p for p in Phase if p != Phase.CONVERTED]


def made(phase, **values):
    return LeadFactory(**values, **({} if phase == Phase.OPEN else {phase.lower(): True}))


def fresh(lead):
    return Lead.objects.get(pk=lead.pk)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("target", PHASES)
def test_change_status_follows_the_table_of_phases(rep, phase, target):
    if phase == target:
        return
    lead, status = made(phase, owner=rep), LeadStatus.first(target)

    if target in MOVES[phase]:
        lead = change_status(lead, status=status, by=rep, reason="No interest")
        assert (lead.status, lead.phase) == (status, target)
    else:
        with pytest.raises(NoSuchMove):
            change_status(lead, status=status, by=rep, reason="No interest")
        assert fresh(lead).phase == phase


def test_change_status_between_two_statuses_of_a_phase(rep):
    status = LeadStatus.objects.create(name="Called twice", phase=Phase.WORKING, position=7)

    lead = change_status(made(Phase.WORKING, owner=rep), status=status, by=rep)

    assert lead.status == status


def test_change_status_refuses_converted_same_and_retired_statuses(rep):
    lead = LeadFactory(owner=rep)
    LeadStatus.objects.filter(phase=Phase.WORKING).update(is_active=False)
    before = Change.objects.count()

    with pytest.raises(UseConvert):
        change_status(lead, status=LeadStatus.first(Phase.CONVERTED), by=rep)
    with pytest.raises(SameStatus):
        change_status(lead, status=lead.status, by=rep)
    with pytest.raises(StatusRetired):
        change_status(lead, status=LeadStatus.objects.get(phase=Phase.WORKING), by=rep)

    assert Change.objects.count() == before


def test_disqualify_needs_a_reason_and_a_note_for_other(rep):
    lead = LeadFactory(owner=rep)

    with pytest.raises(NotExplained) as refusal:
        disqualify(lead, by=rep, reason="")
    assert set(refusal.value.errors) == {"disqualify_reason"}
    with pytest.raises(NotExplained):
        disqualify(lead, by=rep, reason="Other")
    lead = disqualify(lead, by=rep, reason="Other", note="Moved to the moon")

    assert (lead.phase, lead.disqualify_note) == (Phase.DEAD, "Moved to the moon")
    assert lead.status_changed_at > lead.created_at


def test_reopen_clears_the_reason_and_undo_brings_it_back(rep):
    lead = made(Phase.DEAD, owner=rep)

    lead = reopen(lead, by=rep)
    cleared = lead.disqualify_reason
    undo(Operation.objects.order_by("-pk").first(), by=rep)

    assert (lead.phase, cleared) == (Phase.WORKING, "")
    assert (fresh(lead).phase, fresh(lead).disqualify_reason) == (Phase.DEAD, "No interest")


def test_nurture_takes_a_day_to_come_or_the_preset(rep):
    today = Organisation.current().today()
    lead = LeadFactory(owner=rep)

    with pytest.raises(BadNurtureDate):
        nurture(lead, by=rep, until=today)
    lead = nurture(lead, by=rep)

    assert lead.nurture_until == today + datetime.timedelta(days=90)
    assert reopen(lead, by=rep).nurture_until is None


def test_qualify_needs_a_way_to_reach_the_lead(rep):
    with pytest.raises(CannotBeReached):
        qualify(LeadFactory(owner=rep, email=""), by=rep)

    assert qualify(LeadFactory(owner=rep, email="", mobile="1"), by=rep).phase == Phase.QUALIFIED


def test_change_status_is_for_those_who_may_edit(rep, stranger):
    lead = LeadFactory(owner=rep)

    with pytest.raises(Lead.DoesNotExist):
        qualify(lead, by=stranger)
    with pytest.raises(NotAllowed):
        qualify(lead, by=UserFactory(role="READ_ONLY"))

    assert fresh(lead).phase == Phase.OPEN


def test_converted_lead_is_read_only(rep, admin):
    lead = made(Phase.QUALIFIED, owner=rep)
    lead.mark_converted(status=LeadStatus.first(Phase.CONVERTED), at=lead.created_at)
    Conversion.objects.create(
        lead=lead, converted_at=lead.created_at, origin=Conversion.Origin.IMPORTED
    )

    assert (lead.lifecycle, lead.sql_at) == ("SQL", lead.created_at)
    for change in (
        lambda: reopen(lead, by=admin),
        lambda: archive(lead, by=admin),
        lambda: assign(lead, owner=admin, by=admin),
    ):
        with pytest.raises(ReadOnly):
            change()
