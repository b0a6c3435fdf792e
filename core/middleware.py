"""Each request acts as its user and reads settings at most once."""

from functools import partial

from core.journal import acting
from core.once import request_cache


class ActorMiddleware:
    """Make the request's user the actor of its writes; reset at the end, threads are re-used."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with request_cache(), acting(partial(getattr, request, "user", None)):
            return self.get_response(request)
