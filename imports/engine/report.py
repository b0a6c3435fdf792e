"""What there is to say when an import is done."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from imports.models import Outcome

SHOWN_ERRORS = 20
LONGEST_MESSAGE = 2000
LANDED = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED)
"""The outcomes of rows that have a record."""


@dataclass
class Report:
    """What became of the rows, in numbers and, for the first refused ones, in words."""

    counts: Counter = field(default_factory=Counter)
    errors: list = field(default_factory=list)  # (line, column, message)
    notes: list = field(default_factory=list)  # (line, message), the first ones
    noted: int = 0
    accounts_made: set = field(default_factory=set)
    values_added: dict = field(default_factory=lambda: defaultdict(set))  # list -> values
    unknown_owners: Counter = field(default_factory=Counter)
    outcomes: dict = field(default_factory=dict)  # a dry run's: line -> (outcome, message)

    def count(self, drafts, mapping):
        """Add the committed outcomes of a chunk."""
        for draft in drafts:
            self.counts[draft.outcome] += 1
            if draft.unknown_owner:
                self.unknown_owners[draft.unknown_owner] += 1
            for name, message in draft.errors:
                if len(self.errors) < SHOWN_ERRORS:
                    self.errors.append((draft.line, mapping.column_of(name), message))
            if draft.outcome in LANDED:
                self.tell(draft)

    def count_links(self, drafts):
        """Add what the second pass has changed in a chunk, once it is committed."""
        for draft in drafts:
            if draft.outcome == Outcome.UPDATED:
                self.counts[Outcome.UNCHANGED] -= 1
                self.counts[Outcome.UPDATED] += 1
            if draft.outcome != Outcome.FAILED:
                self.tell(draft)

    def tell(self, draft):
        """Keep what there is to say about a row that came in."""
        if draft.notes:
            self.noted += 1
            if len(self.notes) < SHOWN_ERRORS:
                self.notes.append((draft.line, " ".join(draft.notes)))
