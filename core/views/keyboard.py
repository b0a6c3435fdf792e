"""The page that lists the keys."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

EVERYWHERE = (
    ("Ctrl K", gettext_lazy("search and commands")),
    ("?", gettext_lazy("this list of keys")),
    ("Ctrl Enter", gettext_lazy("send the form that you are typing in")),
    ("Esc", gettext_lazy("close a menu or a dialog, cancel the edit of a field")),
    ("Z", gettext_lazy("undo what was just done")),
)
LISTS = (
    ("/", gettext_lazy("search in the list")),
    ("J", gettext_lazy("next row")),
    ("K", gettext_lazy("previous row")),
    ("Enter", gettext_lazy("open the row")),
    ("X", gettext_lazy("select the row")),
    ("Shift X", gettext_lazy("select up to this row")),
)
RECORDS = (
    ("E", gettext_lazy("edit all fields")),
    ("J", gettext_lazy("next record of the list it came from")),
    ("K", gettext_lazy("previous record of the list")),
    ("A", gettext_lazy("assign to someone")),
    ("S", gettext_lazy("set the status of a lead")),
    ("C", gettext_lazy("convert a lead")),
)


class KeyboardView(TemplateView):
    """All keys; those that lead to pages are read from the navigation, as it is for the user."""

    template_name = "core/keyboard.html"

    def get_context_data(self, **kwargs):
        title = _("Keyboard")
        fixed = ((_("Everywhere"), EVERYWHERE), (_("Lists"), LISTS), (_("Records"), RECORDS))
        return {
            "title": title,
            "crumbs": [{"label": title}],
            "fixed": [
                (heading, [(keys.split(" "), does) for keys, does in rows])
                for heading, rows in fixed
            ],
            **super().get_context_data(**kwargs),
        }
