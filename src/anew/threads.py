"""How many threads a computation may use."""

from __future__ import annotations

import os


def asked_threads() -> int | None:
    """Give the number of threads that ``OMP_NUM_THREADS`` asks for, None if it says nothing."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # it may name a number for each level
    return int(first) if first.isdecimal() and int(first) > 0 else None


def core_count() -> int:
    """Give the number of cores that this process may run on, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_count() -> int:
    """Give the number of threads that a computation shall use: what was asked for, else one for each core."""
    return asked_threads() or core_count()
