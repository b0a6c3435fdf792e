"""
What each kind of file means: which records its rows are, what they refer to, what follows.

The rules of the records stand in their models (``clean_values``); here stands what is so in
files only. Rule: docs/rules/imports.md, section 5.
"""

from imports.kinds.accounts import Accounts
from imports.kinds.contact_roles import ContactRoles
from imports.kinds.contacts import Contacts
from imports.kinds.kind import OWN_FIELDS, Kind, cut_list
from imports.kinds.leads import Leads
from imports.kinds.opportunities import Opportunities
from imports.kinds.relations import Relations

__all__ = ["KINDS", "OWN_FIELDS", "Kind", "cut_list"]

KINDS = {
    "accounts": Accounts,
    "contacts": Contacts,
    "relations": Relations,
    "leads": Leads,
    "opportunities": Opportunities,
    "contact_roles": ContactRoles,
}
