import factory

from accounts.models import Account, AccountShare
from tests.factories.users import UserFactory


class AccountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Account {n}")
    owner = factory.SubFactory(UserFactory)


class AccountShareFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = AccountShare

    record = factory.SubFactory(AccountFactory)
    user = factory.SubFactory(UserFactory)
