"""One lead: its page, making and changing it."""

from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from core import display, reach
from core.forms import VerbForm
from core.history import history, snapshot
from core.journal import Change, Label
from core.journal import Verb as JournalVerb
from core.reach import Verb
from core.tables import Column, address, as_columns, column_of
from core.views import (
    Action,
    RecordCreateView,
    RecordDetailView,
    RecordUpdateView,
    url_of,
)
from leads.assignment import choose_owners
from leads.conversion import suggest_matches
from leads.conversion.leftovers import fields_left
from leads.forms.lead import (
    ADDRESS,
    PERSON,
    REACH,
    STATUS,
    LeadForm,
    NewLeadForm,
)
from leads.models import AssignedBy, Conversion, Lead, LeadStatus, Phase
from leads.models.lead import POINTS
from leads.services import may_hand_over, may_set_status

CONSEQUENCES = frozenset(
    {"phase", "status_changed_at", "mql_at", "sal_at", "sql_at", "assigned_at", "assigned_by"}
    | {"handed_over_at", "handed_over_by", "returned_by"}
)
SHOWN_CHANGES = 8
SHOWN_MATCHES = 3
TARGETS = {"account": gettext_lazy("account"), "contact": gettext_lazy("contact")}
WAY = (Phase.OPEN, Phase.WORKING, Phase.NURTURING, Phase.QUALIFIED)


def budget_text(lead):
    """The budget with its status: "€48,000, approved"; "" if nothing is known."""
    amount = display.money(lead.budget, lead.budget_currency)
    status = lead.get_budget_status_display() if lead.budget_status else ""
    return f"{amount}, {display.in_sentence(status)}" if amount and status else amount or status


def permission(name, label):
    """A Column that says since when the lead does not want to be contacted in this way."""

    def words(lead):
        if not getattr(lead, name):
            return ""
        since = getattr(lead, f"{name}_at")
        if since is None:
            return _("Opted out")
        return _("Opted out since %(day)s") % {"day": display.day(timezone.localdate(since))}

    return Column(name, label, value=words, kind="pill", tone=lambda lead: "warn")


def chosen_by(lead):
    """What chose the owner, with the rule's name; "" if somebody did."""
    if lead.assigned_by_rule_id is None:
        return lead.get_assigned_by_display()
    if lead.assigned_by == AssignedBy.RULE:
        return _("Rule “%(rule)s”") % {"rule": lead.assigned_by_rule}
    return _("Rule “%(rule)s”, whose target was away") % {"rule": lead.assigned_by_rule}


CHOSEN_BY = Column("assigned_by", gettext_lazy("Assigned by"), value=chosen_by)
BUDGET = Column("budget", gettext_lazy("Budget"), value=budget_text)
POSTAL = address("", gettext_lazy("Address"))
REASON = column_of(Lead, "disqualify_reason")


ABOUT = (
    gettext_lazy("What it is about"),
    (
        Column("product_interest", gettext_lazy("Product interest")),
        "need",
        "interests",
        "description",
    ),
)
ANSWERS = (
    gettext_lazy("Qualification"),
    (
        "interest",
        BUDGET,
        "authority",
        "timeline",
    ),
)
DETAILS = (
    gettext_lazy("Details"),
    (
        *PERSON,
        "company",
        "website",
        "industry",
        "employees",
        "annual_revenue",
        "matched_account",
        POSTAL,
        "rating",
    ),
)
CONTACT = (
    gettext_lazy("Phone and mail"),
    (
        "email",
        "secondary_email",
        permission("email_opt_out", gettext_lazy("E-mail permission")),
        "phone",
        "mobile",
        "fax",
        permission("do_not_call", gettext_lazy("Call permission")),
        permission("fax_opt_out", gettext_lazy("Fax permission")),
        *REACH[5:],
        "consent_note",
    ),
)
ORIGIN = (
    gettext_lazy("Source and record"),
    (
        "lead_source",
        "source_detail",
        "capture_channel",
        "lifecycle",
        CHOSEN_BY,
        "assigned_at",
        "handed_over_by",
        "handed_over_at",
        "handover_note",
        "status_changed_at",
        *STATUS,
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "source_created_at",
    ),
)


SHOWN_BY = {"budget": BUDGET, **dict.fromkeys(ADDRESS, POSTAL)}


class LeadDetailView(RecordDetailView):
    model = Lead
    template_name = "leads/lead_detail.html"
    form_class = LeadForm
    select_related = (
        *("owner", "status", "matched_account", "created_by", "updated_by"),
        *("assigned_by_rule", "handed_over_to", "handed_over_by", "returned_by"),
    )
    facts = (
        Column("score", gettext_lazy("Score"), value="qualification_score", kind="score"),
        Column("budget", gettext_lazy("Budget"), value=budget_text, blank=gettext_lazy("Unknown")),
        Column(
            "phone",
            gettext_lazy("Phone"),
            value=lambda lead: lead.phone or lead.mobile,
            kind="phone",
            blank=gettext_lazy("None yet"),
        ),
        "owner",
        Column("lead_source", gettext_lazy("Source"), blank=gettext_lazy("Unknown")),
    )

    offered = (
        *("title", "company", "industry", "street", "email", "phone"),
        *("interest", "budget", "authority", "timeline", "need", "product_interest"),
        "lead_source",
    )

    @property
    def groups(self):
        """The details at the side; those of a converted lead stand in its snapshot."""
        return (ORIGIN,) if self.record.is_converted else (DETAILS, CONTACT, ORIGIN)

    def get_line(self):
        lead = self.record
        return ", ".join(part for part in (lead.title, lead.company) if part and part != str(lead))

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context |= {
            "lead": self.record,
            "reason": REASON.shown(self.record),
            **self.get_handover(),
            "entries": self.get_story(),
            **self.get_path(context["actions"]),
        }
        context["facts"][0]["note"] = self.record.get_rating_display()
        if self.record.is_converted:
            return context | self.get_conversion()
        context |= self.get_wishes(context["actions"])
        return context if self.is_archived else context | self.get_matches(context["facts"])

    # what can be done

    def get_actions(self):
        actions = super().get_actions()
        if self.may(Verb.ASSIGN):
            actions |= self.get_ways_to_give()
        if self.record.is_converted:
            url = url_of(self.record, "conversion")
            actions["conversion"] = Action(_("What it became"), url, "arrows-split-2")
        if self.may(Verb.CONVERT):
            url = url_of(self.record, "convert")
            actions["convert"] = Action(_("Convert"), url, "arrows-split-2", "c")
        if self.may(Verb.EDIT):
            actions |= self.get_ways_to_reach()
            if may_set_status(self.record, by=self.request.user):
                actions |= self.get_moves()
        return actions

    def get_ways_to_give(self):
        """Who chooses another owner: the rules, or the one to whom the lead is offered."""
        lead, actions = self.record, {}
        if not lead.is_closed:
            url = url_of(lead, "rules")
            actions["rules"] = Action(_("Assign now by rules"), url, "target-arrow")
        if may_hand_over(lead, by=self.request.user):
            url = url_of(lead, "hand_over")
            actions["hand_over"] = Action(_("Hand over"), url, "arrow-right")
        return actions

    def get_moves(self):
        """The verbs that lead to another status, as far as the phase allows."""
        lead = self.record

        def move(name, label, icon, key=""):
            return Action(label, url_of(lead, name), icon, key)

        actions = {"status": move("status", _("Set status"), "progress-check", "s")}
        if lead.phase in (Phase.NURTURING, Phase.DEAD):
            actions["reopen"] = move("reopen", _("Reopen"), "refresh")
        if lead.phase != Phase.NURTURING and lead.may_move_to(Phase.NURTURING):
            actions["nurture"] = move("nurture", _("Nurture"), "clock-pause")
        if lead.phase != Phase.DEAD:
            actions["disqualify"] = move("disqualify", _("Disqualify"), "ban")
        return actions

    def get_ways_to_reach(self):
        """Calling and writing, unless the lead does not want it."""
        lead, actions = self.record, {}
        number = lead.phone_e164 or lead.mobile_e164
        if number and not lead.do_not_call:
            actions["call"] = Action(_("Call"), f"tel:{number}", "phone")
        if lead.email and not lead.email_opt_out:
            url = f"mailto:{quote(lead.email, safe='@')}"
            actions["email"] = Action(_("E-mail"), url, "mail")
        return actions

    def arrange(self, actions):
        """Convert is the next thing to do; of a lead that was given up it is Reopen."""
        wanted = ("restore", "reopen", "convert", "conversion")
        if self.record.phase != Phase.DEAD:
            wanted = ("restore", "convert", "conversion")
        first = next((name for name in wanted if name in actions), "")
        menu = (
            "hand_over",
            "assign",
            "rules",
            "convert",
            "status",
            "reopen",
            "nurture",
            "disqualify",
        )
        return {
            "primary": actions.get(first),
            "buttons": [actions[n] for n in ("call", "email", "update") if n in actions],
            "more": [
                actions[name]
                for name in (*menu, "sharing", "history", "archive")
                if name in actions and name != first
            ],
        }

    # what stands on the page

    def get_path(self, actions):
        """The phases as steps; those that the lead may go to are buttons."""
        lead = self.record
        way = [*WAY, Phase.DEAD if lead.phase == Phase.DEAD else Phase.CONVERTED]
        now = way.index(Phase(lead.phase))
        steps = []
        for number, phase in enumerate(way):
            statuses = LeadStatus.of_phase(phase)
            if not statuses and number != now:
                continue
            is_past = number < now and lead.phase != Phase.DEAD
            is_convert = phase == Phase.CONVERTED and "convert" in actions
            steps.append(
                {
                    "label": lead.status.name if number == now else phase.label,
                    "value": statuses[0].pk if statuses else "",
                    "state": "now" if number == now else "done" if is_past else "",
                    "is_won": phase == Phase.CONVERTED,
                    "is_open": phase != Phase.CONVERTED and lead.may_move_to(phase),
                    "url": actions["convert"].url if is_convert else "",
                }
            )
        return {
            "steps": steps,
            "path_action": actions["status"].url if "status" in actions else "",
            "path_form": VerbForm(),
            "path_name": "status",
            "path_label": _("Status"),
        }

    def get_handover(self):
        """The hand-over that waits for its answer, and whether that is the user's."""
        lead = self.record
        if not lead.is_handed_over or lead.is_archived:
            return {"handover": None}
        waits_for_me = lead.waits_for(self.request.user)
        return {
            "handover": {
                "due_at": lead.answer_due_at,
                "is_overdue": lead.is_answer_overdue(now=timezone.now()),
                "accept_url": url_of(lead, "accept") if waits_for_me else "",
                "return_url": url_of(lead, "return"),
                "form": VerbForm(auto_id=False),
            }
        }

    def get_story(self):
        """The latest changes in short; all of them stand on a page of their own."""
        entries, _older = history(self.record, user=self.request.user, limit=SHOWN_CHANGES)
        for entry in entries:
            entry.values = [value for value in entry.values if value.name not in CONSEQUENCES]
        return entries

    def get_wishes(self, actions):
        """What the lead wants, and how it is qualified: the answers, their points, what to ask."""
        lead = self.record
        labels = {n: capfirst(lead._meta.get_field(n).verbose_name) for n in POINTS}
        labels["budget_status"] = _("Budget")
        return {
            "about": [(ABOUT[0], list(self._details(ABOUT[1], actions)))],
            "answers": list(self._details(ANSWERS[1], actions)),
            "points": [(labels[n], points) for n, points in lead.qualification_parts.items()],
            "missing": [display.in_sentence(labels[name]) for name in lead.unknown_parts],
        }

    def get_matches(self, facts):
        """Records that the lead may already be, with a link to them among the facts."""
        found = suggest_matches(self.record, by=self.request.user)
        matches = sorted((*found.accounts, *found.contacts), key=lambda m: not m.is_certain)
        count = len(matches)
        counted = ngettext("%(count)s match", "%(count)s matches", count) % {"count": count}
        if count:
            fact = {"label": _("Known"), "value": counted, "kind": "pill", "tone": "warn"}
            facts.append({**fact, "href": "#known"})
        return {
            "matches": matches[:SHOWN_MATCHES],
            "match_count": counted if count else "",
            "hidden_matches": [(TARGETS[card], owner) for card, owner in found.hidden.items()],
        }

    def get_conversion(self):
        """What the lead became, what it was just before, what was not taken over."""
        user = self.request.user
        rows = Conversion.objects.filter(lead=self.record).order_by("pk")
        conversion = rows.select_related(
            "account__owner", "contact__owner", "opportunity__owner", "converted_by"
        ).first()
        if conversion is None:
            return {"before": self.get_snapshot(self.record)}
        records = (conversion.account, conversion.contact, conversion.opportunity)
        became = [
            {"record": r, "kind": r._meta.verbose_name, "is_visible": r.can(user, Verb.VIEW)}
            for r in records
            if r is not None
        ]
        change = change_by(conversion)
        if change is None:  # it was imported: nothing tells what was before
            past, left = self.record, ()
        else:
            past = snapshot(self.record, change.version - 1)
            left = fields_left(past, conversion, operation_id=change.operation_id)
        may_undo = change is not None and reach.may_undo(user, conversion.converted_by)
        return {
            "conversion": conversion,
            "became": became,
            "undo_url": reverse("core:undo", args=[change.operation_id]) if may_undo else "",
            "before": self.get_snapshot(past),
            "left": list(shown_of(past, dict.fromkeys(SHOWN_BY.get(n, n) for n in left))),
        }

    def get_snapshot(self, past):
        """All that is known of the lead as it was, to be read only."""
        groups = (ABOUT, ANSWERS, DETAILS, CONTACT)
        return [(heading, list(shown_of(past, items))) for heading, items in groups]


def change_by(conversion):
    """The Change of the lead that ``conversion`` made; None if it was imported."""
    if conversion.origin == Conversion.Origin.IMPORTED:
        return None
    made = Change.objects.filter(model="leads.lead", object_id=conversion.lead_id)
    made = made.filter(
        operation__changes__model=conversion._meta.label_lower,
        operation__changes__object_id=conversion.pk,
        operation__changes__verb=JournalVerb.CREATED,
    )
    return made.order_by("-version").first()


def shown_of(record, items):
    """Those details that have a value, as the page of details shows them, not to be edited."""
    for column in as_columns(type(record), items):
        if shown := column.shown(record):
            yield {"column": column, "shown": shown, "url": "", "is_link": True}


class LeadCreateView(RecordCreateView):
    form_class = NewLeadForm

    def write(self, form, record):
        if form.cleaned_data["by_rules"]:
            choose_owners([record])
        super().write(form, record)

    def label_of(self, record):
        if record.assigned_by_rule_id is None:
            return super().label_of(record)
        text = gettext_noop("Added %(record)s, assigned to %(owner)s by the rule %(rule)s")
        return Label(text, record=record, owner=record.owner, rule=record.assigned_by_rule)


class LeadUpdateView(RecordUpdateView):
    model = Lead
    form_class = LeadForm
