"""What a measurement looks like where it is printed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.measurement import Measurement


@pytest.mark.parametrize(
    ("values", "line"),
    [([0.3, 0.1, 0.2], "0.2 s  (0.1 to 0.3, 3 times)"), ([0.25], "0.25 s")],
)
def test_a_measurement_reads_as_a_line_of_a_table(values: list[float], line: str) -> None:
    name, _, rest = str(Measurement.of("startup/import anew", values, "s")).partition("  ")
    assert name == "startup/import anew"
    assert rest.strip() == line
