"""Text as filters compare it: without case and accents, the same in Python and both databases."""

import re
import unicodedata

from django.db import models
from django.db.backends.signals import connection_created
from django.dispatch import receiver

MARKS = re.compile("[\u0300-\u036f]")


def plain(text):
    """``text`` in lower case, compatibility forms and accents taken apart and dropped."""
    if text.isascii():
        return text.lower()
    lowered = unicodedata.normalize("NFKD", text).lower()
    return MARKS.sub("", unicodedata.normalize("NFKD", lowered))


@receiver(connection_created, dispatch_uid="core.teach_plain")
def teach_plain(sender, *, connection, **kwargs):
    """Give SQLite the function; PostgreSQL has what it is made of."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("plain", 1, _or_null, deterministic=True)


def _or_null(text):
    return None if text is None else plain(text)


@models.CharField.register_lookup
@models.TextField.register_lookup
class Plain(models.Transform):
    """``name__plain__contains="muller"``"""

    lookup_name = "plain"
    function = "plain"
    output_field = models.TextField()

    def as_postgresql(self, compiler, connection, **context):
        template = (
            'regexp_replace(normalize(lower(normalize(%(expressions)s, NFKD) COLLATE "und-x-icu"),'
            " NFKD), '[\u0300-\u036f]', '', 'g')"
        )
        return self.as_sql(compiler, connection, template=template, **context)
