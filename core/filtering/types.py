"""What each kind of field can be asked: its operators, their values, and what holds then."""

import datetime
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import display
from core.countries import country_name
from core.fields import CountryField, CurrencyField, ListField, StringListField
from core.filtering.periods import DAY, FIRST, LAST, MOST_DAYS, PERIODS, Days, period
from core.filtering.plain import plain
from core.models import OwnedRecord
from core.reach import reach_of
from core.search import MAX_LENGTH, found_in
from core.search import condition as search_condition
from core.tables import labels_of
from users.models import User

MOST_VALUES = 500
LONGEST_TEXT = 255
MOST_OPTIONS = 200
LARGEST_KEY = 2**63
NEGATIVE = {"is_not": "is", "not_in": "in", "filled": "empty"}
"""What includes the empty ones: it holds wherever the other one does not."""


class BadValue(Exception):
    """A value that an operator can't take; the message is for people."""


@dataclass(frozen=True)
class FieldType:
    """
    The questions about one field of a model.

    ``clean`` checks a value and returns it as the document keeps it; ``operand`` makes of it
    what ``where`` asks the database and ``holds`` asks one stored value. Both answer for the
    positive operators alone.
    """

    field: models.Field
    context: object

    operators = ()
    words = {}

    @property
    def name(self):
        return self.field.name

    @property
    def has_empty(self):
        return self.field.null

    @property
    def offered(self):
        """The operators of this field, in the order of the page."""
        return (*self.operators, "empty", "filled") if self.has_empty else self.operators

    def clean(self, op, value):
        raise NotImplementedError

    def operand(self, op, value):
        return value

    def where(self, op, operand):
        raise NotImplementedError

    def holds(self, stored, op, operand):
        raise NotImplementedError

    def is_empty_where(self):
        return Q(**{f"{self.name}__isnull": True})

    def is_empty(self, stored):
        return stored is None

    def stored(self, record):
        """The record's value, as ``holds`` takes it."""
        return getattr(record, self.field.attname)

    def options(self):
        """The values to choose from, as (value, label); None if they are typed."""
        return

    def in_words(self, op, value):
        """One value as people read it."""
        return str(value)


def as_text(value):
    """A text of the document, trimmed; refuses what no column can hold."""
    if not isinstance(value, str):
        raise BadValue(_("Enter a text."))
    value = value.strip()
    if not value:
        raise BadValue(_("Enter a text."))
    if len(value) > LONGEST_TEXT:
        raise BadValue(_("At most %s characters.") % LONGEST_TEXT)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadValue(_("Enter a text.")) from error
    if "\x00" in value:
        raise BadValue(_("Null characters are not allowed."))
    return value


def as_list(value):
    """The values of an operator that takes several."""
    if not isinstance(value, list) or not value:
        raise BadValue(_("Choose at least one value."))
    if len(value) > MOST_VALUES:
        raise BadValue(_("At most %s values.") % MOST_VALUES)
    return value


class Text(FieldType):
    operators = ("is", "is_not", "contains", "starts", "in")
    lookups = {"is": "", "contains": "__contains", "starts": "__startswith", "in": "__in"}

    @property
    def has_empty(self):
        return True

    def clean(self, op, value):
        if op == "in":
            return [as_text(item) for item in as_list(value)]
        return as_text(value)

    def operand(self, op, value):
        return [plain(item) for item in value] if op == "in" else plain(value)

    def where(self, op, operand):
        return Q(**{f"{self.name}__plain{self.lookups[op]}": operand})

    def holds(self, stored, op, operand):
        text = plain(stored or "")
        if op == "contains":
            return operand in text
        if op == "starts":
            return text.startswith(operand)
        return text in operand if op == "in" else text == operand

    def is_empty_where(self):
        return Q(**{self.name: ""})

    def is_empty(self, stored):
        return not stored


class Search(FieldType):
    """The folded text of a record, asked for as the search box asks."""

    operators = ("search",)

    @property
    def has_empty(self):
        return False

    def clean(self, op, value):
        return as_text(value[:MAX_LENGTH] if isinstance(value, str) else value)

    def where(self, op, operand):
        return search_condition(operand)

    def holds(self, stored, op, operand):
        return found_in(stored, operand)


class Ordered(FieldType):
    """Values that are more or less."""

    operators = ("is", "is_not", "lt", "lte", "gt", "gte", "between")

    def clean(self, op, value):
        if op != "between":
            return self.as_stored(value)
        if not isinstance(value, list) or len(value) != 2:
            raise BadValue(_("Enter two values."))
        return [self.as_stored(item) for item in value]


class Number(Ordered):
    def as_stored(self, value):
        number = self.number(value)
        return int(number) if self.is_whole else str(number)

    @property
    def is_whole(self):
        return not isinstance(self.field, models.DecimalField)

    def number(self, value):
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise BadValue(_("Enter a number."))
        if isinstance(value, str) and not (value.isascii() and len(value) <= 40):
            raise BadValue(_("Enter a number."))
        try:
            number = Decimal(str(value).strip())
        except (InvalidOperation, ValueError) as error:
            raise BadValue(_("Enter a number.")) from error
        if not number.is_finite() or "_" in str(value):
            raise BadValue(_("Enter a number."))
        if abs(number) >= 10**self.digits:
            raise BadValue(_("At most %s digits.") % self.digits)
        if number != round(number, 0 if self.is_whole else self.field.decimal_places):
            message = _("Enter a whole number.") if self.is_whole else _("Too many decimals.")
            raise BadValue(message)
        return number

    @property
    def digits(self):
        """How many digits stand before the decimal point at most."""
        return 9 if self.is_whole else self.field.max_digits - self.field.decimal_places

    def operand(self, op, value):
        return [Decimal(v) for v in value] if op == "between" else Decimal(value)

    def where(self, op, operand):
        name = self.name
        if op == "between":
            return Q(**{f"{name}__gte": operand[0], f"{name}__lte": operand[1]})
        return Q(**{name if op == "is" else f"{name}__{op}": operand})

    def holds(self, stored, op, operand):
        return stored is not None and COMPARISONS[op](stored, operand)

    def in_words(self, op, value):
        return display.number(Decimal(value))


COMPARISONS = {
    "is": lambda stored, value: stored == value,
    "lt": lambda stored, value: stored < value,
    "lte": lambda stored, value: stored <= value,
    "gt": lambda stored, value: stored > value,
    "gte": lambda stored, value: stored >= value,
    "between": lambda stored, ends: ends[0] <= stored <= ends[1],
}


class Day(Ordered):
    operators = (*Ordered.operators, "during", "last", "next", "older", "ahead")
    words = {
        "lt": gettext_lazy("before %(value)s"),
        "lte": gettext_lazy("up to %(value)s"),
        "gt": gettext_lazy("after %(value)s"),
        "gte": gettext_lazy("from %(value)s"),
        "last": gettext_lazy("in the last %(value)s days"),
        "next": gettext_lazy("in the next %(value)s days"),
        "older": gettext_lazy("more than %(value)s days ago"),
        "ahead": gettext_lazy("in %(value)s days or later"),
    }

    def clean(self, op, value):
        if op == "during":
            if not isinstance(value, str) or value not in PERIODS:
                raise BadValue(_("Choose a period."))
            return value
        if op in IN_DAYS:
            return _number_of_days(value, least=IN_DAYS[op])
        return super().clean(op, value)

    def as_stored(self, value):
        try:
            day = datetime.date.fromisoformat(value if len(value) == 10 else "")
        except (TypeError, ValueError) as error:
            raise BadValue(_("Enter a day like 2026-06-30.")) from error
        if not FIRST <= day <= LAST:
            raise BadValue(_("Enter a day between 1900 and 2199."))
        return value

    def operand(self, op, value):
        today = self.context.today
        if op == "during":
            return period(value, today=today, start_month=self.context.start_month)
        if op == "last":
            return Days(today - (value - 1) * DAY, today + DAY)
        if op == "next":
            return Days(today, today + value * DAY)
        if op == "older":
            return Days(None, today - value * DAY)
        if op == "ahead":
            return Days(today + value * DAY, None)
        first, last = value if op == "between" else (value, value)
        first, last = map(datetime.date.fromisoformat, (first, last))
        return {
            "is": Days(first, first + DAY),
            "between": Days(first, last + DAY),
            "lt": Days(None, first),
            "lte": Days(None, first + DAY),
            "gt": Days(first + DAY, None),
            "gte": Days(first, None),
        }[op]

    def where(self, op, days):
        where = Q()
        if days.start is not None:
            where &= Q(**{f"{self.name}__gte": self.begin(days.start)})
        if days.end is not None:
            where &= Q(**{f"{self.name}__lt": self.begin(days.end)})
        return where

    def begin(self, day):
        return day

    def holds(self, stored, op, days):
        return stored is not None and days.hold(self.day_of(stored))

    def day_of(self, stored):
        return stored

    def in_words(self, op, value):
        if op == "during":
            return str(PERIODS[value])
        if isinstance(value, int):
            return str(value)
        return display.day(datetime.date.fromisoformat(value))


class Moment(Day):
    """A moment is asked for by its day in the organisation's zone."""

    def begin(self, day):
        start = datetime.datetime.combine(day, datetime.time.min)
        return start.replace(tzinfo=self.context.zone)

    def day_of(self, stored):
        return timezone.localdate(stored, timezone=self.context.zone)


IN_DAYS = {"last": 1, "next": 1, "older": 0, "ahead": 0}
"""The operators that take a number of days, and the least that they take."""


def _number_of_days(value, *, least):
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:9])
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MOST_DAYS:
        raise BadValue(_("Enter a number of days, at most %s.") % MOST_DAYS)
    return value


class Truth(FieldType):
    operators = ("is",)

    def clean(self, op, value):
        if value in ("true", "false"):
            return value == "true"
        if not isinstance(value, bool):
            raise BadValue(_("Choose yes or no."))
        return value

    def where(self, op, operand):
        return Q(**{self.name: operand})

    def holds(self, stored, op, operand):
        return stored is operand

    def options(self):
        return [("true", _("Yes")), ("false", _("No"))]

    def in_words(self, op, value):
        return _("yes") if value else _("no")


class Choice(FieldType):
    """One of a list that the code or an administrator keeps."""

    operators = ("in", "not_in")

    @property
    def has_empty(self):
        return self.field.blank or self.field.null

    @cached_property
    def labels(self):
        """{stored value: label}"""
        if isinstance(self.field, ListField):
            return labels_of(self.field.list_key)
        if isinstance(self.field, CountryField | CurrencyField):
            return dict(self.field.offered(self.context, ""))
        return dict(self.field.choices)

    def clean(self, op, value):
        cleaned = []
        for item in as_list(value):
            key = self.key(item)
            if key not in self.labels:
                raise BadValue(_("“%s” is not one of the choices.") % str(item)[:60])
            cleaned.append(key)
        return cleaned

    def key(self, item):
        return item if isinstance(item, str) else None

    def where(self, op, operand):
        return Q(**{f"{self.name}__in": operand})

    def holds(self, stored, op, operand):
        return stored in operand

    def is_empty_where(self):
        return Q(**{self.name: ""}) if not self.field.null else super().is_empty_where()

    def is_empty(self, stored):
        return stored is None or stored == ""

    def options(self):
        return [(str(key), label) for key, label in self.labels.items() if key not in ("", None)]

    def in_words(self, op, value):
        if isinstance(self.field, CountryField):
            return country_name(value)
        return str(self.labels.get(value, value))


def as_key(item):
    """The key that a number or its digits name; None for anything else."""
    if isinstance(item, str) and item.isascii() and item.isdigit() and len(item) < 19:
        item = int(item)
    is_number = isinstance(item, int) and not isinstance(item, bool)
    return item if is_number and 0 < item < LARGEST_KEY else None


class Reference(Choice):
    """A row of a small table that administrators keep, such as a stage."""

    @property
    def has_empty(self):
        return self.field.null

    @cached_property
    def labels(self):
        model = self.field.related_model
        if hasattr(model, "everything"):
            return {row.pk: str(row) for row in model.everything()}
        rows = model.objects.visible_to(self.context.by)
        return {row.pk: str(row) for row in rows.order_by("pk")[:MOST_OPTIONS]}

    def key(self, item):
        return as_key(item)


class Linked(Choice):
    """A main record, by its key; only those that the asking user may see."""

    @property
    def has_empty(self):
        return self.field.null

    @cached_property
    def labels(self):
        return {}  # filled by clean, with those that are asked for

    def key(self, item):
        return as_key(item)

    def clean(self, op, value):
        keys = [self.key(item) for item in as_list(value)]
        if None in keys:
            raise BadValue(_("Choose one of the records that can be found here."))
        self.find(keys)
        if set(keys) - self.labels.keys():
            plural = self.field.related_model._meta.verbose_name_plural
            raise BadValue(_("Needs access to %(records)s that are hidden from you, or gone.")
                           % {"records": plural})  # fmt: skip
        return keys

    def find(self, keys):
        rows = self.field.related_model.objects.visible_to(self.context.by)
        self.labels.update((row.pk, str(row)) for row in rows.filter(pk__in=keys))

    def options(self):
        return None


class Person(Linked):
    """A user: by key, or the asking user himself, his team, those who left."""

    operators = ("in", "not_in")
    groups = {
        "me": gettext_lazy("me"),
        "team": gettext_lazy("my team"),
        "inactive": gettext_lazy("an inactive user"),
    }

    def clean(self, op, value):
        named = [item for item in as_list(value) if item in self.groups]
        if self.context.by is None and set(named) & {"me", "team"}:
            raise BadValue(_("There is nobody here who “me” could be."))
        keys = [self.key(item) for item in value if item not in self.groups]
        if keys:
            self.find([key for key in keys if key is not None])
        for item in value:
            if item not in self.groups and self.key(item) not in self.labels:
                raise BadValue(_("There is no user “%s”. Choose one of the list.") % str(item)[:60])
        return [*named, *keys]

    def find(self, keys):
        people = User.objects.filter(pk__in=keys)
        self.labels.update(people.values_list("pk", "name"))

    def operand(self, op, value):
        keys = {item for item in value if item not in self.groups}
        if "me" in value:
            keys.add(self.context.by.pk)
        if "team" in value:
            keys |= reach_of(self.context.by).team
        return keys, "inactive" in value

    def where(self, op, operand):
        keys, inactive = operand
        where = Q(**{f"{self.name}__in": sorted(keys)})
        return where | Q(**{f"{self.name}__is_active": False}) if inactive else where

    def stored(self, record):
        return record if getattr(record, self.field.attname) is not None else None

    def holds(self, stored, op, operand):
        if stored is None:
            return False
        keys, inactive = operand
        is_named = getattr(stored, self.field.attname) in keys
        return is_named or (inactive and not getattr(stored, self.name).is_active)

    def options(self):
        people = User.objects.active().order_by("name", "pk").values_list("pk", "name")
        somebody = self.context.by is not None
        named = [(k, label) for k, label in self.groups.items() if somebody or k == "inactive"]
        return [*named, *((str(pk), name) for pk, name in people[:MOST_OPTIONS])]

    def in_words(self, op, value):
        return str(self.groups.get(value) or self.labels.get(value, value))


class Texts(FieldType):
    """A list of short texts."""

    operators = ("in", "not_in")

    @property
    def has_empty(self):
        return True

    def clean(self, op, value):
        return [as_text(item) for item in as_list(value)]

    def where(self, op, operand):
        where = Q()
        for item in operand:
            where |= Q(**{f"{self.name}__holds": item})
        return where

    def holds(self, stored, op, operand):
        return any(item in operand for item in stored)

    def is_empty_where(self):
        return Q(**{self.name: []})

    def is_empty(self, stored):
        return not stored

    def options(self):
        if key := getattr(self.field, "list_key", None):
            return list(labels_of(key).items())
        return None


def type_of(field, context):
    """The FieldType of a model field; None if nothing can be asked about it."""
    if field.is_relation:
        target = field.related_model
        if target is User:
            return Person(field, context)
        if issubclass(target, OwnedRecord):
            return Linked(field, context)
        return Reference(field, context) if hasattr(target.objects, "visible_to") else None
    if field.choices or isinstance(field, ListField | CountryField | CurrencyField):
        return Choice(field, context)
    return next((found(field, context) for cls, found in TYPES if isinstance(field, cls)), None)


TYPES = (  # the first that fits
    (models.BooleanField, Truth),
    (models.DateTimeField, Moment),
    (models.DateField, Day),
    (models.DecimalField, Number),
    (models.IntegerField, Number),
    (StringListField, Texts),
    (models.CharField, Text),
    (models.TextField, Text),
)
