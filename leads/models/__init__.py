"""Leads: people and organisations that may be interested, their states, what they became."""

from leads.models.conversion import Conversion
from leads.models.lead import Lead, LeadQuerySet, Likeness
from leads.models.status import MOVES, LeadStatus, Phase

__all__ = ["MOVES", "Conversion", "Lead", "LeadQuerySet", "LeadStatus", "Likeness", "Phase"]
