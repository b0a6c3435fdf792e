"""
Signing in and what belongs to it: django-allauth's views on our paths, with our answers.

A form with errors answers 422, as all our pages do.
"""

from allauth.account import views as account
from allauth.account.decorators import reauthentication_required
from allauth.account.signals import password_set
from allauth.account.utils import perform_login
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView, TemplateView

from core.errors import Conflict
from users.adapters import take_attempt
from users.forms import EmailForm, InvitationForm
from users.invitations import (
    LinkEnded,
    accept_invitation,
    change_of,
    confirm_email,
    invited,
    request_email_change,
)
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


# -- links by mail ----------------------------------------------------------------------------


class EndedMixin:
    """A link that was used, or is too old, says so."""

    def ended(self):
        return render(self.request, "account/link_ended.html", status=410)

    @property
    def site(self):
        return self.request.build_absolute_uri("/").rstrip("/")


@method_decorator([login_not_required, sensitive_post_parameters()], name="dispatch")
class InvitationView(RefusedMixin, EndedMixin, FormView):
    """Where an invitation leads: a first password, and in."""

    template_name = "account/invitation.html"
    form_class = InvitationForm

    def dispatch(self, request, *args, **kwargs):
        try:
            self.user = invited(kwargs["token"])
        except LinkEnded:
            return self.ended()
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"user": self.user}

    def form_valid(self, form):
        try:
            user = accept_invitation(self.kwargs["token"], password=form.cleaned_data["password1"])
        except LinkEnded:
            return self.ended()
        password_set.send(sender=type(user), request=self.request, user=user)
        return perform_login(self.request, user)


@method_decorator(reauthentication_required(app="users"), name="dispatch")
class EmailView(RefusedMixin, EndedMixin, FormView):
    """Ask for another address."""

    template_name = "account/email.html"
    form_class = EmailForm

    def form_valid(self, form):
        user = self.request.user
        take_attempt(self.request, f"email:{user.pk}")
        request_email_change(user, email=form.cleaned_data["email"], site=self.site)
        return render(self.request, "account/email_sent.html")


@method_decorator(login_not_required, name="dispatch")
class ConfirmEmailView(EndedMixin, FormView):
    """Confirm one side of a change of address."""

    template_name = "account/email_confirm.html"
    form_class = Form

    def dispatch(self, request, *args, **kwargs):
        try:
            self.change, self.side = change_of(kwargs["token"])
        except LinkEnded:
            return self.ended()
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        return super().get_context_data(email=self.change.email, **kwargs)

    def form_valid(self, form):
        try:
            _change, is_done = confirm_email(self.kwargs["token"])
        except Conflict:  # used meanwhile, or somebody else has the address by now
            return self.ended()
        return render(self.request, "account/email_confirmed.html", {"is_done": is_done})


class AdminLoginView(View):
    """Where Django admin sends people: everybody has logged in, so only rights are missing."""

    def get(self, request):
        if request.user.is_staff:
            return HttpResponseRedirect(reverse("admin:index"))
        raise PermissionDenied(_("Only administrators can open this."))
