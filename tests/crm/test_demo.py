import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count

from accounts.models import Account
from contacts.models import AccountContactRelation, Contact
from core.checks import all_checks
from core.models import ExchangeRate, Organisation
from core.undo import undo
from crm.demo import PASSWORD, AlreadyLoaded, load, loaded_run
from crm.demo.people import make_people
from leads.models import Conversion, Lead, LeadStatus
from opportunities.models import Opportunity, OpportunityContactRole, Stage
from tests.digest import differences, digest
from tests.factories.leads import LeadFactory
from users.models import Role, User

pytestmark = pytest.mark.django_db


def test_sample_fills_every_status_stage_and_level():
    load()

    assert set(Lead.objects.values_list("status", flat=True)) == {
        status.pk for status in LeadStatus.everything()
    }
    assert set(Opportunity.objects.values_list("stage", flat=True)) == {
        stage.pk for stage in Stage.everything()
    }
    assert set(Account.objects.values_list("depth", flat=True)) == {0, 1, 2}
    assert Lead.objects.count() >= 200
    assert Account.objects.count() >= 60
    assert Contact.objects.count() >= 120
    assert Conversion.objects.count() >= 12
    assert [str(o) for check in all_checks() for o in check.offences(full=True)] == []


def test_sample_has_what_the_pages_show():
    load()
    today = Organisation.current().today()
    group = Account.objects.annotate(size=Count("whole_tree")).order_by("-size").first()
    relations = AccountContactRelation.objects

    assert group.size >= 10
    assert relations.filter(is_active=False).exists()
    assert relations.active().filter(is_direct=False).exists()
    assert relations.primary().count() >= 50
    assert Opportunity.objects.overdue(today=today).exists()
    assert Opportunity.objects.values("currency").distinct().count() >= 5
    assert Opportunity.objects.lost().filter(loss_reason="").exists() is False
    assert OpportunityContactRole.objects.primary().exists()
    assert ExchangeRate.objects.values("currency").distinct().count() >= 5
    assert Lead.objects.archived().exists()
    made = Conversion.objects.values_list("account_created", "contact_created", "opportunity")
    assert {(account, contact) for account, contact, _deal in made} >= {
        (True, True),
        (False, True),
        (False, False),
        (True, False),
    }


def test_undo_of_the_run_leaves_no_trace_and_the_next_load_brings_the_same(rep):
    lead = LeadFactory(owner=rep)
    people = make_people()
    before = digest()
    run = load().run
    first = named()

    undo(run, by=people["nadia"])

    assert differences(before, digest()) == {}
    assert named() == {"lead": [str(lead)]}
    load()
    assert named() == first


def named():
    """The names of all records by model, in the order of their creation."""
    models = (Account, Contact, Lead, Opportunity, Conversion)
    names = {model._meta.model_name: list(map(str, in_order(model))) for model in models}
    return {name: found for name, found in names.items() if found}


def in_order(model):
    return model.objects.order_by("pk")


def test_undo_leaves_what_was_edited_since_and_what_hangs_on_it():
    run = load().run
    conversion = Conversion.objects.filter(account_created=True).order_by("pk").first()
    account, contact = conversion.account, conversion.contact
    before = AccountContactRelation.objects.get(contact=contact, is_direct=False).account
    account.description = "Called back."
    account.save()

    undo(run, by=User.objects.get(email="nadia@example.com"))

    # The person who was hired by that account keeps both employers; all the rest is gone, the
    # lead and its conversion as well.
    assert list(Account.objects.order_by("pk")) == [before, account]
    assert list(Contact.objects.order_by("pk")) == [contact]
    assert AccountContactRelation.objects.filter(contact=contact).count() == 2
    assert not Lead.objects.exists() and not Conversion.objects.exists()
    assert [str(o) for check in all_checks() for o in check.offences(full=True)] == []
    assert loaded_run() is None


def test_second_load_says_that_it_is_loaded(capsys):
    call_command("load_demo")
    before = digest(journal=True, stamps=True)

    with pytest.raises(CommandError, match=f"loaded already.+undo {loaded_run().pk}"):
        call_command("load_demo")

    assert differences(before, digest(journal=True, stamps=True)) == {}
    assert "conversions" in capsys.readouterr().out
    with pytest.raises(AlreadyLoaded):
        load()


def test_people_of_each_role_can_sign_in(client):
    people = make_people()

    assert {user.role for user in people.values()} >= {
        Role.REP,
        Role.MANAGER,
        Role.ADMIN,
        Role.SDR,
        Role.READ_ONLY,
    }
    assert client.login(username="owen@example.com", password=PASSWORD)
    assert people["owen"].team.parent.name == "Sales"


def test_sample_users_get_no_password_where_others_have_accounts(admin):
    assert not make_people()["nadia"].has_usable_password()
