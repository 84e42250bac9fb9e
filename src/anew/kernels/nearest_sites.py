"""The nearest and second nearest of jittered points on a lattice that wraps around, for every pixel of a grid.

With one point per cell, the nearest two of a pixel lie within two cells of its own: 25 distances decide, exactly.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from anew.kernels.compiling import kernel
from anew.threads import thread_count

REACH = 2  # cells to each side
BAND = 64  # rows that a thread takes at a time


def nearest_sites(
    x: NDArray[np.float32], y: NDArray[np.float32], offsets: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Search at every crossing of columns x and rows y.

    Parameters
    ----------
    x : (W,) float32 array, y : (H,) float32 array
        In units of cells, >= 0.
    offsets : (rows, columns, 2) float32 array in [0, 1]
        Where in its cell each point lies, x before y; beyond the last cell the first follows.

    Returns
    -------
    index : (H, W) int32 array
        row * columns + column of the nearest point.
    first, second : (H, W) float32 arrays
        Distances to the nearest two, in cells.
    border : (H, W) float32 array
        Distance to the nearest of the lines half-way between the nearest point and another.
    """
    shape = (len(y), len(x))
    index = np.empty(shape, np.int32)
    first, second, border = (np.empty(shape, np.float32) for _ in range(3))
    points = np.ascontiguousarray(offsets)

    def run(start: int) -> None:
        rows = slice(start, start + BAND)
        _search(x, y[rows], points, index[rows], first[rows], second[rows], border[rows])

    with ThreadPoolExecutor(thread_count()) as pool:  # the kernel releases the interpreter
        list(pool.map(run, range(0, len(y), BAND)))
    return index, first, second, border


@kernel
def _search(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    offsets: NDArray[np.float32],
    index: NDArray[np.int32],
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    border: NDArray[np.float32],
) -> None:
    rows, columns = offsets.shape[:2]
    side = 2 * REACH + 1
    near_x, near_y = np.empty(side * side, np.float32), np.empty(side * side, np.float32)
    squared = np.empty(side * side, np.float32)
    half, far, tiny = np.float32(0.5), np.float32(1e9), np.float32(1e-12)
    for i in range(len(y)):
        row, cell, py = int(y[i]), -1, y[i]
        for j in range(len(x)):
            column, px = int(x[j]), x[j]
            if column != cell:  # the points about a new cell
                cell = column
                for k in range(side * side):
                    r, c = row + k // side - REACH, column + k % side - REACH
                    near_x[k] = c + offsets[r % rows, c % columns, 0]
                    near_y[k] = r + offsets[r % rows, c % columns, 1]
            nearest = far
            for k in range(side * side):  # no branches in these loops: they are computed several at a time
                dx, dy = near_x[k] - px, near_y[k] - py
                squared[k] = dx * dx + dy * dy
                nearest = min(nearest, squared[k])
            best = 0
            while squared[best] != nearest:
                best += 1
            squared[best] = far
            bx, by, next_nearest, least = near_x[best], near_y[best], far, far
            for k in range(side * side):  # the middle between the two, seen from the pixel, along the line to the other
                next_nearest = min(next_nearest, squared[k])
                ex, ey = near_x[k] - bx, near_y[k] - by
                to_middle = (half * (near_x[k] + bx) - px) * ex + (half * (near_y[k] + by) - py) * ey
                away = to_middle / np.sqrt(ex * ex + ey * ey + tiny)
                least = min(least, away if squared[k] < far else far)
            r, c = (row + best // side - REACH) % rows, (column + best % side - REACH) % columns
            index[i, j] = r * columns + c
            first[i, j], second[i, j], border[i, j] = np.sqrt(nearest), np.sqrt(next_nearest), least
