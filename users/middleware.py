from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from users.security import note
from users.sessions import note_use


class UserSettingsMiddleware:
    """Show pages in the time zone and language of who asks; without one, the browser's."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        user = request.user
        zone = user.time_zone if user.is_authenticated else None
        language = user.locale if user.is_authenticated else ""
        language = language or translation.get_language_from_request(request)
        with timezone.override(zone), translation.override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        return response


class SignedInMiddleware(LoginRequiredMiddleware):
    """
    Send whoever is not logged in to the log-in page, and a part of a page with its page.

    Of who is, note that the session is used.
    """

    def process_view(self, request, view_func, view_args, view_kwargs):
        if request.user.is_authenticated:
            note_use(request)
        return super().process_view(request, view_func, view_args, view_kwargs)

    def process_response(self, request, response):
        """A refusal of somebody who is logged in stands in the security log."""
        if response.status_code == 403 and request.user.is_authenticated:
            match = request.resolver_match
            note("denied", user=request.user, page=match.view_name if match else "-")
        return response

    def get_login_url(self, view_func):
        return settings.LOGIN_URL  # also where Django admin names a door of its own

    def handle_no_permission(self, request, view_func):
        if "HX-Request" not in request.headers:
            return super().handle_no_permission(request, view_func)
        page = request.headers.get("Referer", "")
        if url_has_allowed_host_and_scheme(page, {request.get_host()}):
            parts = urlsplit(page)
            page = f"{parts.path}?{parts.query}" if parts.query else parts.path
        else:
            page = resolve_url(settings.LOGIN_REDIRECT_URL)
        login = redirect_to_login(page, resolve_url(settings.LOGIN_URL))
        return HttpResponse(status=401, headers={"HX-Redirect": login.url})
