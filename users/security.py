"""
The security log: who came in, who was refused, whose rights changed; one line each.

By numbers and addresses of machines, never by names or e-mail addresses. What changes data
stands in the journal besides. Rule: docs/rules/access.md, section 10.
"""

import logging

from allauth.core import context
from allauth.core.internal.httpkit import get_client_ip

log = logging.getLogger("topsail.security")


def note(event, *, user=None, **facts):
    """
    Write one line: the event, the acting user, the address of the request, and ``facts``.

    Facts are numbers and words of ours; what people typed has no place here.
    """
    request = context.request
    actor = user if user is not None else getattr(request, "user", None)
    told = {
        "user": getattr(actor, "pk", None) or "-",
        "address": (get_client_ip(request) if request is not None else None) or "-",
        **facts,
    }
    log.info("%s %s", event, " ".join(f"{name}={_plain(value)}" for name, value in told.items()))


def _plain(value):
    """One word: no blanks and no line ends, which would begin another entry."""
    return "".join(c if c.isprintable() and not c.isspace() else "_" for c in str(value))
