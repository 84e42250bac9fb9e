"""How often a call is made to time it."""

from __future__ import annotations

import pytest

from anew.bench.worker import time_calls


@pytest.mark.parametrize(
    ("durations", "counted"),
    [([9, 1, 2, 3], [1, 2, 3]), ([25, 21], [21]), ([300], [300])],
    ids=["quick calls after a warm one", "a slow one once more", "a long one by itself"],
)
def test_calls_are_timed_as_often_as_patience_allows(durations: list[float], counted: list[float]) -> None:
    now, still = 0.0, list(durations)

    def call() -> None:
        nonlocal now
        now += still.pop(0)

    assert time_calls(call, 3, clock=lambda: now) == counted
    assert not still
