"""Homographies from four point pairs, and the quadrilaterals that pictures are seen as.

Hartley and Zisserman, Multiple View Geometry, section 4.1: each pair gives two linear equations, four fix the eight
unknowns. Corners run top-left, top-right, bottom-right, bottom-left. Points are (x, y), y runs down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import as_numbers


def solve_homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve for the (3, 3) homography, with lower right entry 1, that takes 4 points (4, 2) to 4 others (4, 2).

    No three points of either may lie on a line.
    """
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.append(np.linalg.solve(np.array(rows), target.ravel()), 1.0).reshape(3, 3)


def keystone_homography(shape: tuple[int, ...], corners: ArrayLike) -> NDArray[np.float64]:
    """Give the (3, 3) homography that takes the corners of a picture to others.

    Parameters
    ----------
    shape : (H, W) or longer
    corners : (4, 2) array
        As for ``as_quad``.

    Raises
    ------
    ValueError
        If there is none: the picture has less than 2 x 2 pixels, or the corners are wrong.
    """
    if min(shape[:2]) < 2:  # a row or column of pixels has no four corners
        raise ValueError(f"a keystone needs a picture of at least 2 x 2 pixels, got {shape[1]} x {shape[0]}")
    return solve_homography(corners_of(shape), as_quad(corners))


def corners_of(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Give the (4, 2) centres of the corner pixels of a picture."""
    right, bottom = shape[1] - 1, shape[0] - 1
    return np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float64)


def as_quad(corners: ArrayLike) -> NDArray[np.float64]:
    """Check the (4, 2) corners of a quadrilateral.

    Raises
    ------
    ValueError
        If it is not convex, is mirrored, or has three corners on a line.
    """
    quad = as_numbers("corners", corners, "4 finite (x, y) pairs")
    if quad.shape != (4, 2):
        raise ValueError(f"corners must be 4 finite (x, y) pairs, got an array of shape {quad.shape}")
    sides = np.roll(quad, -1, axis=0) - quad
    following = np.roll(sides, -1, axis=0)
    if not (sides[:, 0] * following[:, 1] > sides[:, 1] * following[:, 0]).all():
        raise ValueError(
            "corners must be convex and run top-left, top-right, bottom-right, bottom-left, got "
            + ", ".join(f"({x:g}, {y:g})" for x, y in quad)
        )
    return quad
