"""Searching records by their folded text; the one rule of what a typed search means."""

import re

from django.db.models import Q

from core.indexes import Unindexed
from core.normalise import fold, national_digits, search_text

MAX_LENGTH = 200
CANDIDATES = 200  # the newest matches, which are ranked; those whose key is the text come on top
SHORT = 3  # a shorter word has no trigram: alone, no index helps to find it in the middle
PHONE = re.compile(r"[\s+()./-]*(?:\d[\s()./-]*){5,}", re.ASCII)


def search(queryset, text):
    """
    Keep the records whose ``search_text`` contains every word of ``text``, folded.

    At most 200 characters count. What looks like a phone number is searched by its digits
    alone, without country and leading zeros, so that the way it was typed does not matter.
    Words of one or two letters alone are looked for at the beginning of the text, where the
    name stands. A text of nothing but punctuation finds nothing, a blank one everything.
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
        return [national_digits(text)]
    return list(dict.fromkeys(fold(text).split()))


def ranked(queryset, text, *, limit):
    """
    The ``limit`` records to show first for a search, as a list, with what they are shown by.

    First those that hold the text in full, as a name, a company, an e-mail address or a number;
    then those with a word that begins with it; then the others. In each the name comes first,
    then the newest. Each record tells its ``rank``, 0 for the best. Their texts are read and
    compared first, so that a kind in which nothing is found costs one small query.
    Rule: docs/rules/search.md.
    """
    words = words_of(text[:MAX_LENGTH].strip())
    if not words:
        return []
    found = search(queryset, text).order_by(Unindexed("pk").desc()).values_list("pk", "search_text")
    texts = dict(found[:CANDIDATES])
    if len(texts) == CANDIDATES:
        texts |= dict(found.filter(_has_key(queryset.model, text))[:limit])
    ranks = {pk: rank_of(search_text, " ".join(words)) for pk, search_text in texts.items()}
    best = sorted(ranks, key=lambda pk: (ranks[pk], -pk))[:limit]
    # By their keys alone: told the conditions again, SQLite would walk an index of all records.
    rows = queryset.model._base_manager.select_related("owner", *queryset.model.hint_links)
    records = rows.in_bulk(best) if best else {}
    for pk, record in records.items():
        record.rank = ranks[pk]
    return [records[pk] for pk in best if pk in records]


def rank_of(search_text, phrase):
    """How well a text fits a typed one, 0 for the best: in full first, then at a beginning."""
    words = f" {search_text} "
    for rank, place in ((0, f" {phrase} "), (2, f" {phrase}")):
        if words.startswith(place):
            return rank
        if place in words:
            return rank + 1
    return 4


def _has_key(model, text):
    """The condition that one of the model's keys is the typed text; each has an index."""
    condition = Q(pk__in=())
    for name, key in model.search_keys.items():
        if value := key(text[:MAX_LENGTH].strip()):
            condition |= Q(**{name: value})
    return condition


def reason(record, text, *, shown):
    """The value in which a word of ``text`` was found, unless it is among those ``shown``."""
    words = [word for word in words_of(text) if word not in search_text(shown)]
    for name in record.search_fields:
        value = str(getattr(record, name))
        if any(word in search_text([value]) for word in words):
            return value
    return ""


def marked(label, text):
    """
    Cut ``label`` where the words of a search stand in it: ``[(part, is_match), …]``.

    It is compared as it is searched, without case and accents.
    """
    folded, places = "", []
    for place, character in enumerate(label):
        letters = fold(character) if not character.isspace() else " "
        folded += letters
        places += [place] * len(letters)
    hit = set()
    for word in words_of(text):
        for match in re.finditer(re.escape(word), folded):
            hit |= {*range(places[match.start()], places[match.end() - 1] + 1)}
    parts = []
    for place, character in enumerate(label):
        if parts and parts[-1][1] == (place in hit):
            parts[-1][0] += character
        else:
            parts.append([character, place in hit])
    return [tuple(part) for part in parts]
