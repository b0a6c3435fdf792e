"""Opportunities: the deals, their stages, the people who decide, and how they moved."""

from opportunities.models.history import OpportunityStageHistory
from opportunities.models.member import OpportunityTeamMember
from opportunities.models.opportunity import (
    OpenSum,
    Opportunity,
    OpportunityQuerySet,
    Totals,
    default_close_date,
    expected_revenue,
)
from opportunities.models.role import OpportunityContactRole
from opportunities.models.stage import ForecastCategory, Stage

__all__ = [
    "ForecastCategory",
    "OpenSum",
    "Opportunity",
    "OpportunityContactRole",
    "OpportunityQuerySet",
    "OpportunityStageHistory",
    "OpportunityTeamMember",
    "Stage",
    "Totals",
    "default_close_date",
    "expected_revenue",
]
