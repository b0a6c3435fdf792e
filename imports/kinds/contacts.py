"""Files of people: their main account, and whom they report to."""

from django.utils.translation import gettext as _

from contacts.models import Contact
from contacts.models.contact import MAX_REPORTING_STEPS
from contacts.services import set_direct_accounts
from imports.kinds.kind import Owned, match_by_email, split_name
from imports.links import ACCOUNT, ACCOUNT_NAME, EXTERNAL, Link


class Contacts(Owned):
    model = Contact
    needs = ("last_name",)
    read_here = frozenset({"name"})
    in_file = "reports_to"
    links = {
        "account": ACCOUNT,
        "account_name": ACCOUNT_NAME,
        "reports_to": Link(Contact, EXTERNAL, "reports_to"),
    }

    def values(self, draft):
        split_name(draft)
        return super().values(draft)

    def find_stored(self, drafts):
        if self.options.match_by == "email":
            match_by_email(self.run, drafts)

    def new_record(self, draft):
        contact = super().new_record(draft)
        contact.account = draft.links.get("account")
        return contact

    def write_new(self, drafts):
        super().write_new(drafts)
        set_direct_accounts({d.record: d.record.account for d in drafts if d.record.account_id})

    def change(self, draft):
        moved = super().change(draft)
        account = draft.links.get("account")
        if account is not None and account.pk != draft.stored.account_id:
            moved.append("account")
        return moved

    def write_changes(self, drafts):
        moving = [draft for draft in drafts if "account" in draft.changed]
        names = sorted({name for draft in drafts for name in draft.changed} - {"account"})
        if names:
            Contact.objects.bulk_update([draft.stored for draft in drafts], names)
        if moving:
            set_direct_accounts({draft.stored: draft.links["account"] for draft in moving})

    def link_rows(self, pairs):
        moved = []
        above = self._superiors(pairs)
        for draft, superior in pairs:
            person = draft.stored
            if person.reports_to_id == (superior.pk if superior else None):
                continue
            if superior is not None and self._is_below(superior.pk, person.pk, above):
                names = {"superior": superior, "person": person}
                message = _("“Reports to” was not set: %(superior)s reports to %(person)s.")
                draft.note(message % names)
                continue
            above[person.pk] = superior.pk if superior else None
            person.reports_to = superior
            moved.append(draft)
        if moved:
            Contact.objects.bulk_update([draft.stored for draft in moved], ["reports_to"])
        return moved

    def _superiors(self, pairs):
        """Who reports to whom above these people: {person: superior}, a query a step."""
        above, wanted = {}, {s.pk for _draft, s in pairs if s is not None}
        for _step in range(MAX_REPORTING_STEPS + 1):
            wanted -= set(above)
            if not wanted:
                break
            rows = Contact.objects.filter(pk__among=sorted(wanted))
            above |= dict(rows.values_list("pk", "reports_to_id"))
            wanted = {pk for pk in above.values() if pk is not None}
        return above

    def _is_below(self, superior, person, above):
        for _step in range(MAX_REPORTING_STEPS):
            if superior is None:
                return False
            if superior == person:
                return True
            superior = above.get(superior)
        return True
