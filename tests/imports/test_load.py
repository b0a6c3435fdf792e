"""What an import may cost: memory, and the time that others wait for SQLite's lock."""

import threading
import time
import tracemalloc

import pytest
from django.db import connection

from core import bulk
from core.journal import Kind, Label, Operation, operation
from imports.runs import import_file
from leads.models import Lead, LeadStatus
from tests.factories.users import UserFactory
from users.models import Role

HEADER = "Id,First name,Last name,Company,Email,Phone,City,Country"


def rows(count):
    for n in range(count):
        yield f"L{n},Ann,Lee {n},Firm {n % 50},p{n}@firm{n % 50}.example,+49 30 {n},Berlin,Germany"


@pytest.mark.django_db
def test_memory_does_not_grow_with_the_file(listed, admin, monkeypatch):
    monkeypatch.setattr(bulk, "PAUSE", 0)
    import_file(listed(HEADER, *rows(250)), "leads", by=admin)  # what is loaded once

    def peak(count):
        path = listed(HEADER, *(f"{count}-{row}" for row in rows(count)))
        tracemalloc.start()
        import_file(path, "leads", by=admin)
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    small, large = peak(500), peak(2500)

    # The keys of all rows are kept, 300 bytes each; the rows themselves are not.
    assert large - small < 2000 * 1000


@pytest.mark.django_db(transaction=True)
def test_others_write_while_an_import_runs(listed, tmp_path):
    if connection.vendor == "sqlite" and "memory" in str(connection.settings_dict["NAME"]):
        pytest.skip("threads need a database in a file")
    admin = UserFactory(role=Role.ADMIN)
    path = listed(HEADER, *rows(3000))
    written, over = [], threading.Event()

    def write():
        while not over.is_set():
            with operation(Kind.EDIT, by=admin, label=Label("Written meanwhile")):
                Lead(last_name="Meanwhile", owner=admin, status=LeadStatus.default()).save()
            written.append(1)
            time.sleep(0.05)
        connection.close()

    writers = [threading.Thread(target=write) for _number in range(2)]
    for writer in writers:
        writer.start()
    import_file(path, "leads", by=admin)
    over.set()
    for writer in writers:
        writer.join()

    assert Lead.objects.filter(last_name="Meanwhile").count() == len(written)
    chunks = Operation.objects.filter(run__kind=Kind.IMPORT).order_by("pk")
    first, last = chunks.first().pk, chunks.last().pk
    between = Operation.objects.filter(kind=Kind.EDIT, pk__gt=first, pk__lt=last)
    assert between.count() >= 2  # how long each of them waited is measured by the benchmark
