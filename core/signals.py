"""News of core: what happened to a record of any kind."""

from django.dispatch import Signal

owner_changed = Signal()
"""
A record has another owner.

Sent with ``sender`` (the model), ``record`` and ``before`` (the record as it was) inside the
operation: an exception of a receiver undoes the change. Mail waits for the commit.
"""
