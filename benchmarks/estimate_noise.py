"""How well is Gaussian noise measured? BSD68, the field's protocol. Run: python benchmarks/estimate_noise.py

Printed for float pixels (neither clipped nor rounded) and for clipped 8-bit ones: median of the estimate, median and
95th percentile of the relative error (for sigma 0: of the estimate in grey levels), share below 1 of 255.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from anew.diagnosis.noise import estimate_noise_sigma
from benchmarks.data import add_noise, load_set


def main() -> None:
    """Measure every sigma and print a table."""
    images = load_set("BSD68", grey=True)
    print(f"{'sigma':>5} {'pixels':8}{'median':>8}{'error median':>14}{'95 %':>8}{'below 1':>9}{'seconds':>9}")
    for sigma in (0, 5, 10, 15, 25, 35, 50):
        for rounded in (False, True):
            start = time.perf_counter()
            estimates = []
            for clean in images.values():
                noisy = add_noise(clean, sigma)
                if rounded:
                    noisy = (np.rint(np.clip(noisy, 0, 1) * 255) / 255).astype(np.float32)
                estimates.append(255 * estimate_noise_sigma(noisy))
            found = np.array(estimates)
            error = np.abs(found - sigma) / (sigma or 1)
            seconds = (time.perf_counter() - start) / len(images)
            print(
                f"{sigma:5} {'8 bit' if rounded else 'float':8}{np.median(found):8.2f}{np.median(error):14.3f}"
                f"{np.quantile(error, 0.95):8.3f}{np.mean(found < 1):9.1%}{seconds:9.3f}"
            )


if __name__ == "__main__":
    main()
