"""Text as it is stored: composed, trimmed, without what cannot be stored or seen."""

import re
import unicodedata
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

NOTES_LIMIT = 100_000

# Tab, line breaks and form feeds are white space, which single lines fold into one space.
_REFUSED_IN_LINES = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_REFUSED_IN_NOTES = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Zero-width space, byte order mark and bidi controls; the joiners U+200C and U+200D stay,
# because Persian and Indic words are spelled with them.
_HIDDEN = re.compile(r"[\u200b\ufeff\u202a-\u202e\u2066-\u2069]")
# Letters, marks and symbols by category, but nothing is drawn for them.
_BLANK = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")


def clean_text(value, limit=None, *, multiline=False):
    """
    The text as it is stored, at most ``limit`` code points; what nobody could see is "".

    A single line keeps one space for any run of white space and loses bidi controls and
    zero-width spaces; several lines keep all that, with LF as the only line break.
    """
    text = value if type(value) is str else as_text(value)
    if text.isascii() and text.isprintable():
        text = text.strip(" ")
        if not multiline and "  " in text:
            text = " ".join(text.split())
    else:
        text = _clean_lines(text) if multiline else _clean_line(text)
    if limit is not None and len(text) > limit:
        raise too_long(text, limit)
    return text


def _clean_line(text):
    if _REFUSED_IN_LINES.search(text):
        raise unstorable()
    text = _HIDDEN.sub("", text)
    text = " ".join(unicodedata.normalize("NFC", text).split())
    return text if has_visible(text) else ""


def _clean_lines(text):
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _REFUSED_IN_NOTES.search(text):
        raise unstorable()
    text = unicodedata.normalize("NFC", text).strip()
    return text if has_visible(text) else ""


def has_visible(text):
    """Whether anything is left of ``text`` without white space and zero-width characters."""
    return any(
        not (char.isspace() or char in _BLANK or unicodedata.category(char) == "Cf")
        for char in text
    )


def as_text(value):
    """What a cell or a JSON value that is no string says as text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | date):
        raise ValidationError(_("Enter text."), code="invalid")
    return str(value)


def shown(value, length=60):
    """``value`` as a message may repeat it: shortened, control characters replaced."""
    text = str(value)
    text = text if len(text) <= length else f"{text[: length - 1]}…"
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def too_long(text, limit):
    """The error that names the limit and what was given."""
    return ValidationError(
        _("At most %(limit)s characters, this has %(length)s."),
        code="max_length",
        params={"limit": limit, "length": len(text)},
    )


def unstorable():
    """The error for control characters and halves of surrogate pairs."""
    return ValidationError(
        _("This contains a character that cannot be stored. Remove it or type the text again."),
        code="unstorable",
    )
