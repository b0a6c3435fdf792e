"""Files of the people who decide about deals."""

from django.utils.translation import gettext as _

from core.reach import Verb, can
from imports.kinds.kind import Kind
from imports.links import CONTACT, CONTACT_EMAIL, OPPORTUNITY
from opportunities.models import OpportunityContactRole


class ContactRoles(Kind):
    model = OpportunityContactRole
    verb = Verb.EDIT
    read_here = frozenset({"is_primary"})
    links = {"opportunity": OPPORTUNITY, "contact": CONTACT, "contact_email": CONTACT_EMAIL}

    def find_stored(self, drafts):
        for draft in drafts:
            if not {"opportunity", "contact"} <= draft.links.keys():
                draft.fail(_("A contact role needs a deal and a person."))
        drafts = [draft for draft in drafts if draft.is_open]
        deals = sorted({draft.links["opportunity"].pk for draft in drafts})
        known, self.primary, self.peopled = {}, {}, set()
        for role in OpportunityContactRole.objects.filter(opportunity__among=deals):
            known[role.opportunity_id, role.contact_id] = role
            self.peopled.add(role.opportunity_id)
            if role.is_primary:
                self.primary[role.opportunity_id] = role.contact_id
        for draft in drafts:
            deal, contact = draft.links["opportunity"], draft.links["contact"]
            if (line := self.run.line_before((deal.pk, contact.pk), draft)) is not None:
                draft.skip(_("The same role stands in line %s.") % line)
            elif (role := known.get((deal.pk, contact.pk))) is not None:
                draft.stored = role
                role.opportunity, role.contact = deal, contact

    def may_create(self, draft):
        return can(draft.links["opportunity"], self.run.by, Verb.EDIT)

    def settle(self, draft):
        """One primary role a deal; without a column for it, the deal's first role is primary."""
        deal, contact = draft.links["opportunity"], draft.links["contact"]
        if draft.has("is_primary"):
            primary = self.truth(draft, "is_primary")
        elif draft.stored is not None:
            return
        else:
            primary = "is_primary" not in self.run.mapping.fields and deal.pk not in self.peopled
        other = self.primary.get(deal.pk)
        if primary and other not in (None, contact.pk):
            draft.fail(_("%s has another primary contact.") % deal, "is_primary")
            return
        if primary:
            self.primary[deal.pk] = contact.pk
        self.peopled.add(deal.pk)
        draft.cleaned["is_primary"] = primary
        if draft.stored is None:
            draft.cleaned |= {"opportunity": deal, "contact": contact}
