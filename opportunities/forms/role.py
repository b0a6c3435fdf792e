"""What people enter about somebody who takes part in a deal's decision."""

from django import forms
from django.utils.translation import gettext_lazy as _

from contacts.forms.relation import Questions
from core.forms import RecordForm
from opportunities.models import OpportunityContactRole


class RoleForm(RecordForm):
    class Meta:
        model = OpportunityContactRole
        fields = ["role", "stance", "notes"]


class RoleCreateForm(RoleForm):
    is_primary = forms.BooleanField(label=_("The primary contact"), required=False)

    groups = (("", ("contact", "role", "stance", "is_primary", "notes")),)

    class Meta(RoleForm.Meta):
        fields = ["contact", *RoleForm.Meta.fields]


STAYS, LEFT = "stays", "left"


def questions_about(roles, people):
    """
    The Questions what becomes of ``roles`` when their person goes to another account.

    Each stays, is marked as left, or goes to one of ``people``. The answers are those of
    ``job_changed``: {key of a role: who takes over, None if nobody does}.
    """
    choices = [
        (STAYS, _("Keeps the role")),
        (LEFT, _("Has left, nobody takes over yet")),
        *((str(person.pk), person.full_name) for person in people),
    ]
    fields = {
        str(role.pk): forms.ChoiceField(label=str(role.opportunity), choices=choices)
        for role in roles
    }
    by_key = {str(person.pk): person for person in people}

    def answers(given):
        return {int(k): by_key.get(answer) for k, answer in given.items() if answer != STAYS}

    return Questions("opportunities", _("Roles in open deals of the old account"), fields, answers)
