"""Files of accounts: their parents stand anywhere in the file."""

import copy

from django.utils.translation import gettext as _

from accounts.models import Account
from accounts.signals import account_moved
from core.normalise import clean_text, clean_url, domain_of, name_key
from core.reach import Verb, allowed
from imports.kinds.kind import Owned, cleaned_text
from imports.links import EXTERNAL, Link


class Accounts(Owned):
    model = Account
    needs = ("name",)
    in_file = "parent"
    links = {"parent": Link(Account, EXTERNAL, "parent")}

    def find_stored(self, drafts):
        if self.options.match_by == "name":
            keys = {d.line: name_key(cleaned_text(clean_text, d, "name")) for d in drafts}
            self.run.match(drafts, "name_key", keys)
        elif self.options.match_by == "domain":
            keys = {d.line: domain_of(cleaned_text(clean_url, d, "website")) for d in drafts}
            self.run.match(drafts, "domain", keys)

    def link_rows(self, pairs):
        pairs = [(d, p) for d, p in pairs if d.stored.parent_id != (p.pk if p else None)]
        editable = allowed([parent for _draft, parent in pairs if parent], self.run.by, Verb.EDIT)
        moved = []
        for wave in _waves(pairs):
            fit = [(d, p) for d, p in wave if self._may_lie_below(d, p, editable)]
            before = {draft.line: copy.copy(draft.stored) for draft, _parent in fit}
            for draft, parent in fit:
                draft.stored.parent = parent
            Account.objects.bulk_update([draft.stored for draft, _parent in fit], ["parent"])
            moved += [draft for draft, _parent in fit]
            for draft, _parent in fit:
                if draft.stored.created_at < self.run.now:  # new ones have no people, no deals
                    account_moved.send(
                        sender=Account, account=draft.stored, before=before[draft.line]
                    )
        return moved

    def _may_lie_below(self, draft, parent, editable):
        account = draft.stored
        if parent is None:
            return True
        if parent.pk not in editable:
            draft.note(_("The parent was not set: you can't edit %s.") % parent)
            return False
        if account.pk == parent.pk or account.pk in parent.ancestor_ids:
            names = {"account": account, "parent": parent}
            message = _("The parent was not set: %(parent)s lies below %(account)s.")
            draft.note(message % names)
            return False
        return True


def _waves(pairs):
    """
    Pairs of (draft, parent) in groups, so that parents find their place before their children.

    What forms a ring is left over and noted.
    """
    waiting = {draft.stored.pk: (draft, parent) for draft, parent in pairs}
    while waiting:
        wave = [pair for pair in waiting.values() if pair[1] is None or pair[1].pk not in waiting]
        if not wave:
            for draft, _parent in waiting.values():
                message = _("The parent was not set: %s would lie below itself.")
                draft.note(message % draft.stored)
            return
        for draft, _parent in wave:
            del waiting[draft.stored.pk]
        # What moved above them in the wave before has changed these parents' places, and theirs.
        fresh = Account.objects.in_bulk([p.pk for _draft, p in wave if p is not None])
        yield [(draft, fresh.get(parent.pk) if parent else None) for draft, parent in wave]
