"""Whether a coloured picture has but the few colours of a palette, as GIF files and small PNG files hold it.

Dither scatters these colours over it, which looks like noise and impulses, and makes flat areas of exactly one colour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SAMPLE = 30_000  # pixels
LEAST_COLOURS = 300  # in the sample; a palette has up to 256
FEWEST_PIXELS = 5000  # a smaller sample has few colours anyhow


def has_palette(pixels: NDArray[Any]) -> bool:
    """Tell whether (..., C) pixels have few colours; false if they are grey, or too few to tell."""
    flat = pixels.reshape(-1, pixels.shape[-1])
    some = flat[:: max(1, len(flat) // SAMPLE)]
    if len(some) < FEWEST_PIXELS or (some == some[:, :1]).all():
        return False
    return len(np.unique(some, axis=0)) < LEAST_COLOURS
