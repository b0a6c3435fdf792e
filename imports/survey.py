"""
What reading a whole file once tells: how it writes dates and decimals, what its columns hold.

Both are decided for the file as a whole, never row by row. Where every date of a column can be
read in two ways, the user decides. Rule: docs/rules/imports.md, section 3.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from imports.mapping import MappingRefused

DATE = re.compile(r"([0-9]{1,4})([./-]) ?([0-9]{1,2})\2 ?([0-9]{1,4})(?![0-9])")
SPACES = re.compile(r"[\s\u00a0\u2009\u202f]+")
EITHER = "either"
CLEARLY = 20
"""So many times as often as another one must a way of writing occur to be the file's."""


class Undecided(MappingRefused):
    """All dates or numbers of a column can be read in two ways; the user says which."""


@dataclass
class Survey:
    """What a file holds: its rows, the filled cells of each column, how it is to be read."""

    rows: int = 0
    filled: Counter = field(default_factory=Counter)
    date_order: str = "ISO"
    decimal: str = "."
    notes: list = field(default_factory=list)
    ids: set = field(default_factory=set)  # external ids, where rows refer to each other

    def has_id(self, text, options):
        """Whether a row of the file has the external id ``text``."""
        if text in self.ids:
            return True
        prefix, place = options.row_reference, text.removeprefix(options.row_reference)
        return bool(prefix) and place.isascii() and place.isdigit() and 0 < int(place) <= self.rows


def survey(file, mapping, *, dates, numbers, in_file=""):
    """
    Read the file once; ``dates`` and ``numbers`` name the fields whose columns are looked at.

    ``in_file`` is the field by which rows refer to each other: then their ids are collected.

    :raises Undecided: a column can be read in two ways and the mapping does not say which
    :raises FileTooLarge: it has too many rows
    """
    found = Survey()
    orders = _columns_for(file, mapping, dates)
    decimals = _columns_for(file, mapping, numbers)
    positions = list(enumerate(file.header))
    linked = in_file in mapping.fields and mapping.column_of("external_id")
    key = file.header.index(linked) if linked else None
    for row in file.rows():
        found.rows += 1
        if row.problem:
            continue
        cells = row.cells
        if key is not None:
            found.ids.add(cells[key].strip())
        for position, name in positions:
            if cells[position]:
                found.filled[name] += 1
        for position, votes in orders.items():
            if cells[position] and (vote := date_vote(cells[position])):
                votes[vote] += 1
        for position, votes in decimals.items():
            if cells[position] and (vote := decimal_vote(cells[position])):
                votes[vote] += 1
    options = mapping.options
    found.date_order = options.date_order or _date_order(file, orders, found.notes)
    found.decimal = options.decimal or _decimal(file, decimals, found.notes)
    return found


def _columns_for(file, mapping, fields):
    wanted = {h for h, names in mapping.columns.items() if set(names) & set(fields)}
    return {n: Counter() for n, header in enumerate(file.header) if header in wanted}


def date_vote(text):
    """
    The order of day and month that ``text`` shows: DMY, MDY, either, or None if it tells nothing.

    With dots the day comes first wherever dots are used.
    """
    match = DATE.match(text.strip())
    if match is None:
        return None
    if len(match[1]) > 2:
        return None if match[2] == "-" else "YMD"
    if match[2] == ".":
        return "DMY"
    first, middle = int(match[1]), int(match[3])
    if first == middle or (first > 12 and middle > 12):
        return None if first > 12 else "same"
    if first > 12:
        return "DMY"
    return "MDY" if middle > 12 else EITHER


def _clear(columns, ways):
    """The ways that cells show; single slips against a whole file don't count."""
    total = sum(columns.values(), Counter())
    most = max(total[way] for way in ways)
    return {way for way in ways if total[way] and total[way] * CLEARLY > most}


def _date_order(file, columns, notes):
    clear = _clear(columns, ("DMY", "MDY", "YMD"))
    unclear = [position for position, votes in columns.items() if votes[EITHER]]
    if len(clear) > 1 or (unclear and not clear):
        message = _(
            "The dates in “%s” can be read day first or month first. Say which: the option "
            "date_order is DMY or MDY."
        )
        raise Undecided(message % file.header[(unclear or list(columns))[0]])
    if not clear:
        return "MDY" if any(votes["same"] for votes in columns.values()) else "ISO"
    order = clear.pop()
    words = {"DMY": _("day first"), "MDY": _("month first"), "YMD": _("year first")}
    for position in unclear:
        note = _("Dates in “%(column)s” are read %(order)s.")
        notes.append(note % {"column": file.header[position], "order": words[order]})
    return order


def decimal_vote(text):
    """
    The decimal sign that ``text`` shows, "either" if 1.234 may be a thousand, None if nothing.

    A comma before three digits is a thousands separator unless other cells show otherwise.
    """
    bare = SPACES.sub("", text)
    dot, comma = bare.rfind("."), bare.rfind(",")
    if dot < 0 and comma < 0:
        return None
    if dot >= 0 and comma >= 0:
        return "." if dot > comma else ","
    last, sign = (dot, ".") if dot >= 0 else (comma, ",")
    if bare.count(sign) > 1:
        return "," if sign == "." else "."
    behind = re.match(r"[0-9]*", bare[last + 1 :])[0]
    before = re.search(r"[0-9]*$", bare[:last])[0]
    if not behind or not before:
        return None
    if len(behind) == 3 and len(before) <= 3 and before != "0":
        return EITHER if sign == "." else None
    return sign


def _decimal(file, columns, notes):
    clear = _clear(columns, (".", ","))
    unclear = [position for position, votes in columns.items() if votes[EITHER]]
    if len(clear) > 1 or (unclear and not clear):
        message = _(
            "The numbers in “%s” can be read with a decimal point or a decimal comma. Say which: "
            "the option decimal is “.” or “,”."
        )
        raise Undecided(message % file.header[(unclear or list(columns))[0]])
    if clear == {","}:
        notes.append(_("Numbers are read with a decimal comma, such as 1.234,50."))
        return ","
    return "."
