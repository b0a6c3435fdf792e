"""News and questions of the accounts."""

from django.dispatch import Signal

account_moved = Signal()
"""
An account, and all below it, has another place in the hierarchy.

Sent with ``account`` (at its new place) and ``before`` (as it was) inside the operation.
"""

dependants_wanted = Signal()
"""
What depends on an account that is to be archived? A question.

Sent with ``account``; each receiver returns its ``accounts.services.Dependants``.
"""

dependants_moving = Signal()
"""
An account is being archived and what belongs to it goes to another one.

Sent with ``account``, ``target`` and ``by`` inside the operation: receivers move their rows,
those of the account itself, for the accounts below it stay whole.
"""

dependants_archiving = Signal()
"""
An account and all below it are being archived with what belongs to them.

Sent with ``accounts`` (a queryset), ``at`` and ``by`` inside the operation: receivers archive
their rows.
"""

belongings_wanted = Signal()
"""
What may go along when an account gets another owner? A question.

Sent with ``account`` and ``owner``, the present one; each receiver returns
``accounts.services.Belongings``: what he owns there and is still open.
"""
