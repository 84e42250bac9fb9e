"""Straight line segments and edge chains: what tilt, perspective and lens distortion are told from.

Segments come from the line segment detector of Grompone von Gioi, Jakubowicz, Morel and Randall (LSD, IEEE TPAMI 32,
2010): regions of pixels whose gradients share a direction, kept if chance would not make them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance

Segments = NDArray[np.float64]  # (N, 4): x1, y1, x2, y2 in pixels

WORKING_SIDE = 800  # pixels; angles of long lines are exact enough there, and it takes a tenth of a second
CONTRAST_PERCENTILES = (0.5, 99.5)
# OpenCV's detector looks at a copy of 0.8 of the size and gives (x + 1/2) / 0.8 for a place between the pixels x and
# x + 1 there, which is (x + 1) / 0.8 - 1/2 in its input.
DETECTOR_SHIFT = 0.5 / 0.8 - 0.5  # pixels

NEAR_AXIS = 16.0  # degrees; lines further off are not meant to be horizontal or vertical
AGREEMENT = 0.3  # degrees; standard deviation of the direction of a segment of some 30 pixels
UPRIGHT = 0.6  # degrees
TILTS = np.arange(-14, 14.05, 0.1)
CONVERGENCES = np.arange(-12.0, 12.5, 1.0)
MAX_VOTERS = 250


def find_segments(image: Image, *, min_length: float = 0.03, working_side: int = WORKING_SIDE) -> Segments:
    """Find straight line segments.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    min_length : float
        Shorter segments are left out; in units of the diagonal.
    working_side : int
        A larger image is reduced so that its longer side has that many pixels.

    Returns
    -------
    (N, 4) float64 array
        End points x1, y1, x2, y2 in pixels of ``image``, longest first.
    """
    grey, scale = working_copy(image, working_side)
    if min(grey.shape) < 8:
        return np.empty((0, 4))
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_NONE).detect(grey)[0]
    if found is None:
        return np.empty((0, 4))
    # Pixel centres: (x + 1/2) / scale - 1/2 takes the small copy's coordinates to the large one's.
    segments = (np.asarray(found, np.float64).reshape(-1, 4) + DETECTOR_SHIFT + 0.5) * np.tile(1 / scale, 2) - 0.5
    length = lengths(segments)
    segments = segments[length >= min_length * np.hypot(*image.shape[:2])]
    return segments[np.argsort(-lengths(segments), kind="stable")]


def lengths(segments: Segments) -> NDArray[np.float64]:
    """Give the (N,) lengths in pixels."""
    return np.asarray(np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1]))


def slopes(segments: Segments) -> NDArray[np.float64]:
    """Give the (N,) directions in degrees in [-90, 90), counter-clockwise from the x axis as one sees it (y down)."""
    angle = np.degrees(np.arctan2(segments[:, 1] - segments[:, 3], segments[:, 2] - segments[:, 0]))
    return np.asarray((angle + 90) % 180 - 90)


def midpoints(segments: Segments) -> NDArray[np.float64]:
    """Give the (N, 2) midpoints (x, y)."""
    return (segments[:, :2] + segments[:, 2:]) / 2


def working_copy(image: Image, working_side: int = WORKING_SIDE) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Give a reduced grey copy with stretched contrast, as uint8 (h, w), and its scale (w / W, h / H)."""
    grey = luminance(image)
    height, width = grey.shape
    factor = min(1.0, working_side / max(height, width))
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
    low, high = np.percentile(grey, CONTRAST_PERCENTILES)
    stretched = np.clip((grey - low) * (255 / max(high - low, 1 / 255)), 0, 255)
    return np.rint(stretched).astype(np.uint8), np.array([grey.shape[1] / width, grey.shape[0] / height])


@dataclass(frozen=True)
class Bundle:
    """The lines near one axis that agree on a common direction, or converge on a common vanishing point.

    Attributes
    ----------
    tilt : float
        Degrees counter-clockwise from the axis, in the middle of the picture.
    convergence : float
        Degrees by which the direction changes from the middle of the picture to its border.
    support : float
        Total length of the lines that agree, in diagonals of the picture.
    candidates : float
        Total length of all lines near the axis, in diagonals.
    upright : float
        Total length of the lines that lie along the axis itself, in diagonals.
    spread : float in [0, 1]
        The part of the picture that lies between the outermost lines that agree.
    count : int
        How many segments agree.
    members : tuple of int
        Which ones, as rows of the segments.
    """

    tilt: float = 0.0
    convergence: float = 0.0
    support: float = 0.0
    candidates: float = 0.0
    upright: float = 0.0
    spread: float = 0.0
    count: int = 0
    members: tuple[int, ...] = ()


def fit_bundles(segments: Segments, shape: tuple[int, ...]) -> tuple[Bundle, Bundle]:
    """Find what the nearly horizontal and what the nearly vertical lines agree on.

    Lines through one far vanishing point change their direction, to first order, in proportion to their distance from
    the middle: direction = tilt + convergence * position, position in [-1, 1] across the picture. The pair with the
    most length of line near it wins (a Hough transform with a soft vote), and is then refined by iteratively
    reweighted least squares.

    Parameters
    ----------
    segments : (N, 4) array from ``find_segments``
    shape : (H, W, ...)
        Shape of the image that they come from.

    Returns
    -------
    horizontal, vertical : Bundle
    """
    length = lengths(segments) / np.hypot(shape[0], shape[1])
    slope = slopes(segments)
    offset = (slope + 45) % 90 - 45
    half = np.array([shape[1], shape[0]]) / 2
    position = (midpoints(segments) + 0.5) / half - 1
    near = np.abs(offset) < NEAR_AXIS
    lying = near & (np.abs(slope) < 45)
    standing = near & ~lying
    horizontal, vertical = (
        _fit_bundle(np.flatnonzero(chosen), offset[chosen], position[chosen, across], length[chosen])
        for chosen, across in ((lying, 1), (standing, 0))
    )
    return horizontal, vertical


def _fit_bundle(
    index: NDArray[np.intp], offset: NDArray[np.float64], position: NDArray[np.float64], length: NDArray[np.float64]
) -> Bundle:
    if len(offset) < 2:
        return Bundle(candidates=float(length.sum()))
    voters = slice(0, MAX_VOTERS)  # the longest ones: segments come sorted
    votes = np.empty((len(CONVERGENCES), len(TILTS)))
    for row, convergence in enumerate(CONVERGENCES):
        residual = offset[voters] - convergence * position[voters] - TILTS[:, np.newaxis]
        votes[row] = np.exp(-0.5 * (residual / AGREEMENT) ** 2) @ length[voters] * (1 - 0.03 * abs(convergence))
    best = np.unravel_index(votes.argmax(), votes.shape)
    convergence, tilt = CONVERGENCES[best[0]], TILTS[best[1]]

    design = np.stack([np.ones_like(position), position], axis=1)
    for _ in range(5):
        residual = offset - tilt - convergence * position
        weight = length * np.exp(-0.5 * (residual / AGREEMENT) ** 2)
        normal = design.T @ (weight[:, np.newaxis] * design) + np.diag([1e-9, 1e-3])
        tilt, convergence = np.linalg.solve(normal, design.T @ (weight * offset))

    agree = np.abs(offset - tilt - convergence * position) < 3 * AGREEMENT
    return Bundle(
        tilt=float(tilt),
        convergence=float(convergence),
        support=float(length[agree].sum()),
        candidates=float(length.sum()),
        upright=float(length[np.abs(offset) < UPRIGHT].sum()),
        spread=float(np.ptp(position[agree]) / 2) if agree.any() else 0.0,
        count=int(agree.sum()),
        members=tuple(index[agree].tolist()),
    )
