"""What a benchmark leaves in its folder."""

from __future__ import annotations

from pathlib import Path

from anew.bench.runner import BenchRun
from anew.bench.summary import Row
from anew.bench.tables import as_csv, as_json
from anew.codecs import storage


def write_files(run: BenchRun, rows: list[Row]) -> Path:
    """Write table.csv, bench.json and index.html beside results.jsonl, and give the path of the page."""
    from anew.bench.page import make_page

    texts = {"table.csv": as_csv(run, rows), "bench.json": as_json(run, rows), "index.html": make_page(run, rows)}
    for name, text in texts.items():
        storage.save(str(run.folder / name), text.encode(errors="replace"), overwrite=True)
    _remove_old_crops(run, rows)
    return run.folder / "index.html"


def _remove_old_crops(run: BenchRun, rows: list[Row]) -> None:
    """Remove the crops of units that were among a method's worst for a while only."""
    kept = {record["crop"] for row in rows for record in row.worst}
    for result in run.results:
        for record in result.scores.values():
            if record.get("crop") and record["crop"] not in kept:
                (run.folder / record["crop"]).unlink(missing_ok=True)
