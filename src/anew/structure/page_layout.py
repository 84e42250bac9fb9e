"""What lays pictures out: margins, letterboxes, and the bands between the pictures of a collage or a page.

Such bands are of one exact colour, like holes, and end as sharply; but they run all the way across the picture, or
across what other bands have left of it. A lost band may do so too: there the picture goes on behind it, where between
two pictures another one begins.
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, Mask, channel_mean

FULL = 0.995  # of a row or a column of a band
SMOOTHED = 9  # pixels along the lines on either side of a band, before they are compared
LEAST_COMPARED = 16  # pixels of them; fewer are no evidence that the picture goes on
# Correlation of these lines, over all bands: of 300 pairs of photographs one in ten is above 0.48 to 0.53; of lines of
# one photograph 7 pixels apart, three in four are above 0.63.
GOES_ON = 0.5

Part = tuple[slice, slice]


def mark_layout(pixels: Image, region: Mask) -> Mask:
    """Mark margins and, unless the picture goes on behind them, the bands across it.

    Parameters
    ----------
    pixels : (H, W, C) float32 array; NaN where there is no value
    region : (H, W) bool array
        Where the picture is of one exact colour.

    Returns
    -------
    (H, W) bool array, part of the region
    """
    margins, bands = np.zeros_like(region), np.zeros_like(region)
    evidence: list[tuple[float, int]] = []
    parts: list[tuple[Part, Mask]] = [((slice(0, region.shape[0]), slice(0, region.shape[1])), margins)]
    while parts:
        part, marked = parts.pop()
        inner = _trimmed(part, region)
        marked[part] = True
        marked[inner] = False
        axis, full = _full_lines(region[inner])
        changes = np.flatnonzero(np.diff(full, prepend=True, append=True))  # where runs without full lines start, stop
        edges = [int(edge) for edge in changes]
        if len(edges) <= 2:
            continue
        parts += [(_within(inner, axis, *run), bands) for run in zip(edges[::2], edges[1::2], strict=True)]
        for start, stop in zip(edges[1:-1:2], edges[2::2], strict=True):
            bands[_within(inner, axis, start, stop)] = True
            beside = [_within(inner, axis, line, line + 1) for line in (start - 1, stop)]
            tones = [channel_mean(pixels[line]).ravel() for line in beside]
            evidence.append(_correlation(tones, [region[line].ravel() for line in beside]))
    goes_on = sum(value * count for value, count in evidence) > GOES_ON * sum(count for _, count in evidence)
    layout: Mask = (margins if goes_on else margins | bands) & region
    return layout


def _trimmed(part: Part, region: Mask) -> Part:
    """Take full rows off the margins of a part, then full columns, which leave no full row."""
    for axis in (0, 1):
        content = np.flatnonzero(~_full(region[part], axis))
        start, stop = (content[0], content[-1] + 1) if content.size else (0, 0)
        part = _within(part, axis, int(start), int(stop))
    return part


def _full_lines(region: Mask) -> tuple[int, Mask]:
    """Find full rows or, if there are none, full columns: (0 or 1, which of them)."""
    rows = _full(region, 0)
    return (0, rows) if rows.any() else (1, _full(region, 1))


def _full(region: Mask, axis: int) -> Mask:
    full: Mask = np.count_nonzero(region, axis=1 - axis) > FULL * region.shape[1 - axis]
    return full


def _within(part: Part, axis: int, start: int, stop: int) -> Part:
    """Give the rows or columns from ``start`` to ``stop`` of a part of the picture."""
    lines = slice(part[axis].start + start, part[axis].start + stop)
    return (lines, part[1]) if axis == 0 else (part[0], lines)


def _correlation(lines: list[Image], covered: list[Mask]) -> tuple[float, int]:
    """Correlate two lines where both are seen; give the number of pixels, too, 0 if they are too few."""
    a, b = lines
    seen = np.isfinite(a) & np.isfinite(b) & ~covered[0] & ~covered[1]
    count = int(np.count_nonzero(seen))
    if count < LEAST_COMPARED:
        return 0.0, 0
    a, b = (cv2.blur(line[np.newaxis, seen], (SMOOTHED, 1))[0] for line in lines)
    a, b = a - a.mean(), b - b.mean()
    power = float(np.sqrt((a @ a) * (b @ b)))
    return (float(a @ b) / power if power > 0 else 0.0), count
