"""Whether what is marked in a picture lies over one thing, or along the rim between two.

Beside a scratch the picture goes on: it is about the same on either side. The hem of a scarf, an arm before a floor
and a roof before the sky have one thing on one side and another on the other (compared so by half discs in Martin,
Fowlkes and Malik, "Learning to detect natural image boundaries", IEEE TPAMI 26, 2004).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.structure.masked_mean import mean_where, untouched

BESIDE = 5.0  # pixels from what is marked to what stands beside it
EXTENT = 3.0  # pixels: standard deviation of the weights of what stands there
ALONG = 8.0  # pixels: of the weights of what is marked, over which the difference is averaged
DIRECTION = 2.0, 4.0  # pixels: of the Gaussians before and after the derivative, for the direction of what is marked
LEAST_CONTRAST = 0.01  # of what is marked


def difference_of_sides(image: Image, mask: Mask, *, unit: float = 1.0) -> NDArray[np.float32]:
    """Tell how different the two sides of what is marked are, relative to its own contrast to both.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    mask : (H, W) bool array
        What is marked: thin and long.
    unit : float > 0
        By which the distances above are multiplied.

    Returns
    -------
    (H, W) float32 array, 0 where nothing is marked
        About 0 along a scratch, 2 along the edge of a step.
    """
    pixels = np.atleast_3d(image)
    row, column = np.nonzero(mask)
    sideways = _normals(mask, unit)[:, row, column] * BESIDE * unit
    free = untouched(mask)
    around = np.stack([mean_where(channel, free, EXTENT * unit) for channel in np.moveaxis(pixels, 2, 0)], axis=2)
    one, other = (_at(around, row + sign * sideways[1], column + sign * sideways[0]) for sign in (1, -1))
    difference = np.abs(one - other).mean(axis=1)
    contrast = np.abs(pixels[mask] - (one + other) / 2).mean(axis=1)
    difference, contrast = (_mean_along(values, mask, ALONG * unit) for values in (difference, contrast))
    return np.where(mask, difference / np.maximum(contrast, LEAST_CONTRAST), 0).astype(np.float32)


def _mean_along(values: NDArray[np.float32], mask: Mask, sigma: float) -> Image:
    """Average the values of what is marked over Gaussian neighbourhoods."""
    placed = np.zeros(mask.shape, np.float32)
    placed[mask] = values
    return mean_where(placed, mask, sigma)


def _normals(mask: Mask, unit: float) -> NDArray[np.float32]:
    """Give (right, down) of the unit vectors across what is marked, by the structure tensor; (2, H, W)."""
    before, after = (sigma * unit for sigma in DIRECTION)
    soft = _soft(mask.astype(np.float32), before)
    right, down = cv2.Scharr(soft, -1, 1, 0), cv2.Scharr(soft, -1, 0, 1)
    angle = np.arctan2(2 * _soft(right * down, after), _soft(right * right, after) - _soft(down * down, after)) / 2
    return np.asarray(np.stack([np.cos(angle), np.sin(angle)]), np.float32)


def _at(image: Image, row: NDArray[np.float32], column: NDArray[np.float32]) -> Image:
    """Give the nearest pixels of an (H, W, C) image to (N,) places, those beyond its border at the border; (N, C)."""
    places = zip((row, column), image.shape[:2], strict=True)
    down, right = (np.clip(np.rint(place), 0, side - 1).astype(np.intp) for place, side in places)
    return image[down, right]


def _soft(x: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(x, (0, 0), sigma), np.float32)
