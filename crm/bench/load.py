"""
Sixty people at once, against the server as it runs in production.

The server and the visitors are processes of their own. The figures are those of a closed loop:
a visitor waits for the answer before the next errand, so a slow server is asked less often.
"""

import csv
import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.test import Client

from contacts.models import Contact
from crm.bench.database import environment
from crm.bench.filling import COMMON, FAMILY, RARE, TRADES, is_known
from leads.models import Lead, Phase
from opportunities.models import Opportunity

VISITORS_FILE = Path(__file__).with_name("visitors.py")
HOST = "localhost"  # environment() allows it
SLOWEST, LEAST = 300, 40  # ms of 95 in 100 requests, requests a second
STARTED_IN = 30  # seconds
RECORDS, CONVERTED = 40, 60  # for each visitor


class LoadFailed(Exception):
    """The server did not start, or the visitors could not be sent."""


@dataclass(frozen=True)
class Row:
    """The figures of one page, in milliseconds."""

    name: str
    requests: int
    errors: int
    median: float
    p95: float
    p99: float
    a_second: float

    @property
    def is_good(self):
        """Whether all together meet the goal; asked of the sum only."""
        return not self.errors and self.p95 <= SLOWEST and self.a_second >= LEAST


def measure_load(filling, *, users, seconds, port):
    """Let ``users`` people work for so long; gives a Row for each page and the sum as the last."""
    with tempfile.TemporaryDirectory(prefix="topsail-load-") as folder:
        plan = Path(folder) / "plan.json"
        plan.write_text(json.dumps(plan_for(filling, users=users, port=port)))
        with server(port, log=Path(folder) / "server.log"):
            return visit(Path(folder), users=users, seconds=seconds, port=port)


# -- the plan ---------------------------------------------------------------------------------


def plan_for(filling, *, users, port):
    """Who comes with which records: visitors of one name share their records out."""
    owners = filling.owners
    scheme = "https" if settings.HTTPS else "http"
    return {
        "pause": [0.4, 1.6],
        "scheme": scheme,
        "origin": f"{scheme}://{HOST}:{port}",
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "visitors": [
            visitor(filling, owners[number % len(owners)], turn=number // len(owners))
            for number in range(users)
        ],
    }


def visitor(filling, user, *, turn):
    client = Client(SERVER_NAME=HOST)
    client.force_login(user)
    leads = Lead.objects.filter(owner=user, phase=Phase.OPEN).order_by("-pk")
    new = [lead.pk for lead in leads if not is_known(filling.number(lead))]
    known = [lead.pk for lead in leads if is_known(filling.number(lead))]
    return {
        "cookies": {name: cookie.value for name, cookie in client.cookies.items()},
        "leads": share(known, turn, RECORDS),
        "to_convert": share(new, turn, CONVERTED),
        "accounts": share(keys(Opportunity, user, "account_id"), turn, RECORDS),
        "contacts": share(keys(Contact, user), turn, RECORDS),
        "deals": share(keys(Opportunity, user), turn, RECORDS),
        "words": [RARE, COMMON, *FAMILY, *TRADES],
    }


def keys(model, user, name="pk"):
    mine = model.objects.filter(owner=user).order_by("-pk")
    return list(mine.values_list(name, flat=True)[: 20 * RECORDS])


def share(keys, turn, most):
    """The part of the keys that the visitor of this turn has for himself."""
    return keys[turn * most : (turn + 1) * most]


# -- processes --------------------------------------------------------------------------------


@contextmanager
def server(port, *, log):
    """gunicorn with the configuration of production on the benchmark's database."""
    command = [sys.executable, "-m", "gunicorn", "crm.wsgi", "--bind", f"127.0.0.1:{port}"]
    variables = environment() | {"SECRET_KEY": settings.SECRET_KEY, "HTTPS": str(settings.HTTPS)}
    with log.open("w") as target:
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=variables, stdout=target, stderr=target
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", process, log)
        yield
    finally:
        process.terminate()
        process.wait(STARTED_IN)


def wait_for(address, process, log):
    until = time.monotonic() + STARTED_IN
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise LoadFailed(f"The server did not start: {log.read_text()[-2000:]}")


def visit(folder, *, users, seconds, port):
    """Run the visitors; what the first ones met while the others still came is left out."""
    command = [sys.executable, "-m", "locust", "--locustfile", str(VISITORS_FILE), "--headless"]
    command += ["--users", str(users), "--spawn-rate", "10", "--run-time", f"{seconds}s"]
    command += ["--host", f"http://{HOST}:{port}", "--csv", str(folder / "load"), "--only-summary"]
    command += ["--reset-stats", "--exit-code-on-error", "0"]
    variables = environment() | {"LOAD_PLAN": str(folder / "plan.json")}
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=variables, capture_output=True, text=True
    )
    if done.returncode:
        raise LoadFailed(done.stderr[-2000:])
    with (folder / "load_failures.csv").open() as file:
        failures = [(row["Name"], row["Error"], row["Occurrences"]) for row in csv.DictReader(file)]
    with (folder / "load_stats.csv").open() as file:
        return [row_of(row) for row in csv.DictReader(file)], failures


def row_of(row):
    return Row(
        name="all" if row["Name"] == "Aggregated" else row["Name"],
        requests=int(row["Request Count"]),
        errors=int(row["Failure Count"]),
        median=number_in(row["50%"]),
        p95=number_in(row["95%"]),
        p99=number_in(row["99%"]),
        a_second=float(row["Requests/s"]),
    )


def number_in(text):
    return 0.0 if text == "N/A" else float(text)


def table_of_load(rows):
    """The lines of the printed table, with the goal below."""
    yield f"{'page':<28}{'requests':>9}{'errors':>8}{'p50':>7}{'p95':>7}{'p99':>7}{'per s':>7}"
    for row in rows:
        yield (
            f"{row.name:<28}{row.requests:>9,}{row.errors:>8}"
            f"{row.median:>7.0f}{row.p95:>7.0f}{row.p99:>7.0f}{row.a_second:>7.1f}"
        )
    said = "met" if rows[-1].is_good else "missed"
    yield f"Goal: p95 ≤ {SLOWEST} ms, no errors, ≥ {LEAST} requests a second: {said}."
