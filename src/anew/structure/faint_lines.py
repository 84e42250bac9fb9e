"""Lines that are too faint or too broken to be followed, told by sums along them.

In a map of how likely each pixel belongs to a line, noise and texture are high here and there; along a line, and not
beside it, the mean over a long reach is. The map is turned by many angles and averaged along its rows, which samples
short pieces of its Radon transform (Toft, "The Radon Transform", 1996).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Mask

SIDE = 400  # pixels; maps of a larger square root of the area are reduced to it
LONGEST = 1600  # pixels; so are maps of a longer side, as they are turned on a square
REACH = 41  # pixels along a line
GAP = 2  # pixels from a line to its surroundings, on both sides
LEAST = 0.25  # by how much the mean along a line must exceed those beside it
DIRECTIONS = 24  # over half a turn


@dataclass(frozen=True)
class FaintLines:
    """Where lines run.

    Attributes
    ----------
    mask : (H, W) bool array
        What lies within the reach of a line.
    total : float
        Length of the lines, summed over the directions in which each is seen, relative to the square root of the area.
    """

    mask: Mask
    total: float


def find_faint_lines(probability: NDArray[np.float32]) -> FaintLines:
    """Find lines in a map of probabilities.

    Parameters
    ----------
    probability : (H, W) float32 array in [0, 1]

    Returns
    -------
    FaintLines
    """
    height, width = probability.shape
    scale = min(1.0, SIDE / math.sqrt(height * width), LONGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(probability, size, interpolation=cv2.INTER_AREA) if scale < 1 else probability
    side = math.ceil(math.hypot(*small.shape))  # has room for the map at any angle
    seen, total = np.zeros(small.shape, np.float32), 0
    for angle in np.arange(DIRECTIONS) * 180 / DIRECTIONS:
        turn = cv2.getRotationMatrix2D(((small.shape[1] - 1) / 2, (small.shape[0] - 1) / 2), float(angle), 1.0)
        turn[:, 2] += [(side - small.shape[1]) / 2, (side - small.shape[0]) / 2]
        along = cv2.blur(cv2.warpAffine(small, turn, (side, side)), (REACH, 1), borderType=cv2.BORDER_CONSTANT)
        beside = np.zeros_like(along)
        beside[GAP:] = along[:-GAP]
        beside[:-GAP] = np.maximum(beside[:-GAP], along[GAP:])
        on_line = (along - beside > LEAST).astype(np.float32)
        if not on_line.any():
            continue
        total += int(on_line.sum())
        reached = cv2.dilate(on_line, np.ones((3, REACH), np.uint8))
        back = cv2.warpAffine(reached, turn, small.shape[::-1], flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
        np.maximum(seen, back, out=seen)
    whole = cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR) if scale < 1 else seen
    return FaintLines(np.asarray(whole > 0.5), total / math.sqrt(small.size))
