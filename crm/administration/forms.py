"""Forms of users and teams, which stand below the records and are cleaned by Django's own."""

from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms import OnceMixin, StyledFormMixin, VerbForm
from core.normalise import clean_text
from core.reach import reach_of
from crm.administration.deactivation import holdings
from users.models import Grant, Team, User
from users.services import GIVEN_BY_MANAGERS


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
    grants = forms.MultipleChoiceField(
        label=gettext_lazy("Beyond the role"),
        choices=Grant,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Administrators may do all of this; managers export, merge and edit many at once."
        ),
    )

    class Meta:
        model = User
        fields = (
            "name",
            "email",
            "role",
            "team",
            "manager",
            "grants",
            "time_zone",
            "locale",
            "out_of_office_until",
        )
        help_texts = {
            "email": gettext_lazy("For signing in, and where e-mails go."),
            "role": gettext_lazy("Decides what this person may see and do."),
            "team": gettext_lazy("Colleagues of a team see each other’s leads and deals."),
            "manager": gettext_lazy("Sees and may undo what this person does."),
            "out_of_office_until": gettext_lazy("Until then no new leads are assigned."),
        }

    groups = (
        (gettext_lazy("Person"), ("name", "email", "time_zone", "locale", "out_of_office_until")),
        (gettext_lazy("Work"), ("role", "team", "manager", "grants")),
    )

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.order_by("name", "pk")
        self.fields["manager"].queryset = User.objects.active().order_by("name", "pk")
        if self.instance.pk == by.pk:
            # Nobody changes his own rights; the own address is confirmed by mail.
            for name in ("role", "grants", "email"):
                self.fields[name].disabled = True


class MemberForm(PeopleForm):
    """What a manager sets for the people in his teams."""

    class Meta:
        model = User
        fields = ("role", "team")

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in GIVEN_BY_MANAGERS]
        teams = Team.objects.filter(pk__in=reach_of(by).managed_teams)
        self.fields["team"].queryset = teams.order_by("name", "pk")
        self.fields["team"].required = True


class DeactivateForm(VerbForm):
    """Who takes over from somebody whose log-in ends: one for all, or another one a part."""

    successor = forms.ModelChoiceField(
        User.objects.none(),
        label=gettext_lazy("Who takes over"),
        required=False,
        help_text=gettext_lazy("All that is listed below, where nobody else is chosen."),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.held = holdings(user)
        people = User.objects.active().exclude(pk=user.pk).order_by("name", "pk")
        self.fields["successor"].queryset = people
        for part, count in self.held:
            if part.optional:
                self.fields[part.field] = forms.BooleanField(
                    label=_("%(part)s (%(count)s) go along") % {"part": part.label, "count": count},
                    required=False,
                )
                continue
            self.fields[part.field] = forms.ModelChoiceField(
                people,
                label=_("%(part)s (%(count)s)") % {"part": part.label, "count": count},
                required=False,
                empty_label=_("the same"),
            )

    def get_successors(self):
        """Who takes over each part; None where it stays."""
        data, to_all = self.cleaned_data, self.cleaned_data["successor"]
        return {
            part.name: (to_all if data[part.field] else None)
            if part.optional
            else (data[part.field] or to_all)
            for part, _count in self.held
        }


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
