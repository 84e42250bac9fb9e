"""How often a call is made to time it, and on what damage."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from anew.bench import worker
from anew.bench.plan import BenchPlan
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


def test_a_system_that_tells_no_memory_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: False)
    monkeypatch.setitem(sys.modules, "resource", None)
    assert worker.peak_memory_mb() is None  # NaN would be no JSON, and no size of a disc


def test_calls_are_timed_at_the_middle_level_that_the_picture_can_have() -> None:
    plan = BenchPlan(task="relight")
    assert plan.timed_level(np.zeros((40, 40, 3), np.uint8)) == "warm cast"
    assert plan.timed_level(np.zeros((40, 40), np.uint8)) == "-3 stops"  # colours cannot go wrong in it
    assert BenchPlan(task="denoise").timed_level(np.zeros((40, 40), np.uint8)) == 25
