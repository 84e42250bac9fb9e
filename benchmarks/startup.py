"""Time from starting Python to an imported package or a printed help: what every call of the command line pays.

python -m benchmarks.startup
"""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks.measurement import Measurement, Say

CASES = {
    "python alone": ["-c", "pass"],
    "import anew": ["-c", "import anew"],
    "import anew and numpy": ["-c", "import anew, numpy"],
    "anew --version": ["-m", "anew.cli.main", "--version"],
    "anew --help": ["-m", "anew.cli.main", "--help"],
    "anew methods": ["-m", "anew.cli.main", "methods"],
}


def measure(say: Say, *, repeats: int = 9) -> None:
    """Start each case in turn, several rounds, after one that warms the disk cache."""
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    for turn in range(repeats + 1):
        for name, arguments in CASES.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
            if turn:
                seconds[name].append(time.perf_counter() - start)
    for name, values in seconds.items():
        say(Measurement.of(f"startup/{name}", values, "s"))


if __name__ == "__main__":
    measure(print)
