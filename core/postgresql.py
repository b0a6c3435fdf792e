"""Statements that only PostgreSQL needs: reversible steps of migrations, snapshots."""

from django.db import connection, migrations


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


def export_snapshot():
    """
    The name under which another session reads what the open transaction reads.

    The transaction may then wait for that session as long as it takes.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        return cursor.fetchone()[0]
