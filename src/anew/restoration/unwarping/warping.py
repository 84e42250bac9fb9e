"""Resample an image through a mapping of points: what every unwarping method shares.

A mapping says where in the damaged image the content of each pixel of the repaired image lies. Points are pixel
centres: (0, 0) is the centre of the top-left pixel, x runs right, y runs down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask

Points = NDArray[np.float64]
Mapping = Callable[[Points, Points], tuple[Points, Points]]

Border = Literal["reflect", "constant", "nearest"]
STRIP_PIXELS = 1 << 20  # the coordinates of one strip of rows are held at a time, so memory stays small
INSIDE_TOLERANCE = 1e-3  # pixels; rounding of a mapping must not cost the outermost row


def warp(image: Image, mapping: Mapping, *, border: Border = "reflect", fill: float = 0.0) -> Image:
    """Give the image that shows at each pixel p what the input shows at ``mapping(p)``, by cubic splines.

    The positions are exact: OpenCV's remapping would round them to 1 / 32 of a pixel.

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
    from scipy.ndimage import map_coordinates, spline_filter

    planes = image[:, :, np.newaxis] if image.ndim == 2 else image
    height, width = planes.shape[:2]
    result = np.empty_like(planes)
    for channel in range(planes.shape[2]):
        coefficients = spline_filter(planes[:, :, channel], order=3, output=np.float32, mode="mirror")
        for rows, x, y in _strips(planes.shape, mapping):
            if border == "nearest":
                x, y = x.clip(0, width - 1), y.clip(0, height - 1)
            sampled = map_coordinates(coefficients, (y, x), order=3, mode="mirror", prefilter=False, output=np.float32)
            if border == "constant":
                sampled[~_inside(x, y, width, height)] = fill
            result[rows, :, channel] = sampled
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
    for rows, x, y in _strips(shape, mapping):
        valid[rows] = _inside(x, y, width, height)
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


def _inside(x: Points, y: Points, width: int, height: int) -> Mask:
    """Tell which points lie on the image."""
    low, right, bottom = -INSIDE_TOLERANCE, width - 1 + INSIDE_TOLERANCE, height - 1 + INSIDE_TOLERANCE
    return (x >= low) & (x <= right) & (y >= low) & (y <= bottom)
