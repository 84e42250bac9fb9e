"""Self-ensemble: the mean of what a network makes of an image turned and mirrored, each turned back.

A network is not quite the same for a picture and its mirror image, and where its errors differ, their mean is smaller
(Timofte, Rothe and Van Gool, "Seven ways to improve example-based single image super resolution", CVPR 2016).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Literal

import numpy as np

from anew.arrays import Image

Ensemble = Literal[1, 2, 4, 8]
MIRRORED = ((), (0, 1), (0,), (1,))  # along which axes


def self_ensemble(run: Callable[[Image], Image], image: Image, size: Ensemble) -> Image:
    """Average a function of an image over the symmetries of the square.

    Parameters
    ----------
    run : function of an image
        What it gives may be larger, in the same proportion.
    image : (H, W) or (H, W, C) float32 array
    size : {1, 2, 4, 8}
        1: as it is; 2: turned by 180 degrees too; 4: mirrored along either axis too; 8: all of these, transposed too.

    Returns
    -------
    float32 array
    """
    if size == 1:
        return run(image)
    if size == 8:
        straight = self_ensemble(run, image, 4)
        return (straight + self_ensemble(run, image.swapaxes(0, 1), 4).swapaxes(0, 1)) / np.float32(2)

    def turned_back(axes: tuple[int, ...]) -> Image:
        return np.flip(run(np.ascontiguousarray(np.flip(image, axes))), axes)

    return reduce(np.add, map(turned_back, MIRRORED[:size])) / np.float32(size)
