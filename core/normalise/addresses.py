"""Where people are reached: e-mail addresses, phone numbers, web addresses."""

import re
import unicodedata

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .text import clean_text, shown

EMAIL_LIMIT = 254
PHONE_LIMIT = 40
URL_LIMIT = 255
E164_LIMIT = 16

# Some addresses in real files have & in a label, against the standard; they are kept.
_LABEL = r"[a-z0-9](?:[a-z0-9&-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,59}}(?<!-))")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(?:\.(?!$)|$)){4}")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def clean_email(value):
    """One address, its domain lower-cased and in ASCII (IDNA), the part before it as typed."""
    text = clean_text(value)
    if text[:7].lower() == "mailto:":
        text = text[7:].strip()
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1].strip()
    if not text:
        return ""
    local, _at, domain = text.rpartition("@")
    host = ascii_host(domain)
    if not (host and len(local) <= 64 and _LOCAL.fullmatch(local)):
        raise ValidationError(
            _("“%(value)s” is not a valid e-mail address. Write it like name@firm.com."),
            code="invalid",
            params={"value": shown(text)},
        )
    email = f"{local}@{host}"
    if len(email) > EMAIL_LIMIT:
        raise ValidationError(
            _("At most %(limit)s characters, this has %(length)s."),
            code="max_length",
            params={"limit": EMAIL_LIMIT, "length": len(email)},
        )
    return email


def ascii_host(host):
    """
    The host lower-cased and in ASCII, "" if it is none or has no dot.

    Labels are encoded as IDNA 2008 and the browsers do (ß stays ß), which Python's own codec,
    made for IDNA 2003, does not.
    """
    if not host.isascii():
        host = unicodedata.normalize("NFKC", host.lower()).replace("\u3002", ".")
        labels = [_ascii_label(label) for label in host.split(".")]
        if None in labels:
            return ""
        host = ".".join(labels)
    host = host.lower()
    return host if len(host) <= 253 and _HOST.fullmatch(host) else ""


def _ascii_label(label):
    if label.isascii():
        return label
    if not all(unicodedata.category(char)[0] in "LMN" or char in "-\u200c\u200d" for char in label):
        return None
    if unicodedata.category(label[0])[0] == "M":
        return None
    encoded = f"xn--{label.encode('punycode').decode('ascii')}"
    return encoded if len(encoded) <= 63 else None


# A mark that says "extension", after enough digits to be a number.
_EXTENSION = re.compile(
    r"(.*[0-9)])\s*(?:;\s*ext\s*=|,?\s*(?:extension|extn|ext|durchwahl|dw)\b[.:]?|,?\s*x[.:]?|#)"
    r"\s*([0-9]{1,7})",
    re.IGNORECASE | re.ASCII,
)


def clean_phone(value, country=""):
    """
    The number as typed, an extension at its end as ``;ext=``.

    Nothing is refused but its length: what is no number stays readable, ``e164`` is "" then.
    """
    text = clean_text(value)
    if _needs_a_look(text):
        number, extension = _split_extension(text)
        text = f"{number};ext={extension}" if extension else text
    if len(text) > PHONE_LIMIT:
        raise ValidationError(
            _("At most %(limit)s characters, this has %(length)s."),
            code="max_length",
            params={"limit": PHONE_LIMIT, "length": len(text)},
        )
    return text


_LETTERS = re.compile(r"[A-Za-z#;]")
_needs_a_look = _LETTERS.search


def _split_extension(text):
    match = _EXTENSION.fullmatch(text) if len(text) <= 2 * PHONE_LIMIT else None
    if match and sum(char in "0123456789" for char in match[1]) >= 5:
        return match[1], match[2]
    return text, ""


MIN_NATIONAL = 5  # fewer digits stand in too many numbers
_NUMBER = re.compile(r"\+?[0-9\s()./\-\u2010-\u2015]+")


def e164(value, country):
    """
    The number in international form ("+14155552671"), read in ``country`` if it names none.

    Empty for what cannot be dialled as it stands: letters, vanity numbers, too few digits.
    An extension is no part of it.
    """
    number, _extension = _split_extension(value.strip())
    if not _NUMBER.fullmatch(number):
        return ""
    try:
        parsed = phonenumbers.parse(number, country or None)
    except phonenumbers.NumberParseException:
        return ""
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    text = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return text if len(text) <= E164_LIMIT else ""


def national_digits(number):
    """
    The digits that a number has however it is written: no country, no leading zeros.

    "+49 (0)40 5550132", "0049 40 5550132" and "040 5550132" are all "405550132".
    """
    digits = re.sub(r"[^0-9]", "", number)
    national = digits.lstrip("0") or "0"
    if number.lstrip(" (").startswith("+"):
        digits = f"+{digits}"
    elif digits.startswith("00"):
        digits = f"+{national}"
    else:
        return national
    try:
        parsed = phonenumbers.parse(digits)
    except phonenumbers.NumberParseException:
        return national
    found = str(parsed.national_number)
    return found if len(found) >= MIN_NATIONAL else national


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?![0-9]{1,5}(?:[/?#]|$))")
_URL = re.compile(
    r"(https?)://([^\s/?#:@\\]+)(?::([0-9]{1,5}))?((?:[/?][^#]*)?)(?:#.*)?",
    re.IGNORECASE | re.ASCII,
)
_NEVER_IN_URLS = re.compile(r"[\s\"<>\\^`{|}]")


def clean_url(value):
    """
    A web address with its scheme, https if none was typed, and an ASCII host; no fragment.

    Only http and https with a dot in the host; user names and passwords are refused.
    """
    text = clean_text(value)
    if not text:
        return ""
    scheme = _SCHEME.match(text)
    if not scheme and not text.startswith("/"):
        text = f"https://{text}"
    match = None if _NEVER_IN_URLS.search(text) else _URL.fullmatch(text)
    host = _web_host(match[2]) if match else ""
    if not host or (match[3] and not 0 < int(match[3]) < 65536):
        raise ValidationError(
            _("“%(value)s” is not a valid web address. Write it like https://firm.com."),
            code="invalid",
            params={"value": shown(value)},
        )
    port = f":{int(match[3])}" if match[3] else ""
    url = f"{match[1].lower()}://{host}{port}{match[4]}"
    if len(url) > URL_LIMIT:
        raise ValidationError(
            _("At most %(limit)s characters, this has %(length)s."),
            code="max_length",
            params={"limit": URL_LIMIT, "length": len(url)},
        )
    return url


def _web_host(host):
    host = host.removesuffix(".")
    return host if _IPV4.fullmatch(host) else ascii_host(host)
