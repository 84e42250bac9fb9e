"""Structural similarity: SSIM and MS-SSIM."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.metrics.error import as_pair, check_data_range

WINDOW_SIGMA, WINDOW_RADIUS = 1.5, 5  # the 11 x 11 Gaussian of the paper
K1, K2 = 0.01, 0.03
BAND = 128  # rows that are looked at together, which bounds the memory
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
    return float(np.mean(_ssim_terms(*as_pair(image, reference), data_range)[0]))


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
    product = np.ones(1)
    for scale, weight in enumerate(MS_WEIGHTS):
        index, contrast = _ssim_terms(x, y, data_range)
        product = product * np.maximum(index if scale == len(MS_WEIGHTS) - 1 else contrast, 0) ** weight
        x, y = _halve(x), _halve(y)
    return float(np.mean(product))


def _ssim_terms(
    x: NDArray[np.float64], y: NDArray[np.float64], data_range: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the means of the index and of its contrast-structure term, per channel, where the window fits."""
    side = 2 * WINDOW_RADIUS + 1
    height, width = x.shape[:2]
    if min(height, width) < side:
        raise ValueError(f"SSIM needs images of at least {side} pixels a side, got {height} x {width}")
    x, y = x.reshape(height, width, -1), y.reshape(height, width, -1)
    sums = np.zeros((2, x.shape[2]))
    for channel, top in itertools.product(range(x.shape[2]), range(0, height - side + 1, BAND)):
        band = np.s_[top : top + BAND + side - 1, :, channel]
        luminance, contrast = _ssim_maps(x[band], y[band], data_range)
        sums[:, channel] += np.sum(luminance * contrast), np.sum(contrast)
    index, contrast = sums / ((height - side + 1) * (width - side + 1))
    return index, contrast


def _ssim_maps(
    x: NDArray[np.float64], y: NDArray[np.float64], data_range: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the luminance and the contrast-structure terms where the window fits (equations 6, 9, 10 with C3 = C2/2)."""
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    mean_x, mean_y = _smooth(x), _smooth(y)
    variance_x = _smooth(x * x) - mean_x**2
    variance_y = _smooth(y * y) - mean_y**2
    covariance = _smooth(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    contrast = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return luminance, contrast


def _smooth(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average with the Gaussian window, where it fits: (H, W) -> (H - 10, W - 10)."""
    import cv2

    offsets = np.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1)
    window = np.exp(-(offsets**2) / (2 * WINDOW_SIGMA**2))
    window /= window.sum()
    inside = slice(WINDOW_RADIUS, -WINDOW_RADIUS)
    return np.asarray(cv2.sepFilter2D(x, -1, window, window), np.float64)[inside, inside]


def _halve(x: NDArray[np.float64]) -> NDArray[np.float64]:
    x = x[: x.shape[0] // 2 * 2, : x.shape[1] // 2 * 2]
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4
