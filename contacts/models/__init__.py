"""Contacts: the people, and their relations with accounts over time."""

from contacts.models.contact import Contact, ContactQuerySet, PreferredChannel
from contacts.models.plan import PlannedJobChange, PlannedJobChangeQuerySet
from contacts.models.relation import AccountContactRelation, RelationQuerySet
from contacts.models.share import ContactShare

__all__ = [
    "AccountContactRelation",
    "Contact",
    "ContactQuerySet",
    "ContactShare",
    "PlannedJobChange",
    "PlannedJobChangeQuerySet",
    "PreferredChannel",
    "RelationQuerySet",
]
