import pytest
from django.core.management import call_command

from core.journal import Kind
from core.models import Change, ListValue, Operation, Organisation
from core.seeds import ALIASES, FROM_FILES, LISTS, list_rows, seed

pytestmark = pytest.mark.django_db


def test_seed_has_written_settings_and_lists_through_the_journal():
    organisation = Organisation.objects.get(pk=1)
    rows = {(row.list_key, row.value): row for row in ListValue.objects.all()}

    assert organisation.default_currency == "USD"
    assert "gmail.com" in organisation.free_mail_domains
    assert "info" in organisation.role_mailboxes
    assert rows.keys() == {(row.list_key, row.value) for row in list_rows()}
    assert rows["industry", "Energy"].label == "Energy"
    assert rows["salutation", "Mr."].is_active
    assert not rows["loss_reason", "Not recorded"].is_active
    operations = Operation.objects.filter(kind=Kind.SEED)
    assert set(operations.values_list("actor", flat=True)) == {None}
    changes = Change.objects.filter(model="core.listvalue", verb="created")
    assert changes.count() == len(rows)


def test_seed_again_writes_nothing_in_few_statements(django_assert_max_num_queries):
    operations = Operation.objects.count()

    with django_assert_max_num_queries(3):
        seed()

    assert Operation.objects.count() == operations


def test_seed_leaves_edited_rows_and_adds_missing_ones():
    Organisation.objects.filter(pk=1).update(name="Acme", default_currency="EUR")
    ListValue.objects.filter(list_key="win_reason", value="Price").update(label="Best price")
    ListValue.objects.filter(list_key="win_reason", value="Brand").update(value="Our brand")

    seed()

    assert Organisation.objects.get(pk=1).name == "Acme"
    reasons = ListValue.objects.filter(list_key="win_reason")
    assert reasons.get(value="Price").label == "Best price"
    assert reasons.filter(value="Brand").count() == 1


def test_seed_runs_after_each_migrate():
    operations = Operation.objects.count()

    call_command("migrate", verbosity=0)

    assert Operation.objects.count() == operations


def test_aliases_and_values_for_files_name_lists_that_exist():
    values = {(key, value) for key, values in LISTS.items() for value in values}

    assert ALIASES.keys() <= values
    assert FROM_FILES.keys() <= LISTS.keys()
    assert len(list(list_rows())) == len({(row.list_key, row.value) for row in list_rows()})
