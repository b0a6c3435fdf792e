import pytest
from django import forms
from django.http import QueryDict

from accounts.forms import AccountCreateForm, AccountForm, AccountMoveForm
from accounts.models import Account
from core.forms import OnceMixin, Picked, RecordChoiceField, StyledFormMixin, VerbForm, best_matches
from core.journal import Kind, Label, operation
from core.models import Organisation
from core.once import request_cache
from tests.factories.accounts import AccountFactory
from tests.factories.users import UserFactory

pytestmark = pytest.mark.django_db


def sent(form, **changes):
    """What a browser sends for ``form``, with ``changes``; None leaves a field out."""
    data = QueryDict(mutable=True)
    for field in form:
        value = field.value()
        if isinstance(field.field, RecordChoiceField):
            data[field.html_name] = "" if value is None else str(value)
        elif value is not None and value is not False:
            data[field.html_name] = str(value)
    for name, value in changes.items():
        data.pop(name, None)
        if value is not None:
            data[name] = value
    return data


def edit(account, by, **changes):
    unbound = AccountForm(instance=account, by=by)
    return AccountForm(sent(unbound, **changes), instance=account, by=by)


# cleaning


def test_a_form_cleans_as_the_model_does(rep):
    form = edit(AccountFactory(owner=rep), rep, name="  Acme \u200b  Ltd ", website="acme.example")

    assert form.is_valid(), form.errors
    assert form.cleaned_data["name"] == "Acme Ltd"
    assert form.cleaned_data["website"] == "https://acme.example"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " \u200b "),
        ("name", "x" * 256),
        ("name", "a\x00b"),
        ("website", "javascript:alert(1)"),
        ("employees", "-1"),
        ("employees", "²"),
        ("employees", "9" * 30),
        ("annual_revenue", "NaN"),
        ("annual_revenue", "1e400"),
        ("duns", "12"),
        ("status", "NOPE"),
        ("industry", "Nope"),
        ("billing_country", "Atlantis"),
    ],
)
def test_a_bad_value_is_refused_at_its_field(rep, field, value):
    form = edit(AccountFactory(owner=rep), rep, **{field: value})

    assert not form.is_valid()
    assert list(form.errors) == [field]


def test_constraints_are_asked_over_fields_that_are_not_on_the_form(rep):
    child = AccountFactory(owner=rep, parent=AccountFactory())
    form = edit(child, rep, kind="INDIVIDUAL")

    assert not form.is_valid()
    assert "A private person has no parent account." in str(form.errors)


def test_what_is_not_on_the_form_is_ignored(rep, stranger):
    account = AccountFactory(owner=rep)
    form = edit(account, rep, owner=str(stranger.pk), id="999", created_by="1", path="/9/")

    assert form.is_valid()
    assert (form.instance.owner, form.instance.pk) == (rep, account.pk)


def test_a_limited_editor_gets_the_fields_that_he_may_edit(rep, monkeypatch):
    monkeypatch.setattr("core.forms.editable_fields", lambda record, user: frozenset({"phone"}))
    form = AccountForm(instance=AccountFactory(), by=rep)

    assert [field.name for field in form.visible_fields()] == ["phone"]


# one-time keys


def test_the_digest_is_that_of_the_cleaned_values(rep):
    account = AccountFactory(owner=rep)
    one, same = edit(account, rep, name="Acme"), edit(account, rep, name="Acme  ")
    other = edit(account, rep, name="Other")
    assert all(form.is_valid() for form in (one, same, other))

    assert one.digest == same.digest != other.digest
    assert one.key.digest == one.digest


@pytest.mark.parametrize("key", ["", "x" * 65])
def test_a_form_without_a_usable_key_has_none(key):
    form = VerbForm({"key": key})

    assert form.is_valid()
    assert form.key is None
    assert form.expected is None


def test_each_form_has_its_own_key():
    assert VerbForm()["key"].value() != VerbForm()["key"].value()


# choosing records


class PickForm(StyledFormMixin, OnceMixin, forms.Form):
    account = RecordChoiceField(Account.objects.all(), label="Account", required=False)

    def __init__(self, *args, by, current=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["account"].offer(by=by, current=current)


def pick(by, current=None, **data):
    form = PickForm(data, by=by, current=current)
    return form, form.is_valid()


def test_a_ticked_record_is_chosen(rep):
    account = AccountFactory()
    form, is_valid = pick(rep, account=str(account.pk))

    assert is_valid
    assert form.cleaned_data["account"] == account


@pytest.mark.parametrize("key", ["999999", "9" * 30, "abc", "-1", "1.5", "²", "\x00"])
def test_an_unknown_key_is_refused_in_the_same_words_as_a_hidden_one(rep, key):
    archived = AccountFactory()
    Account.objects.filter(pk=archived.pk).update(archived_at="2026-01-01T00:00Z")
    unknown, _valid = pick(rep, account=key)
    hidden, _valid = pick(rep, account=str(archived.pk))

    assert unknown.errors == hidden.errors
    assert unknown.errors["account"]


def test_the_present_record_may_be_kept_though_it_is_archived(rep):
    archived = AccountFactory(archived_at="2026-01-01T00:00Z")
    form, is_valid = pick(rep, current=archived, account=str(archived.pk))

    assert is_valid
    assert form.cleaned_data["account"] == archived


def test_a_typed_name_is_chosen_if_it_is_exact(rep):
    account = AccountFactory(name="Müller AG")
    AccountFactory(name="Müller AG West")
    form, is_valid = pick(rep, account_q="muller ag")

    assert is_valid
    assert form.cleaned_data["account"] == account


def test_a_typed_part_of_a_name_comes_back_with_options_to_tick(rep):
    accounts = [AccountFactory(name=f"Baltic {number}") for number in range(3)]
    form, is_valid = pick(rep, account_q="baltic")

    assert not is_valid
    html = str(form["account"])
    for account in accounts:
        assert f'value="{account.pk}"' in html
    assert 'name="account_shown" value="baltic"' in html


def test_a_tick_counts_only_for_the_text_that_its_options_were_shown_for(rep):
    old, new = AccountFactory(name="Old"), AccountFactory(name="New")

    form, _valid = pick(rep, account=str(old.pk), account_q="New", account_shown="")
    assert form.cleaned_data["account"] == new
    form, _valid = pick(rep, account=str(old.pk), account_q="Ol", account_shown="Ol")
    assert form.cleaned_data["account"] == old


def test_a_text_that_matches_nothing_is_said(rep):
    form, is_valid = pick(rep, account_q="<script>")

    assert not is_valid
    assert "Nothing matches" in str(form.errors)
    assert "<script>" not in str(form.errors)


def test_a_picker_offers_twenty_at_most(rep):
    owner = UserFactory()
    Account.objects.bulk_create(
        Account(name=f"Baltic {n}", owner=owner, search_text="baltic") for n in range(30)
    )

    assert len(best_matches(Account.objects.all(), "baltic", by=None)) == 20


def test_a_picker_costs_the_same_whatever_the_table(rep, django_assert_num_queries):
    account = AccountFactory(parent=AccountFactory(owner=rep), owner=rep)
    form = AccountMoveForm(account=account, by=rep)
    with request_cache():
        Organisation.current()  # the settings, which each page reads
        with django_assert_num_queries(0):
            str(form["parent"])


def test_a_picker_survives_any_value_in_its_url(rep):
    form = PickForm(by=rep, initial={"account": "abc"})

    assert "checked" in str(form["account"]) or 'type="radio"' not in str(form["account"])
    assert Picked("1", "a", "").is_search


# comparing


def changed_by(user, account, **values):
    fresh = Account.objects.get(pk=account.pk)
    with operation(Kind.EDIT, by=user, label=Label("Edited")):
        for name, value in values.items():
            setattr(fresh, name, value)
        fresh.save()
    return fresh


def compare(account, mine, theirs, *, rep, manager):
    unbound = AccountForm(instance=account, by=rep)
    data = sent(unbound, **mine)
    record = changed_by(manager, account, **theirs)
    form = AccountForm(data, instance=record, by=rep)
    assert form.is_valid(), form.errors
    return form.compare(Account.objects.get(pk=account.pk))


def test_what_both_changed_is_a_conflict_and_the_rest_is_merged(rep, manager):
    account = AccountFactory(owner=rep, name="Old", site="Old", phone="1", employees=1)
    comparison = compare(
        account,
        {"name": "Mine", "site": "Mine", "employees": "2"},
        {"name": "Theirs", "phone": "2", "employees": 3},
        rep=rep,
        manager=manager,
    )

    conflicts = {d.name: (d.mine, d.theirs, d.base, d.keep) for d in comparison.conflicts}
    assert conflicts == {
        "name": ("Mine", "Theirs", "Old", "mine"),
        "employees": ("2", "3", "1", "theirs"),
    }
    assert [d.name for d in comparison.mine] == ["site"]
    assert [d.name for d in comparison.theirs] == ["phone"]
    assert comparison.operation.actor == manager


def test_equal_changes_are_no_conflict(rep, manager):
    account = AccountFactory(owner=rep, name="Old")
    comparison = compare(account, {"name": "New"}, {"name": "New"}, rep=rep, manager=manager)

    assert comparison.conflicts == comparison.mine == comparison.theirs == []


def test_a_field_can_keep_what_was_saved(rep):
    account = AccountFactory(owner=rep, name="Saved", site="Saved")
    form = edit(account, rep, name="Mine", site="Mine", **{"keep-name": "theirs"})

    assert form.is_valid()
    assert (form.instance.name, form.instance.site) == ("Saved", "Mine")


def test_a_value_kept_as_saved_may_have_been_typed_wrong(rep):
    account = AccountFactory(owner=rep, employees=3)
    form = edit(account, rep, employees="many", **{"keep-employees": "theirs"})

    assert form.is_valid(), form.errors
    assert form.cleaned_data["employees"] == 3


def test_a_new_record_is_owned_by_who_adds_it(rep):
    form = AccountCreateForm(
        QueryDict("name=Acme&kind=BUSINESS&status=ACTIVE&currency=EUR"), by=rep
    )

    assert form.is_valid(), form.errors
    assert (form.build().owner, form.build().pk) == (rep, None)
    assert form.build() is not form.build()
