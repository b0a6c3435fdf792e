"""
From rows to records: chunk by chunk, each chunk one operation of the run.

A chunk is matched, cleaned and written in one transaction together with the outcomes of its
rows, so that a crash never leaves a row half done or has it done twice. What the database
refuses is halved until the bad rows are found. The number of statements a chunk does not grow
with it. Rule: docs/rules/imports.md, section 4.
"""

from imports.engine.importer import CHUNK, Importer
from imports.engine.report import Report

__all__ = ["CHUNK", "Importer", "Report"]
