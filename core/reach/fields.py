"""
Single fields: who sees them on whose records, and who edits them.

The table is read from here alone, by forms, lists, filters, searches and histories alike; they
ask a Sight, ``"amount" in sight(user, Opportunity)``. Rule: docs/rules/access.md, section 11.
"""

import functools
from dataclasses import dataclass
from enum import StrEnum

from core.reach.matrix import ADDRESS_PARTS, Scope, Verb, read_table
from core.reach.scope import reach_of
from users.models import Grant


class Right(StrEnum):
    """What can be done with a group of fields."""

    SEE_AMOUNTS = "see_amounts"
    SEE_PERSONAL = "see_personal"
    SEE_CONSENT = "see_consent"
    EDIT_FIGURES = "edit_figures"
    EDIT_PRIVATE = "edit_private"
    ALLOW_AGAIN = "allow_again"


FIELD_RIGHTS = read_table(
    """
    role       see_amounts  see_personal  see_consent  edit_figures  edit_private  allow_again
    ADMIN      A            A             A            A             A             A
    MANAGER    A            O             O            A             O             –
    REP        A            O             O            O             O             –
    SDR        A            O             O            –             O             –
    MARKETING  –            O             A            –             O             A
    SUPPORT    –            O             O            –             O             –
    READ_ONLY  A            O             O            –             –             –
    """,
    Right,
)


@dataclass(frozen=True)
class FieldRule:
    """
    What a right is about: fields that nobody else sees or, with ``is_edit``, edits.

    ``grant``: who has it has the right on all records. ``by_owner``: the own scope is what the
    user owns himself, not what his people do.
    """

    right: Right
    fields: frozenset
    is_edit: bool = False
    grant: str = ""
    by_owner: bool = False


def _amounts(*names):
    return FieldRule(Right.SEE_AMOUNTS, frozenset(names), grant=Grant.SEE_ALL_AMOUNTS)


PERSONAL = frozenset({"birthdate", "home_phone", "home_phone_e164"}) | {
    f"other_{part}" for part in ADDRESS_PARTS
}
FIELD_RULES = {  # by the name of the model
    "opportunity": (
        _amounts("amount", "expected_revenue", "original_amount"),
        FieldRule(Right.EDIT_PRIVATE, frozenset({"is_private"}), is_edit=True, by_owner=True),
    ),
    "opportunitystagehistory": (_amounts("from_amount", "to_amount"),),
    "contact": (
        FieldRule(Right.SEE_PERSONAL, PERSONAL),
        FieldRule(Right.SEE_CONSENT, frozenset({"consent_note"})),
    ),
    "account": (
        FieldRule(
            Right.EDIT_FIGURES, frozenset({"annual_revenue", "tax_id", "duns"}), is_edit=True
        ),
    ),
}


@dataclass(frozen=True)
class Sight:
    """Which fields somebody sees, of one record or of all: ``name in sight``."""

    hidden: frozenset = frozenset()
    only: frozenset = frozenset()  # no others than these, if there are any

    def __contains__(self, name):
        return name not in self.hidden and (not self.only or name in self.only)

    @property
    def is_whole(self):
        """Whether nothing is hidden."""
        return not self.hidden and not self.only


WHOLE = Sight()


def sight(user, model):
    """
    What ``user`` sees of every record of ``model`` that he may see; worked out once a request.

    Lists, filters, orders and searches show and ask no more than that. ``user`` is None for what
    the system asks by itself.
    """
    if user is None:
        return WHOLE
    reach = reach_of(user)
    if model not in reach.sights:
        hidden = (r.fields for r in _rules(model) if not r.is_edit and not _is_for_all(reach, r))
        reach.sights[model] = Sight(frozenset().union(*hidden), _only(reach, model))
    return reach.sights[model]


def sight_of(record, user):
    """What ``user`` sees of this one record."""
    model = type(record)
    of_all = sight(user, model)
    if of_all.is_whole:
        return of_all
    reach = reach_of(user)
    hidden = (r.fields for r in _rules(model) if not r.is_edit and not _is_for(reach, r, record))
    only = of_all.only
    if only and record.pk in reach.lent(model, Verb.VIEW):
        only = frozenset()
    return Sight(frozenset().union(*hidden), only)


def editable_fields(record, user):
    """The only fields that ``user`` may edit on ``record``; None if there is no such limit."""
    if getattr(record, "access", None) is None:
        return None
    reach = reach_of(user)
    limit = None if record._state.adding else _limit(reach, record)
    if not (rules := _rules(type(record))):
        return limit
    taken = (r.fields for r in rules if not _is_for(reach, r, record))
    if not (taken := frozenset().union(*taken)):
        return limit
    return (_names(type(record)) if limit is None else limit) - taken


@functools.cache
def _names(model):
    return frozenset(field.name for field in model._meta.concrete_fields)


def may_allow_again(user):
    """Whether ``user`` may take back that a person wants no e-mail, calls or fax."""
    reach = reach_of(user)
    return FIELD_RIGHTS.get((reach.role, Right.ALLOW_AGAIN)) == (Scope.ALL, "")


def _rules(model):
    return FIELD_RULES.get(model._meta.model_name, ())


def _only(reach, model):
    """The few fields that a footnote shows, and those of a grant; none if there is no footnote."""
    access = getattr(model, "access", None)
    only = reach.cell(access, Verb.VIEW)[1].sees if access else frozenset()
    granted = (r.fields for r in _rules(model) if r.grant in reach.grants)
    return only.union(*granted) if only else only


def _scope(reach, rule):
    if reach.role is None:
        return Scope.NONE
    if rule.grant in reach.grants:
        return Scope.ALL
    return FIELD_RIGHTS[reach.role, rule.right][0]


def _is_for_all(reach, rule):
    return _scope(reach, rule) == Scope.ALL


def _is_for(reach, rule, record):
    """Whether the right extends to ``record``; of rows without an owner to all or none."""
    scope = _scope(reach, rule)
    owner = getattr(record, "owner_id", None)
    if rule.by_owner and scope == Scope.OWN:
        return owner == reach.user.pk
    return reach.owns(scope, owner)


def _limit(reach, record):
    """The fields that a footnote of the matrix limits editing to; None if none does."""
    note = reach.cell(record.access, Verb.EDIT)[1]
    return note.fields if reach.is_limited(record, note) else None
