"""What all kinds of files share: reading the row's texts, making and changing records."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from difflib import get_close_matches

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from core.bulk import Maker, insert
from core.fields import PercentField, StringListField
from core.normalise import (
    clean_boolean,
    clean_datetime,
    clean_decimal,
    clean_email,
    email_key,
    shown,
)
from core.reach import Verb
from imports.mapping import CLEAR

OPT_OUTS = ("email_opt_out", "do_not_call", "fax_opt_out")
MOMENTS_KEPT = 5000
OWN_FIELDS = {"external_id", "owner", "is_deleted", "source_created_at"}


class Kind:
    """One kind of file. ``run`` is the Importer: who imports, when, by which mapping."""

    model = None
    links = {}  # field of the row -> Link
    needs = ()  # what a new record can't be without
    linked_values = ()  # the links that are ordinary values of the record
    in_file = ""  # the field by which rows refer to other rows of the same file
    read_here = frozenset()  # fields of the row that are no fields of the model
    verb = Verb.IMPORT  # what the matrix asks for; another one, and the grant "import"
    knows_by_content = False  # rows without keys are known by their content when they come again

    def __init__(self, run):
        self.run = run
        self.options = run.mapping.options
        self.fields = {field.name: field for field in self.model._meta.concrete_fields}
        self.names = {field.attname: name for name, field in self.fields.items()}
        self.maker = Maker(self.model)
        self.moments = {}  # by the texts of the file
        self.looked_up = OWN_FIELDS | self.links.keys() | self.read_here

    def values(self, draft):
        """What ``clean_values`` is given for the row, as Python values where the file decides."""
        values = dict.fromkeys(self.needs) if draft.stored is None else {}
        for name, text in draft.texts.items():
            if name in OWN_FIELDS or name in self.links or name in self.read_here:
                continue
            values[name] = None if text == CLEAR else self.prepared(name, text, draft)
        values |= {name: draft.links[name] for name in self.linked_values if name in draft.links}
        for name in OPT_OUTS:
            if name in values and not _is_true(values[name]):
                del values[name]  # files switch opt-outs on, never off
        return values

    def prepared(self, name, text, draft):
        """The text as the field's cleaner reads it: lists cut, fractions scaled, sums rounded."""
        field = self.fields[name]
        if isinstance(field, StringListField):
            return cut_list(text)
        if isinstance(field, PercentField):
            return self.percent(text)
        if name in self.options.round:
            return self.rounded(name, text, draft)
        if name in self.options.truncate:
            return self.truncated(name, text, draft)
        if isinstance(field, models.IntegerField) and not field.choices:
            return _without_zeros(text, self.run.context.decimal)
        return text

    def percent(self, text):
        number = self.number(text.removesuffix("%").strip())
        if number is None:
            return text
        number *= self.options.probability_scale
        return int(number) if number == int(number) else text

    def rounded(self, name, text, draft):
        number = self.number(text)
        if number is None:
            return text
        step = Decimal(1).scaleb(-self.fields[name].decimal_places)
        whole = number.quantize(step, ROUND_HALF_UP)
        if whole != number:
            draft.note(_("%(text)s was rounded to %(whole)s.") % {"text": text, "whole": whole})
        return whole

    def truncated(self, name, text, draft):
        field = self.fields[name]
        limit = getattr(field, "limit", None) or field.max_length
        if limit is None or len(text) <= limit:
            return text
        message = _("“%(field)s” was cut to %(limit)s characters.")
        draft.note(message % {"field": field.verbose_name, "limit": limit})
        return text[:limit]

    def number(self, text):
        try:
            return clean_decimal(
                text, self.run.context.decimal, max_digits=30, decimal_places=9, exponents=True
            )
        except (ValidationError, InvalidOperation):
            return None

    def moment(self, draft, name):
        """The moment in the row's field ``name``, None if it has none; a bad one fails the row."""
        if not draft.has(name):
            return None
        text = draft.texts[name]
        if text not in self.moments:
            if len(self.moments) > MOMENTS_KEPT:
                self.moments.clear()
            context = self.run.context
            try:
                self.moments[text] = clean_datetime(text, context.date_order, context.zone)
            except ValidationError as error:
                draft.fail(error.messages[0], name)
                return None
        return self.moments[text]

    def truth(self, draft, name, *, default=False):
        """Yes or no in the row's field ``name``; ``default`` without one."""
        if not draft.has(name):
            return default
        try:
            return clean_boolean(draft.texts[name])
        except ValidationError as error:
            draft.fail(error.messages[0], name)
            return default

    def label_of(self, name):
        """What people call the field ``name``."""
        return self.fields[name].verbose_name if name in self.fields else name

    def find_stored(self, drafts):
        """Find records by something else than external ids; sets ``stored`` of the rows."""

    def check_stored(self, drafts):
        """Decide about rows whose record is there before their values are looked at."""

    def may_create(self, draft):
        """Whether the user may make this new record where it belongs."""
        return True

    def settle(self, draft):
        """Decide, after cleaning, what the fields of the model do not say themselves."""

    def new_record(self, draft):
        """The record of a new row, not saved."""
        return self.maker.make(draft.cleaned)

    def make_new(self, drafts):
        """Make the records of new rows, not saved."""
        for draft in drafts:
            draft.record = self.new_record(draft)

    def write_new(self, drafts):
        """Write the records of new rows and what belongs to them; all or nothing."""
        self.make_new(drafts)
        insert([draft.record for draft in drafts])

    def change(self, draft):
        """Set the row's values on the stored record; gives the names of the fields that moved."""
        record, moved = draft.stored, []
        for key, value in draft.cleaned.items():
            attname = self.fields[key].attname if key in self.fields else key
            name = self.names[attname]
            present = getattr(record, attname)
            if present == (value.pk if isinstance(value, models.Model) else value):
                continue
            if name in self.options.only_blanks and present not in (None, "", []):
                continue
            setattr(record, name if isinstance(value, models.Model) else attname, value)
            moved.append(name)
        return moved

    def write_changes(self, drafts):
        """Write the changed records and what follows from their changes; all or nothing."""
        names = sorted({name for draft in drafts for name in draft.changed})
        if names:
            self.model.objects.bulk_update([draft.stored for draft in drafts], names)

    def link_rows(self, pairs):
        """
        Second pass: let (draft, target) pairs refer to each other.

        Gives the drafts whose records moved; those that were refused get a note.
        """
        return []


def _is_true(value):
    try:
        return clean_boolean(value)
    except ValidationError:
        return True  # the field's cleaner says what is wrong with it


def cut_list(text):
    """The parts of a cell with several values: cut at semicolons or bars, else at commas."""
    for sign in (";", "|", "\n", ","):
        if sign in text:
            return [part.strip() for part in text.split(sign) if part.strip()]
    return [text]


def _without_zeros(text, decimal):
    """``12.0`` as 12, as programs write whole numbers that they hold as floats."""
    whole, sign, rest = text.partition(decimal)
    return whole if sign and rest and not rest.strip("0") else text


class Owned(Kind):
    """A kind of main records: with owner, external id, time of creation at the source."""

    knows_by_content = True

    def check_stored(self, drafts):
        for draft in drafts:
            if reason := draft.stored.why_read_only():
                draft.skip(reason)

    def settle(self, draft):
        cleaned = draft.cleaned
        if draft.has("owner"):
            owner = self.run.owners.find(draft.texts["owner"])
            if owner is None:
                draft.unknown_owner = draft.texts["owner"]
            elif draft.stored is None or draft.may_assign or owner == draft.stored.owner_id:
                cleaned["owner_id"] = owner
            else:
                draft.note(_("The owner was not changed: you can't give it away."))
        if moment := self.moment(draft, "source_created_at"):
            cleaned["source_created_at"] = moment
        takes_id = draft.stored is None or (draft.takes_id and not draft.stored.external_id)
        if takes_id and draft.has("external_id"):
            cleaned["external_id"] = draft.texts["external_id"]
            cleaned["external_source"] = self.run.source
        if draft.stored is None:
            cleaned.setdefault("owner_id", self.run.by.pk)
            if self.options.import_archived and self.truth(draft, "is_deleted"):
                cleaned["archived_at"] = self.run.now


def cleaned_text(clean, draft, name):
    """The row's text in ``name`` as its cleaner leaves it; "" for none and for a bad one."""
    try:
        return clean(draft.texts[name]) if draft.has(name) else ""
    except ValidationError:
        return ""


def match_by_email(run, drafts):
    """Find the people whose first e-mail address the rows have."""
    keys = {draft.line: email_key(cleaned_text(clean_email, draft, "email")) for draft in drafts}
    run.match(drafts, "email_key", keys)


def split_name(draft):
    """Cut a full name into first and last, where the file has no columns of their own."""
    name = draft.texts.pop("name", "")
    if name and "last_name" not in draft.texts:
        if "," in name:
            last, _comma, first = name.partition(",")
        else:
            first, _blank, last = name.rpartition(" ")
        draft.texts["last_name"] = last.strip()
        if first.strip():
            draft.texts.setdefault("first_name", first.strip())


def unknown_choice(text, names):
    near = get_close_matches(text, names, n=3, cutoff=0.4)
    if near:
        values = {"text": shown(text), "near": " / ".join(near)}
        return _("“%(text)s” is not known. Did you mean %(near)s?") % values
    return _("“%s” is not known.") % shown(text)
