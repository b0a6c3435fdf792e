"""Django admin through the journal: an operator's door to settings, a window onto records."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import csrf_protect_m
from django.contrib.admin.widgets import AutocompleteSelect
from django.http import HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from core.errors import DomainError
from core.forms import key_or_none
from core.journal import Change, Kind, Label, Operation, operation
from core.models import ExchangeRate, ListValue, Organisation, OwnedRecord
from core.normalise import CleanContext
from core.search import search

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


class VersionedForm(forms.ModelForm):
    """An admin form that refuses to overwrite what was changed since it was opened."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["seen_version"].initial = self.instance.version

    def clean(self):
        cleaned = super().clean()
        seen = cleaned.get("seen_version")
        if self.instance.pk and seen is not None and seen != self.instance.version:
            raise forms.ValidationError(
                _("This was changed by somebody else meanwhile. Open it again.")
            )
        return cleaned


class RuledForm(VersionedForm):
    """An admin form of a reference table whose rows have rules: those of ``clean_rules``."""

    def clean(self):
        cleaned = super().clean()
        stored = self.instance if self.instance.pk else None
        errors = {}
        context = CleanContext.for_user(None, instance=stored)
        self._meta.model.clean_rules(cleaned, errors, context)
        for name, found in errors.items():
            self.add_error(name, found)
        return cleaned


class GuardedSelect(AutocompleteSelect):
    """A choice by search that shows a form again although what was sent can be no key."""

    def optgroups(self, name, value, attrs=None):
        return super().optgroups(name, [key for key in value if key_or_none(key)], attrs)


class GuardedAdmin(admin.ModelAdmin):
    """Ignores parameters of the URL and values at which Django's own pages would break."""

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name in self.autocomplete_fields:
            kwargs["widget"] = GuardedSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def lookup_allowed(self, lookup, value, request):
        """A list is cut by what ``list_filter`` offers, not by any field and any comparison."""
        name, _line, comparison = lookup.partition("__")
        return name in self.list_filter and comparison in ("", "exact", "isnull")

    def get_object(self, request, object_id, from_field=None):
        return super().get_object(request, object_id, from_field or None)

    def get_changeform_initial_data(self, request):
        """What the URL fills in beforehand; of records only by what can be a key."""
        given = super().get_changeform_initial_data(request)
        references = {field.name for field in self.opts.fields if field.is_relation}
        return {
            name: value
            for name, value in given.items()
            if name not in references or key_or_none(value) is not None
        }


class JournalledAdmin(GuardedAdmin):
    """Edits of operators: one operation a form, no deletion, no actions on many rows."""

    form = VersionedForm
    actions = None

    def has_delete_permission(self, request, obj=None):
        return False

    @csrf_protect_m
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        if request.method in SAFE:
            return self._changeform_view(request, object_id, form_url, extra_context)
        label = Label(
            gettext_noop("Changed %(kind)s in the administration"),
            kind=self.model._meta.verbose_name,
        )
        try:
            # In place of Django's own transaction: operation() is the only opener of one.
            with operation(Kind.EDIT, by=request.user, label=label):
                return self._changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


class ReadOnlyAdmin(GuardedAdmin):
    """A window: nothing can be added, changed or deleted here."""

    actions = None

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class RecordAdmin(ReadOnlyAdmin):
    """A record as the database holds it, with a link to its page, where it can be changed."""

    readonly_fields = ("page",)
    show_full_result_count = False

    def get_search_results(self, request, queryset, search_term):
        """Main records are found as everywhere: by the folded words of their search text."""
        if issubclass(self.model, OwnedRecord):
            return search(queryset, search_term), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=_("page"))
    def page(self, record):
        return format_html('<a href="{}">{}</a>', record.get_absolute_url(), record)


@admin.register(Organisation)
class OrganisationAdmin(JournalledAdmin):
    def has_add_permission(self, request):
        return not Organisation.objects.exists()


@admin.register(ListValue)
class ListValueAdmin(JournalledAdmin):
    list_display = ("label", "list_key", "value", "position", "is_default", "is_active")
    list_filter = ("list_key", "is_active")
    search_fields = ("label", "value")
    ordering = ("list_key", "position", "pk")

    def get_readonly_fields(self, request, obj=None):
        """What is stored in records can't be renamed; the label can."""
        return ("list_key", "value") if obj else ()


@admin.register(ExchangeRate)
class ExchangeRateAdmin(JournalledAdmin):
    list_display = ("currency", "valid_from", "rate")
    list_filter = ("currency",)
    ordering = ("currency", "-valid_from", "pk")


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "actor", "at", "run", "undoes")
    list_filter = ("kind",)
    ordering = ("-pk",)
    show_full_result_count = False


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    list_display = ("id", "operation", "model", "object_id", "verb", "version")
    list_filter = ("verb",)
    search_fields = ("=object_id",)
    ordering = ("-pk",)
    show_full_result_count = False
