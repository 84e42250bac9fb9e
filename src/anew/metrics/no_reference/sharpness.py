"""Sharpness: how much of the detail a further blur would take away."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from anew.arrays import luminance
from anew.metrics.error import as_pair

BLUR_LENGTH = 9  # pixels of the box that blurs again, as in the paper


def sharpness(image: ArrayLike) -> float:
    """Sharpness as the loss of gradient under a further blur; 1 is sharpest.

    Luma (BT.601 weights for 3 channels); along rows and along columns the differences of neighbours before and after
    a box blur of 9 pixels are compared: ``1 - sum(max(0, d - d_blurred)) / sum(d)`` is the paper's blur, in [0, 1],
    and the sharpness is one minus the larger of the two. It does not depend on the range or the contrast. Noise
    counts as detail: compare it with the noise at hand.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, at least 12 pixels a side, of any dtype and range (computed in float64)
        The outer 4 pixels, where the blur has no full window, are left out.

    Returns
    -------
    float in [0, 1]; 0 for a flat image

    References
    ----------
    Crete, Dolmiere, Ladret and Nicolas, SPIE 6492 (2007), equations 1-6.
    """
    from scipy.ndimage import uniform_filter1d

    x = luminance(as_pair(image, image)[0])
    if min(x.shape) < BLUR_LENGTH + 3:
        raise ValueError(f"sharpness needs at least {BLUR_LENGTH + 3} pixels a side, got {x.shape[0]} x {x.shape[1]}")
    inner = slice(BLUR_LENGTH // 2, -(BLUR_LENGTH // 2))
    losses = []
    for axis in (0, 1):
        before = np.abs(np.diff(x, axis=axis))[inner, inner]
        after = np.abs(np.diff(uniform_filter1d(x, BLUR_LENGTH, axis=axis), axis=axis))[inner, inner]
        total = before.sum()
        losses.append(float(np.maximum(0, before - after).sum() / total) if total > 0 else None)
    known = [loss for loss in losses if loss is not None]  # along a flat axis nothing can be told
    return min(known) if known else 0.0
