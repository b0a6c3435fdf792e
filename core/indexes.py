"""Indexes that PostgreSQL and SQLite need in different forms, and how to add one."""

from django.db import migrations, models
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
        if kwargs.get("concurrently"):  # alone in its statement; the extension is there by then
            return index
        return Statement("CREATE EXTENSION IF NOT EXISTS pg_trgm; %(index)s", index=index)


class Unindexed(models.Func):
    """
    An expression to sort by, for which SQLite does not walk an index.

    Of a search that finds little, walking the rows in their order costs far more than sorting
    what a SearchIndex finds. PostgreSQL decides that by itself.
    """

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


class AddIndexOnline(migrations.AddIndex):
    """
    Add an index to a table that is in use: on PostgreSQL writers go on while it is built.

    The migration must not be atomic. One that was interrupted leaves an invalid index, which is
    dropped by hand before the migration is run again.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.add_index(model, self.index, **_online(schema_editor))

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = from_state.models[app_label, self.model_name_lower].get_index_by_name(
                self.index.name
            )
            schema_editor.remove_index(model, index, **_online(schema_editor))


def _online(schema_editor):
    return {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}
