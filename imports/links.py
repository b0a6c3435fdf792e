"""
What rows refer to: accounts, people, deals and owners, looked up once a chunk.

Only what the importing user may see is found; the rest is answered as if it did not exist.
"""

from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Account
from contacts.models import Contact
from core.normalise import choice_key, email_key, name_key, shown
from opportunities.models import Opportunity
from users.models import Role, User

EXTERNAL, NAME, EMAIL = "external_id", "name", "email"


@dataclass(frozen=True)
class Link:
    """A field of a row that names a record: which, by what, and the model's field for it."""

    model: type
    key: str
    target: str
    soft: bool = False  # a row that points at nothing comes in all the same, with a note


ACCOUNT = Link(Account, EXTERNAL, "account")
ACCOUNT_NAME = Link(Account, NAME, "account")
CONTACT = Link(Contact, EXTERNAL, "contact")
CONTACT_EMAIL = Link(Contact, EMAIL, "contact")
OPPORTUNITY = Link(Opportunity, EXTERNAL, "opportunity")

KIND_OF = {Account: "accounts", Contact: "contacts", Opportunity: "opportunities"}


class NotFound(Exception):
    """What a row refers to is not there, or is there several times; the text says which."""


class Finder:
    """Looks up, with one query a kind of reference, what the rows of a chunk refer to."""

    def __init__(self, by, source):
        self.by = by
        self.source = source

    def source_of(self, model):
        """Where external ids of ``model`` come from: the mapping's source, else its imports."""
        return self.source or f"import:{KIND_OF[model]}"

    def find(self, link, texts):
        """{text: the records that it may mean} for all ``texts`` of one Link."""
        if link.key == EXTERNAL:
            return self._by_external_id(link.model, texts)
        if link.key == EMAIL:
            return self._by_key(link.model, "email_key", email_key, texts)
        alike = self._by_key(link.model, "name_key", name_key, texts)
        return {
            text: [r for r in records if choice_key(r.name) == choice_key(text)]
            for text, records in alike.items()
        }

    def _by_external_id(self, model, texts):
        rows = model.objects.visible_to(self.by).filter(
            external_source=self.source_of(model), external_id__among=sorted(texts)
        )
        found = {record.external_id: [record] for record in rows}
        return self._winners(model, found)

    def _winners(self, model, found):
        """Merged records stand for those that they were merged into."""
        merged = {r.merged_into_id for records in found.values() for r in records} - {None}
        if not merged:
            return found
        winners = model.objects.visible_to(self.by).filter(pk__among=sorted(merged))
        winners = {winner.pk: winner for winner in winners}
        return {
            text: [winners.get(record.merged_into_id, record) for record in records]
            for text, records in found.items()
        }

    def _by_key(self, model, field, key_of, texts):
        keys = {text: key_of(text.strip()) for text in texts}
        wanted = sorted(set(keys.values()) - {""})
        rows = model.objects.visible_to(self.by).live().filter(**{f"{field}__among": wanted})
        found = {}
        for record in rows.order_by("pk"):
            found.setdefault(getattr(record, field), []).append(record)
        return {text: found[key] for text, key in keys.items() if key in found}


def chosen(link, text, records):
    """
    The one record that ``text`` means.

    :raises NotFound: there is none, it is in the recycle bin, or there are several
    """
    what = link.model._meta.verbose_name
    if not records:
        if link.key == EXTERNAL:
            message = _("There is no %(what)s with the external id “%(text)s”.")
        elif link.key == EMAIL:
            message = _("There is no %(what)s with the e-mail address “%(text)s”.")
        else:
            message = _("There is no %(what)s called “%(text)s”.")
        raise NotFound(message % {"what": what, "text": shown(text)})
    if len(records) > 1:
        message = _("“%(text)s” may mean %(count)s records. Use an external id.")
        raise NotFound(message % {"text": shown(text), "count": len(records)})
    record = records[0]
    if record.archived_at is not None:
        message = _("“%(text)s” (%(record)s) is in the recycle bin.")
        raise NotFound(message % {"text": shown(text), "record": record})
    return record


def not_found(link, text):
    """The words for ``text`` naming nothing."""
    try:
        chosen(link, text, ())
    except NotFound as reason:
        return str(reason)
    return ""


class Owners:
    """Users by what the file calls them: by the owner map, else by their e-mail address."""

    def __init__(self, owner_map, by):
        self.owner_map = owner_map
        self.by = by
        users = User.objects.active()
        if by.role in (Role.REP, Role.SDR):  # they hand over within their own team
            users = users.filter(Q(team__isnull=False, team=by.team_id) | Q(pk=by.pk))
        self.active = dict(users.values_list("email", "pk"))

    def find(self, text):
        """The key of the active user that ``text`` names, None if it names nobody."""
        email = self.owner_map.get(choice_key(text), text)
        return self.active.get(email.strip().lower())
