"""
Forms of records: styled, cleaned as the model cleans, saved once and never over a newer version.

``RecordForm`` edits the fields of one record, ``VerbForm`` collects the decisions of one verb.
Both carry a one-time key, so a form that is sent twice is saved once.
"""

import copy
import hashlib
import json
import secrets
from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.forms.models import construct_instance
from django.forms.renderers import TemplatesSetting
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError
from core.history import changed_between, snapshot
from core.journal import FormKey, OneTimeKey
from core.models import ListValue, OwnedRecord
from core.normalise import CleanContext, clean_fields, fold
from core.reach import Verb, can, editable_fields
from core.search import ranked
from core.tables import column_of
from users.models import Role, User

PICKER_LIMIT = 20
KEY_LENGTH = 64
SAVED_FIRST = frozenset({"money", "number", "percent", "date"})


class Renderer(TemplatesSetting):
    """Renders forms and widgets by the project's templates, Django's own where we have none."""

    field_template_name = "core/forms/field.html"


class StyledField(forms.BoundField):
    """A bound field whose widget has the class of its kind."""

    def build_widget_attrs(self, attrs, widget=None):
        attrs = super().build_widget_attrs(attrs, widget)
        css = _css_of(widget or self.field.widget)
        return {"class": css, **attrs} if css else attrs


def _css_of(widget):
    if widget.is_hidden or "class" in widget.attrs:
        return ""
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "tick"
    return "select" if isinstance(widget, forms.Select) else "input"


class StyledFormMixin:
    """
    Our look for a form: our templates and classes, native date inputs.

    ``groups`` are the headings of the page with their fields: ``((_("Profile"), ("name",)), …)``.
    """

    default_renderer = Renderer()
    bound_field_class = StyledField
    groups = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.DateField) and not field.widget.is_hidden:
                field.widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def grouped(self):
        """The groups of the page: (heading, bound fields); what no group names comes last."""
        named = {name for _heading, names in self.groups for name in names}
        rest = [field.name for field in self.visible_fields() if field.name not in named]
        for heading, names in [*self.groups, ("", rest)]:
            if fields := [self[name] for name in names if name in self.fields]:
                yield heading, fields


# -- choosing a record ------------------------------------------------------------------------


@dataclass(frozen=True)
class Picked:
    """What a picker sends: the ticked key, the typed text, and the text its options are for."""

    key: str = ""
    text: str = ""
    shown: str = ""

    @property
    def is_search(self):
        """Whether a new text was typed and not yet answered by options."""
        return bool(self.text) and self.text != self.shown


@dataclass(frozen=True)
class Option:
    """One record to tick in a picker."""

    key: str
    label: str
    facts: str = ""
    is_chosen: bool = False


class PickerWidget(forms.Widget):
    """
    A search box with the records found as options to tick.

    Typing asks for options by htmx; without a script the form is sent and comes back with them.
    The text that the options were found for travels along, so a tick is never taken for the
    answer to a text that was typed afterwards.
    """

    template_name = "core/forms/picker.html"
    queryset = None
    current = None
    by = None

    def value_from_datadict(self, data, files, name):
        text, shown = data.get(f"{name}_q", ""), data.get(f"{name}_shown", "")
        return Picked(data.get(name, ""), text.strip(), shown.strip())

    def value_omitted_from_data(self, data, files, name):
        return name not in data and f"{name}_q" not in data

    def use_required_attribute(self, initial):
        return False

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        picked = value if isinstance(value, Picked) else Picked(str(value or ""))
        context["widget"]["picker"] = {
            "model": self.queryset.model._meta.label_lower,
            "text": picked.text,
            "is_required": self.is_required,
            "options": self._options(picked),
            "is_blank": not picked.key,
        }
        return context

    def _options(self, picked):
        found = [record for record in [self._chosen(picked.key)] if record]
        if picked.text:
            matches = best_matches(self.queryset, picked.text)
            found += [record for record in matches if record not in found]
        return [option_of(record, by=self.by, chosen=picked.key) for record in found]

    def _chosen(self, key):
        if self.current is not None and key == str(self.current.pk):
            return self.current
        pk = key_or_none(key)
        return self.queryset.filter(pk=pk).first() if pk is not None else None


class RecordChoiceField(forms.ModelChoiceField):
    """
    A choice of one record by search, limited to what the user may see.

    A hidden id is refused with the words of an unknown one; the present value may be kept even
    if it is hidden or archived.
    """

    widget = PickerWidget
    default_error_messages = {
        "invalid_choice": gettext_lazy("Choose one of the records that can be found here."),
        "choose": gettext_lazy("Tick one of the matches below."),
        "nothing": gettext_lazy("Nothing matches “%(text)s”."),
    }

    current = None

    def __init__(self, queryset, *, empty_label=None, **kwargs):
        super().__init__(queryset, empty_label=empty_label, **kwargs)

    def offer(self, *, by, current=None):
        """Limit the choice to what ``by`` may see; ``current`` may be kept in any case."""
        self.queryset = self.queryset.live().visible_to(by)
        self.current = self.widget.current = current
        self.widget.by = by

    @property
    def queryset(self):
        return self.widget.queryset

    @queryset.setter
    def queryset(self, queryset):
        self.widget.queryset = queryset

    def clean(self, value):
        picked = value if isinstance(value, Picked) else Picked(str(value or ""))
        if picked.is_search:
            return self._exact(picked.text)
        if self.current is not None and picked.key == str(self.current.pk):
            return self.current
        if picked.key and key_or_none(picked.key) is None:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().clean(picked.key)

    def _exact(self, text):
        matches = best_matches(self.queryset, text)
        exact = [record for record in matches if fold(str(record)) == fold(text)]
        if len(exact) == 1:
            return exact[0]
        code = "choose" if matches else "nothing"
        raise ValidationError(self.error_messages[code], code=code, params={"text": text[:80]})


def best_matches(queryset, text):
    """The records to offer for a typed text, 20 at most."""
    return ranked(queryset, text, limit=PICKER_LIMIT)


def option_of(record, *, by, chosen=""):
    """A record as a picker offers it; one that ``by`` may not see by its kind alone."""
    key = str(record.pk)
    if by is not None and not can(record, by, Verb.VIEW):
        label = _("%(kind)s (restricted)") % {"kind": record._meta.verbose_name}
        return Option(key, label, is_chosen=key == chosen)
    return Option(key, str(record), str(record.owner), is_chosen=key == chosen)


def key_or_none(text):
    """The key that a text names; None for anything else, also for what no key can be."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


# -- one-time keys ----------------------------------------------------------------------------


class OnceMixin:
    """A form with a one-time key: sent twice, it is saved once."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["key"] = forms.CharField(required=False, widget=forms.HiddenInput)
        self.initial.setdefault("key", secrets.token_urlsafe(16))

    @property
    def key(self):
        """The FormKey of the sent form; None if it came without a usable one."""
        key = self.cleaned_data.get("key", "")
        return FormKey(key, self.digest) if 0 < len(key) <= KEY_LENGTH else None

    @property
    def digest(self):
        """The sha256 of the cleaned data, without the key itself."""
        data = {name: value for name, value in self.cleaned_data.items() if name != "key"}
        data["form"] = type(self).__qualname__
        text = json.dumps(data, sort_keys=True, default=_plain)
        return hashlib.sha256(text.encode()).hexdigest()


def _plain(value):
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, models.QuerySet):
        return sorted(record.pk for record in value)
    return DjangoJSONEncoder().default(value)


class VerbForm(OnceMixin, StyledFormMixin, forms.Form):
    """The decisions of one verb; ``expected`` is the fingerprint of the plan that was shown."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["expected"] = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def expected(self):
        return self.cleaned_data.get("expected") or None


class ModelVerbForm(VerbForm):
    """
    A VerbForm some of whose fields are those of a record, cleaned as the model cleans.

    ``model_fields`` names them; they are filled with what ``instance`` has.
    """

    model_fields = ()

    def __init__(self, *args, by, instance, **kwargs):
        super().__init__(*args, **kwargs)
        self.by, self.instance = by, instance
        for name in self.model_fields:
            self.fields[name] = instance._meta.get_field(name).formfield(required=False)
            self.initial.setdefault(name, getattr(instance, name))

    def clean(self):
        cleaned = super().clean()
        values = {n: cleaned[n] for n in self.model_fields if n in cleaned}
        context = CleanContext.for_user(self.by, instance=self.instance)
        values, errors = clean_fields(type(self.instance), values, context)
        for name, found in errors.items():
            self.add_error(name, list(found))
        return cleaned | values


class AssignForm(VerbForm):
    """Who shall own a record from now on."""

    owner = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("New owner"))

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        people = User.objects.active().order_by("name", "pk")
        if by.role in (Role.REP, Role.SDR):
            people = people.filter(team=by.team_id) if by.team_id else people.filter(pk=by.pk)
        self.fields["owner"].queryset = people


# -- the fields of one record -----------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """One field of a form that was changed on one side, or on both, while it was edited."""

    name: str
    label: str
    mine: object
    theirs: object
    base: object
    keep: str  # whose value stands: "mine" or "theirs"


@dataclass
class Comparison:
    """What a form, the record as it is now, and the record as the form knew it differ in."""

    record: models.Model
    conflicts: list
    mine: list
    theirs: list
    operation: object  # the last one that changed a field of the form


class RecordForm(OnceMixin, StyledFormMixin, forms.ModelForm):
    """
    Edits some fields of one record, cleaned by ``Model.clean_values`` as files and API are.

    Fields outside the reach of the user are left out; records are chosen by search. ``together``
    are groups of fields that are asked for as a whole, beside those that the model names.
    """

    together = ()

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.by = by
        self.implied = {}  # what the model's rules set beside the fields: when, by which way
        if self.is_new and hasattr(self.instance, "owner_id") and self.instance.owner_id is None:
            self.instance.owner = by
        self.fields["version"] = forms.IntegerField(required=False, widget=forms.HiddenInput)
        self.initial["version"] = self.instance.version
        self._leave_out_unreachable()
        self._offer_records()
        if self.is_new:
            self._preset_list_values()

    @property
    def is_new(self):
        return self.instance._state.adding

    def _leave_out_unreachable(self):
        limit = None if self.is_new else editable_fields(self.instance, self.by)
        if limit is not None:
            for name in self.record_fields():
                if name not in limit:
                    del self.fields[name]

    def _offer_records(self):
        for name in self.record_fields():
            model_field = self._meta.model._meta.get_field(name)
            target = model_field.related_model
            if target is None or not issubclass(target, OwnedRecord):
                continue
            field = self.fields[name]
            if not isinstance(field, RecordChoiceField):
                kept = {"label": field.label, "required": field.required}
                field = RecordChoiceField(target.objects.live(), **kept)
                self.fields[name] = field
            current = None if self.is_new else getattr(self.instance, name)
            field.offer(by=self.by, current=current)

    def _preset_list_values(self):
        """Begin with the values that lists preset, where nothing else fills the field."""
        for name in self.record_fields():
            list_key = getattr(self._meta.model._meta.get_field(name), "list_key", None)
            if not list_key or self.initial.get(name):
                continue
            if preset := ListValue.preset(list_key):
                is_several = isinstance(self.fields[name], forms.MultipleChoiceField)
                self.initial[name] = [preset.value] if is_several else preset.value

    def record_fields(self):
        """The names of the form's fields that are fields of the model."""
        return [name for name in self._meta.fields if name in self.fields]

    def narrow(self, name):
        """
        Leave only the field ``name`` and those that belong together with it.

        What is left out stays as it is saved. Returns whether the field can be edited at all.
        """
        groups = (*self._meta.model.together, *self.together)
        group = {name}.union(*(names for names in groups if name in names))
        for other in self.record_fields():
            if other not in group:
                del self.fields[other]
        return name in self.fields

    # cleaning

    def _clean_fields(self):
        by_model = {}
        for name, bound in self._bound_items():
            if name in self._meta.fields and not self._is_relation(name):
                by_model[name] = bound.data
                continue
            try:
                value = bound.initial if bound.field.disabled else bound.data
                self.cleaned_data[name] = bound.field.clean(value)
            except ValidationError as error:
                self.add_error(name, error)
        for name in self._kept_as_saved():
            by_model.pop(name, None)
            self.cleaned_data[name] = getattr(self.instance, name)
            self.errors.pop(name, None)
        self._clean_by_model(by_model)

    def _is_relation(self, name):
        return self._meta.model._meta.get_field(name).is_relation

    def _kept_as_saved(self):
        """The fields for which the conflict page was told to keep the saved value."""
        return [n for n in self.record_fields() if self.data.get(f"keep-{n}") == "theirs"]

    def _clean_by_model(self, values):
        given = {n: v for n, v in self.cleaned_data.items() if n in self._meta.fields}
        instance = None if self.is_new else self.instance
        context = CleanContext.for_user(self.by, instance=instance)
        cleaned, errors = self._meta.model.clean_values({**values, **given}, context)
        for name in {*values, *given} & cleaned.keys():
            self.cleaned_data[name] = cleaned[name]
        self.implied = {n: v for n, v in cleaned.items() if n not in self.fields}
        self._add_errors(errors)

    def _add_errors(self, errors):
        for name, messages in errors.items():
            if not messages:
                continue
            self.add_error(name if name in self.fields else None, list(messages))

    def _post_clean(self):
        """Once all values are clean, ask the constraints, over fields on the form or not."""
        self.instance = self.apply_to(self.instance)
        if self.errors:
            return
        try:
            type(self.instance).derive([self.instance])
            self.instance.validate_constraints()
        except DomainError as error:
            self._add_errors({error.field: [error.message]})
        except ValidationError as error:
            # Sent twice, it would meet what it saved itself: the key answers that.
            if not self._was_saved():
                self._add_errors(error.message_dict)

    def _was_saved(self):
        """Whether this form, as it was sent, has been saved before."""
        if (key := self.key) is None:
            return False
        used = OneTimeKey.objects.filter(user=self.by, key=key.key, digest=key.digest)
        return used.exists()

    # saving

    @property
    def version(self):
        """The version of the record that the form was filled from; 0 if it does not say."""
        return self.cleaned_data.get("version") or 0

    def build(self):
        """A new record with the form's values, another one at each call; not yet saved."""
        return self.apply_to(copy.copy(self.instance))

    def apply_to(self, record):
        """Set the form's values, and what the model's rules add to them; not yet saved."""
        record = construct_instance(self, record, self._meta.fields)
        for name, value in self.implied.items():
            setattr(record, name, value)
        return record

    # comparing

    def compare(self, record):
        """
        Compare a stale form with ``record`` as it is now and as the form knew it.

        Only what both sides changed is a conflict; the rest is merged. Of conflicts the typed
        value is preselected, of amounts and dates the saved one.
        """
        past = snapshot(record, self.version)
        comparison = Comparison(record, [], [], [], None)
        operations = changed_between(record, self.version)
        for name in self.record_fields():
            mine, theirs, base = (getattr(r, name) for r in (self.instance, record, past))
            if mine == theirs:
                continue
            column = column_of(self._meta.model, name)
            if theirs == base:
                into, keep = comparison.mine, "mine"
            elif mine == base:
                into, keep = comparison.theirs, "theirs"
            else:
                into = comparison.conflicts
                keep = "theirs" if column.kind in SAVED_FIRST else "mine"
            shown = [column.shown(r) for r in (self.instance, record, past)]
            into.append(Difference(name, column.label, *shown, keep))
            comparison.operation = operations.get(name, comparison.operation)
        return comparison

    @cached_property
    def sent(self):
        """What was sent, as (name, value) pairs for hidden inputs; keys and versions left out."""
        left_out = {"csrfmiddlewaretoken", "version", "key"}
        return [
            (name, value)
            for name, values in self.data.lists()
            if name not in left_out and not name.startswith("keep-")
            for value in values
        ]
