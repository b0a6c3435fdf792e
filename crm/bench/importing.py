"""The import of many leads by the command, in a process of its own, while somebody else writes."""

import csv
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, models

from core.bulk import Maker
from core.journal import Kind, Label, operation
from core.once import request_cache
from crm.bench.database import environment
from crm.bench.filling import SOURCES, company, domain, person
from leads.models import Lead

ROWS = 50_000
BARE_ROWS = 5_000
PAUSE = 0.05  # between two writes of the other writer
COLUMNS = ("First Name", "Last Name", "Company", "Title", "Email", "Phone", "City", "Country",
           "Lead Source", "Description")  # fmt: skip


@dataclass(frozen=True)
class ImportFigures:
    """
    What an import cost, and the other writers meanwhile.

    ``busy`` are the seconds that the importing process was at work, which a machine with other
    things to do does not lengthen; ``bare`` are those of a plain insert of as many rows.
    """

    rows: int
    seconds: float
    busy: float
    bare: float
    megabytes: float
    waits: tuple  # the seconds that each write of another writer took

    @property
    def longest_wait(self):
        return max(self.waits, default=0)

    @property
    def median_wait(self):
        return statistics.median(self.waits) if self.waits else 0


def measure_import(filling, *, rows=ROWS):
    """
    Import ``rows`` leads and compare with Django's plain ``bulk_create`` of the same rows.

    Starting the command is measured by a file of one row and taken off, time and memory alike.
    """
    with tempfile.TemporaryDirectory(prefix="topsail-bench-") as folder:
        one, many = Path(folder) / "one.csv", Path(folder) / "many.csv"
        write_file(one, range(1))
        write_file(many, range(1, rows))
        start = run_import(one, filling)
        with Writer(filling) as writer:
            whole = run_import(many, filling)
    return ImportFigures(
        rows=rows,
        seconds=whole.seconds - start.seconds,
        busy=whole.busy - start.busy,
        bare=rows / BARE_ROWS * measure_bulk_create(filling),
        megabytes=whole.megabytes - start.megabytes,
        waits=tuple(writer.waits),
    )


@dataclass(frozen=True)
class Cost:
    """What one process took: by the clock, at work, and its peak of memory."""

    seconds: float
    busy: float
    megabytes: float


def row(number):
    first, last = person(number)
    return {
        "First Name": first,
        "Last Name": last,
        "Company": company(number),
        "Title": "Buyer",
        "Email": f"imported{number}@{domain(number)}",
        "Phone": f"+44 20 7946 {number % 1000:04}",
        "City": "Leeds",
        "Country": "GB",
        "Lead Source": SOURCES[number % len(SOURCES)],
        "Description": "Met at the fair, wants to hear more about prices and delivery.",
    }


def write_file(path, numbers):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(row(number) for number in numbers)


def run_import(path, filling):
    """Run the command on ``path`` in a process of its own; gives its Cost."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "import_records", "leads"]
    command += [str(path), "--user", filling.admin.email]
    start = time.perf_counter()
    with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL) as process:
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


class Writer:
    """Somebody who edits leads in the meantime; each write is timed."""

    def __init__(self, filling):
        self.filling = filling
        self.waits = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.stop.set()
        self.thread.join()

    def run(self):
        try:
            number = 0
            while not self.stop.wait(PAUSE):
                number = (number + 1) % self.filling.size
                start = time.perf_counter()
                self.edit(self.filling.key(Lead, number))
                self.waits.append(time.perf_counter() - start)
        finally:
            connection.close()

    def edit(self, pk):
        with request_cache(), operation(Kind.EDIT, by=self.filling.admin, label=Label("")):
            lead = Lead.objects.get(pk=pk)
            lead.description = f"{lead.description}."
            lead.save()


def measure_bulk_create(filling):
    """The seconds at work of a plain ``bulk_create``, without derived fields and journal."""
    maker = Maker(Lead)
    leads = [maker.make(filling.lead(number)) for number in range(BARE_ROWS)]
    start = time.process_time()
    models.QuerySet(Lead).bulk_create(leads, batch_size=250)
    return time.process_time() - start
