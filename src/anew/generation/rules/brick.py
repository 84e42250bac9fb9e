"""A wall of bricks in running bond."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.degradations.degraded import check_between
from anew.generation.rules.canvas import Rng, Shape, coverage, mixed, shaded
from anew.generation.rules.noise import octaves_of
from anew.generation.rules.palettes import Palette, colour_table, inks_of
from anew.generation.rules.tilings import cell_values, ground_colour, staggered_axes, whole_count
from anew.randomness import as_generator


def brick(
    shape: Shape,
    *,
    palette: Palette = "brickwork",
    courses: float = 10,
    ratio: float = 2.4,
    joint: float = 0.1,
    variation: float = 1.0,
    roughness: float = 1.0,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Lay bricks in running bond, each of its own shade, with a rough face and a bevel lit from the upper left.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; the first colour is the mortar
    courses : float in [1, 512]
        Rows of bricks along the shorter side; tileable: an even number.
    ratio : float in [0.2, 20]
        Length of a brick over its height.
    joint : float in [0, 0.8]
        Width of the mortar, in heights of a brick.
    variation : float in [0, 1]
        How much the bricks differ.
    roughness : float in [0, 4]
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("courses", courses, 1, 512)
    check_between("ratio", ratio, 0.2, 20)
    check_between("joint", joint, 0, 0.8)
    check_between("variation", variation, 0, 1)
    check_between("roughness", roughness, 0, 4)
    generator = as_generator(rng)
    x, y, columns, rows = staggered_axes(shape, courses, ratio, tileable, by_rows=True)
    row = np.floor(y).astype(int)
    shift = x[None, :] - 0.5 * (row % 2)[:, None]
    column = np.floor(shift).astype(int)
    wide, high = shape[1] / columns, shape[0] / rows  # of a brick, in pixels
    ragged = octaves_of(shape, 4 * courses, 3, 0.6, "fbm", tileable, generator) * np.float32(0.012 * roughness * high)
    to_side = np.minimum(shift - column, column + 1 - shift) * wide
    to_bed = np.broadcast_to((np.minimum(y - row, row + 1 - y) * high)[:, None], shape)
    corner = 0.16 * high
    distance = _rounded(to_side - joint * high / 2, to_bed - joint * high / 2, corner).astype(np.float32) + ragged
    pick = cell_values(column % whole_count(columns), row[:, None] % whole_count(rows), generator)
    surface = octaves_of(shape, 5 * courses, 5, 0.65, "fbm", tileable, generator)
    tone = 0.6 + np.float32(variation) * 0.6 * (pick - 0.5) + np.float32(0.045 * roughness) * surface
    faces = colour_table(inks_of(palette))
    face = faces[np.asarray(np.clip(tone, 0, 1) * (len(faces) - 1), np.int32)]
    bevel = np.clip(distance / np.float32(0.10 * high), 0, 1) * np.float32(0.05 * high)
    light = shaded(bevel + surface * np.float32(0.004 * roughness * high), tileable=tileable)
    mortar = ground_colour(palette) * (1 + np.float32(0.05 * roughness) * surface)[:, :, None]
    shade = 0.72 + 0.28 * np.clip(-distance / np.float32(max(joint * high / 2, 1)), 0, 1)  # deeper beside a brick
    lit = np.asarray(face * np.clip(0.3 + 0.7 * light, 0.4, 1.3)[:, :, None], np.float32)
    laid = np.asarray(mortar * shade[:, :, None], np.float32)
    return np.clip(mixed(laid, lit, coverage(distance)), 0, 1)


def _rounded(dx: NDArray[Any], dy: NDArray[Any], radius: float) -> NDArray[Any]:
    """Give the distance to the border of a box with round corners, from the distances to its sides (inside > 0)."""
    x, y = np.maximum(radius - dx, 0), np.maximum(radius - dy, 0)
    return radius - np.hypot(x, y) + np.maximum(np.minimum(dx, dy) - radius, 0)
