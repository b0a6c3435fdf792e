from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.journal import OneTimeKey
from core.models import Seen

pytestmark = pytest.mark.django_db


def test_sweep_removes_keys_older_than_a_day_and_keeps_the_others(rep, capsys):
    now = timezone.now()
    for name, hours in (("old", 25), ("young", 23)):
        created = now - timedelta(hours=hours)
        OneTimeKey.objects.create(user=rep, key=name, digest="d", created_at=created)

    call_command("sweep")

    assert [key.key for key in OneTimeKey.objects.order_by("pk")] == ["young"]
    assert "Removed 1 one-time keys" in capsys.readouterr().out


def test_sweep_lets_the_database_look_at_its_tables_again():
    with CaptureQueriesContext(connection) as queries:
        call_command("sweep")

    assert any("ANALYZE" in query["sql"] for query in queries)


def test_sweep_forgets_what_was_looked_at_long_ago(rep):
    for pk, days in ((1, 91), (2, 89)):
        at = timezone.now() - timedelta(days=days)
        Seen.objects.create(user=rep, model="leads.lead", object_id=pk, at=at)

    call_command("sweep")

    assert [seen.object_id for seen in Seen.objects.all()] == [2]
