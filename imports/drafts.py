"""One row on its way from cells to a record: what it says, what became of it, and why."""

import hashlib
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from core.normalise import choice_key, shown
from imports.mapping import CLEAR
from imports.models import Outcome
from imports.results import as_typed


@dataclass(slots=True)
class Draft:
    """A row: its texts by field, then its cleaned values, its record and its outcome."""

    line: int
    place: int  # its place among the rows of the file, from 1
    texts: dict = field(default_factory=dict)
    defaults: dict = field(default_factory=dict)  # what a new record gets where texts are missing
    digest: str = ""
    links: dict = field(default_factory=dict)  # field -> record that the row refers to
    cleaned: dict = field(default_factory=dict)
    stored: object = None  # the record that is there already
    record: object = None
    may_assign: bool = False
    takes_id: bool = False  # found by another key: the record takes the row's external id
    makes_account: str = ""
    unknown_owner: str = ""
    changed: tuple = ()
    outcome: str = ""
    notes: list = field(default_factory=list)
    errors: list = field(default_factory=list)  # (field, message)

    @property
    def is_open(self):
        """Whether nothing has been decided about the row yet."""
        return not self.outcome

    @property
    def message(self):
        """Everything that there is to say about the row, for the result file."""
        return " ".join([*(text for _name, text in self.errors), *self.notes])

    def has(self, name):
        """Whether the row gives ``name`` a value; a cell that clears the field gives none."""
        return self.texts.get(name, CLEAR) != CLEAR

    def fail(self, message, name=""):
        self.errors.append((name, str(message)))
        self.outcome = Outcome.FAILED

    def skip(self, message):
        self.notes.append(str(message))
        self.outcome = Outcome.SKIPPED

    def leave(self, message=""):
        """Count the row as one that changes nothing."""
        if message:
            self.notes.append(str(message))
        self.outcome = Outcome.UNCHANGED

    def note(self, message):
        self.notes.append(str(message))


class RowReader:
    """Turns rows of one file into Drafts, by its mapping."""

    def __init__(self, file, mapping):
        self.columns = [
            (position, mapping.columns[header])
            for position, header in enumerate(file.header)
            if header in mapping.columns
        ]
        self.header = file.header
        self.values = mapping.values
        self.prefix = mapping.options.row_reference
        self.defaults = mapping.defaults
        self.composed = {
            name: [(f"{{{header}}}", n) for n, header in enumerate(file.header)
                   if f"{{{header}}}" in text]
            for name, text in mapping.defaults.items()
            if "{" in text
        }  # fmt: skip

    def draft(self, row, place):
        """What the row says. A text that finds its fields filled already is noted."""
        draft = Draft(row.line, place)
        if row.problem:
            draft.fail(row.problem)
            return draft
        texts = draft.texts
        for position, fields in self.columns:
            text = as_typed(row.cells[position].strip(" \t\n"))
            if not text:
                continue
            for name in fields:
                if name not in texts:
                    texts[name] = self.replaced(name, text) if name in self.values else text
                    break
            else:
                message = _("“%(text)s” (%(column)s) found no free field and was left out.")
                draft.note(message % {"text": shown(text), "column": self.header[position]})
        if texts:
            joined = "\x1f".join(f"{name}={texts[name]}" for name in sorted(texts))
            draft.digest = hashlib.blake2b(joined.encode(), digest_size=16).hexdigest()
            if self.prefix and "external_id" not in texts:
                texts["external_id"] = f"{self.prefix}{place}"
            for name in [name for name, text in texts.items() if not text]:
                del texts[name]  # the mapping reads this text as nothing
        draft.defaults = self.defaults
        if self.composed:
            draft.defaults = {**self.defaults, **self.compose(row.cells)}
        return draft

    def compose(self, cells):
        """The defaults that are made of the row's own cells, such as ``Deal {Number}``."""
        made = {}
        for name, parts in self.composed.items():
            text = self.defaults[name]
            for placeholder, position in parts:
                text = text.replace(placeholder, cells[position].strip())
            made[name] = text
        return made

    def replaced(self, name, text):
        """What the mapping reads instead of ``text``; without an entry the text itself."""
        return self.values[name].get(choice_key(text) or text, text)
