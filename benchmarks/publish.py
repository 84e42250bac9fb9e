"""Put measured figures where the documentation shows them.

    python -m benchmarks.publish anew-bench-denoise/ ... [--busy] [--beside]
    python -m benchmarks.publish --speed benchmarks/results/local/COMMIT.json

Every folder that ``anew bench`` filled becomes ``docs/benchmarks/TASK-SET.json`` with its table; of a run with
``--methods`` their rows alone take the place of the older ones. ``--busy`` says that
other programs ran meanwhile: the times are then those of the table that is stored already, if it comes from such a
processor. ``--beside`` leaves that table in its place and stores a second one of fewer pictures, ``TASK-SET-N.json``.
The file that ``make bench`` wrote becomes ``docs/benchmarks/speed.json`` with the figures of the methods; of a run with
``--methods`` theirs alone take the place of the older ones.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from anew.bench.contenders import INPUT
from anew.bench.protocols import PROTOCOLS
from anew.registry import METHODS
from benchmarks.measurement import commit

FIGURES = Path(__file__).parents[1] / "docs" / "benchmarks"
KEPT = ("task", "date", "protocol", "levels", "seed", "machine", "versions", "left_out", "rows")


def table_of(document: dict[str, Any], commit_name: str) -> dict[str, Any]:
    """Keep of a ``bench.json`` what the page shows."""
    if not document["complete"]:
        raise SystemExit(f"{document['task']}: the run is not complete; call `anew bench` again, it goes on")
    protocol = PROTOCOLS[document["task"]]
    data = document["plan"].get("data")
    return {
        **{key: document[key] for key in KEPT},
        "commit": commit_name,
        "set": Path(data).name if data else "scikit-image",
        "pictures": len(document["pictures"]),
        "limit": document["plan"].get("limit"),
        "heads": [protocol.head(level) for level in document["levels"]],
    }


def with_older_times(table: dict[str, Any], older: dict[str, Any] | None) -> dict[str, Any]:
    """Put the times of an older table, or none, in place of those measured on a busy machine."""
    usable = older if older is not None and older["machine"] == table["machine"] else None
    times = {row["method"]: row["seconds_per_megapixel"] for row in usable["rows"]} if usable else {}
    rows = [{**row, "seconds_per_megapixel": times.get(row["method"])} for row in table["rows"]]
    timed = _timing(usable, {row["method"] for row in rows} - {INPUT}) if usable else None
    return {**table, "rows": rows, "timed": timed}


def _timing(table: dict[str, Any], methods: set[str]) -> dict[str, Any]:
    """Give the run that timed these methods: the later one that measured them all, or that of the table."""
    run = next((part for part in table.get("later", []) if methods <= set(part["methods"])), table)
    timed: dict[str, Any] = run.get("timed", {key: run[key] for key in ("commit", "date")})
    return timed


def with_rows(stored: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
    """Put the rows of some methods, measured later in the same way, in place of the older ones; say so in "later"."""
    for key in ("protocol", "levels", "seed", "pictures", "machine"):
        if newer[key] != stored[key]:
            raise SystemExit(f"the stored table has {key} {stored[key]}, this one {newer[key]}; measure all")
    rows = {row["method"]: row for row in (*stored["rows"], *newer["rows"]) if row["method"] != INPUT}
    unchanged = [row for row in stored["rows"] if row["method"] == INPUT]
    ordered = sorted(rows.values(), key=lambda row: -row["mean"]["psnr"])
    renewed = [row["method"] for row in newer["rows"] if row["method"] != INPUT]
    return {**stored, "rows": [*ordered, *unchanged], "later": _later(stored, newer, renewed)}


def _later(stored: dict[str, Any], newer: dict[str, Any], methods: list[str]) -> list[dict[str, Any]]:
    """Add to what was measured after the rest; a method that is measured again is named once."""
    before = [{**part, "methods": [m for m in part["methods"] if m not in methods]} for part in stored.get("later", [])]
    own = {key: newer[key] for key in ("commit", "date", "timed") if key in newer} | {"methods": methods}
    return [*(part for part in before if part["methods"]), own]


def with_newer(stored: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
    """Put the methods of a newer run, from such a processor, in place of their older figures; say so in "later"."""
    if newer["machine"] != stored["machine"]:
        raise SystemExit(f"the stored figures are of {stored['machine']}, these of {newer['machine']}; measure all")

    def method_of(measurement: dict[str, Any]) -> str:
        return "/".join(measurement["name"].split("/")[1:3])

    renewed = list(dict.fromkeys(method_of(m) for m in newer["measurements"]))
    kept = [m for m in stored["measurements"] if method_of(m) not in renewed]
    order = [f"{method.task}/{method.name}" for method in METHODS]
    together = sorted([*kept, *newer["measurements"]], key=lambda m: order.index(method_of(m)))
    return {**stored, "measurements": together, "later": _later(stored, newer, renewed)}


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--busy", action="store_true", help="the machine was, so the times do not count")
    parser.add_argument("--beside", action="store_true", help="a second table of a set, of fewer pictures")
    parser.add_argument("--speed", type=Path)
    options = parser.parse_args()
    FIGURES.mkdir(exist_ok=True)
    for folder in options.folders:
        document = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
        table = table_of(document, commit())
        path = FIGURES / f"{table['task']}-{table['set']}.json"
        if options.beside:
            path = path.with_stem(f"{path.stem}-{table['pictures']}")
        stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        if options.busy:
            table = with_older_times(table, stored)
        if stored is not None and document["plan"]["methods"] != "all":
            table = with_rows(stored, table)
        _write(path, table)
    if options.speed:
        document = json.loads(options.speed.read_text(encoding="utf-8"))
        document["measurements"] = [m for m in document["measurements"] if m["name"].startswith("methods/")]
        if document["options"].get("methods"):
            document = with_newer(json.loads((FIGURES / "speed.json").read_text(encoding="utf-8")), document)
        _write(FIGURES / "speed.json", document)


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
