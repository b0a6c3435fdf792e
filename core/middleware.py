"""Each request acts as its user, reads settings at most once, and is let in as they say."""

from functools import partial

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from core import reach
from core.journal import acting
from core.models import Organisation
from core.once import request_cache

SIGNING_IN = ("account_", "mfa_")  # the pages that are open without a second step


class ActorMiddleware:
    """Make the request's user the actor of its writes; reset at the end, threads are re-used."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with request_cache(), acting(partial(getattr, request, "user", None)):
            return self.get_response(request)


class SecondStepMiddleware:
    """Let administrators set up a second step before anything else, if the organisation says so."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view_func, view_args, view_kwargs):
        name = request.resolver_match.url_name or ""
        if name.startswith(SIGNING_IN) or not self._is_missing(request):
            return None
        messages.warning(request, _("Administrators here need a second step to sign in."))
        page = reverse("mfa_index")
        if "HX-Request" in request.headers:
            return HttpResponse(status=401, headers={"HX-Redirect": page})
        return HttpResponseRedirect(page)

    def _is_missing(self, request):
        """Costs a query only for administrators who did no second step in this session."""
        user = request.user
        if not user.is_authenticated or not reach.is_admin(user):
            return False
        if any(record["method"] == "mfa" for record in get_authentication_records(request, user)):
            return False
        return Organisation.current().admins_need_second_step and not is_mfa_enabled(user)
