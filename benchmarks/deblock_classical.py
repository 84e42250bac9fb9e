"""Measure the classical deblocking methods.

    python -m benchmarks.deblock_classical

Grey (classic5) or Y of studio-range BT.601 (LIVE1), compressed by `cv2.imencode`; PSNR in dB, no border cut; the
smallest gain over all images; seconds per megapixel. The quality is known to the method.
"""

from __future__ import annotations

import time

import cv2
import numpy as np

import anew
from anew.bench.protocols import luma
from benchmarks.data import load_set, psnr

METHODS = ("reapplication", "sa-filter")


def main() -> None:
    """Print the table."""
    for name in ("classic5", "LIVE1"):
        for quality in (10, 20, 30, 40):
            base, gains = [], []
            seconds = np.zeros(len(METHODS))
            pixels = 0
            for image in load_set(name).values():
                clean = luma(image)
                _, data = cv2.imencode(".jpg", clean, [cv2.IMWRITE_JPEG_QUALITY, quality])
                decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
                base.append(psnr(decoded, clean))
                row = []
                for i, method in enumerate(METHODS):
                    start = time.perf_counter()
                    result = anew.deblock(decoded, quality, method=method)
                    seconds[i] += time.perf_counter() - start
                    row.append(psnr(result, clean) - base[-1])
                gains.append(row)
                pixels += clean.size
            line = f"{name:9} quality {quality}: JPEG {np.mean(base):.2f}"
            for i, method in enumerate(METHODS):
                mean, least = np.mean(gains, axis=0)[i], np.min(gains, axis=0)[i]
                line += f" | {method} {mean:+.2f} (least {least:+.2f}; {seconds[i] / pixels * 1e6:.2f} s/MP)"
            print(line, flush=True)


if __name__ == "__main__":
    main()
