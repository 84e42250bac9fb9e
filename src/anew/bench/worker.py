"""One contender in a process of its own, so that its memory is its own: ``python -m anew.bench.worker``.

It reads a job as JSON from standard input and prints one JSON line per measurement.
"""

from __future__ import annotations

import heapq
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from anew.arrays import Image
from anew.bench.contenders import INPUT, Contender, get_contender
from anew.bench.pictures import crop_of
from anew.bench.plan import BenchPlan, Unit
from anew.bench.protocols import Trial, as_eight_bit, score
from anew.errors import AnewError

TIMED = "timed.npy"  # beside the pictures by their digests
CROP = 128  # pixels
WORST = 3
PATIENCE = 20.0  # seconds; slower calls are timed once
LONG = 60.0  # seconds; what a first call of that length loses by being the first does not matter
RUN_FAILURES = (AnewError, ValueError, TypeError, RuntimeError, ImportError, MemoryError, ArithmeticError)


def main() -> None:
    """Do one job."""
    job = json.load(sys.stdin)
    plan = BenchPlan.from_json(job["plan"])
    contender = get_contender(plan.task, job["contender"])
    if job["timed"]:
        try:
            _say(kind="time", **_time(plan, contender, Path(job["pictures"])))
        except RUN_FAILURES as error:
            _say(kind="failed", reason=f"not timed: {_in_one_line(error)}")
    _score_all(plan, contender, job)


def _time(plan: BenchPlan, contender: Contender, pictures: Path) -> dict[str, Any]:
    """Time calls, and give the largest memory that the process had until then."""
    clean = plan.protocol.prepare(np.load(pictures / TIMED))
    level = plan.timed_level(clean)
    trial = plan.protocol.degrade(clean, level, plan.protocol.variants[0])
    before = peak_memory_mb()
    seconds = time_calls(lambda: contender.run(trial), plan.repeats)
    megapixels = trial.reference.shape[0] * trial.reference.shape[1] / 1e6
    return {
        "seconds_per_megapixel": median(seconds) / megapixels,
        "fastest": min(seconds) / megapixels,
        "slowest": max(seconds) / megapixels,
        "repeats": len(seconds),
        "megapixels": megapixels,
        "channels": 1 if trial.reference.ndim == 2 else trial.reference.shape[2],
        "level": level,
        "peak_mb": peak_memory_mb(),
        "before_mb": before,
    }


def time_calls(
    call: Callable[[], object], repeats: int, *, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Call once to warm, then several times, or a slow one once; a long call is timed by its first.

    Returns
    -------
    list of float
        The seconds that each call took that counts.
    """

    def seconds() -> float:
        start = clock()
        call()
        return clock() - start

    first = seconds()
    if first >= LONG:
        return [first]
    return [seconds() for _ in range(repeats if first < PATIENCE else 1)]


def peak_memory_mb() -> float | None:
    """Give the largest resident size of this process so far; None where the system does not tell it.

    On Linux from ``VmHWM``: ``getrusage`` there starts with what the parent process held when it forked.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def _score_all(plan: BenchPlan, contender: Contender, job: dict[str, Any]) -> None:
    """Run and score every unit of the job; keep a crop of those that are among the worst so far."""
    worst = [-gain for gain in job["worst_gains"]]
    heapq.heapify(worst)  # the least gains, largest of them first
    for unit in [Unit(**values) for values in job["units"]]:
        clean = plan.protocol.prepare(np.load(Path(job["pictures"]) / f"{unit.digest}.npy"))
        try:
            trial = plan.protocol.degrade(clean, unit.level, unit.variant)
            start = time.perf_counter()
            result = contender.run(trial)
            seconds = time.perf_counter() - start
            scores = score(plan.task, trial, result)
        except RUN_FAILURES as error:
            _say(kind="failed", level=unit.level, picture=unit.picture, reason=_in_one_line(error))
            continue
        key = unit.key(plan.task, contender.name, contender.code)
        gain = (scores["psnr"] or 0.0) - job["input_psnr"].get(unit.key(plan.task, INPUT, ""), 0.0)
        crop = None
        if contender.name != INPUT and (len(worst) < WORST or gain < -worst[0]):
            crop = crop_of(key)
            _write_crop(trial, result, Path(job["folder"]) / crop)
            heapq.heappush(worst, -gain)
            if len(worst) > WORST:
                heapq.heappop(worst)
        named = {"level": unit.level, "picture": unit.picture, "digest": unit.digest, "variant": unit.variant}
        _say(kind="score", key=key, **named, **scores, gain=gain, seconds=seconds, crop=crop)


def _write_crop(trial: Trial, result: Image, path: Path) -> None:
    """Write reference, damaged and result side by side, where the result is furthest from the reference."""
    from PIL import Image as Pillow
    from scipy.ndimage import uniform_filter

    reference = np.atleast_3d(trial.reference)
    scale = int(trial.inputs.get("scale", 1))
    degraded = np.atleast_3d(trial.degraded)
    degraded = np.repeat(np.repeat(degraded, scale, axis=0), scale, axis=1)
    error = np.mean((np.clip(np.atleast_3d(result), 0, 1) - reference) ** 2, axis=2)
    blurred = uniform_filter(error, CROP // 2)
    row, column = np.unravel_index(int(np.argmax(blurred)), error.shape)
    height, width = error.shape
    top = min(max(0, int(row) - CROP // 2), max(0, height - CROP))
    left = min(max(0, int(column) - CROP // 2), max(0, width - CROP))
    window = (slice(top, top + CROP), slice(left, left + CROP))
    parts = [as_eight_bit(np.atleast_3d(x)[window]) for x in (reference, degraded, result)]
    strip = np.concatenate([np.repeat(p, 3, axis=2) if p.shape[2] == 1 else p for p in parts], axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(strip).save(path, "WEBP", quality=92)


def _in_one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _say(**values: Any) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
