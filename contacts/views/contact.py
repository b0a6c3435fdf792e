"""One person: the page, making and changing it; and the list of all."""

from urllib.parse import quote

from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.filters import ContactFilter
from contacts.forms.contact import ContactCreateForm, ContactForm
from contacts.models import AccountContactRelation, Contact
from contacts.services import create_contact
from contacts.tables import ContactTable
from contacts.views.relation import relation_actions
from core import reach
from core.history import story
from core.reach import Verb
from core.tables import Column, address
from core.templatetags.components import record_link
from core.views import (
    Action,
    RecordCreateView,
    RecordDetailView,
    RecordListView,
    RecordUpdateView,
    url_of,
)

SHOWN_CHANGES = 8
SHOWN_REPORTS = 20
DETAILS = (
    "salutation",
    "nickname",
    "department",
    "level",
    "phone",
    "mobile",
    "home_phone",
    "other_phone",
    "fax",
    "email",
    "secondary_email",
    "linkedin_url",
    "social_profiles",
    "preferred_channel",
    "language",
    "time_zone",
    "assistant_name",
    "assistant_phone",
    address("mailing", gettext_lazy("Address")),
    address("other", gettext_lazy("Other address")),
    "birthdate",
    "interests",
    "lead_source",
    "consent_note",
)


class ContactListView(RecordListView):
    filterset_class = ContactFilter
    table = ContactTable


class ContactDetailView(RecordDetailView):
    model = Contact
    template_name = "contacts/contact_detail.html"
    form_class = ContactForm
    select_related = ("owner", "account", "reports_to", "created_by", "updated_by")
    facts = (
        Column(
            "mobile",
            gettext_lazy("Mobile"),
            value=lambda contact: contact.mobile or contact.phone,
            kind="phone",
            blank=gettext_lazy("None yet"),
        ),
        Column("email", gettext_lazy("E-mail"), kind="email", blank=gettext_lazy("None yet")),
        "owner",
    )
    groups = (
        (gettext_lazy("Details"), DETAILS),
        (gettext_lazy("Description"), ("description",)),
        (gettext_lazy("Record"), ("created_at", "created_by", "updated_at", "updated_by")),
    )
    offered = ("department", "phone", "mobile", "email", "mailing_street", "birthdate")

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            contact=self.record,
            **self.get_accounts(),
            **self.get_reporting_line(),
            **self.get_story(),
            **kwargs,
        )

    def get_line(self):
        """Title and main account, whose name whoever sees the person may read."""
        contact, account = self.record, self.record.account
        parts = [contact.title] if contact.title else []
        if account is not None:
            visible = account.can(self.request.user, Verb.VIEW)
            parts.append(record_link(account) if visible else account)
        return format_html_join(", ", "{}", ((part,) for part in parts))

    # what can be done

    def get_actions(self):
        actions = super().get_actions()
        if self.may(Verb.VIEW):
            actions |= self.get_ways_to_reach()
        if self.may(Verb.EDIT):
            url = url_of(self.record, "job_change")
            actions["job_change"] = Action(_("Change job"), url, "briefcase")
            url = url_of(self.record, "account")
            actions["account"] = Action(_("Correct the account"), url, "building")
        return actions

    def get_ways_to_reach(self):
        """Calling and writing; what the person does not want stands there with its reason."""
        contact, actions = self.record, {}
        if number := contact.mobile_e164 or contact.phone_e164:
            reason = "" if contact.can_call else _("No calls, see the note above.")
            actions["call"] = Action(_("Call"), f"tel:{number}", "phone", reason=reason)
        if contact.email:
            reason = "" if contact.can_email else _("No e-mail, see the note above.")
            url = f"mailto:{quote(contact.email, safe='@')}"
            mark = "mail" if contact.can_email else "mail-off"
            actions["email"] = Action(_("E-mail"), url, mark, reason=reason)
        return actions

    def arrange(self, actions):
        def those(*names):
            return [actions[name] for name in names if name in actions]

        return {
            "primary": actions.get("restore"),
            "buttons": those("call", "email", "job_change"),
            "more": those("update", "account", "assign", "sharing", "history", "archive"),
        }

    # what stands on the page

    def get_accounts(self):
        """The person's relations and what may be done to each."""
        user, contact = self.request.user, self.record
        relations = list(contact.all_accounts())
        may_add = not self.is_archived and reach.may(user, Verb.EDIT, AccountContactRelation)
        return {
            "relations": [
                {
                    "relation": relation,
                    "is_visible": relation.account.can(user, Verb.VIEW),
                    "actions": [] if self.is_archived else self.get_relation_actions(relation),
                }
                for relation in relations
            ],
            "counted_relations": counted_relations(relations),
            "add_account_url": reverse("contacts:relation_create", args=[contact.pk])
            if may_add
            else "",
        }

    def get_relation_actions(self, relation):
        """Editing and ending stand in the row; the page behind Edit offers the rest."""
        actions = relation_actions(relation, user=self.request.user)
        return [actions[name] for name in ("update", "end") if name in actions]

    def get_reporting_line(self):
        """The superior and those who report to this person, as far as the user may see them."""
        user, contact = self.request.user, self.record
        superior = contact.reports_to
        if superior is not None and not superior.can(user, Verb.VIEW):
            superior = None
        reports = Contact.objects.live().visible_to(user).filter(reports_to=contact)
        reports = reports.order_by("last_name", "first_name", "pk")[:SHOWN_REPORTS]
        return {"superior": superior, "reports": list(reports)}

    def get_story(self):
        """How the person came in, and the latest changes; all of them stand on a page of theirs."""
        told = story(self.record, user=self.request.user, limit=SHOWN_CHANGES)
        return {
            "entries": told.entries,
            "has_older": told.has_older,
            "origin": told.origin,
        }


def counted_relations(relations):
    """How many relations there are, in words: "2 now, 1 before"."""
    now = sum(relation.is_active for relation in relations)
    before = len(relations) - now
    parts = [_("%(count)s now") % {"count": now}] if now else []
    parts += [_("%(count)s before") % {"count": before}] if before else []
    return ", ".join(parts)


class ContactCreateView(RecordCreateView):
    form_class = ContactCreateForm

    def write(self, form, record):
        create_contact(record, form.cleaned_data["account"])


class ContactUpdateView(RecordUpdateView):
    model = Contact
    form_class = ContactForm
    template_name = "contacts/contact_form.html"

    def get_queryset(self):
        return super().get_queryset().select_related("owner", "account", "reports_to")
