"""Adaptive median filter: replaces impulses only, with a window that grows until its median is none.

Hwang and Haddad, Adaptive median filters: new algorithms and results, IEEE TIP 4 (1995), algorithm RAMF. Deviation: an
extreme pixel counts as an impulse only if it also stands off from the median by more than a threshold, so that the
lightest and darkest pixels of ordinary texture are kept.
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, per_channel
from anew.options import NotNegative, Window, checked_arguments
from anew.restoration.denoising.median import denoise_median

THRESHOLD_FACTOR = 3.0
THRESHOLD_BOUNDS = (0.03, 0.12)


@checked_arguments
def denoise_adaptive_median(
    image: Image, sigma: NotNegative, *, max_size: Window = 9, threshold: NotNegative | None = None
) -> Image:
    """Replace impulses by a median; every other pixel stays bit-identical.

    Use it for salt and pepper, dead and stuck pixels, up to more than half of the picture. It does nothing against
    grain.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1]; it chooses ``threshold``. 0 changes nothing
        unless a threshold is given.
    max_size : odd int >= 3
        Side of the largest window in pixels: 5 mends up to about 20% of impulses, 7 up to 50%, 9 up to 70%.
    threshold : float >= 0, optional
        How far an impulse stands off from the median around it, in units of the range [0, 1]; 0 is the published
        filter. Default: ``3 sigma``, kept between 0.03 and 0.12.

    Returns
    -------
    float32 array of the same shape; the edge pixel is repeated outside the border
    """
    if threshold is None:
        if sigma == 0:
            return image.copy()
        threshold = float(np.clip(THRESHOLD_FACTOR * sigma, *THRESHOLD_BOUNDS))
    stand_off = np.float32(threshold)
    return per_channel(lambda x: _replace_impulses(x, max_size, stand_off), image)


def _replace_impulses(x: Image, max_size: int, stand_off: np.float32) -> Image:
    result = x.copy()
    undecided = np.ones(x.shape, bool)
    for side in range(3, max_size + 1, 2):
        window = np.ones((side, side), np.uint8)
        low = cv2.erode(x, window, borderType=cv2.BORDER_REPLICATE).reshape(x.shape)
        high = cv2.dilate(x, window, borderType=cv2.BORDER_REPLICATE).reshape(x.shape)
        middle = denoise_median(x, 0.0, size=side)
        usable = (low < middle) & (middle < high)  # level A: the median itself is no impulse
        if side == max_size:
            usable[:] = True
        decided = undecided & usable
        extreme = (x <= low) | (x >= high)  # level B
        impulse = decided & extreme & (np.abs(x - middle) > stand_off)
        result[impulse] = middle[impulse]
        undecided &= ~usable
        if not undecided.any():
            break
    return result
