"""Resample an image through a mapping of points: what every unwarping method shares.

A mapping says where in the damaged image the content of each pixel of the repaired image lies. Points are pixel
centres: (0, 0) is the centre of the top-left pixel, x runs right, y runs down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask

Points = NDArray[np.float64]
Mapping = Callable[[Points, Points], tuple[Points, Points]]

BORDERS = {"reflect": cv2.BORDER_REFLECT_101, "constant": cv2.BORDER_CONSTANT, "nearest": cv2.BORDER_REPLICATE}
STRIP_PIXELS = 1 << 20  # the coordinates of one strip of rows are held at a time, so memory stays small
REMAP_LIMIT = 32_766  # cv2.remap keeps source positions in 16 bits
INSIDE_TOLERANCE = 1e-3  # pixels; rounding of a mapping must not cost the outermost row


def warp(image: Image, mapping: Mapping, *, border: str = "reflect", fill: float = 0.0) -> Image:
    """Give the image that shows at each pixel p what the input shows at ``mapping(p)``; Lanczos, 8 x 8 taps.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, any C
    mapping : function of two float64 arrays (x, y) giving two of their shape
    border : {"reflect", "constant", "nearest"}
        What stands outside of the input: its mirror image, ``fill``, or its outermost pixels.
    fill : float
        The value for ``border="constant"``.

    Returns
    -------
    float32 array of the same shape
    """
    if border not in BORDERS:
        raise ValueError(f"border must be one of {', '.join(BORDERS)}, got {border!r}")
    planes = image[:, :, np.newaxis] if image.ndim == 2 else image
    result = np.empty_like(planes)
    for rows, x, y in _strips(planes.shape, mapping):
        for first in range(0, planes.shape[2], 4):  # OpenCV takes 4 channels at most
            group = slice(first, first + 4)
            result[rows, :, group] = _sample(planes[:, :, group], x, y, border, fill)
    return result.reshape(image.shape)


def valid_mask(shape: tuple[int, ...], mapping: Mapping) -> Mask:
    """Tell where ``warp`` has real pixels to read.

    Parameters
    ----------
    shape : (H, W) or (H, W, C)
    mapping : as for ``warp``

    Returns
    -------
    (H, W) bool array, False where the result is made up from the border
    """
    height, width = shape[:2]
    valid = np.empty((height, width), bool)
    low, high = -INSIDE_TOLERANCE, INSIDE_TOLERANCE
    for rows, x, y in _strips(shape, mapping):
        valid[rows] = (x >= low) & (x <= width - 1 + high) & (y >= low) & (y <= height - 1 + high)
    return valid


def centre_of(shape: tuple[int, ...]) -> tuple[float, float]:
    """Give the centre (x, y) of an image of that shape, in pixel coordinates."""
    return (shape[1] - 1) / 2, (shape[0] - 1) / 2


def _strips(shape: tuple[int, ...], mapping: Mapping) -> Iterator[tuple[slice, Points, Points]]:
    height, width = shape[:2]
    step = max(1, STRIP_PIXELS // width)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(rows.start, rows.stop, dtype=np.float64))
        yield rows, *mapping(x, y)


def _sample(planes: Image, x: Points, y: Points, border: str, fill: float) -> Image:
    """Sample (H, W, c <= 4) planes at the (h, w) positions x, y; gives (h, w, c)."""
    if max(planes.shape[:2]) > REMAP_LIMIT:
        return _sample_spline(planes, x, y, border, fill)
    sampled = cv2.remap(
        planes,
        x.astype(np.float32),
        y.astype(np.float32),
        cv2.INTER_LANCZOS4,
        borderMode=BORDERS[border],
        borderValue=(fill,) * 4,
    )
    return np.asarray(sampled, np.float32).reshape(*x.shape, planes.shape[2])


def _sample_spline(planes: Image, x: Points, y: Points, border: str, fill: float) -> Image:
    """Do the same with cubic splines, for sides that OpenCV cannot address."""
    from scipy.ndimage import map_coordinates

    mode = {"reflect": "mirror"}.get(border, border)
    channels = [map_coordinates(p, (y, x), order=3, mode=mode, cval=fill) for p in np.moveaxis(planes, 2, 0)]
    return np.stack(channels, axis=2).astype(np.float32)
