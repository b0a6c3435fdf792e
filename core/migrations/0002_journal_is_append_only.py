from django.db import migrations

from core.postgresql import on_postgresql

FUNCTION = """
CREATE FUNCTION core_journal_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('topsail.erasure', true) = 'on' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The journal is append-only.';
END $$
"""
TRIGGER = (
    "CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION core_journal_append_only()"
)
TABLES = ("core_operation", "core_change")


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        on_postgresql(
            [FUNCTION, *(TRIGGER.format(table=table) for table in TABLES)],
            [
                *(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}" for table in TABLES),
                "DROP FUNCTION IF EXISTS core_journal_append_only()",
            ],
        )
    ]
