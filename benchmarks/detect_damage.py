"""How well are torn corners found, and how silent is it otherwise?

``python -m benchmarks.detect_damage`` prints, on LIVE1 and CBSD68, how many torn pictures were found, precision, recall
and F1 of their pixels, how many clean pictures cried wolf, and the time for 12 megapixels.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from anew.degradations.tears import tears
from anew.diagnosis.tears import find_tears
from anew.images import Picture
from benchmarks.data import load_set


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=40)
    options = parser.parse_args()
    clean = {**load_set("LIVE1"), **load_set("CBSD68")}
    pictures = [(x / 255).astype(np.float32) for x in list(clean.values())[:: max(1, len(clean) // options.images)]]
    for sigma in (0.0, 0.06):
        rng = np.random.default_rng(0)
        torn = [(d.image, d.mask) for i, x in enumerate(pictures) if (d := tears(x, rng=i)).mask is not None]
        report(torn, sigma, rng)
    cries = sum(find_tears(Picture(np.atleast_3d(x))) is not None for x in pictures)
    large = Picture(np.tile(np.atleast_3d(pictures[0]), (9, 9, 1))[:3000, :4000])
    started = time.perf_counter()
    find_tears(large)
    print(f"{cries} of {len(pictures)} clean pictures; {time.perf_counter() - started:.2f} s for {large.pixels.shape}")


def report(pairs: list[tuple[NDArray[np.float32], NDArray[np.bool_]]], sigma: float, rng: np.random.Generator) -> None:
    """Print how many pictures were found torn, and precision, recall and F1 of pixels over all and over those."""
    counts = np.zeros((len(pairs), 3))
    for i, (image, truth) in enumerate(pairs):
        noisy = image + sigma * rng.standard_normal(image.shape, np.float32)
        finding = find_tears(Picture(np.atleast_3d(noisy)))
        marked = np.zeros_like(truth) if finding is None or finding.map is None else finding.map
        counts[i] = (marked & truth).sum(), marked.sum(), truth.sum()
    found = counts[:, 1] > 0
    texts = []
    for right, marked, true in (counts.sum(axis=0), counts[found].sum(axis=0)):
        precision, recall = right / max(marked, 1), right / max(true, 1)
        texts.append(f"P {precision:.2f} R {recall:.2f} F1 {2 * right / max(marked + true, 1):.2f}")
    print(f"torn corners, sigma {sigma}: found in {found.mean():.0%}; all: {texts[0]}; where found: {texts[1]}")


if __name__ == "__main__":
    main()
