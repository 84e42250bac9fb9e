"""Euclidean distances between two sets of features, block by block, and nearest neighbours from them.

Equal distances are common where features are binary, counts, quantised or repeated. They come out of a matrix product
with different rounding, so a neighbour's distance is taken from the difference itself, and a ball's rim has a slack.
"""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from anew.metrics.distribution.samples import Features, refuse_overflow, row_blocks

SLACK = 1e-11  # of |x|^2 + |y|^2 about the mean; rounding moves |x - y|^2 by less, even of thousands of features


def squared_distances(x: Features, y: Features) -> Iterator[tuple[slice, Features, Features]]:
    """Give (rows, squared distances of x[rows] to all of y, their slack), block by block.

    |x - y|^2 = |x|^2 - 2 x.y + |y|^2, after both were shifted by the mean of y, which keeps the cancellation small.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # refused below
        centre = y.mean(axis=0)
        x, y = x - centre, y - centre
        x_squares, y_squares = (np.einsum("nd,nd->n", z, z) for z in (x, y))
        refuse_overflow(2 * (x_squares.max() + y_squares.max()))
    for rows in row_blocks(len(x), len(y)):
        both = x_squares[rows, None] + y_squares
        squares = both - 2 * (x[rows] @ y.T)
        yield rows, np.maximum(squares, 0, out=squares), np.multiply(both, SLACK, out=both)


def in_balls(x: Features, radius: Features, y: Features) -> Iterator[tuple[slice, NDArray[np.bool_]]]:
    """Give (rows, which of y lie in the balls around x[rows]), block by block; the rim counts, with its slack."""
    for rows, squares, slack in squared_distances(x, y):
        yield rows, squares - slack <= radius[rows, None] ** 2


def radii(x: Features, k: int) -> Features:
    """Give the distance of each sample to its k-th nearest other sample of the same set: (N,)."""
    check_neighbours(k, len(x))
    index = np.empty(len(x), np.int64)
    for rows, squares, _ in squared_distances(x, x):
        np.einsum("ii->i", squares[:, rows])[...] = np.inf  # not itself
        index[rows] = np.argpartition(squares, k - 1, axis=1)[:, k - 1]
    return _lengths(x, x, index)


def nearest(x: Features, y: Features) -> tuple[Features, NDArray[np.int64]]:
    """Give the distance of each x to its nearest y, and that neighbour's index, the first of equals: (N,), (N,)."""
    index = np.empty(len(x), np.int64)
    for rows, squares, slack in squared_distances(x, y):
        index[rows] = (squares - slack <= squares.min(axis=1, keepdims=True)).argmax(axis=1)
    return _lengths(x, y, index), index


def check_neighbours(k: int, samples: int) -> None:
    """Refuse a k that is no number of neighbours among so many samples."""
    if not (isinstance(k, Integral) and 1 <= k < samples):
        raise ValueError(f"k must be from 1 to {samples - 1}, an integer below the number of samples; got {k!r}")


def _lengths(x: Features, y: Features, index: NDArray[np.int64]) -> Features:
    return np.asarray(np.linalg.norm(x - y[index], axis=1))
