"""Files of deals: closed ones get what their stage says."""

import copy
import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from contacts.models import Contact
from core.bulk import insert
from core.fiscal import first_of_month
from core.normalise import choice_key
from core.reach import Verb
from imports.kinds.kind import Owned, unknown_choice
from imports.links import ACCOUNT, ACCOUNT_NAME, EXTERNAL, Link
from opportunities.models import Opportunity, OpportunityContactRole, Stage
from opportunities.services import create_opportunities, record_history, refresh_external

CATEGORIES = {"forecast": "COMMIT", "mostlikely": "BEST_CASE"}
"""Forecast categories that Salesforce calls otherwise."""


class Opportunities(Owned):
    model = Opportunity
    verb = Verb.CREATE
    needs = ("name",)
    linked_values = ("account",)
    read_here = frozenset({"stage", "expected_revenue", "closed_at", "forecast_category"})
    links = {
        "account": ACCOUNT,
        "account_name": ACCOUNT_NAME,
        "contact": Link(Contact, EXTERNAL, "contact", soft=True),
    }

    def __init__(self, run):
        super().__init__(run)
        self.stages = {}  # by the texts of the file
        self.before = {}

    def check_stored(self, drafts):
        self.before = {}
        super().check_stored(drafts)

    def values(self, draft):
        values = super().values(draft)
        if draft.has("stage"):
            text = draft.texts["stage"]
            if text not in self.stages:
                self.stages[text] = Stage.named(text)
            stage = self.stages[text]
            if stage is None:
                draft.fail(unknown_choice(text, [s.name for s in Stage.everything()]), "stage")
            else:
                values["stage"] = stage
        if draft.has("forecast_category"):
            text = draft.texts["forecast_category"]
            values["forecast_category"] = CATEGORIES.get(choice_key(text), text)
        if draft.stored is None and (account := draft.links.get("account")):
            values.setdefault("currency", account.currency)
        return values

    def settle(self, draft):
        super().settle(draft)
        cleaned, stored = draft.cleaned, draft.stored
        if stored is None and "account" not in draft.links and not draft.makes_account:
            draft.fail(_("A deal needs an account."), "account")
            return
        stage = cleaned.get("stage")
        if stage is not None and (stored is None or stage.pk != stored.stage_id):
            cleaned["closed_at"] = self._closed_at(draft, stage)
            if stored is not None:
                cleaned["stage_entered_at"] = cleaned["closed_at"] or self.run.now
        if stored is None:
            if not draft.has("close_date"):
                message = _("No close date: it was set to %s.")
                draft.note(message % cleaned.get("close_date"))
            if stage is not None and stage.is_won and cleaned.get("amount") is None:
                draft.note(_("Won without an amount."))

    def _closed_at(self, draft, stage):
        """When a closed deal was closed: as the file says, else on its close date."""
        if not stage.is_closed:
            return None
        day = draft.cleaned.get("close_date") or getattr(draft.stored, "close_date", None)
        if (moment := self.moment(draft, "closed_at")) or day is None:
            return moment or self.run.now
        return datetime.datetime.combine(day, datetime.time(), self.run.context.zone)

    def new_record(self, draft):
        draft.cleaned.setdefault("account", draft.links["account"])
        return super().new_record(draft)

    def write_new(self, drafts):
        for draft in drafts:
            draft.record = self.new_record(draft)
        create_opportunities([d.record for d in drafts], by=self.run.by, at=self.run.now)
        insert(
            OpportunityContactRole(
                opportunity=draft.record, contact=draft.links["contact"], is_primary=True
            )
            for draft in drafts
            if "contact" in draft.links
        )
        for draft in drafts:
            self._compare(draft, draft.record)

    def _compare(self, draft, deal):
        """The expected revenue of the file is compared, never stored."""
        if not draft.has("expected_revenue"):
            return
        told, computed = self.number(draft.texts["expected_revenue"]), deal.expected_revenue
        if told is None or computed is None or abs(told - computed) > Decimal("0.01"):
            values = {"told": draft.texts["expected_revenue"], "computed": computed}
            message = _("The file expects %(told)s, amount and probability give %(computed)s.")
            draft.note(message % values)

    def change(self, draft):
        deal = draft.stored
        before = copy.copy(deal)
        self.before[deal.pk] = before
        moved = super().change(draft)
        if not moved:
            return moved
        if not deal.is_closed:
            flags = (deal.probability_overridden, deal.category_overridden)
            deal.note_overrides()
            if flags != (deal.probability_overridden, deal.category_overridden):
                moved += ["probability_overridden", "category_overridden"]
            pushed = first_of_month(deal.close_date) > first_of_month(before.close_date)
            if pushed and not before.is_closed:
                deal.push_count += 1
                moved.append("push_count")
        return moved

    def write_changes(self, drafts):
        super().write_changes(drafts)
        deals = [draft.stored for draft in drafts]
        record_history(deals, before=self.before, by=self.run.by, at=self.run.now)
        moved = [draft.stored.pk for draft in drafts if "account" in draft.changed]
        if moved:
            refresh_external(OpportunityContactRole.objects.filter(opportunity__among=moved))
