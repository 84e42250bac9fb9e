"""From single measurements to the rows of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from anew.bench.contenders import INPUT
from anew.bench.plan import Unit
from anew.bench.protocols import QUALITIES, Level
from anew.bench.runner import BenchRun, ContenderResult, Record
from anew.bench.worker import WORST

BETTER = {
    "psnr": max,
    "ssim": max,
    "gmsd": min,
    "epi": max,
    "perceptual": min,
    "seconds_per_megapixel": min,
    "peak_mb": min,
}


@dataclass(frozen=True)
class Row:
    """One method.

    Attributes
    ----------
    name, kind, library, summary : str
    psnr_at : dict
        Level -> mean PSNR in dB over pictures and variants.
    means : dict
        Quality -> mean over the levels (each level counts the same); empty while a level is missing.
    qualities_at : dict
        Level -> quality -> mean.
    seconds_per_megapixel, peak_mb : float, optional
    measured, total : int
        Units done, and units that there are.
    note : str
        Why something is missing.
    worst : list of records
        Those with the least gain over the damaged picture, of which there is a crop.
    """

    name: str
    kind: str
    library: str
    summary: str
    psnr_at: dict[Level, float]
    means: dict[str, float]
    qualities_at: dict[Level, dict[str, float]]
    seconds_per_megapixel: float | None
    peak_mb: float | None
    parameters: int | None
    multiply_adds_per_pixel: int | None
    measured: int
    total: int
    note: str
    worst: list[Record]

    @property
    def complete(self) -> bool:
        """Whether it ran on everything, so that it can be compared."""
        return self.measured == self.total


def rows_of(run: BenchRun) -> list[Row]:
    """Give the table: complete rows by falling PSNR, then those that lack something, then the damaged picture."""
    rows = [_row(run, result) for result in run.results]
    return sorted(rows, key=lambda r: (r.name == INPUT, not r.complete, -r.means.get("psnr", -math.inf), r.name))


def best_of(rows: list[Row], quality: str) -> float | None:
    """Give the best value of a column among complete methods."""
    values = [value_of(row, quality) for row in rows if row.complete and row.name != INPUT]
    known = [v for v in values if v is not None]
    return BETTER[quality](known) if known else None


def value_of(row: Row, quality: str) -> float | None:
    """Give a row's value in a column."""
    if quality in QUALITIES:
        return row.means.get(quality)
    value: float | None = getattr(row, quality)
    return value


def frontier(rows: list[Row]) -> list[Row]:
    """Give the methods that no other one passes in both time and PSNR, fastest first."""
    timed = [r for r in rows if r.complete and r.name != INPUT and r.seconds_per_megapixel is not None]
    timed.sort(key=lambda r: (r.seconds_per_megapixel or 0.0, -r.means["psnr"]))
    chosen: list[Row] = []
    for row in timed:
        if not chosen or row.means["psnr"] > chosen[-1].means["psnr"]:
            chosen.append(row)
    return chosen


def _row(run: BenchRun, result: ContenderResult) -> Row:
    contender = result.contender
    at = {level: _means(result.scores, level) for level in run.plan.chosen_levels}
    at = {level: means for level, means in at.items() if means}
    # a mean over some levels only would compare unlike things
    whole = set(at) == {unit.level for unit in run.units}
    shared = [q for q in QUALITIES if whole and all(q in scores for scores in at.values())]
    means = {q: _mean(scores[q] for scores in at.values()) for q in shared}
    timing: dict[str, Any] = result.timing or {}
    with_crop = [r for r in result.scores.values() if r.get("crop") and (run.folder / r["crop"]).exists()]
    return Row(
        name=contender.name,
        kind=contender.kind,
        library=contender.library,
        summary=contender.summary,
        psnr_at={level: means["psnr"] for level, means in at.items()},
        means=means,
        qualities_at=at,
        seconds_per_megapixel=timing.get("seconds_per_megapixel"),
        peak_mb=timing.get("peak_mb"),
        parameters=contender.parameters,
        multiply_adds_per_pixel=contender.multiply_adds_per_pixel,
        measured=len(result.scores),
        total=result.total,
        note="; ".join(dict.fromkeys(result.failures)),
        worst=sorted(with_crop, key=lambda r: r["gain"])[:WORST],
    )


def _means(scores: dict[Unit, Record], level: Level) -> dict[str, float]:
    records = [record for unit, record in scores.items() if unit.level == level]
    means = {}
    for quality in QUALITIES:
        values = [r[quality] for r in records if r[quality] is not None]
        if values:
            means[quality] = _mean(values)
    return means


def _mean(values: Iterable[float]) -> float:
    """Give the mean, the same to the last bit whatever the order."""
    listed = list(values)
    return math.fsum(listed) / len(listed)
