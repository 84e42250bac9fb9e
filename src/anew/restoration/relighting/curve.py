"""Set black, white and mid-tone of a picture with one curve.

Gonzalez and Woods, Digital Image Processing, section 3.2: the levels are stretched to the range and a power law sets
the mid-tone. The curve acts on luminance, colours follow. Deviation: the power law has a finite slope at black, so that
the noise of shadows is not amplified without bound.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from anew.arrays import Image, luminance
from anew.diagnosis.levels import estimate_gamma, estimate_levels
from anew.options import checked_arguments
from anew.restoration.relighting.tone import with_luminance

LEAST_GAMMA, LARGEST_GAMMA = 1e-3, 1e3  # beyond, float32 cannot tell the levels of the curve apart
Gamma = Annotated[float, Ge(LEAST_GAMMA), Le(LARGEST_GAMMA)]
TOE = 0.02  # the power law is shifted by this much: slope at black <= gamma * TOE ** (gamma - 1)


@checked_arguments
def relight_curve(
    image: Image, *, black: float | None = None, white: float | None = None, gamma: Gamma | None = None
) -> Image:
    """Stretch the levels and set the mid-tone.

    Use it for pictures too dark, too bright or too flat as a whole.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1]
    black, white : float, optional
        The values that become 0 and 1; if not given, 0.1% of the pixels lie beyond each of them in some channel, and
        come out below 0 or above 1.
    gamma : float in [0.001, 1000], optional
        Below 1 lightens; if not given, it brings the median of the luminance into [0.3, 0.65], and is 1 if it is there.

    Returns
    -------
    float32 array of the same shape
    """
    estimated = estimate_levels(image)
    low = estimated[0] if black is None else black
    high = estimated[1] if white is None else white
    if not low < high:
        raise ValueError(f"black must be below white, got black={low:g}, white={high:g}")
    stretched = (image - np.float32(low)) * np.float32(1 / (high - low))
    if gamma is None:
        gamma = estimate_gamma(stretched)
    if gamma == 1:
        return stretched if (low, high) != (0, 1) else image.copy()
    return with_luminance(stretched, power_curve(luminance(stretched), gamma))


def power_curve(x: Image, gamma: float) -> Image:
    """Give ((x + t)^gamma - t^gamma) / ((1 + t)^gamma - t^gamma): 0 to 0, 1 to 1; straight on below 0 and above 1."""
    toe = np.float32(TOE)
    inside = np.clip(x, 0, 1)
    low, high = TOE**gamma, (1 + TOE) ** gamma
    curved = ((inside + toe) ** np.float32(gamma) - np.float32(low)) * np.float32(1 / (high - low))
    return np.asarray(curved + (x - inside), np.float32)
