"""
Read a file of rows as people send them: any common delimiter, quoting, line end and encoding.

Nothing here knows what a row means. The file is streamed: memory does not grow with it.
Rule: docs/rules/imports.md, section 1.
"""

import codecs
import csv
import functools
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError

DELIMITERS = {
    ",": gettext_lazy("comma"),
    ";": gettext_lazy("semicolon"),
    "\t": gettext_lazy("tab"),
    "|": gettext_lazy("bar"),
    "`": gettext_lazy("back quote"),
}
SAMPLE = 64 * 1024
SAMPLE_ROWS = 200
BLOCK = 1024 * 1024
LONGEST_LINE = 4 * 1024 * 1024
END = "\x00\x00end of file\x00\x00\n"
"""A line fed to the parser after the last one: inside a cell, it tells of an open quote."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SIGNATURES = (
    (b"PK\x03\x04", "workbook"),
    (b"\xd0\xcf\x11\xe0", "workbook"),
    (b"%PDF", "other"),
    (b"\x89PNG", "other"),
    (b"GIF8", "other"),
    (b"\xff\xd8\xff", "other"),
    (b"\x1f\x8b", "other"),
    (b"SQLite format 3", "other"),
)
NOT_TEXT = {
    "workbook": gettext_lazy(
        "This is a workbook, not a text file. Open it in your spreadsheet program, save the "
        "sheet as CSV (UTF-8) and import that file."
    ),
    "other": gettext_lazy("This is not a text file. Save your list as CSV and import that file."),
}


class FileRefused(DomainError):
    """The file as a whole can't be read; the message says what to do about it."""


class FileTooLarge(FileRefused):
    """The file is over a limit; nothing of it was read in."""

    status = 413


@dataclass(frozen=True)
class Limits:
    """How much one file may hold; what is over them is refused before anything is written."""

    size: int = 100 * 1024 * 1024
    rows: int = 200_000
    columns: int = 1_000


class Row(NamedTuple):
    """One row: the line on which it starts, its cells, and what is wrong with its form."""

    line: int
    cells: list
    problem: str = ""


class CsvFile:
    """
    A file of rows under one header.

    ``encoding`` and ``delimiter`` are found by looking, unless they are given;
    ``header_row`` is the line that names the columns (default: the first that is not blank).
    Reading starts anew with each call of ``rows()``.

    :raises FileTooLarge: over ``limits``
    :raises FileRefused: not a text file, not in that encoding, no header
    """

    def __init__(self, path, *, delimiter=None, encoding=None, header_row=None, limits=None):
        self.path = Path(path)
        self.limits = limits or Limits()
        self._refuse_size_and_kind()
        self.encoding = _checked_encoding(self.path, encoding)
        sample = self._sample(header_row or 1)
        self.quote = _find_quote(sample, delimiter)
        self.delimiter = _known_delimiter(delimiter) or find_delimiter(sample, self.quote)
        self.header_line, self.header = self._read_header(header_row)

    @functools.cached_property
    def row_count(self):
        """The number of rows below the header, counted by reading them once."""
        return sum(1 for row in self.rows())

    def rows(self):
        """
        Give each row below the header, blank lines left out.

        Short rows are filled up with blank cells and blank cells beyond the header dropped; a
        row with more cells than the header, an unclosed quotation mark or an overlong cell
        comes with its ``problem``: cells are never shifted in silence.

        :raises FileTooLarge: after the last row that is allowed
        """
        width = len(self.header)
        count = 0
        for row in self._raw_rows():
            if row.line <= self.header_line:
                continue
            count += 1
            if count > self.limits.rows:
                message = _("The file has more than %(rows)s rows. Split it and import the parts.")
                raise FileTooLarge(message % {"rows": f"{self.limits.rows:,}"})
            yield row if row.problem else _fitted(row, width)

    def _refuse_size_and_kind(self):
        try:
            size = self.path.stat().st_size
            with self.path.open("rb") as file:
                start = file.read(4096)
        except OSError as error:
            message = _("The file %(name)s can't be opened: %(reason)s.")
            raise FileRefused(
                message % {"name": self.path.name, "reason": error.strerror}
            ) from error
        if size > self.limits.size:
            message = _("The file is larger than %(size)s MB. Split it and import the parts.")
            raise FileTooLarge(message % {"size": self.limits.size // (1024 * 1024)})
        if not start.strip():
            raise FileRefused(_("The file is empty."))
        if (kind := _kind_of(start)) is not None:
            raise FileRefused(NOT_TEXT[kind])

    def _open(self):
        return self.path.open(encoding=self.encoding, newline=None)

    def _sample(self, first_line):
        """Whole lines from the start of the file (from ``first_line`` on) to look at."""
        with self._open() as file:
            for _number in range(1, first_line):
                file.readline(SAMPLE)
            text = file.read(SAMPLE)
            at_end = not file.read(1)
        lines = text.split("\n")
        return [line + "\n" for line in (lines if at_end or len(lines) == 1 else lines[:-1])]

    def _read_header(self, header_row):
        for row in self._raw_rows():
            if header_row is not None and row.line < header_row:
                continue
            if row.problem:
                raise FileRefused(_("The header can't be read: %s") % row.problem)
            if len(row.cells) > self.limits.columns:
                message = _("The file has %(count)s columns; %(limit)s are allowed.")
                raise FileRefused(message % {"count": len(row.cells), "limit": self.limits.columns})
            return row.line, name_columns(row.cells)
        raise FileRefused(_("There is no header: the file has no row there."))

    def _raw_rows(self):
        """Rows as the parser sees them, with the line on which each starts."""
        with self._open() as file:
            lines = _Lines(file)
            parser = csv.reader(
                lines,
                delimiter=self.delimiter,
                quotechar=self.quote,
                skipinitialspace=True,
            )
            while True:
                line = lines.read + 1
                try:
                    cells = next(parser, None)
                except csv.Error as error:
                    yield Row(line, [], _problem_of(error, line, lines.read))
                    continue
                if cells is None or cells == [END[:-1]]:
                    return
                if cells and END[:-1] in cells[-1]:
                    yield Row(line, [], _open_quote(line))
                    return
                if not _is_blank_line(cells):
                    yield Row(line, cells)


class _Lines:
    """The file's lines, counted, and END after the last one on a line of its own."""

    def __init__(self, file):
        self.file = file
        self.read = 0
        self.ended = False

    def __iter__(self):
        return self

    def __next__(self):
        if line := self.file.readline(LONGEST_LINE):
            self.read += 1
            if len(line) == LONGEST_LINE:
                message = _("Line %(line)s is longer than %(limit)s characters.")
                raise FileRefused(message % {"line": self.read, "limit": f"{LONGEST_LINE:,}"})
            return line if line.endswith("\n") else line + "\n"
        if self.ended:
            raise StopIteration
        self.ended = True
        return END


def _problem_of(error, first, last):
    if "field larger than" in str(error):
        message = _(
            "a cell in lines %(first)s to %(last)s is longer than %(limit)s characters; is a "
            "quotation mark not closed?"
        )
        limit = f"{csv.field_size_limit():,}"
        return message % {"first": first, "last": last, "limit": limit}
    return _("line %(first)s can't be read: %(error)s") % {
        "first": first,
        "error": error,
    }


def _open_quote(line):
    message = _("a quotation mark that opens in or after line %s is not closed")
    return message % line


def _is_blank_line(cells):
    return not cells or (len(cells) == 1 and not cells[0].strip())


def _fitted(row, width):
    """The row with exactly ``width`` cells, or with its problem if more of them are filled."""
    line, cells, _problem = row
    surplus = len(cells) - width
    if surplus == 0:
        return row
    if surplus < 0:
        return Row(line, cells + [""] * -surplus)
    if any(cell.strip() for cell in cells[width:]):
        message = _(
            "the row has %(count)s cells, but the header only %(width)s; are quotation marks "
            "missing?"
        )
        return Row(line, cells[:width], message % {"count": len(cells), "width": width})
    return Row(line, cells[:width])


def name_columns(cells):
    """
    Names for the columns of a header: trimmed; blank ones and repeated ones made unique.

    A blank header becomes "Column 3", a repeated one "Email (2)".
    """
    names = []
    seen = set()
    for position, cell in enumerate(cells, start=1):
        name = " ".join(_visible(cell).split()) or _("Column %s") % position
        unique, number = name, 1
        while unique.casefold() in seen:
            number += 1
            unique = f"{name} ({number})"
        seen.add(unique.casefold())
        names.append(unique)
    return names


def _visible(text):
    """The text without controls and invisible characters such as a byte-order mark."""
    return "".join(
        " " if letter in "\n\t" else letter
        for letter in text
        if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cf")
    )


# -- what kind of file ------------------------------------------------------------------------


def _kind_of(start):
    """What the first bytes show, if it is no text: a workbook or something else."""
    for signature, kind in SIGNATURES:
        if start.startswith(signature):
            return kind
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "other"
    is_wide = any(start.startswith(bom) for bom, _name in BOMS) or _wide_encoding(start)
    return "other" if not is_wide and start.count(0) > len(start) // 10 else None


def _wide_encoding(start):
    """UTF-16 without a mark: every second byte of most texts is zero."""
    even, odd = start[0::2], start[1::2]
    if len(odd) > 1 and odd.count(0) > len(odd) * 0.4 and even.count(0) < len(even) * 0.1:
        return "utf-16-le"
    if len(even) > 1 and even.count(0) > len(even) * 0.4 and odd.count(0) < len(odd) * 0.1:
        return "utf-16-be"
    return None


def _checked_encoding(path, chosen):
    """
    The encoding of the file: the chosen one, else by its mark, else UTF-8, else Windows-1252.

    The whole file is decoded once, so that no row fails later on. Encodings of one byte a
    letter can't be told apart by looking: whoever has a Mac file says so.
    """
    if chosen:
        try:
            name = codecs.lookup(chosen).name
        except LookupError as error:
            raise FileRefused(_("There is no encoding called “%s”.") % chosen) from error
        return _refuse_wrong_encoding(path, "utf-8-sig" if name == "utf-8" else chosen)
    with path.open("rb") as file:
        start = file.read(4096)
    for bom, encoding in BOMS:
        if start.startswith(bom):
            return _refuse_wrong_encoding(path, encoding)
    if encoding := _wide_encoding(start):
        return _refuse_wrong_encoding(path, encoding)
    for encoding in ("utf-8", "cp1252"):
        if _first_error(path, encoding) is None:
            return encoding
    message = _("The letters of the file are neither UTF-8 nor Windows-1252. Name its encoding.")
    raise FileRefused(message)


def _refuse_wrong_encoding(path, encoding):
    if (position := _first_error(path, encoding)) is not None:
        message = _("The file is not %(encoding)s: byte %(position)s can't be read as a letter.")
        raise FileRefused(message % {"encoding": encoding, "position": f"{position:,}"})
    return encoding


def _first_error(path, encoding):
    """Where decoding fails for the first time, roughly to the block; None if it never does."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
    except LookupError:
        return 0
    done = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            try:
                decoder.decode(block)
            except UnicodeError as error:
                return done + getattr(error, "start", 0)
            done += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        return done
    return None


# -- delimiter and quotes ---------------------------------------------------------------------


def _known_delimiter(chosen):
    """The delimiter that was asked for, by itself or by its name."""
    if not chosen:
        return None
    names = {
        "comma": ",",
        "semicolon": ";",
        "tab": "\t",
        r"\t": "\t",
        "bar": "|",
        "pipe": "|",
    }
    names |= {"backquote": "`", "back quote": "`"}
    delimiter = names.get(chosen.strip().casefold() or chosen, chosen)
    if len(delimiter) != 1 or delimiter in "\r\n\"'" or delimiter.isalnum():
        raise FileRefused(_("“%s” can't separate cells.") % chosen)
    return delimiter


def find_delimiter(lines, quote='"'):
    """
    The character that cuts most rows into as many cells as the first one, and into most.

    A file whose rows it can't cut has one column.
    """
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths = _widths(lines, delimiter, quote)
        if not widths:
            continue
        width, rows = Counter(widths).most_common(1)[0]
        if width < 2:
            continue
        share = rows / len(widths)
        if widths[0] != width:
            share /= 2  # the header is cut otherwise than what stands below it
        if (score := (round(share, 1), width)) > best_score:
            best, best_score = delimiter, score
    return best


def _widths(lines, delimiter, quote):
    parser = csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=True)
    widths = []
    try:
        for cells in parser:
            if not _is_blank_line(cells):
                widths.append(len(cells))
            if len(widths) == SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # an overlong cell: what was cut so far tells enough
    return widths


def _find_quote(lines, delimiter):
    """The apostrophe if all cells of the first row stand in apostrophes, else the usual mark."""
    first = next((line.strip() for line in lines if line.strip()), "")
    for candidate in [_known_delimiter(delimiter)] if delimiter else DELIMITERS:
        cells = [cell.strip() for cell in first.split(candidate)]
        if all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells):
            return "'"
    return '"'
