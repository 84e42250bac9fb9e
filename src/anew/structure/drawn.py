"""Whether a program drew a picture: a chart, a screenshot, a cartoon, a pattern.

What was drawn is of one colour on either side of its edges and lines, exactly, or nearly where it was compressed as
JPEG of fair quality. What a camera or a scanner saw is not: there are noise, texture and blur. Edges between black and
white do not count, as scanners and burnt-out skies clip to them; nor do the blocks of a JPEG of low quality, which are
of one colour, too, but end all at the same columns and rows of eight.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from anew.arrays import Image, Mask, across_channels, largest_difference, luminance


@dataclass(frozen=True)
class Sides:
    """How much of one colour the pixels beside an edge are.

    Attributes
    ----------
    run : int
        Pixels on either side.
    spread : float
        By which they may differ.
    far : float
        Least change over an edge, or over a line; posters and palettes have many smaller ones.
    gap : int
        Pixels that a soft edge, or a thin line, takes at most.
    """

    run: int
    spread: float
    far: float
    gap: int


EXACTLY = Sides(run=3, spread=0.0, far=23.5 / 255, gap=3)
NEARLY = Sides(run=8, spread=5.5 / 255, far=31.5 / 255, gap=4)
LINES = 400  # rows, and columns, that are looked at
STEP = 3  # pixels over which an edge is seen
END = 1.5 / 255  # distance from black or white that counts as clipped
JPEG, AT_BLOCKS = 8, 0.8  # pixels a side of a block; share of the hardest edges at one place in eight
FEWEST = 200  # pixels in edges that are needed to tell
# Of 1,050 photographs none has more than 0.001, as they are and in grey, and 70 of them as JPEG of quality 5 to 30 none
# more than 0.012; in a dithered palette of 256 colours 1% have 0.1. Cartoons, charts and screenshots have 0.2 and more,
# pages 0.03 and more, fine patterns anything.
LEAST_CRISP = 0.1
# Apart from what is marked, 234 of 236 photographs under scratches have less, as they are and as JPEG; of 89 drawings
# whose lines are taken for scratches, JPEG of quality 60 to 90, 78 have more.
LEAST_NEARLY = 0.06


def is_drawn(image: Image) -> bool:
    """Tell whether a program drew an (H, W) or (H, W, C) image that was not compressed with loss."""
    return crispness(image) >= LEAST_CRISP


def is_drawn_apart_from(image: Image, mask: Mask) -> bool:
    """Tell whether a program drew what an (H, W) mask leaves of an image, which may have been compressed as JPEG."""
    around = cv2.dilate(mask.astype(np.uint8), np.ones((2 * STEP + 1, 2 * STEP + 1), np.uint8)) > 0
    return crispness(luminance(image), NEARLY, without=around) >= LEAST_NEARLY


def crispness(image: Image, sides: Sides = EXACTLY, *, without: Mask | None = None) -> float:
    """Measure which share of the edges is of one colour on either side.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    sides : Sides
    without : (H, W) bool array, optional
        Edges that do not count.

    Returns
    -------
    float in [0, 1]
        0 where there are too few edges.
    """
    pixels = np.atleast_3d(image)
    left_out = np.zeros(pixels.shape[:2], bool) if without is None else without
    crisp = edges = 0
    for lines, mask in ((pixels, left_out), (np.swapaxes(pixels, 0, 1), left_out.T)):
        if lines.shape[1] >= 2 * sides.run + sides.gap:
            step = max(1, len(lines) // LINES)
            there, of_all = _count_along(np.ascontiguousarray(lines[::step]), mask[::step], sides)
            crisp, edges = crisp + there, edges + of_all
    return crisp / edges if edges >= FEWEST else 0.0


def _count_along(lines: Image, left_out: Mask, sides: Sides) -> tuple[int, int]:
    """Count the pixels in crisp edges, and in all edges, along (N, W, C) lines."""
    count, width = lines.shape[:2]
    windows = sliding_window_view(lines, sides.run, axis=1)
    even = across_channels(np.logical_and, windows.max(axis=-1) - windows.min(axis=-1) <= sides.spread)
    steep = np.zeros((count, width), bool)
    steep[:, :-STEP] = largest_difference(lines[:, STEP:], lines[:, :-STEP]) >= sides.far
    steep &= ~left_out
    before = np.pad(np.cumsum(steep, axis=1), ((0, 0), (1, 0)))  # how many are steep before each
    crisp, clipped = np.zeros_like(steep), np.zeros_like(steep)
    for gap in range(sides.gap + 1):
        first = sides.run + gap  # of the pixels that follow, counted from the start of those before
        places = width - first - sides.run + 1
        nearby = before[:, first:][:, :places] > before[:, sides.run - STEP :][:, :places]
        row, start = np.nonzero(even[:, :places] & even[:, first:] & nearby)
        last = start + sides.run - 1
        near, across = lines[row, last], [lines[row, last + k] for k in range(1, gap + 2)]
        far = np.max([largest_difference(there, near) for there in across], axis=0) >= sides.far
        for run, beyond in ((near, across[0]), (across[-1], lines[row, last + gap])):
            far &= largest_difference(run, beyond) > 0
        far &= ~_at_blocks(last, far)
        extreme = _is_clipped(near) & _is_clipped(across[-1])
        for k in range(1 - STEP, gap + 1):
            crisp[row[far], last[far] + k] = True
            clipped[row[far & extreme], last[far & extreme] + k] = True
    edges = steep & ~clipped
    return int((edges & crisp).sum()), int(edges.sum())


def _at_blocks(column: NDArray[np.intp], hard: Mask) -> Mask:
    """Tell which columns are the last of JPEG blocks, if most of the hard edges are there."""
    counts = np.bincount(column[hard] % JPEG, minlength=JPEG)
    most = int(counts.argmax())
    return (column % JPEG == most) & (counts[most] > AT_BLOCKS * counts.sum())


def _is_clipped(colours: Image) -> Mask:
    """Tell which (N, C) colours are black or white."""
    return np.asarray((colours <= END).all(axis=1) | (colours >= 1 - END).all(axis=1))
