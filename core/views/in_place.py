"""Changing one field of a record where it stands: on its page, or in a cell of a list."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.functional import cached_property
from django.utils.html import escape
from django.utils.translation import gettext as _

from core.addresses import address_of
from core.errors import NotAllowed
from core.reach import Verb, allowed, editable_fields
from core.views.base import forbid, is_partial, list_url

SAVED = (
    "saved"  # what htmx tells the page, whose parts with hx-trigger="saved" load themselves anew
)


class CellLinks:
    """
    The links by which the cells of a list are changed; none where the user may not.

    A list has hundreds of them, so each is a pattern that all rows share: ``{pk}`` stands for the
    record's key.
    """

    def __init__(self, records, columns, *, by):
        self.by = by
        self.may = allowed(records, by, Verb.EDIT)
        self.names = {c.key: c.edit or c.page for c in columns if c.is_editable}
        self.keys = tuple(self.names)
        self.model = type(records[0]) if records else None

    def of(self, record):
        """The keys of the columns whose cells can be changed for this record."""
        if record.pk not in self.may or record.why_read_only():
            return ()
        limit = editable_fields(record, self.by)
        if limit is None:
            return self.keys
        return tuple(key for key, name in self.names.items() if name in limit)

    def to(self, column):
        """
        The pattern of the links of a column: to the field in its cell, or to the page of a verb.

        The script opens them where they stand, CSS draws the pencil.
        """
        label = escape(_("Edit %(label)s") % {"label": column.label})
        label = label.replace("{", "{{").replace("}", "}}")
        address = self._address(column.page or "update")
        query = "" if column.page else f"?field={column.edit}"
        return f'<a href="{address}{query}" aria-label="{label}"></a>'

    def _address(self, name):
        """Where a page of a record lies, as seen from the list."""
        page = f"{self.model._meta.app_label}:{self.model._meta.model_name}_{name}"
        return address_of(page, "{pk}").removeprefix(list_url(self.model))


class InPlaceMixin:
    """
    Narrow the form of a record to the field that ``?field=`` names.

    Without a script it is a page with that field. With htmx it is a form in the field's cell,
    and once it is saved the page is told to show itself anew. Rule: docs/rules/editing.md.
    """

    in_place_template_name = "core/_field_edit.html"

    @cached_property
    def field(self):
        """The name of the field that is edited alone; "" for the whole form."""
        return self.request.GET.get("field", "")

    @property
    def is_in_place(self):
        return bool(self.field) and is_partial(self.request)

    def refuse(self):
        if self.field and self.field not in self.get_form_class()._meta.fields:
            raise Http404
        return self._leaving(super().refuse())

    def refused(self, form, error):
        return self._leaving(super().refused(form, error))

    def _leaving(self, response):
        """A refusal that leads elsewhere is no part of a page: htmx loads that page."""
        if self.is_in_place and response is not None and response.status_code == 303:
            return HttpResponse(status=409, headers={"HX-Redirect": response.url})
        return response

    def get_form(self, form_class=None):
        form = super().get_form(form_class)
        if self.field:
            if not form.narrow(self.field):
                forbid(NotAllowed(_("This field can't be changed as things stand.")))
            form.fields[self.field].widget.attrs["autofocus"] = True
        if self.is_in_place:
            form.auto_id = f"{self.field}-%s"  # the page may have other fields open
        return form

    def version_of(self, form):
        """
        The version over which the form may be written.

        A field alone may be written over a newer version in which it is still the same: the
        fields of a page are opened and saved one after the other, also by different people.
        """
        newest = self.record.version
        if self.field and 0 < form.version < newest and not form.compare(self.record).conflicts:
            return newest
        return super().version_of(form)

    def get_template_names(self):
        is_conflict = self.template_name == self.conflict_template_name
        if self.is_in_place and not is_conflict:
            return [self.in_place_template_name]
        return super().get_template_names()

    def conflicting(self, form):
        response = super().conflicting(form)
        if self.is_in_place:  # two values side by side need more room than a cell has
            response.headers["HX-Retarget"] = response.headers["HX-Reselect"] = "#main"
            response.headers["HX-Reswap"] = "outerHTML"
        return response

    def performed(self, form):
        response = super().performed(form)
        if not self.is_in_place:
            return response
        response = render(self.request, "core/_saved.html")
        response.headers["HX-Reswap"] = "none"
        response.headers["HX-Trigger"] = SAVED
        return response

    def render_to_response(self, context, **kwargs):
        response = super().render_to_response(context, **kwargs)
        patch_vary_headers(response, ["HX-Request"])
        return response
