from functools import cache

import factory
from django.contrib.auth.hashers import make_password

from users.models import Role, Team, User

PASSWORD = "correct horse battery"


@cache
def hashed_password():
    """Hashing is slow on purpose: once for the whole run."""
    return make_password(PASSWORD)


class TeamFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"user{n}@example.com")
    name = factory.Sequence(lambda n: f"User {n}")
    role = Role.REP
    password = factory.LazyFunction(hashed_password)
