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
    guided_by = p if guide is None else _as_guide(guide)
    if guided_by.shape[:2] != p.shape[:2]:
        raise ValueError(f"expected a guide of shape {p.shape[:2]} like the image, got {guided_by.shape[:2]}")
    centre = guided_by.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    i = guided_by - centre  # keeps the difference of squares exact where the guide is nearly flat
    channels = p.shape[2]

    def filter_tile(tile: Image) -> Image:
        return _filter(
            tile[:, :, :channels], tile[:, :, channels:], side, max(regularisation, 1e-12), own=guide is None
        )

    # The covariances take many times the memory of the image. Two windows in a row look 2 (side // 2) pixels far.
    return apply_in_tiles(filter_tile, np.concatenate([p, i], axis=2), halo=side).reshape(image.shape)


def _as_guide(guide: ArrayLike) -> Image:
    """Give a guide as an (H, W, G) array."""
    numbers = as_numbers("guide", guide, "an (H, W) or (H, W, G) array of finite numbers")
    if numbers.ndim not in (2, 3) or numbers.size == 0:
        raise ValueError(f"guide must be an (H, W) or (H, W, G) array, got shape {numbers.shape}")
    return np.atleast_3d(numbers.astype(np.float32))


def _filter(p: Image, i: Image, side: int, eps: float, *, own: bool) -> Image:
    """Equations 19 to 21 (6 to 8 for one channel): p (H, W, C), the guide less a constant (H, W, G)."""
    mean_i, mean_p = _box(i, side), _box(p, side)  # (H, W, G), (H, W, C)
    channels = i.shape[2]
    cov_ip = _box_of_products(i, p, side) - mean_i[..., :, None] * mean_p[..., None, :]  # (H, W, G, C)
    sigma_k = cov_ip  # where the picture is its own guide, but for the constant
    if not own:
        sigma_k = _box_of_products(i, i, side) - mean_i[..., :, None] * mean_i[..., None, :]
    if channels == 1:
        a = np.asarray(cov_ip / (sigma_k + np.float32(eps)), np.float32)
    else:
        a = np.asarray(
            np.linalg.solve(sigma_k + np.float32(eps) * np.eye(channels, dtype=np.float32), cov_ip), np.float32
        )  # eq. 19
    b = np.asarray(mean_p - np.einsum("hwgc,hwg->hwc", a, mean_i), np.float32)  # eq. 20
    mean_a = _box(a.reshape(*a.shape[:2], -1), side).reshape(a.shape)
    result: NDArray[np.float32] = np.einsum("hwgc,hwg->hwc", mean_a, i) + _box(b, side)  # eq. 21
    return result


def _box(x: Image, side: int) -> Image:
    averaged = cv2.boxFilter(np.ascontiguousarray(x), -1, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(averaged, np.float32).reshape(x.shape)


def _box_of_products(x: Image, y: Image, side: int) -> Image:
    products: NDArray[np.float32] = x[..., :, None] * y[..., None, :]
    return _box(products.reshape(*x.shape[:2], -1), side).reshape(products.shape)
