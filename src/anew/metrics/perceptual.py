"""Perceptual distance: how far two pictures lie apart in the features of a network that we trained.

The features are those of ``features-photos`` (``anew models features-photos``), which learned to tell the damages of
photographs apart, and the distance is named after them: it is not LPIPS and not comparable with it.

What it does badly: it hardly sees a change of light or colour, and it finds noise and JPEG further away than blur of
the same PSNR, as SSIM does and people often do not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.metrics.error import as_pair, check_data_range
from anew.metrics.features import open_extractor, pieces

EXTRACTOR = "photos"
SMALLEST = 32  # pixels a side, below which the coarsest features cover more than the picture
EPSILON = 1e-8


def perceptual_distance(image: ArrayLike, reference: ArrayLike, *, data_range: float) -> float:
    """Distance between the unit-length features of two pictures, mean over places and levels; 0 is best.

    At every place of each of the network's levels, the vector over the channels is scaled to length 1; the distance is
    the squared length of the difference, averaged over the places of a level and then over the levels. Values outside
    [0, data_range] are clipped; grey pictures are given three equal channels. Pictures of more than 1024 pixels a side
    are compared in tiles of 1024, weighted by their area.

    Parameters
    ----------
    image, reference : arrays of the same shape, (H, W), (H, W, 1) or (H, W, 3), at least 32 pixels a side
    data_range : float > 0
        255 for 8 bits, 1 for floats in [0, 1].

    Returns
    -------
    float in [0, 2]; all features are positive, so unrelated pictures come to about 0.5

    References
    ----------
    Zhang, Isola, Efros, Shechtman and Wang, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
    CVPR 2018, equation 1, with all channel weights equal.
    """
    check_data_range(data_range)
    x, y = as_pair(image, reference)
    if x.ndim == 3 and x.shape[2] not in (1, 3):
        raise ValueError(f"expected 1 or 3 channels, got {x.shape[2]}")
    height, width = x.shape[:2]
    if min(height, width) < SMALLEST:
        raise ValueError(f"the perceptual distance needs at least {SMALLEST} pixels a side, got {height} x {width}")
    session = open_extractor(EXTRACTOR).session
    total = 0.0
    for rows in pieces(height):
        for columns in pieces(width):
            maps = (_features(session, z[rows, columns], data_range) for z in (x, y))
            area = (rows.stop - rows.start) * (columns.stop - columns.start)
            total += area * float(np.mean([_distance(a, b) for a, b in zip(*maps, strict=True)]))
    return total / (height * width)


def _features(session: Any, image: NDArray[np.float64], data_range: float) -> list[NDArray[np.float32]]:
    """Give the maps of all levels, finest first: (C, H, W)."""
    pixels = np.clip(image / data_range, 0, 1).astype(np.float32)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    names = sorted(output.name for output in session.get_outputs() if output.name.startswith("level"))
    maps = session.run(names, {"image": np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis])})
    return [level[0] for level in maps]


def _distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Mean over the places of the squared difference of unit vectors."""
    units = [z / (np.sqrt(np.sum(z**2, axis=0)) + EPSILON) for z in (a, b)]
    return float(np.mean(np.sum((units[0] - units[1]) ** 2, axis=0)))
