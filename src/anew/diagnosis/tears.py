"""Tears: a corner of the print is gone, and the white paper or the lid of the scanner shows there.

What is behind a print is of one light grey, ends abruptly along a line that is straight as a whole and ragged in
detail, and cuts off a triangle. A bright sky or a wall in a corner is cut differently, goes on elsewhere in the
picture, or is tinted or burnt out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask, across_channels, largest_difference
from anew.diagnosis.finding import Finding, finding_of_mask

if TYPE_CHECKING:
    from anew.images import Picture

WORKING_PIXELS = 0.5e6  # a larger picture is reduced to that many
UNIT_SIDE = 500  # pixels of the longer side at which the widths below are in pixels
SMOOTHING = 1.5  # so that noise does not break the region
LIGHT, TINTED = 0.8, 0.1  # least value of what shows, and the most that its channels may differ
SAME = 0.06
LEAST_AREA, MOST_AREA = 0.004, 0.3  # of the picture
LEAST_CONTACT, MOST_CONTACT = 0.06, 0.7  # of either side of the picture
TRIANGLE = (0.55, 1.5)  # area, relative to the triangle that the ends of the edge make with the corner
MOST_BEND = 0.10  # standard deviation of the edge from a straight line, relative to its length
RAGGED, TOO_RAGGED = 0.25, 0.9  # standard deviation of the edge from a smooth curve, in pixels at UNIT_SIDE
BURNT, MOST_BURNT = 0.995, 0.5  # a value, and the share of what shows that reaches it: burnt-out sky, not paper
LEAST_JUMP, LEAST_SHARP = 0.12, 0.75  # what lies beyond the edge differs by so much, along that share of it
MOST_ELSEWHERE = 0.8  # of the same light grey in the rest of the picture, relative to the region
RIM = 10.0  # pixels at UNIT_SIDE that shadow and bared paper may reach
RIM_LIGHT, RIM_TINTED = 0.55, 0.16


def estimate_tear_mask(image: Image) -> Mask:
    """Mark torn-off corners.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]

    Returns
    -------
    (H, W) bool array
        What is gone, with its shadow and the bared rim of the paper.
    """
    pixels = np.atleast_3d(image)
    shape = pixels.shape[:2]
    mask = np.zeros(shape, bool)
    if min(shape) < 32:
        return mask
    scale = min(1.0, math.sqrt(WORKING_PIXELS / (shape[0] * shape[1])))
    size = (round(shape[1] * scale), round(shape[0] * scale))
    small = np.atleast_3d(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)) if scale < 1 else pixels
    unit = max(1.0, max(small.shape[:2]) / UNIT_SIDE)
    smooth = np.atleast_3d(cv2.GaussianBlur(np.clip(small, 0, 1), (0, 0), SMOOTHING * unit))
    light = across_channels(np.minimum, smooth)
    tint = across_channels(np.maximum, smooth) - light
    found = np.zeros(small.shape[:2], bool)
    for turns in range(4):  # each corner in turn at the top left
        region = _light_corner(np.rot90(smooth, turns))
        if region is not None and _is_torn(region, np.rot90(light, turns), unit):
            found |= np.rot90(region, -turns)
    if found.any():
        found = _with_rim(found, (light > RIM_LIGHT) & (tint < RIM_TINTED), unit)
        mask = cv2.resize(found.astype(np.uint8), shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return mask


def find_tears(picture: Picture) -> Finding | None:
    """Report torn-off corners and where they are, or None."""
    message = "A corner is torn off: {share} of the picture is gone."
    return finding_of_mask("tears", estimate_tear_mask(picture.pixels), 0.8, message)


def _light_corner(smooth: Image) -> Mask | None:
    """Give the region of one light grey that the top left corner belongs to."""
    side = max(4, round(0.03 * min(smooth.shape[:2])))
    colour = np.median(smooth[:side, :side].reshape(-1, smooth.shape[2]), axis=0)
    if colour.min() < LIGHT or colour.max() - colour.min() > TINTED:
        return None
    same = (largest_difference(smooth, colour) < SAME).astype(np.uint8)
    _, labels = cv2.connectedComponents(same, connectivity=4)
    label = labels[0, 0]
    return np.asarray(labels == label) if label else None


def _is_torn(region: Mask, light: Image, unit: float) -> bool:
    """Tell a torn-off corner from a bright thing that happens to lie in the top left corner."""
    height, width = region.shape
    across, down = int(np.argmin(region[0])), int(np.argmin(region[:, 0]))  # contact with the two sides
    area = int(np.count_nonzero(region))
    if not LEAST_AREA <= area / region.size <= MOST_AREA or region[-1].any() or region[:, -1].any():
        return False
    if not (LEAST_CONTACT <= across / width <= MOST_CONTACT and LEAST_CONTACT <= down / height <= MOST_CONTACT):
        return False
    if not TRIANGLE[0] <= area / (0.5 * across * down) <= TRIANGLE[1]:
        return False
    along, away = _edge(region, across, down)
    chord = math.hypot(across, down)
    bend = float(away.std())
    window = round(12 * unit) | 1
    rough = float((away - cv2.blur(away[:, np.newaxis], (1, window))[:, 0]).std())
    if len(along) < 0.6 * chord or bend > MOST_BEND * chord or not RAGGED <= rough / unit <= TOO_RAGGED:
        return False
    if np.mean(light[region] > BURNT) > MOST_BURNT:
        return False
    return _ends_abruptly(region, light, unit)


def _edge(region: Mask, across: int, down: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Follow the edge: for each step along the line between its ends, how far it is from that line."""
    inside = cv2.copyMakeBorder(region.astype(np.uint8), 0, 1, 0, 1, cv2.BORDER_CONSTANT, value=0)
    edge = inside - cv2.erode(inside, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    y, x = np.nonzero(edge)
    length = math.hypot(across, down)
    along = (-x * across + y * down) / length
    away = (x * down + y * across - across * down) / length
    step = np.round(along).astype(int)
    steps, place = np.unique(step, return_inverse=True)
    mean = np.bincount(place, away) / np.bincount(place)
    return steps.astype(np.float32), mean.astype(np.float32)


def _ends_abruptly(region: Mask, light: Image, unit: float) -> bool:
    """Tell whether the picture beyond the edge is different, and the same light grey hardly occurs elsewhere."""
    distance = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5) / unit
    level = float(np.median(light[region]))
    beyond = (distance > RIM) & (distance <= RIM + 3)
    sharp = float(np.mean(light[beyond] < level - LEAST_JUMP)) if beyond.any() else 0.0
    elsewhere = np.count_nonzero((distance > RIM) & (light > level - SAME))
    return bool(sharp >= LEAST_SHARP and elsewhere <= MOST_ELSEWHERE * np.count_nonzero(region))


def _with_rim(region: Mask, pale: Mask, unit: float) -> Mask:
    """Add the shadow and the bared paper along the edge: what is pale and hangs together with the region."""
    near = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5) <= RIM * unit
    joined = (region | (near & pale)).astype(np.uint8)
    side = 2 * round(2 * unit) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(
        cv2.copyMakeBorder(joined, side, side, side, side, cv2.BORDER_REPLICATE), cv2.MORPH_CLOSE, disc
    )
    _, labels = cv2.connectedComponents(closed, connectivity=4)
    inner = (slice(side, -side), slice(side, -side))
    kept = np.isin(labels, np.unique(labels[inner][region])) & (closed > 0)
    grown: Mask = cv2.dilate(kept.astype(np.uint8), disc)[inner] > 0
    return grown
