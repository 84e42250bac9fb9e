"""Telea's inpainting: a front marches from the border of the hole inwards, each pixel a weighted mean of known ones.

Telea, An image inpainting technique based on the fast marching method, J. Graphics Tools 9 (2004); OpenCV's
implementation, channel by channel in float32, so that any depth and number of channels passes through.
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, Mask, per_channel

# OpenCV adds half a unit for rounding and a gradient term of about one unit to every pixel, also in floating point. In
# units of 2^-16 of the range both vanish beside the weighted mean; in units of the range they would destroy it.
UNITS = np.float32(65536)
BORDER = 2  # pixels; at the border of the image, and on images of one row, OpenCV reads values that nobody wrote


def inpaint_telea(image: Image, mask: Mask, *, radius: float = 3.0) -> Image:
    """Fill holes by fast marching.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    mask : (H, W) bool array
        True where a pixel is missing; its value is not read.
    radius : float > 0
        Radius, in pixels, of the neighbourhood that a pixel is computed from.

    Returns
    -------
    float32 array of the same shape; known pixels are bit-identical
    """
    holes = np.pad(mask.astype(np.uint8), BORDER, mode="edge")
    inside = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))

    def fill(channel: Image) -> Image:
        wide = np.pad(channel * UNITS, BORDER, mode="edge")
        values = cv2.inpaint(wide, holes, radius, cv2.INPAINT_TELEA)[inside] / UNITS
        known = channel[~mask]
        return np.where(mask, np.clip(values, known.min(), known.max()), channel)

    return per_channel(fill, image)
