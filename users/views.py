"""
Signing in and what belongs to it: django-allauth's views on our paths, with our answers.

A form with errors answers 422, as all our pages do.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View
from django.views.generic import TemplateView

from users.sessions import end_session, end_sessions, sessions_of


class RefusedMixin:
    """Answer a form that was sent with errors by 422."""

    def form_invalid(self, form):
        response = super().form_invalid(form)
        if response.status_code == 200:
            response.status_code = 422
        return response


class SeeOther(HttpResponseRedirect):
    """The answer to a form that was saved: look there."""

    status_code = 303


class LoginView(RefusedMixin, account.LoginView):
    def get_context_data(self, **kwargs):
        ways = settings.SINGLE_SIGN_ON.values()
        ways = [{"name": name, "url": reverse(page, kwargs=keys)} for name, page, keys in ways]
        return super().get_context_data(single_sign_on=ways, **kwargs)


class LogoutView(account.LogoutView):
    """Signing out is a button, not a page."""

    http_method_names = ("post", "options")

    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


class PasswordResetView(RefusedMixin, account.PasswordResetView):
    pass


class PasswordResetFromKeyView(RefusedMixin, account.PasswordResetFromKeyView):
    pass


class PasswordChangeView(RefusedMixin, account.PasswordChangeView):
    pass


class PasswordSetView(RefusedMixin, account.PasswordSetView):
    pass


class ReauthenticateView(RefusedMixin, account.ReauthenticateView):
    pass


class AuthenticateView(RefusedMixin, mfa.AuthenticateView):
    pass


class ReauthenticateCodeView(RefusedMixin, mfa.ReauthenticateView):
    pass


class ActivateTOTPView(RefusedMixin, totp.ActivateTOTPView):
    pass


class DeactivateTOTPView(RefusedMixin, totp.DeactivateTOTPView):
    pass


class GenerateRecoveryCodesView(RefusedMixin, recovery.GenerateRecoveryCodesView):
    pass


class AddKeyView(RefusedMixin, webauthn.AddWebAuthnView):
    pass


class EditKeyView(RefusedMixin, webauthn.EditWebAuthnView):
    pass


# -- sessions ---------------------------------------------------------------------------------


class SessionListView(TemplateView):
    """Where somebody is signed in; each of them can be ended."""

    template_name = "account/sessions.html"

    def get_context_data(self, **kwargs):
        key = self.request.session.session_key
        rows = list(sessions_of(self.request.user))
        return {
            "crumbs": [{"label": _("Where you are signed in")}],
            "current": next((row for row in rows if row.session_key == key), None),
            "others": [row for row in rows if row.session_key != key],
            **super().get_context_data(**kwargs),
        }


class SessionEndView(View):
    """End one session, or without its name all but the present one."""

    http_method_names = ("post", "options")

    def post(self, request):
        if handle := request.POST.get("session"):
            end_session(request.user, handle)
        else:
            end_sessions(request.user, but=request.session.session_key)
        return SeeOther(reverse("account_sessions"))


class AdminLoginView(View):
    """Where Django admin sends people: everybody has logged in, so only rights are missing."""

    def get(self, request):
        if request.user.is_staff:
            return HttpResponseRedirect(reverse("admin:index"))
        raise PermissionDenied(_("Only administrators can open this."))
