"""Time and peak memory of ``anew restore``, as a cold process on a file: one noisy photograph per size.

    python -m benchmarks.restore_speed --megapixels 1 12

Prints for each size the seconds from start to written file and the peak resident memory of the whole process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import skimage.data

import anew
from anew.images import Picture

RUN = """
import sys, json, resource
import anew
picture = anew.read(sys.argv[1])
restored = anew.restore(picture)
anew.write(restored.picture, sys.argv[2], overwrite=True, recipe=restored.recipe)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"peak": peak, "steps": [[s.kind, s.method, s.kept, round(s.seconds, 2)] for s in restored.steps]}))
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
    print(f"largest child: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


def make_picture(path: Path, megapixels: float, sigma: float, holes: bool) -> None:
    """Write a photograph, repeated to that size in mirror images, with noise."""
    photo = skimage.data.coffee()
    side = round((megapixels * 1e6) ** 0.5)
    tall, wide = (-(-side // n) for n in photo.shape[:2])
    pixels = np.pad(photo, ((0, (tall - 1) * photo.shape[0]), (0, (wide - 1) * photo.shape[1]), (0, 0)), "symmetric")
    image = pixels[:side, :side].astype(np.float32) / 255
    rng = np.random.default_rng(0)
    image += np.float32(sigma) * rng.standard_normal(image.shape, np.float32)
    if holes:
        for _ in range(20):
            top, left = rng.integers(0, side * 3 // 4, 2)
            image[top : top + side // 40, left : left + side // 30] = 1
    anew.write(Picture(image.clip(0, 1)), path, overwrite=True)


if __name__ == "__main__":
    main()
