"""
Which accounts, contacts and deals a lead may already be.

By equal keys: e-mail, web or e-mail domain, folded name. Each candidate carries its reasons in
words; what the user may not see is told as a count of its owner's name alone.
Rule: docs/rules/conversion.md, section 2.
"""

from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Account
from contacts.models import Contact
from core.models import Organisation
from core.normalise import domain_of, email_key, name_key
from core.prepared import prepared
from core.reach import Verb, allowed
from leads.models import Lead
from opportunities.models import Opportunity

SHOWN = 4
LOOKED_AT = 20


@dataclass(frozen=True)
class Match:
    """A record that the lead may already be, with the reasons in words."""

    record: object
    reasons: tuple[str, ...]
    is_certain: bool = False

    @property
    def verdict(self):
        return _("Certain") if self.is_certain else _("Likely")


@dataclass(frozen=True)
class Matches:
    """Ranked candidates of one lead; ``hidden`` names owners of matches that can't be seen."""

    accounts: tuple[Match, ...] = ()
    contacts: tuple[Match, ...] = ()
    opportunities: tuple = ()
    hidden: dict = field(default_factory=dict)

    @property
    def fingerprint(self):
        """What of it was shown, for the comparison with what would happen now."""
        rows = (*self.accounts, *self.contacts)
        shown = [[m.record._meta.label_lower, m.record.pk, m.is_certain] for m in rows]
        return [shown, [deal.pk for deal in self.opportunities], sorted(self.hidden.items())]


def suggest_matches(lead, *, by, account=None):
    """
    Candidates for ``lead``: at most four accounts and contacts each, the best first.

    ``account`` is the chosen one, whose open deals are offered; else the certain one's.
    Matching runs against everything; what ``by`` may not see is only told to exist.
    """
    accounts, hidden_account = _accounts(lead, by)
    contacts, hidden_contact = _contacts(lead, by)
    chosen = account or next((m.record for m in accounts if m.is_certain), None)
    deals = open_deals(chosen, by=by) if chosen is not None else ()
    hidden = {"account": hidden_account, "contact": hidden_contact}
    hidden = {card: owner for card, owner in hidden.items() if owner}
    return Matches(tuple(accounts[:SHOWN]), tuple(contacts[:SHOWN]), tuple(deals), hidden)


def open_deals(account, *, by):
    """Open deals of ``account`` that ``by`` may see, the next to close first."""
    deals = Opportunity.objects.visible_to(by).live().open().filter(account=account)
    return deals.select_related("stage").order_by("close_date", "pk")[:LOOKED_AT]


def domains_of(lead):
    """The web and e-mail domains of a lead that say where it works: no free-mail ones."""
    free = Organisation.current().free_mail_domains
    found = (domain_of(value, free) for value in (lead.website, lead.email))
    return sorted({domain for domain in found if domain})


def _accounts(lead, by):
    domains, key = domains_of(lead), name_key(lead.company) if lead.company else ""
    same = Q(pk__in=())
    if domains:
        same |= Q(domain__in=domains)
    if key:
        same |= Q(name_key=key)
    found = _alike(same, model=Account, related=("owner",))
    seen = allowed(found, by, Verb.VIEW)
    matches = [_account_match(lead, a, domains, key) for a in found if a.pk in seen]
    hidden = next((str(a.owner) for a in found if a.pk not in seen), "")
    return sorted(matches, key=_rank), hidden


@prepared
def _alike(same, *, model, related):
    rows = model.objects.live().filter(same).select_related(*related)
    return rows.order_by("pk")[:LOOKED_AT]


def _account_match(lead, account, domains, key):
    reasons, certain = [], False
    if account.domain and account.domain in domains:
        website = domain_of(lead.website, ()) if lead.website else ""
        same_site = account.domain == website
        reasons.append(_("Same website domain") if same_site else _("Same e-mail domain"))
        certain = True
    if key and account.name_key == key:
        reasons.append(_("Same name"))
        if lead.country and account.billing_country == lead.country:
            reasons.append(_("Same country"))
            certain = True
    if lead.city and account.billing_city.casefold() == lead.city.casefold():
        reasons.append(_("Same city"))
    return Match(account, tuple(reasons), certain)


def _contacts(lead, by):
    key, name = email_key(lead.email), lead.name_key
    same = Q(pk__in=())
    if key:
        same |= Q(email_key=key) | Q(secondary_email_key=key)
    if lead.last_name and lead.first_name:
        same |= Q(name_key=name)
    found = _alike(same, model=Contact, related=("owner", "account"))
    seen = allowed(found, by, Verb.VIEW)
    matches = [_contact_match(lead, c, key, name) for c in found if c.pk in seen]
    hidden = next((str(c.owner) for c in found if c.pk not in seen), "")
    return sorted(matches, key=_rank), hidden


def _contact_match(lead, contact, key, name):
    reasons = []
    mail = bool(key) and key in (contact.email_key, contact.secondary_email_key)
    shared = mail and key.split("@")[0] in Organisation.current().role_mailboxes
    same_name = bool(name) and contact.name_key == name
    if mail:
        reasons.append(_("Same e-mail"))
    if same_name:
        reasons.append(_("Same name"))
    if lead.company and contact.account and name_key(lead.company) == contact.account.name_key:
        reasons.append(_("Same company"))
    # A shared mailbox is no proof of identity; a couple with one address is told apart by rank.
    return Match(contact, tuple(reasons), mail and not shared)


def _rank(match):
    return not match.is_certain, -len(match.reasons), match.record.pk


def sibling_leads(lead, *, by, limit=SHOWN):
    """Other open leads with the same e-mail, domain or company: convertible into the same one."""
    same = Q(pk__in=())
    if key := email_key(lead.email):
        same |= Q(email_key=key)
    if domains := domains_of(lead):
        same |= Q(email_domain__in=domains)
    if lead.company:
        same |= Q(company_key=name_key(lead.company))
    rows = Lead.objects.visible_to(by).live().open().filter(same).exclude(pk=lead.pk)
    return list(rows.select_related("status", "owner").order_by("pk")[:limit])
