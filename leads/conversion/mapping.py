"""Which field of a lead goes where, and how it meets what is there already."""

import datetime
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import fiscal
from core.normalise import fold


class How(StrEnum):
    """How a lead's value meets the value of an existing record."""

    VALUE = "value"  # fill a blank, ask where both differ
    BLOCK = "block"  # several fields that move together or not at all: an address
    UNION = "union"  # lists are united
    ALWAYS = "always"  # an opt-out of either counts; can't be unticked
    FILL = "fill"  # fill a blank, never ask


@dataclass(frozen=True)
class Pair:
    """One row of the field map: fields of the lead to fields of one target."""

    target: str
    sources: tuple[str, ...]
    fields: tuple[str, ...]
    how: How = How.VALUE
    label: str = ""
    is_name: bool = False

    @property
    def key(self):
        """The name of the row in forms and choices: ``contact.phone``, ``account.address``."""
        return f"{self.target}.{self.fields[0]}"


ADDRESS = ("street", "city", "state", "postal_code", "country")
OPT_OUTS = ("email_opt_out", "do_not_call", "fax_opt_out")


def _same(target, *names, how=How.VALUE):
    return tuple(Pair(target, (name,), (name,), how) for name in names)


def _address(target, prefix):
    fields = tuple(f"{prefix}_{part}" for part in ADDRESS)
    return Pair(target, ADDRESS, fields, How.BLOCK, gettext_lazy("address"))


ACCOUNT = (
    Pair("account", ("company",), ("name",), is_name=True),
    *_same("account", "phone", "fax", "website", "industry"),
    Pair("account", ("annual_revenue", "currency"), ("annual_revenue", "currency"), How.BLOCK,
         gettext_lazy("annual revenue")),
    *_same("account", "employees", "rating"),
    Pair("account", ("lead_source",), ("source",)),
    _address("account", "billing"),
)  # fmt: skip

CONTACT = (
    *_same("contact", "salutation", "first_name", "middle_name", "last_name", "suffix"),
    *_same("contact", "title", "department", "email", "secondary_email"),
    *_same("contact", "phone", "mobile", "fax", "linkedin_url"),
    *_same("contact", "social_profiles", "interests", how=How.UNION),
    _address("contact", "mailing"),
    *_same("contact", "lead_source", "description"),
    *_same("contact", "preferred_channel", "language", "time_zone"),
    *(
        Pair("contact", (name, f"{name}_at"), (name, f"{name}_at", f"{name}_source"), How.ALWAYS)
        for name in OPT_OUTS
    ),
)

OPPORTUNITY = (
    Pair("opportunity", ("budget", "budget_currency"), ("amount", "currency"), How.FILL,
         gettext_lazy("amount")),
    *_same("opportunity", "lead_source", how=How.FILL),
    Pair("opportunity", ("description", "need", "product_interest"), ("description",), How.FILL),
)  # fmt: skip

FIELD_MAP = {"account": ACCOUNT, "contact": CONTACT, "opportunity": OPPORTUNITY}
NAME_FIELDS = ("salutation", "first_name", "middle_name", "last_name", "suffix")
ASKED_NAMES = ("first_name", "last_name")


def person_name(lead):
    """The lead's person without salutation, or an empty text."""
    parts = (lead.first_name, lead.middle_name, lead.last_name, lead.suffix)
    return " ".join(part for part in parts if part)


def lead_values(pair, lead):
    """What the lead offers for the fields of ``pair``: {target field: value}."""
    values = {field: getattr(lead, name) for field, name in zip(pair.fields, pair.sources)}  # noqa: B905 - an opt-out has a third field
    if pair.is_name and not lead.company:
        return {"name": person_name(lead)}  # an individual account
    if pair.how is How.ALWAYS:
        values[pair.fields[2]] = "CONVERSION" if getattr(lead, pair.sources[0]) else ""
    if pair.key == "opportunity.description":
        return {"description": deal_description(lead)}
    return values


def deal_description(lead):
    """The lead's description, need and product of interest, as the deal's description."""
    parts = [lead.description]
    if lead.need:
        parts.append(_("Need: %(need)s") % {"need": lead.need})
    if lead.product_interest:
        parts.append(_("Interested in: %(product)s") % {"product": lead.product_interest})
    return "\n\n".join(part for part in parts if part)


def deal_name(lead):
    """Company (or person) and product of interest, cut to the deal's 120 characters."""
    parts = (lead.company or person_name(lead) or lead.email, lead.product_interest)
    return " ".join(part for part in parts if part)[:120]


SPAN_MONTHS = {"WITHIN_3_MONTHS": 3, "WITHIN_6_MONTHS": 6, "WITHIN_12_MONTHS": 12}


def deal_close_date(lead, *, organisation, today):
    """The end of the lead's timeline, else the fiscal quarter's end, in the organisation's zone."""
    months = SPAN_MONTHS.get(lead.timeline)
    if months is None:
        return fiscal.close_date_preset(today, organisation.fiscal_year_start_month)
    month = today.month - 1 + months
    year, month = today.year + month // 12, month % 12 + 1
    last = (datetime.date(year + month // 12, month % 12 + 1, 1) - datetime.timedelta(days=1)).day
    return datetime.date(year, month, min(today.day, last))


def is_blank(values):
    """Whether none of ``values`` says anything; an opt-out that is off and no list say nothing."""
    return all(value in ("", None, False) or value == [] for value in values.values())


def is_same(pair, one, other):
    """Whether two sets of values mean the same: case, spaces, phone and address formats aside."""
    return all(_folded(name, one[name]) == _folded(name, other[name]) for name in pair.fields)


def _folded(name, value):
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return str(value) if isinstance(value, list) else value
    if name in ("phone", "mobile", "fax"):
        return "".join(c for c in value if c.isascii() and c.isdigit()).lstrip("0")
    if name in ("website", "linkedin_url"):
        return value.lower().split("://")[-1].removeprefix("www.").rstrip("/")
    return fold(value)
