"""The chunks of a file: matched, cleaned and written, one after the other."""

from collections import Counter, defaultdict
from itertools import islice

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import Account
from core.bulk import Pauses, insert_rows
from core.errors import DomainError, from_integrity
from core.fields import StringListField
from core.journal import Kind as OperationKind
from core.journal import Label, operation, retried
from core.models import ListValue
from core.normalise import CleanContext, choice_key, clean_text, shown
from core.once import forget
from core.reach import Verb, allowed, editable_fields, sight_of
from core.records import lock
from imports.drafts import RowReader
from imports.engine.linker import Linker
from imports.engine.report import LANDED, LONGEST_MESSAGE, Report
from imports.kinds import cut_list
from imports.links import NAME, Finder, NotFound, Owners, chosen
from imports.models import ImportRow, ImportRun, Outcome

CHUNK = 250
LONGEST_ID = 100


class Rehearsed(Exception):
    """Ends the transaction of a dry run's chunk: nothing of it stays."""


class Importer:
    """
    One file on its way in: what is found once and used for every chunk.

    ``job`` is the ImportRun whose rows are written; None is a dry run, in which each chunk is
    written and rolled back, so that it meets the same refusals and leaves nothing.
    """

    def __init__(self, file, mapping, kind, *, by, survey, owner_map, job):
        self.file = file
        self.mapping = mapping
        self.by = by
        self.survey = survey
        self.job = job
        self.now = timezone.now()
        self.source = mapping.options.external_source or f"import:{mapping.kind}"
        self.finder = Finder(by, mapping.options.external_source)
        self.owners = Owners(owner_map, by)
        self.context = CleanContext.for_file(
            by, date_order=survey.date_order, decimal=survey.decimal
        )
        self.report = Report()
        self.kind = kind(self)
        self.reader = RowReader(file, mapping)
        self.lines = {}  # what tells that two rows are one -> the line of the first
        self.lists_touched = False
        self.pauses = Pauses()

    # -- the passes -----------------------------------------------------------------------

    def run(self, *, after=0):
        """Bring in the rows behind line ``after``, then let rows of the file refer to others."""
        for rows in _chunks(self.rows(after)):
            self.pauses.pause()
            drafts = self.committed(rows, self.bring_in)
            self.report.count(drafts, self.mapping)
            if self.job is None:
                told = {draft.line: (draft.outcome, draft.message) for draft in drafts}
                self.report.outcomes.update(told)
        if self.job is not None and self.kind.in_file in self.mapping.fields:
            linker = Linker(self)
            for rows in _chunks(self.linking_rows()):
                self.pauses.pause()
                self.report.count_links(self.committed(rows, linker.bring_together))
        return self.report

    def rows(self, after=0):
        for place, row in enumerate(self.file.rows(), start=1):
            if row.line > after:
                yield row, place
            else:
                self.remember(self.reader.draft(row, place))

    def remember(self, draft):
        """Note what tells a row that an earlier part of the run has done."""
        if draft.has("external_id"):
            self.lines.setdefault(("id", draft.texts["external_id"].strip()), draft.line)
        elif draft.digest:
            self.lines.setdefault(draft.digest, draft.line)

    def linking_rows(self):
        """The rows that refer to other rows of the file."""
        for row, place in self.rows():
            if not row.problem and self.kind.in_file in self.reader.draft(row, place).texts:
                yield row, place

    @retried
    def committed(self, rows, work):
        """Do ``work`` with the rows' drafts in one operation of the run; gives the drafts."""
        drafts = [self.reader.draft(row, place) for row, place in rows]
        self.forget_lists()
        name = self.job.file_name if self.job else shown(self.file.path.name, 255)
        label = Label(gettext_noop("Imported rows of %(file)s"), file=name)
        run = self.job.operation if self.job else None
        with self.pauses.holding():
            try:
                with operation(OperationKind.IMPORT, by=self.by, label=label, run=run) as op:
                    work(drafts, op)
                    if self.job is None:
                        raise Rehearsed
            except Rehearsed:
                self.forget_lists()
        return drafts

    def forget_lists(self):
        """Read the lists again: a chunk that added values may have been rolled back."""
        if self.lists_touched:
            self.context.lists.clear()
            forget()
            self.lists_touched = False

    # -- one chunk ------------------------------------------------------------------------

    def bring_in(self, drafts, op):
        """Match, clean and write the rows of one chunk, and their outcomes."""
        for draft in drafts:
            self.look_at(draft)
        self.resolve_links(drafts)
        self.find_by_external_id(drafts)
        self.kind.find_stored(self.open(drafts))
        self.find_imported_before(self.open(drafts))
        self.check_stored(self.open(drafts))
        self.add_list_values(self.open(drafts))
        for draft in self.open(drafts):
            self.clean(draft)
        self.make_accounts(self.open(drafts))
        new = [draft for draft in self.open(drafts) if draft.stored is None]
        self.check_new(new)
        changing = self.changing(drafts)
        self.halved(self.open(new), self.kind.write_new, Outcome.CREATED, op)
        self.halved(changing, self.kind.write_changes, Outcome.UPDATED, op)
        if self.job is not None:
            self.write_outcomes(drafts)

    @staticmethod
    def open(drafts):
        return [draft for draft in drafts if draft.is_open]

    def look_at(self, draft):
        """What a row's texts alone decide: blank, deleted at the source, twice in the file."""
        if not draft.is_open:
            return
        if not draft.texts:
            draft.skip(_("The row is blank."))
            return
        for name in self.kind.looked_up & draft.texts.keys():
            try:
                draft.texts[name] = clean_text(draft.texts[name])
            except ValidationError as error:
                draft.fail(error.messages[0], name)
        if self.kind.truth(draft, "is_deleted") and not self.mapping.options.import_archived:
            draft.skip(_("Deleted at the source."))
        elif draft.is_open and (external_id := draft.texts.get("external_id")):
            if len(external_id) > LONGEST_ID:
                message = _("At most %(limit)s characters, this has %(length)s.")
                values = {"limit": LONGEST_ID, "length": len(external_id)}
                draft.fail(message % values, "external_id")
            elif (line := self.line_before(("id", external_id), draft)) is not None:
                message = _("The same external id stands in line %s.")
                draft.fail(message % line, "external_id")

    def line_before(self, key, draft):
        """The line of an earlier row with the same key; remembers this row's else."""
        line = self.lines.setdefault(key, draft.line)
        return None if line == draft.line else line

    # -- what rows refer to -----------------------------------------------------------------

    def resolve_links(self, drafts):
        """Find what the rows refer to, one query a kind of reference."""
        for name, link in self.kind.links.items():
            asking = [d for d in self.open(drafts) if d.has(name) and link.target not in d.links]
            if asking:
                self.resolve(name, link, asking)

    def resolve(self, name, link, drafts):
        found = self.finder.find(link, {draft.texts[name] for draft in drafts})
        makes = link.key == NAME and self.mapping.options.create_accounts_by_name
        for draft in drafts:
            text = draft.texts[name]
            records = found.get(text, ())
            if name == self.kind.in_file:
                if records or not self.survey.has_id(text, self.mapping.options):
                    self.check_target(draft, name, link, records)
            elif makes and not records:
                draft.makes_account = text
            else:
                self.settle_link(draft, name, link, records)

    def settle_link(self, draft, name, link, records):
        try:
            draft.links[link.target] = chosen(link, draft.texts[name], records)
        except NotFound as reason:
            if link.soft:
                draft.note(reason)
            else:
                draft.fail(reason, name)

    def check_target(self, draft, name, link, records):
        """Refuse a row that will point at nothing, or at what is in the recycle bin."""
        try:
            chosen(link, draft.texts[name], records)
        except NotFound as reason:
            draft.fail(reason, name)

    def make_accounts(self, drafts):
        """Create the accounts that rows name and nobody has, once each."""
        asking = {}
        for draft in drafts:
            if draft.makes_account:
                asking.setdefault(choice_key(draft.makes_account), []).append(draft)
        if not asking:
            return
        made = []
        for key, rows in list(asking.items()):
            account = self.account_for(rows)
            if account is None:
                del asking[key]
            else:
                made.append(account)
        Account.objects.bulk_create(made)
        for account, rows in zip(made, asking.values(), strict=True):
            self.report.accounts_made.add(choice_key(account.name))
            for draft in rows:
                draft.links["account"] = account

    def account_for(self, rows):
        """A new account of the name that the rows give; None if the name can't be stored."""
        name = rows[0].makes_account
        cleaned, errors = Account.clean_values({"name": name}, self.context)
        if errors:
            for draft in rows:
                draft.fail(errors["name"][0], "account_name")
            return None
        return Account(**cleaned, owner_id=rows[0].cleaned.get("owner_id", self.by.pk))

    # -- what is there already --------------------------------------------------------------

    def find_by_external_id(self, drafts):
        """Records with the rows' external ids, those in the recycle bin and hidden ones too."""
        asking = {d.texts["external_id"]: d for d in self.open(drafts) if d.has("external_id")}
        model = self.kind.model
        if not asking or not hasattr(model, "external_id"):
            return
        rows = model.objects.filter(external_source=self.source, external_id__among=sorted(asking))
        found = {record.external_id: record for record in lock(rows)}
        merged = {record.merged_into_id for record in found.values()} - {None}
        winners = model.objects.in_bulk(merged) if merged else {}
        for external_id, record in found.items():
            asking[external_id].stored = winners.get(record.merged_into_id, record)

    def match(self, drafts, name, keys):
        """
        Find records by the field ``name`` where the external id found none.

        ``keys`` gives each draft's key; several records with it, or a row before with it, are
        no match. Records that the user may not see are not matched, but said.
        """
        drafts = [draft for draft in drafts if draft.stored is None and keys.get(draft.line)]
        model = self.kind.model
        wanted = sorted({keys[draft.line] for draft in drafts})
        if not wanted:
            return
        rows = model.objects.live().filter(**{f"{name}__among": wanted})
        found = defaultdict(list)
        for record in lock(rows.visible_to(self.by)).order_by("pk"):
            found[getattr(record, name)].append(record)
        existing = set(rows.values_list(name, flat=True))
        for draft in drafts:
            key = keys[draft.line]
            if (line := self.line_before((name, key), draft)) is not None:
                draft.skip(_("The same %(field)s stands in line %(line)s.") % {
                    "field": self.kind.label_of(name), "line": line
                })  # fmt: skip
            elif len(found[key]) > 1:
                message = _("%(count)s records have this: %(key)s. Use an external id.")
                draft.fail(message % {"count": len(found[key]), "key": key})
            elif found[key]:
                draft.stored = found[key][0]
                draft.takes_id = True
            elif key in existing:
                draft.note(_("It matches a record that you cannot see."))

    def find_imported_before(self, drafts):
        """Rows without any key that were brought in before, by their content."""
        drafts = [d for d in drafts if d.stored is None and not d.has("external_id") and d.digest]
        if not drafts or not self.kind.knows_by_content:
            return
        for draft in drafts:
            if (line := self.line_before(draft.digest, draft)) is not None:
                draft.skip(_("The same row stands in line %s.") % line)
        drafts = self.open(drafts)
        rows = ImportRow.objects.filter(
            digest__among=sorted({draft.digest for draft in drafts}),
            run__kind=self.mapping.kind,
            outcome__in=LANDED,
            object_id__isnull=False,
        )
        before = {row.digest: row for row in rows.order_by("pk")}
        if not before:
            return
        there = self.kind.model.objects.live().filter(
            pk__among=sorted({row.object_id for row in before.values()})
        )
        there = there.in_bulk()
        for draft in drafts:
            row = before.get(draft.digest)
            if row is not None and row.object_id in there:
                draft.record = there[row.object_id]
                values = {"run": row.run_id, "line": row.number}
                draft.leave(_("Brought in before (import %(run)s, line %(line)s).") % values)

    def check_stored(self, drafts):
        """Refuse to touch what the user may not, what is archived; obey the mode."""
        mode = self.mapping.options.mode
        for draft in drafts:
            if draft.stored is None and mode == ImportRun.Mode.UPDATE:
                draft.fail(_("Not found: there is no record to update."))
        stored = [draft for draft in drafts if draft.is_open and draft.stored is not None]
        if not stored:
            return
        records = [draft.stored for draft in stored]
        seen = self.kind.model.objects.visible_to(self.by)
        seen = set(seen.filter(pk__among=[r.pk for r in records]).values_list("pk", flat=True))
        editable = allowed(records, self.by, Verb.EDIT)
        given_away = self.assignable(records)
        for draft in stored:
            record = draft.stored
            if record.pk not in seen:
                draft.fail(_("Not found: the external id belongs to no record that you can see."))
            elif record.pk not in editable:
                draft.fail(_("You can't edit %s.") % record)
            elif getattr(record, "archived_at", None) is not None:
                draft.fail(_("%s is in the recycle bin. Restore it first.") % record)
            elif mode == ImportRun.Mode.CREATE:
                draft.skip(_("%s is there already.") % record)
            draft.may_assign = record.pk in given_away
            if record.pk in seen:
                draft.record = record
        self.kind.check_stored(self.open(stored))

    def assignable(self, records):
        """The records that the user may give to another owner."""
        has_owner = hasattr(self.kind.model, "owner")
        return allowed(records, self.by, Verb.ASSIGN) if has_owner else set()

    # -- values -------------------------------------------------------------------------------

    def add_list_values(self, drafts):
        """Add to the lists that the mapping opens what the rows hold and the lists do not."""
        for name in self.mapping.options.add_to_lists:
            field_ = self.kind.fields[name]
            options = self.context.lists[field_.list_key]
            missing = {}
            for draft in drafts:
                text = draft.texts.get(name, "") if draft.has(name) else ""
                parts = cut_list(text) if isinstance(field_, StringListField) else [text]
                for part in parts:
                    if part and not _is_in(options, part):
                        missing.setdefault(choice_key(part), part)
            self.add_values(field_, missing.values())

    def add_values(self, field_, texts):
        texts = [clean_text(text) for text in texts if _fits(text, field_.max_length or 60)]
        if not texts:
            return
        self.lists_touched = True
        key = field_.list_key
        last = ListValue.objects.filter(list_key=key).aggregate(last=Max("position"))["last"] or 0
        ListValue.objects.bulk_create(
            ListValue(list_key=key, value=text, label=text, position=last + number)
            for number, text in enumerate(texts, start=1)
        )
        self.report.values_added[key].update(texts)
        self.context.lists.pop(key, None)
        forget()

    def clean(self, draft):
        """The row's values by the model's own rules; what they refuse fails the row."""
        if draft.stored is None:
            for name, text in draft.defaults.items():
                draft.texts.setdefault(name, text)
            for name in self.mapping.options.required:
                if not draft.has(name):
                    draft.fail(_("This field is required."), name)
        values = self.kind.values(draft)
        context = self.context if draft.stored is None else self.context.of(draft.stored)
        cleaned, errors = self.kind.model.clean_values(values, context)
        for name, messages in errors.items():
            if name in self.mapping.options.leave_out_unreadable:
                text = draft.texts.get(name, "")
                draft.note(_("“%(text)s” was left out: %(reason)s") % {
                    "text": text[:60], "reason": messages[0]
                })  # fmt: skip
            else:
                draft.fail(messages[0], name)
        draft.cleaned = cleaned
        if draft.is_open:
            self.kind.settle(draft)

    def check_new(self, drafts):
        for draft in drafts:
            if draft.is_open and not self.kind.may_create(draft):
                draft.fail(_("You can't edit what this belongs to."))

    def changing(self, drafts):
        """The rows whose record is there and changes; the others of these are unchanged."""
        changing = []
        for draft in self.open(drafts):
            if draft.stored is None:
                continue
            limit = editable_fields(draft.stored, self.by)
            seen = sight_of(draft.stored, self.by)
            draft.changed = self.kind.change(draft)
            if not all(name in seen for name in draft.cleaned):  # nor is told what is the same
                draft.fail(_("You can't change all these fields of %s.") % draft.stored)
            elif not draft.changed:
                draft.leave()
            elif limit is not None and not set(draft.changed) <= limit:
                draft.fail(_("You can't change all these fields of %s.") % draft.stored)
            else:
                changing.append(draft)
        return changing

    # -- writing ------------------------------------------------------------------------------

    def halved(self, drafts, write, outcome, op):
        """Write ``drafts``; what the database refuses is halved down to the rows to blame."""
        if not drafts:
            return
        versions = [getattr(draft.stored, "version", None) for draft in drafts]
        try:
            with op.attempt():
                write(drafts)
        except (IntegrityError, DataError, DomainError) as error:
            for draft, version in zip(drafts, versions, strict=True):
                if draft.stored is not None:
                    draft.stored.version = version
            if len(drafts) == 1:
                self.refuse(drafts[0], error)
                return
            middle = len(drafts) // 2
            self.halved(drafts[:middle], write, outcome, op)
            self.halved(drafts[middle:], write, outcome, op)
            return
        for draft in drafts:
            draft.outcome = outcome
            draft.record = draft.stored or draft.record

    def refuse(self, draft, error):
        draft.record = draft.stored
        refusal = from_integrity(error) if isinstance(error, IntegrityError) else error
        if isinstance(refusal, DomainError):
            draft.fail(refusal.message, refusal.field or "")
        else:
            draft.fail(_("The database refused the row."))

    def write_outcomes(self, drafts):
        """The rows' outcomes and the run's counts, in the transaction of the records."""
        label = self.kind.model._meta.label_lower
        rows = [
            {
                "run_id": self.job.pk,
                "number": draft.line,
                "digest": draft.digest,
                "outcome": str(draft.outcome),
                "message": draft.message.replace("\x00", "\N{REPLACEMENT CHARACTER}")[
                    :LONGEST_MESSAGE
                ],
                "model": label if draft.record is not None else "",
                "object_id": draft.record.pk if draft.record is not None else None,
            }
            for draft in drafts
        ]
        insert_rows(ImportRow, rows)
        counts = Counter(draft.outcome for draft in drafts)
        moved = {outcome.lower(): F(outcome.lower()) + n for outcome, n in counts.items()}
        runs = ImportRun.objects.filter(pk=self.job.pk)
        runs.update(done=F("done") + len(drafts), moved_at=timezone.now(), **moved)


def _chunks(rows):
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _is_in(options, text):
    try:
        options.find(text, retired=True)
    except ValidationError:
        return False
    return True


def _fits(text, limit):
    try:
        return bool(clean_text(text, limit))
    except ValidationError:
        return False
