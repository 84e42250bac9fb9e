"""Undo perspective ("keystone") from the places where the four corners landed.

Hartley and Zisserman, Multiple View Geometry, section 4.1: four point pairs fix the homography between the upright and
the damaged picture; it is solved for directly (8 equations) and applied in one resampling.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, Mask
from anew.restoration.unwarping.warping import Border, Mapping, Points, valid_mask, warp


def unwarp_keystone(
    image: Image,
    *,
    corners: ArrayLike | Sequence[Sequence[float]] | None = None,
    border: Border = "reflect",
    fill: float = 0.0,
) -> Image:
    """Map the quadrilateral ``corners`` back onto the whole picture.

    Use it for pages, screens and fronts of houses photographed at a slant, with their four corners.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    corners : (4, 2) array, optional
        Pixel coordinates (x, y) where the centres of the corner pixels (top-left, top-right, bottom-right,
        bottom-left) of the original landed in ``image``; they may lie outside of it. Estimated from the picture's lines
        if not given; a picture without a sure keystone is left as it is.
    border : {"reflect", "constant", "nearest"}
        What fills the parts that the input does not show (see ``valid_keystone``).
    fill : float
        The value for ``border="constant"``.

    Returns
    -------
    float32 array of the same shape
    """
    if corners is None:
        from anew.diagnosis.keystone import estimate_keystone

        corners = estimate_keystone(image).corners
    quad = _as_corners(corners)
    if np.array_equal(quad, corners_of(image.shape)):
        return image.copy()
    return warp(image, keystone_mapping(image.shape, quad), border=border, fill=fill)


def valid_keystone(shape: tuple[int, ...], *, corners: ArrayLike) -> Mask:
    """Tell, as an (H, W) bool array, where ``unwarp_keystone`` has real pixels to show."""
    return valid_mask(shape, keystone_mapping(shape, _as_corners(corners)))


def corners_of(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Give the (4, 2) centres (x, y) of the corner pixels: top-left, top-right, bottom-right, bottom-left."""
    right, bottom = shape[1] - 1, shape[0] - 1
    return np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], np.float64)


def keystone_mapping(shape: tuple[int, ...], corners: NDArray[np.float64]) -> Mapping:
    """Give the map from upright to damaged points: the homography that takes the picture's corners to ``corners``."""
    if min(shape[:2]) < 2:  # a row or column of pixels has no four corners
        raise ValueError(f"a keystone needs a picture of at least 2 x 2 pixels, got {shape[1]} x {shape[0]}")
    h = homography(corners_of(shape), corners)

    def to_damaged(x: Points, y: Points) -> tuple[Points, Points]:
        w = h[2, 0] * x + h[2, 1] * y + h[2, 2]
        w = np.where(w > 1e-9, w, np.nan)  # behind the camera: nothing is seen there
        return _far((h[0, 0] * x + h[0, 1] * y + h[0, 2]) / w), _far((h[1, 0] * x + h[1, 1] * y + h[1, 2]) / w)

    return to_damaged


def homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solve for the (3, 3) homography, with lower right entry 1, that takes 4 points (4, 2) to 4 others (4, 2)."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(values)), 1.0).reshape(3, 3)


def _as_corners(corners: ArrayLike) -> NDArray[np.float64]:
    """Check that the corners span a convex quadrilateral, in order and not mirrored."""
    quad = np.asarray(corners, np.float64)
    if quad.shape != (4, 2) or not np.isfinite(quad).all():
        raise ValueError(f"corners must be 4 finite (x, y) pairs, got an array of shape {quad.shape}")
    sides = np.roll(quad, -1, axis=0) - quad
    following = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * following[:, 1] - sides[:, 1] * following[:, 0]
    if not ((turns > 0).all() or (turns == 0).all()):
        raise ValueError(
            "corners must be convex and run top-left, top-right, bottom-right, bottom-left, got "
            + ", ".join(f"({x:g}, {y:g})" for x, y in quad)
        )
    return quad


def _far(position: Points) -> Points:
    return np.clip(np.nan_to_num(position, nan=-1e6), -1e6, 1e6)
