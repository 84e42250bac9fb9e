"""Two images become one, and so do their labels: mix-up and CutMix. Each gives the image and its label's weight.

Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.
Yun, Han, Oh, Chun, Choe and Yoo, "CutMix", ICCV 2019. Deviation: the rectangle lies inside the image.
"""

from __future__ import annotations

import math

import numpy as np

from anew.arrays import Image, luminance


def mixup(image: Image, other: Image, *, weight: float) -> tuple[Image, float]:
    """Average:  weight * image + (1 - weight) * other,  and the labels likewise."""
    share = np.float32(weight)
    return share * image + (1 - share) * fitted(other, image.shape), weight


def cutmix(image: Image, other: Image, *, weight: float, x: float, y: float) -> tuple[Image, float]:
    """Paste a rectangle of the other image at the same place; the label's weight is the area that stays.

    Parameters
    ----------
    image, other : (H, W, C) float32 arrays
    weight : float in [0, 1]
        The area to keep; the sides of the rectangle are sqrt(1 - weight) of the image's, in whole pixels.
    x, y : float in [0, 1]
        Where in the room that is left: 0 left or top, 1 right or bottom.
    """
    height, width = image.shape[:2]
    h, w = (round(side * math.sqrt(1 - weight)) for side in (height, width))
    top, left = round(y * (height - h)), round(x * (width - w))
    result = image.copy()
    result[top : top + h, left : left + w] = fitted(other, image.shape)[top : top + h, left : left + w]
    return result, 1 - h * w / (height * width)


def fitted(other: Image, shape: tuple[int, ...]) -> Image:
    """Give the other image the size and channels of the first."""
    import cv2

    height, width, channels = shape
    if other.shape[2] != channels:
        other = np.repeat(other, 3, axis=2) if channels == 3 else luminance(other)[:, :, None]
    if other.shape[:2] == (height, width):
        return other
    smaller = height * width < other.shape[0] * other.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(other), (width, height), interpolation=method)
    return np.asarray(resized, np.float32).reshape(shape)
