"""The pages of reference tables, such as stages: their list, their forms, their order."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from core import reach
from core.forms import key_or_none
from core.services import move_in_order
from core.tables import as_columns
from core.views.base import SeeOther, announce, url_of
from core.views.records import RecordCreateView, RecordUpdateView


def settings_crumbs(*crumbs):
    """The way to a page of the settings."""
    return [{"label": _("Settings"), "url": reverse("administration:index")}, *crumbs]


class AdministratorMixin:
    """A page for administrators only."""

    def may_open(self, user):
        """Whether the page is for ``user``."""
        return reach.is_admin(user)

    def dispatch(self, request, *args, **kwargs):
        if not self.may_open(request.user):
            raise PermissionDenied(_("Only administrators can change settings."))
        return super().dispatch(request, *args, **kwargs)


@dataclass(frozen=True)
class SettingsRow:
    """A row of a settings list: its cells, its place, and where it can be moved."""

    cells: tuple
    name: str
    place: int
    is_retired: bool
    move_url: str

    @property
    def above(self):
        return self.place - 1

    @property
    def below(self):
        return self.place + 1


class SettingsListView(AdministratorMixin, TemplateView):
    """
    All rows of a small reference table, in their order.

    ``columns`` are Columns or names of fields, the first one leads to the row's form; ``intro``
    says what the table decides.
    """

    template_name = "core/settings_list.html"
    model = None
    columns = ()
    intro = ""

    def get_rows(self):
        """The rows of the table, in the order of the page."""
        raise NotImplementedError(f"{type(self).__name__} must say which rows it shows.")

    def get_title(self):
        return capfirst(self.model._meta.verbose_name_plural)

    def get_create_url(self):
        return url_of(self.model, "create")

    def get_context_data(self, **kwargs):
        columns = as_columns(self.model, self.columns)
        rows = list(self.get_rows())
        return {
            "title": self.get_title(),
            "crumbs": settings_crumbs({"label": self.get_title()}),
            "intro": self.intro,
            "columns": columns,
            "rows": [self._row(row, place, columns) for place, row in enumerate(rows)],
            "create_url": self.get_create_url(),
            "create_label": _("Add %(kind)s") % {"kind": self.model._meta.verbose_name},
            "can_move": bool(rows) and bool(url_of(rows[0], "move")),
            **super().get_context_data(**kwargs),
        }

    def _row(self, row, place, columns):
        cells = tuple((column, column.shown(row)) for column in columns)
        is_retired = not getattr(row, "is_active", True)
        return SettingsRow(cells, str(row), place, is_retired, url_of(row, "move"))


class SettingsFormMixin(AdministratorMixin):
    """The form of one row; ``get_effects`` says beside it what a change does."""

    template_name = "core/settings_form.html"

    def get_list(self):
        """The list that the row stands in, as a crumb."""
        label = capfirst(self.model._meta.verbose_name_plural)
        return {"label": label, "url": url_of(self.model, "list")}

    def get_effects(self):
        """What the row is used for and what a change does, a sentence each."""
        return []

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        return {
            **context,
            "crumbs": settings_crumbs(self.get_list(), {"label": context["title"]}),
            "cancel_url": self.get_list()["url"],
            "effects": list(self.get_effects()),
        }

    def location_of(self, record):
        return self.get_list()["url"]


class SettingsCreateView(SettingsFormMixin, RecordCreateView):
    """The form of a new row."""


class SettingsUpdateView(SettingsFormMixin, RecordUpdateView):
    """The form of a row; over a newer version it asks which value stays."""


class SettingsMoveView(AdministratorMixin, View):
    """
    Move a row to another place in its list; the buttons of the list ask for it.

    They name the place, not the direction: sent twice, the row moves once.
    """

    http_method_names = ("post", "options")
    model = None

    def get_siblings(self, row):
        """The rows among which it moves."""
        return self.model.objects.visible_to(self.request.user)

    def post(self, request, *args, pk, **kwargs):
        row = get_object_or_404(self.model.objects.visible_to(request.user), pk=pk)
        place = key_or_none(request.POST.get("place", ""))
        if place is None:
            return HttpResponseBadRequest()
        done = move_in_order(row, place=place, among=self.get_siblings(row), by=request.user)
        if done is not None:
            announce(request, _("Moved %(row)s.") % {"row": row}, done.pk)
        return SeeOther(self.get_success_url(row))

    def get_success_url(self, row):
        return url_of(self.model, "list")
