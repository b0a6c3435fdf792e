"""One account: the page, making, changing, moving and archiving it; and the list of all."""

from django.db.models import Exists, OuterRef, Q
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.filters import AccountFilter
from accounts.forms import (
    NUMBERS,
    REACH,
    AccountArchiveForm,
    AccountAssignForm,
    AccountCreateForm,
    AccountForm,
    AccountMoveForm,
)
from accounts.models import Account
from accounts.services import (
    archive_account,
    assign_account,
    check_move,
    copy_billing_to_shipping,
    dependants_of,
    move_account,
)
from accounts.tables import AccountTable, status_tone
from accounts.views.tree import PART, Tree, add_below
from core.forms import VerbForm
from core.history import story
from core.journal import Change
from core.reach import Verb, require
from core.tables import Column, address
from core.templatetags.components import external_link, record_link
from core.views import (
    Action,
    RecordArchiveView,
    RecordAssignView,
    RecordCreateView,
    RecordDetailView,
    RecordListView,
    RecordUpdateView,
    VerbView,
    url_of,
)

SHOWN_CHANGES = 8
DETAILS = (
    "kind",
    "status",
    "type",
    "industry",
    "employees",
    "annual_revenue",
    *REACH,
    address("billing", gettext_lazy("Billing address")),
    address("shipping", gettext_lazy("Shipping address")),
    "rating",
    "ownership",
    "site",
    "source",
    *NUMBERS,
)


class AccountListView(RecordListView):
    filterset_class = AccountFilter
    table = AccountTable


class AccountDetailView(RecordDetailView):
    model = Account
    template_name = "accounts/account_detail.html"
    form_class = AccountForm
    select_related = ("owner", "parent", "created_by", "updated_by")
    facts = (
        Column(
            "status",
            gettext_lazy("Status"),
            value=lambda account: "" if account.is_active else account.get_status_display(),
            kind="pill",
            tone=status_tone,
        ),
        "owner",
    )
    offered = ("type", "industry", "employees", "phone", "website", "billing_street", "rating")
    annotations = {
        # Few accounts have any: only they are asked which.
        "has_planned_changes": Exists(
            Account.objects.filter(
                Q(planned_leavers__status="PLANNED") | Q(planned_joiners__status="PLANNED"),
                pk=OuterRef("pk"),
            )
        )
    }

    @property
    def groups(self):
        """The details; of a parent that the user may not see no more than that there is one."""
        user = self.request.user

        def parent(account):
            above = account.parent
            if above is None or above.can(user, Verb.VIEW):
                return record_link(above)
            return _("Restricted account")

        place = Column("parent", _("Parent account"), value=parent)
        return (
            (_("Details"), (place, *DETAILS)),
            (_("Description"), ("description",)),
            (_("Record"), ("created_at", "created_by", "updated_at", "updated_by")),
        )

    def get_line(self):
        account = self.record
        parts = [part for part in (account.industry, account.billing_city) if part]
        if account.website:
            parts.append(external_link(account.website))
        return format_html_join(", ", "{}", ((part,) for part in parts))

    def get_crumbs(self):
        crumbs = super().get_crumbs()
        parent = self.record.parent
        if parent is not None and parent.can(self.request.user, Verb.VIEW):
            crumbs.insert(1, {"label": str(parent), "url": parent.get_absolute_url()})
        return crumbs

    def get_actions(self):
        account, actions = self.record, super().get_actions()
        if self.is_archived:
            return actions
        if account.phone_e164:
            actions["call"] = Action(_("Call"), f"tel:{account.phone_e164}", "phone")
        label = _("Hierarchy and figures")
        actions["tree"] = Action(label, url_of(account, "tree"), "hierarchy-2")
        if self.may(Verb.EDIT):
            actions |= self.get_edits()
        return actions

    def get_edits(self):
        """The verbs of who may edit the account, besides editing its fields."""
        account, edits = self.record, {}
        if action := add_below(account, user=self.request.user):
            edits["add_below"] = action
        if not account.is_individual:
            url = url_of(account, "move")
            edits["move"] = Action(_("Change parent account"), url, "corner-down-right")
        if account.parent_id is not None:
            edits["top"] = Action(_("Make top account"), url_of(account, "top"), "arrow-up")
        if account.billing_differs:
            url = url_of(account, "copy_billing")
            label = _("Copy billing to shipping address")
            edits["copy_billing"] = Action(label, url, "copy", post=True)
        return edits

    def arrange(self, actions):
        def those(*names):
            return [actions[name] for name in names if name in actions]

        return {
            "primary": actions.get("restore"),
            "buttons": those("call", "update"),
            "more": those(
                "add_below",
                "move",
                "top",
                "tree",
                "copy_billing",
                "assign",
                "sharing",
                "history",
                "archive",
            ),
        }

    def get_context_data(self, **kwargs):
        told = story(self.record, user=self.request.user, limit=SHOWN_CHANGES)
        return super().get_context_data(
            tree=self.get_tree(),
            origin=told.origin,
            entries=told.entries,
            has_older=told.has_older,
            **kwargs,
        )

    def get_tree(self):
        """The part of the hierarchy that the page shows; None for an archived account."""
        if self.is_archived:
            return None
        with_sub = self.request.GET.get("sums") != "own"
        return Tree(self.record, user=self.request.user, size=PART, with_sub=with_sub)


class AccountCreateView(RecordCreateView):
    form_class = AccountCreateForm

    def write(self, form, record):
        if record.parent is not None:
            require(self.request.user, Verb.EDIT, record.parent)
        super().write(form, record)


class AccountUpdateView(RecordUpdateView):
    model = Account
    form_class = AccountForm


class AccountMoveView(VerbView):
    """Choose another parent; "What would change" shows the figures of both groups first."""

    model = Account
    verb = Verb.EDIT
    form_class = AccountMoveForm
    template_name = "accounts/account_move.html"
    success_message = gettext_lazy("Moved %(object)s.")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"account": self.record, "by": self.request.user}

    def get_crumb(self):
        return _("Change parent account")

    def get_context_data(self, **kwargs):
        return {
            "title": _("Change the parent of %(account)s") % {"account": self.record},
            "submit": _("Move"),
            "cancel_url": self.record.get_absolute_url(),
            "may_preview": True,
            **super().get_context_data(**kwargs),
        }

    @property
    def is_preview(self):
        return "preview" in self.request.POST

    def perform(self, form):
        account, by, parent = self.record, self.request.user, form.cleaned_data["parent"]
        if self.is_preview:
            check_move(account, parent=parent, by=by)
            return account
        return move_account(account, parent=parent, by=by, key=form.key)

    def performed(self, form):
        if not self.is_preview:
            return super().performed(form)
        parent = form.cleaned_data["parent"]
        context = self.get_context_data(form=form, preview=True, parent=parent)
        return self.render_to_response(context)


class AccountAssignView(RecordAssignView):
    """Give the account to another owner, and say what of the present one's goes along."""

    model = Account
    form_class = AccountAssignForm

    def get_queryset(self):
        return super().get_queryset().select_related("owner")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"account": self.record}

    def perform(self, form):
        return assign_account(
            self.record,
            owner=form.cleaned_data["owner"],
            by=self.request.user,
            along=form.chosen,
            key=form.key,
        )


class AccountTopView(VerbView):
    """Take an account, and all below it, out of its group."""

    model = Account
    verb = Verb.EDIT
    form_class = VerbForm
    template_name = "accounts/account_move.html"
    success_message = gettext_lazy("Made %(object)s the top of a hierarchy of its own.")

    def get_crumb(self):
        return _("Make top account")

    def get_context_data(self, **kwargs):
        return {
            "title": _("Make %(account)s a top account") % {"account": self.record},
            "submit": _("Make top account"),
            "cancel_url": self.record.get_absolute_url(),
            "preview": True,
            "parent": None,
            **super().get_context_data(**kwargs),
        }

    def perform(self, form):
        return move_account(self.record, parent=None, by=self.request.user, key=form.key)


class AccountCopyBillingView(VerbView):
    """Let the shipping address be the billing address."""

    model = Account
    verb = Verb.EDIT
    form_class = VerbForm
    template_name = "base/form.html"
    success_message = gettext_lazy("Copied the billing address of %(object)s.")

    def get_crumb(self):
        return _("Copy billing to shipping address")

    def get_context_data(self, **kwargs):
        title = _("Copy the billing address of %(account)s to its shipping address")
        return {
            "title": title % {"account": self.record},
            "submit": _("Copy"),
            "cancel_url": self.record.get_absolute_url(),
            **super().get_context_data(**kwargs),
        }

    def perform(self, form):
        return copy_billing_to_shipping(self.record, by=self.request.user, key=form.key)

    def get_operation_id(self, form):
        """The button in the menu sends no key, so the journal is asked for what wrote this."""
        written = Change.objects.filter(model=Account._meta.label_lower, object_id=self.object.pk)
        written = written.filter(version=self.object.version).order_by("pk")
        return written.values_list("operation_id", flat=True).first()


class AccountArchiveView(RecordArchiveView):
    model = Account
    form_class = AccountArchiveForm

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {
            "account": self.record,
            "by": self.request.user,
            "has_dependants": bool(self.dependants),
        }

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.dependants = dependants_of(self.record)

    def get_consequences(self):
        counts = [
            _("%(count)s %(what)s depend on it.") % {"count": d.branch, "what": d.label}
            for d in self.dependants
        ]
        return counts + super().get_consequences()

    def perform(self, form):
        choice, by = form.get_choice(), self.request.user
        return archive_account(self.record, dependants=choice, by=by, key=form.key)
