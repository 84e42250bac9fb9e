"""Print how much slower or larger one run of the benchmarks is than another: ``make bench-compare A=.. B=..``.

    python -m benchmarks.compare A B

A and B are files that ``python -m benchmarks`` wrote, or commits whose files lie under ``benchmarks/results``. The
ratio is B / A; one is marked if it is off by more than a quarter and the ranges of the repeats do not overlap.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

from benchmarks.measurement import load

NOTABLE = 1.25


def main() -> None:
    """Compare two runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", help="the older run")
    parser.add_argument("b", help="the newer run")
    options = parser.parse_args()
    older, newer = load(options.a), load(options.b)
    for label, run in (("A", older), ("B", newer)):
        print(f"{label}: {run['commit']} of {run['date']}{'' if run['complete'] else ', stopped early'}")
    if older["machine"] != newer["machine"]:
        print("warning: measured on different machines; the ratios mean little")
    print("\n".join(ratio_lines(older["measurements"], newer["measurements"])))


def ratio_lines(older: list[dict[str, Any]], newer: list[dict[str, Any]]) -> list[str]:
    """Give a line per number that both have, and the geometric mean of each unit's ratios."""
    before = {m["name"]: m for m in older}
    lines: list[str] = []
    logs: dict[str, list[float]] = {}
    for b in newer:
        a = before.get(b["name"])
        if a is None or a["value"] <= 0 or b["value"] <= 0:
            continue
        ratio = b["value"] / a["value"]
        logs.setdefault(b["unit"], []).append(math.log(ratio))
        apart = b["low"] > a["high"] or b["high"] < a["low"]
        apart = apart and (min(a["repeats"], b["repeats"]) > 1 or not b["unit"].startswith("s"))  # one time says little
        word = ("  WORSE" if ratio > 1 else "  better") if max(ratio, 1 / ratio) > NOTABLE and apart else ""
        lines.append(f"{b['name']:<48} {a['value']:10.4g} {b['value']:10.4g} {b['unit']:<10} {ratio:6.2f}{word}")
    for unit, values in logs.items():
        head = f"geometric mean of {len(values)}"
        lines.append(f"{head:<70} {unit:<10} {math.exp(sum(values) / len(values)):6.2f}")
    return lines


if __name__ == "__main__":
    main()
