"""Rotate a tilted picture upright about its centre.

Gonzalez and Woods, Digital Image Processing, section 2.6: an affine map, resampled once.
"""

from __future__ import annotations

import math

import numpy as np

from anew.arrays import Image, Mask
from anew.diagnosis.tilt import estimate_tilt
from anew.options import checked_arguments
from anew.restoration.unwarping.warping import Border, Mapping, Points, centre_of, valid_mask, warp


@checked_arguments
def unwarp_tilt(image: Image, *, angle: float | None = None, border: Border = "reflect", fill: float = 0.0) -> Image:
    """Turn the content clockwise by ``angle``, so that what was tilted counter-clockwise stands upright.

    Use it for crooked horizons and scans. ``anew diagnose`` measures the angle.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    angle : float, optional
        Degrees by which the content was rotated counter-clockwise about the image centre; 0 gives the input bit by
        bit. Estimated from the picture's lines if not given; a picture without a sure tilt is left as it is.
    border : {"reflect", "constant", "nearest"}
        What fills the corners that the input does not show (see ``valid_tilt``).
    fill : float
        The value for ``border="constant"``.

    Returns
    -------
    float32 array of the same shape
    """
    if angle is None:
        angle = estimate_tilt(image).angle
    if angle % 360 == 0:
        return image.copy()
    return warp(image, tilt_mapping(image.shape, angle), border=border, fill=fill)


def valid_tilt(shape: tuple[int, ...], *, angle: float) -> Mask:
    """Tell, as an (H, W) bool array, where ``unwarp_tilt`` has real pixels to show."""
    return valid_mask(shape, tilt_mapping(shape, angle))


def tilt_mapping(shape: tuple[int, ...], angle: float) -> Mapping:
    """Give the map from upright to tilted points: counter-clockwise by ``angle`` degrees as one sees it (y down)."""
    cx, cy = centre_of(shape)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))

    def to_tilted(x: Points, y: Points) -> tuple[Points, Points]:
        dx, dy = x - cx, y - cy
        return np.asarray(cx + cosine * dx + sine * dy), np.asarray(cy - sine * dx + cosine * dy)

    return to_tilted
