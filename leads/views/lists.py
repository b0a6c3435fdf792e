"""The list of leads and its views."""

from django.utils.translation import gettext_lazy as _

from core.views import Action, RecordListView
from core.views.lists import ALL, MINE, StandardView
from leads.filters import LeadFilter
from leads.models import Phase
from leads.tables import LeadTable


def in_phases(*phases):
    """The condition that a lead is in one of these phases."""
    return {"field": "phase", "op": "in", "value": [str(phase) for phase in phases]}


OPEN_PHASES = tuple(phase for phase in Phase if phase not in (Phase.CONVERTED, Phase.DEAD))
OPEN = in_phases(*OPEN_PHASES)


class LeadListView(RecordListView):
    filterset_class = LeadFilter
    table = LeadTable
    standard_views = (
        StandardView("open", _("Open"), {"all": [OPEN]}),
        StandardView("mine", _("My open leads"), {"all": [OPEN, MINE]}),
        StandardView("nurturing", _("Nurturing"), {"all": [in_phases(Phase.NURTURING)]}),
        StandardView("converted", _("Converted"), {"all": [in_phases(Phase.CONVERTED)]}),
        StandardView("dead", _("Not converted"), {"all": [in_phases(Phase.DEAD)]}),
        ALL,
    )

    def get_default_view(self):
        query = self.request.GET
        about_status = any(query.get(name) for name in LeadFilter.about_status)
        return ALL if about_status else super().get_default_view()

    def _empty(self, filters):
        found = super()._empty(filters)
        is_other = self.view == ALL or not isinstance(self.view, StandardView)
        if self.refusal or is_other or filters.is_narrowed:
            return found
        show_all = Action(_("Show all leads"), f"?view={ALL.key}")
        text = _("Leads in other states stand in the other views.")
        return {"title": _("No leads in this view"), "text": text, "actions": [show_all]}
