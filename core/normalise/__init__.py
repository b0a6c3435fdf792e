"""
The one way to clean a value, for forms, API, files and merges alike.

``clean_fields`` cleans the values of a record by the fields of its model; each kind of value
has a plain function that returns what is stored or raises ValidationError with a message for
people. Nothing is cut, rounded or guessed in silence. Rule: docs/rules/values.md.
"""

from .addresses import clean_email, clean_phone, clean_url, e164, national_digits
from .choices import Option, Options, clean_choice, clean_country, clean_currency, not_a_choice
from .context import CleanContext, Lists, clean_fields, clean_json, locale_format
from .dates import clean_date, clean_datetime
from .keys import (
    FREE_MAIL_DOMAINS,
    choice_key,
    domain_of,
    email_key,
    fold,
    is_free_mail,
    name_key,
    person_key,
    search_text,
)
from .numbers import (
    clean_boolean,
    clean_decimal,
    clean_integer,
    clean_money,
    clean_percent,
)
from .text import NOTES_LIMIT, clean_text, shown

__all__ = [
    "FREE_MAIL_DOMAINS",
    "NOTES_LIMIT",
    "CleanContext",
    "Lists",
    "Option",
    "Options",
    "choice_key",
    "clean_boolean",
    "clean_choice",
    "clean_country",
    "clean_currency",
    "clean_date",
    "clean_datetime",
    "clean_decimal",
    "clean_email",
    "clean_fields",
    "clean_integer",
    "clean_json",
    "clean_money",
    "clean_percent",
    "clean_phone",
    "clean_text",
    "clean_url",
    "domain_of",
    "e164",
    "email_key",
    "fold",
    "is_free_mail",
    "locale_format",
    "name_key",
    "national_digits",
    "not_a_choice",
    "person_key",
    "search_text",
    "shown",
]
