"""A slice of the fuzz benchmark: damaged files are read or refused with one line, and nothing is left behind."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "fuzz_files.py"


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("fuzz_files", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    files = list(fuzz.intact_files().items())
    for name, data in files:
        assert fuzz.outcome(name, data, tmp_path) == "read", name
    counts = {"read": 0, "refused": 0, "read, not written": 0}
    for number in range(300):
        name, data = files[number % len(files)]
        result = fuzz.outcome(name, fuzz.mutated(data, np.random.default_rng(10**6 + number)), tmp_path)
        assert result in counts, f"file {number} ({name}): {result}"
        counts[result] += 1
    assert counts["refused"] > 100
    assert counts["read"] > 10
