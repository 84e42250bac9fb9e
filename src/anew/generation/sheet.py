"""A sheet of pictures: all of one size, on an even grid, nothing written on it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image

PAPER = 0.97  # grey level between the pictures
TILE = 112  # pixels of the shorter side, up to which small pictures are enlarged
LARGEST = 16_000_000  # pixels of a sheet of enlarged pictures
GAP = 0.06  # of the shorter side, between pictures and around them
ASPECT = 1.25  # width over height that a sheet should have, about


def arrange(images: NDArray[np.float32], *, columns: int | None = None, period: int = 1) -> Image:
    """Lay pictures out row by row.

    Parameters
    ----------
    images : (N, H, W, C) float32 array in [0, 1]
        Small ones are enlarged by a whole factor, their pixels visible.
    columns : int >= 1, optional
        By default what fills the grid best and is about as wide as a page.
    period : int >= 1
        After so many pictures their labels recur: those of one label stand below each other if there are two rows.

    Returns
    -------
    (H', W', C) float32 array in [0, 1]
    """
    n, height, width, channels = images.shape
    factor = magnification(n, height, width)
    tiles = images.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width = height * factor, width * factor
    columns = min(columns or best_columns(n, width / height, period if n >= 2 * period else 1), n)
    rows = -(-n // columns)
    gap = max(2, round(GAP * min(height, width)))
    shape = (rows * (height + gap) + gap, columns * (width + gap) + gap, channels)
    sheet = np.full(shape, PAPER, np.float32)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        top, left = gap + row * (height + gap), gap + column * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def magnification(n: int, height: int, width: int) -> int:
    """Give the whole factor by which small pictures are enlarged."""
    room = math.isqrt(max(1, LARGEST // (n * height * width)))
    return max(1, min(round(TILE / min(height, width)), room))


def best_columns(n: int, aspect: float, period: int) -> int:
    """Give the multiple of ``period`` that leaves few places empty and makes the sheet about ``ASPECT`` wide."""

    def cost(columns: int) -> float:
        rows = -(-n // columns)
        empty = (rows * columns - n) / n
        return abs(math.log(columns * aspect / rows / ASPECT)) + 2.5 * empty

    if n > 4096:
        return -(-math.isqrt(n) // period) * period
    return min(range(period, n + 1, period), key=cost)
