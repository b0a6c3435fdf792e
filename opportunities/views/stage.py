"""A deal's way through the stages: one page a verb."""

import copy
from functools import cached_property

from django.contrib import messages
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.forms import key_or_none
from core.reach import Verb
from core.views import RecordUpdateView, SeeOther, VerbView, url_of
from opportunities.forms.opportunity import OpportunityForm, stage_fields_form
from opportunities.forms.stage import LostForm, ReopenForm, StageForm, WonForm
from opportunities.models import Opportunity, Stage
from opportunities.services import (
    change_stage,
    close_lost,
    close_won,
    reopen_opportunity,
    save_opportunity,
)

FORM_FIELDS = frozenset(OpportunityForm.Meta.fields)


class DealVerbView(VerbView):
    """A page that moves a deal."""

    model = Opportunity
    verb = Verb.CHANGE_STAGE
    template_name = "base/form.html"
    title = ""
    submit = ""
    is_for_open = True  # whether it is done to open deals, or to closed ones

    def get_queryset(self):
        return super().get_queryset().select_related("owner", "account", "stage")

    def refuse(self):
        if refusal := super().refuse():
            return refusal
        deal = self.record
        if self.request.method != "POST" and deal.is_closed == self.is_for_open:
            text = _("%(deal)s is closed.") if deal.is_closed else _("%(deal)s is open.")
            messages.info(self.request, text % {"deal": deal})
            return SeeOther(deal.get_absolute_url())
        return None

    def get_crumb(self):
        return self.submit

    def get_context_data(self, **kwargs):
        return {
            "title": self.title % {"deal": self.record},
            "submit": self.submit,
            "cancel_url": self.record.get_absolute_url(),
            **super().get_context_data(**kwargs),
        }


class StageChangeView(RecordUpdateView):
    """
    The path on the deal's page sends its steps here.

    A stage that needs fields which are blank is answered with a form of just these.
    """

    model = Opportunity
    verb = Verb.CHANGE_STAGE
    template_name = "opportunities/stage_form.html"
    success_message = ""
    field = ""  # it is about one field anyway

    def get_queryset(self):
        return super().get_queryset().select_related("owner", "account", "stage")

    @cached_property
    def stage(self):
        """The stage that is asked for, or None."""
        key = key_or_none(self.request.POST.get("stage", self.request.GET.get("stage", "")))
        return next((stage for stage in Stage.everything() if stage.pk == key), None)

    @cached_property
    def missing(self):
        """The fields that the stage needs and that can be filled here."""
        stage, deal = self.stage, self.record
        if stage is None or stage.is_closed or deal.is_closed or not self.may_fill:
            return []
        return [name for name in deal.missing_for(stage) if name in FORM_FIELDS]

    @cached_property
    def may_fill(self):
        return self.record.can(self.request.user, Verb.EDIT)

    @property
    def is_filled(self):
        """Whether the form with the fields was sent, not only a step of the path."""
        return "version" in self.request.POST

    def get_initial(self):
        return {"stage": self.stage.pk if self.stage else None}

    def get_form_class(self):
        return stage_fields_form(self.missing) if self.missing else StageForm

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs()
        if not self.missing:
            del kwargs["by"], kwargs["instance"]
        elif not self.is_filled:
            kwargs = {name: kwargs[name] for name in kwargs if name not in ("data", "files")}
        return kwargs

    def get_context_data(self, **kwargs):
        title = _("Move %(deal)s to another stage")
        if self.missing:
            title = _("What “%(stage)s” needs")
        words = {"deal": self.record, "stage": self.stage}
        return super().get_context_data(title=title % words, submit=_("Move"), **kwargs)

    def get_crumb(self):
        return _("Stage")

    def post(self, request, *args, **kwargs):
        if self.stage is not None and self.stage.is_closed and not self.record.is_closed:
            # Those pages ask what closing needs.
            return SeeOther(url_of(self.record, "won" if self.stage.is_won else "lost"))
        if self.missing and not self.is_filled:
            return self.form_invalid(self.get_form())
        return super().post(request, *args, **kwargs)

    def get_success_message(self):
        return _("Moved %(deal)s to %(stage)s.") % {"deal": self.object, "stage": self.object.stage}

    def perform(self, form):
        by = self.request.user
        if not self.missing:
            stage = form.cleaned_data["stage"]
            return change_stage(self.record, stage=stage, by=by, key=form.key)
        deal = form.apply_to(copy.copy(self.record))
        deal.version = form.version
        return save_opportunity(deal, by=by, key=form.key)


class ClosingView(DealVerbView):
    """A page that closes a deal."""

    template_name = "opportunities/closing_form.html"

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"by": self.request.user, "instance": self.record}


class WonView(ClosingView):
    form_class = WonForm
    title = gettext_lazy("Won: %(deal)s")
    submit = gettext_lazy("Mark as won")
    success_message = gettext_lazy("Won %(object)s.")

    def get_context_data(self, **kwargs):
        deal = self.record
        names = [n for n in deal.missing_for(Stage.first_won()) if n in FORM_FIELDS - {"amount"}]
        return super().get_context_data(
            missing=[capfirst(deal._meta.get_field(n).verbose_name) for n in names],
            update_url=url_of(deal, "update"),
            other={"label": _("Mark as lost instead"), "url": url_of(deal, "lost")},
            **kwargs,
        )

    def perform(self, form):
        data = form.cleaned_data
        return close_won(
            self.record,
            by=self.request.user,
            amount=data.get("amount"),
            worth_nothing=data["worth_nothing"],
            close_date=data["close_date"],
            win_reason=data["win_reason"],
            key=form.key,
        )


class LostView(ClosingView):
    form_class = LostForm
    title = gettext_lazy("Lost: %(deal)s")
    submit = gettext_lazy("Mark as lost")
    success_message = gettext_lazy("Lost %(object)s.")

    def get_context_data(self, **kwargs):
        other = {"label": _("Mark as won instead"), "url": url_of(self.record, "won")}
        return super().get_context_data(other=other, **kwargs)

    def perform(self, form):
        data = form.cleaned_data
        return close_lost(
            self.record,
            by=self.request.user,
            reason=data["loss_reason"],
            note=data["loss_note"],
            competitor=data["main_competitor"],
            close_date=data["close_date"],
            key=form.key,
        )


class ReopenView(DealVerbView):
    verb = Verb.REOPEN
    is_for_open = False
    form_class = ReopenForm
    title = gettext_lazy("Reopen %(deal)s")
    submit = gettext_lazy("Reopen")
    success_message = gettext_lazy("Reopened %(object)s.")

    def perform(self, form):
        reason, stage = form.cleaned_data["reason"], form.cleaned_data["stage"]
        by = self.request.user
        return reopen_opportunity(self.record, reason=reason, stage=stage, by=by, key=form.key)
