"""
The tables of rights: verbs, scopes, which role may what how far, and what each footnote adds.

They stand here in the spelling of docs/rules/access.md and are read from here alone.
"""

from dataclasses import dataclass, field
from enum import IntEnum

from django.db import models
from django.utils.translation import gettext_lazy

from users.models import Grant, Role


class Verb(models.TextChoices):
    """What can be done to a record."""

    VIEW = "view", gettext_lazy("view")
    CREATE = "create", gettext_lazy("create")
    EDIT = "edit", gettext_lazy("edit")
    ASSIGN = "assign", gettext_lazy("assign")
    CONVERT = "convert", gettext_lazy("convert")
    CHANGE_STAGE = "change_stage", gettext_lazy("move to another stage")
    REOPEN = "reopen", gettext_lazy("reopen")
    CLOSE = "close", gettext_lazy("close")
    ARCHIVE = "archive", gettext_lazy("archive")
    MERGE = "merge", gettext_lazy("merge")
    APPROVE = "approve", gettext_lazy("approve")
    MEMBERS = "members", gettext_lazy("add members to")
    SHARE = "share", gettext_lazy("share")
    IMPORT = "import", gettext_lazy("import")
    EXPORT = "export", gettext_lazy("export")


class Scope(IntEnum):
    """How far a permission reaches: nothing, own records, the team's, all."""

    NONE = 0
    OWN = 1
    TEAM = 2
    ALL = 3


SCOPES = {"–": Scope.NONE, "O": Scope.OWN, "T": Scope.TEAM, "A": Scope.ALL}
READ_VERBS = frozenset({Verb.VIEW, Verb.EXPORT})
LENT_AS = {Verb.VIEW: 1, Verb.EDIT: 2, Verb.CHANGE_STAGE: 2}  # the Access that a loan must give
CAPPED_AS_EDIT = frozenset({Verb.EDIT, Verb.CHANGE_STAGE, Verb.ARCHIVE, Verb.MERGE, Verb.CONVERT})


@dataclass(frozen=True)
class Note:
    """
    What a footnote adds to a cell of the matrix.

    ``grant``: only with the personal grant of the verb's name, as always for imports.
    ``only``: only records whose fields have one of these values. ``fields``: only these fields
    may be edited, except on records that match ``free`` or, if ``own_free``, on those in the
    user's own scope. ``stub``: a name without figures, which is not yet a view.
    """

    grant: bool = False
    only: dict = field(default_factory=dict)
    fields: frozenset = frozenset()
    free: dict = field(default_factory=dict)
    own_free: bool = False
    stub: bool = False


PLAIN = Note()
WITH_GRANT = Note(grant=True)
OPT_OUTS = frozenset({"email_opt_out", "do_not_call", "fax_opt_out", "consent_note"})
ADDRESS_PARTS = ("street", "city", "state", "postal_code", "country")
REACHABLE_AT = frozenset(
    {"phone", "mobile", "home_phone", "other_phone", "assistant_phone", "fax"}
    | {"email", "secondary_email", "title", "salutation", "language"}
    | {f"{use}_{part}" for use in ("mailing", "other") for part in ADDRESS_PARTS}
)


def _table(text):
    """Read a table of cells as it stands in the rule: {(role, verb): (scope, footnote)}."""
    head, *rows = [line.split() for line in text.strip().splitlines()]
    return {
        (Role(role), Verb(verb)): (SCOPES[cell[0]], cell[1:])
        for role, *cells in rows
        for verb, cell in zip(head[1:], cells, strict=True)
    }


MATRIX = {
    "account": _table("""
        role       view  create  edit  assign  archive  merge  import  export
        ADMIN      A     A       A     A       A        A      A       A
        MANAGER    A     A       T     T       T        T      T       T
        REP        A     A       T     O       O        O1     O1      O1
        SDR        A     A       O     –       –        –      –       –
        MARKETING  A     –       –     –       –        –      –       A1
        SUPPORT    A     –       –     –       –        –      –       –
        READ_ONLY  A     –       –     –       –        –      –       A1
    """),
    "contact": _table("""
        role       view  create  edit  assign  archive  merge  import  export
        ADMIN      A     A       A     A       A        A      A       A
        MANAGER    A     A       T     T       T        T      T       T
        REP        A     A       T     O       O        O1     O1      O1
        SDR        A     A       O     –       –        –      –       –
        MARKETING  A     A       A2    –       O        –      A1      A1
        SUPPORT    A     A       A3    –       –        –      –       –
        READ_ONLY  A     –       –     –       –        –      –       A1
    """),
    "lead": _table("""
        role       view  create  edit  assign  convert  archive  merge  import  export
        ADMIN      A     A       A     A       A        A        A      A       A
        MANAGER    T     A       T     T       T        T        T      T       T
        REP        T     A       T     O1      T        O        O2     –       O2
        SDR        T     A       T     T1      T        O        O2     –       –
        MARKETING  A     A       A3    A4      –        O        A2     A2      A2
        SUPPORT    –     A       –     –       –        –        –      –       –
        READ_ONLY  A     –       –     –       –        –        –      –       A2
    """),
    "opportunity": _table("""
        role       view  create  edit  change_stage  reopen  assign  archive  export
        ADMIN      A     A       A     A             A       A       A        A
        MANAGER    T     A       T     T             T       T       T        T
        REP        T     A       T     T             O       O       O2       O3
        SDR        O4    A       O     O             –       –       –        –
        MARKETING  A5    –       –     –             –       –       –        –
        SUPPORT    A5    –       –     –             –       –       –        –
        READ_ONLY  A     –       –     –             –       –       –        A3
    """),
}

NOTES = {
    ("account", "1"): WITH_GRANT,
    ("contact", "1"): WITH_GRANT,
    ("contact", "2"): Note(fields=OPT_OUTS | {"status", "interests"}, own_free=True),
    ("contact", "3"): Note(fields=REACHABLE_AT),
    ("lead", "1"): PLAIN,  # limits the new owner, not the lead
    ("lead", "2"): WITH_GRANT,
    ("lead", "3"): Note(fields=OPT_OUTS, free={"lifecycle": ("RAW", "MQL")}),
    ("lead", "4"): PLAIN,  # limits the new owner, not the lead
    ("opportunity", "2"): Note(only={"is_closed": (False,)}),
    ("opportunity", "3"): WITH_GRANT,
    ("opportunity", "4"): PLAIN,  # deals of leads that he handed over come with the hand-over
    ("opportunity", "5"): Note(stub=True),
}

# Who is not held back by the organisation's defaults, which cap all other cells.
UNCAPPED = {
    ("lead", Verb.VIEW): {Role.MARKETING, Role.READ_ONLY},
    ("opportunity", Verb.VIEW): {Role.READ_ONLY},
}

# The recycle bin shows and restores by the record's owner, undo asks who did it.
RECYCLE_BIN = {
    Role.ADMIN: Scope.ALL,
    Role.MANAGER: Scope.TEAM,
    Role.REP: Scope.OWN,
    Role.SDR: Scope.OWN,
    Role.MARKETING: Scope.OWN,
    Role.SUPPORT: Scope.OWN,
    Role.READ_ONLY: Scope.NONE,
}
UNDO = RECYCLE_BIN

ROLE_GRANTS = {
    Role.ADMIN: frozenset(Grant.values),
    Role.MANAGER: frozenset({Grant.EXPORT, Grant.MERGE, Grant.BULK_EDIT}),
}
