"""OpenCV's inpainting on float32 images of any number of channels: what Telea and Navier-Stokes share."""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, Mask, per_channel

BORDER = 2  # pixels; at the border of the image, and on images of one row, OpenCV reads values that nobody wrote


def fill_with_opencv(image: Image, mask: Mask, radius: float, flag: int, *, units: float = 1.0) -> Image:
    """Fill channel by channel, on a copy padded by its outermost pixels; keep within the range of the known ones.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    mask : (H, W) bool array
    radius : float > 0
    flag : int
        ``cv2.INPAINT_TELEA`` or ``cv2.INPAINT_NS``.
    units : float
        OpenCV sees the values multiplied by this.
    """
    holes = np.pad(mask.astype(np.uint8), BORDER, mode="edge")
    inside = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))

    def fill(channel: Image) -> Image:
        blank = np.where(mask, np.float32(0), channel)  # OpenCV reads a few of the missing pixels, too
        wide = np.pad(blank * np.float32(units), BORDER, mode="edge")
        values = cv2.inpaint(wide, holes, radius, flag)[inside] / np.float32(units)
        known = channel[~mask]
        return np.where(mask, np.clip(values, known.min(), known.max()), channel)

    return per_channel(fill, image)
