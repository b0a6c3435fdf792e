"""Files of relations between people and accounts, with their history."""

from collections import defaultdict

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from contacts.models import AccountContactRelation, Contact
from contacts.services import set_direct_accounts
from contacts.signals import relations_changed
from core.normalise import clean_date
from core.reach import Verb, can
from imports.kinds.kind import Kind
from imports.links import ACCOUNT, ACCOUNT_NAME, CONTACT, CONTACT_EMAIL


class Relations(Kind):
    model = AccountContactRelation
    verb = Verb.EDIT
    read_here = frozenset({"is_active", "is_direct", "is_primary_for_account"})
    links = {
        "contact": CONTACT,
        "contact_email": CONTACT_EMAIL,
        "account": ACCOUNT,
        "account_name": ACCOUNT_NAME,
    }

    def find_stored(self, drafts):
        """A relation is known by its two sides; an ended one also by the day it began."""
        for draft in drafts:
            if not {"contact", "account"} <= draft.links.keys():
                draft.fail(_("A relation needs a person and an account."))
        drafts = [draft for draft in drafts if draft.is_open]
        people = sorted({draft.links["contact"].pk for draft in drafts})
        self.of_person = defaultdict(list)
        for relation in AccountContactRelation.objects.filter(contact__among=people):
            self.of_person[relation.contact_id].append(relation)
        for draft in drafts:
            contact, account = draft.links["contact"], draft.links["account"]
            active = self._is_active(draft)
            start = self._day(draft, "start_date")
            key = (contact.pk, account.pk, None if active else start, active)
            if (line := self.run.line_before(key, draft)) is not None:
                draft.skip(_("The same relation stands in line %s.") % line)
                continue
            known = {_key_of(relation): relation for relation in self.of_person[contact.pk]}
            ended = None if active else known.get((contact.pk, account.pk, None, True))
            draft.stored = known.get(key) or ended
            if draft.stored is not None:
                draft.stored.contact, draft.stored.account = contact, account

    def may_create(self, draft):
        return any(can(draft.links[end], self.run.by, Verb.EDIT) for end in ("account", "contact"))

    def _is_active(self, draft):
        end = self._day(draft, "end_date")
        ended = end is not None and end < self.run.context.today
        return self.truth(draft, "is_active", default=not ended) and not ended

    def _day(self, draft, name):
        """The day in the row's field ``name``; a bad one is for its cleaner to refuse."""
        try:
            text = draft.texts[name] if draft.has(name) else None
            return clean_date(text, self.run.context.date_order, imported=True)
        except ValidationError:
            return None

    def settle(self, draft):
        draft.cleaned["is_active"] = active = self._is_active(draft)
        if not active:
            draft.cleaned |= {"is_direct": False, "is_primary_for_account": False}
        elif draft.has("is_primary_for_account"):
            primary = self.truth(draft, "is_primary_for_account")
            draft.cleaned["is_primary_for_account"] = primary
        if draft.stored is None:
            draft.cleaned |= {name: draft.links[name] for name in ("contact", "account")}
        elif draft.stored.is_direct and active:
            draft.cleaned.pop("end_date", None)  # the main account's relation has no end

    def write_new(self, drafts):
        super().write_new(drafts)
        self._settle_direct(drafts)

    def write_changes(self, drafts):
        super().write_changes(drafts)
        self._settle_direct(drafts)

    def _settle_direct(self, drafts):
        """
        Let each of the people with active relations have one direct account again.

        The one that the file calls direct, else the present one, else the oldest.
        """
        called = {d.links["contact"].pk: d for d in drafts if self.truth(d, "is_direct")}
        people = {draft.links["contact"].pk: draft.links["contact"] for draft in drafts}
        relations = AccountContactRelation.objects.filter(contact__among=sorted(people))
        active = defaultdict(list)
        for relation in relations.active().oldest_first().select_related("account"):
            active[relation.contact_id].append(relation)
        accounts, replaced = {}, []
        for pk, person in people.items():
            direct = next((r for r in active[pk] if r.is_direct), None)
            wanted = called[pk].links["account"].pk if pk in called else None
            chosen = next((r for r in active[pk] if r.account_id == wanted), direct)
            chosen = chosen or next((r for r in active[pk] if r.end_date is None), None)
            chosen = chosen or next(iter(active[pk]), None)
            if chosen is None and person.account_id is not None:
                accounts[person] = None
            elif chosen is not None and chosen is not direct:
                accounts[person] = chosen.account
                replaced += [direct] if direct else []
        for relation in replaced:
            relation.is_direct = False  # it stays, as one of several
        AccountContactRelation.objects.bulk_update(replaced, ["is_direct"])
        if accounts:
            fresh = Contact.objects.in_bulk([person.pk for person in accounts])
            set_direct_accounts({fresh[p.pk]: account for p, account in accounts.items()})
        relations_changed.send(sender=Contact, contacts=sorted(people))


def _key_of(relation):
    start = None if relation.is_active else relation.start_date
    return (relation.contact_id, relation.account_id, start, relation.is_active)
