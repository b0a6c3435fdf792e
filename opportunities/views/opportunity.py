"""One deal: the page, making and changing it; and the list of all."""

import copy
from collections import defaultdict
from functools import cached_property

from django.contrib import messages
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Account
from contacts.models import Contact
from core import display
from core.forms import VerbForm, key_or_none
from core.history import story
from core.models import Organisation
from core.reach import Verb
from core.sharing import shares_of
from core.tables import Column
from core.templatetags.components import record_link
from core.views import (
    Action,
    RecordCreateView,
    RecordDetailView,
    RecordListView,
    RecordUpdateView,
    url_of,
)
from core.views.lists import ALL, MINE, StandardView
from opportunities.filters import OpportunityFilter
from opportunities.forms.opportunity import (
    CLOSING,
    CONTRACT,
    OpportunityCreateForm,
    OpportunityForm,
)
from opportunities.models import (
    Opportunity,
    OpportunityStageHistory,
    Stage,
    default_close_date,
)
from opportunities.services import create_opportunity, save_opportunity
from opportunities.tables import OpportunityTable
from opportunities.views.role import role_actions

SHOWN_CHANGES = 8
SHOWN_HISTORY = 50
IN_MENU = ("stage", "assign", "sharing", "history", "archive")
STANCE_TONES = {"SUPPORTER": "good", "NEUTRAL": "info", "OPPONENT": "bad"}
FOLLOWED = frozenset({"is_closed", "is_won", "stage_entered_at", "closed_at"})


# -- the list ---------------------------------------------------------------------------------


ABOUT_STATE = ("stage", "closed", "category", "loss_reason")  # they look through all deals
OPEN = {"field": "is_closed", "op": "is", "value": False}
CLOSED = {"field": "is_closed", "op": "is", "value": True}
WON = {"field": "is_won", "op": "is", "value": True}
NOT_WON = {"field": "is_won", "op": "is", "value": False}


class OpportunityListView(RecordListView):
    filterset_class = OpportunityFilter
    table = OpportunityTable
    standard_views = (
        StandardView("open", gettext_lazy("Open"), {"all": [OPEN]}),
        StandardView("mine", gettext_lazy("My open deals"), {"all": [OPEN, MINE]}),
        StandardView("won", gettext_lazy("Won"), {"all": [WON]}),
        StandardView("lost", gettext_lazy("Lost"), {"all": [CLOSED, NOT_WON]}),
        ALL,
    )

    def get_default_view(self):
        query = self.request.GET
        about_state = any(query.get(name) for name in ABOUT_STATE)
        return ALL if about_state else super().get_default_view()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        sums = sums_of(context["page"].records)
        return {**context, "sums": sums, "below_rows": "opportunities/_sums.html"}


def sums_of(deals):
    """What the shown deals add up to, a line a currency."""
    groups = defaultdict(list)
    for deal in deals:
        groups[deal.currency].append(deal)
    return [
        {
            "currency": currency,
            "count": len(rows),
            "amount": sum(deal.amount or 0 for deal in rows),
            "expected": sum(deal.expected_revenue or 0 for deal in rows),
            "unknown": sum(deal.amount is None for deal in rows),
        }
        for currency, rows in sorted(groups.items())
    ]


# -- the page ---------------------------------------------------------------------------------


class OpportunityDetailView(RecordDetailView):
    model = Opportunity
    template_name = "opportunities/opportunity_detail.html"
    form_class = OpportunityForm
    select_related = ("owner", "account", "stage", "created_by", "updated_by")
    groups = (
        (
            gettext_lazy("Details"),
            (
                "account",
                "owner",
                "type",
                "lead_source",
                "lead_status",
                "main_competitor",
                *CLOSING,
                *CONTRACT,
                Column(
                    "original_close_date",
                    gettext_lazy("First close date"),
                    value=lambda deal: deal.original_close_date if deal.slip_days else None,
                    kind="date",
                ),
                Column(
                    "is_private",
                    gettext_lazy("Private"),
                    value=lambda deal: deal.is_private or None,
                    kind="truth",
                ),
            ),
        ),
        (gettext_lazy("Description"), ("description",)),
        (gettext_lazy("Record"), ("created_at", "created_by", "updated_at", "updated_by")),
    )
    offered = ("type", "lead_source", "main_competitor", "description")

    @cached_property
    def today(self):
        return Organisation.current().today()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        actions, deal = context["actions"], self.record
        next_step = list(self._details(("next_step", "next_step_due"), actions))
        return {
            **context,
            "deal": deal,
            "figures": self.get_figures(),
            "next_step": next_step,
            "history": stage_history(deal),
            **self.get_path(actions),
            **self.get_needs(actions),
            **self.get_committee(actions),
            **self.get_team(),
            **self.get_story(),
        }

    def get_line(self):
        """The account, whose name whoever sees the deal may read, and the type."""
        deal, account = self.record, self.record.account
        visible = account.can(self.request.user, Verb.VIEW)
        parts = [record_link(account) if visible else account]
        parts += [deal.type] if deal.type else []
        return format_html_join(", ", "{}", ((part,) for part in parts))

    # what can be done

    def get_actions(self):
        actions, deal = super().get_actions(), self.record
        if not deal.is_closed and self.may(Verb.CHANGE_STAGE):
            won = Action(_("Mark as won"), url_of(deal, "won"), "trophy")
            lost = Action(_("Mark as lost"), url_of(deal, "lost"), "x")
            actions["close"] = Action(_("Close deal"), "", choices=(won, lost))
            url = url_of(deal, "stage")
            actions["stage"] = Action(_("Change stage"), url, "progress-check", "s")
        if deal.is_closed and self.may(Verb.REOPEN):
            actions["reopen"] = Action(_("Reopen"), url_of(deal, "reopen"), "refresh")
        return actions

    def arrange(self, actions):
        first = next((n for n in ("restore", "close", "reopen") if n in actions), "")
        return {
            "primary": actions.get(first),
            "buttons": [actions["update"]] if "update" in actions else [],
            "more": [actions[name] for name in IN_MENU if name in actions],
        }

    # what stands on the page

    def get_path(self, actions):
        """The open stages as steps, and how the deal ends; steps that can be taken are buttons."""
        deal, now = self.record, self.record.stage
        stages = [s for s in Stage.everything() if not s.is_closed and (s.is_active or s == now)]
        steps = [
            {
                "label": stage.name,
                "value": stage.pk,
                "state": "now" if stage == now else self.get_state(stage),
                "is_open": not deal.is_closed,
            }
            for stage in stages
        ]
        end = now if deal.is_closed else Stage.first_won()
        steps.append(
            {
                "label": end.name,
                "value": end.pk,
                "state": "now" if deal.is_closed else "",
                "is_won": end.is_won,
                "url": "" if deal.is_closed or "close" not in actions else url_of(deal, "won"),
                "is_open": False,
            }
        )
        return {
            "steps": steps,
            "path_action": actions["stage"].url if "stage" in actions else "",
            "path_form": VerbForm(),
            "path_compact": True,
        }

    def get_state(self, stage):
        """An earlier stage is done; of a lost deal nothing is."""
        deal = self.record
        return "done" if not deal.is_lost and stage.position < deal.stage.position else ""

    def get_figures(self):
        deal = self.record
        by_hand, by_stage = _("set by hand"), _("from the stage")
        return [
            self.get_amount(),
            {
                "label": _("Probability"),
                "value": deal.probability,
                "kind": "percent",
                "note": by_hand if deal.probability_overridden else by_stage,
            },
            {
                "label": _("Expected revenue"),
                "value": deal.expected_revenue,
                "kind": "money",
                "currency": deal.currency,
                "note": _("amount × probability"),
            },
            self.get_close_date(),
            {
                "label": _("Forecast"),
                "value": deal.get_forecast_category_display(),
                "kind": "text",
                "note": by_hand if deal.category_overridden else by_stage,
            },
        ]

    def get_amount(self):
        deal, label = self.record, _("Amount")
        if deal.amount is None:
            note = _("not known yet") if not deal.is_closed else ""
            value = {"label": label, "value": _("Unknown"), "kind": "text"}
            return {**value, "note": note, "note_tone": "warn"}
        note = ""
        if deal.original_amount is not None and deal.original_amount != deal.amount:
            first = display.money(deal.original_amount, deal.currency)
            note = _("%(amount)s at first") % {"amount": first}
        value = {"label": label, "value": deal.amount, "kind": "money", "currency": deal.currency}
        return {**value, "note": note}

    def get_close_date(self):
        deal = self.record
        note, tone = closing_note(deal, today=self.today)
        value = {"label": _("Close date"), "value": deal.close_date, "kind": "date"}
        return {**value, "note": note, "note_tone": tone}

    def get_needs(self, actions):
        """What the present stage asks for, and the fields that the next one wants filled."""
        deal = self.record
        if deal.is_closed or self.is_archived:
            return {"exit_criteria": "", "needed": []}
        later = [s for s in Stage.choices() if s.position > deal.stage.position and not s.is_lost]
        following = later[0] if later else None
        names = deal.missing_for(following) if following else []
        known = [name for name in names if name in OpportunityForm.Meta.fields]
        edit = actions["update"].url if "update" in actions else ""
        return {
            "exit_criteria": deal.stage.exit_criteria,
            "following": following,
            "needed": [
                {
                    "label": capfirst(deal._meta.get_field(name).verbose_name),
                    "url": f"{edit}?field={name}" if edit else "",
                }
                for name in known
            ],
        }

    def get_committee(self, actions):
        user, deal = self.request.user, self.record
        roles = list(deal.committee().select_related("contact__account"))
        may_edit = "update" in actions
        offered = ("update",) if any(role.is_primary for role in roles) else ("update", "primary")
        return {
            "committee": [
                {
                    "role": role,
                    "is_visible": role.contact.can(user, Verb.VIEW),
                    "tone": STANCE_TONES.get(role.stance, ""),
                    "actions": [role_actions(role)[n] for n in offered] if may_edit else [],
                }
                for role in roles
            ],
            "gaps": deal.committee_gaps(roles),
            "add_person_url": reverse("opportunities:role_create", args=[deal.pk])
            if may_edit
            else "",
        }

    def get_team(self):
        """The members of the deal's team as they are now."""
        members = [row for row in shares_of(self.record) if not row.has_ended(self.today)]
        add_url = url_of(self.record, "share") if self.may(Verb.SHARE) else ""
        return {"team": members, "add_member_url": add_url}

    def get_story(self):
        """How the deal came in, and the latest changes."""
        told = story(self.record, user=self.request.user, limit=SHOWN_CHANGES)
        for entry in told.entries:
            entry.values = [value for value in entry.values if value.name not in FOLLOWED]
        return {
            "entries": told.entries,
            "has_older": told.has_older,
            "origin": told.origin,
        }


def closing_note(deal, *, today):
    """What is to be said of a deal's close date, and its tone."""
    if deal.is_closed:
        return "", ""
    days = (deal.close_date - today).days
    parts, tone = [], ""
    if days < 0:
        overdue = ngettext("%(n)s day overdue", "%(n)s days overdue", -days) % {"n": -days}
        parts, tone = [overdue], "bad"
    elif days == 0:
        parts = [_("today")]
    else:
        parts = [ngettext("%(n)s day left", "%(n)s days left", days) % {"n": days}]
    if pushed := deal.push_count:
        moved = ngettext("moved %(n)s time", "moved %(n)s times", pushed) % {"n": pushed}
        parts, tone = [*parts, moved], tone or "warn"
    return ", ".join(parts), tone


def stage_history(deal):
    """The stages that a deal was in, the present one first: days, amount, who moved it there."""
    rows = OpportunityStageHistory.objects.filter(opportunity=deal).select_related("by")
    rows = list(rows.order_by("-at", "-pk")[:SHOWN_HISTORY])
    stages = {stage.pk: stage for stage in Stage.everything()}
    found, until, amount = [], None, deal.amount
    now = timezone.now()
    for row in rows:
        if row.moved_stage:
            found.append(
                {
                    "stage": stages.get(row.to_stage_id),
                    "since": row.at,
                    "days": ((until or now) - row.at).days,
                    "is_now": until is None,
                    "amount": amount,
                    "by": row.by,
                }
            )
            until, amount = row.at, row.from_amount
    return found


# -- making and changing ----------------------------------------------------------------------


class OpportunityCreateView(RecordCreateView):
    form_class = OpportunityCreateForm

    def get_initial(self):
        """Started from a person or an account, both are filled, and the name begins with it."""
        preset = default_close_date(Organisation.current().today())
        initial = {"close_date": preset, **super().get_initial()}
        user, contact, account = self.request.user, None, None
        if key := key_or_none(self.request.GET.get("contact", "")):
            people = Contact.objects.live().visible_to(user).select_related("account")
            contact = people.filter(pk=key).first()
        if key := key_or_none(self.request.GET.get("account", "")):
            account = Account.objects.live().visible_to(user).filter(pk=key).first()
        elif contact is not None and contact.account and contact.account.can(user, Verb.VIEW):
            account = contact.account
        if contact is not None:
            initial["primary_contact"] = contact.pk
        if account is not None:
            initial |= {"account": account.pk, "currency": account.currency}
            initial.setdefault("name", f"{account} – "[:120])
        return initial

    def perform(self, form):
        contact, by = form.cleaned_data["primary_contact"], self.request.user
        deal = create_opportunity(form.build(), by=by, primary_contact=contact, key=form.key)
        if deal.amount is None:
            text = _("No amount yet: keep it as a lead, or as a note on the contact?")
            messages.warning(self.request, text)
        return deal


class OpportunityUpdateView(RecordUpdateView):
    model = Opportunity
    form_class = OpportunityForm

    def get_queryset(self):
        return super().get_queryset().select_related("owner", "account", "stage")

    def perform(self, form):
        deal = form.apply_to(copy.copy(self.record))
        deal.version = self.version_of(form)
        return save_opportunity(deal, by=self.request.user, key=form.key)
