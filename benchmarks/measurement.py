"""One measured number, and the file in which a run of all benchmarks is kept."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from anew.bench.environment import machine, versions

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Measurement:
    """One number.

    Attributes
    ----------
    name : str
        Words with slashes, from general to special: ``methods/denoise/nlm/1 MP/time``.
    value : float
        The median of the repeats.
    unit : str
    low, high : float
        The least and the largest of the repeats.
    repeats : int
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    repeats: int

    @classmethod
    def of(cls, name: str, values: Sequence[float], unit: str) -> Measurement:
        """Sum up repeats."""
        return cls(name, median(values), unit, min(values), max(values), len(values))

    def __str__(self) -> str:
        spread = f"  ({self.low:.3g} to {self.high:.3g}, {self.repeats} times)" if self.repeats > 1 else ""
        return f"{self.name:<48} {self.value:10.4g} {self.unit}{spread}"


Say = Callable[[Measurement], None]


def save(path: Path, measurements: list[Measurement], *, options: dict[str, Any], complete: bool) -> None:
    """Write a run as JSON, with the commit, machine and versions."""
    document = {
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "complete": complete,
        "options": options,
        "machine": machine(),
        "versions": versions(),
        "measurements": [asdict(m) for m in measurements],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def load(name: str) -> dict[str, Any]:
    """Read a run: a path, or a commit whose file lies under ``benchmarks/results``."""
    path = Path(name)
    if not path.exists():
        found = sorted(RESULTS.rglob(f"{name}*.json"))
        if not found:
            raise SystemExit(f"no file {name}, and no benchmarks/results/**/{name}*.json; run `make bench` first")
        path = found[-1]
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def commit() -> str:
    """Give the short commit of the checkout, with ``-dirty`` if files of the package differ from it."""
    folder = Path(__file__).parents[1]

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    short = git("rev-parse", "--short", "HEAD") or "unknown"
    return f"{short}-dirty" if git("status", "--porcelain", "--", "src") else short
