"""How well enlargement is found: python -m benchmarks.estimate_resolution [--every 4]

The photographs of Set14, LIVE1 and BSD68 as they are, as JPEG, and parts of them enlarged by Pillow's filters.
"""

from __future__ import annotations

import argparse
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anew.diagnosis.resolution import Enlargement, estimate_enlargement
from benchmarks.data import load_set

SETS = ("Set14", "LIVE1", "BSD68")
FACTORS = (1.5, 2, 2.5, 3, 4)
KERNELS = {name: Image.Resampling[name.upper()] for name in ("bilinear", "bicubic", "lanczos")}
PART = (240, 200)  # pixels of what is enlarged
RIGHT = 0.05  # relative error


def estimate(picture: Image.Image) -> Enlargement | None:
    """Estimate from 8-bit pixels."""
    return estimate_enlargement(np.asarray(picture, np.float32) / np.float32(255))


def compressed(pixels: NDArray[np.uint8], quality: int) -> Image.Image:
    """Give the picture as its JPEG file shows it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return Image.open(file)


def main() -> None:
    """Print false alarms, and the share that is found and found right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every n-th picture")
    every = parser.parse_args().every
    pictures = [x for name in SETS for x in list(load_set(name).values())[::every]]
    untouched = [estimate(Image.fromarray(x)) for x in pictures]
    print(f"{len(pictures)} pictures as they are: {sum(e is not None for e in untouched)} false alarms")
    for quality in (30, 75, 92):
        wrong = sum(estimate(compressed(x, quality)) is not None for x in pictures)
        print(f"as JPEG of quality {quality}: {wrong} false alarms", flush=True)
    for factor in FACTORS:
        for name, kernel in KERNELS.items():
            parts = [Image.fromarray(x).crop((0, 0, *PART)) for x in pictures]
            size = tuple(round(side * factor) for side in PART)
            found = [e for part in parts if (e := estimate(part.resize(size, kernel))) is not None]
            right = sum(abs(e.factor / factor - 1) < RIGHT for e in found)
            print(f"x{factor} {name}: found {len(found) / len(parts):.0%}, right {right / len(parts):.0%}", flush=True)


if __name__ == "__main__":
    main()
