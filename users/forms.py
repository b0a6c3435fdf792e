"""Forms of signing in: the library's, with our words and our look."""

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.utils.translation import gettext_lazy as _

from users import attempts
from users.adapters import take_attempt
from users.models import LoginField

PASSWORD_HINT = _("At least 12 characters; a short sentence is best.")


class StyledMixin:
    """Our classes, no placeholders: a label stands above each field."""

    labels = {}
    hints = {}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            attrs = field.widget.attrs
            attrs.pop("placeholder", None)
            is_tick = isinstance(field.widget, forms.CheckboxInput)
            attrs["class"] = "tick" if is_tick else "input"
            field.help_text = self.hints.get(name, "")
            if name in self.labels:
                field.label = self.labels[name]


class LoginForm(StyledMixin, account.LoginForm):
    labels = {
        "login": _("E-mail"),
        "password": _("Password"),
        "remember": _("Stay signed in on this device"),
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs |= {"autocomplete": "username", "autofocus": True}


class ResetRequestForm(StyledMixin, account.ResetPasswordForm):
    labels = {"email": _("E-mail")}

    def save(self, request, **kwargs):
        """Send a link, to an active user; more than ten in a quarter of an hour go nowhere."""
        take_attempt(request, f"reset:{self.cleaned_data['email']}")
        return super().save(request, **kwargs)


class NewPasswordMixin(StyledMixin):
    labels = {
        "oldpassword": _("Present password"),
        "password1": _("New password"),
        "password2": _("New password again"),
    }
    hints = {"password1": PASSWORD_HINT}


class NewPasswordForm(NewPasswordMixin, account.ResetPasswordKeyForm):
    pass


class SetPasswordForm(NewPasswordMixin, account.SetPasswordForm):
    pass


class ChangePasswordForm(NewPasswordMixin, account.ChangePasswordForm):
    def clean_oldpassword(self):
        """The password is looked at as at the log-in: counted, then hashed."""
        adapter = get_adapter()
        if not adapter.reauthenticate(self.user, self.cleaned_data["oldpassword"]):
            raise adapter.validation_error("enter_current_password")
        return self.cleaned_data["oldpassword"]


class ReauthenticateForm(StyledMixin, account.ReauthenticateForm):
    labels = {"password": _("Password")}


class CodeMixin(StyledMixin):
    """A code from the app, or a recovery code, is tried as seldom as a password, and works once."""

    labels = {"code": _("Code")}

    def clean_code(self):
        tried = take_attempt(context.request, f"code:{self.user.pk}")
        code = super().clean_code()
        try:
            attempts.take(f"used:{self.user.pk}:{code}", most=1)
        except attempts.TooMany as error:
            raise get_adapter().validation_error("incorrect_code") from error
        attempts.give_back(tried)
        return code


class AuthenticateForm(CodeMixin, mfa.AuthenticateForm):
    pass


class ReauthenticateCodeForm(CodeMixin, mfa.ReauthenticateForm):
    pass


class ActivateTOTPForm(StyledMixin, totp.ActivateTOTPForm):
    labels = {"code": _("Code from the app")}


class KeyNameMixin(StyledMixin):
    labels = {"name": _("Name of the key"), "passwordless": _("Sign in with it alone")}


class AddKeyForm(KeyNameMixin, webauthn.AddWebAuthnForm):
    pass


class EditKeyForm(KeyNameMixin, webauthn.EditWebAuthnForm):
    pass


class EmailForm(StyledMixin, forms.Form):
    """Another address for the log-in."""

    email = LoginField().formfield(label=_("New e-mail address"))

    def clean_email(self):
        """As it is stored: a log-in is the same whatever its case."""
        return self.cleaned_data["email"].lower()


class InvitationForm(NewPasswordMixin, account.SetPasswordForm):
    labels = NewPasswordMixin.labels | {
        "password1": _("Password"),
        "password2": _("Password again"),
    }
