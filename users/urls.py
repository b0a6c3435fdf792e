"""
The paths of signing in, under the names that django-allauth gives them.

Without its pages for signing up, for unconfirmed addresses and for a door that is closed.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.webauthn import views as webauthn
from django.conf import settings
from django.urls import include, path, re_path

from users import views

two_step = [
    path("", mfa.index, name="mfa_index"),
    path("code/", views.AuthenticateView.as_view(), name="mfa_authenticate"),
    path("code/again/", views.ReauthenticateCodeView.as_view(), name="mfa_reauthenticate"),
    path("app/", views.ActivateTOTPView.as_view(), name="mfa_activate_totp"),
    path("app/remove/", views.DeactivateTOTPView.as_view(), name="mfa_deactivate_totp"),
    path("recovery/", recovery.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "recovery/new/",
        views.GenerateRecoveryCodesView.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    path("recovery/file/", recovery.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("keys/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("keys/new/", views.AddKeyView.as_view(), name="mfa_add_webauthn"),
    path("keys/again/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("keys/login/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("keys/<int:pk>/", views.EditKeyView.as_view(), name="mfa_edit_webauthn"),
    path("keys/<int:pk>/remove/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
]

own = [
    path("password/", views.PasswordChangeView.as_view(), name="account_change_password"),
    path("password/first/", views.PasswordSetView.as_view(), name="account_set_password"),
    path("password/reset/", views.PasswordResetView.as_view(), name="account_reset_password"),
    path("password/reset/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        views.PasswordResetFromKeyView.as_view(),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("invitation/<str:token>/", views.InvitationView.as_view(), name="account_invitation"),
    path("email/", views.EmailView.as_view(), name="account_email"),
    path("email/<str:token>/", views.ConfirmEmailView.as_view(), name="account_confirm_email"),
    path("again/", views.ReauthenticateView.as_view(), name="account_reauthenticate"),
    path("sessions/", views.SessionListView.as_view(), name="account_sessions"),
    path("sessions/end/", views.SessionEndView.as_view(), name="account_sessions_end"),
    path("two-step/", include(two_step)),
]

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="account_login"),
    path("logout/", views.LogoutView.as_view(), name="account_logout"),
    path("account/", include(own)),
]

if settings.SINGLE_SIGN_ON:
    urlpatterns += [
        path("account/", include("allauth.socialaccount.urls")),
        *(path("account/", include(f"{provider}.urls")) for provider in settings.SINGLE_SIGN_ON),
    ]
