"""Time and peak memory of ``anew restore``, as a cold process on a file: one noisy photograph per size.

    python -m benchmarks.restore_speed --megapixels 1 12

Prints for each size the seconds from start to written file and the peak resident memory of the whole process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import anew
from anew.images import Picture
from benchmarks.pictures import photograph

RUN = """
import sys, json
import anew
from anew.bench.worker import peak_memory_mb
picture = anew.read(sys.argv[1])
restored = anew.restore(picture)
anew.write(restored.picture, sys.argv[2], overwrite=True, recipe=restored.recipe)
steps = [[s.kind, s.method, s.kept, round(s.seconds, 2)] for s in restored.steps]
print(json.dumps({"peak": peak_memory_mb() or float("nan"), "steps": steps}))
"""


def main() -> None:
    """Measure every size that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 12])
    parser.add_argument("--sigma", type=float, default=15.0, help="of 255")
    parser.add_argument("--holes", action="store_true", help="cut holes too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for megapixels in options.megapixels:
            source, target = Path(folder) / "in.png", Path(folder) / "out.png"
            make_picture(source, megapixels, options.sigma / 255, options.holes)
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", RUN, source, target], capture_output=True, text=True, check=False
            )
            seconds = time.perf_counter() - started
            if done.returncode:
                sys.exit(done.stderr)
            facts = json.loads(done.stdout)
            print(f"{megapixels:g} megapixels: {seconds:.1f} s, {facts['peak']:.0f} MB peak; {facts['steps']}")


def make_picture(path: Path, megapixels: float, sigma: float, holes: bool) -> None:
    """Write a photograph of that size with noise."""
    image = photograph(megapixels).astype(np.float32) / 255
    side = image.shape[0]
    rng = np.random.default_rng(0)
    image += np.float32(sigma) * rng.standard_normal(image.shape, np.float32)
    if holes:
        for _ in range(20):
            top, left = rng.integers(0, side * 3 // 4, 2)
            image[top : top + side // 40, left : left + side // 30] = 1
    anew.write(Picture(image.clip(0, 1)), path, overwrite=True)


if __name__ == "__main__":
    main()
