"""The rows that every installation starts with: the organisation's settings, editable lists."""

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.translation import gettext_noop

from core.journal import Change, Kind, Label, Verb, operation
from core.models import ListValue, Organisation
from core.normalise import FREE_MAIL_DOMAINS

ROLE_MAILBOXES = (
    "info", "sales", "office", "contact", "admin", "support", "hello", "mail", "team", "noreply",
    "no-reply", "billing",
)  # fmt: skip

LISTS = {
    "account_type": (
        "Prospect", "Customer - Direct", "Customer - Channel", "Channel Partner / Reseller",
        "Installation Partner", "Technology Partner", "Other",
    ),
    "industry": (
        "Agriculture", "Apparel", "Banking", "Biotechnology", "Chemicals", "Communications",
        "Construction", "Consulting", "Education", "Electronics", "Energy", "Engineering",
        "Entertainment", "Environmental", "Finance", "Food & Beverage", "Government",
        "Healthcare", "Hospitality", "Insurance", "Machinery", "Manufacturing", "Media",
        "Not For Profit", "Recreation", "Retail", "Shipping", "Technology",
        "Telecommunications", "Transportation", "Utilities", "Other",
    ),
    "lead_source": (
        "Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Advertisement",
        "Employee Referral", "External Referral", "Partner", "Public Relations",
        "Seminar - Internal", "Seminar - Partner", "Trade Show", "Word of mouth", "Email",
        "Social Media", "Chat", "Other",
    ),
    "salutation": ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."),
    "contact_level": ("Primary", "Secondary", "Tertiary"),
    "account_contact_role": (
        "Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker",
        "Evaluator", "Executive Sponsor", "Influencer", "Technical Buyer", "Board Member",
        "Advisor", "Former Employee", "Billing", "Other",
    ),
    "disqualify_reason": (
        "No budget", "No interest", "No response", "Bad data", "Competitor chosen", "Not a fit",
        "Timing", "Duplicate", "Student/Job seeker", "Other",
    ),
    "opportunity_type": (
        "New Customer", "Existing Customer - Upgrade", "Existing Customer - Replacement",
        "Existing Customer - Downgrade", "Renewal",
    ),
    "loss_reason": (
        "Price", "Lost to competitor", "No budget", "No decision / status quo", "Timing",
        "Missing feature", "Lost contact", "Bad fit", "Duplicate", "Other",
    ),
    "win_reason": ("Price", "Product fit", "Relationship", "Service", "Brand", "Other"),
    "delivery_status": ("Yet to begin", "In progress", "Completed"),
    "opportunity_contact_role": (
        "Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker",
        "Evaluator", "Executive Sponsor", "Influencer", "Technical Buyer", "Champion",
        "Blocker", "Other",
    ),
    "team_role": (
        "Account Manager", "Channel Manager", "Executive Sponsor", "Lead Qualifier",
        "Pre-Sales Consultant", "Sales Manager", "Sales Rep",
    ),
}  # fmt: skip
"""The values that people choose from, by list, in their order."""

FROM_FILES = {
    "account_type": (
        "Analyst", "Competitor", "Customer", "Integrator", "Investor", "Partner", "Press",
        "Reseller",
    ),
    "lead_source": ("Cold Call", "Newsletter", "Referral"),
    "disqualify_reason": ("Not recorded",),
    "opportunity_type": ("New Business", "Existing Business"),
    "loss_reason": ("Not recorded",),
}  # fmt: skip
"""Values that files bring along: kept as they are, but not offered to people."""

ALIASES = {
    ("salutation", "Mr."): ("Mister", "Herr", "M.", "Monsieur", "Sr."),
    ("salutation", "Ms."): ("Miss", "Frau"),
    ("salutation", "Mrs."): ("Mme", "Madame", "Sra."),
    ("salutation", "Dr."): ("Doctor", "Doktor"),
    ("salutation", "Prof."): ("Professor", "Prof. Dr."),
    ("industry", "Banking"): ("Banks",),
    ("industry", "Finance"): ("Financial Services",),
    ("industry", "Food & Beverage"): ("Food", "Food and Beverages"),
    ("industry", "Healthcare"): ("Health", "Health Care"),
    ("industry", "Government"): ("Public Sector",),
    ("industry", "Not For Profit"): ("Non-Profit", "NGO"),
    ("industry", "Technology"): ("Software", "IT", "Information Technology"),
    ("industry", "Telecommunications"): ("Telecom", "Telecoms"),
    ("industry", "Transportation"): ("Logistics", "Transport"),
    ("lead_source", "Web"): ("Website", "Online"),
    ("lead_source", "Phone Inquiry"): ("Phone", "Phone Enquiry", "Inbound Call"),
    ("lead_source", "Trade Show"): ("Trade Fair", "Fair", "Messe"),
    ("lead_source", "Email"): ("E-Mail", "Mail"),
    ("lead_source", "Advertisement"): ("Advertising", "Ad"),
    ("account_type", "Channel Partner / Reseller"): ("Channel Partner",),
    ("opportunity_type", "New Customer"): ("New",),
}
"""Other spellings by list and value; case, accents and punctuation need none."""


def seed(**kwargs):
    """
    Write the first rows that are missing; rows that are there stay as people edited them.

    A value that somebody removed is not missing.

    One statement for the settings and one for the lists when nothing is missing. Connected to
    ``post_migrate``, which also fires when the tables are gone or not there yet.
    """
    using = kwargs.get("using", DEFAULT_DB_ALIAS)
    if using != DEFAULT_DB_ALIAS or not _has_tables(using):
        return
    has_organisation = Organisation.objects.filter(pk=1).exists()
    present = set(ListValue.objects.values_list("list_key", "value"))
    missing = [row for row in list_rows() if (row.list_key, row.value) not in present]
    if missing:
        removed = _removed_values()
        missing = [row for row in missing if (row.list_key, row.value) not in removed]
    if has_organisation and not missing:
        return
    with operation(Kind.SEED, by=None, label=Label(gettext_noop("First rows"))):
        if not has_organisation:
            organisation_row().save()
        ListValue.objects.bulk_create(missing)


def _removed_values():
    """The values of lists that were there and were removed: {(list key, value)}."""
    changes = Change.objects.filter(model=ListValue._meta.label_lower, verb=Verb.DELETED)
    rows = (change.before_values for change in changes.order_by("pk"))
    return {(values["list_key"], values["value"]) for values in rows}


def _has_tables(using):
    wanted = {Organisation._meta.db_table, ListValue._meta.db_table}
    return wanted <= set(connections[using].introspection.table_names())


def organisation_row():
    """The settings of a new installation, not yet saved."""
    return Organisation(
        pk=1,
        free_mail_domains=list(FREE_MAIL_DOMAINS),
        role_mailboxes=list(ROLE_MAILBOXES),
    )


def list_rows():
    """The values of all lists, not yet saved; those for files come after the others."""
    for list_key, values in LISTS.items():
        offered = len(values)
        for position, value in enumerate((*values, *FROM_FILES.get(list_key, ()))):
            yield ListValue(
                list_key=list_key,
                value=value,
                label=value,
                position=position,
                aliases=list(ALIASES.get((list_key, value), ())),
                is_active=position < offered,
            )
