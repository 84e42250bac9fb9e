"""Median filter: each pixel becomes the median of the square around it; removes impulses and keeps edges.

Tukey, Exploratory Data Analysis (1977). OpenCV for windows of 3 and 5 pixels in float32; larger ones are selected
here, in strips that stay in the cache, so that no depth is lost.
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, per_channel
from anew.options import NotNegative, Odd, checked_arguments

SIDES = ((0.0, 1), (0.035, 3), (0.105, 5), (0.19, 7))  # the best odd side on photographs: (sigma from which, side)
STRIP_BYTES = 1 << 20


@checked_arguments
def denoise_median(image: Image, sigma: NotNegative, *, size: Odd | None = None) -> Image:
    """Take the median of a square window, channel by channel.

    Use it for salt and pepper, dead pixels and other outliers that are a few percent of the picture. Where only these
    may change, ``"adaptive-median"`` does it.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1]; it chooses ``size``.
    size : odd int >= 1, optional
        Side of the window in pixels. Measured default: none (unchanged) below 0.035, then 3, 5 from 0.105, 7 from 0.19.

    Returns
    -------
    float32 array of the same shape; the edge pixel is repeated outside the border
    """
    side = max(s for start, s in SIDES if sigma >= start) if size is None else size
    if side == 1:
        return image.copy()
    if side <= 5:
        return per_channel(lambda x: np.asarray(cv2.medianBlur(x, side), np.float32).reshape(x.shape), image)
    return per_channel(lambda x: _median_of_windows(x, side), image)


def _median_of_windows(x: Image, side: int) -> Image:
    """Median of any odd window of an (H, W) array, by partial sorting."""
    radius, middle = side // 2, side * side // 2
    padded = np.pad(x, radius, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))  # (H, W, side, side)
    rows = max(1, STRIP_BYTES // (4 * side * side * x.shape[1]))
    result = np.empty_like(x)
    for top in range(0, x.shape[0], rows):
        strip = windows[top : top + rows].reshape(-1, side * side)
        result[top : top + rows] = np.partition(strip, middle, axis=1)[:, middle].reshape(-1, x.shape[1])
    return result
