"""
Lead conversion: an interested lead becomes an account, a contact and perhaps a deal.

All conversions, whoever starts them, go through these calls; preview, execution and undo
share one set of rules. Rule: docs/rules/conversion.md.
"""

from leads.conversion.choices import ConversionChoices, Relation, default_choices
from leads.conversion.execution import AlreadyConverted, convert_lead
from leads.conversion.matches import Match, Matches, sibling_leads, suggest_matches
from leads.conversion.planning import ConversionPlan, plan_conversion

__all__ = [
    "AlreadyConverted",
    "ConversionChoices",
    "ConversionPlan",
    "Match",
    "Matches",
    "Relation",
    "convert_lead",
    "default_choices",
    "plan_conversion",
    "sibling_leads",
    "suggest_matches",
]
