"""How opaque what lies over a picture is: the compositing equation, solved for alpha.

Where paint P covers a background B by alpha, the picture shows alpha P + (1 - alpha) B (Porter and Duff, "Compositing
digital images", SIGGRAPH 1984). The background is what stands beside the covered pixels; the paint is white where they
are brighter than that, and black where they are darker.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.structure.masked_mean import mean_where, untouched

BESIDE = 4.0  # pixels: standard deviation of the weights of what stands beside
AROUND = 10.0  # pixels: of the weights of what is covered, over which the opacity is averaged
LEAST_ROOM = 0.05  # from background to paint, in units of the range


def estimate_opacity(image: Image, mask: Mask, *, unit: float = 1.0) -> NDArray[np.float32]:
    """Tell how opaque what covers a picture is, around every covered pixel.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    mask : (H, W) bool array
        What is covered.
    unit : float > 0
        By which the distances above are multiplied.

    Returns
    -------
    (H, W) float32 array, 0 where nothing is covered
    """
    value = np.clip(np.atleast_3d(image).mean(axis=2), 0, 1)
    beside = mean_where(value, untouched(mask), BESIDE * unit)
    difference = value - beside
    room = np.maximum(np.where(difference > 0, 1 - beside, beside), LEAST_ROOM)
    opacity = mean_where(np.abs(difference), mask, AROUND * unit) / np.maximum(
        mean_where(room, mask, AROUND * unit), LEAST_ROOM
    )
    return np.where(mask, opacity, 0).astype(np.float32)
