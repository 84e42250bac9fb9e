"""Cubic convolution with a = -1/2, as MATLAB's ``imresize`` does it.

Keys, Cubic convolution interpolation for digital image processing, IEEE TASSP 29 (1981).
"""

from __future__ import annotations

from anew.arrays import Image
from anew.options import Positive, checked_arguments
from anew.resampling import cubic, upscale_with


@checked_arguments
def upscale_bicubic(image: Image, scale: Positive, *, back_project: bool = False) -> Image:
    """Enlarge by cubic convolution.

    Use it for what other programs do, or as the baseline.

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
    return upscale_with(image, scale, cubic, 2, back_project=back_project)
