"""What is left of the range of each channel of a print whose dyes have faded.

Gschwind and Frey, J. Imaging Science and Technology 38 (1994): each dye loses its own share, and the base gets stained,
so each channel has its own range left between the print's darkest and lightest places, which are taken as neutral. A
power per channel brings the mid-tones of the channels nearer to each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.small_copy import small_copy

TAIL = 0.3  # percent of the pixels that are the darkest and the lightest places
LEAST_WHITE = 0.65  # of the brightest channel; a stronger tint is the scene's, not the paper's
MIN_RANGE = 0.15  # a channel with less left is stretched as if it had this much
GAMMA_RANGE = (0.6, 1.4)
KEEP_TONE = 0.35  # stretching darkens what was lifted; the mid-tone goes back this far to where it was
MID_SHARE = 0.25  # how far the mid-tones of the channels are brought together: the scene may have a colour of its own


@dataclass(frozen=True)
class PrintRange:
    """What is left of each channel: (C,) arrays of the darkest and lightest value and of the mid-tone power."""

    black: NDArray[np.float64]
    white: NDArray[np.float64]
    gamma: NDArray[np.float64]


def estimate_range(image: Image) -> PrintRange:
    """Find the colours of the darkest and lightest places and the powers that bring the mid-tones together."""
    small = small_copy(image)
    grey = luminance(small)
    planes = np.atleast_3d(small).astype(np.float64)
    dark, light = (grey <= np.percentile(grey, TAIL)), (grey >= np.percentile(grey, 100 - TAIL))
    black, white = np.median(planes[dark], axis=0), np.median(planes[light], axis=0)
    black, white = np.clip(black, 0, 1), np.clip(white, LEAST_WHITE * min(white.max(), 1), 1)
    missing = np.maximum(MIN_RANGE - (white - black), 0)
    black, white = black - missing / 2, white + missing / 2
    before = np.median(planes, axis=(0, 1))
    middle = np.clip((before - black) / (white - black), 0.05, 0.95)
    tone = middle.mean() ** (1 - KEEP_TONE) * np.clip(before.mean(), 0.05, 0.95) ** KEEP_TONE
    common = tone**MID_SHARE * (middle * tone / middle.mean()).clip(0.02, 0.98) ** (1 - MID_SHARE)
    gamma = np.clip(np.log(common) / np.log(middle), *GAMMA_RANGE)
    return PrintRange(black, white, gamma)
