"""A small copy of an image, for what is told by its statistics."""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image


def small_copy(image: Image, side: int = 512) -> Image:
    """Give the image reduced by area averaging to at most ``side`` pixels a side: statistics need no more."""
    factor = side / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    channels = np.atleast_3d(image)
    reduced = [cv2.resize(channels[:, :, c], size, interpolation=cv2.INTER_AREA) for c in range(channels.shape[2])]
    return np.asarray(np.stack(reduced, axis=2), np.float32).reshape(size[1], size[0], *image.shape[2:])
