"""The straight-edged content of a picture inside a uniform surround: a crooked scan, or a picture turned and padded.

Seen from each side of the frame, a uniform surround is as deep as the first pixel that differs from it. Along the edge
of a sheet this depth is a straight line, which is found by random sampling consensus (Fischler and Bolles, CACM 24,
1981), here over all pairs of a regular sample, and then fitted to where the pixels are half way between surround and
content. Content that happens to have the colour of the surround makes it look deeper, never shallower: so points above
the line are forgiven and points below are not. A side without surround ends at the frame of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, largest_difference

Floats = NDArray[np.float64]
SIDES = ("top", "right", "bottom", "left")

WORKING_SIDE = 800  # pixels
COLOURS = 3  # that are tried
SEEDS = 48  # places along the frame whose colour may be that of the surround
NEAR = 0.1  # half-width of a cluster of colours, of the range
LEAST_TOLERANCE = 0.05
MOST_NOISE = 0.08
LEAST_TOUCHED = 0.15  # of the frame, by the surround
LEAST_SLOPE = 0.005
STEEPEST = 0.3  # slope of an edge relative to the frame
DEEPEST = 0.3  # of the picture, for surround on one side
THINNEST = 3.0  # pixels at its deepest
ON_LINE = 1.0  # pixels; depths are whole numbers
AGREEMENT = 0.3  # degrees; of the edges of a rectangle
SAMPLES = 40  # points of a side that candidate lines are drawn through
LEAST_LENGTH = 0.25  # of a side, along which surround is seen
LEAST_INLIERS = 0.5  # of that length
LEAST_CRISP = 0.4  # of that length, where the change is seen within a pixel of the line
LEAST_DIFFERENT = 0.45  # of the picture; a wall, a drawing or a product shot has its background inside as well
LEAST_STRAIGHT = 0.75  # of the places where the change is seen at all
LEAST_AREA = 0.003  # of the picture, for all surround
MOST_CONTENT_OUTSIDE = 0.03
LEAST_CONTENT_INSIDE = 0.4  # of the pixels just inside
LEAST_CONTENT_AT_FRAME = 0.25  # of those on a side without surround, where but two edges are seen


@dataclass(frozen=True)
class Edge:
    """One edge of the content: depth = offset + slope * position along the side, in pixels of the picture.

    Attributes
    ----------
    offset, slope : float
        Depth is measured from the outer border of the pixels of that side, position from the centre of the first pixel
        of it (left or top).
    length : float
        Pixels along which it was seen; 0: there is no surround on this side, and the edge is that of the picture.
    """

    offset: float = 0.0
    slope: float = 0.0
    length: float = 0.0


@dataclass(frozen=True)
class Surround:
    """A uniform surround and the edges of the content in it, in the order of ``SIDES``."""

    colour: Floats
    noise: float
    edges: tuple[Edge, Edge, Edge, Edge]


def find_surround(image: Image) -> Surround | None:
    """Find straight-edged content inside a uniform surround.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array

    Returns
    -------
    Surround or None
        None unless straight edges explain all of the surround, and at least one of them is crooked.
    """
    pixels = np.atleast_3d(image)
    if min(pixels.shape[:2]) < 48:
        return None
    small, scale = _reduced(pixels)
    for colour, noise in _surround_colours(small):
        edges = _edges(small, colour, noise)
        if edges is not None:
            top, right, bottom, left = (_enlarged(e, scale, side) for side, e in enumerate(edges))
            return Surround(colour, noise, (top, right, bottom, left))
    return None


def corners_of_content(surround: Surround, shape: tuple[int, ...]) -> Floats:
    """Give the corners (x, y) of the content, (4, 2), where its outermost pixels end (not where their centres lie)."""
    top, right, bottom, left = surround.edges
    height, width = shape[:2]
    # As lines a x + b y = c: the top edge is y = -1/2 + offset + slope x, and so on.
    lines = np.array(
        [
            [-top.slope, 1, -0.5 + top.offset],
            [1, right.slope, width - 0.5 - right.offset],
            [bottom.slope, 1, height - 0.5 - bottom.offset],
            [1, -left.slope, -0.5 + left.offset],
        ]
    )
    pairs = ((3, 0), (0, 1), (1, 2), (2, 3))
    return np.stack([np.linalg.solve(lines[list(p), :2], lines[list(p), 2]) for p in pairs])


def _reduced(pixels: Image) -> tuple[Image, Floats]:
    height, width = pixels.shape[:2]
    factor = min(1.0, WORKING_SIDE / max(height, width))
    if factor == 1:
        return pixels, np.ones(2)
    size = (round(width * factor), round(height * factor))
    small = np.atleast_3d(np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32))
    return small, np.array([size[0] / width, size[1] / height])


def _window(noise: float) -> int:
    return 1 if noise < 0.008 else 3 if noise < 0.03 else 5


def _surround_colours(small: Image) -> list[tuple[Floats, float]]:
    """Give the most common colours along the frame, each with the standard deviation of its noise."""
    sides = [np.ascontiguousarray(_from_side(small, side)[0]) for side in range(4)]
    ring = np.concatenate([cv2.blur(s, (1, 5)).reshape(s.shape) for s in sides])
    raw = np.concatenate(sides)
    touched = LEAST_TOUCHED * len(ring)
    found: list[tuple[Floats, float]] = []
    while len(found) < COLOURS and len(ring) > touched:
        seeds = ring[np.linspace(0, len(ring) - 1, SEEDS).astype(int)]
        near = np.abs(ring[np.newaxis] - seeds[:, np.newaxis]).max(axis=2) < NEAR
        best = near[near.sum(axis=1).argmax()]
        colour = np.median(ring[best], axis=0)
        alike = raw[np.abs(raw - colour).max(axis=1) < 2.5 * NEAR]
        noise = 1.4826 * float(np.median(np.abs(alike - colour))) if len(alike) else 1.0
        within = np.abs(ring - colour).max(axis=1) < max(LEAST_TOLERANCE, 2 * noise)
        if best.sum() < touched:
            break
        if within.sum() >= touched and noise <= MOST_NOISE:
            found.append((np.median(ring[within], axis=0).astype(np.float64), noise))
        ring = ring[~best]
    return found


def _edges(small: Image, colour: Floats, noise: float) -> list[Edge] | None:
    """Find the edges of what differs from a colour, at least one of them crooked; None if there are none such."""
    different = _distance(small, colour, noise) > max(LEAST_TOLERANCE, 5 * noise / _window(noise))
    if different.mean() < LEAST_DIFFERENT:
        return None
    edges = []
    for side in range(4):
        coarse = _edge_of_side(_from_side(different, side))
        edges.append(_refined(coarse, _from_side(small, side), colour, noise) if coarse.length else coarse)
    crooked = any(e.length and abs(e.slope) > LEAST_SLOPE for e in edges)
    return edges if crooked and _explains(edges, different) else None


def _distance(small: Image, colour: Floats, noise: float) -> Image:
    window = _window(noise)
    smooth = small if window == 1 else np.asarray(np.atleast_3d(cv2.blur(small, (window, window))), np.float32)
    return largest_difference(smooth, colour.astype(np.float32))


def _from_side(array: NDArray[Any], side: int) -> NDArray[Any]:
    """Turn a picture so that the side lies at the top and positions along it run as in the picture."""
    turned = array if side in (0, 2) else array.swapaxes(0, 1)
    return turned if side in (0, 3) else turned[::-1]


def _edge_of_side(different: NDArray[np.bool_]) -> Edge:
    """Fit a line to the depth of the surround below the top side."""
    reach = int(0.5 * len(different))
    near = different[:reach]
    depth = np.where(near.any(axis=0), near.argmax(axis=0), reach).astype(np.float64)
    position = np.arange(len(depth), dtype=np.float64)
    seen = np.flatnonzero((depth >= 1) & (depth < reach))
    if len(seen) < LEAST_LENGTH * len(depth):
        return Edge()
    some = seen[np.linspace(0, len(seen) - 1, SAMPLES).astype(int)]
    first, second = np.triu_indices(SAMPLES, 4)
    run = position[some[second]] - position[some[first]]
    use = run >= 0.05 * len(depth)
    first, second, run = first[use], second[use], run[use]
    slope = (depth[some[second]] - depth[some[first]]) / run
    offset = depth[some[first]] - slope * position[some[first]]
    deepest = offset + np.maximum(slope, 0) * (len(depth) - 1)
    possible = (np.abs(slope) < STEEPEST) & (deepest >= THINNEST) & (deepest <= DEEPEST * len(different))
    slope, offset = slope[possible], offset[possible]
    if len(slope) == 0:
        return Edge()
    line = offset[:, np.newaxis] + slope[:, np.newaxis] * position
    inside = line >= 0.5
    beyond = depth - line
    agrees = inside & (np.abs(beyond) < ON_LINE)
    votes = agrees.sum(axis=1) - 4.0 * (inside & (beyond < -2)).sum(axis=1)
    best = int(votes.argmax())
    along, length = inside[best], float(np.count_nonzero(agrees[best]))
    if length < LEAST_LENGTH * len(depth) or length < LEAST_INLIERS * np.count_nonzero(along):
        return Edge()
    return Edge(float(offset[best]), float(slope[best]), length)


def _refined(edge: Edge, pixels: Image, colour: Floats, noise: float) -> Edge:
    """Fit the line to where pixels are half way from the surround to the content."""
    position = np.arange(pixels.shape[1])
    line = edge.offset + edge.slope * position
    use = (line > 1.5) & (line < len(pixels) - 8)
    position, line = position[use], line[use]
    rows = np.clip(np.rint(line).astype(int)[:, np.newaxis] + np.arange(-4, 6), 0, len(pixels) - 1)
    profile = pixels[rows, position[:, np.newaxis]] - colour.astype(np.float32)
    content = profile[:, 6:9].mean(axis=1)
    contrast = np.abs(content).max(axis=1)
    share = np.einsum("nkc,nc->nk", profile, content) / np.maximum((content**2).sum(axis=1), 1e-6)[:, np.newaxis]
    crossed = share >= 0.5
    k = crossed.argmax(axis=1)
    usable = (k > 0) & (contrast > max(0.06, 3 * noise))
    if usable.sum() < LEAST_CRISP * len(line):
        return Edge()
    position, rows, k, share, contrast = (a[usable] for a in (position, rows, k, share, contrast))
    n = np.arange(len(k))
    before, after = share[n, k - 1], share[n, k]
    # The centre of row r lies at depth r + 1/2.
    depth = rows[n, k - 1] + (0.5 - before) / np.maximum(after - before, 1e-6) + 0.5
    design = np.stack([np.ones(len(k)), position.astype(np.float64)], axis=1)
    fit = np.array([edge.offset + 0.5, edge.slope])
    for width in (2.0, 1.0, 0.5, 0.5, 0.5):
        weight = np.minimum(contrast, 0.3) / (1 + ((depth - design @ fit) / width) ** 2) ** 2
        fit = np.linalg.solve(design.T @ (weight[:, np.newaxis] * design), design.T @ (weight * depth))
    crisp = np.count_nonzero(np.abs(depth - design @ fit) < 0.6 + 3 * noise)
    straight = crisp >= max(LEAST_CRISP * len(line), LEAST_STRAIGHT * len(depth))
    return Edge(float(fit[0]), float(fit[1]), edge.length) if straight else Edge()


def _explains(edges: list[Edge], different: NDArray[np.bool_]) -> bool:
    """Tell whether what lies outside of the edges is surround, and what lies just inside mostly is not."""
    margins = []  # for each side, how deep inside of its edge each pixel lies
    for side, edge in enumerate(edges):
        rows, columns = _from_side(different, side).shape
        depth = np.arange(rows)[:, np.newaxis] + 0.5 - (edge.offset + edge.slope * np.arange(columns))
        upright = depth if side in (0, 3) else depth[::-1]
        margins.append(upright if side in (0, 2) else upright.T)
    margin = np.minimum.reduce(margins)
    outside = margin < -1.5
    if not outside.any() or (margin < 0).mean() < LEAST_AREA or different[outside].mean() > MOST_CONTENT_OUTSIDE:
        return False
    bands = [(margin > 2.5) & (m < 4.5) for m in margins]
    content = [float(different[band].mean()) if band.any() else 0.0 for band in bands]
    seen = [edge.length > 0 for edge in edges]
    at_frame = min((c for c, s in zip(content, seen, strict=True) if not s), default=1.0)
    return float(np.mean(content)) > LEAST_CONTENT_INSIDE and (sum(seen) > 2 or at_frame > LEAST_CONTENT_AT_FRAME)


def _enlarged(edge: Edge, scale: Floats, side: int) -> Edge:
    """Take an edge of the reduced picture to the picture itself."""
    along, across = (scale[0], scale[1]) if side in (0, 2) else (scale[1], scale[0])
    # Depths scale; the centre of pixel p lies at (p + 1/2) scale - 1/2.
    slope = edge.slope * along / across
    offset = (edge.offset + edge.slope * (0.5 * along - 0.5)) / across
    return Edge(float(offset), float(slope), float(edge.length / along))


def rotation_of(surround: Surround) -> float | None:
    """Give the angle (degrees counter-clockwise) that all edges are turned by, or None if they do not agree on one."""
    seen = [(_angle(e, side), e.length, side) for side, e in enumerate(surround.edges) if e.length]
    if len({side % 2 for _, _, side in seen}) < 2:
        return None
    if len(seen) == 4:  # one may be mistaken: content of the colour of the surround
        middle = float(np.median([a for a, _, _ in seen]))
        seen = sorted(seen, key=lambda edge: abs(edge[0] - middle))[:3]
    angle = float(np.average([a for a, _, _ in seen], weights=[n for _, n, _ in seen]))
    agree = all(abs(a - angle) < AGREEMENT + np.degrees(1 / n) for a, n, _ in seen)
    return angle if agree else None


def disagreement_of(surround: Surround) -> float:
    """Give by how many degrees opposite edges, or an edge and the frame, differ in direction: 0 for a rectangle."""
    top, right, bottom, left = (_angle(e, side) for side, e in enumerate(surround.edges))
    return max(abs(top - bottom), abs(right - left), abs((top + bottom) / 2 - (right + left) / 2))


def _angle(edge: Edge, side: int) -> float:
    return float(np.degrees(np.arctan(edge.slope)) * (-1, -1, 1, 1)[side])
