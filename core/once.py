"""Read at most once a request: settings, lists, stages, the reach of the user."""

from contextlib import contextmanager
from contextvars import ContextVar

_kept = ContextVar("kept", default=None)


@contextmanager
def request_cache():
    """Keep what ``once`` loads until the end; the middleware opens one for each request."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def once(key, load):
    """The value of ``load()``, loaded at the first call of the request; outside, each time."""
    kept = _kept.get()
    if kept is None:
        return load()
    if key not in kept:
        kept[key] = load()
    return kept[key]


def forget():
    """Drop what was kept, after a write of settings or lists in the same request."""
    if (kept := _kept.get()) is not None:
        kept.clear()
