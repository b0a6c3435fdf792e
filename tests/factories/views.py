import factory
from factory.django import DjangoModelFactory

from core.models import SavedView
from tests.factories.users import UserFactory


class SavedViewFactory(DjangoModelFactory):
    class Meta:
        model = SavedView
        skip_postgeneration_save = True

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence("View {}".format)
    model = "leads.lead"
    filter = factory.LazyFunction(
        lambda: {"all": [{"field": "rating", "op": "in", "value": ["HOT"]}]}
    )
