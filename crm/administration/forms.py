"""Forms of users and teams, which stand below the records and are cleaned by Django's own."""

from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms import OnceMixin, StyledFormMixin
from core.normalise import clean_text
from users.models import Team, User


def _zones():
    return [(zone, zone) for zone in sorted(available_timezones())]


class PeopleForm(OnceMixin, StyledFormMixin, forms.ModelForm):
    """A form of a user or a team that refuses to overwrite what was changed since."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["version"] = forms.IntegerField(required=False, widget=forms.HiddenInput)
        self.initial["version"] = self.instance.version

    def clean_name(self):
        """The name, read as every other text is; one in which nothing can be seen is none."""
        if name := clean_text(self.cleaned_data["name"]):
            return name
        raise ValidationError(self.fields["name"].error_messages["required"], code="required")

    def clean(self):
        cleaned = super().clean()
        seen = self.cleaned_data.get("version")
        if self.instance.pk and seen is not None and seen != self.instance.version:
            raise ValidationError(
                _("This was changed by somebody else meanwhile. Look at it and save again."),
                code="stale",
            )
        return cleaned


class UserForm(PeopleForm):
    """Who somebody is, and how far he sees and edits."""

    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=_zones)

    class Meta:
        model = User
        fields = (
            "name",
            "email",
            "role",
            "team",
            "manager",
            "time_zone",
            "locale",
            "out_of_office_until",
            "is_active",
        )
        help_texts = {
            "email": gettext_lazy("For signing in, and where e-mails go."),
            "role": gettext_lazy("Decides what this person may see and do."),
            "team": gettext_lazy("Colleagues of a team see each other’s leads and deals."),
            "manager": gettext_lazy("Sees and may undo what this person does."),
            "out_of_office_until": gettext_lazy("Until then no new leads are assigned."),
            "is_active": gettext_lazy(
                "Without it, nobody can sign in with this address; the records stay."
            ),
        }

    groups = (
        (gettext_lazy("Person"), ("name", "email", "time_zone", "locale", "out_of_office_until")),
        (gettext_lazy("Work"), ("role", "team", "manager", "is_active")),
    )

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.order_by("name", "pk")
        self.fields["manager"].queryset = User.objects.active().order_by("name", "pk")
        if self.instance.pk == by.pk:
            # Nobody changes his own rights, nor locks himself out.
            for name in ("role", "is_active"):
                self.fields[name].disabled = True
        if self.instance.pk is None:
            del self.fields["is_active"]


class TeamForm(PeopleForm):
    """A team, whose part it is, and who leads it."""

    class Meta:
        model = Team
        fields = ("name", "parent", "manager")
        help_texts = {
            "parent": gettext_lazy("Who leads a team sees the teams below it as well."),
            "manager": gettext_lazy("Sees and edits the records of the team."),
        }

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        others = Team.objects.exclude(pk=self.instance.pk)
        self.fields["parent"].queryset = others.order_by("name", "pk")
        self.fields["manager"].queryset = User.objects.active().order_by("name", "pk")


class ProfileForm(PeopleForm):
    """What everybody sets for himself."""

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=_zones,
        help_text=gettext_lazy("Times are shown in it. Days are those of the organisation."),
    )

    class Meta:
        model = User
        fields = ("name", "time_zone", "locale", "theme", "uses_single_keys", "out_of_office_until")
        help_texts = {
            "out_of_office_until": gettext_lazy("Until then no new leads are assigned to you."),
        }

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
