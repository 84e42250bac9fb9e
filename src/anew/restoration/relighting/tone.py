"""Change the luminance of a picture and let its colours follow: what every relighting method shares."""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, luminance

TINY = np.float32(1e-6)


def with_luminance(image: Image, new: Image) -> Image:
    """Give the image another luminance and keep hue and saturation.

    The channels are scaled alike. Where that would push one above 1, the colour is mixed with grey of the new
    luminance until it fits: brightness is right everywhere, and only colours that do not exist lose saturation.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    new : (H, W) float32 array
        The luminance that it shall have.

    Returns
    -------
    float32 array of the shape of ``image``
    """
    if image.ndim == 2:
        return new
    old = luminance(image)
    ratio = np.where(old > TINY, new / np.maximum(old, TINY), np.float32(1))[:, :, np.newaxis]
    lift = np.where(old > TINY, np.float32(0), new - old)[:, :, np.newaxis]  # black has no hue to keep
    scaled = image * ratio + lift
    top = scaled.max(axis=2, keepdims=True)
    grey = new[:, :, np.newaxis]
    limit = np.maximum(image.max(axis=2, keepdims=True), 1)
    keep = np.where(top > limit, np.maximum(limit - grey, 0) / np.maximum(top - grey, TINY), np.float32(1))
    return np.asarray(grey + (scaled - grey) * np.minimum(keep, 1), np.float32)
