"""What deals add up to along a hierarchy of accounts: by currency, and converted."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from core import rates

BY_DAY = frozenset({"won_amount", "won_amount_year"})  # converted by the rate of the close date


@dataclass(frozen=True)
class Sum:
    """An amount in the organisation's currency, and what has no rate: {currency: amount}."""

    amount: Decimal
    unconverted: dict

    @property
    def is_known(self):
        """Whether the amount says anything: nothing beside amounts without a rate does not."""
        return bool(self.amount) or not self.unconverted


class Rollup:
    """What the deals of one account, or of an account and those below it, add up to."""

    def __init__(self, parts, *, today):
        self.parts = parts
        self.today = today

    @cached_property
    def totals(self):
        """The Totals by currency: {currency: Totals}."""
        found = {}
        for part in self.parts:
            currency = part.totals.currency
            known = found.get(currency)
            found[currency] = part.totals if known is None else known + part.totals
        return found

    def count(self, name):
        """How many deals there are of one kind: open_count, unknown, won_count, lost_count."""
        return sum(getattr(totals, name) for totals in self.totals.values())

    def sum(self, name):
        """
        One of the Totals' amounts converted: open ones by the rates of the day, won ones by
        those of their close dates.
        """
        rows = [
            (part.totals.currency, self._day(part, name), getattr(part.totals, name))
            for part in self.parts
            if getattr(part.totals, name)
        ]
        return Sum(*rates.converted_by_day(rows))

    def _day(self, part, name):
        return part.day if name in BY_DAY else self.today

    @cached_property
    def open(self):
        return self.sum("open_amount")

    @cached_property
    def weighted(self):
        return self.sum("weighted")

    @cached_property
    def won(self):
        return self.sum("won_amount")

    @cached_property
    def won_year(self):
        return self.sum("won_amount_year")

    @property
    def customer_since(self):
        """The close date of the first deal that was won; None before that."""
        return min((p.first_won for p in self.parts if p.first_won), default=None)


class Rollups:
    """What the deals of a hierarchy add up to, for each of its accounts."""

    def __init__(self, parts, *, today):
        self.today = today
        self.parts = list(parts)

    @cached_property
    def _by_place(self):
        found = defaultdict(list)
        for part in self.parts:
            for key in part.places:
                found[key].append(part)
        return found

    def parts_of(self, key):
        """The Parts of the account with this key and of all below it."""
        return self._by_place.get(key, [])

    def whole(self, key):
        """The Rollup of the account with this key and of all below it."""
        return self.of(self.parts_of(key))

    def own(self, key):
        """The Rollup of the account with this key alone."""
        parts = [part for part in self.parts_of(key) if part.account_id == key]
        return self.of(parts)

    def of(self, parts):
        """The Rollup of these Parts."""
        return Rollup(parts, today=self.today)
