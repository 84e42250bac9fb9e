"""Whether a program drew a picture: a chart, a screenshot, a cartoon, a pattern.

What was drawn is exactly of one colour on either side of its edges and lines. What a camera or a scanner saw never is:
there are noise, blur, and the ripples of JPEG compression beside every edge. Edges between black and white do not
count, as scanners and burnt-out skies clip to them; nor do blocks of JPEG, which are of one colour at low quality, and
end all at the same columns and rows of eight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask, largest_difference, same_colour

LINES = 400  # rows, and columns, that are looked at
RUN = 3  # pixels of one colour
GAP = 3  # pixels that an antialiased edge, or a thin line, takes at most
FAR = 23.5 / 255  # change of a channel over an edge, or over a line; posters and palettes have many smaller ones
END = 1.5 / 255  # distance from black or white that counts as clipped
JPEG = 8  # pixels a side of a block
FEWEST = 200  # pixels in edges that are needed to tell
# Of 1,050 photographs none has more than 0.001, as they are and in grey, and 42 of them as JPEG of quality 2 to 20 none
# more than 0.004; in a dithered palette of 256 colours 1% have 0.1. Cartoons, charts and screenshots have 0.2 and more,
# pages 0.03 and more, fine patterns anything.
LEAST_CRISP = 0.1


def is_drawn(image: Image) -> bool:
    """Tell whether a program drew an (H, W) or (H, W, C) image."""
    return crispness(image) >= LEAST_CRISP


def crispness(image: Image) -> float:
    """Measure which share of the edges is exactly of one colour on either side.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]

    Returns
    -------
    float >= 0
        About 1 for flat colours with hard edges; 0 where there are too few edges.
    """
    pixels = np.atleast_3d(image)
    crisp, edges = np.zeros(JPEG), 0.0
    for rows in (pixels, np.swapaxes(pixels, 0, 1)):
        if rows.shape[1] > 2 * RUN + GAP:
            there, of_all = _count_along(np.ascontiguousarray(rows[:: max(1, len(rows) // LINES)]))
            crisp, edges = crisp + there, edges + of_all
    return float(JPEG * np.median(crisp) / edges) if edges >= FEWEST else 0.0


def _count_along(rows: Image) -> tuple[NDArray[np.float64], float]:
    """Count the pixels in crisp edges across (N, W, C) rows, by the column modulo 8 where they start, and in all."""
    width = rows.shape[1]
    same = same_colour(rows[:, 1:], rows[:, :-1])
    run = np.logical_and.reduce([same[:, k : width - RUN + 1 + k] for k in range(RUN - 1)])  # from each pixel on
    steep = largest_difference(rows[:, RUN:], rows[:, :-RUN]) >= FAR
    before = np.pad(np.cumsum(steep, axis=1), ((0, 0), (1, 0)))  # how many are steep before each
    crisp, edges = np.zeros(JPEG), float(steep.sum())
    for gap in range(GAP + 1):
        count = width - 2 * RUN - gap + 1
        ends = run[:, :count] & ~same[:, RUN - 1 :][:, :count]  # of one run; the next begins after the gap
        begins = run[:, RUN + gap :][:, :count] & ~same[:, RUN + gap - 1 :][:, :count]
        row, start = np.nonzero(ends & begins)
        last = start + RUN - 1
        near, across = rows[row, last], [rows[row, last + k] for k in range(1, gap + 2)]
        far = np.max([largest_difference(there, near) for there in across], axis=0) >= FAR
        inside = np.where(far, before[row, last + gap + 1] - before[row, start], 0)
        extreme = _is_clipped(near) & _is_clipped(across[-1])
        edges -= float(inside[extreme].sum())
        crisp += np.bincount(start[~extreme] % JPEG, inside[~extreme], JPEG)
    return crisp, edges


def _is_clipped(colours: Image) -> Mask:
    """Tell which (N, C) colours are black or white."""
    return np.asarray((colours <= END).all(axis=1) | (colours >= 1 - END).all(axis=1))
