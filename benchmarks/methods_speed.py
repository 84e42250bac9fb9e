"""Every method's seconds per megapixel and peak memory over several sizes, each in a process of its own.

    python -m benchmarks.methods_speed [--megapixels 0.25 1 4] [--only denoise/nlm deblur]

Colour photograph, damaged as in ``anew bench`` at the middle level of its task; one warm call, then the median of
several, or the one call if it takes long. Sizes above a method that took too long per megapixel are left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from anew.bench.contenders import contender_names, get_contender
from anew.bench.plan import BenchPlan
from anew.bench.protocols import PROTOCOLS, Trial, as_float
from anew.bench.worker import peak_memory_mb
from anew.registry import METHODS
from benchmarks.measurement import Measurement, Say
from benchmarks.pictures import photograph

SIZES = (0.25, 1.0, 4.0)
LARGEST = 16.0
PATIENCE = 60.0  # seconds for one call; a size that would take longer is left out
SLOW = 5.0  # seconds; slower calls are not repeated
UNWARPING: dict[str, dict[str, Any]] = {
    "tilt": {"angle": 3.0},
    "keystone": {"corners": ((10, 5), (480, 0), (490, 490), (0, 480))},
    "lens": {"k1": -0.1, "k2": 0.0},
}


def measure(say: Say, *, sizes: tuple[float, ...] = SIZES, repeats: int = 3, only: tuple[str, ...] = ()) -> None:
    """Measure every method at every size."""
    for task, name in _methods(only):
        slope = 0.0
        for size in sizes:
            if slope * size > PATIENCE:
                break
            done = _in_child(task, name, size, repeats)
            if done is None:
                break
            place = f"methods/{task}/{name}/{size:g} MP"
            say(Measurement.of(f"{place}/time", [s / size for s in done["seconds"]], "s/MP"))
            if done["peak_mb"] is not None:
                say(Measurement.of(f"{place}/memory", [done["peak_mb"]], "MB"))
            slope = min(done["seconds"]) / size


def _methods(only: tuple[str, ...]) -> list[tuple[str, str]]:
    chosen = []
    for task in dict.fromkeys(m.task for m in METHODS):
        names = list(UNWARPING) if task == "unwarp" else contender_names(task)[0][1:]
        chosen += [(task, name) for name in names if not only or task in only or f"{task}/{name}" in only]
    return chosen


def _in_child(task: str, name: str, size: float, repeats: int) -> dict[str, Any] | None:
    command = [sys.executable, "-m", "benchmarks.methods_speed", "--child", task, name, str(size), str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{task} {name} at {size:g} MP: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def _measure_here(task: str, name: str, size: float, repeats: int) -> None:
    """Measure one method in this process and print the seconds of each call and the peak memory."""
    picture = photograph(size)
    if task in PROTOCOLS:
        plan = BenchPlan(task=task)
        protocol, clean = plan.protocol, plan.protocol.prepare(picture)
        trial = protocol.degrade(clean, plan.timed_level(clean), protocol.variants[0])
        run = get_contender(task, name).run
    else:
        trial = Trial(as_float(picture), as_float(picture))
        function = METHODS.get(task, name).function

        def run(trial: Trial) -> Any:
            return function(trial.degraded, **UNWARPING[name])

    seconds: list[float] = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        run(trial)
        seconds.append(time.perf_counter() - start)
        if seconds[-1] > SLOW:
            break
    warm = seconds[1:] if len(seconds) > 1 else seconds
    print(json.dumps({"seconds": warm, "peak_mb": peak_memory_mb()}))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, nargs="+", default=list(SIZES))
    parser.add_argument("--only", nargs="+", default=[], help="tasks, or task/method")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        task, name, size, repeats = options.child
        _measure_here(task, name, float(size), int(repeats))
    else:
        measure(print, sizes=tuple(options.megapixels), only=tuple(options.only))


if __name__ == "__main__":
    main()
