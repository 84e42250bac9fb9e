"""Filter groups of similar blocks together: Haar transform across the group, shrinkage, and back (BM3D's 3-D part).

Noise that is correlated from pixel to pixel is also correlated from block to block of a group, so that averaging them
removes less of it. The variance of each coefficient of the group is then computed from the positions of its blocks:
Makinen, Azzari and Foi, "Collaborative filtering of correlated noise", IEEE TIP 29 (2020).

The filters add the filtered blocks, in the transform domain, to sums per block position; transforming back is
linear, so it is done once per position afterwards (``block_transforms.add_blocks``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.kernels.compiling import kernel

SIZE = 64  # coefficients of a block
HALF = np.float32(np.sqrt(0.5))
LEAST_SHARE = np.float32(1e-3)  # of a coefficient's variance that a group always leaves: rounding must not make it 0


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
def _group_variance(
    blocks: NDArray[np.int64],
    n: int,
    pitch: int,
    correlation: NDArray[np.float32],
    covariance: NDArray[np.float32],
    variance: NDArray[np.float32],
) -> None:
    """Give the noise variance of every coefficient after the Haar transform across a group.

    Each level of the transform needs of the covariance matrix of its inputs only the sums over 2 x 2 entries:
    var((a - b) / sqrt 2) = (C_aa + C_bb - 2 C_ab) / 2, and C of the (a + b) / sqrt 2 is a quarter the size. The first
    level takes its entries out of ``correlation``; ``covariance``, (N / 2, N / 2, 64), holds what it leaves.
    """
    table = correlation.reshape(-1, SIZE)
    middle, line = table.shape[0] // 2, correlation.shape[1]
    place = np.empty(n, np.int64)  # of a block, numbered as the table is
    for i in range(n):
        place[i] = blocks[i] // pitch * line + blocks[i] % pitch
    own, part = table[middle], np.float32(0.5)
    variance[0] = own
    half = n // 2
    for i in range(half):
        a, b = middle + place[2 * i], middle + place[2 * i + 1]
        shared, difference, total = table[a - place[2 * i + 1]], variance[2 * i + 1], covariance[i, i]
        for c in range(SIZE):
            difference[c] = own[c] - shared[c]
            total[c] = own[c] + shared[c]
        for j in range(i + 1, half):
            here, below = table[a - place[2 * j]], table[b - place[2 * j]]
            right, corner = table[a - place[2 * j + 1]], table[b - place[2 * j + 1]]
            total = covariance[i, j]
            for c in range(SIZE):
                total[c] = part * ((here[c] + below[c]) + (right[c] + corner[c]))
    step = 1
    while step < half:
        for i in range(0, half, 2 * step):
            here, corner, shared = covariance[i, i], covariance[i + step, i + step], covariance[i, i + step]
            difference = variance[2 * (i + step)]
            for c in range(SIZE):
                mean = part * (here[c] + corner[c])
                difference[c] = mean - shared[c]
                here[c] = mean + shared[c]
            for j in range(i + 2 * step, half, 2 * step):
                here, below = covariance[i, j], covariance[i + step, j]
                right, corner = covariance[i, j + step], covariance[i + step, j + step]
                for c in range(SIZE):
                    here[c] = part * ((here[c] + below[c]) + (right[c] + corner[c]))
        step *= 2
    if half > 0:
        variance[0] = covariance[0, 0]
    for i in range(n):
        for c in range(SIZE):
            variance[i, c] = max(variance[i, c], LEAST_SHARE * own[c])


@kernel
def group_variances(
    found: NDArray[np.int64],
    count: NDArray[np.int64],
    pitch: int,
    correlation: NDArray[np.float32],
    variances: NDArray[np.float32],
) -> None:
    """Give the noise variance of every coefficient of groups; all planes of an image share it.

    Parameters
    ----------
    found : (G, N) int64 array
        Positions of the blocks of each group; the largest power of two of them is used.
    count : (G,) int64 array
        How many blocks each group has.
    pitch : int
        Positions are numbered y * pitch + x.
    correlation : (2 Y + 1, 2 X + 1, 64) float32 array
        Covariance of the noise in a coefficient of two blocks, by their displacement from (-Y, -X) to (Y, X); with
        Y = X = 0, its variance in noise that is independent from block to block.
    variances : (G, N, 64) float32 array, out, or (1, N, 64) for independent blocks, where all groups have the same
    """
    if variances.shape[0] == 1 and correlation.shape[0] == 1:
        variances[0] = correlation[0, 0]
        return
    half = found.shape[1] // 2
    covariance = np.empty((half, half, SIZE), np.float32)
    for g in range(count.size):
        _group_variance(found[g], _power_of_two(count[g]), pitch, correlation, covariance, variances[g])


@kernel
def threshold_groups(
    coefficients: NDArray[np.float32],
    found: NDArray[np.int64],
    count: NDArray[np.int64],
    variances: NDArray[np.float32],
    factor: float,
    estimates: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    """Hard-threshold groups of blocks and add the results to the sums per block position.

    Parameters
    ----------
    coefficients : (P, 64) float32 array
        Transformed noisy blocks.
    found, count, variances
        As in ``group_variances``.
    factor : float
        lambda_3D: what lies below so many standard deviations is set to 0.
    estimates : (P, 64) float32 array, in and out
    weights : (P,) float32 array, in and out
        Sums over all groups of w * block and of w = 1 / (noise variance that is left in the group).
    """
    group = np.empty((found.shape[1], SIZE), np.float32)
    squared = np.float32(factor * factor)
    for g in range(count.size):
        n, variance = _power_of_two(count[g]), variances[g if variances.shape[0] > 1 else 0]
        for i in range(n):
            group[i] = coefficients[found[g, i]]
        _haar(group, n)
        mean = group[0, 0]  # always kept
        left = np.float32(0)
        for i in range(n):
            for c in range(SIZE):
                value = group[i, c]
                if value * value <= squared * variance[i, c]:
                    group[i, c] = 0
                else:
                    left += variance[i, c]
        group[0, 0] = mean
        weight = 1 / max(left, variance[0, 0])
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
    variances: NDArray[np.float32],
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
        n, variance = _power_of_two(count[g]), variances[g if variances.shape[0] > 1 else 0]
        for i in range(n):
            group[i] = coefficients[found[g, i]]
            clean[i] = pilot[found[g, i]]
        _haar(group, n)
        _haar(clean, n)
        mean = group[0, 0]  # always kept
        left = np.float32(0)
        for i in range(n):
            for c in range(SIZE):
                energy = clean[i, c] * clean[i, c]
                gain = energy / (energy + variance[i, c])
                group[i, c] *= gain
                left += gain * gain * variance[i, c]
        group[0, 0] = mean
        weight = 1 / max(left, LEAST_SHARE * variance[0, 0])
        _inverse_haar(group, n)
        for i in range(n):
            at = found[g, i]
            weights[at] += weight
            for c in range(SIZE):
                estimates[at, c] += weight * group[i, c]
