"""Euclidean distances between two sets of features, block by block, and nearest neighbours from them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from anew.metrics.distribution.samples import Features, row_blocks


def squared_distances(x: Features, y: Features) -> Iterator[tuple[slice, Features]]:
    """Give (rows, squared distances of x[rows] to all of y), block by block.

    |x - y|^2 = |x|^2 - 2 x.y + |y|^2, after both were shifted by the mean of y, which keeps the cancellation small.
    """
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre
    y_squares = np.einsum("nd,nd->n", y, y)
    for rows in row_blocks(len(x), len(y)):
        part = x[rows]
        squares = np.einsum("nd,nd->n", part, part)[:, None] + y_squares
        squares -= 2 * (part @ y.T)
        yield rows, np.maximum(squares, 0, out=squares)


def radii(x: Features, k: int) -> Features:
    """Give the distance of each sample to its k-th nearest other sample of the same set: (N,)."""
    if not 1 <= k < len(x):
        raise ValueError(f"k must be from 1 to {len(x) - 1}, one less than the samples; got {k}")
    found = np.empty(len(x))
    for rows, squares in squared_distances(x, x):
        np.einsum("ii->i", squares[:, rows])[...] = np.inf  # not itself
        found[rows] = np.partition(squares, k - 1, axis=1)[:, k - 1]
    return np.sqrt(found)


def nearest(x: Features, y: Features) -> tuple[Features, NDArray[np.int64]]:
    """Give the distance of each x to its nearest y, and that neighbour's index: (N,), (N,)."""
    index = np.empty(len(x), np.int64)
    for rows, squares in squared_distances(x, y):
        index[rows] = squares.argmin(axis=1)
    return np.linalg.norm(x - y[index], axis=1), index
