"""Statements that only PostgreSQL needs, as reversible steps of migrations."""

from django.db import migrations


def on_postgresql(forward, backward):
    """
    A migration step that runs SQL on PostgreSQL and nothing on SQLite, both ways.

    A step of plain SQL would run on both.
    """
    return migrations.RunPython(_running(forward), _running(backward))


def _running(statements):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            for statement in statements:
                schema_editor.execute(statement)

    return run
