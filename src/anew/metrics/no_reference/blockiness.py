"""Blockiness: the step across the borders of 8 x 8 blocks beyond what the content explains."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import luminance
from anew.metrics.error import as_pair, check_data_range

BLOCK = 8
LEAST_SIDE = 4 * BLOCK
FLOOR = 0.25  # of 255; steps below a quarter of a grey level are not seen


def blockiness(image: ArrayLike, *, data_range: float) -> float:
    """How much steeper the borders of the JPEG blocks are than the places between them; 0 is best.

    Luma (BT.601 weights for 3 channels). For every pair of neighbours across columns (and rows), the second difference
    ``|x[i] - x[i+1] - (x[i-1] - x[i] + x[i+1] - x[i+2]) / 2|`` is the step that straight continuation does not explain.
    With B the median, over the block borders, of its mean along the border, and I the same of the other columns (or
    rows), the blockiness is ``max(0, B - I) / (I + 1/4 grey level)``, averaged over the two directions: the form of the
    generalised block-edge metric, with the median of columns in place of its masking weights.

    The grid starts at the top left pixel; cropping moves it away.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, at least 32 pixels a side, computed in float64
    data_range : float > 0
        255 for 8 bits, 1 for floats in [0, 1].

    Returns
    -------
    float >= 0; below about 0.1 there are no visible blocks

    References
    ----------
    Wu and Yuen, IEEE Signal Processing Letters 4 (1997).
    """
    check_data_range(data_range)
    x = luminance(as_pair(image, image)[0]) * (255 / data_range)
    if min(x.shape) < LEAST_SIDE:
        raise ValueError(f"blockiness needs at least {LEAST_SIDE} pixels a side, got {x.shape[0]} x {x.shape[1]}")
    return float(np.mean([_across_columns(x), _across_columns(x.T)]))


def _across_columns(x: NDArray[np.float64]) -> float:
    d = np.diff(x, axis=1)
    steps = np.abs(d[:, 1:-1] - (d[:, :-2] + d[:, 2:]) / 2)  # steps[:, j]: between columns j + 1 and j + 2
    columns = steps.mean(axis=0)
    at_border = (np.arange(len(columns)) + 2) % BLOCK == 0
    between, border = float(np.median(columns[~at_border])), float(np.median(columns[at_border]))
    return max(0.0, border - between) / (between + FLOOR)
