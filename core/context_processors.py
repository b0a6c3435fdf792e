"""What the shell of every page shows: navigation, the organisation, the theme."""

from django.apps import apps
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from core.models import Organisation
from core.reach import Verb, may
from core.saved_views import pinned_for
from users.models import Role

THEMES = ("light", "dark")

# An entry about a model is shown to whom may view, or create, any of its records.
NAVIGATION = (
    {"label": _("My day"), "page": "home", "icon": "sun", "key": "g h"},
    {
        "label": _("Leads"),
        "page": "leads:lead_list",
        "model": "leads.lead",
        "icon": "target-arrow",
        "key": "g l",
    },
    {
        "label": _("Accounts"),
        "page": "accounts:account_list",
        "model": "accounts.account",
        "icon": "building",
        "key": "g a",
    },
    {
        "label": _("Contacts"),
        "page": "contacts:contact_list",
        "model": "contacts.contact",
        "icon": "users",
        "key": "g p",
    },
    {
        "label": _("Pipeline"),
        "page": "opportunities:opportunity_list",
        "model": "opportunities.opportunity",
        "icon": "layout-kanban",
        "key": "g d",
    },
)
SEARCH = {"label": _("Search"), "page": "core:search", "icon": "search", "key": "mod k"}
PHONE_PAGES = ("home", "leads:lead_list", "core:search", "opportunities:opportunity_list")

FOOT = (
    {"label": _("History"), "page": "core:history", "icon": "history"},
    {"label": _("Recycle bin"), "page": "core:recycle_bin", "icon": "trash"},
    {"label": _("Keyboard"), "page": "core:keyboard", "icon": "keyboard", "key": "?"},
)
ADMINISTRATION = ({"label": _("Settings"), "page": "administration:index", "icon": "settings"},)

CREATE = (
    {"label": _("Lead"), "page": "leads:lead_create", "model": "leads.lead", "key": "n l"},
    {
        "label": _("Account"),
        "page": "accounts:account_create",
        "model": "accounts.account",
        "key": "n a",
    },
    {
        "label": _("Contact"),
        "page": "contacts:contact_create",
        "model": "contacts.contact",
        "key": "n p",
    },
    {
        "label": _("Opportunity"),
        "page": "opportunities:opportunity_create",
        "model": "opportunities.opportunity",
        "key": "n o",
    },
)


def shell(request):
    """Navigation for who is logged in; all of it is worked out only if the template asks."""
    return {
        "nav": SimpleLazyObject(lambda: _navigation(request)),
        "organisation": SimpleLazyObject(Organisation.current),
        "theme": _theme(request),
    }


def _navigation(request):
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    foot = FOOT + ADMINISTRATION if user.role in (Role.ADMIN, Role.MANAGER) else FOOT
    main = list(_entries(NAVIGATION, request, Verb.VIEW))
    search = list(_entries([SEARCH], request, Verb.VIEW))
    by_page = {entry["page"]: entry for entry in [*main, *search]}
    return {
        "main": main,
        "search": search,
        "phone": [by_page[page] for page in PHONE_PAGES if page in by_page],
        "foot": list(_entries(foot, request, Verb.VIEW)),
        "create": list(_entries(CREATE, request, Verb.CREATE)),
        "pinned": [{"view": v, "url": v.get_absolute_url()} for v in pinned_for(user)],
    }


def _entries(entries, request, verb):
    """The entries of use to the user, with their addresses; without a page there is no entry."""
    for entry in entries:
        try:
            url = reverse(entry["page"])
        except NoReverseMatch:
            continue
        if "model" in entry and not may(request.user, verb, apps.get_model(entry["model"])):
            continue
        is_current = request.path == url if url == "/" else request.path.startswith(url)
        kind = entry.get("model", "").rpartition(".")[2]
        yield {**entry, "url": url, "kind": kind, "is_current": is_current}


def _theme(request):
    """The theme of this browser, else the user's own, else none: then the system decides."""
    user = getattr(request, "user", None)
    theme = request.COOKIES.get("theme") or getattr(user, "theme", "")
    return theme if theme in THEMES else ""
