"""Text: letters, a date, a caption or a mark written over a photograph.

Such letters are of one exact colour, which a lens never gives, and end within a pixel or two: beyond the antialiased
rim the photograph goes on as if nothing were there. They have strokes that are thin for their height, and stand beside
each other on a line. Signs and prints within the scene are shaded, blurred by the lens and noisy; a page, a screenshot
or a drawing is of exact colours all over, and the words beside a photograph stand on one. Letters that were compressed
as JPEG are no longer of one colour and are not found, nor are slanted lines and letters less than 8 pixels high.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask, largest_difference, same_colour
from anew.diagnosis.finding import Finding, finding_of_mask
from anew.diagnosis.holes import MOST_FLAT, ends, looks_photographic

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
MOST_PAPER, LEAST_GROUND = 0.9, 20  # share of the ground of a line that is of one exact colour; pixels of it that tell
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
    message = "Text is written over the picture: its letters cover {share}."
    return finding_of_mask("text", estimate_text_mask(picture.pixels), 0.85, message)


def _colours_of_strokes(pixels: Image) -> list[Image]:
    """Give the colours in which most strokes end sharply within rows, most frequent first.

    Two pixels beside or above each other that are of one colour are a stroke.
    """
    chosen_rows = np.arange(1, len(pixels), max(1, pixels.shape[0] * pixels.shape[1] // ROWS))
    here, up = pixels[chosen_rows], pixels[chosen_rows - 1]
    found = []
    for line, above in ((here, up), (here[:, ::-1], up[:, ::-1])):
        first, last, beyond, further = line[:, :-4], line[:, 1:-3], line[:, 3:-1], line[:, 4:]
        flat = same_colour(first, last) | same_colour(above[:, 1:-3], last)
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
class _Parts:
    """Connected parts of one colour; arrays (N,), the first of the background."""

    left: NDArray[np.float64]
    top: NDArray[np.float64]
    width: NDArray[np.float64]
    height: NDArray[np.float64]
    exact: NDArray[np.float64]  # share of the area that has exactly the colour
    sharpness: NDArray[np.float64]  # share of the border
    stroke: NDArray[np.float64]  # greatest width of a stroke

    def could_be_letters(self, height: int) -> NDArray[np.int64]:
        """Give the indices of those with the size, thin strokes and sharp border of a letter, in a picture so high."""
        fits = (
            (self.height >= LEAST_HEIGHT)
            & (self.height <= MOST_HEIGHT * height)
            & (self.width <= MOST_WIDTH * self.height)
            & (self.stroke <= MOST_STROKE * self.height)
            & (self.exact >= LEAST_EXACT)
            & (self.sharpness >= LEAST_SHARP)
        )
        fits[0] = False
        return np.flatnonzero(fits)

    def make_a_line(self, letters: NDArray[np.int64]) -> bool:
        """Tell whether letters side by side are many, sharp, and stand on a common line."""
        if len(letters) < LEAST_LETTERS or np.median(self.sharpness[letters]) < LEAST_SHARP_LINE:
            return False
        left, feet, high = self.left[letters], (self.top + self.height)[letters], self.height[letters].max()
        on_line = np.abs(feet - np.median(feet)) <= BASELINE * high + 1
        wide = (left + self.width[letters]).max() - left.min() >= 2 * high
        return bool(wide and on_line.mean() >= LEAST_ON_BASELINE)

    def box(self, letters: NDArray[np.int64]) -> tuple[slice, slice]:
        """Give the rows and columns that letters take up."""
        top, left = self.top[letters], self.left[letters]
        bottom, right = top + self.height[letters], left + self.width[letters]
        return slice(int(top.min()), int(bottom.max())), slice(int(left.min()), int(right.max()))

    def within(self, letters: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which parts lie in the line of some letters: these, dots, commas, what is left of thin strokes."""
        high = self.height[letters].max()
        room = 0.35 * high
        x, y = self.left + self.width / 2, self.top + self.height / 2
        inside = (x > self.left[letters].min() - room) & (x < (self.left + self.width)[letters].max() + room)
        inside &= (y > self.top[letters].min() - room) & (y < (self.top + self.height)[letters].max() + room)
        return inside & (self.height <= 1.5 * high) & (self.width <= MOST_WIDTH * high) & (self.exact > 0)


def _lines(region: Mask, exact: Mask, pixels: Image, colour: Image) -> Mask:
    """Keep the parts of a region that look like letters and stand in lines, and what lies in those lines."""
    joined = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    count, found, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    labels = np.where(region, found, 0).astype(np.int32)
    left, top, width, height, area = np.asarray(boxes, np.float64).T
    parts = _Parts(
        left,
        top,
        width,
        height,
        exact=np.bincount(labels[exact], minlength=count) / np.maximum(area, 1),
        sharpness=_sharpness(region, labels, count, pixels, colour),
        stroke=_strokes(region, labels, count),
    )
    kept = np.zeros(count, bool)
    letters = parts.could_be_letters(len(region))
    if LEAST_LETTERS <= len(letters) <= MOST_LETTERS:
        for line in _stand_together(parts, letters):
            if parts.make_a_line(line) and not _stand_on_paper(pixels, region, parts.box(line)):
                kept |= parts.within(line)
    kept[0] = False
    marked: Mask = kept[labels]
    return marked


def _stand_on_paper(pixels: Image, region: Mask, box: tuple[slice, slice]) -> bool:
    """Tell whether what lies between letters, beyond their rim, is of one exact colour, as on a page or a button."""
    ground = pixels[box][cv2.dilate(region[box].astype(np.uint8), RIM, iterations=2) == 0]
    if len(ground) < LEAST_GROUND:
        return False
    _, counts = np.unique(ground, axis=0, return_counts=True)
    return bool(counts.max() >= MOST_PAPER * len(ground))


def _strokes(region: Mask, labels: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    """Give the greatest width of a stroke in each part, in pixels."""
    bordered = cv2.copyMakeBorder(region.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(bordered, cv2.DIST_L2, 5)[1:-1, 1:-1]
    deepest = np.zeros(count)
    np.maximum.at(deepest, labels[region], depth[region])
    return 2 * deepest - 1


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


def _stand_together(parts: _Parts, letters: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Group letters of like height that stand side by side: arrays of their indices."""
    from scipy.sparse.csgraph import connected_components

    left, height = parts.left[letters], parts.height[letters]
    right, middle = left + parts.width[letters], parts.top[letters] + height / 2
    high, low = np.maximum.outer(height, height), np.minimum.outer(height, height)
    gap = np.maximum.outer(left, left) - np.minimum.outer(right, right)
    shift = np.abs(np.subtract.outer(middle, middle))
    beside = (high <= ALIKE * low) & (gap <= GAP * high) & (shift <= SHIFT * high)
    count, group = connected_components(beside, directed=False)
    return [letters[group == index] for index in range(count)]


def _lies_on_a_photograph(pixels: Image, mask: Mask) -> bool:
    """Tell a photograph from a page, a screenshot or a drawing, in which exact colours are everywhere."""
    inner = pixels[1:, 1:]
    flat = same_colour(inner, pixels[:-1, 1:]) & same_colour(inner, pixels[1:, :-1])
    content = ~mask[1:, 1:]
    return bool(flat[content].mean() <= MOST_FLAT) and looks_photographic(inner[content])
