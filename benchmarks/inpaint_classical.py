"""Measure the classical inpainting methods beside scikit-image's biharmonic one.

    python -m benchmarks.inpaint_classical [CBSD68] [images]

Colour images, what is missing set to 0; PSNR in dB over the missing pixels only, after clipping and rounding to 8 bit;
time in seconds per megapixel of the whole image, this process, one run each. scikit-image factorises a region
at once, which takes a minute per image if half of the pixels are missing at random; it is left out above a third.
"""

from __future__ import annotations

import sys
import time

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.restoration import inpaint_biharmonic

import anew
from benchmarks.data import load_set, psnr

METHODS = ("biharmonic", "diffusion", "telea", "navier-stokes")
PEER_LIMIT = 0.33  # share of missing pixels


def masks(height: int, width: int, *, seed: int = 0) -> dict[str, NDArray[np.bool_]]:
    """Make the damage: random pixels, scratches, text, rectangles."""
    rng = np.random.default_rng(seed)
    result = {f"random {share} %": rng.random((height, width)) < share / 100 for share in (5, 50, 80)}
    canvas = np.zeros((height, width), np.uint8)
    for x in rng.integers(0, width, 12):
        cv2.line(canvas, (int(x), 0), (int(x + rng.integers(-40, 40)), height), 1, int(rng.integers(1, 4)))
    result["scratches"] = canvas > 0
    canvas = np.zeros((height, width), np.uint8)
    for y in range(30, height, 45):
        cv2.putText(canvas, "The quick brown fox jumps", (5, y), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1, 3)
    result["text"] = canvas > 0
    canvas = np.zeros((height, width), np.uint8)
    for y, x in zip(rng.integers(0, height - 40, 6), rng.integers(0, width - 40, 6), strict=True):
        canvas[y : y + rng.integers(15, 40), x : x + rng.integers(15, 40)] = 1
    result["rectangles"] = canvas > 0
    return result


def main(name: str = "CBSD68", count: str = "10") -> None:
    """Print the table."""
    print(f"{name}, first {count} images: PSNR of the missing pixels in dB (s per megapixel)")
    print(f"{'':14}" + "".join(f"{m:>20}" for m in (*METHODS, "scikit-image")))
    rows: dict[str, list[list[tuple[float, float]]]] = {}
    for clean in list(load_set(name).values())[: int(count)]:
        for kind, mask in masks(*clean.shape[:2]).items():
            damaged = np.where(mask[:, :, None], 0, clean / np.float32(255)).astype(np.float32)
            row = []
            for method in (*METHODS, "scikit-image"):
                start = time.perf_counter()
                if method == "scikit-image" and mask.mean() > PEER_LIMIT:
                    row.append((np.nan, np.nan))
                    continue
                if method == "scikit-image":
                    filled = inpaint_biharmonic(damaged, mask, channel_axis=2)
                else:
                    filled = anew.inpaint(damaged, mask, method=method)
                seconds = time.perf_counter() - start
                row.append((psnr(filled[mask], clean[mask]), seconds / mask.size * 1e6))
            rows.setdefault(kind, []).append(row)
    for kind, images in rows.items():
        means = np.mean(images, axis=0)
        print(f"{kind:14}" + "".join(f"{f'{db:.2f} ({seconds:.2f})':>20}" for db, seconds in means))


if __name__ == "__main__":
    main(*sys.argv[1:])
