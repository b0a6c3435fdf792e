"""Searching records by their folded text; the one rule of what a typed search means."""

import re

from core.normalise import fold

MAX_LENGTH = 200
SHORT = 3  # a shorter word has no trigram: alone, no index helps to find it in the middle
PHONE = re.compile(r"[\s+()./-]*(?:\d[\s()./-]*){5,}", re.ASCII)


def search(queryset, text):
    """
    Keep the records whose ``search_text`` contains every word of ``text``, folded.

    At most 200 characters count. What looks like a phone number is searched by its digits
    alone, without leading zeros, so that the way it was typed does not matter. Words of one or
    two letters alone are looked for at the beginning of the text, where the name stands. A
    text of nothing but punctuation finds nothing, a blank one everything.
    """
    text = text[:MAX_LENGTH].strip()
    if not text:
        return queryset.all()
    words = words_of(text)
    if not words:
        return queryset.none()
    if all(len(word) < SHORT for word in words):
        return queryset.filter(search_text__startswith=" ".join(words))
    for word in words:
        queryset = queryset.filter(search_text__contains=word)
    return queryset


def words_of(text):
    """The folded words that a search for ``text`` asks for, each once, in the typed order."""
    if PHONE.fullmatch(text):
        return [re.sub(r"\D", "", text, flags=re.ASCII).lstrip("0") or "0"]
    return list(dict.fromkeys(fold(text).split()))
