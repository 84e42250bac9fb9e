"""Means over Gaussian neighbourhoods of which only some pixels count (Knutsson and Westin, CVPR 1993)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask


def mean_where(values: NDArray[np.float32], where: Mask, sigma: float) -> Image:
    """Average an (H, W) image over Gaussian neighbourhoods, counting only the pixels of an (H, W) mask."""
    weight = where.astype(np.float32)
    total = cv2.GaussianBlur(weight, (0, 0), sigma)
    return np.asarray(cv2.GaussianBlur(values * weight, (0, 0), sigma) / np.maximum(total, 1e-6), np.float32)


def untouched(mask: Mask) -> Mask:
    """Tell which pixels are neither in an (H, W) mask nor beside it."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
