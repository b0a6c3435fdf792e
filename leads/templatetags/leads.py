"""What pages show of leads: their conversion, and those that belong to an account."""

from django import template
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _

from core import reach
from core.countries import country_name
from core.fields import CountryField
from core.prepared import prepared
from core.reach import Verb
from core.tables import column_of
from core.templatetags.components import value as shown_value
from leads.models import Conversion, Lead, Likeness
from leads.models.lead import what_leads_say_of

register = template.Library()

SHOWN = 5
AS_TEXT = frozenset({"phone", "email", "url", "record", "user", "link", "age", "moment"})


@register.simple_tag
def carried_value(effect, side, card):
    """
    Show the lead's or the record's value of one row of the field map, as plain words.

    ``side`` is "offered" or "present"; an address is one line.
    """
    values = getattr(effect, side)
    record = card.model(**values)
    texts = []
    for name in effect.pair.fields:
        value = getattr(record, name)
        if value in (None, "", []) or (name == "currency" and len(values) > 1):
            continue
        display = getattr(record, f"get_{name}_display", None)
        column = column_of(card.model, name)
        kind = "text" if column.kind in AS_TEXT else column.kind
        currency = getattr(record, "currency", "")
        text = display() if display else shown_value(value, kind, currency)
        if isinstance(card.model._meta.get_field(name), CountryField):
            text = country_name(value)
        texts.append(text)
        if effect.pair.how == "always":
            break
    return format_html_join(", ", "{}", ((text,) for text in texts))


# -- an account's leads -----------------------------------------------------------------------


@register.inclusion_tag("accounts/_likely_leads.html", takes_context=True)
def likely_leads(context, account):
    """Show the leads that may belong to ``account`` or one below it, each with its reason."""
    user = context["request"].user
    if account.is_archived or not reach.may(user, Verb.VIEW, Lead):
        return {"rows": []}
    found = likely(*what_leads_say_of(account), reach.where(Lead, user))
    convertible = reach.allowed(found, user, Verb.CONVERT)
    return {
        "rows": [
            {
                "lead": lead,
                "reason": reason_for(lead),
                "url": convert_url(lead, account) if lead.pk in convertible else "",
            }
            for lead in found[:SHOWN]
        ],
        "count": f"{SHOWN}+" if len(found) > SHOWN else len(found),
        "has_more": len(found) > SHOWN,
    }


@prepared
def likely(keys, domains, names, visible):
    """The likeliest leads of the accounts with these keys, domains and folded names."""
    leads = Lead.objects.likely_by(keys, domains, names).filter(visible)
    return leads.select_related("owner", "status").order_by("likeness", "-pk")[: SHOWN + 1]


def reason_for(lead):
    """Why a lead may belong to the account that it was found for, in words."""
    if lead.likeness == Likeness.DOMAIN:
        return _("Same domain %(domain)s") % {"domain": lead.same_domain}
    if lead.likeness == Likeness.NAME:
        return _("Same company name")
    return _("Said to belong here")


def convert_url(lead, account):
    """Where ``lead`` is converted with ``account`` chosen beforehand."""
    return f"{reverse('leads:lead_convert', args=[lead.pk])}?account={account.pk}"


@register.inclusion_tag("leads/_came_from.html", takes_context=True)
def came_from_leads(context, account):
    """
    Show the leads that were converted into ``account``, the latest first.

    Who sees the account may read its conversions; a lead that he may not see is a stub.
    """
    user = context["request"].user
    found = conversions_into(account.pk)
    visible = reach.allowed([row.lead for row in found], user, Verb.VIEW)
    return {
        "rows": [{"row": row, "is_visible": row.lead_id in visible} for row in found[:SHOWN]],
        "count": f"{SHOWN}+" if len(found) > SHOWN else len(found),
        "has_more": len(found) > SHOWN,
    }


@prepared
def conversions_into(account):
    """The latest conversions into the account with this key."""
    conversions = Conversion.objects.filter(account=account)
    conversions = conversions.select_related("lead", "converted_by")
    return conversions.order_by("-converted_at", "-pk")[: SHOWN + 1]
