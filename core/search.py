"""Searching records by their folded text; the one rule of what a typed search means."""

import re

from django.db.models import Q

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
    return queryset.filter(condition(text))


def condition(text):
    """What a search for ``text`` asks of the records, as one condition."""
    text = text[:MAX_LENGTH].strip()
    if not text:
        return Q()
    words = words_of(text)
    if not words:
        return Q(pk__in=[])
    if all(len(word) < SHORT for word in words):
        return Q(search_text__startswith=" ".join(words))
    where = Q()
    for word in words:
        where &= Q(search_text__contains=word)
    return where


def found_in(search_text, text):
    """Whether a search for ``text`` finds a record with this ``search_text``."""
    text = text[:MAX_LENGTH].strip()
    if not text:
        return True
    words = words_of(text)
    if words and all(len(word) < SHORT for word in words):
        return search_text.startswith(" ".join(words))
    return bool(words) and all(word in search_text for word in words)


def words_of(text):
    """The folded words that a search for ``text`` asks for, each once, in the typed order."""
    if PHONE.fullmatch(text):
        return [re.sub(r"\D", "", text, flags=re.ASCII).lstrip("0") or "0"]
    return list(dict.fromkeys(fold(text).split()))
