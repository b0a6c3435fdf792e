import datetime

import factory

from contacts.models import AccountContactRelation, Contact, ContactShare, PlannedJobChange
from contacts.services import relate, set_direct_accounts
from core.journal import Kind, Label, operation
from tests.factories.accounts import AccountFactory
from tests.factories.users import UserFactory


class ContactFactory(factory.django.DjangoModelFactory):
    """A person; with ``account`` the direct relation is made as well."""

    class Meta:
        model = Contact

    first_name = "Ana"
    last_name = factory.Sequence(lambda n: f"Ruiz {n}")
    owner = factory.SubFactory(UserFactory)
    account = None

    @classmethod
    def _create(cls, model_class, *args, account=None, **kwargs):
        contact = super()._create(model_class, *args, **kwargs)
        if account is not None:
            with operation(Kind.RELATE, by=None, label=Label("Made for a test")):
                set_direct_accounts({contact: account})
        return contact


class RelationFactory(factory.django.DjangoModelFactory):
    """An active relation; the first one of a person is the direct one."""

    class Meta:
        model = AccountContactRelation

    account = factory.SubFactory(AccountFactory)
    contact = factory.SubFactory(ContactFactory)

    @classmethod
    def _create(cls, model_class, *args, account, contact, **kwargs):
        with operation(Kind.RELATE, by=None, label=Label("Made for a test")):
            return relate(contact, account, **kwargs)


class ContactShareFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ContactShare

    record = factory.SubFactory(ContactFactory)
    user = factory.SubFactory(UserFactory)


class PlannedJobChangeFactory(factory.django.DjangoModelFactory):
    """A person's open plan to go to another account; the day may have come."""

    class Meta:
        model = PlannedJobChange

    contact = factory.SubFactory(ContactFactory)
    old_account = factory.SelfAttribute("contact.account")
    new_account = factory.SubFactory(AccountFactory)
    date = datetime.date(2026, 5, 3)
    planned_by = factory.SelfAttribute("contact.owner")
