"""
The tables of rights as they were decided, and how far each cell reaches in a new installation.

They are written a second time on purpose: ``core.reach`` reads its own. A cell is a scope and
perhaps a footnote: A all, T the team's, O the own, – nothing.
"""

from users.models import Role

RIGHTS = {
    "account": """
        role       view  create  edit  assign  archive  merge  import  export
        ADMIN      A     A       A     A       A        A      A       A
        MANAGER    A     A       T     T       T        T      T       T
        REP        A     A       T     O       O        O1     O1      O1
        SDR        A     A       O     –       –        –      –       –
        MARKETING  A     –       –     –       –        –      –       A1
        SUPPORT    A     –       –     –       –        –      –       –
        READ_ONLY  A     –       –     –       –        –      –       A1
    """,
    "contact": """
        role       view  create  edit  assign  archive  merge  import  export
        ADMIN      A     A       A     A       A        A      A       A
        MANAGER    A     A       T     T       T        T      T       T
        REP        A     A       T     O       O        O1     O1      O1
        SDR        A     A       O     –       –        –      –       –
        MARKETING  A     A       A2    –       O        –      A1      A1
        SUPPORT    A     A       A3    –       –        –      –       –
        READ_ONLY  A     –       –     –       –        –      –       A1
    """,
    "lead": """
        role       view  create  edit  assign  convert  archive  merge  import  export
        ADMIN      A     A       A     A       A        A        A      A       A
        MANAGER    T     A       T     T       T        T        T      T       T
        REP        T     A       T     O1      T        O        O2     –       O2
        SDR        T     A       T     T1      T        O        O2     –       –
        MARKETING  A     A       A3    A4      –        O        A2     A2      A2
        SUPPORT    –     A       –     –       –        –        –      –       –
        READ_ONLY  A     –       –     –       –        –        –      –       A2
    """,
    "opportunity": """
        role       view  create  edit  change_stage  reopen  assign  archive  export
        ADMIN      A     A       A     A             A       A       A        A
        MANAGER    T     A       T     T             T       T       T        T
        REP        T     A       T     T             O       O       O2       O3
        SDR        O4    A       O     O             –       –       –        –
        MARKETING  A5    –       –     –             –       –       –        –
        SUPPORT    A5    –       –     –             –       –       –        –
        READ_ONLY  A     –       –     –             –       –       –        A3
    """,
}

# What the footnotes say, as far as it changes how far a cell reaches.
WITH_GRANT = {("account", "1"), ("contact", "1"), ("lead", "2"), ("opportunity", "3")}
NAMES_ONLY = {("opportunity", "5")}  # a few fields of all, not held back by defaults
SOME_FIELDS = {("contact", "2"), ("contact", "3"), ("lead", "3")}  # not held back by defaults

# The defaults of a new installation; they hold back all but administrators and UNCAPPED.
READ = {"account": "A", "contact": "A", "lead": "T", "opportunity": "T"}
EDIT = {"account": "T", "contact": "T", "lead": "T", "opportunity": "O"}
UNCAPPED = {
    ("MARKETING", "lead", "view"),
    ("READ_ONLY", "lead", "view"),
    ("READ_ONLY", "opportunity", "view"),
}
READ_VERBS = {"view", "export"}
EDIT_VERBS = {"edit", "change_stage", "archive", "merge", "convert"}

GRANTS = {"ADMIN": {"export", "import", "merge"}, "MANAGER": {"export", "merge"}}

# The recycle bin asks whose the record is, undo who did it.
BIN_AND_UNDO = dict(zip(Role.values, "A T O O O O –".split(), strict=True))

REACHED = {
    "–": frozenset(),
    "O": frozenset({"own"}),
    "T": frozenset({"own", "team"}),
    "A": frozenset({"own", "team", "other"}),
}


def cells(text):
    """The cells of a table: {(role, verb): cell}."""
    head, *rows = [line.split() for line in text.strip().splitlines()]
    return {
        (role, verb): cell for role, *row in rows for verb, cell in zip(head[1:], row, strict=True)
    }


CELLS = {thing: cells(text) for thing, text in RIGHTS.items()}


def reached(role, thing, verb):
    """Where a record may lie for somebody of ``role``, without a grant, to do ``verb`` to it."""
    if verb == "share":  # by who owns the record and may edit it
        may_edit = CELLS[thing].get((role, "edit"), "–")[0] != "–"
        return REACHED["A" if role == "ADMIN" else "O" if may_edit else "–"]
    scope, note = CELLS[thing].get((role, verb), "–")[0], CELLS[thing].get((role, verb), "–")[1:]
    needs_grant = (thing, note) in WITH_GRANT or verb == "import"
    if needs_grant and verb not in GRANTS.get(role, ()):
        return REACHED["–"]
    in_part = (thing, note) in SOME_FIELDS | NAMES_ONLY
    is_free = role == "ADMIN" or in_part or (role, thing, verb) in UNCAPPED
    if is_free:
        return REACHED[scope]
    cap = READ[thing] if verb in READ_VERBS else EDIT[thing] if verb in EDIT_VERBS else "A"
    return REACHED[scope] & REACHED[cap]


def sees_names_only(role, thing):
    """Whether somebody of ``role`` sees but a few fields of such a record."""
    return (thing, CELLS.get(thing, {}).get((role, "view"), "–")[1:]) in NAMES_ONLY
