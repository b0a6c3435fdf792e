import csv

import pytest

from core.checks import all_checks
from imports.runs import import_file
from users.models import Grant


@pytest.fixture
def listed(tmp_path):
    """Write rows to a CSV file: ``listed("Last name,Email", "Ann,a@b.example", …)``."""

    def listed(header, *rows, name="list.csv"):
        path = tmp_path / name
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return listed


@pytest.fixture
def bring(admin, listed):
    """Bring rows in: ``bring("leads", "Last name,Email", "Ann,a@b.example", by=rep)``."""

    def bring(kind, header, *rows, by=None, document=None, **options):
        path = listed(header, *rows)
        if by is not None:
            by.grants = [Grant.IMPORT]
        return import_file(path, kind, by=by or admin, document=document, **options)

    return bring


@pytest.fixture
def clean():
    """What offends an invariant: ``assert clean() == []``."""

    def clean():
        return [str(offence) for c in all_checks() for offence in c.offences(full=True)]

    return clean


def outcomes(result):
    """The outcomes that occur: {"created": 3}."""
    return {outcome.lower(): n for outcome, n in result.counts.items() if n}


def messages(result):
    """What is said about the rows: {line: message}."""
    rows = result.job.rows.exclude(message="")
    return dict(rows.values_list("number", "message"))


def read_result(result, path):
    """The rows of the result file."""
    result.write(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
