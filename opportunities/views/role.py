"""The people who take part in a deal's decision: one page a verb."""

import copy

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import display
from core.forms import VerbForm
from core.reach import Verb
from core.views import Action, RecordUpdateView, VerbView
from opportunities.forms.role import RoleCreateForm, RoleForm
from opportunities.models import Opportunity, OpportunityContactRole
from opportunities.services import (
    add_contact_role,
    remove_contact_role,
    save_contact_role,
    set_primary_role,
)


def role_url(role, view):
    """The address of one of the pages of a role."""
    return reverse(f"opportunities:role_{view}", args=[role.opportunity_id, role.pk])


def role_actions(role):
    """What whoever may edit the deal can do to one of its roles: {name: Action}."""
    actions = {"update": Action(_("Edit"), role_url(role, "update"))}
    if not role.is_primary:
        actions["primary"] = Action(_("Make primary"), role_url(role, "primary"), post=True)
    actions["remove"] = Action(_("Remove"), role_url(role, "remove"), post=True)
    return actions


class RoleCreateView(VerbView):
    model = Opportunity
    verb = Verb.EDIT
    form_class = RoleCreateForm
    template_name = "base/form.html"
    success_message = gettext_lazy("Added %(object)s.")

    def get_initial(self):
        return {"contact": self.request.GET.get("contact", "")}

    def get_form_kwargs(self):
        role = OpportunityContactRole(opportunity=self.record)
        return super().get_form_kwargs() | {"by": self.request.user, "instance": role}

    def get_crumb(self):
        return _("Add person")

    def get_context_data(self, **kwargs):
        return {
            "title": _("Add a person to %(deal)s") % {"deal": self.record},
            "submit": _("Add person"),
            "cancel_url": self.record.get_absolute_url(),
            **super().get_context_data(**kwargs),
        }

    def perform(self, form):
        data = form.cleaned_data
        role = add_contact_role(
            self.record,
            data["contact"],
            by=self.request.user,
            role=data["role"],
            stance=data["stance"],
            notes=data["notes"],
            is_primary=data["is_primary"],
            key=form.key,
        )
        return role.contact

    def get_success_url(self):
        return self.record.get_absolute_url()


class RoleMixin:
    """Load a role of a deal; whoever may edit the deal writes it."""

    model = OpportunityContactRole
    verb = Verb.EDIT
    title = ""
    submit = ""

    def get_queryset(self):
        rows = OpportunityContactRole.objects.visible_to(self.request.user)
        rows = rows.filter(opportunity=self.kwargs["opportunity"], opportunity__archived_at=None)
        return rows.select_related("contact__owner", "opportunity__account", "opportunity__owner")

    def get_crumbs(self):
        deal = self.record.opportunity
        return [
            {"label": _("Opportunities"), "url": reverse("opportunities:opportunity_list")},
            {"label": str(deal), "url": deal.get_absolute_url()},
            {"label": self.get_crumb()},
        ]

    def get_crumb(self):
        return self.submit

    def get_context_data(self, **kwargs):
        role = self.record
        contact = display.name_for(role.contact, self.request.user)
        names = {"contact": contact, "deal": role.opportunity}
        return super().get_context_data(
            title=self.title % names,
            submit=self.submit,
            cancel_url=role.get_absolute_url(),
            **kwargs,
        )

    def get_success_url(self):
        return self.record.get_absolute_url()


class RoleUpdateView(RoleMixin, RecordUpdateView):
    form_class = RoleForm
    template_name = "base/form_actions.html"
    title = gettext_lazy("%(contact)s in %(deal)s")
    submit = gettext_lazy("Save")
    success_message = gettext_lazy("Saved the role.")

    def get_crumb(self):
        return _("Edit the role")

    def get_context_data(self, **kwargs):
        others = [action for name, action in role_actions(self.record).items() if name != "update"]
        return super().get_context_data(actions=others, **kwargs)

    def perform(self, form):
        role = form.apply_to(copy.copy(self.record))
        role.version = form.version
        return save_contact_role(role, by=self.request.user, key=form.key)


class RoleVerbView(RoleMixin, VerbView):
    form_class = VerbForm
    template_name = "base/form.html"


class RolePrimaryView(RoleVerbView):
    title = gettext_lazy("Make %(contact)s the primary contact of %(deal)s")
    submit = gettext_lazy("Make primary")
    success_message = gettext_lazy("Changed the primary contact of %(object)s.")

    def perform(self, form):
        set_primary_role(self.record, by=self.request.user, key=form.key)
        return self.record.opportunity


class RoleRemoveView(RoleVerbView):
    title = gettext_lazy("Remove %(contact)s from %(deal)s")
    submit = gettext_lazy("Remove")
    success_message = gettext_lazy("Removed the person from %(object)s.")

    def perform(self, form):
        return remove_contact_role(self.record, by=self.request.user, key=form.key)
