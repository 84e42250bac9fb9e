"""NIQE: how far the statistics of an image are from those of undistorted photographs.

Mittal, Soundararajan and Bovik, "Making a completely blind image quality analyzer", IEEE Signal Processing Letters 20
(2013). The model of undistorted photographs is our own: ``niqe_model.npz`` was fitted by ``benchmarks/fit_niqe.py`` to
the 400 training and test photographs of BSDS500 (non-commercial research terms; the file holds a mean and a covariance
of 36 features, no picture). Its figures therefore differ from those of the authors' model, of which order and trend
are kept.

Deviations: products of neighbours are taken on the whole map, not circularly in each patch; luma is not rounded; of the
asymmetric Gaussians the features hold the left and right variances, as BRISQUE's do, instead of the scales beta.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import luminance
from anew.degradations.downscale import resize_bicubic
from anew.metrics.error import as_pair, check_data_range

PATCH = 96  # pixels of the fine scale; half of it on the coarse one
WINDOW_RADIUS, WINDOW_SIGMA = 3, 7 / 6
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # to the neighbours whose products are taken
SHARP_SHARE = 0.75  # of the sharpest patch; only those above are taken for the model
MODEL = Path(__file__).with_name("niqe_model.npz")

Array = NDArray[np.float64]


def niqe(image: ArrayLike, *, data_range: float) -> float:
    """Natural image quality evaluator; lower is better, good photographs have about 3 to 5.

    Luma (BT.601 weights for 3 channels), patches of 96 x 96 pixels; what is left at the right and bottom is not looked
    at. It judges photographs: drawings, text and textures without detail get high values however good they are.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, at least 192 pixels a side, computed in float64
    data_range : float > 0
        255 for 8 bits, 1 for floats in [0, 1].

    Returns
    -------
    float >= 0
        The distance of two Gaussians, equation 10: ``sqrt((m1 - m2)' ((S1 + S2) / 2)^-1 (m1 - m2))``.
    """
    features, _ = patch_features(image, data_range=data_range)
    model_mean, model_covariance = _model()
    mean = features.mean(axis=0)
    covariance = np.cov(features, rowvar=False)
    gap = mean - model_mean
    distance = gap @ np.linalg.pinv((covariance + model_covariance) / 2, hermitian=True) @ gap
    return float(np.sqrt(max(distance, 0.0)))


def patch_features(image: ArrayLike, *, data_range: float) -> tuple[Array, Array]:
    """Give the 36 features of every patch, and how sharp each patch is.

    Returns
    -------
    (N, 36) float64 array
        18 per scale: shape and variance of the normalised luma, then mean, shape, left and right variance of the
        products of neighbours in four directions.
    (N,) float64 array
        Mean local deviation of the patch.
    """
    check_data_range(data_range)
    x = luminance(as_pair(image, image)[0]) * (255 / data_range)
    rows, columns = x.shape[0] // PATCH, x.shape[1] // PATCH
    if min(rows, columns) < 2:
        raise ValueError(f"NIQE needs at least {2 * PATCH} pixels a side, got {x.shape[0]} x {x.shape[1]}")
    x = x[: rows * PATCH, : columns * PATCH]
    fine, deviation = _normalised(x)
    coarse, _ = _normalised(_halved(x))
    features = [_scale_features(fine, PATCH), _scale_features(coarse, PATCH // 2)]
    return np.concatenate(features, axis=1), _patches(deviation, PATCH).mean(axis=1)


def _normalised(x: Array) -> tuple[Array, Array]:
    """Give the mean-subtracted, contrast-normalised luma (equations 1-3), and the local deviation."""
    from scipy.ndimage import correlate1d

    offsets = np.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1)
    window = np.exp(-0.5 * (offsets / WINDOW_SIGMA) ** 2)
    window /= window.sum()

    def smooth(z: Array) -> Array:
        rows: Array = correlate1d(z, window, axis=0, mode="nearest")
        both: Array = correlate1d(rows, window, axis=1, mode="nearest")
        return both

    mean = smooth(x)
    deviation = np.sqrt(np.maximum(smooth(x * x) - mean * mean, 0))
    return (x - mean) / (deviation + 1), deviation


def _halved(x: Array) -> Array:
    return resize_bicubic((x / 255).astype(np.float32), scale=0.5).astype(np.float64) * 255


def _scale_features(x: Array, side: int) -> Array:
    shape, _, left, right = _asymmetric_gaussian(_patches(x, side))
    features = [shape, (left + right) / 2]
    for down, across in SHIFTS:
        product = x * np.roll(x, (down, across), axis=(0, 1))
        shape, mean, left, right = _asymmetric_gaussian(_patches(product, side))
        features += [shape, mean, left, right]
    return np.stack(features, axis=1)


def _patches(x: Array, side: int) -> Array:
    """Cut into (N, side²)."""
    rows, columns = x.shape[0] // side, x.shape[1] // side
    blocks = x[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return blocks.transpose(0, 2, 1, 3).reshape(rows * columns, side * side)


def _asymmetric_gaussian(x: Array) -> tuple[Array, Array, Array, Array]:
    """Fit an asymmetric generalised Gaussian to each row by its moments (section II-B; Lasmar et al., ICIP 2009).

    Returns
    -------
    shape alpha, mean eta, left and right variance: four (N,) arrays
    """
    from scipy.special import gamma

    left = np.sqrt(_mean_square_where(x, x < 0))
    right = np.sqrt(_mean_square_where(x, x > 0))
    ratio = left / right
    r = np.abs(x).mean(axis=1) ** 2 / np.maximum((x * x).mean(axis=1), 1e-12)
    wanted = r * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shapes, ratios = _shape_table()
    alpha = np.interp(wanted, ratios, shapes)
    scale = np.sqrt(gamma(1 / alpha) / gamma(3 / alpha))
    mean = (right - left) * scale * gamma(2 / alpha) / gamma(1 / alpha)
    return alpha, mean, left**2, right**2


def _mean_square_where(x: Array, where: NDArray[np.bool_]) -> Array:
    total: Array = np.sum(np.where(where, x * x, 0), axis=1)
    return np.maximum(total / np.maximum(where.sum(axis=1), 1), 1e-12)


@lru_cache(maxsize=1)
def _shape_table() -> tuple[Array, Array]:
    """Give shapes and what the moments ratio Gamma(2/a)^2 / (Gamma(1/a) Gamma(3/a)) is for them, which rises."""
    from scipy.special import gamma

    shapes = np.arange(0.2, 10, 0.001)
    return shapes, gamma(2 / shapes) ** 2 / (gamma(1 / shapes) * gamma(3 / shapes))


@lru_cache(maxsize=1)
def _model() -> tuple[Array, Array]:
    with np.load(MODEL) as file:
        return file["mean"], file["covariance"]
