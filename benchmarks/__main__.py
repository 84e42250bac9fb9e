"""Measure start-up, files, every method and the whole program on this machine: ``make bench``.

    python -m benchmarks [--quick | --full] [--only startup methods] [--methods denoise/nlm deblur] [-o FILE]

Prints the table and writes it as JSON with the commit, the machine and the versions, by default under
``benchmarks/results/local``; ``python -m benchmarks.compare A B`` prints the ratios of two. Ctrl-C keeps what is done.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import files, methods_speed, restore_end_to_end, startup
from benchmarks.measurement import RESULTS, Measurement, Say, commit, save


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small pictures, one repeat: under three minutes")
    parser.add_argument("--full", action="store_true", help="up to 16 megapixels")
    parser.add_argument("--only", nargs="+", choices=list(_parts(True, False)), help="these parts only")
    parser.add_argument("--methods", nargs="+", default=[], help="of the methods only these: tasks, or TASK/METHOD")
    parser.add_argument("-o", "--output", type=Path, help="default: benchmarks/results/local/COMMIT.json")
    options = parser.parse_args()
    target = options.output or RESULTS / "local" / f"{commit()}{'-quick' if options.quick else ''}.json"
    measurements: list[Measurement] = []
    chosen = {"quick": options.quick, "full": options.full, "only": options.only, "methods": options.methods}
    start = time.perf_counter()

    def say(m: Measurement) -> None:
        measurements.append(m)
        print(m, flush=True)

    complete = False
    try:
        for name, part in _parts(options.quick, options.full, tuple(options.methods)).items():
            if options.only is None or name in options.only:
                part(say)
        complete = True
    except KeyboardInterrupt:
        print("stopped; what is done is kept")
    save(target, measurements, options=chosen, complete=complete)
    print(f"{time.perf_counter() - start:.0f} s; written to {target}")


def _parts(quick: bool, full: bool, methods: tuple[str, ...] = ()) -> dict[str, Callable[[Say], None]]:
    sizes = (0.0625,) if quick else (*methods_speed.SIZES, *((methods_speed.LARGEST,) if full else ()))
    whole = (0.25,) if quick else (1.0, 12.0)
    repeats = 1 if quick else 3
    return {
        "startup": lambda say: startup.measure(say, repeats=3 if quick else 9),
        "files": lambda say: files.measure(say, megapixels=0.25 if quick else 4.0, repeats=repeats),
        "methods": lambda say: methods_speed.measure(say, sizes=sizes, repeats=repeats, only=methods),
        "restore": lambda say: restore_end_to_end.measure(say, sizes=whole, repeats=repeats),
    }


if __name__ == "__main__":
    main()
