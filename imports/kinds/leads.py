"""Files of leads: converted ones are history."""

from django.utils.translation import gettext as _

from accounts.models import Account
from contacts.models import Contact
from core.records import lock
from imports.kinds.kind import Owned, match_by_email, split_name, unknown_choice
from imports.links import EXTERNAL, Link
from imports.models import Outcome
from leads.assignment import choose_owners
from leads.models import Conversion, Lead, LeadStatus, Phase
from opportunities.models import Opportunity

TARGETS = ("account", "contact", "opportunity")


class Leads(Owned):
    model = Lead
    read_here = frozenset({"name", "status", "is_converted", "converted_at"})
    links = {
        "converted_account": Link(Account, EXTERNAL, "converted_account", soft=True),
        "converted_contact": Link(Contact, EXTERNAL, "converted_contact", soft=True),
        "converted_opportunity": Link(Opportunity, EXTERNAL, "converted_opportunity", soft=True),
    }

    def __init__(self, run):
        super().__init__(run)
        self.statuses = {}  # by the texts of the file

    def values(self, draft):
        split_name(draft)
        values = super().values(draft)
        converted = self.truth(draft, "is_converted")
        status = self._status(draft)
        if converted:
            moment = self.moment(draft, "converted_at") or self.moment(draft, "source_created_at")
            values["converted_at"] = moment or self.run.now
            if status is None or status.phase != Phase.CONVERTED:
                status = LeadStatus.first(Phase.CONVERTED)
        elif status is not None and status.phase == Phase.CONVERTED:
            status = LeadStatus.first(Phase.QUALIFIED)
            draft.note(_("Marked as converted, but never converted: the status is Qualified."))
        if status is not None:
            values["status"] = status
        return values

    def _status(self, draft):
        if not draft.has("status"):
            return None
        text = draft.texts["status"]
        if text not in self.statuses:
            self.statuses[text] = LeadStatus.named(text)
        status = self.statuses[text]
        if status is None:
            draft.fail(unknown_choice(text, [s.name for s in LeadStatus.everything()]), "status")
        return status

    def find_stored(self, drafts):
        if self.options.match_by == "email":
            match_by_email(self.run, drafts)

    def check_stored(self, drafts):
        """A converted lead stays as it is; imported history is completed where links resolve."""
        converted = [draft for draft in drafts if draft.stored.is_converted]
        super().check_stored([draft for draft in drafts if not draft.stored.is_converted])
        told = [draft for draft in converted if self.truth(draft, "is_converted")]
        for draft in converted:
            if draft not in told:
                draft.skip(_("This lead has been converted; it was left as it is."))
        rows = Conversion.objects.filter(
            lead__among=[draft.stored.pk for draft in told], origin=Conversion.Origin.IMPORTED
        )
        rows = {row.lead_id: row for row in lock(rows)} if told else {}
        completed = []
        for draft in told:
            row = rows.get(draft.stored.pk)
            blanks = [n for n in TARGETS if row and getattr(row, f"{n}_id") is None]
            found = {n: draft.links[f"converted_{n}"] for n in blanks
                     if f"converted_{n}" in draft.links}  # fmt: skip
            draft.outcome = Outcome.UPDATED if found else Outcome.UNCHANGED
            for name, record in found.items():
                setattr(row, name, record)
            completed += [row] if found else []
        Conversion.objects.bulk_update(completed, list(TARGETS))

    def settle(self, draft):
        super().settle(draft)
        if draft.has("nurture_until") and draft.cleaned.get("nurture_until") is None:
            draft.note(_("The date of the next contact is kept for nurtured leads only."))
        if draft.stored is None:
            draft.cleaned["capture_channel"] = Lead.CaptureChannel.IMPORT

    def new_record(self, draft):
        lead = super().new_record(draft)
        if lead.converted_at is not None:
            lead.become_converted(lead.status, at=lead.converted_at)
        return lead

    def make_new(self, drafts):
        """Where the rules are asked, they choose whom the file does not name."""
        super().make_new(drafts)
        if self.options.assign:
            unnamed = [d.record for d in drafts if not d.has("owner") or d.unknown_owner]
            leads = [r for r in unnamed if not r.is_closed and not r.is_archived]
            for lead in leads:
                lead.owner = self.run.by
            if leads:
                choose_owners(leads)

    def change(self, draft):
        """Another owner takes along what else goes with it."""
        before = draft.stored.owner_id
        moved = super().change(draft)
        if "owner" in moved:
            owner, draft.stored.owner_id = draft.stored.owner, before
            moved += draft.stored.give_to(owner)[1:]
        return moved

    def write_new(self, drafts):
        super().write_new(drafts)
        self._write_conversions([(d, d.record) for d in drafts if d.record.is_converted])

    def write_changes(self, drafts):
        converted = [d for d in drafts if "converted_at" in d.changed]
        for draft in converted:
            draft.stored.become_converted(draft.stored.status, at=draft.stored.converted_at)
            draft.changed += ["lifecycle", "mql_at", "sal_at", "sql_at", "status_changed_at"]
        super().write_changes(drafts)
        self._write_conversions([(draft, draft.stored) for draft in converted])

    def _write_conversions(self, pairs):
        Conversion.objects.bulk_create(
            Conversion(
                lead=lead,
                account=draft.links.get("converted_account"),
                contact=draft.links.get("converted_contact"),
                opportunity=draft.links.get("converted_opportunity"),
                converted_at=lead.converted_at,
                origin=Conversion.Origin.IMPORTED,
            )
            for draft, lead in pairs
        )
