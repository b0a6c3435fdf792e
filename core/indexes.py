"""Indexes that PostgreSQL and SQLite need in different forms."""

from django.db import models
from django.db.backends.ddl_references import Statement


class SearchIndex(models.Index):
    """
    Finds parts of words in ``search_text``, the last of the fields.

    PostgreSQL looks them up by trigrams of this field alone. SQLite has no such index: it reads
    through all texts, in this index instead of in the much wider rows, and of the owners or
    states in question only if their fields stand first.
    """

    def create_sql(self, model, schema_editor, using="", **kwargs):
        if schema_editor.connection.vendor != "postgresql":
            return super().create_sql(model, schema_editor, using=using, **kwargs)
        trigrams = models.Index(fields=self.fields[-1:], name=self.name, opclasses=["gin_trgm_ops"])
        index = trigrams.create_sql(model, schema_editor, using=" USING gin", **kwargs)
        return Statement("CREATE EXTENSION IF NOT EXISTS pg_trgm; %(index)s", index=index)
