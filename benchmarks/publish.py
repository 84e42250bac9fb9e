"""Put measured figures where the documentation shows them.

    python -m benchmarks.publish anew-bench-denoise/ ... [--speed benchmarks/results/local/COMMIT.json]

Every folder that ``anew bench`` filled becomes ``docs/benchmarks/TASK-SET.json`` with its table; the file that ``make
bench`` wrote becomes ``docs/benchmarks/speed.json`` with the figures of the methods.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from anew.bench.protocols import PROTOCOLS
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
        "heads": [protocol.head(level) for level in document["levels"]],
    }


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--speed", type=Path)
    options = parser.parse_args()
    FIGURES.mkdir(exist_ok=True)
    for folder in options.folders:
        table = table_of(json.loads((folder / "bench.json").read_text(encoding="utf-8")), commit())
        _write(FIGURES / f"{table['task']}-{table['set']}.json", table)
    if options.speed:
        document = json.loads(options.speed.read_text(encoding="utf-8"))
        document["measurements"] = [m for m in document["measurements"] if m["name"].startswith("methods/")]
        _write(FIGURES / "speed.json", document)


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
