"""The page that lists the keys."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

EVERYWHERE = (
    {"key": gettext_lazy("Ctrl K"), "label": gettext_lazy("search and commands")},
    {"key": "?", "label": gettext_lazy("this list of keys")},
    {"key": gettext_lazy("Ctrl Enter"), "label": gettext_lazy("send the form you are typing in")},
    {"key": gettext_lazy("Esc"), "label": gettext_lazy("close a menu, cancel the edit of a field")},
    {"key": "Z", "label": gettext_lazy("undo what was just done")},
)
LISTS = (
    {"key": "/", "label": gettext_lazy("search in the list")},
    {"key": "J", "label": gettext_lazy("next row")},
    {"key": "K", "label": gettext_lazy("previous row")},
    {"key": gettext_lazy("Enter"), "label": gettext_lazy("open the row")},
    {"key": "X", "label": gettext_lazy("select the row")},
    {"key": gettext_lazy("Shift X"), "label": gettext_lazy("select up to this row")},
)
RECORDS = (
    {"key": "E", "label": gettext_lazy("edit all fields")},
    {"key": "J", "label": gettext_lazy("next record of the list it came from")},
    {"key": "K", "label": gettext_lazy("previous record of the list")},
    {"key": "A", "label": gettext_lazy("assign to someone")},
    {"key": "S", "label": gettext_lazy("set the status of a lead, the stage of a deal")},
    {"key": "C", "label": gettext_lazy("convert a lead")},
)


class KeyboardView(TemplateView):
    """All keys; those that lead to pages are read from the navigation, as it is for the user."""

    template_name = "core/keyboard.html"

    def get_context_data(self, **kwargs):
        title = _("Keyboard")
        return {
            "title": title,
            "crumbs": [{"label": title}],
            "everywhere": EVERYWHERE,
            "lists": LISTS,
            "records": RECORDS,
            **super().get_context_data(**kwargs),
        }
