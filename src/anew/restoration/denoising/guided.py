"""Guided filter: in every window the result is a linear function of a guide image, by default of the image itself.

He, Sun and Tang, Guided image filtering, IEEE TPAMI 35 (2013); equation numbers are theirs.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, as_numbers
from anew.options import NotNegative, Window, checked_arguments
from anew.tiles import apply_in_tiles

# Tuned for PSNR on photographs: eps = (offset + slope sigma) sigma²; one channel needs a wide window only in strong
# noise.
EPS_OFFSET, EPS_SLOPE = 2.0, 60.0
WIDE_FROM = 0.14
LEAST_EPS = 1e-12  # of the square of the largest value: rounding must not make a covariance singular
TILE = 256  # pixels; the planes of a tile stay in the second-level cache

Planes = NDArray[np.float64]  # (..., H, W)


@checked_arguments
def denoise_guided(
    image: Image,
    sigma: NotNegative,
    *,
    size: Window | None = None,
    eps: NotNegative | None = None,
    guide: ArrayLike | None = None,
) -> Image:
    """Smooth by local linear models of a guide.

    Use it where gradients must not reverse at edges (before sharpening or tone mapping), or to smooth one picture along
    the edges of another with ``guide``, say a depth map along its photograph.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
        The input ``p`` of the paper.
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1]; it chooses ``eps``. 0 changes nothing.
    size : odd int >= 3, optional
        Side of the windows in pixels; default: 3, or 5 for several channels and for strong noise.
    eps : float >= 0, optional
        What varies less than this variance is smoothed; in units of the range squared. Default: a measured multiple
        of the noise variance of the guide, ``sigma²``.
    guide : (H, W) or (H, W, G) array, optional
        The guide ``I``, e.g. a flash photograph; any number of channels. Default: the image itself.

    Returns
    -------
    float32 array of the same shape
    """
    p = np.atleast_3d(image)
    side = (3 if p.shape[2] == 1 and sigma < WIDE_FROM else 5) if size is None else size
    regularisation = (EPS_OFFSET + EPS_SLOPE * sigma) * sigma**2 if eps is None else eps
    if regularisation == 0 and guide is None:
        return image.copy()
    led = p if guide is None else _as_guide(guide)
    if led.shape[:2] != p.shape[:2]:
        raise ValueError(f"expected a guide of shape {p.shape[:2]} like the image, got {led.shape[:2]}")
    least = LEAST_EPS * max(1.0, -float(led.min()), float(led.max())) ** 2
    channels = p.shape[2]

    def filter_tile(tile: Image) -> Image:
        planes = np.ascontiguousarray(np.moveaxis(tile, 2, 0), np.float64)
        i = planes if guide is None else planes[channels:]
        q = _filter(planes[:channels], i, side, max(regularisation, least), own=guide is None)
        return np.moveaxis(q, 0, 2).astype(np.float32)

    # The covariances take many times the memory of a tile. Two windows in a row look 2 (side // 2) pixels far.
    both = p if guide is None else np.concatenate([p, led], axis=2)
    return apply_in_tiles(filter_tile, both, halo=side, tile=TILE, whole=TILE * TILE).reshape(image.shape)


def _as_guide(guide: ArrayLike) -> Image:
    """Give a guide as an (H, W, G) array."""
    numbers = as_numbers("guide", guide, "an (H, W) or (H, W, G) array of finite numbers")
    if numbers.ndim not in (2, 3) or numbers.size == 0:
        raise ValueError(f"guide must be an (H, W) or (H, W, G) array, got shape {numbers.shape}")
    return np.atleast_3d(numbers.astype(np.float32))


def _filter(p: Planes, i: Planes, side: int, eps: float, *, own: bool) -> Planes:
    """Equations 19 to 21 (6 to 8 for one channel): p (C, H, W), the guide (G, H, W)."""
    mean_i, mean_p = _box(i, side), _box(p, side)
    sigma_k = _box(i[:, None] * i, side) - mean_i[:, None] * mean_i  # (G, G, H, W)
    cov_ip = sigma_k.copy() if own else _box(i[:, None] * p, side) - mean_i[:, None] * mean_p  # (G, C, H, W)
    for g in range(len(i)):
        sigma_k[g, g] += eps
    a = _solve(sigma_k, cov_ip)  # eq. 19
    b = mean_p - np.einsum("gchw,ghw->chw", a, mean_i)  # eq. 20
    result: Planes = np.einsum("gchw,ghw->chw", _box(a, side), i) + _box(b, side)  # eq. 21
    return result


def _solve(matrix: Planes, right: Planes) -> Planes:
    """Solve the positive definite (G, G) system of each pixel, in place, by elimination without a choice of pivots.

    All pixels at once take a fraction of the time of ``numpy.linalg.solve``, which goes from one to the next.
    """
    order = range(len(matrix))
    for k in order:
        for j in order[k + 1 :]:
            factor = matrix[j, k] / matrix[k, k]
            matrix[j, k + 1 :] -= factor * matrix[k, k + 1 :]
            right[j] -= factor * right[k]
    for k in reversed(order):
        for j in order[k + 1 :]:
            right[k] -= matrix[k, j] * right[j]
        right[k] /= matrix[k, k]
    return right


def _box(x: Planes, side: int) -> Planes:
    """Average (..., H, W) planes over windows."""
    means = np.empty_like(x)
    for place in np.ndindex(x.shape[:-2]):
        means[place] = cv2.boxFilter(x[place], -1, (side, side), borderType=cv2.BORDER_REFLECT).reshape(x.shape[-2:])
    return means
