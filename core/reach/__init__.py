"""
Who may see and do what: roles, verbs, the matrix, and how far each of them reaches.

Three questions are answered here and nowhere else: ``visible`` cuts a queryset to what a user
may see or do, ``can`` asks for one record, ``allowed`` for a page of them. ``matrix`` has the
tables, ``loans`` what widens a reach on single records, ``scope`` what one user may do,
``questions`` the answers. Rule: docs/rules/access.md.
"""

from core.reach.loans import Access, Asker, Loan
from core.reach.matrix import (
    ADDRESS_PARTS,
    MATRIX,
    RECYCLE_BIN,
    Scope,
    Verb,
)
from core.reach.questions import (
    above,
    allowed,
    audience,
    can,
    editable_fields,
    fields_judged,
    is_above,
    is_admin,
    may,
    may_undo,
    require,
    uncapped,
    visible,
    where,
    within,
)
from core.reach.scope import Reach, reach_of

__all__ = [
    "ADDRESS_PARTS",
    "MATRIX",
    "RECYCLE_BIN",
    "Access",
    "Asker",
    "Loan",
    "Reach",
    "Scope",
    "Verb",
    "above",
    "allowed",
    "audience",
    "can",
    "editable_fields",
    "fields_judged",
    "is_above",
    "is_admin",
    "may",
    "may_undo",
    "reach_of",
    "require",
    "uncapped",
    "visible",
    "where",
    "within",
]
