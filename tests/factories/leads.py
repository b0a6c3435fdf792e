import datetime

import factory
from django.utils import timezone

from core.services import next_position
from leads.models import AssignmentRule, Lead, LeadShare, LeadStatus, Phase, Queue, QueueMember
from tests.factories.users import UserFactory


def first_of(phase):
    return factory.LazyFunction(lambda: LeadStatus.first(phase))


class LeadFactory(factory.django.DjangoModelFactory):
    """A new lead; ``status`` may be any but a converted one."""

    class Meta:
        model = Lead

    class Params:
        working = factory.Trait(status=first_of(Phase.WORKING))
        qualified = factory.Trait(status=first_of(Phase.QUALIFIED))
        nurturing = factory.Trait(
            status=first_of(Phase.NURTURING), nurture_until=datetime.date(2030, 6, 30)
        )
        dead = factory.Trait(status=first_of(Phase.DEAD), disqualify_reason="No interest")

    first_name = "Lea"
    last_name = factory.Sequence(lambda n: f"Lind {n}")
    company = factory.Sequence(lambda n: f"Company {n}")
    email = factory.Sequence(lambda n: f"lea{n}@company{n}.example")
    status = factory.LazyFunction(LeadStatus.default)
    owner = factory.SubFactory(UserFactory)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        lead = model_class(*args, **kwargs)
        lead.enter(
            lead.status,
            at=timezone.now(),
            reason=lead.disqualify_reason,
            note=lead.disqualify_note,
            until=lead.nurture_until,
        )
        lead.save()
        return lead


class QueueFactory(factory.django.DjangoModelFactory):
    """A queue; ``members`` are users, in the order of their turns."""

    class Meta:
        model = Queue
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Queue {n}")

    @factory.post_generation
    def members(self, create, users, **kwargs):
        for position, user in enumerate(users or ()):
            QueueMember.objects.create(queue=self, user=user, position=position)


class RuleFactory(factory.django.DjangoModelFactory):
    """An assignment rule behind those that are there; it fits every lead."""

    class Meta:
        model = AssignmentRule

    name = factory.Sequence(lambda n: f"Rule {n}")
    position = factory.LazyFunction(lambda: next_position(AssignmentRule.objects.order_by()))
    criteria = factory.LazyFunction(dict)
    queue = None
    target_user = factory.LazyAttribute(lambda rule: None if rule.queue else UserFactory())


class QueueMemberFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = QueueMember

    queue = factory.SubFactory(QueueFactory)
    user = factory.SubFactory(UserFactory)


class LeadShareFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = LeadShare

    record = factory.SubFactory(LeadFactory)
    user = factory.SubFactory(UserFactory)
