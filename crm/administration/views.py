"""The overview of the settings, and trying the product out."""

from dataclasses import dataclass

from django.http import HttpResponseBadRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, TemplateView

from core.forms import VerbForm
from core.views.base import DomainFormMixin, SeeOther, announce
from core.views.settings import AdministratorMixin, settings_crumbs
from crm.administration.people import PeopleMixin
from crm.demo import load, loaded_run
from crm.onboarding import hide_first_steps


@dataclass(frozen=True)
class Section:
    """One entry of the overview: a page and what it decides, in a sentence."""

    label: str
    page: str
    icon: str
    text: str
    is_for_managers: bool = False

    @property
    def url(self):
        return reverse(self.page)


SECTIONS = (
    (
        gettext_lazy("Organisation"),
        (
            Section(
                gettext_lazy("Organisation"),
                "core:organisation_update",
                "building",
                gettext_lazy("Name, currency, time zone, fiscal year, domains of free e-mail."),
            ),
            Section(
                gettext_lazy("Access"),
                "core:access_update",
                "key",
                gettext_lazy("How far accounts, contacts, leads and deals are seen and edited."),
            ),
            Section(
                gettext_lazy("Exchange rates"),
                "core:exchangerate_list",
                "coin-euro",
                gettext_lazy("How totals in other currencies are converted, by day."),
            ),
        ),
    ),
    (
        gettext_lazy("Selling"),
        (
            Section(
                gettext_lazy("Lead statuses"),
                "leads:leadstatus_list",
                "target-arrow",
                gettext_lazy("The steps from a first contact to a conversion."),
            ),
            Section(
                gettext_lazy("Assignment rules"),
                "leads:assignmentrule_list",
                "arrows-split-2",
                gettext_lazy("Who gets a new lead, and what happens when that person is away."),
            ),
            Section(
                gettext_lazy("Queues"),
                "leads:queue_list",
                "users",
                gettext_lazy("Who is given leads in turns, and how many a day."),
            ),
            Section(
                gettext_lazy("Stages"),
                "opportunities:stage_list",
                "layout-kanban",
                gettext_lazy("The steps of a sale, with probability and forecast category."),
            ),
            Section(
                gettext_lazy("Lists"),
                "core:list_index",
                "list",
                gettext_lazy("Industries, sources, roles and all else that people choose from."),
            ),
        ),
    ),
    (
        gettext_lazy("People"),
        (
            Section(
                gettext_lazy("Users"),
                "administration:user_list",
                "users",
                gettext_lazy("Who can sign in, with which role, in which team."),
                is_for_managers=True,
            ),
            Section(
                gettext_lazy("Teams"),
                "administration:team_list",
                "hierarchy-2",
                gettext_lazy("Who works together, and who leads them."),
            ),
            Section(
                gettext_lazy("Audit log"),
                "administration:audit",
                "history",
                gettext_lazy("Who did what to which record, and when; as a file, too."),
            ),
        ),
    ),
    (
        gettext_lazy("Trying it out"),
        (
            Section(
                gettext_lazy("Sample data"),
                "administration:sample_data",
                "briefcase",
                gettext_lazy("An invented company with all its records: in and out in one step."),
            ),
        ),
    ),
)


class IndexView(PeopleMixin, TemplateView):
    """All settings, with what each decides; those that the user may open."""

    template_name = "administration/index.html"

    def get_context_data(self, **kwargs):
        crumbs = [{"label": _("Settings")}]
        sections = [(heading, list(self._open(pages))) for heading, pages in SECTIONS]
        sections = [(heading, pages) for heading, pages in sections if pages]
        return {"crumbs": crumbs, "sections": sections, **super().get_context_data(**kwargs)}

    def _open(self, pages):
        is_admin = self.request.user.is_staff
        return (page for page in pages if is_admin or page.is_for_managers)


# -- trying it out ----------------------------------------------------------------------------


class SampleDataView(AdministratorMixin, DomainFormMixin, FormView):
    """Load the sample organisation as one run, or lead to the undo that takes it out."""

    template_name = "administration/sample_data.html"
    form_class = VerbForm

    def get_context_data(self, **kwargs):
        title = _("Sample data")
        return {
            "title": title,
            "crumbs": settings_crumbs({"label": title}),
            "run": loaded_run(),
            **super().get_context_data(**kwargs),
        }

    def perform(self, form):
        return load().run

    def performed(self, form):
        announce(self.request, _("Loaded the sample data."), self.object.pk)
        return SeeOther(reverse("home"))


class FirstStepsHideView(DomainFormMixin, FormView):
    """Show the first steps no longer; a button of the start page, so without a page."""

    http_method_names = ("post", "options")
    form_class = VerbForm

    def perform(self, form):
        return hide_first_steps(self.request.user, key=form.key)

    def get_success_message(self):
        return _("Hid the first steps.")

    def form_invalid(self, form, *, status=422):
        return HttpResponseBadRequest()

    def get_success_url(self):
        return reverse("home")
