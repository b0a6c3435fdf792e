"""Whose a lead is: letting the rules choose, handing it over, answering a hand-over."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms import VerbForm
from core.reach import Verb
from core.views import VerbView
from core.views.base import SeeOther, messages
from leads.assignment import assign_by_rules
from leads.forms.assignment import HandOverForm, ReturnForm
from leads.models import AssignedBy, Lead
from leads.services import accept_handover, hand_over, may_hand_over, return_handover

SAID = {
    AssignedBy.RULE: gettext_lazy("Assigned %(lead)s to %(owner)s by the rule %(rule)s."),
    AssignedBy.FALLBACK: gettext_lazy(
        "Assigned %(lead)s to %(owner)s: the target of the rule %(rule)s is away."
    ),
    AssignedBy.INSTEAD: gettext_lazy(
        "Assigned %(lead)s to %(owner)s: the target of the rule %(rule)s is away."
    ),
    AssignedBy.ACCOUNT: gettext_lazy("Assigned %(lead)s to %(owner)s, who owns its account."),
    AssignedBy.DEFAULT: gettext_lazy("Assigned %(lead)s to %(owner)s: no rule fits it."),
    AssignedBy.KEPT: gettext_lazy("%(lead)s stays with %(owner)s: nobody could take it."),
}


class LeadVerbView(VerbView):
    """A page for one verb on a lead, with its title and its button."""

    model = Lead
    template_name = "base/form.html"
    title = ""
    submit = ""

    def get_context_data(self, **kwargs):
        return {
            "title": self.title % {"lead": self.record},
            "submit": self.submit,
            "cancel_url": self.record.get_absolute_url(),
            **super().get_context_data(**kwargs),
        }

    def get_crumb(self):
        return self.submit

    def get_operation_id(self, form):
        """Undo is offered as long as the lead stays within the user's reach."""
        is_kept = self.object.can(self.request.user, Verb.EDIT)
        return super().get_operation_id(form) if is_kept else None


class LeadRulesView(LeadVerbView):
    """Let the assignment rules choose the owner now."""

    verb = Verb.ASSIGN
    form_class = VerbForm
    title = gettext_lazy("Let the rules assign %(lead)s")
    submit = gettext_lazy("Assign now")

    def get_context_data(self, **kwargs):
        about = _("The assignment rules choose a new owner. You may no longer see the lead then.")
        return {"about": about, **super().get_context_data(**kwargs)}

    def perform(self, form):
        return assign_by_rules(self.record, by=self.request.user, key=form.key)

    def get_success_message(self):
        lead = self.object
        named = {"lead": lead, "owner": lead.owner, "rule": lead.assigned_by_rule}
        return SAID[AssignedBy(lead.assigned_by)] % named


class LeadHandOverView(LeadVerbView):
    """Offer the lead to a representative, who accepts or returns it."""

    verb = Verb.ASSIGN
    form_class = HandOverForm
    title = gettext_lazy("Hand %(lead)s over")
    submit = gettext_lazy("Hand over")

    def refuse(self):
        if refusal := super().refuse():
            return refusal
        if not may_hand_over(self.record, by=self.request.user):
            text = _("Only open leads that sales has accepted or qualified are handed over.")
            messages.warning(self.request, text)
            return SeeOther(self.record.get_absolute_url())
        return None

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"by": self.request.user, "lead": self.record}

    def perform(self, form):
        to, note = form.cleaned_data["to"], form.cleaned_data["note"]
        return hand_over(self.record, to=to, note=note, by=self.request.user, key=form.key)

    def get_success_message(self):
        named = {"lead": self.object, "user": self.object.handed_over_to}
        return _("Handed %(lead)s over to %(user)s.") % named


class AnswerView(LeadVerbView):
    """An answer to a hand-over, by the one to whom it was handed over."""

    verb = Verb.VIEW

    def get_queryset(self):
        return super().get_queryset().live()

    def refuse(self):
        if refusal := super().refuse():
            return refusal
        if not self.record.waits_for(self.request.user):
            text = _("%(lead)s does not wait for your answer.") % {"lead": self.record}
            messages.warning(self.request, text)
            return SeeOther(self.record.get_absolute_url())
        return None

    def get_crumbs(self):
        return [*super().get_crumbs(), {"label": self.submit}]


class LeadAcceptView(AnswerView):
    """Take the lead over: from then on it is the user's."""

    form_class = VerbForm
    title = gettext_lazy("Accept %(lead)s")
    submit = gettext_lazy("Accept")
    success_message = gettext_lazy("Accepted %(object)s. It is yours now.")

    def perform(self, form):
        return accept_handover(self.record, by=self.request.user, key=form.key)


class LeadReturnView(AnswerView):
    """Give the lead back with a reason."""

    form_class = ReturnForm
    title = gettext_lazy("Return %(lead)s")
    submit = gettext_lazy("Return")
    success_message = gettext_lazy("Returned %(object)s.")

    def perform(self, form):
        reason = form.cleaned_data["reason"]
        return return_handover(self.record, reason=reason, by=self.request.user, key=form.key)
