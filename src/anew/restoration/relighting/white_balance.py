"""Remove a colour cast.

Grey-edge with shades of grey (van de Weijer, Gevers and Gijsenij, IEEE TIP 16, 2007): in a Minkowski mean, the
differences between neighbouring pixels are grey on average, so their colour is the light's; each channel is divided by
it (von Kries). Of order zero, the values themselves are (shades of grey, Finlayson and Trezzi, 2004). The Minkowski
norm and the scale of the derivative are those of their equation 14. Under a power-law encoding a gain stays a gain, so
the encoded values are used as they are. Deviation: only what both orders agree on is taken out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import LARGEST, Image, as_numbers, luminance
from anew.options import Fraction, checked_arguments
from anew.small_copy import small_copy

MINKOWSKI = 6
SCALE = 1.0  # pixels of the small copy; the Gaussian under the derivative
TOLERANCE = 2.0  # degrees from grey; the method is no better than that, so that much is left alone
MAX_GAIN = 2.0
MIN_PIXELS = 16
SATURATED = 0.98  # a clipped pixel tells nothing about the light


@checked_arguments
def relight_white_balance(
    image: Image, *, gains: ArrayLike | Sequence[float] | None = None, strength: Fraction = 1.0
) -> Image:
    """Make greys grey.

    Use it for pictures too yellow, too blue or too green. A picture that is of one colour by nature (a sunset, a
    meadow) needs a low ``strength``.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1]
        With one channel there is no colour and nothing to do.
    gains : (C,) array of numbers > 0, at most 1,000,000, optional
        One factor per channel; estimated if not given.
    strength : float in [0, 1]
        How much of the cast to remove.

    Returns
    -------
    float32 array of the same shape
    """
    channels = 1 if image.ndim == 2 else image.shape[2]
    factors = estimate_gains(image) if gains is None else as_numbers("gains", gains, "numbers above 0, one per channel")
    if factors.shape != (channels,) or not ((factors > 0) & (factors <= LARGEST)).all():
        wanted = f"{channels} numbers above 0, at most {LARGEST:,.0f}, one per channel"
        raise ValueError(f"gains must be {wanted}, got {factors.tolist()}")
    if channels < 2 or (factors == 1).all():
        return image.copy()
    return np.asarray(image * (factors**strength).astype(np.float32), np.float32)


def estimate_gains(image: Image) -> NDArray[np.float64]:
    """Give the (C,) gains that take the light's colour out and leave the luminance of grey as it is.

    Where the means of the values and of the differences contradict each other, the nearer to grey counts.
    """
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels < 2:
        return np.ones(channels)
    of_values, of_edges = (np.log(_beyond_tolerance(estimate_light(image, order=order))) for order in (0, 1))
    agreed = np.where(of_values * of_edges > 0, np.sign(of_values) * np.minimum(abs(of_values), abs(of_edges)), 0)
    light = np.exp(agreed)
    light /= luminance(light.astype(np.float32).reshape(1, 1, -1)).item()
    return np.asarray(np.clip(1 / light, 1 / MAX_GAIN, MAX_GAIN), np.float64)


def estimate_light(image: Image, *, order: int = 1) -> NDArray[np.float64]:
    """Give the (C,) colour of the light, mean 1: shades of grey (order 0) or grey-edge (order 1)."""
    small = np.clip(small_copy(image), 0, 1)
    usable = (small.max(axis=2) < SATURATED).astype(np.uint8)
    usable = np.asarray(cv2.erode(usable, np.ones((5, 5), np.uint8))) > 0
    energy = np.zeros(image.shape[2])
    for c in range(image.shape[2]):
        values = cv2.GaussianBlur(np.ascontiguousarray(small[:, :, c], np.float32), (0, 0), SCALE)
        if order == 1:
            values = np.hypot(cv2.Sobel(values, cv2.CV_32F, 1, 0), cv2.Sobel(values, cv2.CV_32F, 0, 1))
        if usable.sum() >= MIN_PIXELS:
            energy[c] = np.mean(values[usable].astype(np.float64) ** MINKOWSKI) ** (1 / MINKOWSKI)
    if energy.min() < 1e-4:  # a channel that shows nothing tells nothing
        return np.ones(image.shape[2])
    return np.asarray(energy / energy.mean())


def _beyond_tolerance(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move the colour of the light towards grey by the angle that the estimate may be off."""
    angle = math.degrees(math.acos(min(light.sum() / (math.sqrt(len(light)) * np.linalg.norm(light)), 1.0)))
    return 1 + (light - 1) * max(0.0, 1 - TOLERANCE / max(angle, 1e-9))
