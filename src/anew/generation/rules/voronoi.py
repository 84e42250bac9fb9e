"""Voronoi cells: every pixel belongs to the nearest of scattered points (Voronoi, 1908; Worley, SIGGRAPH 1996)."""

from __future__ import annotations

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import check_between
from anew.generation.rules.canvas import Rng, Shape, coverage, mixed
from anew.generation.rules.noise import nearest_points, octaves_of
from anew.generation.rules.palettes import Palette, colour_table, inks_of, palette_colours
from anew.randomness import as_generator

ROUNDING = 0.35  # how far the glass fades towards its border


def voronoi(
    shape: Shape,
    *,
    palette: Palette = ("#1b1714", "#0f3a4b", "#1f7a8c", "#7fb7a6", "#f0d9a0", "#e6a15c", "#c8553d", "#7a2340"),
    cells: float = 9,
    jitter: float = 1.0,
    joint: float = 0.07,
    relief: float = 0.5,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Set stained glass: a cell round each point, lead between them.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; the first colour is the lead, the others follow soft noise
    cells : float in [0.1, 1024]
        Along the shorter side.
    jitter : float in [0, 1]
        0 has square cells, 1 the most irregular ones.
    joint : float in [0, 1]
        Width of the lead, in cells; 0 leaves it out.
    relief : float in [0, 1]
        How much a pane darkens towards its border.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("joint", joint, 0, 1)
    check_between("relief", relief, 0, 1)
    generator = as_generator(rng)
    index, _, _, border = nearest_points(shape, cells, jitter, tileable, generator)
    count = int(index.max()) + 1
    side = max(4, int(np.ceil(np.sqrt(count))))
    soft = octaves_of((side, side), 2.5, 2, 0.5, "fbm", True, generator).ravel()[:count]
    tone = np.clip(0.5 + 0.24 * soft + generator.uniform(-0.22, 0.22, count), 0, 1)
    table = colour_table(inks_of(palette))
    panes = table[np.asarray(tone * (len(table) - 1), int)]
    glass = np.take(panes, index, axis=0)
    glass *= 1 - np.float32(relief) * np.exp(-border[:, :, None] / np.float32(0.5 * ROUNDING))
    if not joint:
        return glass
    pixels = np.float32(min(shape) / cells)  # of a cell
    lead = coverage((np.float32(joint / 2) - border) * pixels)
    return mixed(glass, palette_colours(palette)[0].astype(np.float32), lead)
