"""The result file: the input as it was, with outcome, message and record of each row."""

import csv
import re

from django.apps import apps
from django.db import models
from django.utils.translation import gettext as _

from imports.models import Outcome

FORMULA = re.compile(r"[\s\"'\u3000]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]")
HARMLESS = re.compile(r"[+-]?[0-9][0-9 ()./,-]*")
"""Numbers and phone numbers: no program computes anything from them that was not there."""
PAGE = 1000
TOLD = ("number", "outcome", "message", "model", "object_id")


def write_result(path, file, *, outcomes, numbers=()):
    """
    Write the result file at ``path``.

    ``outcomes`` gives (line, outcome, message, model label, record's key) in the order of the
    lines; ``numbers`` names the columns of amounts and phone numbers, which are left as they
    are. Cells that a spreadsheet program would compute get an apostrophe before them.
    """
    header = [*file.header, _("Outcome"), _("Message"), _("Record")]
    plain = {position for position, name in enumerate(file.header) if name in numbers}
    outcomes = iter(outcomes)
    told = next(outcomes, None)
    with open(path, "w", encoding="utf-8-sig", newline="") as target:
        writer = csv.writer(target)
        writer.writerow([neutralised(name) for name in header])
        for row in file.rows():
            while told is not None and told[0] < row.line:
                told = next(outcomes, None)
            said = ["", "", ""]
            if told is not None and told[0] == row.line:
                _line, outcome, message, label, pk = told
                said = [str(Outcome(outcome).label), message, address_of(label, pk)]
            cells = [
                cell if position in plain and HARMLESS.fullmatch(cell) else neutralised(cell)
                for position, cell in enumerate(row.cells)
            ]
            cells += [""] * (len(file.header) - len(cells))
            writer.writerow([*cells, *map(neutralised, said)])


def neutralised(text):
    """The text so that no spreadsheet program computes it: an apostrophe before formulas."""
    return f"'{text}" if text and FORMULA.match(text) else text


def as_typed(text):
    """The text without the apostrophe that ``neutralised`` put before it."""
    return text[1:] if text.startswith("'") and FORMULA.match(text, 1) else text


def address_of(label, pk):
    """The path of a record's page; its model and key where the page belongs to another record."""
    if not label or pk is None:
        return ""
    model = apps.get_model(label)
    if getattr(model, "access_parents", ()):
        return f"{model._meta.verbose_name} {pk}"
    # Made as from its row: for a new one the defaults would be asked of the database.
    return model.from_db(None, [model._meta.pk.attname], [pk]).get_absolute_url()


def outcomes_of(job):
    """The stored outcomes of a run, page by page in the order of the lines."""
    last = 0
    while True:
        rows = job.rows.filter(number__gt=last).order_by("number")
        page = list(rows.values_list(*TOLD)[:PAGE])
        if not page:
            return
        yield from page
        last = page[-1][0]


def number_columns(mapping, model):
    """The columns that fill amounts, numbers and phone numbers."""
    kinds = (models.DecimalField, models.IntegerField)
    names = {
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, kinds) or "phone" in field.name or field.name in ("mobile", "fax")
    }
    return {header for header, fields in mapping.columns.items() if set(fields) & names}
