"""What people decide about whose a lead is: rules, queues, hand-overs, and trying the rules."""

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.filtering.editor import Editor, EditorFormMixin
from core.filtering.types import Linked, Person
from core.forms import RecordChoiceField, RecordForm, StyledFormMixin, VerbForm
from core.normalise import clean_text
from leads.models import AssignmentRule, Lead, Queue, QueueMember
from leads.models.takers import ROLES
from leads.services import LEAST_NOTE, receivers
from users.models import User

ABOUT_ASSIGNING = frozenset(
    {"assigned_by", "assigned_by_rule", "assigned_at", "handed_over_to", "handed_over_by"}
    | {"handed_over_at", "handover_note", "returned_by", "return_reason"}
)
"""Fields of a lead that follow from an assignment; no rule asks for them."""


def takers(*kept):
    """The users who can be given leads, and those with the keys ``kept``."""
    people = User.objects.filter(Q(is_active=True, role__in=ROLES) | Q(pk__in=kept))
    return people.order_by("name", "pk")


class RuleEditor(Editor):
    """The conditions of a rule: asked by nobody, so no record can be named and nobody is "me"."""

    def __init__(self, model, *, by=None, root=None):
        super().__init__(model, by=None, root=root)
        self.types = {
            name: found
            for name, found in self.types.items()
            if name not in ABOUT_ASSIGNING and _can_be_asked(found)
        }
        self.root.types = self.types


def _can_be_asked(found):
    is_record = isinstance(found, Linked) and not isinstance(found, Person)
    return not is_record and hasattr(found, "operators")


class RuleForm(EditorFormMixin, RecordForm):
    """A rule: for which leads, to whom, and to whom else."""

    document_field = "criteria"

    class Meta:
        model = AssignmentRule
        fields = ("name", "target_user", "queue", "fallback_owner", "is_active")
        help_texts = {
            "target_user": _("One person."),
            "queue": _("Its members in turns; instead of one person."),
            "fallback_owner": _(
                "If the person is away, or everybody in the queue. Without one, or if that person "
                "is away too, the default owner of the organisation."
            ),
            "is_active": _("Without it, the rule is passed over."),
        }

    groups = (
        (_("Rule"), ("name", "is_active")),
        (_("To whom"), ("target_user", "queue", "fallback_owner")),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("target_user", "fallback_owner"):
            self.fields[name].queryset = takers(getattr(self.instance, f"{name}_id"))
        self.fields["queue"].queryset = Queue.objects.order_by("name", "pk")


class QueueForm(RecordForm):
    """A queue; its members have a page of their own."""

    class Meta:
        model = Queue
        fields = ("name",)


class MemberForm(RecordForm):
    """How many leads a member of a queue takes a day."""

    class Meta:
        model = QueueMember
        fields = ("daily_cap",)
        help_texts = {
            "daily_cap": _(
                "Beyond it the turn passes to the next one until the day of the organisation ends. "
                "Without a number there is no limit."
            ),
        }


class NewMemberForm(MemberForm):
    """Somebody who joins a queue at its end."""

    class Meta(MemberForm.Meta):
        fields = ("user", "daily_cap")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        there = QueueMember.objects.filter(queue=self.instance.queue_id).values("user")
        self.fields["user"].queryset = takers().exclude(pk__in=there)


class TryForm(StyledFormMixin, forms.Form):
    """The lead for which the rules are tried."""

    lead = RecordChoiceField(Lead.objects.unconverted(), label=_("Lead"))

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["lead"].offer(by=by)


class LongTextFormField(forms.CharField):
    """Text of several lines, cleaned as that of a record."""

    def to_python(self, value):
        return clean_text(super().to_python(value), multiline=True)


class HandOverForm(VerbForm):
    """To whom a lead is handed over, and what he needs to know."""

    groups = (
        (_("To whom"), ("user", "queue")),
        (_("What he needs to know"), ("note",)),
    )

    user = forms.ModelChoiceField(User.objects.none(), label=_("Representative"), required=False)
    queue = forms.ModelChoiceField(
        Queue.objects.none(),
        label=_("or the next one of a queue"),
        required=False,
    )
    note = LongTextFormField(
        label=_("Note"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Need, budget, time frame, next step; at least %(count)s characters.")
        % {"count": LEAST_NOTE},
    )

    def __init__(self, *args, by, lead, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = receivers(by).exclude(pk=lead.owner_id)
        queues = Queue.objects.filter(members__isnull=False).distinct()
        self.fields["queue"].queryset = queues.order_by("name", "pk")

    def clean(self):
        cleaned = super().clean()
        chosen = [cleaned[name] for name in ("user", "queue") if cleaned.get(name) is not None]
        if not self.errors and len(chosen) != 1:
            self.add_error("user", _("Choose a person or a queue, one of the two."))
        cleaned["to"] = chosen[0] if len(chosen) == 1 else None
        return cleaned


class ReturnForm(VerbForm):
    """Why a lead that was handed over is returned."""

    reason = LongTextFormField(
        label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )
