"""News of leads, for higher apps."""

from django.dispatch import Signal

conversion_planned = Signal()
"""
A conversion is being worked out, for the preview and again for the execution; reads only.

Sent with ``plan``, whose three cards are complete. A receiver returns its own section of what
will happen (``title``, ``lines``, ``icon``, ``fingerprint``), or None. What it needs to decide
stands in ``plan.choices.extras`` under its app's name.
"""

lead_converted = Signal()
"""
A lead has become an account, a contact and perhaps an opportunity.

Sent with ``lead``, ``conversion`` and ``choices`` inside the operation: receivers move their
own rows, and an exception raised by one undoes the conversion. Mail waits for the commit.
"""
