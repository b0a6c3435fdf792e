"""News of core: what happened to a record of any kind."""

from django.dispatch import Signal

sweeping = Signal()
"""
The nightly sweep has come to the apps: what has become due, what can go?

Sent outside any operation; a receiver does its work by its own services and returns a sentence
about it, or None.
"""

owner_changed = Signal()
"""
A record has another owner.

Sent with ``sender`` (the model), ``record`` and ``before`` (the record as it was) inside the
operation: an exception of a receiver undoes the change. Mail waits for the commit.
"""
