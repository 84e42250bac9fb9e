"""Fit the constants of ``anew.restoration.uncertainty`` to the true error of a denoiser on photographs for tuning.

    python -m benchmarks.calibrate_uncertainty --method nlm

Error over sigma, in windows of 7 x 7, is modelled as FLAT + (BUSY - FLAT) a / (a + HALF), a the local spread of the
result over sigma. Prints the constants, the rank correlation, and the error per eighth of the activity.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter
from scipy.optimize import least_squares
from scipy.stats import spearmanr

import anew
from anew.restoration.uncertainty import local_spread
from benchmarks.data import data_folder

WINDOW = 7


def main() -> None:
    """Measure, fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--images", type=int, default=9)
    options = parser.parse_args()
    activities, errors = [], []
    files = sorted((data_folder() / "photos" / "bsds400").glob("*"))
    for number, path in enumerate(files[3 :: len(files) // options.images][: options.images]):
        with Image.open(path) as photo:
            clean = np.asarray(photo.convert("RGB"), np.float32)[:256, :256] / 255
        for sigma in (8 / 255, 20 / 255, 45 / 255):
            noise = np.random.default_rng(number).standard_normal(clean.shape)
            denoised = anew.denoise((clean + sigma * noise).astype(np.float32), sigma, method=options.method)
            error = uniform_filter(np.mean((denoised - clean) ** 2, axis=2), WINDOW)
            sample = (slice(WINDOW // 2, None, WINDOW),) * 2
            activities.append((local_spread(denoised, 1.5) / sigma)[sample].ravel())
            errors.append(np.sqrt(error[sample]).ravel() / sigma)
    a, e = np.concatenate(activities), np.concatenate(errors)

    def misfit(p: np.ndarray) -> np.ndarray:
        flat, busy, half = np.abs(p)
        return np.log(flat + (busy - flat) * a / (a + half) + 1e-3) - np.log(e + 1e-3)

    flat, busy, half = np.abs(least_squares(misfit, [0.2, 0.7, 0.6], loss="soft_l1").x)
    print(f"FLAT, BUSY = {flat:.2f}, {busy:.2f}; HALF_ACTIVITY = {half:.2f}; rank correlation {spearmanr(a, e)[0]:.3f}")
    edges = np.quantile(a, np.linspace(0, 1, 9))
    for low, high in itertools.pairwise(edges):
        inside = (a >= low) & (a <= high)
        model = flat + (busy - flat) * a[inside] / (a[inside] + half)
        print(f"activity {low:6.2f} to {high:6.2f}: error {np.median(e[inside]):.3f}, model {np.median(model):.3f}")


if __name__ == "__main__":
    main()
