"""``anew restore`` from a cold start to the written file: seconds and peak memory, of a noisy photograph.

python -m benchmarks.restore_end_to_end
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measurement import Measurement, Say

MAKE = """
import sys
from pathlib import Path
from benchmarks.restore_speed import make_picture
make_picture(Path(sys.argv[1]), float(sys.argv[2]), 15 / 255, False)
"""


def measure(say: Say, *, sizes: tuple[float, ...] = (1.0, 12.0), repeats: int = 3) -> None:
    """Restore one file per size, after one run that fills the caches of compiled code."""
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            source, target = Path(folder) / f"{size:g}.png", Path(folder) / f"{size:g}-restored.png"
            # in a process of its own: what a parent holds counts as memory of the child that it starts
            subprocess.run([sys.executable, "-c", MAKE, source, str(size)], check=True)
            seconds, peaks = [], []
            for turn in range(repeats + 1 if size == sizes[0] else repeats):
                took, peak = _restore(source, target)
                if turn or size != sizes[0]:
                    seconds.append(took)
                    peaks.append(peak)
            say(Measurement.of(f"restore/{size:g} MP/time", seconds, "s"))
            say(Measurement.of(f"restore/{size:g} MP/memory", peaks, "MB"))


def _restore(source: Path, target: Path) -> tuple[float, float]:
    """Give the seconds and the peak resident memory in MB of one run."""
    command = [sys.executable, "-m", "anew.cli.main", "restore", str(source), "-o", str(target), "--overwrite"]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit status {child.returncode}")
    return seconds, usage.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    measure(print)
