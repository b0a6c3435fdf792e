"""
Model fields whose values are cleaned in one way, on whatever path they come in.

Each has ``clean_value(value, context)``, which ``core.normalise.clean_fields`` calls for forms,
API and files, and a form field that shows values as its user writes them and cleans by the same
function. None of them cuts text in the browser: too long is said, never done in silence.
"""

from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Lookup
from django.db.models.functions import Length
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _

from core.countries import country_choices
from core.currencies import CURRENCIES, currency_choices
from core.normalise import (
    NOTES_LIMIT,
    CleanContext,
    clean_country,
    clean_currency,
    clean_email,
    clean_money,
    clean_percent,
    clean_phone,
    clean_text,
    clean_url,
    e164,
)

BLANK_CHOICE = [("", "---------")]


# -- form fields ------------------------------------------------------------------------------


class CleanedFormField:
    """A form field that leaves reading and writing of values to its model field."""

    def __init__(self, *, model_field, **kwargs):
        self.model_field = model_field
        self.context = None
        super().__init__(**kwargs)

    def get_bound_field(self, form, field_name):
        user, instance = getattr(form, "by", None), getattr(form, "instance", None)
        self.context = CleanContext.for_user(user, instance=instance)
        return super().get_bound_field(form, field_name)

    def clean(self, value):
        context = self.context or CleanContext.for_user(None)
        value = self.model_field.clean_value(value, context)
        if self.required and value in self.empty_values:
            raise ValidationError(self.error_messages["required"], code="required")
        return value

    def prepare_value(self, value):
        return self.model_field.typed(value, self.context)

    def has_changed(self, initial, data):
        return self.prepare_value(initial) != self.prepare_value(data)


class TypedField(CleanedFormField, forms.CharField):
    """A value that is typed as text."""


class PickedField(CleanedFormField, forms.ChoiceField):
    """One value of a list; the choices are those of the moment and of the record."""

    def get_bound_field(self, form, field_name):
        bound = super().get_bound_field(form, field_name)
        present = self.context.present(self.model_field.attname)
        blank = [] if self.required and (present or self.initial) else BLANK_CHOICE
        self.choices = [*blank, *self.model_field.offered(self.context, present)]
        return bound


class TickedField(CleanedFormField, forms.MultipleChoiceField):
    """Several values of a list."""

    widget = forms.CheckboxSelectMultiple

    def get_bound_field(self, form, field_name):
        bound = super().get_bound_field(form, field_name)
        present = self.context.present(self.model_field.attname) or []
        self.choices = self.model_field.offered(self.context, present)
        return bound


class TelInput(forms.TextInput):
    input_type = "tel"


# -- model fields -----------------------------------------------------------------------------


class CleanedField:
    """
    What the fields below share; ``clean_empty`` is the blank value, or a function that makes it.

    ``typed`` writes a stored value as the user of ``context`` would type it.
    """

    clean_empty = ""
    widget = forms.TextInput

    def clean_value(self, value, context):
        raise NotImplementedError

    def typed(self, value, context):
        return value

    def clean(self, value, model_instance):
        """Clean by the same rule where Django itself validates: its admin, ``full_clean``."""
        context = CleanContext.for_user(None, instance=model_instance)
        return super().clean(self.clean_value(value, context), model_instance)

    def formfield(self, form_class=TypedField, **kwargs):
        kwargs.setdefault("widget", self.widget)
        if issubclass(form_class, TypedField):
            kwargs.setdefault("strip", False)
            kwargs.setdefault("empty_value", "")
        # A model field's own form field would bring limits that the browser enforces by cutting.
        defaults = {
            "model_field": self,
            "required": not self.blank,
            "label": capfirst(self.verbose_name),
            "help_text": self.help_text,
        }
        if self.has_default():
            defaults["initial"] = self.default if callable(self.default) else self.get_default()
            defaults["show_hidden_initial"] = False
        kwargs.pop("choices_form_class", None)
        return form_class(**{**defaults, **kwargs})


class LongTextField(CleanedField, models.TextField):
    """Text of several lines, at most ``limit`` characters; see ``long_text_constraints``."""

    def __init__(self, *args, limit=NOTES_LIMIT, **kwargs):
        self.limit = limit
        super().__init__(*args, **kwargs)
        self._validators.append(MaxLengthValidator(limit))

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        if self.limit != NOTES_LIMIT:
            kwargs["limit"] = self.limit
        kwargs["validators"] = [v for v in kwargs.get("validators", []) if not _is_limit(v)]
        if not kwargs["validators"]:
            del kwargs["validators"]
        return name, path, args, kwargs

    def clean_value(self, value, context):
        return clean_text(value, self.limit, multiline=True)

    def formfield(self, **kwargs):
        rows = 2 if self.limit <= 255 else 5
        return super().formfield(**{"widget": forms.Textarea(attrs={"rows": rows}), **kwargs})


LongTextField.register_lookup(Length)


def _is_limit(validator):
    return isinstance(validator, MaxLengthValidator)


def long_text_constraints(model_name, field, limit=NOTES_LIMIT):
    """The check, for ``Meta.constraints``, that the database too keeps to the limit of a text."""
    return [
        models.CheckConstraint(
            name=f"{model_name}_{field}_length",
            condition=models.Q(**{f"{field}__length__lte": limit}),
            violation_error_code=field,
            violation_error_message=format_lazy(_("At most {limit} characters."), limit=limit),
        )
    ]


class EmailField(CleanedField, models.EmailField):
    """One e-mail address, its domain in lower case and ASCII."""

    widget = forms.EmailInput

    def clean_value(self, value, context):
        return clean_email(value)

    def clean(self, value, model_instance):
        # Django's own pattern has nothing to add, and would not know our domains.
        context = CleanContext.for_user(None, instance=model_instance)
        value = self.clean_value(value, context)
        self.validate(value, model_instance)
        return value


class PhoneField(CleanedField, models.CharField):
    """A phone number as typed; an E164Field beside it holds the form that compares."""

    widget = TelInput

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_length", 40)
        super().__init__(*args, **kwargs)

    def clean_value(self, value, context):
        return clean_phone(value, context.country)


class E164Field(models.CharField):
    """
    The international form of the phone number in field ``source``; "" if it has none.

    Derived: ``derive_e164`` sets it, reading the number in the country that ``Model.derived``
    names beside the source.
    """

    def __init__(self, *args, source, **kwargs):
        self.source = source
        kwargs.setdefault("max_length", 16)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source}


def derive_e164(records, default_country):
    """Set the E164Fields of ``records``, all of one model, from their phone numbers."""
    if not records:
        return
    model = type(records[0])
    plan = [
        (field.attname, field.source, _country_field(model, field))
        for field in model._meta.concrete_fields
        if isinstance(field, E164Field)
    ]
    for record in records:
        for target, source, country in plan:
            number = getattr(record, source)
            home = (country and getattr(record, country)) or default_country
            setattr(record, target, e164(number, home) if number else "")


def _country_field(model, field):
    """The CountryField among what the derived ``field`` is computed from, if there is one."""
    for name in model.derived.get(field.name, ()):
        if isinstance(model._meta.get_field(name), CountryField):
            return name
    return None


class UrlField(CleanedField, models.CharField):
    """A web address with its scheme, at most 255 characters."""

    # A native URL input would refuse "firm.com", which we complete.
    widget = forms.TextInput(attrs={"inputmode": "url", "autocapitalize": "none"})

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_length", 255)
        super().__init__(*args, **kwargs)

    def clean_value(self, value, context):
        return clean_url(value)


class CountryField(CleanedField, models.CharField):
    """An ISO 3166-1 alpha-2 code, entered as code, name or alias."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_length", 2)
        super().__init__(*args, **kwargs)

    def clean_value(self, value, context):
        return clean_country(value)

    def offered(self, context, present):
        return country_choices()

    def formfield(self, **kwargs):
        return super().formfield(**{**kwargs, "form_class": PickedField, "widget": forms.Select})


class CurrencyField(CleanedField, models.CharField):
    """An ISO 4217 code."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_length", 3)
        super().__init__(*args, **kwargs)

    def clean_value(self, value, context):
        text = clean_text(value)
        return clean_currency(text, context.currency) if text else ""

    def offered(self, context, present):
        return currency_choices()

    def formfield(self, **kwargs):
        return super().formfield(**{**kwargs, "form_class": PickedField, "widget": forms.Select})


class MoneyField(CleanedField, models.DecimalField):
    """
    An amount in the currency of the same row: of ``currency_field``, by default the field
    ``<name>_currency`` if the model has one, else ``currency``. Never below ``minimum``.
    """

    clean_empty = None
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def __init__(
        self,
        *args,
        max_digits=15,
        decimal_places=3,
        currency_field=None,
        minimum=0,
        **kwargs,
    ):
        self.minimum = minimum
        self._currency_field = currency_field
        super().__init__(*args, max_digits=max_digits, decimal_places=decimal_places, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        if self._currency_field is not None:
            kwargs["currency_field"] = self._currency_field
        if self.minimum != 0:
            kwargs["minimum"] = self.minimum
        return name, path, args, kwargs

    @property
    def currency_field(self):
        """The name of the field with the amount's currency, None if the model has none."""
        if self._currency_field is not None:
            return self._currency_field
        names = {field.name for field in self.model._meta.concrete_fields}
        return next((n for n in (f"{self.name}_currency", "currency") if n in names), None)

    def clean_value(self, value, context):
        return clean_money(
            value,
            context.currency,
            context.decimal,
            max_digits=self.max_digits,
            decimal_places=self.decimal_places,
            minimum=self.minimum,
            exponents=context.imported,
        )

    def clean(self, value, model_instance):
        context = CleanContext.for_user(None, instance=model_instance)
        if self.currency_field:
            context = context.in_currency(context.present(self.currency_field))
        value = self.clean_value(value, context)
        self.validate(value, model_instance)
        return value

    def typed(self, value, context):
        if not isinstance(value, Decimal) or context is None:
            return value
        currency = context.present(self.currency_field) if self.currency_field else ""
        places = self.decimal_places
        if currency in CURRENCIES:
            places = min(places, CURRENCIES[currency].decimals)
        shown = round(value, places)
        text = f"{shown if shown == value else value:f}"
        return text.replace(".", context.decimal)


class PercentField(CleanedField, models.PositiveSmallIntegerField):
    """A whole number from 0 to 100."""

    clean_empty = None
    widget = forms.NumberInput(attrs={"min": 0, "max": 100})

    def clean_value(self, value, context):
        return clean_percent(value, context.decimal)


class ListField(CleanedField, models.CharField):
    """A value of the editable list ``list_key``; the record keeps a value that was retired."""

    def __init__(self, *args, list_key, **kwargs):
        self.list_key = list_key
        kwargs.setdefault("max_length", 60)
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "list_key": self.list_key}

    def clean_value(self, value, context):
        present = context.present(self.attname)
        return context.lists[self.list_key].find(value, present=present, retired=context.imported)

    def offered(self, context, present):
        return context.lists[self.list_key].offered(present)

    def formfield(self, **kwargs):
        return super().formfield(**{**kwargs, "form_class": PickedField, "widget": forms.Select})


class StringListField(CleanedField, models.JSONField):
    """
    Short texts, each once whatever its case, at most ``limit``; typed one a line.

    With ``list_key`` they are values of that editable list. Files separate them by ";".
    """

    clean_empty = list
    item_limit = 60

    def __init__(self, *args, limit=30, list_key=None, **kwargs):
        self.limit = limit
        self.list_key = list_key
        kwargs.setdefault("default", list)
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        kwargs["limit"] = self.limit
        if self.list_key:
            kwargs["list_key"] = self.list_key
        return name, path, args, kwargs

    def clean_value(self, value, context):
        items = {}
        present = context.present(self.attname) or () if self.list_key else ()
        for part in self._parts(value, context):
            item = self.clean_item(part, context, present)
            if item:
                items.setdefault(item.casefold(), item)
        if len(items) > self.limit:
            raise ValidationError(
                _("At most %(limit)s entries, these are %(count)s."),
                code="max_items",
                params={"limit": self.limit, "count": len(items)},
            )
        return list(items.values())

    def _parts(self, value, context):
        if value is None:
            return []
        if isinstance(value, list | tuple):
            return value
        text = clean_text(value, multiline=True)
        return text.replace(";", "\n").split("\n") if context.imported else text.split("\n")

    def clean_item(self, item, context, present):
        """One entry as it is stored; "" for a blank one."""
        if not isinstance(item, str):
            raise ValidationError(_("Enter text."), code="invalid")
        if not self.list_key:
            return clean_text(item, self.item_limit)
        if item in present:
            return item
        return context.lists[self.list_key].find(item, retired=context.imported)

    def offered(self, context, present):
        options = context.lists[self.list_key]
        pairs = options.offered()
        offered = dict(pairs)
        return [*pairs, *(options.offered(value)[-1] for value in present if value not in offered)]

    def typed(self, value, context):
        if self.list_key or not isinstance(value, list):
            return value
        return "\n".join(value)

    def formfield(self, **kwargs):
        if self.list_key:
            ticked = {"form_class": TickedField, "widget": forms.CheckboxSelectMultiple}
            return super().formfield(**{**kwargs, **ticked})
        widget = forms.Textarea(attrs={"rows": 3})
        return super().formfield(**{"widget": widget, "help_text": _("One a line."), **kwargs})


@models.JSONField.register_lookup
class Holds(Lookup):
    """``interests__holds="Golf"``: the list has the text among its items."""

    lookup_name = "holds"
    prepare_rhs = False

    def get_db_prep_lookup(self, value, connection):
        return "%s", [value]

    def as_sql(self, compiler, connection):
        lhs, lhs_params = self.process_lhs(compiler, connection)
        rhs, rhs_params = self.get_db_prep_lookup(self.rhs, connection)
        params = [*lhs_params, *rhs_params]
        if connection.vendor == "sqlite":
            return f"EXISTS (SELECT 1 FROM json_each({lhs}) WHERE value = {rhs})", params
        return f"jsonb_exists({lhs}, {rhs})", params


class UrlListField(StringListField):
    """Web addresses, each once, at most ``limit``."""

    def clean_item(self, item, context, present):
        return clean_url(item)
