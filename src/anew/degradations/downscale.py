"""Downscaling as MATLAB's ``imresize`` does it: cubic convolution, stretched by the factor against aliasing.

Keys, IEEE ASSP 29 (1981), a = -1/2. The low-resolution inputs of the super-resolution test sets are made this way.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import Degraded, check_between, planes_of


def downscale(image: Image, *, factor: float = 2.0) -> Degraded:
    """Shrink by a factor >= 1, to ceil(H / factor) x ceil(W / factor) pixels as MATLAB does; not clipped.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    factor : float >= 1
        Crop the image to a multiple of it first if the result shall cover whole pixels only.
    """
    check_between("factor", factor, 1)
    return Degraded(resize_bicubic(image, scale=1 / factor), parameters={"factor": factor})


def downscale_adjoint(y: Image, shape: tuple[int, ...], *, factor: float = 2.0) -> Image:
    """Apply the adjoint of ``downscale``; ``shape`` is that of the large image."""
    check_between("factor", factor, 1)
    down, across = _matrices(shape, _scaled(shape, 1 / factor), 1 / factor)
    return _apply(down.T, across.T, y)


def resize_bicubic(image: Image, *, shape: tuple[int, int] | None = None, scale: float | None = None) -> Image:
    """Resize by MATLAB's antialiased bicubic: ``imresize(image, scale)`` or ``imresize(image, [H W])``.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    shape : (int, int), optional
        Height and width of the result; the factors are the ratios of the sizes.
    scale : float > 0, optional
        In place of it: the factor of both axes; the result has ceil(H scale) x ceil(W scale) pixels.

    Returns
    -------
    float32 array; values may pass those of the input by up to a fifth at sharp edges
    """
    if (shape is None) == (scale is None):
        raise ValueError("give either the shape of the result or the scale")
    if scale is not None:
        check_between("scale", scale, 1e-6, 1e6)
    size = shape if shape is not None else _scaled(image.shape, scale or 1.0)
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"expected a shape of at least 1 x 1 pixels, got {size}")
    return _apply(*_matrices(image.shape, size, scale), image)


def _scaled(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Give MATLAB's output size; 1e-9 forgives the rounding of scale = 1 / factor."""
    height, width = (max(1, math.ceil(n * scale - 1e-9)) for n in shape[:2])
    return height, width


def _matrices(shape: tuple[int, ...], size: tuple[int, int], scale: float | None) -> tuple[Any, Any]:
    """Give the sparse float32 matrices that resample the columns and the rows."""
    from anew.restoration.upscaling.resampling import cubic, resampling_matrix

    down, across = (
        resampling_matrix(n_in, n_out, cubic, 2, scale=scale).astype(np.float32)
        for n_in, n_out in zip(shape[:2], size, strict=True)
    )
    return down, across


def _apply(down: Any, across: Any, image: Image) -> Image:
    """Multiply by ``down`` along the height and by ``across`` along the width."""
    planes = planes_of(image)
    height, width, channels = planes.shape
    x = (down @ planes.reshape(height, -1)).reshape(-1, width, channels)
    x = np.moveaxis(x, 1, 0)
    x = (across @ np.ascontiguousarray(x).reshape(width, -1)).reshape(across.shape[0], -1, channels)
    x = np.ascontiguousarray(np.moveaxis(x, 1, 0), np.float32)
    return x if image.ndim == 3 else x[:, :, 0]
