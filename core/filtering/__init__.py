"""
The one language of filters: lists, views, segments, reports, rules and the API speak it.

A filter is a document of groups and conditions over the fields of one model. ``parse`` checks it
and gives a ``Filter``, which cuts a queryset by ``q`` and judges one record by ``matches``; both
always agree. Nothing here knows of requests. Rule: docs/rules/filters.md.
"""

from core.filtering.language import (
    Condition,
    Filter,
    FilterRefused,
    Group,
    Unavailable,
    both,
    field_types,
    parse,
    relations,
)

__all__ = [
    "Condition",
    "Filter",
    "FilterRefused",
    "Group",
    "Unavailable",
    "both",
    "field_types",
    "parse",
    "relations",
]
