"""Find, for many reference blocks of an image at once, the blocks nearby that look most alike.

The distance is the mean squared difference of two 8x8 blocks. It is computed for one displacement and a whole square
of reference blocks at a time: squared differences are summed down the columns, the sums over 8 rows are differences
of such running sums, and 8 columns are added by doubling (1 + 1, 2 + 2, 4 + 4). So neighbouring references share
their sums, every loop runs over contiguous memory, and all of it stays in the first-level cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.kernels.compiling import kernel

BLOCK = 8  # side of a block
SPAN = 64  # pixels, per axis, that the reference blocks of one call may cover
RING = 16  # running sums kept: a power of 2 above BLOCK
INDEX_BITS = 24  # of a key, for the number of the block; the rest is its distance


def search_offsets(radius: int) -> NDArray[np.int64]:
    """Give all displacements (dy, dx) with |dy|, |dx| <= radius, nearest first, (0, 0) at the start."""
    r = np.arange(-radius, radius + 1)
    offsets = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1).reshape(-1, 2)
    return offsets[np.lexsort((offsets[:, 1], offsets[:, 0], (offsets**2).sum(axis=1)))].astype(np.int64)


@kernel
def match_blocks(
    padded: NDArray[np.float32],
    margin: int,
    shape: tuple[int, int],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    offsets: NDArray[np.int64],
    threshold: float,
    origin: tuple[int, int, int],
    found: NDArray[np.int64],
    count: NDArray[np.int64],
) -> None:
    """Give each reference block its most similar blocks, most similar first.

    Parameters
    ----------
    padded : (H + 2 margin, W + 2 margin + SPAN) float32 array
        The image with a margin of any finite values; only blocks inside the image are found.
    margin : int
        At least the search radius.
    shape : (H, W)
        Size of the image, both >= 8.
    rows, columns : int64 arrays
        Top rows and left columns of the reference blocks, ascending, last minus first at most SPAN - 8.
    offsets : (D, 2) int64 array
        Displacements to try, (0, 0) first.
    threshold : float
        Blocks at a mean squared difference below it are alike.
    origin : (top, left, pitch)
        Blocks are numbered (y - top) * pitch + x - left.
    found : (rows.size, columns.size, N) int64 array, out
        The numbers of the blocks found; the reference itself is the first.
    count : (rows.size, columns.size) int64 array, out
        How many blocks were found.
    """
    top, left, pitch = origin
    line = np.uint64(padded.shape[1])
    pixels = padded.ravel()
    largest = np.float32(threshold * BLOCK * BLOCK)
    levels = np.float32(2.0**38) / largest  # a key holds the distance as a whole number, then the block's number
    limit = np.full((rows.size, SPAN), np.float32(-1))  # of a distance; columns without a reference find nothing
    for j in range(columns.size):
        limit[:, columns[j] - columns[0]] = largest
    count[:] = 1
    for i in range(rows.size):
        for j in range(columns.size):
            found[i, j, 0] = (rows[i] - top) * pitch + columns[j] - left  # itself, before all others
    running = np.zeros((RING, SPAN + BLOCK), np.float32)
    pairs = np.zeros(SPAN + BLOCK, np.float32)
    quads = np.zeros(SPAN + BLOCK, np.float32)
    distance = np.zeros(SPAN, np.float32)
    for d in range(1, offsets.shape[0]):
        dy, dx = offsets[d, 0], offsets[d, 1]
        here = np.uint64((rows[0] + margin) * padded.shape[1] + columns[0] + margin)
        there = np.uint64((rows[0] + dy + margin) * padded.shape[1] + columns[0] + dx + margin)
        running[0, :] = 0
        i = 0
        for y in range(rows[-1] - rows[0] + BLOCK):
            before, after = running[y % RING], running[(y + 1) % RING]
            for x in range(SPAN):
                difference = pixels[here + np.uint64(x)] - pixels[there + np.uint64(x)]
                after[x] = before[x] + difference * difference
            here += line
            there += line
            if y + 1 != rows[i] - rows[0] + BLOCK:
                continue
            hits = _add_columns(running[(y + 1 - BLOCK) % RING], after, pairs, quads, limit[i], distance)
            if hits > 0 and 0 <= rows[i] + dy <= shape[0] - BLOCK:
                first = (rows[i] + dy - top) * pitch + dx - left
                _keep(distance, levels, columns, dx, shape[1], first, limit[i], found[i], count[i])
            i += 1
    for i in range(rows.size):
        for j in range(columns.size):
            for n in range(count[i, j]):
                found[i, j, n] &= (1 << INDEX_BITS) - 1


@kernel
def _add_columns(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    pairs: NDArray[np.float32],
    quads: NDArray[np.float32],
    limits: NDArray[np.float32],
    distance: NDArray[np.float32],
) -> np.float32:
    """Sum the differences of two rows of running sums over 8 columns; give how many lie below their limits."""
    for x in range(SPAN):
        pairs[x] = (after[x] - before[x]) + (after[x + 1] - before[x + 1])
    for x in range(SPAN):
        quads[x] = pairs[x] + pairs[x + 2]
    hits = np.float32(0)  # counted in floating point: that loop becomes vector instructions
    for x in range(SPAN):
        distance[x] = quads[x] + quads[x + 4]
        hits += np.float32(distance[x] < limits[x])
    return hits


@kernel
def _keep(
    distance: NDArray[np.float32],
    levels: np.float32,
    columns: NDArray[np.int64],
    dx: int,
    width: int,
    first: int,
    limits: NDArray[np.float32],
    found: NDArray[np.int64],
    count: NDArray[np.int64],
) -> None:
    """Add the blocks at one displacement to the lists of a row of references, which get stricter limits when full."""
    n_max = found.shape[1]
    for j in range(columns.size):
        x = columns[j] - columns[0]
        if distance[x] < limits[x] and 0 <= columns[j] + dx <= width - BLOCK:
            key = ((np.int64(max(distance[x], np.float32(0)) * levels) + 1) << INDEX_BITS) + first + columns[j]
            if _insert(found[j], count[j], key):
                limits[x] = np.float32(found[j, n_max - 1] >> INDEX_BITS) / levels
            count[j] = min(count[j] + 1, n_max)


@kernel
def _insert(keys: NDArray[np.int64], count: int, key: int) -> bool:
    """Insert a key into an ascending list that drops its last when full; True if it is full afterwards."""
    n = min(count, keys.size - 1)
    while n > 0 and keys[n - 1] > key:
        keys[n] = keys[n - 1]
        n -= 1
    keys[n] = key
    return count + 1 >= keys.size
