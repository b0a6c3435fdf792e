"""The figures as a table of text; with two sizes, how each page grows."""

GROWTH = 1.2
OVER = " !"


def table_of_pages(found):
    """
    The lines of the table of ``found``: {size: [Figure]}, smaller size first.

    Growth compares ratios to the plain list, not times: the machine's load is in both.
    """
    sizes = sorted(found)
    heads = ["page"]
    heads += [f"{named(size)} {unit}" for size in sizes for unit in ("ms", "×")]
    heads += ["bound", "queries", "KB"]
    heads += ["growth"] if len(sizes) > 1 else []
    lines = [heads]
    for figures in zip(*(found[size] for size in sizes), strict=True):
        lines.append(_line(figures))
    return aligned(lines)


def _line(figures):
    first, last = figures[0], figures[-1]
    cells = [last.name]
    for figure in figures:
        over = OVER if figure.bound and figure.ratio > figure.bound else ""
        cells += [f"{figure.ms:.1f}", f"{figure.ratio:.2f}{over}"]
    cells.append(f"{last.bound:g}" if last.bound else "")
    cells += [str(last.queries), f"{last.kilobytes:.0f}"]
    if len(figures) > 1:
        growth = last.ratio / first.ratio
        cells.append(f"{growth:.2f}{OVER if growth > GROWTH else ''}")
    return cells


def lines_of_import(size, figures):
    """An import in words."""
    rows, waits = figures.rows, figures.waits
    yield f"import of {rows:,} leads beside {size:,}, journal written, at least 3,000 a second:"
    yield f"  {rows / figures.seconds:,.0f} a second by the clock ({figures.seconds:.1f} s)"
    yield f"  {rows / figures.busy:,.0f} a second of the importing process at work"
    yield f"  {figures.busy / figures.bare:.1f} times a plain bulk_create of as many rows"
    yield f"  {figures.megabytes:+.0f} MB at the peak (at most 150)"
    yield (
        f"  another writer: {figures.longest_wait * 1000:.0f} ms at most (at most 1,000), "
        f"{figures.median_wait * 1000:.0f} ms in the median, over {len(waits)} writes"
    )


def named(size):
    for unit, letter in ((1_000_000, "M"), (1000, "k")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{letter}"
    return str(size)


def aligned(lines):
    """The cells below each other, numbers to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for first, *rest in lines:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()
