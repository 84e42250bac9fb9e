"""Whether a picture is printed in a screen: dots on a lattice, as halftones of newspapers and of offset prints have it.

What is brighter than its surroundings repeats then at the steps of the lattice, so that its autocorrelation has high
peaks in two directions.
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, luminance
from anew.structure.repetition import autocorrelation

SAMPLE = 512  # pixels a side, of the middle
LEAST_SIDE = 64  # pixels; on less a few dots agree by chance
LEAST_STEP, MOST_STEP = 2.9, 32  # pixels from dot to dot
# Of 60 photographs none has such peaks in two directions, as they are and as JPEG of quality 4 and 10; halftones of 6
# pixels have 0.7, colour halftones of 3.5 pixels 0.5, a drawn comic 0.13.
LEAST_PEAK = 0.3
LEAST_RISE = 0.05  # over all that lies two pixels away; the crests that parallel lines make have none
LEAST_SINE = 0.5  # of the angle between two directions
AROUND = np.pad(np.zeros((3, 3), np.uint8), 1, constant_values=1)


def is_screened(image: Image) -> bool:
    """Tell whether an (H, W) or (H, W, C) image is made of dots on a lattice."""
    return lattice_strength(image) >= LEAST_PEAK


def lattice_strength(image: Image) -> float:
    """Measure how well an image repeats at two steps of a lattice.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array

    Returns
    -------
    float in [0, 1]
        The highest peak of the autocorrelation in one direction, or in another if that is lower; 0 without peaks.
    """
    y = luminance(image)
    top, left = (max(0, (side - SAMPLE) // 2) for side in y.shape)
    y = np.ascontiguousarray(y[top : top + SAMPLE, left : left + SAMPLE])
    if min(y.shape) < LEAST_SIDE:
        return 0.0
    size = (MOST_STEP + 1, MOST_STEP + 1)
    bright = (y > cv2.blur(y, size)).astype(np.float32)
    correlation = autocorrelation(bright - np.asarray(cv2.blur(bright, size), np.float32), MOST_STEP)
    down, right = np.mgrid[-MOST_STEP : MOST_STEP + 1, -MOST_STEP : MOST_STEP + 1]
    step = np.hypot(down, right)
    peaks = correlation - cv2.dilate(correlation, AROUND) > LEAST_RISE
    peaks &= (correlation == cv2.dilate(correlation, np.ones((3, 3)))) & (step > LEAST_STEP) & (step < MOST_STEP)
    heights, down, right, step = correlation[peaks], down[peaks], right[peaks], step[peaks]
    if len(heights) == 0:
        return 0.0
    best = int(np.argmax(heights))
    sine = np.abs(down[best] * right - right[best] * down) / (step[best] * step)
    strength = float(heights[sine > LEAST_SINE].max(initial=0.0))
    return min(strength, 1.0)  # fewer pairs at a lag than at none may agree by a thousandth better
