"""Find, for many reference blocks of an image at once, the blocks nearby that look most alike.

The distance is the mean squared difference of two 8x8 blocks. It is computed for one displacement and a whole row of
reference blocks at a time: squared differences are summed over the 8 rows, then over 8 columns by doubling (1 + 1,
2 + 2, 4 + 4), so that neighbouring references share their sums and every loop runs over contiguous memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.kernels.compiling import kernel

BLOCK = 8  # side of a block
SPAN = 128  # columns that the reference blocks of one call may cover, the last block included


def search_offsets(radius: int) -> NDArray[np.int64]:
    """Give all displacements (dy, dx) with |dy|, |dx| <= radius, nearest first, (0, 0) at the start."""
    r = np.arange(-radius, radius + 1)
    offsets = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1).reshape(-1, 2)
    return offsets[np.lexsort((offsets[:, 1], offsets[:, 0], (offsets**2).sum(axis=1)))].astype(np.int64)


@kernel
def match_blocks(padded, margin, height, width, rows, columns, offsets, threshold, origin, found, distance):  # type: ignore[no-untyped-def]
    """Give each reference block its most similar blocks, most similar first.

    Parameters
    ----------
    padded : (H + 2 margin, W + 2 margin + SPAN) float32 array
        The image with a margin of any finite values; only blocks inside the image are found.
    margin : int
        At least the search radius.
    height, width : int
        Size of the image, both >= 8.
    rows : (R,) int64 array
        Top rows of the reference blocks.
    columns : (C,) int64 array
        Left columns of the reference blocks, ascending, all within ``SPAN`` columns.
    offsets : (D, 2) int64 array
        Displacements to try, (0, 0) first.
    threshold : float
        Blocks at a mean squared difference below it are alike.
    origin : (top, left, pitch)
        Blocks are numbered (y - top) * pitch + x - left.
    found : (R, C, N) int64 array, out
        The numbers of the blocks found; the reference itself is the first.
    distance : (C, N) float32 array, out
        Scratch.

    Returns
    -------
    count : (R, C) int64 array
        How many blocks were found.
    """
    top, left, pitch = origin
    n_max = found.shape[2]
    count = np.zeros((rows.size, columns.size), np.int64)
    limit = np.empty(columns.size, np.float32)
    column_sum = np.zeros(SPAN + BLOCK, np.float32)
    pair_sum = np.zeros(SPAN + BLOCK, np.float32)
    quad_sum = np.zeros(SPAN + BLOCK, np.float32)
    first = columns[0]
    for i in range(rows.size):
        y = rows[i]
        limit[:] = threshold * BLOCK * BLOCK
        for d in range(offsets.shape[0]):
            dy = offsets[d, 0]
            dx = offsets[d, 1]
            if y + dy < 0 or y + dy > height - BLOCK:
                continue
            column_sum[:] = 0
            for k in range(BLOCK):
                here = padded[y + margin + k, first + margin : first + margin + SPAN]
                there = padded[y + dy + margin + k, first + dx + margin : first + dx + margin + SPAN]
                for x in range(SPAN):
                    difference = here[x] - there[x]
                    column_sum[x] += difference * difference
            for x in range(SPAN):
                pair_sum[x] = column_sum[x] + column_sum[x + 1]
            for x in range(SPAN):
                quad_sum[x] = pair_sum[x] + pair_sum[x + 2]
            for j in range(columns.size):
                at = columns[j] - first
                block_distance = quad_sum[at] + quad_sum[at + 4]
                if block_distance < limit[j]:
                    x0 = columns[j] + dx
                    if 0 <= x0 <= width - BLOCK:
                        n = min(count[i, j], n_max - 1)
                        while n > 0 and distance[j, n - 1] > block_distance:
                            distance[j, n] = distance[j, n - 1]
                            found[i, j, n] = found[i, j, n - 1]
                            n -= 1
                        distance[j, n] = block_distance
                        found[i, j, n] = (y + dy - top) * pitch + x0 - left
                        count[i, j] = min(count[i, j] + 1, n_max)
                        if count[i, j] == n_max:
                            limit[j] = distance[j, n_max - 1]
    return count
