"""
The same verb for many records at once: chosen, tried out, done chunk by chunk, told row by row.

Each record goes through the service that its own page calls, so a batch can do nothing that a
page refuses. Up to CHUNK records are one operation; more of them are a run whose chunks are
committed one after the other, so that they can be taken back, and gone on with after a stop.
Rule: docs/rules/batches.md.
"""

from core.batches.machinery import (
    CHECKED,
    DONE,
    FAILED,
    LARGEST,
    LARGEST_AT_ONCE,
    SKIPPED,
    Outcome,
    SomeFailed,
    TooMany,
    Trial,
    choose,
    counts,
    form_of,
    go_on,
    leave_out,
    out_of_reach,
    portions,
    start,
    try_out,
)
from core.batches.verbs import (
    Archive,
    Assign,
    BatchVerb,
    Edit,
    Nothing,
    offered,
    verb_named,
    verbs_for,
)

__all__ = [
    "CHECKED",
    "DONE",
    "FAILED",
    "LARGEST",
    "LARGEST_AT_ONCE",
    "SKIPPED",
    "Archive",
    "Assign",
    "BatchVerb",
    "Edit",
    "Nothing",
    "Outcome",
    "SomeFailed",
    "TooMany",
    "Trial",
    "choose",
    "counts",
    "form_of",
    "go_on",
    "leave_out",
    "offered",
    "out_of_reach",
    "portions",
    "start",
    "try_out",
    "verb_named",
    "verbs_for",
]
