"""The second pass: rows that refer to other rows of the file, when all of them are in."""

from django.db import IntegrityError
from django.db.models import F
from django.utils.translation import gettext as _

from core.errors import DomainError, from_integrity
from core.records import lock
from imports.engine.report import LANDED, LONGEST_MESSAGE
from imports.links import not_found
from imports.models import ImportRow, ImportRun, Outcome


class Linker:
    """Lets the records of one import refer to each other: parents, superiors."""

    def __init__(self, importer):
        self.job = importer.job
        self.finder = importer.finder
        self.kind = importer.kind
        self.name = importer.kind.in_file
        self.link = importer.kind.links[self.name]

    def bring_together(self, drafts, op):
        """Link the records of a chunk's rows, and correct the rows' outcomes."""
        lines = {draft.line: draft for draft in drafts}
        rows = ImportRow.objects.filter(
            run=self.job, number__in=sorted(lines), outcome__in=LANDED, object_id__isnull=False
        )
        rows = {row.number: row for row in rows}
        records = self.kind.model.objects.filter(pk__among=[r.object_id for r in rows.values()])
        records = {record.pk: record for record in lock(records)}
        texts = {draft.texts[self.name] for draft in drafts if draft.has(self.name)}
        found = self.finder.find(self.link, texts)
        pairs = []
        for line, row in rows.items():
            draft = lines[line]
            draft.stored = records.get(row.object_id)
            text = draft.texts[self.name] if draft.has(self.name) else None
            target = found[text][0] if text in found else None
            if text is not None and target is None:
                draft.note(not_found(self.link, text))
            elif draft.stored is not None:
                pairs.append((draft, target))
        moved = self.linked(pairs, op)
        self.correct_outcomes(rows, drafts, {draft.line for draft in moved})

    def linked(self, pairs, op):
        """Link the pairs; if the database refuses, each half by itself. Gives what moved."""
        if not pairs:
            return []
        column = f"{self.name}_id"
        before = [(d.stored.version, getattr(d.stored, column)) for d, _target in pairs]
        try:
            with op.attempt():
                return self.kind.link_rows(pairs)
        except (IntegrityError, DomainError) as error:
            for (draft, _target), (version, target) in zip(pairs, before, strict=True):
                draft.stored.version = version
                setattr(draft.stored, column, target)
            if len(pairs) == 1:
                self.note_refusal(pairs[0][0], error)
                return []
            middle = len(pairs) // 2
            return self.linked(pairs[:middle], op) + self.linked(pairs[middle:], op)

    def note_refusal(self, draft, error):
        refusal = from_integrity(error) if isinstance(error, IntegrityError) else error
        message = _("“%(field)s” was not set: %(reason)s")
        draft.note(message % {"field": self.kind.label_of(self.name), "reason": refusal})

    def correct_outcomes(self, rows, drafts, moved):
        """Unchanged rows whose record was linked are updated ones; notes join the messages."""
        changed, risen = [], 0
        for draft in drafts:
            row = rows.get(draft.line)
            if row is None:
                continue
            if draft.line in moved and row.outcome == Outcome.UNCHANGED:
                row.outcome = draft.outcome = Outcome.UPDATED
                risen += 1
            elif not draft.notes:
                continue
            row.message = " ".join([row.message, *draft.notes]).strip()[:LONGEST_MESSAGE]
            changed.append(row)
        ImportRow.objects.bulk_update(changed, ["outcome", "message"])
        if risen:
            runs = ImportRun.objects.filter(pk=self.job.pk)
            runs.update(unchanged=F("unchanged") - risen, updated=F("updated") + risen)
