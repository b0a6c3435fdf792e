"""Signing in with the organisation's own directory; loaded only where the settings name one."""

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.shortcuts import render


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Whoever has been invited here comes in by the confirmed address that the directory names."""

    def is_open_for_signup(self, request, sociallogin):
        raise ImmediateHttpResponse(render(request, "account/refused.html", status=403))
