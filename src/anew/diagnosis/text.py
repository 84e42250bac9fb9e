"""Text: letters, a date, a caption or a mark written over a photograph.

Such letters are of one exact colour, which a lens never gives, and end within a pixel or two: beyond the antialiased
rim the photograph goes on as if nothing were there. They have strokes that are thin for their height, and stand beside
each other on a line. Signs and prints within the scene are shaded, blurred by the lens and noisy; a page, a screenshot
or a drawing is of exact colours all over. Letters that were compressed as JPEG are no longer of one colour and are not
found, nor are slanted lines and letters less than 8 pixels high.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.diagnosis.finding import Finding
from anew.diagnosis.holes import MOST_FLAT, ends, largest_difference, looks_photographic

if TYPE_CHECKING:
    from anew.images import Picture

NEAR, LEAST_EXACTNESS = 5 / 255, 0.85  # of what is near the colour in letters, so much has it: clipped light has less
MIXED = 60 / 255  # a thin stroke, mixed with the photograph, differs by no more from the colour
LEAST_EXACT = 0.15  # of a letter with its mixed pixels
FAR = 40 / 255  # the photograph beyond the rim differs by more
MOST_CHANGE = 0.35  # from the second to the third pixel outside, relative to the difference of the second
CANDIDATES = 4  # colours looked at
LEAST_ALONE = 0.5  # of the ends of strokes that are near a colour have it exactly
LEAST_ENDS = 60  # sharp ends of strokes of one colour
MOST_SHARE = 0.15  # of the picture
LEAST_HEIGHT, MOST_HEIGHT = 8, 0.35  # of a letter: pixels, and of the picture
MOST_WIDTH = 6.0  # of letters that touch, relative to their height
MOST_STROKE = 0.35  # relative to the height
LEAST_SHARP = 0.6  # of the border of a letter
ALIKE, GAP, SHIFT = 2.2, 1.2, 0.5  # letters of a line: ratio of the heights; gap and shift, relative to the higher
BASELINE, LEAST_ON_BASELINE = 0.06, 0.7  # letters stand on it to this part of the height; the others hang below it
LEAST_SHARP_LINE = 0.72  # median over a line
LEAST_LETTERS = 4
MOST_LETTERS = 1500
ROWS = 400_000  # pixels of the rows in which colours are looked for
RIM = np.ones((3, 3), np.uint8)  # what lies around the exact pixels of a letter is mixed of both


def estimate_text_mask(image: Image) -> Mask:
    """Mark letters that are written over a photograph, with their antialiased rim.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]

    Returns
    -------
    (H, W) bool array
    """
    pixels = np.atleast_3d(image)
    mask: Mask = np.zeros(pixels.shape[:2], bool)
    if min(mask.shape) < 4 * LEAST_HEIGHT:
        return mask
    for colour in _colours_of_strokes(pixels):
        difference = largest_difference(pixels, colour)
        exact = difference == 0
        if exact.mean() > MOST_SHARE:
            continue
        for reach in (0.0, MIXED):  # letters of a like background hold together only without their rim, thin ones with
            letters = _lines(difference <= reach, exact, pixels, colour)
            with_rim = letters | (cv2.dilate((letters & exact).astype(np.uint8), RIM) > 0)
            if np.count_nonzero(with_rim & exact) > LEAST_EXACTNESS * np.count_nonzero(with_rim & (difference <= NEAR)):
                mask |= with_rim
    if not mask.any() or not _lies_on_a_photograph(pixels, mask):
        return np.zeros_like(mask)
    return mask


def find_text(picture: Picture) -> Finding | None:
    """Report letters over the picture and where they are, or None."""
    mask = estimate_text_mask(picture.pixels)
    if not mask.any():
        return None
    share = 100 * float(mask.mean())
    return Finding(
        kind="text",
        value=share,
        unit="% of pixels",
        confidence=0.85,
        message=f"Text is written over the picture: its letters cover {share:.1f} %.",
        map=mask,
    )


def _colours_of_strokes(pixels: Image) -> list[Image]:
    """Give the colours in which most strokes end sharply within rows, most frequent first.

    Two pixels beside or above each other that are of one colour are a stroke.
    """
    chosen_rows = np.arange(1, len(pixels), max(1, pixels.shape[0] * pixels.shape[1] // ROWS))
    here, up = pixels[chosen_rows], pixels[chosen_rows - 1]
    found = []
    for line, above in ((here, up), (here[:, ::-1], up[:, ::-1])):
        first, last, beyond, further = line[:, :-4], line[:, 1:-3], line[:, 3:-1], line[:, 4:]
        flat = (first == last).all(axis=2) | (above[:, 1:-3] == last).all(axis=2)
        jump = largest_difference(beyond, last)
        sharp = flat & (jump > FAR) & (largest_difference(further, beyond) <= MOST_CHANGE * jump)
        found.append(last[sharp])
    colours = np.concatenate(found)
    values, counts = np.unique(colours, axis=0, return_counts=True)
    chosen = []
    for index in np.argsort(counts)[::-1][:CANDIDATES]:
        often = counts[index] * len(pixels) >= LEAST_ENDS * len(here)
        if often and counts[index] >= LEAST_ALONE * (largest_difference(colours, values[index]) <= NEAR).sum():
            chosen.append(values[index])
    return chosen


@dataclass(frozen=True)
class _Letters:
    """Connected parts of one colour that could be letters; arrays (N,)."""

    label: NDArray[np.int64]
    left: NDArray[np.float64]
    top: NDArray[np.float64]
    width: NDArray[np.float64]
    height: NDArray[np.float64]
    stroke: NDArray[np.float64]  # greatest width of a stroke
    sharpness: NDArray[np.float64]


def _lines(region: Mask, exact: Mask, pixels: Image, colour: Image) -> Mask:
    """Keep the parts of a region that look like letters and stand in lines, and what lies in those lines."""
    nothing: Mask = np.zeros_like(region)
    joined = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    stats = np.asarray(boxes, np.int32)
    labels = np.where(region, parts, 0).astype(np.int32)
    exact_share = np.bincount(labels[exact], minlength=count) / stats[:, cv2.CC_STAT_AREA]
    sharpness = _sharpness(region, labels, count, pixels, colour)
    letters = _letters(region, labels, stats, exact_share >= LEAST_EXACT, sharpness)
    if not LEAST_LETTERS <= len(letters.label) <= MOST_LETTERS:
        return nothing
    kept = np.zeros(count, bool)
    for line in _stand_together(letters):
        left, top = letters.left[line].min(), letters.top[line].min()
        right = (letters.left + letters.width)[line].max()
        bottom = (letters.top + letters.height)[line].max()
        high = float(letters.height[line].max())
        feet = (letters.top + letters.height)[line]
        on_it = np.abs(feet - np.median(feet)) <= BASELINE * high + 1
        sharp = float(np.median(letters.sharpness[line]))
        if (
            len(line) < LEAST_LETTERS
            or right - left < 2 * high
            or on_it.mean() < LEAST_ON_BASELINE
            or sharp < LEAST_SHARP_LINE
        ):
            continue
        room = 0.35 * high  # for dots, commas and what is left of thin strokes
        x = stats[:, cv2.CC_STAT_LEFT] + stats[:, cv2.CC_STAT_WIDTH] / 2
        y = stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT] / 2
        small = (stats[:, cv2.CC_STAT_HEIGHT] <= 1.5 * high) & (stats[:, cv2.CC_STAT_WIDTH] <= MOST_WIDTH * high)
        within = (x > left - room) & (x < right + room) & (y > top - room) & (y < bottom + room)
        kept |= small & within & (exact_share > 0)
    kept[0] = False
    marked: Mask = kept[labels]
    return marked


def _letters(
    region: Mask,
    labels: NDArray[np.int32],
    stats: NDArray[np.int32],
    fits: NDArray[np.bool_],
    sharpness: NDArray[np.float64],
) -> _Letters:
    """Choose, of the parts that fit, those that have the size and the thin strokes of a letter."""
    bordered = cv2.copyMakeBorder(region.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(bordered, cv2.DIST_L2, 5)[1:-1, 1:-1]
    deepest = np.zeros(len(stats))
    np.maximum.at(deepest, labels[region], depth[region])
    stroke = 2 * deepest - 1
    height, width = (stats[:, key].astype(np.float64) for key in (cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH))
    fits = (
        fits
        & (height >= LEAST_HEIGHT)
        & (height <= MOST_HEIGHT * region.shape[0])
        & (width <= MOST_WIDTH * height)
        & (stroke <= MOST_STROKE * height)
        & (sharpness >= LEAST_SHARP)
    )
    fits[0] = False
    chosen = np.flatnonzero(fits)
    left, top = (stats[chosen, key].astype(np.float64) for key in (cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP))
    return _Letters(chosen, left, top, width[chosen], height[chosen], stroke[chosen], sharpness[chosen])


def _sharpness(
    region: Mask, labels: NDArray[np.int32], count: int, pixels: Image, colour: Image
) -> NDArray[np.float64]:
    """Give, for each part, the share of the steps over its border behind which the photograph goes on at once."""
    height, width, channels = pixels.shape
    flat, inside, label = pixels.reshape(-1, channels), region.ravel(), labels.ravel()
    seen, sharp = np.zeros(count), np.zeros(count)
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        last = ends(region, dy, dx)
        row, column = last // width + 3 * dy, last % width + 3 * dx
        last = last[(row >= 0) & (row < height) & (column >= 0) & (column < width)]
        step = dy * width + dx
        second, third = last + 2 * step, last + 3 * step
        open_ = ~inside[second] & ~inside[third]  # no other stroke there
        last, second, third = last[open_], second[open_], third[open_]
        jump = largest_difference(flat[second], colour)
        good = (jump > FAR) & (largest_difference(flat[third], flat[second]) <= MOST_CHANGE * jump)
        seen += np.bincount(label[last], minlength=count)
        sharp += np.bincount(label[last], good, minlength=count)
    return np.where(seen >= 4, sharp / np.maximum(seen, 1), 0.0)


def _stand_together(letters: _Letters) -> list[NDArray[np.int64]]:
    """Group letters of like height that stand side by side: arrays of their indices."""
    from scipy.sparse.csgraph import connected_components

    high = np.maximum.outer(letters.height, letters.height)
    low = np.minimum.outer(letters.height, letters.height)
    right, middle = letters.left + letters.width, letters.top + letters.height / 2
    gap = np.maximum.outer(letters.left, letters.left) - np.minimum.outer(right, right)
    shift = np.abs(np.subtract.outer(middle, middle))
    beside = (high <= ALIKE * low) & (gap <= GAP * high) & (shift <= SHIFT * high)
    count, group = connected_components(beside, directed=False)
    return [np.flatnonzero(group == index) for index in range(count)]


def _lies_on_a_photograph(pixels: Image, mask: Mask) -> bool:
    """Tell a photograph from a page, a screenshot or a drawing, in which exact colours are everywhere."""
    inner = pixels[1:, 1:]
    flat = (inner == pixels[:-1, 1:]).all(axis=2) & (inner == pixels[1:, :-1]).all(axis=2)
    content = ~mask[1:, 1:]
    return bool(flat[content].mean() <= MOST_FLAT) and looks_photographic(inner[content])
