import datetime
from decimal import Decimal

import factory

from opportunities.models import Opportunity, OpportunityContactRole, OpportunityTeamMember, Stage
from opportunities.services import create_opportunities
from tests.factories.accounts import AccountFactory
from tests.factories.contacts import ContactFactory
from tests.factories.users import UserFactory


class OpportunityFactory(factory.django.DjangoModelFactory):
    """An open deal in the first stage, with its row of history."""

    class Meta:
        model = Opportunity

    class Params:
        won = factory.Trait(stage=factory.LazyFunction(Stage.first_won))
        lost = factory.Trait(stage=factory.LazyFunction(Stage.first_lost), loss_reason="Price")

    name = factory.Sequence(lambda n: f"Deal {n}")
    account = factory.SubFactory(AccountFactory)
    owner = factory.SubFactory(UserFactory)
    stage = factory.LazyFunction(Stage.first_open)
    amount = Decimal(1000)
    close_date = datetime.date(2030, 6, 30)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        deal = model_class(*args, **kwargs)
        create_opportunities([deal], by=deal.owner)
        return deal


class RoleFactory(factory.django.DjangoModelFactory):
    """A person's role in a deal; of somebody from the deal's account unless one is named."""

    class Meta:
        model = OpportunityContactRole

    opportunity = factory.SubFactory(OpportunityFactory)
    contact = factory.SubFactory(
        ContactFactory, account=factory.SelfAttribute("..opportunity.account")
    )


class OpportunityTeamMemberFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = OpportunityTeamMember

    record = factory.SubFactory(OpportunityFactory)
    user = factory.SubFactory(UserFactory)
