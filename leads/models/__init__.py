"""Leads: people and organisations that may be interested, their states, what they became."""

from leads.models.conversion import Conversion
from leads.models.lead import AssignedBy, Lead, LeadQuerySet, Likeness
from leads.models.queue import Queue, QueueMember
from leads.models.rule import AssignmentRule
from leads.models.share import LeadShare
from leads.models.status import MOVES, LeadStatus, Phase

__all__ = [
    "MOVES",
    "AssignedBy",
    "AssignmentRule",
    "Conversion",
    "Lead",
    "LeadQuerySet",
    "LeadShare",
    "LeadStatus",
    "Likeness",
    "Phase",
    "Queue",
    "QueueMember",
]
