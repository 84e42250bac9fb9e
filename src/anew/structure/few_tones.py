"""Whether a picture has but a few tones, far apart: two values, dither, posters, bare drawings.

Noise, blur, compression and changed light give values between the tones, so such a picture shows none of them; what
they look like in it, the dots of dither above all, is its content.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask, same_colour

MOST_TONES = 8
# Of the pixels; the rest may be antialiased. Of 60 photographs, grey and in colour, with noise, underexposed, with half
# of them a hole, none has more than 0.82 in eight tones, compressed as JPEG of quality 5 none more than 0.87. Four
# times too bright every fiftieth passes: nearly all of it is black and white.
LEAST_SHARE = 0.995
# The largest difference of the channels; the few values of a very dark photograph are neighbours. 16 levels of 8 bits
# count whatever the rounding.
APART = 15.5 / 255
SAMPLE, GLANCE = 30_000, 1000  # pixels
# Of neighbours in a row: 60 dithered photographs of two tones have at most 0.74, two pages at least 0.91.
LEAST_ALIKE = 0.8


def has_few_tones(image: Image, seen: Mask) -> bool:
    """Tell whether what is seen of an image has at most eight colours, far apart.

    Parameters
    ----------
    image : (H, W, C) float32 array
    seen : (H, W) bool array
    """
    counts = _count_colours(image, seen, GLANCE)[1]
    if not 0 < len(counts) <= GLANCE // 10:
        return False
    colours, counts = _count_colours(image, seen, SAMPLE)
    order = np.argsort(counts)[::-1][:MOST_TONES]
    covered = np.cumsum(counts[order]) >= LEAST_SHARE * counts.sum()
    if not covered.any():
        return False
    tones = colours[order[: int(np.argmax(covered)) + 1]]
    distance = np.abs(tones[:, np.newaxis] - tones).max(axis=2)
    return bool((distance[~np.eye(len(tones), dtype=bool)] >= APART).all())


def is_dithered(image: Image) -> bool:
    """Tell whether an (H, W, C) image of few tones mixes them pixel by pixel to others, as dither and screens do."""
    rows = image[:: max(1, image[:, :, 0].size // SAMPLE)]
    return bool(same_colour(rows[:, 1:], rows[:, :-1]).mean() < LEAST_ALIKE) if rows.shape[1] > 1 else False


def _count_colours(image: Image, seen: Mask, number: int) -> tuple[Image, NDArray[np.intp]]:
    """Give the colours of about so many pixels, and how many have each."""
    step = max(1, seen.size // number)
    some = image.reshape(-1, image.shape[2])[::step][seen.ravel()[::step]]
    return np.unique(some, axis=0, return_counts=True)
