"""A lead's way through the statuses: one page a verb."""

from django.contrib import messages
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import NotAllowed
from core.forms import key_or_none
from core.models import Organisation
from core.reach import Verb
from core.views import SeeOther, VerbView, url_of
from core.views.base import forbid
from leads.forms.lead import (
    DisqualifyForm,
    NurtureForm,
    ReopenForm,
    StatusForm,
    statuses_to_offer,
)
from leads.models import Lead, Phase
from leads.models.lead import nurture_preset
from leads.services import change_status, disqualify, nurture, reopen, require_status


class StatusPage(VerbView):
    """A page that gives a lead another status."""

    model = Lead
    verb = Verb.EDIT
    template_name = "base/form.html"
    form_class = StatusForm
    title = gettext_lazy("Set the status of %(lead)s")
    submit = gettext_lazy("Set status")

    def get_queryset(self):
        return super().get_queryset().select_related("owner", "status")

    def refuse(self):
        if refusal := super().refuse():
            return refusal
        lead, phases = self.record, self.form_class.phases
        try:
            require_status(lead, by=self.request.user)
        except NotAllowed as error:
            forbid(error)
        if self.request.method != "POST" and not statuses_to_offer(lead, phases):
            text = _("%(lead)s cannot get such a status now.") % {"lead": lead}
            messages.info(self.request, text)
            return SeeOther(lead.get_absolute_url())
        return None

    def get_initial(self):
        return {"status": key_or_none(self.request.GET.get("status", ""))}

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"lead": self.record}

    def get_crumb(self):
        return self.submit

    def get_context_data(self, **kwargs):
        return {
            "title": self.title % {"lead": self.record},
            "submit": self.submit,
            "cancel_url": self.record.get_absolute_url(),
            **super().get_context_data(**kwargs),
        }

    def get_success_message(self):
        return _("Set %(lead)s to %(status)s.") % {
            "lead": self.object,
            "status": self.object.status,
        }


class LeadStatusView(StatusPage):
    """Any status that the phase leads to; the path on the lead's page sends its steps here."""

    def form_valid(self, form):
        status = form.cleaned_data["status"]
        if status.phase == Phase.DEAD and self.record.may_move_to(Phase.DEAD):
            # That page asks for the reason.
            return SeeOther(f"{url_of(self.record, 'disqualify')}?status={status.pk}")
        return super().form_valid(form)

    def perform(self, form):
        status, by = form.cleaned_data["status"], self.request.user
        return change_status(self.record, status=status, by=by, key=form.key)


class LeadDisqualifyView(StatusPage):
    form_class = DisqualifyForm
    title = gettext_lazy("Disqualify %(lead)s")
    submit = gettext_lazy("Disqualify")

    def perform(self, form):
        data = form.cleaned_data
        return disqualify(
            self.record,
            by=self.request.user,
            status=data["status"],
            reason=data["disqualify_reason"],
            note=data["disqualify_note"],
            key=form.key,
        )


class LeadNurtureView(StatusPage):
    form_class = NurtureForm
    title = gettext_lazy("Nurture %(lead)s")
    submit = gettext_lazy("Nurture")

    def get_initial(self):
        until = nurture_preset(Organisation.current().today())
        return super().get_initial() | {"nurture_until": until}

    def perform(self, form):
        data, by = form.cleaned_data, self.request.user
        until, status = data["nurture_until"], data["status"]
        return nurture(self.record, by=by, until=until, status=status, key=form.key)


class LeadReopenView(StatusPage):
    form_class = ReopenForm
    title = gettext_lazy("Reopen %(lead)s")
    submit = gettext_lazy("Reopen")

    def perform(self, form):
        status = form.cleaned_data["status"]
        return reopen(self.record, by=self.request.user, status=status, key=form.key)
