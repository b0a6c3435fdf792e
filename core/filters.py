"""Filters of lists: a bad value gives its message and an empty list, never all records."""

import datetime
import json
from functools import partial

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.forms.utils import ErrorDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters.fields import DateRangeField, RangeField
from django_filters.widgets import DateRangeWidget

from core.countries import country_choices
from core.filtering import FilterRefused, both, parse
from core.filtering.language import OPERATORS
from core.forms import StyledFormMixin
from core.tables import labels_of
from users.models import User

FIRST_DAY, LAST_DAY = datetime.date(1900, 1, 1), datetime.date(2199, 12, 31)
LARGEST = 10**15
MAX_PEOPLE = 200


class FilterForm(StyledFormMixin, forms.Form):
    """The form behind a FilterSet; it is sent with GET and answered with 200."""

    def full_clean(self):
        """Most lists are asked without any filter: then there is nothing to look at."""
        if self._is_asked():
            super().full_clean()
        else:
            self._errors, self.cleaned_data = ErrorDict(), {}

    def _is_asked(self):
        return any(
            not field.widget.value_omitted_from_data(self.data, self.files, name)
            for name, field in self.fields.items()
        )


class OwnerField(forms.ChoiceField):
    """Whose records: mine, my team's, or those of one user by his key."""

    def __init__(self, **kwargs):
        super().__init__(choices=_owner_choices, **kwargs)

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
    The quick filters of a list, all of them in the URL: short spellings of conditions.

    What the form took becomes conditions of the filter language, and these cut the queryset.
    ``base`` is the document of the view that the list stands in. A bad value, or a bad
    document, leaves its message and the list empty. ``chips`` say in words what is asked, each
    with the address of the list without it.
    """

    q = django_filters.CharFilter(label=gettext_lazy("Search"), field_name="search_text")

    class Meta:
        form = FilterForm

    def __init__(self, *args, base=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.base_document = {} if base is None else base
        self.refusal = None  # of the base, after it was read

    @cached_property
    def base(self):
        """The Filter of the view, or of the URL; None if it can't be asked."""
        try:
            return parse(self._meta.model, self.base_document, by=self.request.user)
        except FilterRefused as error:
            self.refusal = error
            return None

    @cached_property
    def quick(self):
        """What the form asks: {name: a condition or group}; what is refused goes to its field."""
        found = {}
        for name, value in self._asked():
            document = condition_of(self.filters[name], value)
            try:
                asked = parse(self._meta.model, {"all": [document]}, by=self.request.user)
            except FilterRefused as error:
                self.form.add_error(name, error.reason)
                continue
            found[name] = asked.items[0]
        return found

    def _asked(self):
        """The quick filters that have a value."""
        if not self.form.is_valid():
            return []
        given = self.form.cleaned_data.items()
        return [(n, v) for n, v in given if n in self.filters and v not in (None, "", [], ())]

    @cached_property
    def is_refused(self):
        """Whether something in it can't be asked, so that nothing is found."""
        return self.quick is None or self.base is None or not self.form.is_valid()

    @property
    def document(self):
        """All that is asked, as one document."""
        return both(self.base.document, *({"all": [i.document]} for i in self.quick.values()))

    @cached_property
    def where(self):
        """All that is asked, for a queryset that ``visible_to`` has cut."""
        found = self.base.q
        for item in self.quick.values():
            found &= item.q
        return found

    @cached_property
    def qs(self):
        return self.queryset.none() if self.is_refused else self.queryset.filter(self.where)

    def parameters(self, name):
        """The names under which the filter's values stand in the URL."""
        suffixes = getattr(self.form.fields[name].widget, "suffixes", [""])
        return [f"{name}_{suffix}" if suffix else name for suffix in suffixes]

    def is_used(self, name):
        return any(self.data.get(parameter) for parameter in self.parameters(name))

    @property
    def is_narrowed(self):
        """Whether anything is asked beyond the view."""
        return any(self.is_used(name) for name in self.filters)

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
    def base_chips(self):
        """What the view asks, in words, each with the address of the list without it."""
        items = self.base.items if self.base is not None else ()
        return [
            {
                "label": item.label,
                "text": item.words,
                "without": self._query_without(("filter",), filter=self._base_without(item)),
            }
            for item in items
        ]

    def _base_without(self, item):
        rest = [other.document for other in self.base.items if other is not item]
        return as_parameter({"all": rest})

    @property
    def unused(self):
        """The filters that can still be added: (name, label); hidden ones come by a link only."""
        fields = self.form.fields
        names = [name for name in self.filters if name != "q" and not self.is_used(name)]
        return [(n, fields[n].label) for n in names if not fields[n].widget.is_hidden]

    def _query_without(self, parameters, **added):
        query = self.data.copy()
        for parameter in [*parameters, "after", "before", "show"]:
            query.pop(parameter, None)
        for parameter, value in added.items():
            query[parameter] = value
        return query.urlencode()

    def _words(self, name):
        item = self.quick.get(name)
        if item is None:
            return _("is not a valid value")
        value = self.form.cleaned_data[name]
        if isinstance(value, models.Model):
            return OPERATORS["is"] % {"value": value}
        if isinstance(value, bool):
            return _("is yes") if value else _("is no")
        return item.words


def condition_of(quick, value):
    """
    The condition, as a document, that a quick filter with this value is short for.

    A filter class of an app may have a ``condition`` of its own.
    """
    if own := getattr(quick, "condition", None):
        return own(value)
    name = quick.field_name.removesuffix("_id")
    if isinstance(value, slice):
        ends = [_plain_end(end) for end in (value.start, value.stop)]
        if None not in ends:
            return {"field": name, "op": "between", "value": ends}
        op = "gte" if ends[1] is None else "lte"
        return {"field": name, "op": op, "value": ends[0] if ends[1] is None else ends[1]}
    if quick.lookup_expr == "isnull":
        return {"field": name, "op": "empty" if value else "filled"}
    if name == "search_text":
        return {"field": name, "op": "search", "value": value}
    if isinstance(value, bool):
        return {"field": name, "op": "is", "value": value}
    if quick.lookup_expr == "gte":
        return {"field": name, "op": "gte", "value": _plain_end(value)}
    return {"field": name, "op": "in", "value": [value]}


def _plain_end(end):
    if isinstance(end, datetime.datetime):
        end = end.date()
    if isinstance(end, datetime.date):
        return end.isoformat()
    return None if end is None else f"{end:f}"


def as_parameter(document):
    """A filter document as it stands in a URL."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


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
