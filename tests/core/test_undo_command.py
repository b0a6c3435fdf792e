"""Taking operations back on the command line."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from core.journal import Kind, Label, Operation, operation
from leads.conversion import ConversionChoices, convert_lead
from leads.models import Phase
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.leads import LeadFactory

pytestmark = pytest.mark.django_db


def run(*args):
    out = StringIO()
    call_command("undo", *map(str, args), stdout=out)
    return out.getvalue()


def refused(*args):
    """What the command printed before it refused, and its last words."""
    out = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("undo", *map(str, args), stdout=out)
    return out.getvalue(), str(refusal.value)


def edit(account, by, **values):
    """One operation that sets ``values``."""
    with operation(Kind.EDIT, by=by, label=Label("Edited it")) as op:
        for name, value in values.items():
            setattr(account, name, value)
        account.save()
    return op.row


def test_undo_takes_an_operation_back_and_brings_it_again(admin):
    account = AccountFactory(name="Acme", owner=admin)
    done = edit(account, admin, name="Apex")

    said = run(done.pk)
    account.refresh_from_db()
    assert account.name == "Acme"

    run(said.rpartition(" ")[2].strip())
    account.refresh_from_db()
    assert account.name == "Apex"


def test_undo_prints_what_is_in_the_way(admin):
    account = AccountFactory(name="Acme", owner=admin)
    done = edit(account, admin, name="Apex")
    account.refresh_from_db()
    edit(account, admin, name="Zenith")
    before = Operation.objects.count()

    printed, message = refused(done.pk)

    assert f"In the way: account {account.pk} “Zenith”: name was changed since." in printed
    assert message == "Something stands in the way. Nothing was changed."
    assert Operation.objects.count() == before


def test_undo_of_a_conversion_names_what_was_built_on_it(admin):
    lead = LeadFactory(owner=admin)
    conversion = convert_lead(lead, by=admin, choices=ConversionChoices())
    ContactFactory(account=conversion.account, owner=admin, last_name="Since")

    printed, _message = refused(conversion.get_operation().pk)

    assert "Since" in printed
    lead.refresh_from_db()
    assert lead.phase == Phase.CONVERTED


def test_undo_drops_later_edits_only_on_request(admin):
    lead = LeadFactory(owner=admin)
    conversion = convert_lead(lead, by=admin, choices=ConversionChoices())
    edit(conversion.account, admin, industry="Food & Beverage")
    done = conversion.get_operation().pk

    printed, message = refused(done)
    assert "Edited since: account" in printed
    assert "--drop-later-edits" in printed
    assert message.endswith("Nothing was changed.")

    run(done, "--drop-later-edits")
    assert not Account.objects.exists()


def test_undo_asks_for_the_rights_of_the_user(admin, rep, stranger):
    done = edit(AccountFactory(name="Acme", owner=rep), rep, name="Apex")

    _printed, message = refused(done.pk, "--user", stranger.email)
    assert message.startswith("Only who did this")
    run(done.pk, "--user", rep.email)


def test_undo_of_something_unknown_is_refused(admin):
    assert refused(999)[1] == "There is no operation 999."


def test_undo_of_what_is_undone_is_refused(admin):
    done = edit(AccountFactory(name="Acme", owner=admin), admin, name="Apex")
    run(done.pk)

    assert refused(done.pk)[1] == "This is undone already."
