"""Fit the constants of ``anew.restoration.uncertainty`` to the true error of repairs on photographs for tuning.

    python -m benchmarks.calibrate_uncertainty --method nlm
    python -m benchmarks.calibrate_uncertainty --damage jpeg
    python -m benchmarks.calibrate_uncertainty --damage light

Noise: error over sigma, in windows of 7 x 7, is modelled as FLAT + (BUSY - FLAT) a / (a + HALF), a the local spread of
the result over sigma. Prints the constants, the rank correlation, and the error per eighth of the activity.
JPEG and light: prints the true error of each picture over what the map says, least, median and greatest, and for light
the share of the values within twice the map and the mean rank correlation of the two; for JPEG the constant that makes
the two alike over all pixels.
"""

from __future__ import annotations

import argparse
import io
import itertools

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter
from scipy.optimize import least_squares
from scipy.stats import spearmanr

import anew
from anew.jpeg_tables import quantisation_error
from anew.restoration.uncertainty import deblocked_uncertainty, local_spread
from benchmarks.data import find_data

WINDOW = 7
QUALITIES = (10, 20, 40, 60, 75, 85)
LIGHT = {
    "dark": lambda x: 0.25 * x,
    "dark mid-tones": lambda x: 0.5 * x**2.5,
    "flat": lambda x: 0.35 * x + 0.35,
    "faded": lambda x: anew.degrade(x, "fade", rng=0),
    "tinted": lambda x: x * np.float32([1, 1, 0.7]),
    "low light": lambda x: anew.degrade(x, "low-light", rng=0),
    "two stops": lambda x: anew.degrade(x, "exposure", stops=-2),
}
LIGHT_KINDS = ("exposure", "contrast", "uneven-light", "fading", "cast")


def main() -> None:
    """Measure and print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--images", type=int, default=9)
    parser.add_argument("--damage", choices=("noise", "jpeg", "light"), default="noise")
    options = parser.parse_args()
    photos = read_photos(options.images)
    if options.damage == "noise":
        fit_noise(photos, options.method)
    elif options.damage == "jpeg":
        measure_jpeg(photos, options.method)
    else:
        measure_light(photos)


def read_photos(count: int) -> list[np.ndarray]:
    """Read (256, 256, 3) uint8 crops of photographs."""
    files = sorted(find_data("photos", "bsds400").glob("*"))
    photos = []
    for path in files[3 :: len(files) // count][:count]:
        with Image.open(path) as photo:
            photos.append(np.asarray(photo.convert("RGB"))[:256, :256])
    return photos


def measure_jpeg(photos: list[np.ndarray], method: str) -> None:
    """Print how the map of a deblocked picture compares with its error."""
    for mode, quality in itertools.product(("L", "RGB"), QUALITIES):
        ratios, squares, shapes = [], [], []
        for photo in photos:
            image = Image.fromarray(photo).convert(mode)
            buffer = io.BytesIO()
            image.save(buffer, format="JPEG", quality=quality)
            clean, coded = (np.atleast_3d(np.asarray(i, np.float32) / 255) for i in (image, Image.open(buffer)))
            deblocked = anew.deblock(coded, quality, method=method)
            squares.append(np.mean((deblocked - clean) ** 2))
            shapes.append(np.mean(np.cbrt(local_spread(deblocked, 1.5)) ** 2) * quantisation_error(quality))
            ratios.append(np.sqrt(squares[-1] / np.mean(deblocked_uncertainty(deblocked, quality) ** 2)))
        lost = np.sqrt(np.mean(squares) / np.mean(shapes))
        print(f"{mode:3} quality {quality}: error over map {_spread(ratios)}; the constant would be {lost:.3f}")


def measure_light(photos: list[np.ndarray]) -> None:
    """Print how the map of a picture whose light was repaired compares with its error."""
    for name, darken in LIGHT.items():
        ratios, within, ranks = [], [], []
        for photo in photos:
            clean = photo.astype(np.float32) / 255
            damaged = (np.rint(np.clip(darken(clean), 0, 1) * 255) / 255).astype(np.float32)
            restored = anew.restore(damaged, only=LIGHT_KINDS)
            if restored.changed:
                error = np.sqrt(np.mean((restored.picture.pixels - clean) ** 2, axis=2))
                ratios.append(np.sqrt(np.mean(error**2) / np.mean(restored.uncertainty**2)))
                within.append(np.mean(error < 2 * restored.uncertainty))
                ranks.append(
                    spearmanr(restored.uncertainty[::WINDOW, ::WINDOW].ravel(), error[::WINDOW, ::WINDOW].ravel())[0]
                )
        if ratios:
            share = f"{np.mean(within):.0%} within twice, rank correlation {np.mean(ranks):.2f}"
            print(f"{name}: {len(ratios)} repaired, error over map {_spread(ratios)}, {share}")


def _spread(ratios: list[float]) -> str:
    return f"{min(ratios):.2f} / {np.median(ratios):.2f} / {max(ratios):.2f}"


def fit_noise(photos: list[np.ndarray], method: str) -> None:
    """Fit and print the constants of a denoiser."""
    activities, errors = [], []
    for number, photo in enumerate(photos):
        clean = photo.astype(np.float32) / 255
        for sigma in (8 / 255, 20 / 255, 45 / 255):
            noise = np.random.default_rng(number).standard_normal(clean.shape)
            denoised = anew.denoise((clean + sigma * noise).astype(np.float32), sigma, method=method)
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
