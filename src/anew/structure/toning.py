"""How far the colours of a picture stray from a single curve through the colour cube.

A toned picture - sepia, cyanotype, duotone, false colours - was grey before: all its colours are a function of how
bright they are.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, luminance

LEVELS = 256  # of luma


def colour_scatter(pixels: Image) -> float:
    """Measure how far colours lie from the mean of those that are as bright.

    Parameters
    ----------
    pixels : (N, 3) float32 array in [0, 1]

    Returns
    -------
    float >= 0
        Root mean square over pixels and channels, in units of the range. Hardly more than 0 for grey and toned ones.
    """
    luma = luminance(pixels[np.newaxis])[0]
    level = np.rint(luma.clip(0, 1) * (LEVELS - 1)).astype(np.int64)
    count = np.maximum(np.bincount(level, minlength=LEVELS), 1)
    squares = 0.0
    for c in range(3):
        mean = np.bincount(level, pixels[:, c], minlength=LEVELS) / count
        squares += float(np.mean((pixels[:, c] - mean[level]) ** 2))
    return float(np.sqrt(squares / 3))
