"""The audit log: what is found, page by page, and the same as a file."""

import csv
import logging

import pytest
from django.urls import reverse

from core.journal import Kind, Label, Operation, operation
from core.services import archive
from tests.digest import differences, digest
from tests.factories.leads import LeadFactory
from tests.factories.users import UserFactory
from users.models import Role

pytestmark = pytest.mark.django_db

PAGE, EXPORT = "administration:audit", "administration:audit_export"


@pytest.fixture
def office(client, admin):
    client.force_login(admin)
    return client


def edit(lead, *, by, **values):
    lead = type(lead).objects.get(pk=lead.pk)
    with operation(Kind.EDIT, by=by, label=Label("Edited")) as op:
        for name, value in values.items():
            setattr(lead, name, value)
        lead.save()
    return op.row


def found(office, **query):
    return [op for op, _label in office.get(reverse(PAGE), query).context["operations"]]


def exported(office, **query):
    response = office.post(reverse(EXPORT), query)
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def test_audit_finds_by_person_kind_and_record(office, rep, stranger):
    lead, other = LeadFactory(owner=rep), LeadFactory(owner=stranger)
    first = edit(lead, by=rep, city="Oslo")
    second = edit(other, by=stranger, city="Bergen")
    archive(lead, by=rep)
    archived = Operation.objects.order_by("-pk").first()

    assert found(office)[:3] == [archived, second, first]
    assert found(office, who=rep.pk) == [archived, first]
    assert found(office, who=rep.pk, kind="ARCHIVE") == [archived]
    about = {"model": "leads.lead", "number": lead.pk}
    assert found(office, **about, kind="EDIT")[0] == first
    assert second not in found(office, **about)
    assert second in found(office, model="leads.lead")
    assert found(office, model="users.team", kind="ARCHIVE") == []


def test_audit_finds_by_days_of_the_organisation(office, rep):
    done = edit(LeadFactory(owner=rep), by=rep, city="Oslo")
    day = done.at.date().isoformat()

    assert done in found(office, since=day, until=day)
    assert found(office, until="2020-01-01") == found(office, since="2199-01-01") == []


@pytest.mark.parametrize(
    "query",
    [{"who": "x"}, {"who": "999999999999999999999"}, {"kind": "BOIL"}, {"since": "2026-02-30"},
     {"model": "no.model"}, {"number": "5"}, {"number": "-1", "model": "leads.lead"},
     {"number": "9" * 30, "model": "leads.lead"}],
)  # fmt: skip
def test_audit_finds_nothing_by_what_cannot_be(office, query):
    response = office.get(reverse(PAGE), query)

    assert response.status_code == 200
    assert response.context["operations"] == []
    assert response.context["form"].errors
    assert office.post(reverse(EXPORT), query).status_code == 400


def test_audit_goes_on_by_key(office, rep):
    lead = LeadFactory(owner=rep)
    done = [edit(lead, by=rep, city=f"City {number}") for number in range(60)]

    first = office.get(reverse(PAGE), {"who": rep.pk})
    older = office.get(reverse(PAGE), {"who": rep.pk, "before": first.context["older"]})

    pages = [op for page in (first, older) for op, _label in page.context["operations"]]
    assert pages == done[::-1]
    assert older.context["older"] == ""
    assert office.get(reverse(PAGE), {"before": "²"}).status_code == 200


@pytest.mark.parametrize("count", [1, 40])
def test_audit_costs_the_same_for_one_and_for_forty(
    office, rep, django_assert_max_num_queries, count
):
    for _number in range(count):
        edit(LeadFactory(owner=UserFactory()), by=UserFactory(), city="Oslo")

    with django_assert_max_num_queries(9):
        office.get(reverse(PAGE))


def test_audit_as_a_file_has_a_line_a_change(office, rep):
    lead = LeadFactory(owner=rep)
    edit(lead, by=rep, city="Oslo")

    (line,) = exported(office, who=rep.pk, model="leads.lead", number=lead.pk)

    assert (line["user"], line["name"], line["verb"]) == (str(rep.pk), "Rae Rep", "updated")
    assert line["after"] == '{"city":"Oslo"}'


def test_audit_as_a_file_holds_no_formula(office):
    user = UserFactory(name="=1+1")
    edit(LeadFactory(), by=user, city="Oslo")

    assert exported(office, who=user.pk)[0]["name"] == "'=1+1"


def test_audit_as_a_file_is_told_in_the_security_log(office, admin, rep, caplog):
    caplog.set_level(logging.INFO, "topsail.security")
    edit(LeadFactory(owner=rep), by=rep, city="Oslo")
    before = digest(journal=True, stamps=True)

    exported(office, who=rep.pk)

    told = [row.getMessage() for row in caplog.records if row.name == "topsail.security"]
    assert told[-1] == f"export user={admin.pk} address=127.0.0.1 what=audit rows=1 filter=who"
    assert differences(before, digest(journal=True, stamps=True)) == {}
    assert office.get(reverse(EXPORT)).status_code == 405


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_audit_is_for_administrators(client, role):
    client.force_login(UserFactory(role=role))

    assert client.get(reverse(PAGE)).status_code == 403
    assert client.post(reverse(EXPORT)).status_code == 403
    client.logout()
    assert client.get(reverse(PAGE)).status_code == client.post(reverse(EXPORT)).status_code == 302
