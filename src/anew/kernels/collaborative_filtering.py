"""Filter groups of similar blocks together: Haar transform across the group, shrinkage, and back (BM3D's 3-D part).

Both functions add the filtered blocks, in the transform domain, to sums per block position; transforming back is
linear, so it is done once per position afterwards (``block_transforms.add_blocks``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.kernels.compiling import kernel

SIZE = 64  # coefficients of a block
HALF = np.float32(np.sqrt(0.5))


@kernel
def _haar(group: NDArray[np.float32], n: int) -> None:
    """Orthonormal Haar transform along the first axis, in place; row 0 becomes the scaled mean."""
    step = 1
    while step < n:
        for i in range(0, n, 2 * step):
            low, high = group[i], group[i + step]
            for c in range(SIZE):
                total = HALF * (low[c] + high[c])
                high[c] = HALF * (low[c] - high[c])
                low[c] = total
        step *= 2


@kernel
def _inverse_haar(group: NDArray[np.float32], n: int) -> None:
    step = n // 2
    while step >= 1:
        for i in range(0, n, 2 * step):
            low, high = group[i], group[i + step]
            for c in range(SIZE):
                total = HALF * (low[c] + high[c])
                high[c] = HALF * (low[c] - high[c])
                low[c] = total
        step //= 2


@kernel
def _power_of_two(count: int) -> int:
    n = 1
    while 2 * n <= count:
        n *= 2
    return n


@kernel
def threshold_groups(
    coefficients: NDArray[np.float32],
    found: NDArray[np.int64],
    count: NDArray[np.int64],
    variance: NDArray[np.float32],
    factor: float,
    estimates: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    """Hard-threshold groups of blocks and add the results to the sums per block position.

    Parameters
    ----------
    coefficients : (P, 64) float32 array
        Transformed noisy blocks.
    found : (G, N) int64 array
        Positions of the blocks of each group; the largest power of two of them is used.
    count : (G,) int64 array
        How many blocks each group has.
    variance : (64,) float32 array
        Noise variance of each coefficient of a block.
    factor : float
        lambda_3D: what lies below so many standard deviations is set to 0.
    estimates : (P, 64) float32 array, in and out
    weights : (P,) float32 array, in and out
        Sums over all groups of w * block and of w = 1 / (noise variance that is left in the group).
    """
    group = np.empty((found.shape[1], SIZE), np.float32)
    squared_threshold = factor * factor * variance
    for g in range(count.size):
        n = _power_of_two(count[g])
        for i in range(n):
            group[i] = coefficients[found[g, i]]
        _haar(group, n)
        mean = group[0, 0]  # always kept
        left = np.float32(0)
        for i in range(n):
            for c in range(SIZE):
                value = group[i, c]
                if value * value <= squared_threshold[c]:
                    group[i, c] = 0
                else:
                    left += variance[c]
        group[0, 0] = mean
        weight = 1 / max(left, variance[0])
        _inverse_haar(group, n)
        for i in range(n):
            at = found[g, i]
            weights[at] += weight
            for c in range(SIZE):
                estimates[at, c] += weight * group[i, c]


@kernel
def wiener_groups(
    coefficients: NDArray[np.float32],
    pilot: NDArray[np.float32],
    found: NDArray[np.int64],
    count: NDArray[np.int64],
    variance: NDArray[np.float32],
    estimates: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    """Shrink groups of blocks by the Wiener filter of a pilot estimate; parameters as in ``threshold_groups``.

    Parameters
    ----------
    pilot : (P, 64) float32 array
        Transformed blocks of the first estimate of the image, whose energy stands for the clean one.
    """
    group = np.empty((found.shape[1], SIZE), np.float32)
    clean = np.empty((found.shape[1], SIZE), np.float32)
    for g in range(count.size):
        n = _power_of_two(count[g])
        for i in range(n):
            group[i] = coefficients[found[g, i]]
            clean[i] = pilot[found[g, i]]
        _haar(group, n)
        _haar(clean, n)
        left = np.float32(0)
        for i in range(n):
            for c in range(SIZE):
                energy = clean[i, c] * clean[i, c]
                gain = energy / (energy + variance[c])
                group[i, c] *= gain
                left += gain * gain * variance[c]
        weight = 1 / max(left, np.float32(1e-3) * variance[0])
        _inverse_haar(group, n)
        for i in range(n):
            at = found[g, i]
            weights[at] += weight
            for c in range(SIZE):
                estimates[at, c] += weight * group[i, c]
