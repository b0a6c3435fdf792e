"""What texts are compared by: folded for search and choices, matching keys for duplicates."""

import re
import unicodedata
from functools import lru_cache

# Letters that look like another one with a mark, yet have no decomposition.
_PLAIN = {
    "æ": "ae", "ð": "d", "đ": "d", "ħ": "h", "ı": "i", "ĸ": "k", "ł": "l", "ŋ": "n",
    "ø": "o", "œ": "oe", "þ": "th", "ŧ": "t", "ƀ": "b", "ǥ": "g", "ɨ": "i", "ɵ": "o",
}  # fmt: skip

_LEGAL_FORMS = frozenset(
    """
    ab ag aps as asa bv bvba co company corp corporation cv doo ehf eg ek eood gbr gmbh
    ggmbh hf inc incorporated kft kg kgaa kk lda limited llc llp lp ltd ltda mbh nv ohg oy
    oyj plc pllc private pte pty pvt sa sab sarl sas sasu sau sca scs se sl slu snc spa
    spzoo srl srls sro ug ulc vof zoo zrt
    """.split()
)  # fmt: skip
# Forms that are written as several words.
_LEGAL_PHRASES = (("sp", "zoo"), ("sp", "z", "oo"), ("sp", "z", "o", "o"), ("sdn", "bhd"))


class _Folding(dict):
    """Maps a code point to what is left of it; grows with the characters that were seen."""

    def __missing__(self, code):
        char = chr(code)
        category = unicodedata.category(char)
        if char in _PLAIN:
            folded = _PLAIN[char]
        elif char.isspace() or category[0] == "Z":
            folded = " "
        elif category[0] in "PSC" or unicodedata.combining(char):
            folded = None
        else:
            folded = char
        self[code] = folded
        return folded


_FOLDING = _Folding()


def fold(text):
    """
    Text as search and choices compare it: no case, accents, punctuation or width.

    Punctuation leaves no gap ("O'Brien" is "obrien"), so that any part of a stored text folds
    to a part of its folded text. Folding twice changes nothing.
    """
    if text.isascii():
        text = text.lower()
    else:
        text = unicodedata.normalize("NFKD", text).casefold()
        text = unicodedata.normalize("NFKD", text).casefold()
    return " ".join(text.translate(_FOLDING).split())


def choice_key(text):
    """``fold`` without spaces: "Closed/Won" is "Closed Won", "Ms." is "Ms"."""
    return fold(text.replace("&", " and ")).replace(" ", "")


def name_key(text):
    """
    An organisation's name without case, accents, punctuation and trailing legal forms.

    "Müller & Söhne GmbH & Co. KG" is "muller and sohne". What is nothing but legal forms
    keeps one of them; a name of punctuation alone has no key.
    """
    words = _joined_initials(fold(text.replace("&", " and ")).split())
    end = len(words)
    while end > 1 and (length := _legal_words_before(words, end)) and length < end:
        end -= length
    return " ".join(words[:end])


def _joined_initials(words):
    """Join single letters at the end: "acme s a s" is "acme sas"."""
    start = len(words)
    while start > 1 and len(words[start - 1]) == 1:
        start -= 1
    joined = "".join(words[start:])
    return [*words[:start], joined] if joined in _LEGAL_FORMS else words


def _legal_words_before(words, end):
    """How many words before ``end`` are a legal form, or the "and" that joined two of them."""
    for phrase in _LEGAL_PHRASES:
        if tuple(words[max(0, end - len(phrase)) : end]) == phrase:
            return len(phrase)
    return 1 if words[end - 1] in _LEGAL_FORMS or words[end - 1] == "and" else 0


_PHONE = re.compile(r"[\s+()./-]*(?:[0-9][\s()./-]*){5,}")


def search_text(values):
    """
    The folded words of ``values`` in one text, phone numbers as digits alone.

    What a search folds and asks for by ``contains`` is found here, however it was typed.
    """
    parts = (_searchable(value) for value in values if value)
    return " ".join(dict.fromkeys(part for part in parts if part))


def _searchable(value):
    text = str(value)
    number = text.partition(";ext=")[0]
    if _PHONE.fullmatch(number):
        return "".join(char for char in number if char in "0123456789")
    return fold(text)


def person_key(*names):
    """The folded words of a person's names, blank ones skipped; no legal form is one of them."""
    return fold(" ".join(name for name in names if name))


def email_key(email):
    """The address without case; people who share a mailbox share the key."""
    return email.lower()


FREE_MAIL_DOMAINS = (
    "gmail.com", "googlemail.com", "outlook.*", "hotmail.*", "live.*", "msn.com", "yahoo.*",
    "ymail.com", "rocketmail.com", "icloud.com", "me.com", "mac.com", "gmx.*", "web.de",
    "t-online.de", "freenet.de", "mail.de", "posteo.de", "posteo.net", "mailbox.org",
    "proton.me", "protonmail.com", "pm.me", "tutanota.com", "tuta.com", "fastmail.com",
    "zoho.com", "hey.com", "aol.*", "comcast.net", "verizon.net", "att.net", "sbcglobal.net",
    "btinternet.com", "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr",
    "libero.it", "virgilio.it", "bluewin.ch", "seznam.cz", "wp.pl", "o2.pl", "interia.pl",
    "mail.ru", "yandex.*", "qq.com", "163.com", "126.com", "sina.com", "naver.com",
)  # fmt: skip
"""Hosts where anybody may have a mailbox or a page; ``name.*`` stands for any ending."""

_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@]*@)?([^/?#:]+)|(?:.*@)?([^/?#:@]+)")


def domain_of(url_or_email, free=FREE_MAIL_DOMAINS):
    """
    The company's domain in an address or URL: the host without ``www.``.

    Empty for what has no host and for the hosts in ``free``, which say nothing about the
    company; the organisation keeps its own list of these.
    """
    match = _HOST.match(url_or_email.strip().lower())
    host = (match[1] or match[2]).removeprefix("www.") if match else ""
    if "." not in host or is_free_mail(host, tuple(free)):
        return ""
    return host


@lru_cache(maxsize=4096)
def is_free_mail(host, free):
    """Whether ``host`` is one of ``free``, a tuple of domains and of patterns like ``gmx.*``."""
    if host in free:
        return True
    name, dot, ending = host.partition(".")
    # gmx.de, yahoo.co.uk; but not gmx.anything.else.example
    return bool(dot) and ending.count(".") <= 1 and f"{name}.*" in free
