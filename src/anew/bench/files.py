"""What a benchmark leaves in its folder."""

from __future__ import annotations

import os
from pathlib import Path

from anew.bench.runner import BenchRun
from anew.bench.summary import Row
from anew.bench.tables import as_csv, as_json
from anew.errors import CannotWrite


def write_files(run: BenchRun, rows: list[Row]) -> Path:
    """Write table.csv, bench.json and index.html beside results.jsonl, and give the path of the page."""
    from anew.bench.page import make_page

    page = run.folder / "index.html"
    _replace(run.folder / "table.csv", as_csv(run, rows))
    _replace(run.folder / "bench.json", as_json(run, rows))
    _replace(page, make_page(run, rows))
    _remove_old_crops(run, rows)
    return page


def _replace(path: Path, text: str) -> None:
    """Write a file at once or not at all."""
    partial = Path(f"{path}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CannotWrite(f"{path}: cannot write it ({error.strerror or error}); choose another -o") from None


def _remove_old_crops(run: BenchRun, rows: list[Row]) -> None:
    """Remove the crops of units that were among a method's worst for a while only."""
    kept = {record["crop"] for row in rows for record in row.worst}
    for result in run.results:
        for record in result.scores.values():
            if record.get("crop") and record["crop"] not in kept:
                (run.folder / record["crop"]).unlink(missing_ok=True)
