"""The pages of the editable lists and of their values."""

from django import forms
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from core import display
from core.forms import RecordForm, VerbForm
from core.lists import (
    CHUNK,
    is_named_by_rules,
    list_keys,
    remove_value,
    replacements_of,
    save_value,
    title_of,
    uses_of,
)
from core.models import ListValue
from core.reach import Verb
from core.services import next_position
from core.tables import COUNT_LIMIT, Column
from core.views.base import VerbView
from core.views.settings import (
    AdministratorMixin,
    SettingsCreateView,
    SettingsListView,
    SettingsMoveView,
    SettingsUpdateView,
    settings_crumbs,
)


class ListIndexView(AdministratorMixin, TemplateView):
    """All editable lists, with the fields that use them."""

    template_name = "core/settings_lists.html"

    def get_context_data(self, **kwargs):
        title = _("Lists")
        return {
            "title": title,
            "crumbs": settings_crumbs({"label": title}),
            "lists": [self._entry(key) for key in list_keys()],
            **super().get_context_data(**kwargs),
        }

    def _entry(self, list_key):
        values = [row.label for row in ListValue.values(list_key) if row.is_active]
        return {
            "title": title_of(list_key),
            "url": reverse("core:listvalue_list", args=[list_key]),
            "used_by": [str(use.model._meta.verbose_name_plural) for use in uses_of(list_key)],
            "values": values,
        }


class ListValueForm(RecordForm):
    """A value of a list as people see it; what is stored stays as it is."""

    # Not the record's own field, whose constraint refuses a second preset.
    preset = forms.BooleanField(
        label=gettext_lazy("Preset"),
        required=False,
        help_text=gettext_lazy("Forms of new records begin with it. Each list has one at most."),
    )

    class Meta:
        model = ListValue
        fields = ("label", "aliases", "is_active")
        help_texts = {
            "label": gettext_lazy("Another name changes how the value reads, in all records."),
            "aliases": gettext_lazy(
                "One a line. Files and forms that say so are read as this value."
            ),
            "is_active": gettext_lazy(
                "Without it, records keep the value and nobody can choose it anew."
            ),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial["preset"] = self.instance.is_default

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("preset") and not cleaned.get("is_active", self.instance.is_active):
            self.add_error("preset", _("A value that nobody can choose can’t be preset."))
        return cleaned


class NewListValueForm(ListValueForm):
    """A new value at the end of a list; it is stored under its first name."""

    class Meta(ListValueForm.Meta):
        fields = ("label", "aliases")

    def clean(self):
        cleaned = super().clean()
        value = cleaned.get("label", "")
        limit = ListValue._meta.get_field("value").max_length
        if len(value) > limit:
            self.add_error("label", _("At most %(limit)d characters.") % {"limit": limit})
        elif ListValue.objects.of(self.instance.list_key).filter(value=value).exists():
            self.add_error("label", _("The list has this value already."))
        self.instance.value = value
        return cleaned


class ListMixin:
    """A page about the list that the URL names."""

    model = ListValue

    @property
    def list_key(self):
        return self.kwargs["list_key"]

    def setup(self, request, *args, **kwargs):
        if kwargs["list_key"] not in list_keys():
            raise Http404
        super().setup(request, *args, **kwargs)

    def get_queryset(self):
        return ListValue.objects.of(self.list_key)

    def get_list(self):
        url = reverse("core:listvalue_list", args=[self.list_key])
        return {"label": title_of(self.list_key), "url": url}


class ListValueListView(ListMixin, SettingsListView):
    """The values of one list, in the order in which people choose from them."""

    columns = (
        Column("label", gettext_lazy("Value"), kind="link"),
        Column("aliases", gettext_lazy("Also read as"), lambda row: ", ".join(row.aliases)),
        Column("is_default", gettext_lazy("Preset"), kind="truth"),
        Column("is_active", gettext_lazy("Can be chosen"), kind="truth"),
    )
    intro = gettext_lazy("People choose from these values, in this order.")

    def get_rows(self):
        return self.get_queryset()

    def get_title(self):
        return title_of(self.list_key)

    def get_create_url(self):
        return reverse("core:listvalue_create", args=[self.list_key])


class ListValueCreateView(ListMixin, SettingsCreateView):
    """The form of a new value."""

    form_class = NewListValueForm
    success_message = gettext_lazy("Added %(object)s to the list.")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"instance": ListValue(list_key=self.list_key)}

    def write(self, form, record):
        record.position = next_position(self.get_queryset())
        save_value(record, is_preset=form.cleaned_data["preset"])


class ListValueUpdateView(ListMixin, SettingsUpdateView):
    """The form of a value, with the records that have it."""

    form_class = ListValueForm

    def write(self, form, record):
        save_value(record, is_preset=form.cleaned_data["preset"])

    def get_context_data(self, **kwargs):
        url = reverse("core:listvalue_remove", args=[self.list_key, self.record.pk])
        return super().get_context_data(remove_url=url, **kwargs)

    def get_effects(self):
        return in_use(self.record)


def in_use(value):
    """How many records of each kind have the value, a sentence each."""
    for use in uses_of(value.list_key):
        found = display.records(use.count(value.value), use.model, cap=COUNT_LIMIT)
        yield _("In use: %(records)s.") % {"records": found}


class RemoveValueForm(VerbForm):
    """What records get instead of a value that is removed."""

    replacement = forms.ModelChoiceField(
        ListValue.objects.none(), label=gettext_lazy("Replace it by")
    )

    def __init__(self, *args, value, is_used, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["replacement"].queryset = replacements_of(value)
        self.fields["replacement"].required = is_used


class ListValueRemoveView(ListMixin, AdministratorMixin, VerbView):
    """Say who has a value, ask what they get instead, then remove it."""

    verb = Verb.EDIT
    form_class = RemoveValueForm
    template_name = "core/settings_form.html"

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.counts = [use.count(self.record.value) for use in uses_of(self.list_key)]

    def get_form_kwargs(self):
        own = {"value": self.record, "is_used": any(self.counts)}
        return super().get_form_kwargs() | own

    def get_effects(self):
        if is_named_by_rules(self.record):
            yield _("Rules name this value. It can be renamed, and taken out of choice.")
            return
        yield from in_use(self.record)
        if not any(self.counts):
            yield _("No record has this value, so it needs no other one in its place.")
            return
        yield _("All of them get the other value, whoever owns them, archived ones too.")
        if sum(self.counts) > CHUNK:
            yield _("So many are changed in parts; meanwhile nobody can choose the value.")
        yield _("Saved views and files that name it stay as they are.")

    def get_context_data(self, **kwargs):
        title = _("Replace and remove %(value)s") % {"value": self.record}
        update = {"label": str(self.record), "url": self.record.get_absolute_url()}
        return {
            "title": title,
            "submit": _("Replace and remove") if any(self.counts) else _("Remove"),
            "effects": list(self.get_effects()),
            **super().get_context_data(**kwargs),
            "cancel_url": self.record.get_absolute_url(),
            "crumbs": settings_crumbs(self.get_list(), update, {"label": _("Remove")}),
        }

    def perform(self, form):
        replacement = form.cleaned_data.get("replacement")
        self.operation = remove_value(
            self.record, by=self.request.user, replacement=replacement, key=form.key
        )
        return self.record

    def get_success_message(self):
        return _("Removed %(object)s from the list.") % {"object": self.object}

    def get_operation_id(self, form):
        return self.operation.pk

    def get_success_url(self):
        return self.get_list()["url"]


class ListValueMoveView(SettingsMoveView):
    """Move a value within its list."""

    model = ListValue

    def get_siblings(self, row):
        return ListValue.objects.filter(list_key=row.list_key)

    def get_success_url(self, row):
        return reverse("core:listvalue_list", args=[row.list_key])
