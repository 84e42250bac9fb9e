"""Which values of a picture are its black, its white and its mid-tone.

Gonzalez and Woods, Digital Image Processing, section 3.2: a curve stretches the levels to the range, and a power law
sets the mid-tone.
"""

from __future__ import annotations

import math

import numpy as np

from anew.arrays import Image, across_channels, luminance
from anew.small_copy import pick_pixels, small_copy

TAIL = 0.1  # percent of the pixels that may lie beyond black and white
LEAST_RANGE = 1 / 8  # from black to white
MID_TONE = (0.3, 0.65)  # a median in between is well exposed and stays
GAMMA_RANGE = (0.45, 2.0)


def estimate_levels(image: Image) -> tuple[float, float]:
    """Give black and white of an image: what 0.1% of the pixels lie beyond in some channel; at least 1/8 apart."""
    pixels = pick_pixels(image)
    black = float(np.percentile(across_channels(np.minimum, pixels), TAIL))
    white = float(np.percentile(across_channels(np.maximum, pixels), 100 - TAIL))
    black, white = min(max(black, 0.0), 1.0), max(min(white, 1.0), 0.0)
    if white - black < LEAST_RANGE:  # next to nothing is shown: leave it flat rather than show its noise
        return 0.0, 1.0
    return black, white


def estimate_gamma(image: Image) -> float:
    """Give the exponent that brings the median luminance into the well-exposed range."""
    median = float(np.clip(np.median(luminance(small_copy(image))), 1e-3, 1 - 1e-3))
    target = min(max(median, MID_TONE[0]), MID_TONE[1])
    if target == median:
        return 1.0
    return min(max(math.log(target) / math.log(median), GAMMA_RANGE[0]), GAMMA_RANGE[1])
