"""
Bring in a file: refuse, survey, run, finish.

The engine behind the command, and behind whatever page offers the same.
Rule: docs/rules/imports.md.
"""

import hashlib
from dataclasses import dataclass

from django.db import models
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core.bulk import refresh_statistics
from core.errors import Conflict, NotAllowed
from core.journal import Kind as OperationKind
from core.journal import Label, acting, start_run
from core.normalise import shown
from core.once import request_cache
from core.reach import Verb, reach_of, require
from imports.engine import Importer, Report
from imports.kinds import KINDS
from imports.mapping import Mapping, MappingRefused, open_file
from imports.models import ImportRun, Outcome
from imports.reader import CsvFile
from imports.results import number_columns, outcomes_of, write_result
from imports.survey import Survey, survey

BLOCK = 1024 * 1024
LONGEST_SOURCE = 40
MANY_ROWS = 1000  # so many that the database should look at its tables again
READ_AS_DATES = {"source_created_at", "converted_at", "closed_at"}
READ_AS_NUMBERS = {"expected_revenue"}


class ImportFinished(Conflict):
    """The run that should go on has done all its rows."""


class OtherFile(Conflict):
    """The file is not the one that the run began with."""


@dataclass
class ImportResult:
    """What an import did: its report, its run (None for a dry run), how the file was read."""

    report: Report
    job: ImportRun | None
    file: CsvFile
    mapping: Mapping
    survey: Survey

    @property
    def counts(self):
        """Rows by outcome; of a run that went on, with those of its first part."""
        if self.job is None:
            return {outcome: self.report.counts[outcome] for outcome in Outcome}
        return {outcome: getattr(self.job, outcome.lower()) for outcome in Outcome}

    @property
    def not_imported(self):
        """(column, why it fills nothing, filled cells) of each such column, the fullest first."""
        columns = self.mapping.left_out.items()
        told = [(name, reason, self.survey.filled[name]) for name, reason in columns]
        return sorted(told, key=lambda column: -column[2])

    def write(self, path):
        """Write the result file."""
        if self.job is not None:
            outcomes = outcomes_of(self.job)
        else:
            told = sorted(self.report.outcomes.items())
            outcomes = ((line, *outcome, "", None) for line, outcome in told)
        model = KINDS[self.mapping.kind].model
        numbers = number_columns(self.mapping, model)
        write_result(path, self.file, outcomes=outcomes, numbers=numbers)


def import_file(
    path, kind, *, by, document=None, owner_map=None, dry_run=False, resume=None, limits=None
):
    """
    Bring in the rows of the file at ``path`` as records of ``kind``; gives an ImportResult.

    ``document`` is a mapping document (see imports.mapping), ``owner_map`` what
    ``read_owner_map`` gives. A dry run meets the same refusals and leaves nothing. ``resume``
    is the ImportRun of the same file that should go on where it stopped.

    :raises FileRefused: the file can't be read
    :raises MappingRefused: the mapping is wrong, or leaves open how dates are to be read
    :raises NotAllowed: ``by`` may not import this
    :raises ImportFinished: nothing is left to do for ``resume``
    :raises OtherFile: ``resume`` began with another file
    """
    if resume is not None and document is None:
        document = resume.mapping
    with acting(by), request_cache():
        require_import(by, kind)
        file, mapping = open_file(path, kind, document, limits=limits)
        _check_options(mapping, by=by)
        found = _survey(file, mapping)
        job = None
        if resume is not None:
            job = _resumed(resume, file, kind, by=by)
        elif not dry_run:
            job = _start(file, mapping, document, rows=found.rows, by=by)
        importer = Importer(
            file, mapping, KINDS[kind], by=by, survey=found, owner_map=owner_map or {}, job=job
        )
        report = _run(importer, job)
    return ImportResult(report, job, file, mapping, found)


def require_import(by, kind):
    """
    Refuse unless ``by`` may bring in files of ``kind``.

    Where the matrix has no such verb, the right to make or edit what is brought in, and the
    grant to import.

    :raises NotAllowed: he may not
    """
    if kind not in KINDS:
        raise MappingRefused(_("There is no import of “%s”.") % kind)
    rules = KINDS[kind]
    require(by, rules.verb, rules.model)
    if Verb.IMPORT not in reach_of(by).grants:
        message = _("You can't import %s.") % rules.model._meta.verbose_name_plural
        raise NotAllowed(message)


def _check_options(mapping, *, by):
    """Refuse options that are the administrators', or that can't be stored."""
    options = mapping.options
    if options.add_to_lists and not reach_of(by).is_admin:
        raise NotAllowed(_("Only an administrator adds values to lists."))
    if len(options.external_source or "") > LONGEST_SOURCE:
        message = _("The external source has at most %s characters.")
        raise MappingRefused(message % LONGEST_SOURCE)
    fields = {field.name: field for field in KINDS[mapping.kind].model._meta.concrete_fields}
    for name in options.add_to_lists:
        if not hasattr(fields.get(name), "list_key"):
            raise MappingRefused(_("“%s” is no list.") % name)
    for name in options.round:
        if not isinstance(fields.get(name), models.DecimalField):
            raise MappingRefused(_("“%s” is no amount.") % name)


def _survey(file, mapping):
    rules = KINDS[mapping.kind]
    fields = rules.model._meta.concrete_fields
    dates = {field.name for field in fields if isinstance(field, models.DateField)}
    numbers = {f.name for f in fields if isinstance(f, models.DecimalField)}
    return survey(
        file,
        mapping,
        dates=dates | READ_AS_DATES,
        numbers=numbers | READ_AS_NUMBERS,
        in_file=rules.in_file,
    )


def _start(file, mapping, document, *, rows, by):
    name = shown(file.path.name, 255)
    label = Label(gettext_noop("Imported %(kind)s from %(file)s"), kind=mapping.kind, file=name)
    run = start_run(OperationKind.IMPORT, by=by, label=label)
    return ImportRun.objects.create(
        file_name=name,
        file_digest=_digest(file.path),
        kind=mapping.kind,
        mode=mapping.options.mode,
        mapping=document or {},
        total=rows,
        operation=run,
        by=by,
    )


def _resumed(job, file, kind, *, by):
    if job.by_id != by.pk:
        raise NotAllowed(_("Only %s goes on with this import.") % job.by)
    if job.state == ImportRun.State.DONE:
        raise ImportFinished(_("This import is finished."))
    if job.kind != kind or job.file_digest != _digest(file.path):
        message = _("This is not the file that the import began with, %s.")
        raise OtherFile(message % job.file_name)
    ImportRun.objects.filter(pk=job.pk).update(
        state=ImportRun.State.RUNNING, moved_at=timezone.now()
    )
    return job


def _run(importer, job):
    """Run; whatever ends it early leaves the run as stopped, to go on later."""
    if job is None:
        return importer.run()
    runs = ImportRun.objects.filter(pk=job.pk)
    last = job.rows.aggregate(last=Max("number"))["last"] or 0
    try:
        report = importer.run(after=last)
    except BaseException:
        runs.update(state=ImportRun.State.STOPPED, moved_at=timezone.now())
        raise
    now = timezone.now()
    runs.update(state=ImportRun.State.DONE, moved_at=now, finished_at=now)
    if job.total >= MANY_ROWS:
        refresh_statistics()
    job.refresh_from_db()
    return report


def _digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
