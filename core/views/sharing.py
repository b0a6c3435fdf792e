"""Who sees a record: why, with whom it is shared, and changing that."""

import copy

from django.forms import modelform_factory
from django.urls import path
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from core.forms import RecordForm, VerbForm
from core.models import Organisation
from core.reach import Verb
from core.sharing import end_share, save_share, shares_of, who_can
from core.views.base import Action, RecordMixin, VerbView, url_of
from core.views.records import RecordFormMixin, WholeUpdateView
from users.models import Team, User

FIELDS = ("user", "team", "team_role", "level", "until", "reason")


def sharing_paths(model):
    """The pages of who sees a record of ``model``, for the urls of its app."""
    share = shares_model(model)
    form_class = share_form(share)
    name, of_share = model._meta.model_name, share._meta.model_name
    create = ShareCreateView.as_view(model=model, form_class=form_class)
    update = ShareUpdateView.as_view(model=share, form_class=form_class)
    return [
        path("<key:pk>/sharing/", SharingView.as_view(model=model), name=f"{name}_sharing"),
        path("<key:pk>/sharing/new/", create, name=f"{name}_share"),
        path("shares/<key:pk>/edit/", update, name=f"{of_share}_update"),
        path("shares/<key:pk>/end/", ShareEndView.as_view(model=share), name=f"{of_share}_end"),
    ]


def shares_model(model):
    """The model of the shares of the records of ``model``."""
    return model._meta.get_field("shares").related_model


class ShareForm(RecordForm):
    """With whom a record is shared, how far and how long; later only how far and how long."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.is_new:
            del self.fields["user"], self.fields["team"]
            return
        people = User.objects.active().exclude(pk=self.instance.record.owner_id)
        self.fields["user"].queryset = people.order_by("name", "pk")
        self.fields["team"].queryset = Team.objects.order_by("name", "pk")


def share_form(share):
    """The form of the shares of a model; members of a deal's team have a role as well."""
    names = {field.name for field in share._meta.fields}
    fields = [name for name in FIELDS if name in names]
    last_day = gettext_lazy("The last day; blank for no end.")
    return modelform_factory(share, form=ShareForm, fields=fields, help_texts={"until": last_day})


class SharingView(RecordMixin, TemplateView):
    """Who sees and edits a record and why, and with whom it is shared."""

    template_name = "core/sharing.html"

    def get_queryset(self):
        return super().get_queryset().select_related("owner__team")

    def get_crumbs(self):
        return [*super().get_crumbs(), {"label": _("Who can see it")}]

    @cached_property
    def may_share(self):
        record = self.record
        is_open = not record.is_archived and not record.why_read_only()
        return is_open and record.can(self.request.user, Verb.SHARE)

    def get_context_data(self, **kwargs):
        record, share = self.record, shares_model(self.model)
        today = Organisation.current().today()
        return {
            "people": [
                (_("Who can see it"), list(who_can(Verb.VIEW, record))),
                (_("Who can edit it"), list(who_can(Verb.EDIT, record))),
            ],
            "is_private": getattr(record, "is_private", False),
            "heading": share.heading,
            "rows": [self.get_row(row, today) for row in shares_of(record)],
            "add_url": url_of(record, "share") if self.may_share else "",
            **super().get_context_data(**kwargs),
        }

    def get_row(self, share, today):
        """A share, and what the user may do to it."""
        row = {"share": share, "has_ended": share.has_ended(today)}
        if self.may_share:
            row["update"] = Action(_("Edit"), url_of(share, "update"))
            row["end"] = Action(_("End"), url_of(share, "end"))
            row["form"] = VerbForm(auto_id=False)
        return row


class ToSharing:
    """Afterwards one looks at who sees the record now."""

    template_name = "base/form.html"

    def get_record(self):
        """The record that is shared."""
        return self.record.record

    def get_context_data(self, **kwargs):
        kwargs.setdefault("cancel_url", self.get_success_url())
        return super().get_context_data(**kwargs)

    def get_success_url(self):
        return url_of(self.get_record(), "sharing")


class ShareCreateView(ToSharing, RecordFormMixin, VerbView):
    """Share a record with a person or with a team."""

    verb = Verb.SHARE
    success_message = gettext_lazy("Shared it with %(object)s.")

    def get_record(self):
        return self.record

    def get_form_kwargs(self):
        share = shares_model(self.model)(record=self.record)
        return super().get_form_kwargs() | {"instance": share}

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            title=_("Share %(record)s") % {"record": self.record}, submit=_("Share"), **kwargs
        )

    def perform(self, form):
        return save_share(form.build(), by=self.request.user, key=form.key).grantee


class ShareMixin(ToSharing):
    """Load a share of a record that can be changed; who may share the record writes it."""

    verb = Verb.SHARE

    def get_queryset(self):
        rows = self.model.objects.visible_to(self.request.user).filter(record__archived_at=None)
        return rows.select_related("record__owner", "user", "team")

    def get_crumbs(self):
        record = self.record.record
        return [
            {
                "label": capfirst(record._meta.verbose_name_plural),
                "url": url_of(type(record), "list"),
            },
            {"label": str(record), "url": record.get_absolute_url()},
            {"label": _("Who can see it"), "url": url_of(record, "sharing")},
            {"label": str(self.record.grantee)},
        ]


class ShareUpdateView(ShareMixin, WholeUpdateView):
    """Change how far and how long a record is shared with somebody."""

    success_message = gettext_lazy("Changed what %(object)s can do.")

    def get_context_data(self, **kwargs):
        names = {"record": self.record.record, "grantee": self.record.grantee}
        title = _("%(grantee)s and %(record)s") % names
        return super().get_context_data(title=title, **kwargs)

    def perform(self, form):
        share = form.apply_to(copy.copy(self.record))
        share.version = self.version_of(form)
        return save_share(share, by=self.request.user, key=form.key).grantee


class ShareEndView(ShareMixin, VerbView):
    """Stop sharing a record with somebody."""

    form_class = VerbForm
    success_message = gettext_lazy("It is no longer shared with %(object)s.")

    def get_context_data(self, **kwargs):
        names = {"record": self.record.record, "grantee": self.record.grantee}
        title = _("Stop sharing %(record)s with %(grantee)s") % names
        return super().get_context_data(title=title, submit=_("Stop sharing"), **kwargs)

    def perform(self, form):
        end_share(self.record, by=self.request.user, key=form.key)
        return self.record.grantee
