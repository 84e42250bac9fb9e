"""Lanczos interpolation: a sinc windowed to three lobes.

Duchon, Lanczos filtering in one and two dimensions, J. Applied Meteorology 18 (1979).
"""

from __future__ import annotations

from anew.arrays import Image
from anew.options import Positive, checked_arguments
from anew.resampling import lanczos3, upscale_with


@checked_arguments
def upscale_lanczos(image: Image, scale: Positive, *, back_project: bool = True) -> Image:
    """Enlarge by the Lanczos kernel sinc(t) sinc(t / 3).

    Use it where nothing may be invented (measurements, documents for evidence), or for pictures unlike photographs.
    Shrinking the result gives the input back.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    scale : float > 0
        Below 1 it shrinks, antialiased by a stretched kernel.
    back_project : bool
        Where it enlarges: correct the result so that MATLAB-style bicubic shrinking gives the input back,
        which gains 0.4 to 0.9 dB. False is plain Lanczos.

    Returns
    -------
    (round(H * scale), round(W * scale)) or (..., C) float32 array, at least 1 x 1; pixel centres lie at half
    integers, and the border is mirrored
    """
    return upscale_with(image, scale, lanczos3, 3, back_project=back_project)
