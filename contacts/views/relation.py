"""A person's relations with accounts: one page a verb."""

import copy

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.forms.relation import (
    AccountCorrectForm,
    JobChangeForm,
    RelationCreateForm,
    RelationEndForm,
    RelationForm,
    RelationRemoveForm,
)
from contacts.models import AccountContactRelation, Contact, PlannedJobChange
from contacts.services import (
    add_relation,
    cancel_job_change,
    change_job,
    check_job_change,
    end_relation,
    lies_ahead,
    make_direct,
    plan_job_change,
    questions_about,
    remove_relation,
    save_relation,
    set_direct_account,
    set_primary_contact,
)
from core import display, reach
from core.errors import NotAllowed
from core.forms import VerbForm
from core.models import Organisation
from core.reach import Verb
from core.views import Action, RecordUpdateView, VerbView
from core.views.base import forbid


def relation_actions(relation, *, user):
    """What ``user`` may do to a relation: {name: Action}; an ended one is edited or removed."""
    may_edit_contact = relation.contact.can(user, Verb.EDIT)
    may_edit_account = relation.account.can(user, Verb.EDIT)
    may_edit = may_edit_contact or may_edit_account
    may_end = (may_edit_contact and may_edit_account) if relation.is_direct else may_edit
    active = relation.is_active
    offered = [
        ("update", _("Edit"), may_edit),
        ("main", _("Make main account"), active and not relation.is_direct and may_edit_contact),
        (
            "primary",
            _("Make primary contact of %(account)s") % {"account": relation.account},
            active and not relation.is_primary_for_account and may_edit_account,
        ),
        ("end", _("End"), active and may_end),
        ("remove", _("Remove"), may_end),
    ]
    return {
        name: Action(label, relation_url(relation, name), post=name in ("main", "primary"))
        for name, label, is_allowed in offered
        if is_allowed
    }


def relation_url(relation, view):
    """The address of one of the pages of a relation."""
    return reverse(f"contacts:relation_{view}", args=[relation.contact_id, relation.pk])


class ContactVerbView(VerbView):
    """A verb on a person that has a page of fields."""

    model = Contact
    verb = Verb.EDIT
    template_name = "base/form.html"
    title = ""
    submit = ""

    def get_queryset(self):
        return super().get_queryset().select_related("owner", "account")

    def get_crumb(self):
        return self.submit

    def get_context_data(self, **kwargs):
        return {
            "title": self.title % {"contact": self.record},
            "submit": self.submit,
            "cancel_url": self.record.get_absolute_url(),
            **super().get_context_data(**kwargs),
        }


class AccountVerbView(ContactVerbView):
    """A verb that gives a person another main account, or none."""

    def get_form_kwargs(self):
        others = self.record.other_relations().select_related("account")
        return super().get_form_kwargs() | {
            "instance": self.record,
            "by": self.request.user,
            "others": list(others),
        }


class JobChangeView(AccountVerbView):
    form_class = JobChangeForm
    template_name = "contacts/job_change.html"
    title = gettext_lazy("Change the job of %(contact)s")
    submit = gettext_lazy("Change job")
    success_message = gettext_lazy("Changed the job of %(object)s.")

    def get_form_kwargs(self):
        questions = questions_about(self.record, by=self.request.user)
        return super().get_form_kwargs() | {"questions": questions}

    @property
    def is_preview(self):
        return "preview" in self.request.POST

    def perform(self, form):
        """A day to come is planned, any other done now; a preview asks what would be refused."""
        contact, account, by = self.record, form.cleaned_data["account"], self.request.user
        change = form.get_change()
        self.planned_for = change.date if lies_ahead(change.date) else None
        if self.is_preview:
            self.following = check_job_change(contact, account=account, by=by, change=change)
            return contact
        if self.planned_for is None:
            return change_job(contact, account=account, by=by, change=change, key=form.key)
        answers = form.get_answers()
        plan = plan_job_change(
            contact, account=account, by=by, change=change, answers=answers, key=form.key
        )
        return plan.contact

    def performed(self, form):
        if not self.is_preview:
            return super().performed(form)
        account = form.cleaned_data["account"]
        context = self.get_context_data(
            form=form,
            preview=True,
            is_planned=self.planned_for is not None,
            day=display.day(form.cleaned_data["date"]),
            joined=self.following.account if self.following else account,
        )
        return self.render_to_response(context)

    def get_success_message(self):
        if self.planned_for is None:
            return super().get_success_message()
        values = {"contact": self.object, "day": display.day(self.planned_for)}
        return _("Planned the change of job of %(contact)s for %(day)s.") % values


class AccountCorrectView(AccountVerbView):
    form_class = AccountCorrectForm
    template_name = "contacts/contact_account.html"
    title = gettext_lazy("Correct the account of %(contact)s")
    submit = gettext_lazy("Correct account")
    success_message = gettext_lazy("Corrected the account of %(object)s.")

    def perform(self, form):
        account, by = form.cleaned_data["account"], self.request.user
        following = None if account else form.cleaned_data.get("next_direct")
        return set_direct_account(self.record, account, by=by, next_direct=following, key=form.key)


class RelationCreateView(ContactVerbView):
    """One more account: edit rights on the person or on that account, which the service asks."""

    form_class = RelationCreateForm
    title = gettext_lazy("Add an account to %(contact)s")
    submit = gettext_lazy("Add account")
    success_message = gettext_lazy("Added the account.")

    def refuse(self):
        if not reach.may(self.request.user, Verb.EDIT, AccountContactRelation):
            forbid(NotAllowed(_("You can't edit relations.")))

    def get_initial(self):
        return {"account": self.request.GET.get("account", "")}

    def get_form_kwargs(self):
        relation = AccountContactRelation(contact=self.record)
        return super().get_form_kwargs() | {"by": self.request.user, "instance": relation}

    def perform(self, form):
        data = form.cleaned_data
        relation = add_relation(
            self.record,
            data["account"],
            by=self.request.user,
            roles=data["roles"],
            title_there=data["title_there"],
            start_date=data["start_date"],
            notes=data["notes"],
            key=form.key,
        )
        return relation.contact


class RelationMixin:
    """Load a person's relation; writing it needs edit rights on the person or the account."""

    model = AccountContactRelation
    select_related = ("contact__owner", "account__owner")
    verb = Verb.EDIT
    template_name = "base/form.html"
    title = ""
    submit = ""

    def get_queryset(self):
        rows = self.model.objects.visible_to(self.request.user)
        rows = rows.filter(contact=self.kwargs["contact"], contact__archived_at=None)
        return rows.select_related(*self.select_related)

    @property
    def contact(self):
        return self.record.contact

    def get_crumbs(self):
        return [
            {"label": _("Contacts"), "url": reverse("contacts:contact_list")},
            {"label": str(self.contact), "url": self.contact.get_absolute_url()},
            {"label": self.get_crumb()},
        ]

    def get_crumb(self):
        return self.submit

    def get_names(self):
        """The records that the title names."""
        return {"contact": self.contact, "account": self.record.account}

    def get_context_data(self, **kwargs):
        title = self.title % self.get_names()
        return super().get_context_data(title=title, submit=self.submit, **kwargs)


class RelationUpdateView(RelationMixin, RecordUpdateView):
    form_class = RelationForm
    template_name = "base/form_actions.html"
    title = gettext_lazy("%(contact)s at %(account)s")
    submit = gettext_lazy("Save")
    success_message = gettext_lazy("Saved the relation.")

    def get_crumb(self):
        return _("Edit the relation")

    def get_context_data(self, **kwargs):
        actions = relation_actions(self.record, user=self.request.user)
        others = [action for name, action in actions.items() if name != "update"]
        return super().get_context_data(actions=others, **kwargs)

    def perform(self, form):
        relation = form.apply_to(copy.copy(self.record))
        relation.version = form.version
        return save_relation(relation, by=self.request.user, key=form.key)


class RelationVerbView(RelationMixin, VerbView):
    """A verb on one relation; the person's page is where to look afterwards."""

    form_class = VerbForm

    def get_context_data(self, **kwargs):
        return super().get_context_data(cancel_url=self.contact.get_absolute_url(), **kwargs)

    def get_success_url(self):
        return self.contact.get_absolute_url()


class NextDirectView(RelationVerbView):
    """A verb that may leave the person without a main account while others are active."""

    def get_form_kwargs(self):
        relation = self.record
        others = self.contact.other_relations().select_related("account")
        return super().get_form_kwargs() | {"others": list(others) if relation.is_direct else []}


class RelationMainView(RelationVerbView):
    title = gettext_lazy("Make %(account)s the main account of %(contact)s")
    submit = gettext_lazy("Make main account")
    success_message = gettext_lazy("Made %(object)s the main account.")

    def perform(self, form):
        relation = make_direct(self.record, by=self.request.user, key=form.key)
        return relation.account


class RelationPrimaryView(RelationVerbView):
    title = gettext_lazy("Make %(contact)s the primary contact of %(account)s")
    submit = gettext_lazy("Make primary contact")
    success_message = gettext_lazy("Made %(object)s the primary contact.")

    def perform(self, form):
        relation, by = self.record, self.request.user
        set_primary_contact(relation.account, contact=relation.contact, by=by, key=form.key)
        return relation.contact

    def get_success_url(self):
        return self.record.account.get_absolute_url()


class RelationEndView(NextDirectView):
    form_class = RelationEndForm
    title = gettext_lazy("End the relation of %(contact)s to %(account)s")
    submit = gettext_lazy("End relation")
    success_message = gettext_lazy("Ended the relation to %(object)s.")

    def get_initial(self):
        return {"end_date": Organisation.current().today()}

    def perform(self, form):
        data, by = form.cleaned_data, self.request.user
        relation = end_relation(
            self.record,
            by=by,
            end_date=data["end_date"],
            next_direct=data.get("next_direct"),
            key=form.key,
        )
        return relation.account


class RelationRemoveView(NextDirectView):
    form_class = RelationRemoveForm
    title = gettext_lazy("Remove the relation of %(contact)s to %(account)s")
    submit = gettext_lazy("Remove relation")
    success_message = gettext_lazy("Removed the relation to %(object)s.")

    def perform(self, form):
        following, by = form.cleaned_data.get("next_direct"), self.request.user
        remove_relation(self.record, by=by, next_direct=following, key=form.key)
        return self.record.account


class PlannedJobChangeCancelView(RelationVerbView):
    """Let a change of job that was planned be forgotten; the person's page says it no longer."""

    model = PlannedJobChange
    select_related = ("contact__owner",)
    title = gettext_lazy("Cancel the planned change of job of %(contact)s")
    submit = gettext_lazy("Cancel the change")
    success_message = gettext_lazy("Cancelled the planned change of job of %(object)s.")

    def get_names(self):
        return {"contact": self.contact}

    def perform(self, form):
        plan = cancel_job_change(self.record, by=self.request.user, key=form.key)
        return plan.contact
