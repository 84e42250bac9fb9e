"""Mean filter: each pixel becomes the average of the square around it.

Gonzalez and Woods, Digital Image Processing, "Smoothing (lowpass) spatial filters".
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image
from anew.options import Count, NotNegative, checked_arguments

# The best odd side on photographs, tuned for PSNR: it grows with the noise, (sigma from which, side).
SIDES = ((0.0, 1), (0.038, 3), (0.145, 5), (0.23, 7))


@checked_arguments
def denoise_mean(image: Image, sigma: NotNegative, *, size: Count | None = None) -> Image:
    """Average the pixels of a square window.

    Use it to measure local averages, or as the baseline that anything else must beat.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1]; it chooses ``size``.
    size : int >= 1, optional
        Side of the window in pixels. An even window reaches one pixel further to the left and up. Measured default:
        none (unchanged) below 0.038, then 3, 5 from 0.145, 7 from 0.23.

    Returns
    -------
    float32 array of the same shape; the image is mirrored at its border, edge pixel included
    """
    side = side_from_sigma(sigma) if size is None else size
    if side == 1:
        return image.copy()
    averaged = cv2.boxFilter(image, -1, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(averaged, np.float32).reshape(image.shape)


def side_from_sigma(sigma: float) -> int:
    """Give the side of the window, in pixels, that suits a noise level."""
    return max(side for start, side in SIDES if sigma >= start)
