"""Threads: what the environment asks for, else the cores that this process may use."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from anew.threads import asked_threads, core_count, thread_count


@pytest.mark.parametrize(
    ("text", "asked"), [("3", 3), (" 2 ", 2), ("4,2", 4), ("", None), ("0", None), ("1.0", None), ("many", None)]
)
def test_the_environment_is_asked_first(monkeypatch: pytest.MonkeyPatch, text: str, asked: int | None) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert asked_threads() == asked
    assert thread_count() == (asked or core_count())


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores")
def test_a_process_bound_to_one_core_counts_one() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "import anew.threads; print(anew.threads.core_count())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "1"
