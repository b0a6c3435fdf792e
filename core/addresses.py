"""
Addresses of pages about a record.

A list writes hundreds of them. Each page's address is looked up once and its key filled in, for
Django's look-up costs more than the cell that the address stands in.
"""

from functools import lru_cache

from django.urls import get_script_prefix, get_urlconf, reverse

STAND_IN = 987654321987654321  # the key in the address that is kept


def address_of(page, key):
    """
    The address of ``page``, such as "leads:lead_detail", for the record with this key.

    :raises NoReverseMatch: for a page that there is not, or without a key
    """
    if key is None:
        return reverse(page, args=[key])
    before, after = _around_key(page, get_script_prefix(), get_urlconf())
    return f"{before}{key}{after}"


@lru_cache(maxsize=512)
def _around_key(page, prefix, urlconf):
    """What stands before and behind the key; ``prefix`` is where the site is mounted."""
    before, _key, after = reverse(page, urlconf, args=[STAND_IN]).partition(str(STAND_IN))
    return before, after
