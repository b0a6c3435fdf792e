"""The pages of the editable lists and of their values."""

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from core import display
from core.forms import RecordForm
from core.lists import list_keys, title_of, uses_of
from core.models import ListValue
from core.services import next_position
from core.tables import COUNT_LIMIT, Column
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
        record.save()


class ListValueUpdateView(ListMixin, SettingsUpdateView):
    """The form of a value, with the records that have it."""

    form_class = ListValueForm

    def get_effects(self):
        for use in uses_of(self.list_key):
            count = use.count(self.record.value)
            found = display.records(count, use.model, cap=COUNT_LIMIT)
            yield _("In use: %(records)s.") % {"records": found}


class ListValueMoveView(SettingsMoveView):
    """Move a value within its list."""

    model = ListValue

    def get_siblings(self, row):
        return ListValue.objects.filter(list_key=row.list_key)

    def get_success_url(self, row):
        return reverse("core:listvalue_list", args=[row.list_key])
