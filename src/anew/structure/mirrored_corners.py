"""By which angle a picture was turned within its frame, told from corners that are mirror images of its inside.

A program that turns a picture and keeps its size has to invent the four corners. Beside a constant it most often
mirrors the picture there, and leaves a trace: the edges of the turned picture, of which all four are known once the
angle is, are axes of symmetry. Fine detail outside of them is correlated with its mirror image inside at the true
angle only. Smooth content resembles its mirror image at any angle and is filtered out before.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance

WORKING_SIDE = 512  # pixels; the angle is exact enough there
COARSENESS = 4.0  # standard deviation of the coarse Gaussian over that of the fine one; detail is their difference
AXES = (0.0, 0.5)  # pixels; pictures are mirrored about the middle of their last pixels or about the border of these
BETWEEN = 0.25
DOUBT = 0.06  # an axis outside, with a little more of a turn, lies much like one inside: it must fit clearly better
MARGIN = 2.0  # pixels around an axis in which symmetry is a matter of course
ANGLES = np.arange(0.8, 12.1, 0.2)  # degrees; a peak of the correlation is some 0.4 wide
FLANK = 3  # steps; the symmetry is gone there, while smooth content is about as symmetric as at the peak
LEAST_RISE = 0.08
FINE_STEP = 0.03  # degrees
APART = 1.0  # degrees; other angles nearer than that belong to the same peak
LEAST_ANGLE = 1.4  # degrees; of smaller ones the corners are too thin to tell
# Degrees; below, they must fit nearly perfectly: what a denoiser leaves of strong noise under JPEG, blotches, is
# symmetric enough in 2 of 25 pictures at 2.0 to 2.3 degrees.
THIN_ANGLE = 2.5
# Blur lowers the correlation. Of 80 photographs turned and then blurred by motion over 9 pixels 16 lie below 0.75, all
# but one of them above the first of these, and all fit at four sides; noise makes corners fit at fewer.
WEAK, WEAK_AT_FEWER = 0.65, 0.7
MOST_POINTS = 5_000
# Pixels in the corners of one side. With fewer, an angle is not measured: taken for one without symmetry, it made the
# next angle a peak in every sixth thumbnail of 130 x 90. Not many more are as few as thin corners have.
LEAST_POINTS, FEW_POINTS = 200, 500
# Of the energy of the detail in all corners. A street of a map, alone in its corner, is symmetric about an axis that it
# crosses squarely: then the second side has at most 0.0012 of it, but at least 0.04 in 98 photographs that were turned.
LEAST_SHARE = 0.005
LEAST_SIDE = 0.5  # of the longest; the corners of shorter ones have hardly any of the points
# Stripes are mirror images of themselves about the axes along and across them, and nearly so at the angles around. Of
# 400 photographs none has less of its detail than 0.2, turned ones blurred by motion over 9 pixels 0.04 and more.
LEAST_ACROSS = 0.02

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MirroredCorners:
    """An angle and how well the corners fit it.

    Attributes
    ----------
    angle : float
        Degrees, counter-clockwise.
    correlation : float in [-1, 1]
        Of the detail in the corners with its mirror image.
    rise : float
        By how much the correlation is higher than at angles somewhat larger and smaller.
    elsewhere : float
        The highest correlation at any other angle.
    sides : int in [0, 4]
        At how many sides of the frame the corners have detail and fit by themselves.
    points : int
        How many pixels the corners of a side have, of the shortest that counts.
    """

    angle: float
    correlation: float
    rise: float
    elsewhere: float
    sides: int
    points: int

    @property
    def sure(self) -> bool:
        """Whether chance and content do not explain it; set on 320 photographs that were never turned.

        Denoised ones are smooth and correlate more by chance, but rise less above the angles around.
        """
        alone = self.correlation - self.elsewhere > 0.2 or 1 - self.elsewhere > 3 * (1 - self.correlation)
        if abs(self.angle) < THIN_ANGLE or self.points < FEW_POINTS:
            symmetric = alone and self.correlation > 0.9
        else:
            ahead = self.correlation - self.elsewhere > 0.16 or self.rise > 0.25
            weak = WEAK if self.sides == 4 else WEAK_AT_FEWER
            symmetric = self.correlation > (0.75 if ahead else 0.85) or (alone and self.correlation > weak)
        least_rise = LEAST_RISE if self.correlation > 0.75 else 2 * LEAST_RISE
        least_sides = 2 if alone and abs(self.angle) >= THIN_ANGLE else 3
        return symmetric and self.rise > least_rise and self.sides >= least_sides and abs(self.angle) >= LEAST_ANGLE


NOT_TOLD = MirroredCorners(0.0, 0.0, 0.0, 0.0, 0, 0)


def find_mirrored_corners(image: Image) -> MirroredCorners:
    """Find the angle at which the corners of a picture are most like mirror images.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array

    Returns
    -------
    MirroredCorners
        Correlation 0 for pictures too small to tell, where none of the angles can be measured along with those around
        it, and for stripes.
    """
    grey = _working_copy(image)
    detail = _detail(grey, 1.0)
    if min(detail.shape) < 48 or _share_across(detail) < LEAST_ACROSS:
        return NOT_TOLD
    tried = np.concatenate([-ANGLES[::-1], ANGLES])
    scores = np.array([correlation_at(detail, angle)[0] for angle in tried])
    rises = scores - np.maximum(np.roll(scores, FLANK), np.roll(scores, -FLANK))
    thick = np.abs(tried) >= LEAST_ANGLE
    rises[~thick | (np.abs(tried) > tried[-FLANK - 1]) | np.isnan(rises)] = -np.inf
    best = int(np.argmax(np.where(rises > LEAST_RISE, scores, rises)))
    peak, rise = float(tried[best]), float(rises[best])
    if rise == -np.inf:
        return NOT_TOLD
    elsewhere = float(np.nanmax(scores[thick & (np.abs(tried - peak) >= APART)]))
    angle, axis = _refined(grey, detail, peak)
    correlation, sides = correlation_at(detail, angle, axis)
    points = min(_points(detail.shape, angle, side) for side in _sides(detail.shape))
    return MirroredCorners(angle, correlation, rise, elsewhere, sides, points)


def _refined(grey: Image, detail: Image, peak: float) -> tuple[float, float]:
    """Find angle and axis near a peak, in finer detail as well."""
    finer = _detail(grey, 0.5)
    fine = [
        (
            correlation_at(finer, angle, axis)[0] + correlation_at(detail, angle, axis)[0] - DOUBT * axis,
            float(angle),
            axis,
        )
        for axis in AXES
        for angle in peak + FINE_STEP * np.arange(-6, 7)
    ]
    _, angle, axis = max(fine)
    return angle, axis


def correlation_at(detail: Image, angle: float, axis: float = BETWEEN) -> tuple[float, int]:
    """Give the correlation of the corners with their mirror images at an angle, and how many sides agree by themselves.

    Parameters
    ----------
    detail : (H, W) float32 array
        Without mean and slow variation.
    angle : float
        Degrees, counter-clockwise.
    axis : float
        How far outside of the middle of the last pixels the axes lie.

    Returns
    -------
    (float, int)
        Sides with hardly any detail do not count. (nan, 0) where the corners of a side are too small to tell.
    """
    products = np.array([_products(detail, angle, side, axis) for side in _sides(detail.shape)])
    joint, outside, inside = products.sum(axis=0)
    per_side = products[:, 0] / np.sqrt(products[:, 1] * products[:, 2] + 1e-12)
    correlation = joint / np.sqrt(outside * inside + 1e-12)
    agree = (per_side > 0.5 * correlation) & (products[:, 1] >= LEAST_SHARE * outside)
    return float(correlation), int(agree.sum())


def _working_copy(image: Image) -> Image:
    grey = luminance(image)
    factor = min(1.0, WORKING_SIDE / max(grey.shape))
    if factor < 1:
        size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
    return grey


def _detail(grey: Image, fine: float) -> Image:
    """Give what Gaussians of standard deviations ``fine`` and COARSENESS times that make different."""
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), fine) - cv2.GaussianBlur(grey, (0, 0), COARSENESS * fine))


def _share_across(detail: Image) -> float:
    """Give the energy of the change along the direction of least change, relative to that across it: 0 for stripes."""
    right, down = (np.diff(detail, axis=axis)[: len(detail) - 1, : detail.shape[1] - 1].ravel() for axis in (1, 0))
    least, most = np.linalg.eigvalsh(np.array([[right @ right, right @ down], [right @ down, down @ down]], np.float64))
    return float(least / max(most, 1e-12))


def _sides(shape: tuple[int, ...]) -> list[int]:
    """Give the sides that count: at every angle the same, or one more would look like a rise."""
    return [side for side in range(4) if shape[1 - side % 2] >= LEAST_SIDE * max(shape)]


def _points(shape: tuple[int, ...], angle: float, side: int) -> int:
    """Count the pixels in the two corners beyond one edge of the turned frame."""
    length = shape[1 - side % 2]
    return int(length * _reach(length, angle) / 2)


def _reach(length: int, angle: float) -> float:
    return float((length - 1) / 2 * np.tan(np.radians(abs(angle))))


def _products(detail: Image, angle: float, side: int, axis: float) -> Floats:
    """Give <a, b>, <a, a> and <b, b> of the detail a beyond one edge of the turned frame and of its mirror image b.

    Sides are top, right, bottom, left. (along, depth) are coordinates of the turned frame: along the edge, from its
    middle, and outwards, from the edge.
    """
    length = detail.shape[1 - side % 2]
    reach, count = _reach(length, angle), _points(detail.shape, angle, side)
    if count < LEAST_POINTS:
        return np.full(3, np.nan)
    step = max(1.0, np.sqrt(count / (MOST_POINTS / 4)))
    along, depth = np.meshgrid(np.arange(-length / 2, length / 2, step), np.arange(MARGIN, reach + 1, step))
    outer = _turned(along, depth, angle, side, detail.shape)
    inside = [(p >= 0) & (p <= n - 1) for p, n in zip(outer, detail.shape, strict=True)]
    seen = inside[0] & inside[1]
    along, depth = along[seen], depth[seen]
    beyond = _sampled(detail, *(p[seen] for p in outer))
    mirrored = _sampled(detail, *_turned(along, 2 * axis - depth, angle, side, detail.shape))
    return np.array([beyond @ mirrored, beyond @ beyond, mirrored @ mirrored], np.float64)


def _sampled(picture: Image, row: Floats, column: Floats) -> Floats:
    """Sample a picture bilinearly; beyond the middles of its last pixels it is mirrored.

    As ``scipy.ndimage.map_coordinates`` does, whose import would take as long as all of the search.
    """
    height, width = picture.shape
    row = (height - 1) - np.abs((height - 1) - np.abs(row))
    column = (width - 1) - np.abs((width - 1) - np.abs(column))
    top, left = np.minimum(row.astype(np.intp), height - 2), np.minimum(column.astype(np.intp), width - 2)
    down, right = row - top, column - left
    flat, at = picture.ravel(), top * width + left
    upper = (1 - right) * flat.take(at) + right * flat.take(at + 1)
    lower = (1 - right) * flat.take(at + width) + right * flat.take(at + width + 1)
    return np.asarray((1 - down) * upper + down * lower, np.float64)


def _turned(along: Floats, depth: Floats, angle: float, side: int, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Give row and column of points in the coordinates of an edge of a frame turned about the middle of the picture."""
    half_height, half_width = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    out = depth + (half_height if side % 2 == 0 else half_width)
    u, v = ((along, -out), (out, along), (along, out), (-out, along))[side]
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return half_height - sine * u + cosine * v, half_width + cosine * u + sine * v
