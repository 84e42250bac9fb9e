"""Bounding boxes through a geometry, exactly.

A box is carried as the polygon that its outline becomes, clipped to the image at every step; only at the end is the
upright box around it taken. Two rotations that undo each other give the box back, where boxes of boxes would grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.generation.augmentation.geometry import Geometry, Points

FINEST = 256  # points that a bent side is followed by, at most one a pixel


@dataclass(frozen=True)
class Outline:
    """What became of one box.

    Attributes
    ----------
    polygon : (n, 2) float64 array of points (x, y); n is 0 where nothing is left
    visible : float in [0, 1]
        The share of its area that no step has moved out of the image.
    """

    polygon: Points
    visible: float = 1.0


def outlines_of(boxes: ArrayLike, shape: tuple[int, ...]) -> list[Outline]:
    """Check (N, 4) boxes (left, top, right, bottom) in pixels and clip them to the image."""
    array = np.asarray(boxes, np.float64)
    array = array.reshape(0, 4) if array.size == 0 else array
    if array.ndim != 2 or array.shape[1] != 4 or not np.isfinite(array).all():
        raise ValueError(f"expected boxes as (N, 4) finite numbers left, top, right, bottom, got shape {array.shape}")
    if (array[:, :2] > array[:, 2:]).any():
        raise ValueError("expected boxes as left, top, right, bottom; in one of them right < left or bottom < top")
    quads = [np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) for x0, y0, x1, y1 in array]
    return [Outline(_left_of(quad, shape[:2])) for quad in quads]


def move_outline(outline: Outline, geometry: Geometry) -> Outline:
    """Carry an outline along."""
    if len(outline.polygon) == 0:
        return outline
    polygon = _followed(outline.polygon) if geometry.bends else outline.polygon
    moved = np.stack(geometry.to_target(polygon[:, 0], polygon[:, 1]), axis=1)
    kept, before = _left_of(moved, geometry.size), _area(moved)
    left = min(1.0, _area(kept) / before) if before > 0 else float(len(kept) > 0)
    return Outline(kept, outline.visible * left)


def boxes_around(outlines: Sequence[Outline], min_visible: float) -> tuple[Points, NDArray[np.intp]]:
    """Give the upright boxes around the outlines of which enough is left, (M, 4), and which ones those are, (M,)."""
    if not 0 <= min_visible <= 1:
        raise ValueError(f"min_visible must be in [0, 1], got {min_visible}")
    kept = [i for i, o in enumerate(outlines) if len(o.polygon) and o.visible >= min_visible]
    corners = [np.concatenate([outlines[i].polygon.min(axis=0), outlines[i].polygon.max(axis=0)]) for i in kept]
    return np.array(corners, np.float64).reshape(-1, 4), np.array(kept, np.intp)


def clipped(polygon: Points, size: tuple[int, ...]) -> Points:
    """Clip a polygon to [0, W] x [0, H] (Sutherland and Hodgman, CACM 17 (1974)); (0, 2) where nothing is left."""
    height, width = size
    for axis, sign, limit in ((0, 1, 0), (0, -1, -width), (1, 1, 0), (1, -1, -height)):
        if len(polygon) == 0:
            break
        inside = sign * polygon[:, axis] - limit  # >= 0 within
        kept = []
        for here, there, d, e in zip(polygon, np.roll(polygon, -1, 0), inside, np.roll(inside, -1), strict=True):
            if d >= 0:
                kept.append(here)
            if (d >= 0) != (e >= 0):
                crossing = here + (there - here) * (d / (d - e))
                crossing[axis] = limit * sign
                kept.append(crossing)
        polygon = np.array(kept).reshape(-1, 2)
    return polygon


def _left_of(polygon: Points, size: tuple[int, ...]) -> Points:
    """Clip, and give nothing where only a line along the border is left of an area."""
    kept = clipped(polygon, size)
    return kept[:0] if _area(kept) == 0 < _area(polygon) else kept


def _followed(polygon: Points) -> Points:
    """Add points along the sides, so that they can bend."""
    points = []
    for here, there in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        steps = int(np.clip(np.ceil(np.hypot(*(there - here))), 1, FINEST))
        points.append(here + (there - here) * (np.arange(steps) / steps)[:, None])
    return np.concatenate(points)


def _area(polygon: Points) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
