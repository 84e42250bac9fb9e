"""Holes: parts of a picture that are gone, shown as one exact colour, as transparency, or as NaN.

A hole differs from content of one colour (a clipped sky, black, a drawing) by its border: the colour ends within one
pixel, on both sides of the border the picture does not know of the hole, and hardly any neighbour has nearly its
colour. Content is antialiased by the lens, or is a drawing, where one-coloured areas are all over the picture, or has
but a few tones, where all is of one colour or another.
"""

from __future__ import annotations

import itertools
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask, across_channels, are_values, is_value, largest_difference, same_colour
from anew.diagnosis.finding import Finding, finding_of_mask
from anew.diagnosis.impulses import central, is_strewn
from anew.diagnosis.palette import has_palette
from anew.structure.few_tones import has_few_tones
from anew.structure.page_layout import mark_layout

if TYPE_CHECKING:
    from anew.images import Picture

FREQUENT, CANDIDATES = 24, 4  # colours that are glanced at, and those of them that are looked at
LEAST_SHARE = 5e-4  # of the picture, and at least this many pixels:
LEAST_PIXELS = 40
LEAST_SHARP = 0.03  # of the ends of a colour in some rows, for a costlier look
LEAST_STREWN = 0.03  # of the picture, for lost single pixels
SAME = 4 / 255  # a neighbour this near to the colour belongs to it: a clipped area fades out like that
FAR = 16 / 255
MOST_SAME, LEAST_FAR = 0.12, 0.7  # of the pixels along the border
MOST_SAME_BESIDE, LEAST_FAR_BESIDE = 0.4, 0.4  # the same, for parts of exactly the colour of a hole that is sure
# Change from the first to the second pixel outside, less what neighbours differ by in half of the picture, which noise
# makes much; relative to the jump at the border.
MOST_TRANSITION = 0.6
MOST_AGAIN = 0.1  # of the steps outwards that meet the colour again, as they do where noise is clipped
# Not one neighbour has nearly the colour: a hole beside a sure one, however dark its surroundings.
CLEAN_CUT = 0.02
MOST_TRANSITION_BESIDE, MOST_CONTACT_BESIDE = 0.8, 0.1
# So plainly a hole that content of its colour elsewhere, such as a clipped sky, does not speak against it.
PLAIN_SHARE, PLAIN_FAR, PLAIN_TRANSITION = 0.008, 0.9, 0.12
# Of the pixels of a part that lie on the margin of the picture. More is a remainder of a frame; up to the second share
# it is another hole if one of its colour is sure.
MOST_CONTACT, MOST_CONTACT_OF_MORE = 0.15, 0.4
LEAST_SCATTER = 0.025  # median distance of the content from its median tone; less is a page, and the holes its letters
MOST_PARTS, LARGE_PART = 8, 0.008  # the number of holes, and the share of the picture of one, that are no letters
MOST_STEPS = 100_000  # over the borders of one colour, in each direction, that are looked at
MOST_BORDER = 1.5  # steps over the border for each pixel of a part; more is a line of one pixel, as frames are made of
MOST_ON_GRID = 0.9  # of the border of a part; more is a flat area of JPEG, unless it is plainly a hole
# Up to this mean jump less of it tells the same, if it does so of all parts together: of 40 photographs of quality 5,
# whose flat blocks differ by 20 of 255, 16 seem to have holes, none with a larger jump than 23, nearly all with more
# than half of the border on the grid.
LEAST_JUMP, MOST_ON_GRID_BELOW = 40 / 255, 0.4
BLOCK, LEAST_BLOCKS = 8, 8  # pixels a side of a block of JPEG, and how many a side of a picture tell
MOST_FLAT = 0.3  # of the picture outside the holes; more is a drawing, a screenshot or text
MOST_FLAT_WITH_HOLES = 0.6  # of the picture, holes included
MOST_HOLES = 0.5  # of the picture; more is content, however it ends
LEAST_OPPOSITE = 0.1  # of the larger one of two opposite colours, such as black and white, which are a drawing


def estimate_hole_mask(image: Image, alpha: Image | None = None) -> Mask:
    """Mark the holes of a picture.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array; NaN, infinity and values beyond 1,000,000 are holes
    alpha : (H, W) float32 array in [0, 1], optional
        Fully transparent regions inside an opaque picture are holes. A picture that is transparent at its margin is cut
        out, or drawn, and has holes of its own; what lies under transparency is no evidence in any.

    Returns
    -------
    (H, W) bool array
    """
    pixels = np.atleast_3d(image)
    mask = estimate_empty_mask(pixels, alpha)
    unseen = mask if alpha is None else mask | (alpha <= 0)
    if unseen.any():
        pixels = np.where(unseen[:, :, np.newaxis], np.float32(np.nan), pixels)
    drawn = has_few_tones(pixels, ~unseen) or (alpha is not None and is_cut_out(alpha))
    if min(mask.shape) >= 8 and not drawn:
        mask |= _one_coloured_holes(pixels, unseen)
    return mask


def estimate_empty_mask(image: Image, alpha: Image | None = None) -> Mask:
    """Mark the holes that are surely none of the content: without a value, or transparent inside an opaque picture."""
    pixels = np.atleast_3d(image)
    empty: Mask = np.zeros(pixels.shape[:2], bool)
    if not are_values(pixels):
        empty |= across_channels(np.logical_or, ~is_value(pixels))
    if alpha is not None:
        empty |= _transparent_holes(alpha)
    return empty


def find_holes(picture: Picture) -> Finding | None:
    """Report holes and where they are, or None."""
    return report_holes(estimate_hole_mask(picture.pixels, picture.alpha))


def report_holes(mask: Mask) -> Finding | None:
    """Make the finding of a mask; None if it is empty.

    Raises
    ------
    ValueError
        If nothing is left beside it.
    """
    if mask.all():
        raise ValueError("no pixel of the picture has a value; there is nothing to go by")
    message = "Parts are missing: {share} of the picture is empty or painted over with one colour."
    return finding_of_mask("holes", mask, 0.9, message)


def _transparent_holes(alpha: Image) -> Mask:
    """Mark what is fully transparent in an otherwise opaque picture."""
    gone = alpha <= 0
    opaque = np.mean(alpha[~gone] >= 1) if not gone.all() else 0.0
    lost = gone.any() and opaque > 0.95 and gone.mean() < 0.5 and not is_cut_out(alpha)
    return gone if lost else np.zeros_like(gone)


def is_cut_out(alpha: Image) -> bool:
    """Tell whether a picture is transparent at its margin, as icons, cut-outs and turned pictures are."""
    return any(bool((edge <= 0).any()) for edge in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]))


def _one_coloured_holes(pixels: Image, missing: Mask) -> Mask:
    rows = np.arange(1, len(pixels), max(1, missing.size // 500_000))
    here, above = pixels[rows], pixels[rows - 1]
    flat = same_colour(here[:, 1:], above[:, 1:]) & same_colour(here[:, 1:], here[:, :-1])
    known = ~missing[rows]
    beside = largest_difference(here[:, 1:], here[:, :-1])[known[:, 1:] & known[:, :-1]]
    usual = float(np.median(beside)) if beside.size else 0.0
    strewn: list[Mask] = []
    solid: list[tuple[Image, Mask]] = []
    frequent = _frequent_colours(here[:, 1:][flat & known[:, 1:]], here[known])
    cuts = [_sharp_ends(here, colour) for colour in frequent]
    for place in np.argsort(cuts, kind="stable")[::-1][:CANDIDATES]:
        colour = frequent[place]
        if cuts[place] <= LEAST_SHARP:
            break
        region = _is_colour(pixels, colour)
        loose = is_strewn(central(region))
        if loose and _is_colour(pixels, 1 - colour).mean() > region.mean() / 2:
            continue  # salt and pepper
        if loose and region.mean() > LEAST_STREWN:
            whole = _border_statistics(pixels, colour, region, np.zeros(region.shape, np.int32), 1)
            if whole.looks_like_a_hole()[0]:
                strewn.append(region)
        else:
            solid.append((colour, _holes_of_one_colour(pixels, colour, region, usual)))
    nothing = np.zeros_like(missing)
    lost_pixels = strewn if len(strewn) == 1 else []  # of two colours they are salt and pepper
    solid_holes = np.logical_or.reduce([*(holes for _, holes in solid), nothing])
    holes = np.logical_or.reduce([solid_holes, *lost_pixels])
    content = known[:, 1:] & ~holes[rows, 1:]
    if not holes.any() or not content.any() or _are_a_drawing(pixels, solid, np.logical_or.reduce([missing, *strewn])):
        return nothing
    coloured = bool((here != here[:, :, :1])[known].any())
    letters = _many_or_small(solid_holes) if solid_holes.any() else not coloured
    flat_share = _flat_share(pixels, ~(missing | holes))
    photographic = flat_share <= MOST_FLAT and looks_photographic(here[:, 1:][content], letters=letters)
    return holes if photographic else nothing


def _are_a_drawing(pixels: Image, solid: list[tuple[Image, Mask]], missing: Mask) -> bool:
    """Tell whether holes are content: more than is left, of two opposite colours, or where most is flat anyhow."""
    shares = [(colour, float(holes.mean())) for colour, holes in solid if holes.any()]
    for (colour, share), (other, other_share) in itertools.combinations(shares, 2):
        opposite = np.abs(colour + other - 1).max() <= 1 / 255
        if opposite and min(share, other_share) >= LEAST_OPPOSITE * max(share, other_share):
            return True
    too_many = sum(share for _, share in shares) > MOST_HOLES * np.mean(~missing)
    return bool(shares) and (bool(too_many) or _flat_share(pixels, ~missing) > MOST_FLAT_WITH_HOLES)


def _flat_share(pixels: Image, content: Mask) -> float:
    """Give the share of the content that is flat where four blocks of JPEG meet: inside a block even a sky is."""
    step = BLOCK if min(content.shape) >= LEAST_BLOCKS * BLOCK else 1
    corners, above, left = (np.s_[step - a :: step, step - b :: step] for a, b in ((0, 0), (1, 0), (0, 1)))
    here = pixels[corners]
    rows, columns = here.shape[:2]
    others = [pixels[place][:rows, :columns] for place in (above, left)]
    known = content[corners] & content[above][:rows, :columns] & content[left][:rows, :columns]
    flat = np.logical_and.reduce([same_colour(here, other) for other in others])
    return float(flat[known].mean()) if known.any() else 0.0


def _many_or_small(holes: Mask) -> bool:
    """Tell whether holes may be letters, by their number and sizes."""
    areas = cv2.connectedComponentsWithStats(holes.astype(np.uint8), connectivity=8)[2][1:, cv2.CC_STAT_AREA]
    return len(areas) > MOST_PARTS or bool(areas.max() < LARGE_PART * holes.size)


def looks_photographic(content: Image, *, letters: bool = True) -> bool:
    """Tell whether (N, C) pixels are neither a page, if there are letters on it, nor the few colours of a palette."""
    some = content[:: max(1, len(content) // 30_000)]
    tone = some.mean(axis=1)
    if letters and np.median(np.abs(tone - np.median(tone))) < LEAST_SCATTER:
        return False
    return not has_palette(content)


def _frequent_colours(*samples: Image) -> list[Image]:
    """Give the most frequent colours of flat areas, then of all pixels (holes may be single pixels)."""
    chosen: dict[bytes, Image] = {}
    for sample in samples:
        some = np.ascontiguousarray(sample[:: max(1, len(sample) // 30_000)])
        rows = some.view(np.dtype((np.void, some.dtype.itemsize * some.shape[1]))).ravel()
        values, counts = np.unique(rows, return_counts=True)
        order = np.argsort(counts)[::-1][: FREQUENT // 2]
        frequent = counts[order] > max(2, LEAST_SHARE * counts.sum())
        chosen |= {bytes(v): np.frombuffer(bytes(v), some.dtype) for v in values[order][frequent]}
    return list(chosen.values())


def _sharp_ends(rows: Image, colour: Image) -> float:
    """Say at which share of its ends in some rows a colour ends sharply; 1 if they are too few to tell."""
    inside = np.logical_and.reduce([rows[:, :, c] == colour[c] for c in range(rows.shape[2])])
    ends, starts = inside[:, :-1] & ~inside[:, 1:], ~inside[:, :-1] & inside[:, 1:]
    outside = np.concatenate([rows[:, 1:][ends], rows[:, :-1][starts]])
    if len(outside) < 8:
        return float(inside.any())
    return float(np.mean(largest_difference(outside, colour) > FAR))


def _holes_of_one_colour(pixels: Image, colour: Image, region: Mask, usual: float) -> Mask:
    """Keep those connected parts of a one-coloured region whose border looks like that of a hole.

    ``usual`` is by how much neighbours differ in half of the picture.
    """
    region = region & ~mark_layout(pixels, region)
    least = max(LEAST_PIXELS, LEAST_SHARE * region.size)
    if np.count_nonzero(region) < least:
        return np.zeros_like(region)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=8)
    labels = np.asarray(parts, np.int32)
    area = stats[:, cv2.CC_STAT_AREA]
    border = _border_statistics(pixels, colour, region, labels, count).less(usual, area >= least)
    contact = _contact(labels, count)
    free = contact == 0
    free[0] = False  # what is not of the colour
    blocks = border.looks_like_blocks()
    lines = (border.count > MOST_BORDER * area) & (area >= LEAST_PIXELS)
    possible = ~blocks & ~lines
    cut_out = possible & border.looks_like_a_hole()
    accepted = cut_out & (contact <= MOST_CONTACT * area)
    if accepted.any():
        beside = border.looks_like_a_hole(MOST_SAME_BESIDE, LEAST_FAR_BESIDE) & free
        cut = border.looks_like_a_hole(CLEAN_CUT, 0.0, MOST_TRANSITION_BESIDE) & (contact <= MOST_CONTACT_BESIDE * area)
        accepted |= possible & (beside | cut) & (area >= least) | cut_out & (contact <= MOST_CONTACT_OF_MORE * area)
    # With too little border to judge alone they go together.
    rest = ~accepted & ~lines & free & (area < np.sqrt(region.size))
    together = border.total(rest)
    accepted[rest] = together.looks_like_a_hole()[0] and not together.looks_like_blocks()[0]
    if area[accepted].sum() < max(0.5 * area[1:].sum(), least):
        accepted &= border.looks_like_a_hole(CLEAN_CUT, PLAIN_FAR, PLAIN_TRANSITION)
        accepted &= area >= PLAIN_SHARE * region.size
    holes: Mask = accepted[labels]
    return holes


@dataclass(frozen=True)
class _Border:
    """Sums over the pixels just outside each part of a region."""

    count: NDArray[np.float64]
    same: NDArray[np.float64]  # nearly of the colour of the region
    far: NDArray[np.float64]
    jump: NDArray[np.float64]  # distance from the colour to the first pixel outside
    change: NDArray[np.float64]  # from there to the second
    on_grid: NDArray[np.float64]  # steps from one block of JPEG into the next
    again: NDArray[np.float64]  # steps beyond which the second pixel is of the colour again; they count nowhere else

    def total(self, parts: NDArray[np.bool_]) -> _Border:
        return _Border(*(np.array([sums[parts].sum()]) for sums in astuple(self)))

    def less(self, usual: float, large: NDArray[np.bool_]) -> _Border:
        """Take the usual change off that of large parts, but not of those that thin out into single clipped pixels."""
        closed = large & (self.again <= MOST_AGAIN * (self.count + self.again))
        return replace(self, change=np.where(closed, self.change - usual * self.count, self.change))

    def looks_like_a_hole(
        self, most_same: float = MOST_SAME, least_far: float = LEAST_FAR, most_transition: float = MOST_TRANSITION
    ) -> NDArray[np.bool_]:
        n = np.maximum(self.count, 1)
        result: NDArray[np.bool_] = (
            (self.count >= 8)
            & (self.same / n <= most_same)
            & (self.far / n >= least_far)
            & (self.change <= most_transition * self.jump)
        )
        return result

    def looks_like_blocks(self) -> NDArray[np.bool_]:
        """Tell whether the border is that of flat blocks of JPEG, and not plainly that of a hole."""
        blocks: NDArray[np.bool_] = self.on_grid >= MOST_ON_GRID * self.count
        low = (self.jump < LEAST_JUMP * self.count) & (self.on_grid >= MOST_ON_GRID_BELOW * self.count)
        all_over = bool(self.on_grid.sum() >= MOST_ON_GRID_BELOW * self.count.sum())
        return (low & all_over) | (blocks & ~self.looks_like_a_hole(CLEAN_CUT, PLAIN_FAR))


def _border_statistics(pixels: Image, colour: Image, region: Mask, labels: NDArray[np.int32], count: int) -> _Border:
    """Look outwards from each part, across every step over its border (of very many, across some)."""
    height, width, channels = pixels.shape
    flat_pixels, flat_labels = pixels.reshape(-1, channels), labels.ravel()
    sums = np.zeros((7, count))
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        back = ends(region, dy, dx)
        back = back[:: max(1, len(back) // MOST_STEPS)]
        first = back + dy * width + dx
        row, column = first // width + dy, first % width + dx
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        second = np.where(inside, first + dy * width + dx, first)
        seen = ~region.ravel()[second]
        near, beyond = flat_pixels[first[seen]], flat_pixels[second[seen]]
        jump, change = largest_difference(near, colour), largest_difference(beyond, near)
        label = flat_labels[back[seen]]
        along = (first[seen] % width if dx else first[seen] // width) + (dx + dy < 0)
        for k, weights in enumerate((None, jump <= SAME, jump > FAR, jump, change, along % BLOCK == 0)):
            sums[k] += np.bincount(label, weights, minlength=count)
        sums[6] += np.bincount(flat_labels[back[~seen & (second != first)]], minlength=count)
    return _Border(*sums)


def ends(region: Mask, dy: int, dx: int) -> NDArray[np.int64]:
    """Give the flat indices of the pixels of a region whose neighbour at (dy, dx) is in the picture but not in it."""
    height, width = region.shape
    here = np.s_[max(-dy, 0) : height - max(dy, 0), max(-dx, 0) : width - max(dx, 0)]
    there = np.s_[max(dy, 0) : height - max(-dy, 0), max(dx, 0) : width - max(-dx, 0)]
    ends = np.zeros_like(region)
    ends[here] = region[here] & ~region[there]
    return np.flatnonzero(ends)


def _is_colour(pixels: Image, colour: Image) -> Mask:
    """Mark the pixels of exactly one colour."""
    if pixels.shape[2] > 4:
        return np.logical_and.reduce([pixels[:, :, c] == colour[c] for c in range(pixels.shape[2])])
    scalar = tuple(float(v) for v in colour)
    equal: Mask = cv2.inRange(pixels, scalar, scalar) > 0
    return equal


def _contact(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Count the pixels of each part that lie on the margin of the picture."""
    margin = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return np.bincount(margin, minlength=count)
