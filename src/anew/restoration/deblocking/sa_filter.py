"""Smooth block borders only, adaptively.

After List, Joch, Lainema, Bjontegaard and Karczewicz, Adaptive deblocking filter, IEEE TCSVT 13 (2003), the filter of
H.264, on the 8 x 8 grid of JPEG. A step across a border counts as an artefact if it is smaller than the quantiser can
have made it and larger than the activity on its two sides; a real edge is left alone.

Deviations: the thresholds follow from the quantisation table instead of a table of their own; the longer taps, theirs
for blocks coded within the picture, may be taken at every border. As there, they need flat sides and a step below a
quarter of the threshold and two grey levels more: on classic5 at quality 10 and 20 that gives 28.28 and 30.32 dB, flat
sides alone 28.18 and 30.29.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.options import Positive, Quality, checked_arguments
from anew.restoration.deblocking.jpeg_planes import on_jpeg_planes

ALPHA, BETA = 1.0, 0.25  # of the mean quantisation step of the lowest frequencies: step across, activity beside
STRONG_SHARE, STRONG_OFFSET = 1 / 4, 2 / 255  # of alpha, and added to it: steps below that may get the longer taps


@checked_arguments
def deblock_sa_filter(image: Image, quality: Quality, *, strength: Positive = 1.0) -> Image:
    """Low-pass across the borders of 8 x 8 blocks.

    Use it for many or moving pictures at low cost: only the borders of blocks change. Ringing inside the blocks stays.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
        Decoded, with the block grid starting at its top left corner.
    quality : int in [1, 100]
        On the scale of libjpeg.
    strength : float > 0
        Factor of the step across a border up to which it counts as an artefact.

    Returns
    -------
    float32 array of the same shape; pixels more than 3 away from a border between blocks are unchanged
    """

    def deblock(plane: Image, table: NDArray[np.float32]) -> Image:
        q = float(table[:3, :3].mean()) * strength
        across = _filter_vertical_borders(plane, ALPHA * q, BETA * q)
        return np.ascontiguousarray(_filter_vertical_borders(across.T, ALPHA * q, BETA * q).T)

    return on_jpeg_planes(image, quality, deblock)


def _filter_vertical_borders(plane: Image, alpha: float, beta: float) -> Image:
    """Filter across the borders between columns 7 | 8, 15 | 16, ...; section III of the paper, in floating point."""
    first = np.arange(8, plane.shape[1] - 3, 8)
    out = plane.copy()
    if first.size == 0:
        return out
    p3, p2, p1, p0, q0, q1, q2, q3 = (plane[:, first + k] for k in range(-4, 4))
    gap = np.abs(p0 - q0)
    filtered = (gap < alpha) & (np.abs(p1 - p0) < beta) & (np.abs(q1 - q0) < beta)
    small = filtered & (gap < STRONG_SHARE * alpha + STRONG_OFFSET)
    flat_p, flat_q = small & (np.abs(p2 - p0) < beta), small & (np.abs(q2 - q0) < beta)
    # equations (14) to (16): five, four and five taps where the step is small and the side flat, else (17): three
    new_p0 = np.where(flat_p, (p2 + 2 * p1 + 2 * p0 + 2 * q0 + q1) / 8, (2 * p1 + p0 + q1) / 4)
    new_q0 = np.where(flat_q, (p1 + 2 * p0 + 2 * q0 + 2 * q1 + q2) / 8, (2 * q1 + q0 + p1) / 4)
    out[:, first - 1] = np.where(filtered, new_p0, p0)
    out[:, first] = np.where(filtered, new_q0, q0)
    out[:, first - 2] = np.where(flat_p, (p2 + p1 + p0 + q0) / 4, p1)
    out[:, first + 1] = np.where(flat_q, (p0 + q0 + q1 + q2) / 4, q1)
    out[:, first - 3] = np.where(flat_p, (2 * p3 + 3 * p2 + p1 + p0 + q0) / 8, p2)
    out[:, first + 2] = np.where(flat_q, (2 * q3 + 3 * q2 + q1 + q0 + p0) / 8, q2)
    return out
