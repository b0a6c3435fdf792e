"""The values of editable lists: which records have them, the preset one, replacing, removing."""

import pytest
from django.urls import reverse

from accounts.models import Account
from contacts.models import AccountContactRelation
from core import lists
from core.checks import all_checks
from core.errors import NotAllowed
from core.journal import Kind, Operation
from core.lists import NamedByRules, NoReplacement, ReplacementNeeded, remove_value, uses_of
from core.models import ListValue
from core.seeds import seed
from core.undo import is_undone, undo
from leads.models import Lead
from opportunities.models import Opportunity
from tests.digest import differences, digest
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory
from tests.factories.opportunities import OpportunityFactory
from tests.pages import send

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client, admin):
    """The client of an administrator."""
    client.force_login(admin)
    return client


def value_of(list_key, value):
    return ListValue.objects.get(list_key=list_key, value=value)


def remove_page(value):
    return reverse("core:listvalue_remove", args=[value.list_key, value.pk])


def assert_all_rules_hold():
    assert [str(o) for check in all_checks() for o in check.offences(full=True)] == []


# -- who has a value --------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Käufer", 'The "boss"', "100 %", "Back\\slash"])
def test_records_that_have_one_of_several_values_are_counted_whatever_its_letters(rep, text):
    ListValue.objects.create(list_key="account_contact_role", value=text, label=text)
    ContactFactory(owner=rep, account=AccountFactory(owner=rep))
    AccountContactRelation.objects.update(roles=["Billing", text])

    (use,) = uses_of("account_contact_role")

    assert (use.count(text), use.count(text[:-1]), use.count("Advisor")) == (1, 0, 0)


# -- replacing and removing -------------------------------------------------------------------


def test_a_used_value_is_removed_with_a_replacement_in_one_operation(office, admin, rep):
    banking = value_of("industry", "Banking")
    accounts = AccountFactory.create_batch(2, owner=rep, industry="Banking")
    LeadFactory(industry="Banking")
    others = AccountFactory(owner=rep, industry="Energy")
    before = digest()

    page = office.get(remove_page(banking))
    assert "In use: 2 accounts." in page.content.decode()
    assert "In use: 1 lead." in page.content.decode()
    finance = value_of("industry", "Finance")
    response = send(office, remove_page(banking), replacement=finance.pk)

    assert response.status_code == 303
    assert response.url == reverse("core:listvalue_list", args=["industry"])
    assert not ListValue.objects.filter(pk=banking.pk).exists()
    assert {Account.objects.get(pk=a.pk).industry for a in accounts} == {"Finance"}
    assert Lead.objects.get().industry == "Finance"
    assert Account.objects.get(pk=others.pk).industry == "Energy"
    done = Operation.objects.order_by("pk").last()
    assert done.kind == Kind.BULK_EDIT and done.run is None and done.changes.count() == 4
    assert f"/operations/{done.pk}/undo/" in office.get(response.url).content.decode()
    assert_all_rules_hold()
    assert office.get(reverse("core:undo", args=[done.pk])).status_code == 200
    assert office.get(reverse("core:operation", args=[done.pk])).status_code == 200
    undo(done, by=admin)
    assert differences(before, digest()) == {}
    assert_all_rules_hold()


def test_archived_and_finished_records_get_the_replacement_too(admin, rep):
    AccountFactory(owner=rep, industry="Banking")
    Account.objects.update(archived_at="2026-01-01 00:00Z")
    OpportunityFactory(lost=True)

    energy = value_of("industry", "Energy")
    remove_value(value_of("industry", "Banking"), by=admin, replacement=energy)
    timing = value_of("loss_reason", "Timing")
    remove_value(value_of("loss_reason", "Price"), by=admin, replacement=timing)

    assert Account.objects.get(industry="Energy").is_archived
    assert Opportunity.objects.get().loss_reason == "Timing"
    assert value_of("win_reason", "Price")


def test_among_several_values_the_replacement_stands_once(admin, rep):
    ContactFactory(owner=rep, account=AccountFactory(owner=rep))
    AccountContactRelation.objects.update(roles=["Advisor", "Billing", "Evaluator"])

    billing = value_of("account_contact_role", "Billing")
    remove_value(value_of("account_contact_role", "Advisor"), by=admin, replacement=billing)

    assert AccountContactRelation.objects.get().roles == ["Billing", "Evaluator"]


def test_more_than_200_records_are_a_run_that_can_be_undone(office, admin, rep, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK", 3)
    banking = value_of("industry", "Banking")
    ListValue.objects.filter(pk=banking.pk).update(is_default=True)
    AccountFactory.create_batch(4, owner=rep, industry="Banking")
    LeadFactory.create_batch(4, industry="Banking")
    before = digest()

    response = send(office, remove_page(banking), replacement=value_of("industry", "Energy").pk)

    run = Operation.objects.get(kind=Kind.BULK_EDIT, run=None)
    assert [chunk.changes.count() for chunk in run.chunks.order_by("pk")] == [4, 3, 2, 1]
    assert f"/operations/{run.pk}/undo/" in office.get(response.url).content.decode()
    assert not Account.objects.filter(industry="Banking").exists()
    assert not ListValue.objects.filter(pk=banking.pk).exists()
    kept = Account.objects.order_by("pk").first()
    Account.objects.filter(pk=kept.pk).update(industry="Retail")
    assert office.get(reverse("core:undo", args=[run.pk])).status_code == 200
    undo(run, by=admin)
    assert is_undone(run)
    assert Account.objects.get(pk=kept.pk).industry == "Retail"
    Account.objects.filter(pk=kept.pk).update(industry="Banking")
    assert differences(before, digest()) == {}
    assert_all_rules_hold()


def test_what_is_sent_again_while_a_run_is_at_work_begins_no_other(office, admin, rep, monkeypatch):
    monkeypatch.setattr(lists, "CHUNK", 1)
    banking = value_of("industry", "Banking")
    AccountFactory.create_batch(3, owner=rep, industry="Banking")
    page = office.get(remove_page(banking))
    data = {"replacement": value_of("industry", "Energy").pk}
    data["key"] = page.context["form"].initial["key"]
    replace_some, answers = lists._replace_some, []

    def replace_some_and_send_again(*args, **kwargs):
        is_more = replace_some(*args, **kwargs)
        monkeypatch.setattr(lists, "_replace_some", replace_some)
        answers.append(office.post(remove_page(banking), data))
        return is_more

    monkeypatch.setattr(lists, "_replace_some", replace_some_and_send_again)
    assert office.post(remove_page(banking), data).status_code == 303

    assert [answer.status_code for answer in answers] == [303]
    assert Operation.objects.filter(kind=Kind.BULK_EDIT, run=None).count() == 1


def test_a_value_without_records_needs_no_replacement(office):
    chemicals = value_of("industry", "Chemicals")

    response = send(office, remove_page(chemicals))

    assert response.status_code == 303
    assert not ListValue.objects.filter(pk=chemicals.pk).exists()


def test_a_used_value_is_not_removed_without_a_replacement(office, admin, rep):
    banking = value_of("industry", "Banking")
    form = office.get(remove_page(banking)).context["form"]
    AccountFactory(owner=rep, industry="Banking")
    before = digest(journal=True, stamps=True)

    response = office.post(remove_page(banking), {"key": form.initial["key"]})
    assert (response.status_code, [*response.context["form"].errors]) == (422, ["replacement"])
    with pytest.raises(ReplacementNeeded):
        remove_value(banking, by=admin)

    assert differences(before, digest(journal=True, stamps=True)) == {}


@pytest.mark.parametrize("wrong", ["itself", "of another list", "retired"])
def test_the_replacement_is_another_value_of_the_list_that_can_be_chosen(office, admin, rep, wrong):
    banking, chosen = value_of("industry", "Banking"), value_of("industry", "Retail")
    ListValue.objects.filter(pk=chosen.pk).update(is_active=False)
    chosen.refresh_from_db()
    chosen = {"itself": banking, "of another list": ListValue.objects.of("salutation")[0]}.get(
        wrong, chosen
    )
    AccountFactory(owner=rep, industry="Banking")
    before = digest(journal=True, stamps=True)

    response = send(office, remove_page(banking), replacement=chosen.pk)
    assert (response.status_code, [*response.context["form"].errors]) == (422, ["replacement"])
    with pytest.raises(NoReplacement):
        remove_value(banking, by=admin, replacement=chosen)

    assert differences(before, digest(journal=True, stamps=True)) == {}


def test_a_list_whose_last_value_was_removed_can_be_filled_again(office):
    for value in ListValue.objects.of("delivery_status"):
        response = send(office, remove_page(value))

    assert office.get(response.url).status_code == 200
    assert response.url in office.get(reverse("core:list_index")).content.decode()
    page = reverse("core:listvalue_create", args=["delivery_status"])
    assert send(office, page, label="On its way").status_code == 303


@pytest.mark.parametrize(
    ("list_key", "text"),
    [
        ("loss_reason", "Other"),
        ("loss_reason", "Not recorded"),
        ("disqualify_reason", "Not recorded"),
        ("account_contact_role", "Former Employee"),
        ("opportunity_contact_role", "Decision Maker"),
    ],
)
def test_a_value_that_rules_name_stays(office, admin, list_key, text):
    value = value_of(list_key, text)

    with pytest.raises(NamedByRules):
        remove_value(value, by=admin)
    page = office.get(remove_page(value))
    response = office.post(remove_page(value), {"key": page.context["form"].initial["key"]})

    assert "Rules name this value" in page.content.decode()
    assert response.status_code == 409
    assert value_of(list_key, text) == value


def test_only_administrators_remove_values(client, rep):
    value = value_of("industry", "Chemicals")
    client.force_login(rep)

    assert client.get(remove_page(value)).status_code == 403
    assert client.post(remove_page(value), {}).status_code == 403
    with pytest.raises(NotAllowed):
        remove_value(value, by=rep)


def test_a_removed_value_stays_removed_after_the_next_migrate(admin):
    remove_value(value_of("industry", "Chemicals"), by=admin)

    seed()

    assert not ListValue.objects.filter(list_key="industry", value="Chemicals").exists()


# -- the preset -------------------------------------------------------------------------------


def test_another_preset_value_takes_the_place_of_the_one_before(office):
    one, two = value_of("industry", "Energy"), value_of("industry", "Retail")

    for value in (one, two):
        page = reverse("core:listvalue_update", args=["industry", value.pk])
        assert send(office, page, preset="on").status_code == 303

    assert [v.value for v in ListValue.objects.filter(is_default=True)] == ["Retail"]


def test_a_value_that_nobody_can_choose_is_not_preset(office):
    value = value_of("industry", "Energy")
    page = reverse("core:listvalue_update", args=["industry", value.pk])
    data = {"label": "Energy", "preset": "on", "version": value.version, "aliases": ""}

    response = office.post(page, data)

    assert (response.status_code, [*response.context["form"].errors]) == (422, ["preset"])


@pytest.mark.parametrize(
    ("page", "list_key", "value", "name"),
    [
        ("accounts:account_create", "industry", "Energy", "industry"),
        ("leads:lead_create", "lead_source", "Web", "lead_source"),
        ("opportunities:opportunity_create", "opportunity_type", "Renewal", "type"),
    ],
)
def test_forms_of_new_records_begin_with_the_preset_value(client, rep, page, list_key, value, name):
    ListValue.objects.filter(list_key=list_key, value=value).update(is_default=True)
    client.force_login(rep)

    form = client.get(reverse(page)).context["form"]

    assert form[name].value() == value
    assert f'value="{value}" selected' in str(form[name])


def test_a_field_that_is_filled_otherwise_keeps_its_value(client, rep):
    ListValue.objects.filter(list_key="industry", value="Energy").update(is_default=True)
    client.force_login(rep)
    account = AccountFactory(owner=rep, industry="")

    new = client.get(reverse("accounts:account_create") + "?industry=Retail").context["form"]
    old = client.get(reverse("accounts:account_update", args=[account.pk])).context["form"]

    assert (new["industry"].value(), old["industry"].value()) == ("Retail", "")


def test_a_preset_value_out_of_choice_presets_nothing(client, rep):
    rows = ListValue.objects.filter(list_key="industry", value="Energy")
    rows.update(is_default=True, is_active=False)
    client.force_login(rep)

    form = client.get(reverse("accounts:account_create")).context["form"]

    assert not form["industry"].value()
