"""News of the contacts."""

from django.dispatch import Signal

relations_changed = Signal()
"""
People have other relations with accounts than before.

Sent with ``contacts`` (their keys) inside the operation.
"""

job_changed = Signal()
"""
A person works for another account, or for none.

Sent with ``contact``, ``before`` (the account that was left, or None), ``account`` and
``change`` (the ``contacts.services.JobChange``) inside the operation. A receiver finds what
was decided for its own rows in ``change.extras[<app>]``.
"""

job_change_asked = Signal()
"""
Somebody is about to enter a change of job: what else has to be decided with it?

Sent with ``contact``, ``account`` (the one that is left) and ``by`` while the page is made. A
receiver answers with ``contacts.forms.relation.Questions``, or None if it has none; the answers
reach its receiver of ``job_changed`` in ``change.extras``.
"""
