"""The pages of the conversion: decide, see what will happen, convert, look at what it became."""

from dataclasses import replace

from django.contrib import messages
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView, TemplateView

from core import reach
from core.forms import key_or_none
from core.views.base import DomainFormMixin, RecordMixin, SeeOther
from leads.conversion import convert_lead, plan_conversion, sibling_leads
from leads.conversion.choices import Deal
from leads.conversion.execution import PlanChanged
from leads.conversion.leftovers import lost_values
from leads.forms.convert import LeadConvertForm
from leads.models import Conversion, Lead


class ConvertMixin(RecordMixin):
    """Load a lead that can be converted, with the form of its conversion."""

    model = Lead
    verb = "convert"
    form_class = LeadConvertForm

    def get_queryset(self):
        return super().get_queryset().select_related("owner", "status")

    def refuse(self):
        if self.record.is_converted:
            messages.info(self.request, _("This lead has been converted already."))
            return SeeOther(became_url(self.record))
        return super().refuse()

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"by": self.request.user, "lead": self.record}

    def get_initial(self):
        account = key_or_none(self.request.GET.get("account", ""))
        return {"account": account} if account else {}

    def get_context_data(self, **kwargs):
        form = kwargs.pop("form", None) or self.get_form()
        matches = form.matches
        plan = kwargs.get("plan") or plan_conversion(
            self.record, by=self.request.user, choices=form.get_choices(), matches=matches
        )
        if form.is_bound:
            form.add_plan_errors(plan.all_errors)
        else:
            form.fill_in(self.plan_of_new(form, plan))
        context = super().get_context_data(form=form, **kwargs)
        return context | {
            "plan": plan,
            "matches": matches,
            "lead": self.record,
            "account_fields": form.typed_fields("account"),
            "contact_fields": form.typed_fields("contact"),
            "deal_fields": form.typed_fields("opportunity"),
            "ticks": {c.name: form.ticks(c, left=plan.choices.left) for c in plan.cards},
            "certain_account": any(match.is_certain for match in matches.accounts),
            "certain_contact": any(match.is_certain for match in matches.contacts),
        }

    def plan_of_new(self, form, plan):
        """The plan with all three records new: what their fields hold when somebody switches."""
        choices = replace(plan.choices, account=None, contact=None, deal=Deal.NEW)
        if choices == plan.choices:
            return plan
        matches = form.matches
        return plan_conversion(self.record, by=self.request.user, choices=choices, matches=matches)


def became_url(lead):
    """Where to look for a converted lead: what it became, else its own page."""
    conversion = Conversion.objects.filter(lead=lead).order_by("pk").first()
    return conversion.get_absolute_url() if conversion else lead.get_absolute_url()


class LeadConvertView(ConvertMixin, DomainFormMixin, FormView):
    """Decide account, contact and deal; see at the side what will happen; convert."""

    template_name = "leads/lead_convert.html"
    success_message = _("%(object)s was converted.")

    def perform(self, form):
        choices = form.get_choices()
        return convert_lead(
            self.record,
            by=self.request.user,
            choices=choices,
            expected=form.expected,
            key=form.key,
        )

    def refused(self, form, error):
        if isinstance(error, PlanChanged):
            form.add_error(None, error.message)
            return self.render_to_response(
                self.get_context_data(form=form, changed=True), status=error.status
            )
        if not error.location and getattr(error, "errors", None):
            return self.form_invalid(form, status=error.status)  # the plan brings its messages
        return super().refused(form, error)

    def get_operation_id(self, form):
        return None  # the page that follows has its own Undo

    def get_success_url(self):
        return self.object.get_absolute_url()


class LeadConvertPlanView(ConvertMixin, FormView):
    """What would happen with the choices made so far: the summary and the rows that differ."""

    template_name = "leads/_convert_plan.html"
    http_method_names = ["post"]

    def form_valid(self, form):
        return self.render_to_response(self.get_context_data(form=form))

    form_invalid = form_valid


class LeadConversionView(RecordMixin, TemplateView):
    """What a lead became: the records, what was not taken over, Undo, sibling leads."""

    model = Lead
    template_name = "leads/lead_conversion.html"

    def get_context_data(self, **kwargs):
        user = self.request.user
        rows = Conversion.objects.select_related(
            "account", "contact", "opportunity__stage", "converted_by"
        )
        conversion = get_object_or_404(rows, lead=self.record)
        operation = self.operation_of(conversion)
        lost = []
        if operation is not None:
            lost = lost_values(conversion, by=user, operation_id=operation.pk)
        return {
            "lead": self.record,
            "conversion": conversion,
            "operation": operation,
            "may_undo": operation is not None and reach.may_undo(user, operation.actor),
            "became": self.became(conversion, operation),
            "lost": lost,
            "siblings": sibling_leads(self.record, by=user),
            **super().get_context_data(**kwargs),
        }

    def operation_of(self, conversion):
        """What made the conversion; None for imported history, which an import made."""
        imported = conversion.origin == conversion.Origin.IMPORTED
        return None if imported else conversion.get_operation()

    def became(self, conversion, operation):
        """The records with whether they were made and which fields were written: for the page."""
        written = {}
        if operation is not None:
            for change in operation.changes.order_by("pk"):
                fields = written.setdefault((change.model, change.object_id), set())
                fields.update(change.after_values)
        found = []
        for name in ("account", "contact", "opportunity"):
            record = getattr(conversion, name)
            if record is None:
                continue
            at = record._meta.label_lower, record.pk
            seen = reach.sight_of(record, self.request.user)
            found.append(
                {
                    "kind": name,
                    "record": record,
                    "is_visible": record.can(self.request.user, "view"),
                    "has_figures": "amount" in seen and "close_date" in seen,
                    "is_new": getattr(conversion, f"{name}_created"),
                    "changed": len(written.get(at, ())),
                }
            )
        return found

    def get_crumb(self):
        return _("Converted")
