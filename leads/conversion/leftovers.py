"""What a converted lead said and none of its records took over: it stays readable here."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Q

from core.history import taken_back
from core.journal import Change
from core.reach import sight_of
from leads.conversion.mapping import FIELD_MAP, How, Pair, is_blank, is_same, lead_values

UNITS = frozenset({"currency", "budget_currency"})  # they say nothing without an amount


def fields_left(lead, conversion, *, operation_id):
    """
    The names of ``lead``'s fields whose values no record of ``conversion`` had right after it.

    ``lead`` is the lead as it was before; ``operation_id`` names what converted it. One query.
    """
    offered, taken = [], set()
    targets = _right_after(conversion, operation_id)
    for card, pairs in FIELD_MAP.items():
        for pair in pairs:
            values = lead_values(pair, lead)
            if pair.how is How.ALWAYS or is_blank(values):
                continue
            offered += pair.sources
            if card in targets and _has(targets[card], pair, values):
                taken.update(pair.sources)
    left = [name for name in dict.fromkeys(offered) if name not in taken | UNITS]
    return [name for name in left if not is_blank({name: getattr(lead, name)})]


@dataclass(frozen=True)
class Lost:
    """One value of the lead beside the one that a record had right after the conversion."""

    kind: str
    model: type
    pair: Pair
    label: str
    offered: dict
    present: dict


def lost_values(conversion, *, by, operation_id):
    """
    What the lead of ``conversion`` said and one of its records did not, record by record.

    Records and fields that ``by`` may not see are left out. One query besides the rights.
    """
    found = []
    for card, past in _right_after(conversion, operation_id).items():
        record = getattr(conversion, card)
        if record.can(by, "view"):
            seen = sight_of(record, by)
            pairs = [p for p in FIELD_MAP[card] if all(name in seen for name in p.fields)]
            found += [row for pair in pairs if (row := _lost(card, past, pair, conversion.lead))]
    return found


def _lost(card, past, pair, lead):
    offered = lead_values(pair, lead)
    telling = {name: value for name, value in offered.items() if name not in UNITS}
    if pair.how in (How.ALWAYS, How.UNION) or is_blank(telling) or _has(past, pair, offered):
        return None
    label = str(pair.label or past._meta.get_field(pair.fields[0]).verbose_name)
    present = {name: getattr(past, name) for name in pair.fields}
    return Lost(card, type(past), pair, label, offered, present)


def _has(record, pair, values):
    present = {name: getattr(record, name) for name in pair.fields}
    if pair.how is How.UNION:
        return all(set(values[name]) <= set(present[name]) for name in pair.fields)
    return is_same(pair, values, present)


def _right_after(conversion, operation_id):
    """The records of ``conversion`` as they were right after it, by card."""
    records = {card: getattr(conversion, card) for card in FIELD_MAP}
    records = {card: record for card, record in records.items() if record is not None}
    where = Q(pk__in=())
    for record in records.values():
        where |= Q(model=record._meta.label_lower, object_id=record.pk)
    later = defaultdict(list)
    for change in Change.objects.filter(where, operation_id__gt=operation_id).order_by("-version"):
        later[change.model].append(change)
    return {
        card: taken_back(record, later[record._meta.label_lower])
        for card, record in records.items()
    }
