"""Land from noise: a relief map, and hills cut into layers.

After Musgrave, "Methods for realistic landscape imaging" (1993): fractal sums, sharper where the land is high.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import check_between
from anew.generation.rules.canvas import Rng, Shape, mixed, shaded, slopes
from anew.generation.rules.noise import evened, fractal_noise, octaves_of
from anew.generation.rules.palettes import Palette, colourise
from anew.randomness import as_generator


def terrain(
    shape: Shape,
    *,
    palette: Palette = (
        "#173f5f",
        "#2f6f8f",
        "#7fb7be",
        "#e9dcb0",
        "#8fa35f",
        "#4f7a4a",
        "#8c7b62",
        "#c9beb0",
        "#ffffff",
    ),
    cells: float = 2.5,
    sea: float = 0.35,
    contours: int = 0,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Draw a relief map: eroded heights, coloured by altitude, lit from the upper left.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; the first third is water
    cells : float in [0.5, 100]
        Mountains along the shorter side, about.
    sea : float in [0, 1]
        Share of the map under water.
    contours : int in [0, 100]
        Lines of equal height.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 0.5, 100)
    check_between("sea", sea, 0, 1)
    check_between("contours", contours, 0, 100)
    generator = as_generator(rng)
    broad = octaves_of(shape, cells, 9, 0.5, "fbm", tileable, generator)
    ridges = octaves_of(shape, 1.5 * cells, 7, 0.5, "ridged", tileable, generator)
    height = evened(0.85 * broad + 0.5 * ridges * evened(broad))
    land = np.clip((height - np.float32(sea)) / np.float32(max(1 - sea, 1e-3)), 0, 1)
    depth = np.clip(height / np.float32(max(sea, 1e-3)), 0, 1)
    tone = np.where(height < sea, depth * np.float32(0.30), 0.34 + 0.66 * land ** np.float32(1.25))
    light = shaded(land * np.float32(0.2 * min(shape) / cells), elevation=48, tileable=tileable)
    picture = colourise(tone, palette) * np.clip(0.35 + 0.65 * light, 0, 1.35)[:, :, None]
    if contours:
        level = land * np.float32(contours)
        slope = np.hypot(*slopes(level, tileable)) + np.float32(1e-4)
        line = np.clip(1.2 - np.abs(level - np.round(level)) / slope, 0, 1) * (land > 0)
        picture = mixed(picture, picture * np.float32(0.55), line)
    return np.clip(picture, 0, 1)


def contour_lines(
    shape: Shape,
    *,
    palette: Palette = "lagoon",
    cells: float = 2.5,
    levels: int = 14,
    line: float = 0.9,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Cut smooth hills into steps, like layers of paper, with a thin line and a soft shadow at each edge.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    cells : float in [0.5, 100]
    levels : int in [2, 100]
    line : float in [0, 20]
        Width of the shadow, in thousandths of the shorter side.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 0.5, 100)
    check_between("levels", levels, 2, 100)
    check_between("line", line, 0, 20)
    height = fractal_noise(shape, cells=cells, octaves=2, gain=0.35, tileable=tileable, rng=rng)
    level = height * np.float32(levels)
    below = np.floor(level)
    slope = np.hypot(*slopes(level, tileable)) + np.float32(1e-5)
    distance = (level - below) / slope  # pixels to the edge of this sheet, inside it
    edge = np.clip(distance, 0, 1)  # the step itself, one pixel wide
    to_next = (below + 1 - level) / slope
    width = np.float32(6 * line * min(shape) / 1000 + 0.5)
    shadow = 1 - np.float32(0.34) * np.exp(-to_next / width)
    high = colourise((below + 0.5) / np.float32(levels), palette)
    low = colourise((below - 0.5) / np.float32(levels), palette) * np.float32(0.66)
    return np.clip(mixed(low, high * shadow[:, :, None], edge), 0, 1)
