"""Whether a wall or a page is seen in perspective, told from its edges in a surround or from its vanishing points.

Where a uniform surround shows the four edges of the content, they tell all (``structure.surround``). Elsewhere lines
must. A frontal plane has two families of parallel lines. Seen at an angle, each family meets in a vanishing point; the
map

    X = (x + a y) / (1 + p x + q y),   Y = (b x + y) / (1 + p x + q y)

(x, y from the centre of the picture, in half diagonals) makes the lines of both families vertical and horizontal again:
p and q hold the line through both vanishing points (Hartley and Zisserman, Multiple View Geometry, section 8.6), a and
b the directions. They are fitted to the end points of all lines of both families. Size, place and aspect cannot be told
from directions; they are kept at the centre of the picture.

Tall buildings converge by nature; so both families must fill the picture, and nearly all lines must belong to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.diagnosis.finding import Finding
from anew.structure.homography import corners_of, solve_homography
from anew.structure.lines import Bundle, Segments, find_segments, fit_bundles, lengths
from anew.structure.surround import Surround, corners_of_content, disagreement_of, find_surround, rotation_of

if TYPE_CHECKING:
    from anew.images import Picture

LEAST_CONVERGENCE = 4.0  # degrees from the middle to the border; less is common in photographs of buildings
LEAST_DISAGREEMENT = 1.5  # degrees between opposite edges in a surround
REACH = 0.01  # of the picture, by which corners may lie beyond the frame
FILLS = 0.05  # of the picture; content that comes this near to all sides of the frame is meant to fill it
LEAST_SUPPORT = 1.2  # diagonals of line in each family
LEAST_SHARE = 0.5  # of all lines near its axis, for each family
LEAST_SPREAD = 0.6  # of the picture
MAX_TILT = 6.0  # degrees; a plane that is turned as well is hardly meant to be frontal
ROUNDS = 8  # of reweighted Gauss-Newton
ROBUST = 1.0  # pixels; a line further off counts less


@dataclass(frozen=True)
class Keystone:
    """Where the corners of the upright picture lie ((4, 2) x, y), how strongly lines converge (degrees), how sure."""

    corners: NDArray[np.float64]
    convergence: float
    confidence: float


def estimate_keystone(image: Image) -> Keystone:
    """Estimate the keystone of an image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array

    Returns
    -------
    Keystone
        The picture's own corners with confidence 0 where it does not tell.
    """
    nothing = Keystone(corners_of(image.shape), 0.0, 0.0)
    surround = find_surround(image)
    if surround is not None:
        keystone = _keystone_of_surround(surround, image.shape)
        if keystone is not None:
            return keystone
    segments = find_segments(image)
    horizontal, vertical = fit_bundles(segments, image.shape)
    convergence = max(abs(horizontal.convergence), abs(vertical.convergence))
    if convergence < LEAST_CONVERGENCE or not _is_frontal_plane(horizontal, vertical):
        return nothing
    parameters = fit_plane(segments, horizontal, vertical, image.shape)
    if parameters is None:
        return nothing
    support = horizontal.support + vertical.support
    return Keystone(_corners_of_plane(parameters, image.shape), convergence, min(0.95, 0.6 + 0.04 * support))


def find_keystone(picture: Picture) -> Finding | None:
    """Report a wall or page in perspective, or None."""
    keystone = estimate_keystone(picture.pixels)
    if keystone.confidence == 0:
        return None
    return Finding(
        kind="keystone",
        value=keystone.convergence,
        unit="degrees",
        confidence=keystone.confidence,
        message=f"Parallel lines converge: at the border they lean by {keystone.convergence:.1f} degrees.",
        details={"corners": keystone.corners.tolist()},
    )


def _keystone_of_surround(surround: Surround, shape: tuple[int, ...]) -> Keystone | None:
    """Take the edges of the content for those of an upright rectangle, or give None if they hardly can be."""
    disagreement = disagreement_of(surround)
    seen = [e.length > 0 for e in surround.edges]
    if sum(seen) < 2 or rotation_of(surround) is not None or disagreement < LEAST_DISAGREEMENT:
        return None
    ends = corners_of_content(surround, shape)
    size = np.array([shape[1], shape[0]])
    cut = np.any((ends < -0.5 - REACH * size) | (ends > size * (1 + REACH) - 0.5), axis=1)
    both_seen = [seen[side - 1] and seen[side] for side in range(4)]  # corner k lies between edges k - 1 and k
    if any(c and not b for c, b in zip(cut.tolist(), both_seen, strict=True)):
        return None
    back = solve_homography(_rectangle_of(surround, ends, shape), ends)
    u, v, w = back @ np.vstack([corners_of(shape).T, np.ones(4)])
    return Keystone(np.column_stack([u / w, v / w]), disagreement, 0.9)


def _rectangle_of(surround: Surround, ends: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Give the rectangle that the content shall fill: the picture if it reaches all its sides, else one of its size."""
    height, width = shape[:2]
    near = [
        min(e.offset, e.offset + e.slope * (along - 1)) <= FILLS * across
        for e, (along, across) in zip(surround.edges, 2 * ((width, height), (height, width)), strict=True)
    ]
    if all(near):
        left, top, right, bottom = -0.5, -0.5, width - 0.5, height - 0.5
    else:
        sides = np.linalg.norm(np.roll(ends, -1, axis=0) - ends, axis=1)
        half = np.array([sides[0] + sides[2], sides[1] + sides[3]]) / 4
        (left, top), (right, bottom) = ends.mean(axis=0) - half, ends.mean(axis=0) + half
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def fit_plane(
    segments: Segments, horizontal: Bundle, vertical: Bundle, shape: tuple[int, ...]
) -> NDArray[np.float64] | None:
    """Fit (a, b, p, q) of the map above to the lines of both families, or give None if it does not come to rest."""
    half = np.hypot(shape[0], shape[1]) / 2
    centre = np.array([shape[1] - 1, shape[0] - 1]) / 2
    ends = (segments.reshape(-1, 2, 2) - centre) / half
    lying, standing = ends[list(horizontal.members)], ends[list(vertical.members)]
    weight = np.sqrt(lengths(segments))[list(horizontal.members) + list(vertical.members)]

    def residuals(m: NDArray[np.float64]) -> NDArray[np.float64]:
        a, b, p, q = m

        def straightened(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            x, y = points[..., 0], points[..., 1]
            w = 1 + p * x + q * y
            return (x + a * y) / w, (b * x + y) / w

        _, lying_y = straightened(lying)
        standing_x, _ = straightened(standing)
        return np.concatenate([lying_y[:, 1] - lying_y[:, 0], standing_x[:, 1] - standing_x[:, 0]]) * half

    m = np.zeros(4)
    for _ in range(ROUNDS):
        r = residuals(m)
        jacobian = np.stack([(residuals(m + step) - r) / 1e-5 for step in 1e-5 * np.eye(4)], axis=1)
        w = weight / (1 + (r / ROBUST) ** 2)
        change = np.linalg.lstsq(np.sqrt(w)[:, np.newaxis] * jacobian, -np.sqrt(w) * r, rcond=None)[0]
        m = m + change
        if not np.isfinite(m).all() or np.abs(m[2:]).sum() > 0.9:
            return None
    return m


def _corners_of_plane(parameters: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Give where the corners of the straightened picture come from: the inverse of the map."""
    a, b, p, q = parameters
    half = np.hypot(shape[0], shape[1]) / 2
    centre = np.array([shape[1] - 1, shape[0] - 1]) / 2
    back = np.linalg.inv(np.array([[1, a, 0], [b, 1, 0], [p, q, 1]]))
    upright = np.column_stack([(corners_of(shape) - centre) / half, np.ones(4)])
    found = upright @ back.T
    return np.asarray(found[:, :2] / found[:, 2:] * half + centre)


def _is_frontal_plane(horizontal: Bundle, vertical: Bundle) -> bool:
    both = (horizontal, vertical)
    return (
        min(b.support for b in both) > LEAST_SUPPORT
        and min(b.spread for b in both) > LEAST_SPREAD
        and min(b.count for b in both) >= 6
        and max(abs(b.tilt) for b in both) < MAX_TILT
        and all(b.support > LEAST_SHARE * b.candidates for b in both)
    )
