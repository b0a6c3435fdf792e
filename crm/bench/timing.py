"""Measuring pages against the plain list: A B A B, medians and ratios."""

import gc
import statistics
import time
from dataclasses import dataclass

from django.db import connection
from django.test.utils import CaptureQueriesContext

WARM_UP = 2


@dataclass(frozen=True)
class Figure:
    """What one page cost: milliseconds, the ratio to the plain list, queries, kilobytes."""

    name: str
    bound: float | None
    ms: float
    ratio: float
    queries: int
    kilobytes: float


def measure(page, plain, *, pairs):
    """
    Ask ``page`` and ``plain`` alternately, ``pairs`` times each.

    The ratio is the median of the pairs' ratios: what else runs on the machine slows both
    halves of a pair.
    """
    for _number in range(WARM_UP):
        plain()
        page.prepare()()
    queries, response = counted(page.prepare())
    ratios, times = [], []
    gc.collect()
    for _number in range(pairs):
        call = page.prepare()
        unit = seconds(plain)
        times.append(seconds(call))
        ratios.append(times[-1] / unit)
    return Figure(
        name=page.name,
        bound=page.bound,
        ms=statistics.median(times) * 1000,
        ratio=statistics.median(ratios),
        queries=queries,
        kilobytes=len(response.content) / 1024,
    )


def measure_plain(plain, *, pairs):
    """The plain list itself: the ratio of 1."""
    plain()
    queries, response = counted(plain)
    times = [seconds(plain) for _number in range(pairs)]
    size = len(response.content) / 1024
    return Figure("plain list", None, statistics.median(times) * 1000, 1, queries, size)


def counted(call):
    """How many queries ``call`` asks, and its response."""
    with CaptureQueriesContext(connection) as queries:
        response = call()
        return len(queries), response


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
