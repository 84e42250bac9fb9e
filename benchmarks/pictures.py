"""A photograph of any size for measuring speed: one that scikit-image carries, repeated in mirror images."""

from __future__ import annotations

import numpy as np
import skimage.data
from numpy.typing import NDArray


def photograph(megapixels: float) -> NDArray[np.uint8]:
    """Give a square (H, W, 3) uint8 photograph."""
    photo = skimage.data.coffee()
    side = round((megapixels * 1e6) ** 0.5)
    tall, wide = (-(-side // n) for n in photo.shape[:2])
    margins = ((0, (tall - 1) * photo.shape[0]), (0, (wide - 1) * photo.shape[1]), (0, 0))
    return np.ascontiguousarray(np.pad(photo, margins, "symmetric")[:side, :side])
