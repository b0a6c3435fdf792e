from django.contrib.auth import views
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View

from users.forms import LoginForm, NewPasswordForm, ResetRequestForm


class RefusedMixin:
    """Answer a form that was sent with errors by 422, as all our pages do."""

    def form_invalid(self, form):
        return self.render_to_response(self.get_context_data(form=form), status=422)


class LoginView(RefusedMixin, views.LoginView):
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form):
        response = super().form_valid(form)
        if not form.cleaned_data["keep"]:
            self.request.session.set_expiry(0)
        return response


@method_decorator(login_not_required, name="dispatch")
class LogoutView(views.LogoutView):
    def post(self, request, *args, **kwargs):
        response = super().post(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


class PasswordResetView(RefusedMixin, views.PasswordResetView):
    form_class = ResetRequestForm
    email_template_name = "registration/password_reset_email.txt"
    subject_template_name = "registration/password_reset_subject.txt"


class PasswordResetConfirmView(RefusedMixin, views.PasswordResetConfirmView):
    form_class = NewPasswordForm


class AdminLoginView(View):
    """Where Django admin sends people: everybody has logged in, so only rights are missing."""

    def get(self, request):
        if request.user.is_staff:
            return HttpResponseRedirect(reverse("admin:index"))
        raise PermissionDenied(_("Only administrators can open this."))
