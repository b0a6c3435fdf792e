"""Filters of lists: a bad value gives its message and an empty list, never all records."""

import datetime
from functools import partial

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters.fields import DateRangeField, RangeField
from django_filters.widgets import DateRangeWidget

from core import display
from core.countries import country_choices
from core.forms import StyledFormMixin, key_or_none
from core.reach import Scope, reach_of
from core.tables import labels_of
from users.models import User

FIRST_DAY, LAST_DAY = datetime.date(1900, 1, 1), datetime.date(2199, 12, 31)
LARGEST = 10**15
MAX_PEOPLE = 200
LOOKUP_WORDS = {
    "exact": gettext_lazy("is %(value)s"),
    "gte": gettext_lazy("at least %(value)s"),
    "lte": gettext_lazy("at most %(value)s"),
    "contains": gettext_lazy("contains %(value)s"),
    "icontains": gettext_lazy("contains %(value)s"),
}


class FilterForm(StyledFormMixin, forms.Form):
    """The form behind a FilterSet; it is sent with GET and answered with 200."""


class OwnerField(forms.ChoiceField):
    """Whose records: mine, my team's, or those of one user by his key."""

    def __init__(self, **kwargs):
        super().__init__(choices=_owner_choices, **kwargs)

    def clean(self, value):
        value = self.to_python(value).strip()
        self.validate(value)
        if value in ("", "me", "team"):
            return value
        user = None
        if (key := key_or_none(value)) is not None:
            user = User.objects.filter(pk=key).first()
        if user is None:
            message = _("There is no user “%(value)s”. Choose one of the list.")
            raise ValidationError(message, code="invalid_choice", params={"value": value[:60]})
        return user

    def validate(self, value):
        if "\x00" in value:
            raise ValidationError(_("Null characters are not allowed."), code="null")


def _owner_choices():
    people = User.objects.active().order_by("name", "pk").values_list("pk", "name")
    return [("", _("Anyone")), ("me", _("Me")), ("team", _("My team")), *people[:MAX_PEOPLE]]


class OwnerFilter(django_filters.Filter):
    """Keeps the records of one owner, or of the user's team."""

    field_class = OwnerField

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("label", gettext_lazy("Owner"))
        kwargs.setdefault("field_name", "owner")
        super().__init__(*args, **kwargs)

    def filter(self, queryset, value):
        user = self.parent.request.user
        if value == "team":
            return queryset.filter(reach_of(user).owned(Scope.TEAM))
        if not value:
            return queryset
        return queryset.filter(owner=user if value == "me" else value)


class DaysField(DateRangeField):
    """Two days within the centuries that a calendar of ours knows."""

    widget = DateRangeWidget(attrs={"type": "date"})

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _name_ends(self)
        for day in self.fields:
            day.validators += [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]


class DaysFilter(django_filters.DateFromToRangeFilter):
    """Keeps the records whose moment or date lies within two days, both included."""

    field_class = DaysField


def _name_ends(field):
    """Give each of the two inputs of a range a name of its own, for who does not see them."""
    for widget, words in zip(field.widget.widgets, (_("from"), _("to")), strict=True):
        widget.attrs["aria-label"] = f"{field.label} {words}"


class NumbersField(RangeField):
    """Two numbers of the size that our columns hold."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _name_ends(self)
        for number in self.fields:
            number.validators += [MinValueValidator(-LARGEST), MaxValueValidator(LARGEST)]


class NumbersFilter(django_filters.RangeFilter):
    """Keeps the records whose number lies between two, both included."""

    field_class = NumbersField


class RecordFilter(django_filters.FilterSet):
    """
    The filters of a list, all of them in the URL.

    ``q`` searches the folded text. A bad value leaves the message at its field and the list
    empty. ``chips`` are the filters in words, each with the address of the list without it.
    """

    q = django_filters.CharFilter(method="search", label=gettext_lazy("Search"))

    class Meta:
        form = FilterForm

    @property
    def qs(self):
        return super().qs if self.form.is_valid() else self.queryset.none()

    def search(self, queryset, name, value):
        return queryset.search(value)

    def parameters(self, name):
        """The names under which the filter's values stand in the URL."""
        suffixes = getattr(self.form.fields[name].widget, "suffixes", [""])
        return [f"{name}_{suffix}" if suffix else name for suffix in suffixes]

    def is_used(self, name):
        return any(self.data.get(parameter) for parameter in self.parameters(name))

    @cached_property
    def chips(self):
        """The filters in use but the search, in words."""
        return [
            {
                "label": self.form.fields[name].label,
                "text": self._words(name),
                "is_bad": name in self.form.errors,
                "without": self._query_without(self.parameters(name)),
            }
            for name in self.filters
            if name != "q" and self.is_used(name)
        ]

    @property
    def unused(self):
        """The filters that can still be added: (name, label); hidden ones come by a link only."""
        fields = self.form.fields
        names = [name for name in self.filters if name != "q" and not self.is_used(name)]
        return [(n, fields[n].label) for n in names if not fields[n].widget.is_hidden]

    def _query_without(self, parameters):
        query = self.data.copy()
        for parameter in [*parameters, "after", "before", "show"]:
            query.pop(parameter, None)
        return query.urlencode()

    def _words(self, name):
        value = self.form.cleaned_data.get(name) if self.form.is_bound else None
        if name in self.form.errors:
            return _("is not a valid value")
        if isinstance(value, slice):
            return _range_in_words(value)
        words = LOOKUP_WORDS.get(self.filters[name].lookup_expr, LOOKUP_WORDS["exact"])
        return words % {"value": self._value_in_words(name, value)}

    def _value_in_words(self, name, value):
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, list | tuple):
            return _(" or ").join(str(self._value_in_words(name, item)) for item in value)
        if value in ("me", "team") and isinstance(self.filters[name], OwnerFilter):
            return _("me") if value == "me" else _("my team")
        choices = getattr(self.form.fields[name], "choices", None)
        if isinstance(value, str) and choices is not None:
            return dict(choices).get(value, value)
        return value


def _range_in_words(value):
    start, stop = (_end_in_words(end) for end in (value.start, value.stop))
    if start and stop:
        return _("from %(start)s to %(stop)s") % {"start": start, "stop": stop}
    if start:
        return _("from %(start)s") % {"start": start}
    return _("up to %(stop)s") % {"stop": stop}


def _end_in_words(end):
    if end is None:
        return ""
    if isinstance(end, datetime.datetime):
        end = end.date()
    return display.day(end) if isinstance(end, datetime.date) else display.number(end)


class ListFilter(django_filters.ChoiceFilter):
    """Keeps the records with one value of an editable list, retired values included."""

    def __init__(self, *args, list_key, **kwargs):
        super().__init__(*args, choices=partial(_list_choices, list_key), **kwargs)


def _list_choices(list_key):
    return list(labels_of(list_key).items())


class CountryFilter(django_filters.ChoiceFilter):
    """Keeps the records of one country."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, choices=country_choices, **kwargs)
