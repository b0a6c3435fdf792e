"""
How the columns of one file become fields: by their headers, by a mapping file, or both.

A mapping file is JSON with the keys ``columns``, ``values``, ``defaults`` and ``options``.
Every column that fills nothing is named with the reason; nothing is dropped in silence.
Rule: docs/rules/imports.md, section 2.
"""

import dataclasses
import json
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.normalise import choice_key
from imports.headers import HEADERS, fields_by_header
from imports.reader import CsvFile

KINDS = tuple(HEADERS)
MODES = ("upsert", "create", "update")
DATE_ORDERS = ("DMY", "MDY", "YMD")
CLEAR = "#N/A"
"""A cell with this text empties the field; a blank one leaves it as it is."""


class MappingRefused(DomainError):
    """The mapping can't be used; the message names the part that is wrong."""


@dataclass(frozen=True)
class Options:
    """What is decided once for a file; the keys of ``options`` in a mapping file."""

    delimiter: str | None = None
    encoding: str | None = None
    header_row: int | None = None
    date_order: str | None = None
    decimal: str | None = None
    mode: str = "upsert"
    match_by: str = "external_id"
    external_source: str | None = None
    row_reference: str = ""
    probability_scale: int = 1
    create_accounts_by_name: bool = False
    import_archived: bool = False
    assign: bool = False
    add_to_lists: tuple = ()
    round: tuple = ()
    leave_out_unreadable: tuple = ()
    only_blanks: tuple = ()
    required: tuple = ()
    truncate: tuple = ()

    def check(self, kind):
        """Refuse values that mean nothing."""
        _refuse_unless(self.mode in MODES, "mode", self.mode)
        _refuse_unless(self.match_by in MATCHES[kind], "match_by", self.match_by)
        _refuse_unless(self.decimal in (None, ".", ","), "decimal", self.decimal)
        _refuse_unless(self.date_order in (None, *DATE_ORDERS), "date_order", self.date_order)
        _refuse_unless(kind == "leads" or not self.assign, "assign", "true")
        lists = (f.name for f in dataclasses.fields(Options) if f.default == ())
        for name in lists:
            for item in getattr(self, name):
                _refuse_unless(item in HEADERS[kind], name, item)


MATCHES = {
    "accounts": ("external_id", "name", "domain"),
    "contacts": ("external_id", "email"),
    "relations": ("external_id",),
    "leads": ("external_id", "email"),
    "opportunities": ("external_id",),
    "contact_roles": ("external_id",),
}
"""What else than the external id may tell that a row is a record that is there already."""


@dataclass(frozen=True)
class Mapping:
    """Which column of a file fills which field, and how its texts are read."""

    kind: str
    columns: dict = field(default_factory=dict)  # header -> fields, the first blank one is filled
    left_out: dict = field(default_factory=dict)  # header -> why it fills nothing
    values: dict = field(default_factory=dict)  # field -> {folded text: text}
    defaults: dict = field(default_factory=dict)  # field -> text for new records
    options: Options = field(default_factory=Options)

    @property
    def fields(self):
        """Every field that a column or a default fills."""
        return {name for names in self.columns.values() for name in names} | set(self.defaults)

    def column_of(self, name):
        """The header of the column that fills ``name``, for messages."""
        for header, names in self.columns.items():
            if name in names:
                return header
        return ""


def open_file(path, kind, document=None, *, limits=None):
    """
    Open ``path`` with the reading options of a mapping document and map its columns.

    Returns the file and the Mapping.

    :raises FileRefused: the file can't be read
    :raises MappingRefused: the document is wrong or does not fit
    """
    document = _checked_document(document or {}, kind)
    options = Options(**document["options"])
    options.check(kind)
    file = CsvFile(
        path,
        delimiter=options.delimiter,
        encoding=options.encoding,
        header_row=options.header_row,
        limits=limits,
    )
    return file, _mapped(file.header, kind, document, options)


def read_document(path):
    """
    The mapping document in the JSON file at ``path``.

    :raises MappingRefused: it is no JSON object
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            document = json.load(file)
    except OSError as error:
        message = _("The mapping file can't be opened: %s.")
        raise MappingRefused(message % error.strerror) from error
    except (ValueError, RecursionError) as error:
        raise MappingRefused(_("The mapping file is not JSON: %s") % error) from error
    if not isinstance(document, dict):
        raise MappingRefused(_("The mapping file must hold one JSON object."))
    return document


def read_owner_map(path):
    """
    Who the owners of the file are here: {folded owner at the source: e-mail of the user}.

    JSON maps one to the other. A table has the owner in its first column and the address in
    the one whose header is e-mail (or user), else in its second.

    :raises MappingRefused: it is neither
    """
    if str(path).lower().endswith(".json"):
        pairs = read_document(path).items()
        if not all(isinstance(email, str) for _owner, email in pairs):
            raise MappingRefused(_("The owner map must give an e-mail address to each owner."))
    else:
        pairs = _pairs_of_table(CsvFile(path))
    return {choice_key(owner): email.strip() for owner, email in pairs if owner.strip()}


def _pairs_of_table(file):
    wanted = {"email", "emailaddress", "user", "useremail", "mail"}
    position = next((n for n, name in enumerate(file.header) if choice_key(name) in wanted), 1)
    if len(file.header) < 2 or position == 0:
        raise MappingRefused(_("The owner map needs two columns: the owner, the user's e-mail."))
    return [(row.cells[0], row.cells[position]) for row in file.rows() if not row.problem]


# -- the document -----------------------------------------------------------------------------


def _refuse_unless(right, name, value):
    if not right:
        message = _("The mapping's option “%(name)s” can't be “%(value)s”.")
        raise MappingRefused(message % {"name": name, "value": value})


def _checked_document(document, kind):
    """The document with all four parts, each of the right form."""
    if kind not in HEADERS:
        raise MappingRefused(_("There is no import of “%s”.") % kind)
    parts = {"columns": {}, "values": {}, "defaults": {}, "options": {}} | document
    if surplus := sorted(set(parts) - {"columns", "values", "defaults", "options"}):
        raise MappingRefused(_("The mapping has no part “%s”.") % surplus[0])
    for name, part in parts.items():
        if not isinstance(part, dict):
            raise MappingRefused(_("The part “%s” of the mapping must be an object.") % name)
    for name in (*parts["values"], *parts["defaults"]):
        _refuse_unknown_field(name, kind)
    parts["columns"] = {h: _checked_targets(t, kind) for h, t in parts["columns"].items()}
    parts["options"] = _checked_options(parts["options"])
    parts["values"] = {name: _checked_texts(name, t) for name, t in parts["values"].items()}
    parts["defaults"] = {name: _as_text(text) for name, text in parts["defaults"].items()}
    return parts


def _refuse_unknown_field(name, kind):
    if name not in HEADERS[kind]:
        message = _("%(kind)s have no field “%(name)s”. There are: %(known)s.")
        known = ", ".join(sorted(HEADERS[kind]))
        raise MappingRefused(message % {"kind": kind, "name": name, "known": known})


def _checked_targets(targets, kind):
    """One field, several of which the first blank one is filled, or none: as a tuple."""
    if targets is None:
        return ()
    targets = (targets,) if isinstance(targets, str) else tuple(targets)
    for name in targets:
        _refuse_unknown_field(name, kind)
    return targets


def _checked_texts(name, texts):
    if not isinstance(texts, dict):
        raise MappingRefused(_("The values of “%s” must be an object of texts.") % name)
    return {choice_key(old) or old: _as_text(new) for old, new in texts.items()}


def _as_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _checked_options(options):
    types = {f.name: f for f in dataclasses.fields(Options)}
    checked = {}
    for name, value in options.items():
        if name not in types:
            message = _("The mapping has no option “%(name)s”. There are: %(known)s.")
            raise MappingRefused(message % {"name": name, "known": ", ".join(sorted(types))})
        default = types[name].default
        if isinstance(default, tuple):
            _refuse_unless(isinstance(value, list), name, value)
            value = tuple(value)
        elif isinstance(default, bool):
            _refuse_unless(isinstance(value, bool), name, value)
        elif isinstance(default, int) or name == "header_row":
            _refuse_unless(isinstance(value, int) and value > 0, name, value)
        elif value is not None:
            _refuse_unless(isinstance(value, str), name, value)
        checked[name] = value
    return checked


# -- columns ----------------------------------------------------------------------------------


def _mapped(header, kind, document, options):
    """Join what the document says with what the headers tell by their names."""
    chosen = _columns_of_document(header, document["columns"])
    taken = {name for names in chosen.values() for name in names}
    known = fields_by_header(kind)
    columns, left_out = {}, {}
    for name in header:
        if name in chosen:
            columns[name] = chosen[name]
            if not chosen[name]:
                left_out[name] = _("left out by the mapping")
            continue
        target = known.get(choice_key(name))
        if target is None:
            left_out[name] = _("no field of that name")
        elif target in taken:
            left_out[name] = _("another column fills “%s”") % target
        elif target == "name" and "last_name" in HEADERS[kind] and _has_parts(header, known):
            left_out[name] = _("first and last name have columns of their own")
        else:
            columns[name] = (target,)
            taken.add(target)
    columns = {name: names for name, names in columns.items() if names}
    _refuse_nothing(columns, kind)
    values, defaults = document["values"], document["defaults"]
    return Mapping(kind, columns, left_out, values, defaults, options)


def _columns_of_document(header, columns):
    """The document's columns by the header of the file; they are compared folded."""
    by_name = {choice_key(name): name for name in reversed(header)} | {
        name: name for name in header
    }
    chosen = {}
    for wanted, targets in columns.items():
        name = by_name.get(wanted) or by_name.get(choice_key(wanted))
        if name is None:
            message = _("The mapping names the column “%(name)s”; the file has: %(known)s.")
            raise MappingRefused(message % {"name": wanted, "known": ", ".join(header)})
        chosen[name] = targets
    single = [targets[0] for targets in chosen.values() if len(targets) == 1]
    for name in single:
        if single.count(name) > 1:
            raise MappingRefused(_("The mapping fills “%s” from two columns.") % name)
    return chosen


def _has_parts(header, known):
    return any(known.get(choice_key(name)) == "last_name" for name in header)


def _refuse_nothing(columns, kind):
    if not columns:
        message = _(
            "No column has the name of a field of %(kind)s. Is the delimiter right, and the line "
            "of the header?"
        )
        raise MappingRefused(message % {"kind": kind})


def columns_by_field(mapping):
    """What the command and the pages show: (header, fields or "", reason) for each column."""
    shown = [(name, ", ".join(fields), "") for name, fields in mapping.columns.items()]
    return shown + [(name, "", reason) for name, reason in mapping.left_out.items()]
