"""How well are scratches and tears found, and how silent is it otherwise?

    python -m benchmarks.detect_damage              F1 on LIVE1 and CBSD68, with the overlays kept for testing; seconds
    python -m benchmarks.detect_damage --calibrate  fit the weights of the scratch detector to photographs, print them

Overlays: ``film_damage/scratches``, 400x400, a pixel counts as damaged where alpha > 0.15; every second one calibrates.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anew.degradations.scratches import scratches
from anew.degradations.tears import tears
from anew.diagnosis import scratches as detector
from anew.diagnosis.tears import find_tears
from anew.images import Picture
from benchmarks.data import data_folder, load_set

TRUE_ALPHA = 0.15
ON_A_SCRATCH = 0.4  # share of a line's pixels that makes it one
RIDGE = 3.0


def main() -> None:
    """Calibrate or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calibrate", action="store_true")
    parser.add_argument("--images", type=int, default=40)
    options = parser.parse_args()
    if options.calibrate:
        calibrate()
        return
    clean = {**load_set("LIVE1"), **load_set("CBSD68")}
    pictures = [(x / 255).astype(np.float32) for x in list(clean.values())[:: max(1, len(clean) // options.images)]]
    test_overlays = overlays()[1::2]
    find = detector.find_scratches
    for sigma in (0.0, 0.06):
        rng = np.random.default_rng(0)
        laid = [cover(x, test_overlays[i % len(test_overlays)]) for i, x in enumerate(pictures)]
        report("scratch overlays", find, laid, sigma, rng)
        drawn = [(d.image, d.mask) for i, x in enumerate(pictures) if (d := scratches(x, rng=i)).mask is not None]
        report("drawn scratches", find, drawn, sigma, rng)
        torn = [(d.image, d.mask) for i, x in enumerate(pictures) if (d := tears(x, rng=i)).mask is not None]
        report("torn corners", find_tears, torn, sigma, rng)
    for find in (detector.find_scratches, find_tears):
        cries = sum(find(Picture(x)) is not None for x in pictures)
        large = Picture(np.tile(pictures[0], (9, 9, 1))[:3000, :4000])
        started = time.perf_counter()
        find(large)
        seconds = time.perf_counter() - started
        print(f"{find.__name__}: {cries} of {len(pictures)} clean pictures; {seconds:.2f} s for {large.pixels.shape}")


def report(
    what: str,
    find: Callable[[Picture], detector.Finding | None],
    pairs: list[tuple[NDArray[np.float32], NDArray[np.bool_]]],
    sigma: float,
    rng: np.random.Generator,
) -> None:
    """Print how many pictures were found damaged, and precision, recall and F1 of pixels over all and over those."""
    counts = np.zeros((len(pairs), 3))
    for i, (image, truth) in enumerate(pairs):
        noisy = image + sigma * rng.standard_normal(image.shape, np.float32)
        finding = find(Picture(np.atleast_3d(noisy)))
        marked = np.zeros_like(truth) if finding is None or finding.map is None else finding.map
        counts[i] = (marked & truth).sum(), marked.sum(), truth.sum()
    found = counts[:, 1] > 0
    texts = []
    for right, marked, true in (counts.sum(axis=0), counts[found].sum(axis=0)):
        precision, recall = right / max(marked, 1), right / max(true, 1)
        texts.append(f"P {precision:.2f} R {recall:.2f} F1 {2 * right / max(marked + true, 1):.2f}")
    print(f"{what}, sigma {sigma}: found in {found.mean():.0%}; all: {texts[0]}; where found: {texts[1]}")


def overlays() -> list[NDArray[np.float32]]:
    """Give the alpha channels, (400, 400) in [0, 1]."""
    from PIL import Image

    paths = sorted((data_folder() / "film_damage" / "scratches").glob("*.png"))
    return [np.asarray(Image.open(path).convert("RGBA"), np.float32)[:, :, 3] / 255 for path in paths]


def cover(image: NDArray[np.float32], alpha: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Lay a white overlay over the middle of a picture, without resizing it."""
    image = np.atleast_3d(image)
    shape = image.shape[:2]
    whole = np.zeros(shape, np.float32)
    here, there = zip(*(middle(n, m) for n, m in zip(shape, alpha.shape, strict=True)), strict=True)
    whole[here] = alpha[there]
    return image * (1 - whole[:, :, None]) + whole[:, :, None], whole > TRUE_ALPHA


def middle(n: int, m: int) -> tuple[slice, slice]:
    """Give the slices of n and of m that bring their middles together."""
    common = min(n, m)
    return slice((n - common) // 2, (n - common) // 2 + common), slice((m - common) // 2, (m - common) // 2 + common)


def calibrate() -> None:
    """Fit the log-odds of a line to be a scratch to photographs that are no test pictures."""
    import cv2
    from PIL import Image

    paths = sorted((data_folder() / "photos" / "bsds400").glob("*.jpg"))[::2][:180]
    training = overlays()[::2]
    seen, labels = [], []
    rng = np.random.default_rng(0)
    for i, path in enumerate(paths):
        with Image.open(path) as file:
            clean = np.asarray(file.convert("RGB"), np.float32) / 255
        jobs = [(clean, None)]
        if i % 2 == 0:
            drawn = scratches(clean, rng=i)
            jobs.append((drawn.image, drawn.mask))
        if i % 4 == 1:
            jobs.append(cover(clean, training[i // 4 % len(training)]))
        for image, truth in jobs:
            noise = rng.choice([0, 0.03, 0.06]) * rng.standard_normal(image.shape, np.float32)
            lines, properties, _ = detector.measure_lines(np.clip(image + noise, 0, 1).astype(np.float32))
            wide = None if truth is None else cv2.dilate(truth.astype(np.uint8), np.ones((3, 3)))
            share = [0.0 if wide is None else float(wide[line].mean()) for line in lines]
            for row, hit in zip(properties, share, strict=True):
                if truth is None or hit > ON_A_SCRATCH:
                    seen.append(row)
                    labels.append(float(hit > ON_A_SCRATCH))
    x, y = np.array(seen), np.array(labels)
    mean, scatter = x.mean(axis=0), x.std(axis=0)
    z = np.clip((x - mean) / scatter, -4, 4)
    weights = fit(np.c_[z, z * z - 1, np.ones(len(z))], y)
    count = len(mean)
    print(f"{len(y)} lines, {int(y.sum())} of them scratches; offset {weights[-1]:.3f}")
    for row in zip(mean, scatter, weights[:count], weights[count:-1], strict=True):
        print("        (" + ", ".join(f"{v:.3f}" for v in row) + "),")


def fit(a: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit a logistic regression with a ridge by Newton's method."""
    b = np.zeros(a.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(a @ b, -30, 30)))
        hessian = (a * (p * (1 - p))[:, None]).T @ a + RIDGE * np.eye(len(b))
        b -= np.linalg.solve(hessian, a.T @ (p - y) + RIDGE * b)
    return b


if __name__ == "__main__":
    main()
