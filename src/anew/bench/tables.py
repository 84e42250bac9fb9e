"""The table of a benchmark as text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

from anew.bench.environment import machine, versions
from anew.bench.protocols import QUALITIES
from anew.bench.runner import BenchRun
from anew.bench.summary import Row


def as_text(run: BenchRun, rows: list[Row]) -> str:
    """Give the table for a terminal: PSNR per level, then means, time and memory."""
    protocol = run.plan.protocol
    levels = run.plan.chosen_levels
    heads = ["method", *map(protocol.head, levels), "mean dB", "SSIM", "GMSD", "edges", "perceptual", "s/MP", "MB"]
    lines = [heads]
    for row in rows:
        cells = [_number(row.psnr_at.get(level), 2) for level in levels]
        cells += [_number(row.means.get(q), n) for q, n in zip(QUALITIES, (2, 4, 4, 3, 4), strict=True)]
        cells += [_number(row.seconds_per_megapixel, 3), _number(row.peak_mb, 0)]
        mark = "" if row.complete else f"  ({row.measured} of {row.total})"
        lines.append([row.name + mark, *cells])
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    text = [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    ]
    notes = [f"{row.name}: {row.note}" for row in rows if row.note]
    notes += [f"{name} left out: {why}" for name, why in run.left_out.items()]
    return "\n".join([*text, *notes])


def as_csv(run: BenchRun, rows: list[Row]) -> str:
    """Give one line per method and level, figures in full precision."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    costs = ["seconds_per_megapixel", "peak_mb", "measured", "total", "parameters", "multiply_adds_per_pixel"]
    writer.writerow(["task", "method", "kind", "library", "level", *QUALITIES, *costs])
    for row in rows:
        for level in [*row.qualities_at, "mean"]:
            scores = row.means if level == "mean" else row.qualities_at[level]
            names = [run.plan.task, row.name, row.kind, row.library, level]
            writer.writerow([*names, *(scores.get(q) for q in QUALITIES), *(getattr(row, cost) for cost in costs)])
    return buffer.getvalue()


def as_json(run: BenchRun, rows: list[Row]) -> str:
    """Give everything: the table, every measurement, protocol, pictures, machine, versions."""
    measurements = [record for result in run.results for record in result.scores.values()]
    document = {
        "task": run.plan.task,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "complete": not run.stopped and all(row.complete for row in rows),
        "protocol": run.plan.protocol.statement,
        "levels": list(run.plan.chosen_levels),
        "variants": [v for v in run.plan.protocol.variants if v],
        "seed": 0,
        "plan": run.plan.to_json(),
        "pictures": [{"name": p.name, "shape": list(p.pixels.shape), "sha256": p.digest} for p in run.pictures],
        "machine": machine(),
        "versions": versions(),
        "left_out": run.left_out,
        "rows": [_row_as_json(row) for row in rows],
        "timings": [result.timing for result in run.results if result.timing],
        "measurements": measurements,
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def _row_as_json(row: Row) -> dict[str, Any]:
    return {
        "method": row.name,
        "kind": row.kind,
        "library": row.library,
        "summary": row.summary,
        "complete": row.complete,
        "measured": row.measured,
        "total": row.total,
        "note": row.note,
        "mean": row.means,
        "levels": {str(level): scores for level, scores in row.qualities_at.items()},
        "seconds_per_megapixel": row.seconds_per_megapixel,
        "peak_mb": row.peak_mb,
        "parameters": row.parameters,
        "multiply_adds_per_pixel": row.multiply_adds_per_pixel,
    }


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
