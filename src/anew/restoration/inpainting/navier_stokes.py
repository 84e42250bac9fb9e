"""Navier-Stokes inpainting: carry isophotes into the hole as a fluid carries its vorticity.

Bertalmio, Bertozzi and Sapiro, Navier-Stokes, fluid dynamics, and image and video inpainting, CVPR 2001; OpenCV's
implementation, channel by channel in float32, so that any depth and number of channels passes through.
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, Mask, per_channel

BORDER = 2  # pixels; at the border of the image, and on images of one row, OpenCV reads values that nobody wrote


def inpaint_navier_stokes(image: Image, mask: Mask, *, radius: float = 3.0) -> Image:
    """Fill holes along isophotes.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    mask : (H, W) bool array
        True where a pixel is missing; its value is not read.
    radius : float > 0
        Radius, in pixels, of the neighbourhood that a pixel is computed from.

    Returns
    -------
    float32 array of the same shape, within the range of the known pixels; these are bit-identical
    """
    holes = np.pad(mask.astype(np.uint8), BORDER, mode="edge")
    inside = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))

    def fill(channel: Image) -> Image:
        values = cv2.inpaint(np.pad(channel, BORDER, mode="edge"), holes, radius, cv2.INPAINT_NS)[inside]
        known = channel[~mask]
        return np.where(mask, np.clip(values, known.min(), known.max()), channel)

    return per_channel(fill, image)
