"""
How fast the pages and the import are, measured beside a plain Django list of the same rows.

A database of its own is made for each size and dropped again. The times of a shared machine
say little; the ratio to the plain list, asked alternately in the same process, says a lot.
What was measured stands in docs/speed.md.
"""
