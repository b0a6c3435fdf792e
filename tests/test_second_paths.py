"""
The ways around a record's own page: what somebody may not see is told and changed by none.

Rae's records carry a word that stands nowhere else. They hang on Sam's in every way that there
is; Sam, of another team, reads whatever he can open. Rule: docs/rules/access.md, section 3.
"""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Account
from contacts.models import Contact
from core.batches import choose, verb_named
from core.journal import Kind, Label, Operation, operation
from core.reach import Scope
from core.services import archive
from core.views.base import record_models, url_of
from leads.models import Lead
from leads.services import hand_over
from opportunities.models import Opportunity
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory, PlannedJobChangeFactory, RelationFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory, RoleFactory
from tests.factories.users import UserFactory
from tests.factories.views import SavedViewFactory
from tests.matrix.company import NOTE, client_of
from tests.matrix.doors import OPEN, OPERATORS, door_of
from tests.routes import routes
from users.models import Role

pytestmark = pytest.mark.django_db

CANARY = "Nightingale"  # in the names of Rae's leads and deals
KNOWN = "Goldfinch"  # in those of her accounts and people, which are seen by all at first
AMOUNT = 98765
WORDS = (CANARY, "98,765", str(AMOUNT))


class Neighbours:
    """Rae's records, all of them hidden from Sam, and Sam's, on which they hang."""

    def __init__(self, rae, sam, mia):
        self.rae, self.sam, self.mia = rae, sam, mia
        self.hidden = self._hidden()
        self.own = self._own()
        self.views = {
            who: SavedViewFactory(owner=who, name=f"{CANARY} {who.pk}", is_pinned=True)
            for who in (rae,)
        }
        self.together = self._edited_together()
        self.archived = LeadFactory(owner=rae, last_name=CANARY)
        archive(self.archived, by=rae)
        leads = [LeadFactory(owner=rae, last_name=CANARY) for _number in range(2)]
        self.batch = choose(verb_named("archive", Lead, rae), [lead.pk for lead in leads])

    def _hidden(self):
        kept = {"owner": self.rae}
        account = AccountFactory(name=f"{KNOWN} Ltd", phone="+43 1 5555555", **kept)
        contact = ContactFactory(last_name=KNOWN, email="nn@bird.example", **kept)
        deal = OpportunityFactory(name=f"{CANARY} deal", account=account, amount=AMOUNT, **kept)
        lead = LeadFactory(last_name=CANARY, company=CANARY, **kept)
        parent = AccountFactory(name=f"{KNOWN} group", **kept)
        records = {"account": account, "contact": contact, "opportunity": deal, "lead": lead}
        return records | {"parent": parent}

    def _own(self):
        kept, hidden = {"owner": self.sam}, self.hidden
        account = AccountFactory(name="Sam's", parent=hidden["parent"], **kept)
        AccountFactory(name=f"{KNOWN} branch", parent=account, owner=self.rae)
        contact = ContactFactory(account=account, **kept)
        RelationFactory(account=account, contact=hidden["contact"])
        OpportunityFactory(name=CANARY, account=account, amount=AMOUNT, owner=self.rae)
        deal = OpportunityFactory(account=account, amount=10, **kept)
        RoleFactory(opportunity=deal, contact=hidden["contact"])
        lead = LeadFactory(matched_account=hidden["parent"], email="nn@bird.example", **kept)
        PlannedJobChangeFactory(contact=contact, new_account=hidden["account"], planned_by=self.sam)
        return {"account": account, "contact": contact, "opportunity": deal, "lead": lead}

    def _edited_together(self):
        """One operation of their manager that touched a record of each."""
        records = (self.hidden["lead"], self.own["lead"])
        label = Label("Edited %(first)s and %(second)s", first=records[0], second=records[1])
        with operation(Kind.EDIT, by=self.mia, label=label) as op:
            for record in records:
                lead = Lead.objects.get(pk=record.pk)
                lead.description = f"{record.last_name} called."
                lead.save()
        return op.row


@pytest.fixture
def sam(stranger):
    return stranger


@pytest.fixture
def here(rep, sam, manager, reaches):
    """The neighbours, where accounts and contacts are the team's as well."""
    reaches(account_read=Scope.TEAM, contact_read=Scope.TEAM)
    return Neighbours(rep, sam, manager)


def told(response, words=(*WORDS, KNOWN)):
    """Where an answer tells of what is hidden: by its name or its amount; "" nowhere."""
    if response.streaming or not response.headers.get("Content-Type", "").startswith("text/"):
        return ""
    html = response.content.decode()
    found = [html.find(word) for word in words if word in html]
    return html[max(min(found) - 300, 0) : min(found) + 60] if found else ""


def addresses(here, route):
    """Every address of the route for Sam's records, and with a search for what is hidden."""
    if not route.arguments:
        return [route.at({})]
    rows = list(here.own.values())
    texts = [{"pk": row.pk, "label": row._meta.label_lower} for row in rows]
    if set(route.arguments) <= {"pk", "label"}:
        named = [t for t, row in zip(texts, rows, strict=True) if route.model in (None, type(row))]
        return [route.at({key: str(value) for key, value in t.items()}) for t in named]
    return []


def test_no_page_of_an_outsider_tells_of_what_is_hidden(rep, sam, manager):
    """As in a new installation, where hidden leads and deals leave no stubs."""
    here, client = Neighbours(rep, sam, manager), client_of(sam)
    opened = set()
    for route in sorted(routes(), key=str):
        if route.is_admin or door_of(route).verb in (OPEN, OPERATORS):
            continue
        for address in addresses(here, route):
            for query in ({}, {"q": "Sam"}):
                for headers in ({}, {"HX-Request": "true"}):
                    response = client.get(address, query, headers=headers)
                    assert told(response, WORDS) == "", (address, query, headers)
                    if response.status_code == 200:
                        opened.add(route.name)
    assert {"accounts:account_tree", "core:search", "leads:lead_convert", "home"} <= opened


@pytest.mark.parametrize("text", [CANARY[:-1], KNOWN[:-1], "+4315555555", str(AMOUNT)])
@pytest.mark.parametrize("model", record_models())
def test_a_search_finds_nothing_that_is_hidden(here, sam, model, text):
    client = client_of(sam)

    for address in (url_of(model, "list"), reverse("core:search")):
        response = client.get(address, {"q": text, "view": "all"})
        assert response.status_code == 200
        assert CANARY not in response.content.decode()
        assert KNOWN not in response.content.decode()
        assert here.hidden[model._meta.model_name].get_absolute_url() + '"' not in (
            response.content.decode()
        )


@pytest.mark.parametrize("kind", ["account", "contact", "lead", "opportunity"])
def test_a_picker_offers_and_names_nothing_that_is_hidden(here, sam, kind):
    record = here.hidden[kind]
    address = reverse("core:picker", args=[record._meta.label_lower])
    client = client_of(sam)

    by_name = client.get(address, {"record_q": KNOWN[:-1]})
    by_canary = client.get(address, {"record_q": CANARY[:-1]})
    by_key = client.get(address, {"record": record.pk})
    unknown = client.get(address, {"record": 99_999_999})

    assert not any(map(told, (by_name, by_canary, by_key)))
    assert by_key.content == unknown.content


def test_counts_of_pinned_views_are_of_what_the_reader_sees(here, sam, rep):
    everything = {"all": [{"field": "lifecycle", "op": "in", "value": ["RAW"]}]}
    SavedViewFactory(owner=here.mia, audience="EVERYONE", is_pinned=True, filter=everything)

    for user in (sam, UserFactory(role=Role.READ_ONLY)):
        pinned = client_of(user).get(reverse("core:pinned")).context["pinned"]
        visible = Lead.objects.live().visible_to(user).filter(lifecycle="RAW").count()
        assert [pin["count"] for pin in pinned] == [visible]


def test_previous_and_next_walk_past_what_is_hidden(here, sam):
    client = client_of(sam)
    another = LeadFactory(owner=sam)
    client.get(reverse("leads:lead_list"))

    html = client.get(f"{another.get_absolute_url()}?from=list").content.decode()

    assert f"{here.hidden['lead'].get_absolute_url()}" not in html


# -- doing ------------------------------------------------------------------------------------


def posts(here):
    """What is sent about Rae's records, around their pages: {what: (address, data)}."""
    lead, account = here.hidden["lead"], here.hidden["account"]
    relation, role = relations(here), roles(here)
    return {
        "seen": (reverse("core:seen", args=["leads.lead", lead.pk]), {}),
        "one field": (
            f"{reverse('leads:lead_update', args=[lead.pk])}?field=title",
            {"title": "x"},
        ),
        "restore": (reverse("core:restore", args=["leads.lead", here.archived.pk]), {}),
        "go on with a batch": (reverse("core:batch", args=[here.batch.pk]), {}),
        "do a batch": (reverse("core:batch_verb", args=[here.batch.pk]), {}),
        "preview a batch": (reverse("core:batch_verb", args=[here.batch.pk]), {"preview": "1"}),
        "leave out": (reverse("core:batch_verb", args=[here.batch.pk]), {"leave_out": "1"}),
        "view": (reverse("core:savedview_update", args=[here.views[here.rae].pk]), {"name": "x"}),
        "remove a view": (reverse("core:savedview_delete", args=[here.views[here.rae].pk]), {}),
        "plan": (reverse("leads:lead_convert_plan", args=[lead.pk]), {}),
        "accept": (reverse("leads:lead_accept", args=[lead.pk]), {}),
        "stage": (
            reverse("opportunities:opportunity_stage", args=[here.hidden["opportunity"].pk]),
            {"stage": 2},
        ),
        "move": (reverse("accounts:account_top", args=[account.pk]), {}),
        "relation by another parent": (
            reverse("contacts:relation_end", args=[here.own["contact"].pk, relation.pk]),
            {},
        ),
        "role by another parent": (
            reverse("opportunities:role_remove", args=[here.own["opportunity"].pk, role.pk]),
            {},
        ),
    }


def relations(here):
    return RelationFactory(contact=here.hidden["contact"], account=here.hidden["account"])


def roles(here):
    return RoleFactory(opportunity=here.hidden["opportunity"])


def sent_to(here, client, statuses):
    """Send all of it; each answer has one of the statuses, and nothing is changed."""
    doors = posts(here)
    before = digest(journal=True, stamps=True)
    for what, (address, data) in doors.items():
        response = client.post(address, data)
        wanted = statuses.get(what, statuses[""])
        assert response.status_code == wanted, what
        assert differences(before, digest(journal=True, stamps=True)) == {}, what


def test_an_outsider_does_nothing_by_any_second_path(here, sam):
    sent_to(here, client_of(sam), {"": 404})


def test_a_reader_does_nothing_by_any_second_path(here):
    """Leads and deals he sees; of people and accounts, the team's."""
    refused = dict.fromkeys(("one field", "restore", "plan", "stage"), 403)
    seen = {"seen": 204, "accept": 303}
    reader = UserFactory(role=Role.READ_ONLY)
    doors = posts(here)
    for what, (address, data) in doors.items():
        before = digest(journal=True, stamps=True)
        response = client_of(reader).post(address, data)
        assert response.status_code == {"": 404, **refused, **seen}.get(what, 404), what
        if what != "seen":  # what he looked at is his own affair
            assert differences(before, digest(journal=True, stamps=True)) == {}, what


def test_nobody_who_is_not_signed_in_does_anything_by_any_second_path(here):
    sent_to(here, Client(), {"": 302})


def test_an_undo_of_what_touched_hidden_records_is_refused_and_tells_nothing(here, sam):
    client = client_of(sam)
    page = reverse("core:operation", args=[here.together.pk])
    before = digest(journal=True, stamps=True)

    assert client.get(page).status_code == 200
    assert not told(client.get(page))
    for method in (client.get, client.post):
        response = method(reverse("core:undo", args=[here.together.pk]))
        assert response.status_code == 403
        assert not told(response)
    assert differences(before, digest(journal=True, stamps=True)) == {}


@pytest.mark.parametrize("model", record_models())
def test_one_hidden_key_refuses_the_whole_batch_like_an_unknown_one(here, sam, model):
    kind = model._meta.model_name
    address = reverse("core:choose", args=[model._meta.label_lower])
    client = client_of(sam)
    before = digest(journal=True, stamps=True)

    answers = [
        client.post(address, {"verb": "assign", "pick": [here.own[kind].pk, key]})
        for key in (here.hidden[kind].pk, 99_999_999)
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert differences(before, digest(journal=True, stamps=True)) == {}


def test_a_batch_chosen_before_a_record_went_out_of_reach_refuses_it(here, sam):
    mine = [LeadFactory(owner=sam), LeadFactory(owner=sam)]
    batch = choose(verb_named("archive", Lead, sam), [lead.pk for lead in mine])
    Lead.objects.filter(pk=mine[0].pk).update(owner=here.rae)

    client_of(sam).post(reverse("core:batch_verb", args=[batch.pk]), {})

    assert Lead.objects.get(pk=mine[0].pk).archived_at is None


def test_a_view_of_somebody_else_filters_no_list(here, sam):
    view = here.views[here.rae]
    address = reverse("leads:lead_list")
    client = client_of(sam)

    answers = [client.get(address, {"view": key}) for key in (view.pk, 99_999_999)]

    assert [list(answer.context["page"].records) for answer in answers] == [[], []]
    refusals = [str(answer.context["refusal"]) for answer in answers]
    assert refusals[0] == refusals[1] != ""
    assert not any(map(told, answers))


NESTED = {
    "leads:lead_update": ("lead", "matched_account", "account"),
    "accounts:account_move": ("account", "parent", "account"),
    "contacts:contact_account": ("contact", "account", "account"),
    "contacts:contact_job_change": ("contact", "account", "account"),
    "contacts:relation_create": ("contact", "account", "account"),
    "opportunities:role_create": ("opportunity", "contact", "contact"),
    "leads:lead_convert": ("lead", "account", "account"),
    "leads:lead_convert_plan": ("lead", "contact", "contact"),
}


@pytest.mark.parametrize("name", NESTED)
def test_a_hidden_key_in_a_form_is_answered_like_an_unknown_one(here, sam, name):
    kind, field, target = NESTED[name]
    address = reverse(name, args=[here.own[kind].pk])
    client = client_of(sam)
    before = digest(journal=True, stamps=True)

    answers = [client.post(address, {field: key}) for key in (here.hidden[target].pk, 99_999_999)]

    assert len({answer.status_code for answer in answers}) == 1
    assert not any(map(told, answers))
    errors = [str(answer.context["form"].errors.get(field)) for answer in answers]
    assert errors[0] == errors[1]
    assert differences(before, digest(journal=True, stamps=True)) == {}


@pytest.mark.parametrize("model", [Account, Contact, Lead, Opportunity])
def test_the_recycle_bin_shows_what_the_reader_may_restore(here, sam, model):
    records = {"account": AccountFactory, "contact": ContactFactory, "lead": LeadFactory}
    make = records.get(model._meta.model_name, OpportunityFactory)
    archive(make(owner=here.rae), by=here.mia)
    address = reverse("core:recycle_bin")

    for user in (sam, UserFactory(role=Role.READ_ONLY)):
        page = client_of(user).get(address, {"kind": model._meta.model_name}).context["page"]
        assert page is None or list(page.records) == []


def test_who_became_a_reader_answers_no_hand_over(here, sam):
    lead = LeadFactory(owner=here.rae, lifecycle="SQL")
    hand_over(lead, to=sam, note=NOTE, by=here.mia)
    sam.role = Role.READ_ONLY
    sam.save()
    before = digest(journal=True, stamps=True)

    for name in ("accept", "return"):
        address = reverse(f"leads:lead_{name}", args=[lead.pk])
        response = client_of(sam).post(address, {"reason": "Not our market."})
        assert response.status_code in (303, 403)
        assert differences(before, digest(journal=True, stamps=True)) == {}, name


def test_who_became_a_reader_takes_nothing_back(here, sam):
    lead = here.own["lead"]
    with operation(Kind.EDIT, by=sam, label=Label("Edited")) as op:
        lead = Lead.objects.get(pk=lead.pk)
        lead.title = "Head"
        lead.save()
    sam.role = Role.READ_ONLY
    sam.save()
    before = digest(journal=True, stamps=True)

    response = client_of(sam).post(reverse("core:undo", args=[op.row.pk]))

    assert response.status_code == 403
    assert differences(before, digest(journal=True, stamps=True)) == {}


@pytest.mark.parametrize("who", ["outsider", "reader", "inactive"])
def test_commands_have_no_more_rights_than_their_user(here, sam, tmp_path, who):
    users = {"outsider": sam, "reader": UserFactory(role=Role.READ_ONLY, grants=["import"])}
    user = users.get(who) or UserFactory(role=Role.ADMIN, is_active=False)
    done = Operation.objects.filter(actor=here.rae).order_by("pk").last()
    path = tmp_path / "leads.csv"
    path.write_text("Last name\nLee\n")
    before = digest(journal=True, stamps=True)

    for words in (
        ("convert_lead", str(here.hidden["lead"].pk)),
        ("undo", str(done.pk)),
        ("import_records", "leads", str(path)),
    ):
        with pytest.raises(CommandError) as refusal:
            call_command(*words, user=user.email, stdout=StringIO())
        assert CANARY not in str(refusal.value) or who == "reader"
        assert differences(before, digest(journal=True, stamps=True)) == {}, words
