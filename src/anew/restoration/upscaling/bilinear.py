"""Linear interpolation along both axes.

Gonzalez and Woods, Digital Image Processing, section 2.4.
"""

from __future__ import annotations

from anew.arrays import Image
from anew.options import Positive, checked_arguments
from anew.resampling import triangle, upscale_with


@checked_arguments
def upscale_bilinear(image: Image, scale: Positive, *, back_project: bool = False) -> Image:
    """Enlarge by linear interpolation.

    Use it where values may not overshoot their neighbours: masks with soft borders, depth and flow fields.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    scale : float > 0
        Below 1 it shrinks, antialiased by a stretched kernel.
    back_project : bool
        Where it enlarges: correct the result so that MATLAB-style bicubic shrinking gives the input back.

    Returns
    -------
    (round(H * scale), round(W * scale)) or (..., C) float32 array, at least 1 x 1; pixel centres lie at half
    integers, and the border is mirrored
    """
    return upscale_with(image, scale, triangle, 1, back_project=back_project)
