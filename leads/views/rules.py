"""The settings of assignment: rules, queues with their members, and trying the rules."""

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import TemplateView

from core import display
from core.filtering import FilterRefused, parse
from core.forms import VerbForm
from core.models import Organisation
from core.reach import Verb
from core.services import next_position
from core.tables import COUNT_LIMIT, Column
from core.views import VerbView
from core.views.editor import EditorViewMixin
from core.views.settings import (
    AdministratorMixin,
    SettingsCreateView,
    SettingsListView,
    SettingsMoveView,
    SettingsUpdateView,
    settings_crumbs,
)
from leads.assignment import explain
from leads.forms.assignment import (
    MemberForm,
    NewMemberForm,
    QueueForm,
    RuleEditor,
    RuleForm,
    TryForm,
)
from leads.models import AssignmentRule, Lead, Queue, QueueMember
from leads.models.lead import WARNED_OF
from leads.models.takers import why_not_taken
from leads.services import remove_member

SHOWN_WARNINGS = 10


# -- rules ------------------------------------------------------------------------------------


def conditions(rule):
    """What a rule asks of a lead, in words."""
    try:
        found = parse(Lead, rule.criteria, by=None)
    except FilterRefused as error:
        return _("Fits no lead: %(reason)s") % {"reason": error.message}
    return _("Every lead") if found.is_empty else found.root.words


def target(rule):
    """To whom the leads of a rule go."""
    if rule.queue is None:
        today = Organisation.current().today()
        is_away = why_not_taken(rule.target_user, today=today)
        return _("%(user)s (away)") % {"user": rule.target_user} if is_away else rule.target_user
    return _("Queue %(queue)s") % {"queue": rule.queue}


class RuleListView(SettingsListView):
    """All rules in the order in which they are asked, and what they could not do lately."""

    model = AssignmentRule
    template_name = "leads/assignment_rules.html"
    columns = (
        Column("name", gettext_lazy("Rule"), kind="link"),
        Column("criteria", gettext_lazy("Conditions"), conditions),
        Column("target", gettext_lazy("Goes to"), target),
        Column("fallback_owner", gettext_lazy("Else to"), extra=True),
        Column("is_active", gettext_lazy("Active"), kind="truth"),
    )
    intro = gettext_lazy(
        "The first active rule that a lead fits decides whose it is. Rules are asked for leads "
        "from files and for new ones where that is ticked, and by “Assign now by rules” on a "
        "lead’s page. Editing a lead never gives it to somebody else."
    )

    def get_rows(self):
        return AssignmentRule.objects.in_order()

    def get_context_data(self, **kwargs):
        leads = Lead.objects.visible_to(self.request.user).live()
        warned = leads.filter(assigned_by__in=WARNED_OF).select_related("owner", "assigned_by_rule")
        return {
            "organisation": Organisation.current(),
            "warnings": list(warned.order_by("-assigned_at", "-pk")[:SHOWN_WARNINGS]),
            "empty_text": _("Without rules each lead stays with who enters it."),
            **super().get_context_data(**kwargs),
        }


class RuleMixin(EditorViewMixin):
    """The form of a rule with its conditions."""

    template_name = "leads/rule_form.html"
    form_class = RuleForm

    @cached_property
    def editor(self):
        if self.request.method == "POST":
            return RuleEditor.from_data(Lead, self.request.POST, by=None)
        return RuleEditor.from_document(Lead, self.get_document(), by=None)

    def get_document(self):
        """The conditions that the editor begins with."""
        return {}


class RuleCreateView(RuleMixin, SettingsCreateView):
    """The form of a new rule, which comes last."""

    def get_effects(self):
        return [
            _("It is asked after all others. Leads that are there already stay with their owners."),
        ]

    def write(self, form, record):
        record.position = next_position(AssignmentRule.objects.order_by())
        super().write(form, record)


class RuleUpdateView(RuleMixin, SettingsUpdateView):
    """The form of a rule, with what it has done."""

    model = AssignmentRule

    def get_document(self):
        return self.record.criteria

    def get_effects(self):
        rules = AssignmentRule.objects.active().exclude(pk=self.record.pk)
        before = rules.filter(position__lt=self.record.position).order_by("position", "pk")
        names = ", ".join(str(rule) for rule in before)
        if names:
            yield _("It is asked for leads that do not fit: %(rules)s.") % {"rules": names}
        else:
            yield _("It is asked first.")
        found = Lead.objects.filter(assigned_by_rule=self.record).order_by()
        count = found[: COUNT_LIMIT + 1].count()
        if count:
            text = ngettext(
                "%(count)s lead has its owner by this rule.",
                "%(count)s leads have their owners by this rule.",
                count,
            )
            yield text % {"count": display.counted(count, cap=COUNT_LIMIT)}
        yield _("A change counts from the next assignment on; no lead changes its owner by it.")


class RuleMoveView(SettingsMoveView):
    """Move a rule to another place."""

    model = AssignmentRule


class RuleTryView(AdministratorMixin, TemplateView):
    """Say for one lead which rule would win and why the earlier ones do not; writes nothing."""

    template_name = "leads/rule_try.html"

    def get_context_data(self, **kwargs):
        by = self.request.user
        form = TryForm(self.request.GET or None, by=by)
        lead = form.cleaned_data["lead"] if form.is_valid() else None
        title = _("Try the rules")
        rules = {"label": _("Assignment rules"), "url": reverse("leads:assignmentrule_list")}
        return {
            "title": title,
            "crumbs": settings_crumbs(rules, {"label": title}),
            "form": form,
            "lead": lead,
            "explanation": explain(lead) if lead else None,
            **super().get_context_data(**kwargs),
        }


# -- queues -----------------------------------------------------------------------------------


class QueueListView(SettingsListView):
    """All queues with their members."""

    model = Queue
    columns = (
        Column("name", gettext_lazy("Queue"), kind="link"),
        Column("members", gettext_lazy("Members"), lambda queue: ", ".join(
            str(member) for member in queue.members.all())),
        Column("rules", gettext_lazy("Used by"), lambda queue: ", ".join(
            str(rule) for rule in queue.rules.all()), extra=True),
    )  # fmt: skip
    intro = gettext_lazy(
        "People who are given leads in turns, by a rule or by a hand-over. Who is away, or has had "
        "the most leads for the day, is passed over."
    )

    def get_rows(self):
        members = QueueMember.objects.select_related("user").order_by("position", "pk")
        rules = AssignmentRule.objects.active().order_by("position", "pk")
        rows = Queue.objects.prefetch_related(
            Prefetch("members", queryset=members), Prefetch("rules", queryset=rules)
        )
        return rows.order_by("name", "pk")


class QueueCreateView(SettingsCreateView):
    """The form of a new queue; its members come next."""

    form_class = QueueForm

    def location_of(self, record):
        return record.get_absolute_url()


class QueueUpdateView(SettingsUpdateView):
    """The form of a queue."""

    model = Queue
    form_class = QueueForm

    def get_effects(self):
        rules = ", ".join(
            self.record.rules.order_by("position", "pk").values_list("name", flat=True)
        )
        yield _("Used by: %(rules)s.") % {"rules": rules} if rules else _("No rule uses it.")

    def location_of(self, record):
        return record.get_absolute_url()


class MemberMixin:
    """A page about the members of the queue that the URL names."""

    model = QueueMember

    @cached_property
    def queue(self):
        queues = Queue.objects.visible_to(self.request.user)
        return get_object_or_404(queues, pk=self.kwargs["queue"])

    def get_list(self):
        return {"label": str(self.queue), "url": self.queue.get_absolute_url()}


class MemberListView(MemberMixin, SettingsListView):
    """The members of a queue, in the order of their turns."""

    template_name = "leads/queue_members.html"
    intro = gettext_lazy("They are given leads in turns, in this order.")

    @cached_property
    def today(self):
        return Organisation.current().today()

    @property
    def columns(self):
        return (
            Column("user", _("Person"), kind="link"),
            Column("daily_cap", _("Most a day"), blank=_("No limit")),
            Column("served", _("Today"), lambda m: str(m.served_today(today=self.today))),
            Column("away", _("Passed over"), self.why_skipped, extra=True),
        )

    def why_skipped(self, member):
        if member.is_at_cap(today=self.today):
            return _("Has had the most leads for today")
        return why_not_taken(member.user, today=self.today)

    def get_rows(self):
        rows = QueueMember.objects.filter(queue=self.queue).select_related("user")
        return rows.order_by("position", "pk")

    def get_title(self):
        return str(self.queue)

    def get_create_url(self):
        return reverse("leads:queuemember_create", args=[self.queue.pk])

    def get_context_data(self, **kwargs):
        queues = {"label": _("Queues"), "url": reverse("leads:queue_list")}
        return {
            **super().get_context_data(**kwargs),
            "crumbs": settings_crumbs(queues, {"label": self.get_title()}),
            "queue": self.queue,
        }


class MemberCreateView(MemberMixin, SettingsCreateView):
    """The form of a new member, who comes last."""

    form_class = NewMemberForm

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"instance": QueueMember(queue=self.queue)}

    def write(self, form, record):
        record.position = next_position(QueueMember.objects.filter(queue=self.queue))
        super().write(form, record)


class OneMemberMixin(AdministratorMixin):
    """A page about one member."""

    model = QueueMember

    def get_queryset(self):
        return super().get_queryset().select_related("queue", "user")

    def get_list(self):
        return {"label": str(self.record.queue), "url": self.record.queue.get_absolute_url()}


class MemberUpdateView(OneMemberMixin, SettingsUpdateView):
    """The form of a member."""

    template_name = "leads/member_form.html"
    form_class = MemberForm

    def get_effects(self):
        today = Organisation.current().today()
        count = self.record.served_today(today=today)
        text = ngettext("Has had %(count)s lead today.", "Has had %(count)s leads today.", count)
        return [text % {"count": count}]


class MemberMoveView(SettingsMoveView):
    """Move a member within the queue."""

    model = QueueMember

    def get_siblings(self, row):
        return QueueMember.objects.filter(queue=row.queue_id)

    def get_success_url(self, row):
        return row.queue.get_absolute_url()


class MemberRemoveView(OneMemberMixin, VerbView):
    """Take somebody out of a queue."""

    verb = Verb.EDIT
    form_class = VerbForm
    template_name = "base/form.html"
    success_message = gettext_lazy("Removed %(object)s from the queue.")

    def get_crumbs(self):
        return settings_crumbs(self.get_list(), {"label": _("Remove")})

    def get_context_data(self, **kwargs):
        named = {"user": self.record.user, "queue": self.record.queue}
        return {
            "title": _("Remove %(user)s from %(queue)s") % named,
            "about": _("The leads that the queue has given stay where they are."),
            "submit": _("Remove"),
            "cancel_url": self.get_list()["url"],
            **super().get_context_data(**kwargs),
        }

    def perform(self, form):
        remove_member(self.record, by=self.request.user, key=form.key)
        return self.record

    def get_success_url(self):
        return self.get_list()["url"]
