"""Gaussian filter: a weighted average that falls off smoothly with distance.

Gonzalez and Woods, Digital Image Processing, "Smoothing (lowpass) spatial filters".
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image
from anew.options import NotNegative, checked_arguments

TRUNCATE = 4.0  # standard deviations; what lies outside weighs under 1e-4
WIDTH_FACTOR, WIDTH_POWER = 3.9, 0.6  # tuned for PSNR on photographs: width = factor sigma^power


@checked_arguments
def denoise_gaussian(image: Image, sigma: NotNegative, *, width: NotNegative | None = None) -> Image:
    """Average with Gaussian weights.

    Use it before shrinking, to separate coarse from fine, or as a baseline. It blurs edges as much as noise.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1]; it chooses ``width``.
    width : float >= 0, optional
        Standard deviation of the Gaussian in pixels; 0 changes nothing. Measured default: see ``width_from_sigma``.

    Returns
    -------
    float32 array of the same shape; the image is mirrored at its border, edge pixel included
    """
    w = width_from_sigma(sigma) if width is None else width
    radius = int(TRUNCATE * w + 0.5)
    if radius == 0:
        return image.copy()
    sides = (2 * radius + 1, 2 * radius + 1)
    blurred = cv2.GaussianBlur(image, sides, w, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32).reshape(image.shape)


def width_from_sigma(sigma: float) -> float:
    """Give the standard deviation of the Gaussian, in pixels, that suits a noise level; from 1 on that of 1."""
    return float(WIDTH_FACTOR * min(sigma, 1.0) ** WIDTH_POWER)
