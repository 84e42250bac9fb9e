"""Measures of edges: gradient magnitude similarity deviation and edge preservation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from anew.arrays import luminance
from anew.metrics.error import as_pair, check_data_range

ROUNDING = 1e-6  # of the largest value; what float32 makes of no edge, and far below a step of 16 bits
GMSD_C = 170.0  # for luma in [0, 255], section III of the paper


def gmsd(image: ArrayLike, reference: ArrayLike, *, data_range: float) -> float:
    """Gradient magnitude similarity deviation; 0 is best.

    Luma (BT.601 weights for 3 channels), 2 x 2 average and subsampling by 2, Prewitt gradients, standard deviation of
    the similarity map over the whole image. The map has half the sides, rounded up: of 2 x 2 pixels it would have one,
    whose deviation is always 0.

    Parameters
    ----------
    image, reference : arrays of the same shape, (H, W) or (H, W, C), at least 3 pixels a side
    data_range : float > 0

    References
    ----------
    Xue, Zhang, Mou and Bovik, IEEE TIP 23 (2014), equations 4-6.
    """
    from scipy.ndimage import correlate

    check_data_range(data_range)
    pair = as_pair(image, reference)
    if min(pair[0].shape[:2]) < 3:
        raise ValueError(f"GMSD needs at least 3 pixels a side, got {pair[0].shape[0]} x {pair[0].shape[1]}")
    prewitt = np.array([[1, 0, -1]] * 3) / 3
    magnitudes = []
    for x in pair:
        y = luminance(x) * (255 / data_range)
        half = correlate(y, np.full((2, 2), 0.25), mode="constant", origin=-1)[::2, ::2]
        horizontal = correlate(half, prewitt, mode="constant")
        vertical = correlate(half, prewitt.T, mode="constant")
        magnitudes.append(np.hypot(horizontal, vertical))
    a, b = magnitudes
    similarity = (2 * a * b + GMSD_C) / (a**2 + b**2 + GMSD_C)
    return float(np.std(similarity))


def edge_preservation(image: ArrayLike, reference: ArrayLike) -> float:
    """Edge-preservation index: the correlation of the high-pass filtered images; 1 is best.

    Luma, 3 x 3 Laplacian, correlation coefficient over the pixels whose window fits. Two images without any edge are
    equal: 1.

    Parameters
    ----------
    image, reference : arrays of the same shape, (H, W) or (H, W, C), at least 3 pixels a side

    References
    ----------
    Sattar, Floreby, Salomonsson and Lovstrom, IEEE TIP 6 (1997), equation 17.
    """
    from scipy.ndimage import laplace

    x, y = as_pair(image, reference)
    if min(x.shape[:2]) < 3:
        raise ValueError(f"edge preservation needs at least 3 pixels a side, got {x.shape[0]} x {x.shape[1]}")
    least = ROUNDING * max(np.abs(x).max(), np.abs(y).max())
    high = [laplace(luminance(z))[1:-1, 1:-1] for z in (x, y)]
    high = [np.where(np.abs(h) > least, h, 0) for h in high]
    a, b = (h - h.mean() for h in high)
    norm = np.sqrt(np.sum(a * a) * np.sum(b * b))
    if norm == 0:
        return 1.0 if np.array_equal(high[0], high[1]) else 0.0
    return float(np.sum(a * b) / norm)
