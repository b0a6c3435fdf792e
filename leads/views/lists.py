"""The list of leads and its views."""

from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext_lazy as _

from core.views import Action, RecordListView
from leads.filters import LeadFilter
from leads.models import Phase
from leads.tables import LeadTable


@dataclass(frozen=True)
class View:
    """A cut of the list, as a tab above it."""

    key: str
    label: str
    phases: tuple = tuple(Phase)
    is_mine: bool = False

    def cut(self, leads, user):
        """The leads of this view."""
        if len(self.phases) < len(Phase):
            leads = leads.filter(phase__in=self.phases)
        return leads.filter(owner=user) if self.is_mine else leads


OPEN_PHASES = tuple(phase for phase in Phase if phase not in (Phase.CONVERTED, Phase.DEAD))
OPEN = View("open", _("Open"), OPEN_PHASES)
ALL = View("all", _("All"))
VIEWS = (
    OPEN,
    View("mine", _("My open leads"), OPEN_PHASES, is_mine=True),
    View("nurturing", _("Nurturing"), (Phase.NURTURING,)),
    View("converted", _("Converted"), (Phase.CONVERTED,)),
    View("dead", _("Not converted"), (Phase.DEAD,)),
    ALL,
)


class LeadListView(RecordListView):
    filterset_class = LeadFilter
    table = LeadTable
    template_name = "leads/lead_list.html"
    select_related = ("owner", "status")

    @cached_property
    def view(self):
        """The view that the URL names; without one the open leads, or all if a status is asked."""
        query = self.request.GET
        for view in VIEWS:
            if view.key == query.get("view"):
                return view
        return ALL if any(query.get(name) for name in LeadFilter.about_status) else OPEN

    def get_queryset(self):
        return self.view.cut(super().get_queryset(), self.request.user)

    def get_context_data(self, **kwargs):
        views = [
            {"label": v.label, "url": f"?view={v.key}", "is_current": v == self.view} for v in VIEWS
        ]
        return super().get_context_data(views=views, **kwargs)

    def _empty(self, filters):
        found = super()._empty(filters)
        if self.view == ALL or any(filters.is_used(name) for name in filters.filters):
            return found
        show_all = Action(_("Show all leads"), f"?view={ALL.key}")
        text = _("Leads in other states stand in the other views.")
        return {"title": _("No leads in this view"), "text": text, "actions": [show_all]}
