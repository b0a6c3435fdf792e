from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm, SetPasswordForm
from django.utils.translation import gettext_lazy as _

from users.models import User


def _password(label, autocomplete, help_text=""):
    attrs = {"class": "input", "autocomplete": autocomplete}
    return forms.CharField(
        label=label,
        strip=False,
        widget=forms.PasswordInput(attrs=attrs),
        help_text=help_text,
    )


def _email():
    attrs = {"class": "input", "autocomplete": "username", "autofocus": True}
    return forms.EmailField(label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs=attrs))


class LoginForm(AuthenticationForm):
    username = _email()
    password = _password(_("Password"), "current-password")
    keep = forms.BooleanField(
        label=_("Stay signed in on this device"),
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "tick"}),
    )

    # The same words for an unknown address, a wrong password and a closed account.
    error_messages = {
        "invalid_login": _("E-mail and password do not match."),
        "inactive": _("E-mail and password do not match."),
    }


class ResetRequestForm(PasswordResetForm):
    email = _email()

    def get_users(self, email):
        """Every active user of the address, those included who have no password yet."""
        return User.objects.active().filter(email=email).order_by("pk")


class NewPasswordForm(SetPasswordForm):
    new_password1 = _password(
        _("New password"), "new-password", _("At least 12 characters; a short sentence is best.")
    )
    new_password2 = _password(_("New password again"), "new-password")
