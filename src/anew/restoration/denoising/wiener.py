"""Local Wiener filter: shrink each pixel towards its local mean, the more the less its surroundings vary.

Lee, Digital image enhancement and noise filtering by use of local statistics, IEEE TPAMI 2 (1980), eqs. 9-12 with
additive noise. The noise variance is sigma², not estimated from the image.
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image
from anew.options import NotNegative, Window, checked_arguments

SIDES = ((0.0, 3), (0.04, 5), (0.12, 7))  # the best odd side on photographs: (sigma from which, side)


@checked_arguments
def denoise_wiener(image: Image, sigma: NotNegative, *, size: Window | None = None) -> Image:
    """Shrink towards the local mean by the local variance.

    Use it for weak noise in measured data, where a local and linear estimate that is easy to state is worth more than
    the last decibels.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1]. 0 changes nothing.
    size : odd int >= 3, optional
        Side of the window in pixels; default: measured on photographs, growing with ``sigma``.

    Returns
    -------
    float32 array of the same shape; the image is mirrored at its border, edge pixel included
    """
    side = max(s for start, s in SIDES if sigma >= start) if size is None else size
    if sigma == 0:
        return image.copy()
    window, border = (side, side), cv2.BORDER_REFLECT
    mean = np.asarray(cv2.boxFilter(image, -1, window, borderType=border), np.float32).reshape(image.shape)
    square = np.asarray(cv2.sqrBoxFilter(image, cv2.CV_32F, window, borderType=border), np.float32).reshape(image.shape)
    variance = square - mean * mean
    noise = np.float32(sigma**2)
    gain = np.maximum(variance - noise, 0) / np.maximum(variance, noise)
    return mean + gain * (image - mean)
