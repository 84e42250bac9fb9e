"""How much noise a picture had before it was compressed as JPEG.

Quantisation sets most coefficients of noise to zero and makes the others larger, so what is left is neither white nor
Gaussian, and estimators for such noise take it for texture. But its law before is known: coefficient i is N(0, sigma²)
in a block without texture, and is not zero after quantisation by step s_i with the probability 2 Q(s_i / 2 sigma). The
sigma that explains how many are not zero in the quietest blocks is the level (by the principle of Fan and de Queiroz,
IEEE TIP 12, 2003, who tell steps from known laws; here the steps are known). Blocks are chosen by one half of their
coefficients and judged by the other half, or the choice would make them look quieter than they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import LUMA, Image, luminance
from anew.diagnosis.jpeg import BLOCK, JpegTraces, block_dct, clipped_blocks
from anew.jpeg_tables import quantisation_table

QUIETEST = 0.15  # share of the blocks that are looked at
LOWEST = 2  # row plus column of the first coefficients that count: below it light and shade are never quiet
LEAST_BLOCKS = 30
LEVELS = np.geomspace(1.0, 120.0, 120)  # of 255
# Texture that is everywhere passes for noise, the more the coarser the steps: of 25 clean photographs at qualities 10,
# 30, 50 and 75, at most one each reaches this multiple of the root of the mean of the ten lowest steps.
LEAST_OF_STEPS = 4.6
REMAINING = 0.65  # of the level is what a denoiser should be told after deblocking; best on photographs, 0.04 to 0.2


def estimate_compressed_noise(image: Image, traces: JpegTraces) -> float:
    """Estimate the standard deviation of white noise in a picture before its compression.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1]
    traces : JpegTraces
        As found in it.

    Returns
    -------
    float >= 0
        In units of the range [0, 1], per channel; 0 if nothing of it is left or the image is too small to tell.
    """
    top, left = traces.offset
    inside = image[top:, left:]
    if min(inside.shape[:2]) < BLOCK:
        return 0.0
    steps = quantisation_table(traces.quality).astype(np.float64)
    y = luminance(inside) * np.float32(255)
    kept = np.abs(block_dct(y)) > 0.5 * steps  # the mean of a block, which encoders take less 128, does not count
    clipped = clipped_blocks(inside)
    kept = kept[~clipped] if np.mean(clipped) < 0.5 else kept
    if len(kept) * QUIETEST < LEAST_BLOCKS:
        return 0.0
    diagonal = np.add.outer(np.arange(BLOCK), np.arange(BLOCK))
    finite = steps < 2 * LEVELS[-1]
    choosing, judging = (finite & (diagonal >= LOWEST) & (diagonal % 2 == parity) for parity in (0, 1))
    quiet = np.argsort(kept[:, choosing].sum(axis=1), kind="stable")[: int(QUIETEST * len(kept))]
    level = _level(float(kept[quiet][:, judging].sum(axis=1).mean()), steps[judging])
    colour = image.ndim == 3 and image.shape[2] >= 3 and bool(np.ptp(image, axis=2).max() > 0)
    return level / 255 / (float(np.linalg.norm(LUMA)) if colour else 1.0)


def least_level(quality: int) -> float:
    """Give the level, in units of the range, below which texture might explain it."""
    steps = quantisation_table(quality)
    lowest = np.add.outer(np.arange(BLOCK), np.arange(BLOCK)) < 4
    return LEAST_OF_STEPS * float(np.sqrt(steps[lowest].mean())) / 255


def _level(count: float, steps: NDArray[np.float64]) -> float:
    """Give the level, of 255, of which so many coefficients a block are not zero on average; 0 below the range."""
    from scipy.special import erfc

    expected = erfc(steps[:, np.newaxis] / (2 * np.sqrt(2) * LEVELS)).sum(axis=0)
    return float(np.interp(count, expected, LEVELS, left=0.0))
