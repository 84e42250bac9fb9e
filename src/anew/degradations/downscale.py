"""Downscaling as MATLAB's ``imresize`` does it: cubic convolution, stretched by the factor against aliasing.

Keys, IEEE ASSP 29 (1981), a = -1/2. The low-resolution inputs of the super-resolution test sets are made this way, by
a MATLAB that repeats the border pixel beyond the border (later ones mirror) and that rounds 8-bit images after each
axis, the height first; with ``eight_bit`` they are reproduced bit by bit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import Degraded, check_between

LARGEST_FACTOR = 1e6


def downscale(image: Image, *, factor: float = 2.0, eight_bit: bool = False) -> Degraded:
    """Shrink by a factor >= 1, to ceil(H / factor) x ceil(W / factor) pixels as MATLAB does.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    factor : float in [1, 1e6]
        Crop the image to a multiple of it first if the result shall cover whole pixels only.
    eight_bit : bool
        Clip and round to 8 bits after each axis, as MATLAB does with uint8 images; else it stays linear.
    """
    check_between("factor", factor, 1, LARGEST_FACTOR)
    result = resize_bicubic(image, scale=1 / factor, eight_bit=bool(eight_bit))
    return Degraded(result, parameters={"factor": factor, "eight_bit": eight_bit})


def downscale_adjoint(y: Image, shape: tuple[int, ...], *, factor: float = 2.0, eight_bit: bool = False) -> Image:
    """Apply the adjoint of ``downscale`` without rounding; ``shape`` is that of the large image."""
    check_between("factor", factor, 1, LARGEST_FACTOR)
    down, across = _matrices(shape, _scaled(shape, 1 / factor), 1 / factor)
    return _along_width(across.T, _along_height(down.T, y))


def resize_bicubic(
    image: Image, *, shape: tuple[int, int] | None = None, scale: float | None = None, eight_bit: bool = False
) -> Image:
    """Resize by MATLAB's antialiased bicubic: ``imresize(image, scale)`` or ``imresize(image, [H W])``.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    shape : (int, int), optional
        Height and width of the result; the factors are the ratios of the sizes.
    scale : float > 0, optional
        In place of it: the factor of both axes; the result has ceil(H scale) x ceil(W scale) pixels.
    eight_bit : bool
        Clip and round to 8 bits before and after each axis.

    Returns
    -------
    float32 array, not clipped unless ``eight_bit``
    """
    if (shape is None) == (scale is None):
        raise ValueError("give either the shape of the result or the scale")
    if scale is not None:
        check_between("scale", scale, 1 / LARGEST_FACTOR, LARGEST_FACTOR)
    size = shape if shape is not None else _scaled(image.shape, scale or 1.0)
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"expected a shape of at least 1 x 1 pixels, got {size}")
    down, across = _matrices(image.shape, size, scale)
    if not eight_bit:
        return _along_width(across, _along_height(down, image))
    narrow = _to_levels(_along_height(down, _to_levels(image * np.float32(255))))
    return _to_levels(_along_width(across, narrow)) / np.float32(255)


def _to_levels(grey: Image) -> Image:
    """Clip and round to the grey levels 0 to 255, halves upwards as MATLAB does."""
    return np.floor(np.clip(grey, 0, 255) + np.float32(0.5))


def _scaled(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Give MATLAB's output size; 1e-9 forgives the rounding of scale = 1 / factor."""
    height, width = (max(1, math.ceil(n * scale - 1e-9)) for n in shape[:2])
    return height, width


def _matrices(shape: tuple[int, ...], size: tuple[int, int], scale: float | None) -> tuple[Any, Any]:
    """Give the sparse float32 matrices that resample the columns and the rows."""
    from anew.resampling import cubic, resampling_matrix

    down, across = (
        resampling_matrix(n_in, n_out, cubic, 2, scale=scale, border="nearest").astype(np.float32)
        for n_in, n_out in zip(shape[:2], size, strict=True)
    )
    return down, across


def _along_height(matrix: Any, image: Image) -> Image:
    """Multiply every column by a matrix."""
    lines = matrix @ image.reshape(image.shape[0], -1)
    return np.asarray(lines.reshape(-1, *image.shape[1:]), np.float32)


def _along_width(matrix: Any, image: Image) -> Image:
    """Multiply every row by a matrix."""
    turned = np.ascontiguousarray(np.swapaxes(image, 0, 1))
    return np.ascontiguousarray(np.swapaxes(_along_height(matrix, turned), 0, 1))
