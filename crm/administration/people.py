"""The pages of users and teams, and everybody's own settings."""

from allauth.account.decorators import reauthentication_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.generic import FormView

from core.forms import VerbForm
from core.journal import Kind, Label, operation, retried
from core.reach import reach_of
from core.records import lock
from core.tables import Column
from core.views.base import Action, DomainFormMixin
from core.views.settings import AdministratorMixin, SettingsListView, settings_crumbs
from crm.administration.deactivation import activate_user, deactivate_user, holdings
from crm.administration.forms import (
    DeactivateForm,
    MemberForm,
    ProfileForm,
    TeamForm,
    UserForm,
)
from leads.models import AssignmentRule, Queue
from users.invitations import send_invitation
from users.models import Role, Team, User
from users.services import may_set, save_team, save_user


def site_of(request):
    """Our own address, as links in mails begin."""
    return request.build_absolute_uri("/").rstrip("/")


def link_to(page):
    """A column's value: the row's name, which leads to its form."""
    return lambda row: format_html(
        '<a class="plain" href="{}">{}</a>', reverse(page, args=[row.pk]), row
    )


class PeopleMixin(AdministratorMixin):
    """A page for administrators, and for managers as far as it is about their teams."""

    def may_open(self, user):
        return super().may_open(user) or user.role == Role.MANAGER


class PeopleFormView(DomainFormMixin, FormView):
    """The form of one user or team, new or there already."""

    template_name = "core/settings_form.html"
    model = None
    list_page = ""
    save_row = None  # the service that saves one

    @cached_property
    def record(self):
        """The row of the URL; without a key, one that is not yet there."""
        if (pk := self.kwargs.get("pk")) is None:
            return self.model()
        return get_object_or_404(self.model, pk=pk)

    def get_form_kwargs(self):
        self.record  # noqa: B018 - 404 before anything else
        return super().get_form_kwargs() | {"instance": self.record, "by": self.request.user}

    def get_context_data(self, **kwargs):
        name = self.model._meta.verbose_name
        title = _("New %(kind)s") % {"kind": name}
        submit = _("Add %(kind)s") % {"kind": name}
        if self.record.pk:
            title, submit = _("Edit %(record)s") % {"record": self._name()}, _("Save")
        label = capfirst(self.model._meta.verbose_name_plural)
        crumbs = settings_crumbs({"label": label, "url": self.get_success_url()}, {"label": title})
        return {
            "title": title,
            "submit": submit,
            "crumbs": crumbs,
            "cancel_url": self.get_success_url(),
            "effects": list(self.get_effects()),
            **super().get_context_data(**kwargs),
        }

    def _name(self):
        """The name as it is stored: that of the form may not be valid."""
        return self.model.objects.filter(pk=self.record.pk).first()

    def get_effects(self):
        """What the row is used for, a sentence each."""
        return []

    def get_success_url(self):
        return reverse(self.list_page)

    @retried
    def perform(self, form):
        is_new = self.record.pk is None
        text = gettext_noop("Added %(row)s") if is_new else gettext_noop("Edited %(row)s")
        label = Label(text, row=form.instance)
        kind = Kind.CREATE if is_new else Kind.EDIT
        with operation(kind, by=self.request.user, label=label, key=form.key) as op:
            if not is_new:
                lock(self.model.objects.filter(pk=self.record.pk)).order_by("pk").get()
            type(self).save_row(form.instance, by=self.request.user)
            op.label = Label(text, row=form.instance)
            op.location = self.get_success_url()
        return form.instance


# Rights are given by somebody who proved a moment ago who he is.
asked_again = method_decorator(
    reauthentication_required(app="users", allow_get=True), name="dispatch"
)


@asked_again
class UserFormView(AdministratorMixin, PeopleFormView):
    model = User
    form_class = UserForm
    list_page = "administration:user_list"
    save_row = staticmethod(save_user)
    success_message = gettext_lazy("Saved %(object)s.")


class UserCreateView(UserFormView):
    """The form of a new user, who is invited by e-mail."""

    success_message = gettext_lazy("Added and invited %(object)s.")

    def performed(self, form):
        send_invitation(self.object, site=site_of(self.request))
        return super().performed(form)


class UserUpdateView(PeopleMixin, UserFormView):
    """The form of a user; for a manager role and team of those in his teams."""

    template_name = "administration/user_form.html"

    def dispatch(self, request, *args, **kwargs):
        if request.user.role == Role.MANAGER and not may_set(self.record, by=request.user):
            raise PermissionDenied(_("Managers set role and team of the people in their teams."))
        return super().dispatch(request, *args, **kwargs)

    def get_form_class(self):
        return UserForm if self.request.user.is_staff else MemberForm

    def get_context_data(self, **kwargs):
        return {"actions": list(self.get_actions()), **super().get_context_data(**kwargs)}

    def get_actions(self):
        """What else can be done to the user."""
        if not self.request.user.is_staff or self.record.pk == self.request.user.pk:
            return
        if self.record.is_active and not self.record.has_usable_password():
            url = reverse("administration:user_invite", args=[self.record.pk])
            yield Action(_("Invite again"), url, "mail")
        if self.record.is_active:
            url = reverse("administration:user_deactivate", args=[self.record.pk])
            yield Action(_("Deactivate"), url, "ban")
        else:
            url = reverse("administration:user_activate", args=[self.record.pk])
            yield Action(_("Activate"), url, "check")

    def get_effects(self):
        if not self.record.is_active:
            yield _("Not active: nobody can sign in with this address.")
        if self.record.pk == self.request.user.pk:
            yield _("Your own role can be changed by another administrator only.")
        rules = AssignmentRule.objects.active().naming(self.record).order_by("position", "pk")
        if names := ", ".join(str(rule) for rule in rules):
            yield _("Gets leads by the assignment rules: %(rules)s.") % {"rules": names}
        queues = Queue.objects.filter(members__user=self.record.pk).order_by("name", "pk")
        if names := ", ".join(str(queue) for queue in queues):
            yield _("Is given leads in turns by the queues: %(queues)s.") % {"queues": names}


@asked_again
class UserActivityView(AdministratorMixin, DomainFormMixin, FormView):
    """A page about ending somebody's log-in or opening it again."""

    template_name = "core/settings_form.html"
    title = submit = ""

    @cached_property
    def record(self):
        return get_object_or_404(User.objects.filter(pk=self.kwargs["pk"]))

    def get_context_data(self, **kwargs):
        title = self.title % {"user": self.record}
        users = {"label": _("Users"), "url": reverse("administration:user_list")}
        return {
            "title": title,
            "submit": self.submit,
            "crumbs": settings_crumbs(users, {"label": title}),
            "cancel_url": self.get_success_url(),
            "effects": list(self.get_effects()),
            **super().get_context_data(**kwargs),
        }

    def get_success_url(self):
        return reverse("administration:user_update", args=[self.record.pk])


class UserDeactivateView(UserActivityView):
    """End somebody's log-in, and say who takes over what he has."""

    form_class = DeactivateForm
    title = gettext_lazy("Deactivate %(user)s")
    submit = gettext_lazy("Deactivate")
    success_message = gettext_lazy("Deactivated %(object)s.")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"user": self.record}

    def get_effects(self):
        yield _("Whoever is signed in with it is signed out at once.")
        yield _("Closed leads and deals keep their owner; the name stays in the history.")
        if not holdings(self.record):
            yield _("Nothing open belongs to this person.")

    def perform(self, form):
        successors = form.get_successors()
        return deactivate_user(
            self.record, successors=successors, by=self.request.user, key=form.key
        )


class UserInviteView(UserActivityView):
    """Send somebody who has no password yet another invitation."""

    form_class = VerbForm
    title = gettext_lazy("Invite %(user)s")
    submit = gettext_lazy("Send invitation")
    success_message = gettext_lazy("Invited %(object)s.")

    @cached_property
    def record(self):
        user = get_object_or_404(User.objects.active().filter(pk=self.kwargs["pk"]))
        if user.has_usable_password():
            raise Http404
        return user

    def get_effects(self):
        yield _("A link by e-mail to set a password. It works once, for 72 hours.")

    def perform(self, form):
        send_invitation(self.record, site=site_of(self.request))
        return self.record


class UserActivateView(UserActivityView):
    """Let somebody sign in again."""

    form_class = VerbForm
    title = gettext_lazy("Activate %(user)s")
    submit = gettext_lazy("Activate")
    success_message = gettext_lazy("Activated %(object)s.")

    def get_effects(self):
        yield _("What was handed over stays with those who have it now.")

    def perform(self, form):
        return activate_user(self.record, by=self.request.user, key=form.key)


@asked_again
class TeamFormView(AdministratorMixin, PeopleFormView):
    model = Team
    form_class = TeamForm
    list_page = "administration:team_list"
    save_row = staticmethod(save_team)
    success_message = gettext_lazy("Saved %(object)s.")


class TeamCreateView(TeamFormView):
    """The form of a new team."""


class TeamUpdateView(TeamFormView):
    """The form of a team, with the people in it."""

    def get_effects(self):
        names = self.record.members.active().order_by("name", "pk").values_list("name", flat=True)
        members = ", ".join(names)
        yield _("In it: %(people)s.") % {"people": members} if members else _("Nobody is in it.")


class UserListView(PeopleMixin, SettingsListView):
    """Everybody who has or had an account; for a manager the people in his teams."""

    model = User
    columns = (
        Column("name", gettext_lazy("Name"), link_to("administration:user_update")),
        Column("email", gettext_lazy("E-mail"), kind="email", extra=True),
        Column("role", gettext_lazy("Role")),
        Column("team", gettext_lazy("Team")),
        Column("manager", gettext_lazy("Manager"), extra=True),
        Column("is_active", gettext_lazy("Active"), kind="truth"),
    )
    intro = gettext_lazy("Who can sign in. A user is never deleted: the name stays on the records.")

    def get_rows(self):
        rows = User.objects.select_related("team", "manager")
        if not self.request.user.is_staff:
            rows = rows.filter(team__in=reach_of(self.request.user).managed_teams)
        return rows.order_by("-is_active", "name", "pk")

    def get_create_url(self):
        return reverse("administration:user_create") if self.request.user.is_staff else ""


class TeamListView(SettingsListView):
    """All teams."""

    model = Team
    columns = (
        Column("name", gettext_lazy("Name"), link_to("administration:team_update")),
        Column("parent", gettext_lazy("Part of")),
        Column("manager", gettext_lazy("Manager")),
    )
    intro = gettext_lazy("People who work together. Who leads a team sees the teams below it too.")

    def get_rows(self):
        return Team.objects.select_related("parent", "manager").order_by("name", "pk")

    def get_create_url(self):
        return reverse("administration:team_create")


class ProfileView(PeopleFormView):
    """Everybody's own settings: name, time zone, language, theme, absence."""

    template_name = "administration/user_form.html"
    model = User
    form_class = ProfileForm
    save_row = staticmethod(save_user)
    success_message = gettext_lazy("Saved your settings.")

    @cached_property
    def record(self):
        return User.objects.filter(pk=self.request.user.pk).get()

    def get_context_data(self, **kwargs):
        title = _("Your settings")
        context = super().get_context_data(**kwargs)
        actions = [
            Action(_("E-mail address"), reverse("account_email"), "mail"),
            Action(_("Password"), reverse("account_change_password"), "lock"),
            Action(_("Second step"), reverse("mfa_index"), "key"),
            Action(_("Where you are signed in"), reverse("account_sessions"), "list"),
        ]
        changes = {"title": title, "crumbs": [{"label": title}], "cancel_url": "/"}
        return {**context, **changes, "actions": actions}

    def get_success_url(self):
        return reverse("administration:profile")
