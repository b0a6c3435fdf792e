"""What people enter about a person's relations with accounts, and decide about their change."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from contacts.models import AccountContactRelation
from contacts.services import REACHED_AT, JobChange
from core.errors import Invalid
from core.forms import ModelVerbForm, RecordChoiceField, RecordForm, VerbForm
from core.models import Organisation

ADDRESS_PARTS = ("street", "postal_code", "city", "state", "country")


class RelationForm(RecordForm):
    """What a relation says besides its two ends, which stay as they are."""

    groups = (
        ("", ("account", "title_there", "start_date", "notes")),
        (_("What the person does there"), ("roles",)),
    )

    class Meta:
        model = AccountContactRelation
        fields = ["title_there", "start_date", "roles", "notes"]


class RelationCreateForm(RelationForm):
    class Meta(RelationForm.Meta):
        fields = ["account", *RelationForm.Meta.fields]


class NextDirectMixin:
    """Asks which of the other active relations becomes the main one; the oldest is preset."""

    def ask_next_direct(self, relations, *, is_required):
        """Offer ``relations``, the oldest first; without any there is nothing to ask."""
        field = self.fields["next_direct"]
        if not relations:
            del self.fields["next_direct"]
            return
        field.queryset = AccountContactRelation.objects.filter(pk__in=[r.pk for r in relations])
        field.choices = [(relation.pk, str(relation.account)) for relation in relations]
        field.required = is_required
        self.initial.setdefault("next_direct", relations[0].pk)


class RelationEndForm(NextDirectMixin, VerbForm):
    """When a relation ended, and which one becomes the main one if it was that."""

    end_date = forms.DateField(label=_("Ended on"))
    next_direct = forms.ModelChoiceField(
        AccountContactRelation.objects.none(),
        label=_("New main account"),
        empty_label=None,
    )

    def __init__(self, *args, others, **kwargs):
        super().__init__(*args, **kwargs)
        self.ask_next_direct(others, is_required=True)


class RelationRemoveForm(NextDirectMixin, VerbForm):
    next_direct = forms.ModelChoiceField(
        AccountContactRelation.objects.none(),
        label=_("New main account"),
        empty_label=None,
    )

    def __init__(self, *args, others, **kwargs):
        super().__init__(*args, **kwargs)
        self.ask_next_direct(others, is_required=True)


class AccountCorrectForm(NextDirectMixin, VerbForm):
    """The account that should have been entered; the wrong one leaves no trace in the history."""

    account = RecordChoiceField(
        Account.objects.none(),
        label=_("Right account"),
        required=False,
        help_text=_("Without one the person belongs to no account."),
    )
    next_direct = forms.ModelChoiceField(
        AccountContactRelation.objects.none(),
        label=_("Main account if none is chosen above"),
        empty_label=None,
    )

    def __init__(self, *args, instance, by, others, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        field.queryset = Account.objects.exclude(pk=instance.account_id)
        field.offer(by=by)
        self.ask_next_direct(others, is_required=False)


@dataclass(frozen=True)
class Questions:
    """
    What a higher app asks about a change of job.

    ``fields`` are the form fields by name; ``answers`` makes of their cleaned values, by the
    same names, what the app finds in ``JobChange.extras[app]``. The cleaned values are plain
    texts, numbers or truths, so that a planned change can keep them until its day.
    """

    app: str
    heading: str
    fields: dict
    answers: Callable

    def recall(self, kept):
        """
        What ``answers`` makes of values that were given earlier, as the questions stand now.

        What is no longer asked is left out, and what is asked since stays undecided.

        :raises Invalid: an answer is not possible any more
        """
        given = {}
        for name in self.fields.keys() & kept.keys():
            field = self.fields[name]
            try:
                given[name] = field.clean(kept[name])
            except ValidationError as error:
                raise Invalid(f"{field.label}: {error.messages[0]}") from error
        return self.answers(given)


class JobChangeForm(NextDirectMixin, ModelVerbForm):
    """
    A person leaves the main account for another one, or for none.

    Title, e-mail and phones are those of the new job, filled with the present ones; emptied
    ones are forgotten.
    """

    model_fields = REACHED_AT

    account = RecordChoiceField(
        Account.objects.none(),
        label=_("New account"),
        required=False,
        help_text=_("Without one the person works for no account that you know."),
    )
    date = forms.DateField(
        label=_("Since"),
        help_text=_("A day to come is planned: until then nothing changes."),
    )
    next_direct = forms.ModelChoiceField(
        AccountContactRelation.objects.none(),
        label=_("Main account if there is no new one"),
        empty_label=None,
    )
    keeps_old_email = forms.BooleanField(
        label=_("Keep the old e-mail as the second one"), required=False
    )
    address = forms.BooleanField(
        label=_("Take over the billing address of the new account"), required=False
    )

    groups = (
        (_("The change"), ("account", "date", "next_direct")),
        (
            _("How to reach the person now"),
            ("title", "department", "email", "phone", "mobile", "keeps_old_email", "address"),
        ),
    )

    def __init__(self, *args, others, questions=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.questions = questions
        field = self.fields["account"]
        field.queryset = Account.objects.exclude(pk=self.instance.account_id)
        field.offer(by=self.by)
        self.ask_next_direct(others, is_required=False)
        self.initial.setdefault("date", Organisation.current().today())
        for asked in questions:
            fields = {f"{asked.app}-{name}": field for name, field in asked.fields.items()}
            self.fields |= fields
            self.groups = (*self.groups, (asked.heading, tuple(fields)))

    def get_change(self):
        """The JobChange that was entered."""
        data, account, answers = self.cleaned_data, self.cleaned_data["account"], self.get_answers()
        address = None
        if account is not None and data["address"]:
            address = {part: getattr(account, f"billing_{part}") for part in ADDRESS_PARTS}
        return JobChange(
            **{name: data[name] for name in REACHED_AT},
            date=data["date"],
            address=address,
            keeps_old_email=data["keeps_old_email"],
            next_direct=None if account is not None else data.get("next_direct"),
            extras={asked.app: asked.answers(answers[asked.app]) for asked in self.questions},
        )

    def get_answers(self):
        """What was answered to the questions of higher apps: {app: {name: answer}}."""
        data = self.cleaned_data
        return {
            asked.app: {name: data[f"{asked.app}-{name}"] for name in asked.fields}
            for asked in self.questions
        }
