from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from crm.home import home
from users.views import AdminLoginView

# One door for everybody: who comes here is logged in and lacks the right.
admin.site.login = AdminLoginView.as_view()

urlpatterns = [
    path("", home, name="home"),
    path("", include("users.urls")),
    path("", include("core.urls")),
    path("accounts/", include("accounts.urls")),
    path("contacts/", include("contacts.urls")),
    path("opportunities/", include("opportunities.urls")),
    path("leads/", include("leads.urls")),
    path("settings/", include("crm.administration.urls")),
    # Django admin's own form for it would hash without counting.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
]

handler400 = "crm.errors.bad_request"
handler403 = "crm.errors.forbidden"
handler404 = "crm.errors.not_found"
handler500 = "crm.errors.server_error"
