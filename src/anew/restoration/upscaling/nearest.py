"""Nearest-neighbour interpolation: repeat pixels, make no new values.

Gonzalez and Woods, Digital Image Processing, section 2.4.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image
from anew.options import Positive, checked_arguments
from anew.resampling import output_shape


@checked_arguments
def upscale_nearest(image: Image, scale: Positive) -> Image:
    """Enlarge by taking the nearest pixel.

    Use it for labels, masks, pixel art and QR codes, where no new value may appear.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    scale : float > 0
        Below 1 it drops pixels; there is no antialiasing, since every value of the result is one of the input.

    Returns
    -------
    (round(H * scale), round(W * scale)) or (..., C) float32 array, at least 1 x 1; pixel centres lie at half integers
    """
    shape = output_shape(image.shape, scale)
    rows, columns = (
        np.minimum(((np.arange(n_out) + 0.5) * n_in / n_out).astype(np.int64), n_in - 1)
        for n_in, n_out in zip(image.shape, shape, strict=False)
    )
    return np.ascontiguousarray(image[rows][:, columns])
