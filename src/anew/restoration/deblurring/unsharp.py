"""Unsharp masking that leaves noise alone.

Gonzalez and Woods, Digital Image Processing, section 3.6: x + amount (x - G x). The detail x - G x holds noise of
known standard deviation; below a multiple of it the detail is left out, above it is taken in full size less that
threshold, so that nothing jumps.
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, per_channel
from anew.options import NotNegative, Positive, checked_arguments


@checked_arguments
def deblur_unsharp(
    image: Image, sigma: NotNegative, *, amount: NotNegative = 1.0, width: Positive = 1.5, threshold: NotNegative = 3.0
) -> Image:
    """Sharpen by adding back what a Gaussian blur takes away.

    Use it for a slight softness of unknown cause, before printing or after shrinking. It brings back contrast at edges,
    not lost detail, and raises the noise with it.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1].
    amount : float >= 0
        Factor of the detail.
    width : float > 0
        Standard deviation of the Gaussian, in pixels; about that of the blur to be undone.
    threshold : float >= 0
        Detail below this many standard deviations of its noise is left out.

    Returns
    -------
    float32 array of the same shape
    """
    side = 2 * int(np.ceil(3 * width)) + 1
    g = cv2.getGaussianKernel(side, width, cv2.CV_32F)
    # white noise of std sigma keeps this share in x - G x: |delta - g g^T|
    share = np.sqrt(1 - 2 * float(g.max()) ** 2 + float(np.sum(g**2)) ** 2)
    limit = np.float32(threshold * sigma * share)

    def sharpen(x: Image) -> Image:
        detail = x - cv2.sepFilter2D(x, cv2.CV_32F, g, g, borderType=cv2.BORDER_REPLICATE).reshape(x.shape)
        return x + np.float32(amount) * np.sign(detail) * np.maximum(np.abs(detail) - limit, 0)

    return per_channel(sharpen, image)
