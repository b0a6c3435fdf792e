"""Contacts: the people, and their relations with accounts over time."""

from contacts.models.contact import Contact, ContactQuerySet, PreferredChannel
from contacts.models.relation import AccountContactRelation, RelationQuerySet

__all__ = [
    "AccountContactRelation",
    "Contact",
    "ContactQuerySet",
    "PreferredChannel",
    "RelationQuerySet",
]
