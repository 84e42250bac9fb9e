"""Scratches: thin light lines where something dragged over the print or the film.

A scratch bares the white paper or the film base: y = (1 - a) x + a, so its opacity a can be told from the median of
the surroundings and is the same in all channels. Sums of it along short segments of all directions, compared with the
parallels on both sides, find lines (Kokaram, "On missing data treatment for degraded video and film archives", IEEE TIP
13, 2004, integrates vertical ones). Scenes hold lines too: dark ones about as many as light ones, so that the dark ones
of the neighbourhood tell what chance makes of the light ones. A logistic regression on what a line looks like, fitted
to lines of 180 photographs with and without scratches, weighs the evidence; only much of it in one picture counts.

Not yet part of the diagnosis: where it is silent on clean pictures, it finds few of the damaged ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.diagnosis.finding import Finding

if TYPE_CHECKING:
    from anew.images import Picture

Vector = NDArray[np.float64]
Line = tuple[NDArray[np.int64], NDArray[np.int64]]

WORKING_PIXELS = 0.35e6  # a larger picture is reduced to that many
BACKGROUND = 5  # side of the median window: wider lines are not scratches
MOST_OPACITY = 0.35  # a pixel counts no more than this, lest single specks make lines
DIRECTIONS = 24
DOUBLINGS = 5  # a segment has 2^5 pixels
ASIDE = 3  # pixels to the parallels
WEAK, STRONG = (0.03, 1.2), (0.05, 2.2)  # mean opacity along a segment; relative to that of dark ones around
LEAST_SEEDS, LEAST_EXTENT = 6, 24  # pixels
MOST_LINES = 150  # more are texture
LEAST_EVIDENCE = 7.5  # sum of the log-odds of all lines that are rather scratches than not
LIKELY = 1.0  # log-odds of a line that is marked
CREDIBLE = 6.0  # log-odds; one line alone does not count more
LEAST_OPACITY = 0.08  # of a pixel on a line

# Of each property of a line: mean and standard deviation over the lines that were seen, then the weights of the
# standardised value z and of z^2 - 1 in the log-odds.
WEIGHTS = np.array(
    [
        (4.103, 0.567, 0.195, -0.111),  # log of the extent
        (0.093, 0.033, -0.785, -0.176),  # mean response
        (0.617, 0.156, 0.197, -0.169),  # log of the mean relative response
        (1.267, 0.333, 0.818, -0.013),  # log of the largest
        (4.528, 5.963, 0.520, 0.030),  # scatter about a parabola
        (2.923, 3.505, -0.004, -0.069),  # bend
        (0.281, 0.143, 0.638, -0.242),  # opacity of the deepest quarter
        (0.196, 0.105, -0.155, 0.027),  # its scatter over the line
        (0.113, 0.139, 0.001, 0.044),  # least peak of 8 pixels
        (0.382, 0.215, 1.479, -0.054),  # median peak
        (0.147, 0.079, 0.330, -0.276),  # scatter of the peaks
        (0.130, 0.093, -1.555, 0.198),  # difference of the two sides
        (0.069, 0.050, 0.622, -0.105),  # scatter of the background
        (0.349, 0.161, -0.482, -0.197),  # background
        (-3.231, 0.440, -0.205, 0.343),  # log of the texture
        (4.572, 3.756, -2.252, 0.303),  # pixels per length
        (0.241, 0.211, 0.722, -0.177),  # off the axes
        (0.178, 0.109, -0.247, -0.193),  # chroma
    ]
)
OFFSET = -2.780


@dataclass(frozen=True)
class Scratches:
    """What looks like scratches in one picture.

    Attributes
    ----------
    mask : (H, W) bool array
    evidence : float
        Sum of the log-odds of the lines that are rather scratches than not.
    count : int
        How many of these are marked.
    """

    mask: Mask
    evidence: float
    count: int


@dataclass(frozen=True)
class _Views:
    """What the lines of one picture are measured in, all (H, W) float32."""

    light: Image  # the darkest channel
    smooth: Image
    background: Image
    chroma: Image
    opacity: Image
    response: Image
    relative: Image
    texture: Image


def estimate_scratches(image: Image) -> Scratches:
    """Mark light scratches, whether or not they are many enough to be sure of them.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    """
    pixels = np.clip(np.atleast_3d(image), 0, 1)
    shape = pixels.shape[:2]
    if min(shape) < 2**DOUBLINGS:
        return Scratches(np.zeros(shape, bool), 0.0, 0)
    scale = min(1.0, math.sqrt(WORKING_PIXELS / (shape[0] * shape[1])))
    if scale < 1:
        size = (round(shape[1] * scale), round(shape[0] * scale))
        pixels = np.atleast_3d(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    lines, properties, white = measure_lines(pixels)
    if not 0 < len(lines) <= MOST_LINES:
        return Scratches(np.zeros(shape, bool), 0.0, 0)
    odds = log_odds(properties)
    marked = np.zeros(pixels.shape[:2], np.uint8)
    for line, likely in zip(lines, odds > LIKELY, strict=True):
        marked[line] |= likely
    near = cv2.dilate(marked, np.ones((3, 3), np.uint8)) > 0
    bright = (near & (white > LEAST_OPACITY)).astype(np.uint8)
    mask = cv2.dilate(bright, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    whole = cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return Scratches(whole, float(np.clip(odds, 0, CREDIBLE).sum()), int((odds > LIKELY).sum()))


def find_scratches(picture: Picture) -> Finding | None:
    """Report scratches and where they are, or None."""
    found = estimate_scratches(picture.pixels)
    if found.evidence < LEAST_EVIDENCE or not found.mask.any():
        return None
    return Finding(
        kind="scratches",
        value=100 * float(found.mask.mean()),
        unit="% of pixels",
        confidence=float(np.clip(0.6 + 0.02 * (found.evidence - LEAST_EVIDENCE), 0.6, 0.9)),
        message=f"There are about {found.count} light scratches.",
        map=found.mask,
    )


def measure_lines(pixels: Image) -> tuple[list[Line], Vector, Image]:
    """Find light lines and measure what tells a scratch from a line of the scene.

    Parameters
    ----------
    pixels : (H, W, C) float32 array in [0, 1]

    Returns
    -------
    list of (rows, columns)
        The pixels of each line.
    (N, 18) float array
        Their properties, in the order of ``WEIGHTS``.
    (H, W) float32 array
        The opacity of each pixel of the picture.
    """
    views = _views(pixels)
    lines = _lines(views)
    return lines, np.array([_properties(line, views) for line in lines]).reshape(-1, len(WEIGHTS)), views.opacity


def opacity(pixels: Image) -> Image:
    """Estimate how far each pixel has gone from the median of its surroundings towards white.

    Parameters
    ----------
    pixels : (H, W, C) float32 array in [0, 1]

    Returns
    -------
    (H, W) float32 array
        The least of all channels; negative where it is darker than its surroundings.
    """
    least = np.full(pixels.shape[:2], np.inf, np.float32)
    for c in range(pixels.shape[2]):
        x = pixels[:, :, c]
        median = _median(x)
        np.minimum(least, (x - median) / np.maximum(1 - median, 0.2), out=least)
    return least


def segment_means(x: Image, angle: float) -> Image:
    """Average over the segment of 2^DOUBLINGS pixels around each pixel, by doubling: 1 + 1, 2 + 2, 4 + 4...

    Parameters
    ----------
    x : (H, W) float32 array
    angle : float
        Radians, counter-clockwise from the x axis.
    """
    dx, dy = math.cos(angle), -math.sin(angle)
    total, length = x, 1
    for _ in range(DOUBLINGS):
        total = total + _ahead(total, length * dx, length * dy)
        length *= 2
    return np.asarray(_ahead(total, -length / 2 * dx, -length / 2 * dy) / length, np.float32)


def _ahead(x: Image, dx: float, dy: float) -> Image:
    """Give to each pixel the value of the one that lies (dx, dy) further on."""
    matrix = np.array([[1, 0, -round(dx)], [0, 1, -round(dy)]], np.float32)
    moved = cv2.warpAffine(x, matrix, x.shape[::-1], flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.float32)


def _median(x: Image) -> Image:
    return np.asarray(cv2.medianBlur((255 * x).astype(np.uint8), BACKGROUND) / np.float32(255), np.float32)


def _views(pixels: Image) -> _Views:
    white, black = opacity(pixels), opacity(1 - pixels)
    detail = np.clip(white, 0, MOST_OPACITY) - np.clip(black, 0, MOST_OPACITY)
    response = np.full(detail.shape, -1, np.float32)
    dark = response.copy()
    for k in range(DIRECTIONS):
        angle = math.pi * k / DIRECTIONS
        along = segment_means(detail, angle)
        dx, dy = ASIDE * math.sin(angle), ASIDE * math.cos(angle)
        one, other = _ahead(along, dx, dy), _ahead(along, -dx, -dy)
        np.maximum(response, along - np.maximum(one, other), out=response)
        np.maximum(dark, np.minimum(one, other) - along, out=dark)
    texture = np.asarray(cv2.blur(np.maximum(dark, 0), (61, 61)), np.float32)
    light = np.ascontiguousarray(pixels.min(axis=2))
    return _Views(
        light=light,
        smooth=np.asarray(cv2.GaussianBlur(light, (0, 0), 1.0), np.float32),
        background=np.asarray(cv2.GaussianBlur(_median(light), (0, 0), 3), np.float32),
        chroma=pixels.max(axis=2) - light,
        opacity=white,
        response=response,
        relative=response / (texture + np.float32(0.01)),
        texture=texture,
    )


def _lines(views: _Views) -> list[Line]:
    """Give rows and columns of each connected part of a weak response that holds some strong one and is long."""
    weak = (views.response > WEAK[0]) & (views.relative > WEAK[1])
    strong = (views.response > STRONG[0]) & (views.relative > STRONG[1])
    count, labels, stats, _ = cv2.connectedComponentsWithStats(weak.astype(np.uint8), connectivity=8)
    seeds = np.bincount(labels[strong], minlength=count)
    extent = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    chosen = np.flatnonzero((seeds >= LEAST_SEEDS) & (extent >= LEAST_EXTENT))
    lines = []
    for label in chosen[chosen > 0]:
        left, top, width, height = stats[label, :4]
        rows, columns = np.nonzero(labels[top : top + height, left : left + width] == label)
        lines.append((rows + top, columns + left))
    return lines


def _properties(line: Line, views: _Views) -> list[float]:
    """Measure what tells a scratch from a line of the scene, in the order of ``WEIGHTS``."""
    rows, columns = line
    centred = np.stack([columns, rows], 1) - np.array([columns.mean(), rows.mean()])
    _, axes = np.linalg.eigh(centred.T @ centred / len(rows))
    normal, direction = axes[:, 0], axes[:, 1]
    along, across = centred @ direction, centred @ normal
    extent = max(float(np.ptp(along)), 1.0)
    parabola = np.polyfit(along / extent, across, 2)
    depth = views.opacity[line]
    deepest = np.sort(depth)[-max(3, len(depth) // 4) :]
    places = ((along - along.min()) / 8).astype(int)
    peaks = np.full(places.max() + 1, -1.0)
    np.maximum.at(peaks, places, depth)
    peaks = peaks[peaks > -1]
    one, other = (_beside(views.smooth, line, side * normal) for side in (5, -5))
    relative = views.relative[line]
    return [
        math.log(extent),
        float(views.response[line].mean()),
        math.log(relative.mean()),
        math.log(relative.max()),
        float((across - np.polyval(parabola, along / extent)).std()),  # crossing or parallel lines hang together
        abs(float(parabola[0])) / extent * 10,
        float(deepest.mean()),
        float(depth.std()),
        float(peaks.min()),
        float(np.median(peaks)),
        float(peaks.std()),  # pressed on unevenly
        float(np.abs(one - other).mean()),  # an edge of the scene differs on its sides
        float(views.background[line].std()),  # a scratch runs over different things
        float(views.background[line].mean()),
        math.log(views.texture[line].mean() + 0.003),
        len(rows) / extent,
        float(np.abs(direction).min()),  # houses are upright, scratches need not be
        float(views.chroma[line].mean()),
    ]


def _beside(x: Image, line: Line, step: NDArray[np.floating]) -> Image:
    rows = np.clip(np.rint(line[0] + step[1]).astype(int), 0, x.shape[0] - 1)
    columns = np.clip(np.rint(line[1] + step[0]).astype(int), 0, x.shape[1] - 1)
    return np.asarray(x[rows, columns])


def log_odds(properties: Vector) -> Vector:
    """Give the log-odds of each line to be a scratch.

    Parameters
    ----------
    properties : (N, 18) float array

    Returns
    -------
    (N,) float array
    """
    z = np.clip((properties - WEIGHTS[:, 0]) / WEIGHTS[:, 1], -4, 4)
    return np.asarray(z @ WEIGHTS[:, 2] + (z * z - 1) @ WEIGHTS[:, 3] + OFFSET, np.float64)
