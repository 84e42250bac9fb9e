"""Structural similarity: SSIM and MS-SSIM."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.metrics.error import as_pair, check_data_range

WINDOW_SIGMA, WINDOW_RADIUS = 1.5, 5  # the 11 x 11 Gaussian of the paper
K1, K2 = 0.01, 0.03
MS_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # finest first, Wang et al. 2003, section 3.2


def ssim(image: ArrayLike, reference: ArrayLike, *, data_range: float) -> float:
    """Mean structural similarity with an 11 x 11 Gaussian window of sigma 1.5.

    Population covariances, K1 = 0.01, K2 = 0.03, mean over the pixels whose window lies inside the image and over
    the channels: what scikit-image computes with ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False``.

    Parameters
    ----------
    image, reference : arrays of the same shape, (H, W) or (H, W, C), at least 11 pixels a side
    data_range : float > 0
        255 for 8 bits, 1 for floats in [0, 1].

    Returns
    -------
    float in [-1, 1]; 1 for equal images

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 13 (2004), equation 13.
    """
    check_data_range(data_range)
    luminance, contrast = _ssim_maps(*as_pair(image, reference), data_range)
    return float(np.mean(luminance * contrast))


def ms_ssim(image: ArrayLike, reference: ArrayLike, *, data_range: float) -> float:
    """Multi-scale structural similarity over five scales, each halved by a 2 x 2 average.

    Per channel, the contrast-structure terms of scales 1-4 and the full index of scale 5 are raised to the paper's
    weights and multiplied; negative terms count as 0; the result is the mean over the channels.

    Parameters
    ----------
    image, reference : arrays of the same shape, (H, W) or (H, W, C), at least 176 pixels a side
    data_range : float > 0

    References
    ----------
    Wang, Simoncelli and Bovik, Asilomar Conference 2003, equation 7.
    """
    check_data_range(data_range)
    x, y = as_pair(image, reference)
    smallest = (2 * WINDOW_RADIUS + 1) * 2 ** (len(MS_WEIGHTS) - 1)
    if min(x.shape[:2]) < smallest:
        raise ValueError(f"MS-SSIM needs images of at least {smallest} pixels a side, got {x.shape[0]} x {x.shape[1]}")
    x, y = x.reshape(*x.shape[:2], -1), y.reshape(*y.shape[:2], -1)
    product = np.ones(x.shape[2])
    for scale, weight in enumerate(MS_WEIGHTS):
        luminance, contrast = _ssim_maps(x, y, data_range)
        last = scale == len(MS_WEIGHTS) - 1
        term = np.mean(luminance * contrast if last else contrast, axis=(0, 1))
        product *= np.maximum(term, 0) ** weight
        x, y = _halve(x), _halve(y)
    return float(np.mean(product))


def _ssim_maps(
    x: NDArray[np.float64], y: NDArray[np.float64], data_range: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the luminance and the contrast-structure terms where the window fits (equations 6, 9, 10 with C3 = C2/2)."""
    side = 2 * WINDOW_RADIUS + 1
    if min(x.shape[:2]) < side:
        raise ValueError(f"SSIM needs images of at least {side} pixels a side, got {x.shape[0]} x {x.shape[1]}")
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    mean_x, mean_y = _smooth(x), _smooth(y)
    variance_x = _smooth(x * x) - mean_x**2
    variance_y = _smooth(y * y) - mean_y**2
    covariance = _smooth(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    contrast = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return luminance, contrast


def _smooth(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average with the Gaussian window, where it fits."""
    from scipy.ndimage import correlate1d

    offsets = np.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1)
    window = np.exp(-(offsets**2) / (2 * WINDOW_SIGMA**2))
    window /= window.sum()
    inside = slice(WINDOW_RADIUS, -WINDOW_RADIUS)
    rows: NDArray[np.float64] = correlate1d(x, window, axis=0)[inside]
    columns: NDArray[np.float64] = correlate1d(rows, window, axis=1)[:, inside]
    return columns


def _halve(x: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
    return x[:height, :width].reshape(height // 2, 2, width // 2, 2, -1).mean(axis=(1, 3))
