"""Tilings: checks, stripes, dots, hexagons, triangles, scales, Truchet arcs.

Every edge is a signed distance in pixels that is turned into coverage, so that it is smooth at any size. The first
colour of a palette is the ground or the joint; the tiles take the others.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.degradations.degraded import check_between, check_choice
from anew.generation.rules.canvas import Rng, Shape, cell_axes, check_shape, coverage, mixed
from anew.generation.rules.noise import octaves_of
from anew.generation.rules.palettes import Palette, colourise, palette_colours
from anew.randomness import as_generator

HALF_ROOT_3 = math.sqrt(3) / 2


def checker(
    shape: Shape, *, palette: Palette = ("#f2ede1", "#1f3b4d"), cells: float = 8, tileable: bool = True
) -> Image:
    """Lay squares of the first and the last colour in turn.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    cells : float in [1, 4096]
        Squares along the shorter side; tileable: an even number along both.
    tileable : bool

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 1, 4096)
    x, y, pitch_x, pitch_y = _paired_axes(shape, cells, tileable)
    waves = [1 - 2 * _bars(v, p) for v, p in ((x, pitch_x), (y, pitch_y))]  # +1 and -1 in turn
    dark = np.float32(0.5) - np.float32(0.5) * waves[1][:, None] * waves[0][None, :]
    return _two_colours(dark, palette)


def stripes(
    shape: Shape,
    *,
    palette: Palette = ("#f4efe4", "#c8553d"),
    cells: float = 8,
    share: float = 0.5,
    direction: str = "vertical",
    tileable: bool = True,
) -> Image:
    """Rule stripes of the last colour on the first.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    cells : float in [0.5, 2048]
        Stripes along the shorter side.
    share : float in [0, 1]
        Of the ground that they cover.
    direction : {"vertical", "horizontal", "diagonal"}
    tileable : bool

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 0.5, 2048)
    check_between("share", share, 0, 1)
    check_choice("direction", direction, ("vertical", "horizontal", "diagonal"))
    x, y, _, _ = cell_axes(shape, cells, tileable)
    across_x, across_y = direction != "horizontal", direction != "vertical"
    t = x[None, :] * across_x + y[:, None] * across_y
    steps = math.hypot(across_x * (x[1] - x[0] if len(x) > 1 else 1), across_y * (y[1] - y[0] if len(y) > 1 else 1))
    offset = np.abs(t - np.floor(t) - 0.5)  # from the middle of a stripe, in periods
    inside = coverage(((share / 2 - offset) / steps).astype(np.float32)) if 0 < share < 1 else np.full(shape, share)
    return _two_colours(np.broadcast_to(inside, shape).astype(np.float32), palette)


def dots(
    shape: Shape,
    *,
    palette: Palette = "harbour",
    cells: float = 10,
    radius: float = 0.3,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Set discs on a staggered lattice, each in a colour drawn from the palette.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    cells : float in [1, 1024]
        Discs along the shorter side; tileable: an even number of rows.
    radius : float in [0.01, 0.5]
        In units of their distance.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 1, 1024)
    check_between("radius", radius, 0.01, 0.5)
    x, y, columns, rows = staggered_axes(shape, cells, 1 / HALF_ROOT_3, tileable)
    row = np.floor(y).astype(int)
    shift = x[None, :] - 0.5 * (row % 2)[:, None]
    column = np.floor(shift).astype(int)
    pixels = shape[1] / columns
    dx, dy = (shift - column - 0.5) * pixels, (y - row - 0.5)[:, None] * (shape[0] / rows)
    inside = coverage((radius * pixels - np.hypot(dx, dy)).astype(np.float32))
    colours = _drawn(column % whole_count(columns), row[:, None] % whole_count(rows), palette, as_generator(rng))
    return mixed(ground_colour(palette), colours, inside)


def hexagons(
    shape: Shape,
    *,
    palette: Palette = "terrazzo",
    cells: float = 8,
    joint: float = 0.06,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Lay regular hexagons, point up, each in a colour drawn from the palette.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    cells : float in [1, 512]
        Hexagons along the shorter side.
    joint : float in [0, 0.9]
        Width of the joints, in widths of a hexagon.
    tileable : bool
        Whole numbers of columns and pairs of rows; the hexagons are stretched to that.
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 1, 512)
    check_between("joint", joint, 0, 0.9)
    x, y, columns, rows = staggered_axes(shape, cells, 1 / HALF_ROOT_3, tileable)
    column, row, distance = nearest_hexagon(x[None, :] - 0.25, y[:, None] - 0.5)
    inside = coverage(((0.5 - joint / 2 - distance) * (shape[1] / columns)).astype(np.float32))
    colours = _drawn(column % whole_count(columns), row % whole_count(rows), palette, as_generator(rng))
    return mixed(ground_colour(palette), colours, inside)


def nearest_hexagon(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Find the hexagon of each point, in a lattice with odd rows shifted by half a width.

    Parameters
    ----------
    x, y : arrays that broadcast
        In widths of a hexagon and in distances of rows (sqrt(3)/2 widths); centres lie at whole numbers.

    Returns
    -------
    column, row : int arrays
    distance : float array in [0, 0.5]
        In widths: the largest of the three projections on the normals of the sides, 0.5 at the border.
    """
    best = None
    for parity in (0, 1):  # the nearest centre among even and among odd rows
        row = 2 * np.round((y - parity) / 2) + parity
        column = np.round(x - 0.5 * parity)
        dx, dy = x - column - 0.5 * parity, (y - row) * HALF_ROOT_3
        squared = dx * dx + dy * dy
        if best is None:
            best = [squared, column, row + 0 * x, dx, dy + 0 * x]
        else:
            nearer = squared < best[0]
            best = [np.where(nearer, new, old) for new, old in zip((squared, column, row, dx, dy), best, strict=True)]
    assert best is not None
    _, column, row, dx, dy = best
    distance = np.maximum(np.abs(dx), np.abs(dx) / 2 + np.abs(dy) * HALF_ROOT_3)
    return column.astype(int), row.astype(int), distance


def triangles(
    shape: Shape, *, palette: Palette = "porcelain", cells: float = 8, tileable: bool = True, rng: Rng = 0
) -> Image:
    """Lay equilateral triangles; their shades follow soft noise, as in a folded sheet.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    cells : float in [1, 512]
        Along the shorter side.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 1, 512)
    generator = as_generator(rng)
    x, y, columns, rows = staggered_axes(shape, cells, 1 / HALF_ROOT_3, tileable)
    wide, high = whole_count(columns), whole_count(rows)
    soft = octaves_of((2 * high, 2 * wide), max(1.0, 0.45 * min(wide, high)), 2, 0.5, "fbm", tileable, generator)
    tones = np.clip(0.5 + 0.22 * soft + generator.uniform(-0.13, 0.13, soft.shape), 0, 1)
    scale = np.array([shape[1] / columns, shape[0] / rows])
    total = np.zeros((*shape, 3), np.float32)
    offsets = (0.125, 0.375, 0.625, 0.875)  # edges have three directions: sixteen samples per pixel are enough
    colours = colourise(tones.astype(np.float32), palette)
    for oy in offsets:
        v = y[:, None] + (oy - 0.5) / scale[1]
        row = np.floor(v).astype(int)
        for ox in offsets[:: 1 if shape[0] * shape[1] < 300_000 else 2]:
            u = x[None, :] + (ox - 0.5) / scale[0] - 0.5 * (row % 2)
            column = np.floor(u).astype(int)
            f, g = u - column, v - row
            upper = 2 * np.abs(f - 0.5) > g  # beside the triangle that points up from this cell's base
            index = 2 * column + np.where(upper, np.where(f < 0.5, -1, 1), 0) + (row % 2)
            total += colours[(2 * row) % (2 * high), index % (2 * wide)]
    return total / np.float32(len(offsets) * len(offsets[:: 1 if shape[0] * shape[1] < 300_000 else 2]))


def scales(
    shape: Shape,
    *,
    palette: Palette = "lagoon",
    cells: float = 8,
    bands: int = 3,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Overlap discs like the scales of a fish (seigaiha), each with rings.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    cells : float in [1, 512]
        Scales along the shorter side.
    bands : int in [1, 12]
        Rings of a scale.
    tileable : bool
    rng : int, Generator or None
        Draws a slight difference of shade between scales.

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 1, 512)
    check_between("bands", bands, 1, 12)
    generator = as_generator(rng)
    x, y, columns, rows = staggered_axes(shape, cells, 4.0, tileable)
    pixels = shape[1] / columns
    tall = (shape[0] / rows) / pixels  # distance of rows in widths
    wide, high = whole_count(columns), whole_count(rows)
    shade = generator.uniform(-0.06, 0.06, (high, wide))
    tone = np.zeros(shape, np.float32)
    for below in range(-2, 3):  # a lower row covers those above it
        row = np.floor(y).astype(int)[:, None] + below
        u = x[None, :] - 0.5 * (row % 2)
        column = np.floor(u).astype(int)
        radius = np.hypot(u - column - 0.5, (y[:, None] - row - 0.5) * tall).astype(np.float32)
        t = np.clip(radius * 2, 0, 1) * np.float32(bands)
        level = np.floor(t)
        soft = coverage((t - level) * np.float32(pixels / (2 * bands)) - np.float32(0.5))
        rings = 0.12 + np.float32(0.62 / bands) * (level + soft) + shade[row % high, column % wide].astype(np.float32)
        rim = coverage((np.float32(0.455) - radius) * np.float32(pixels))
        scale = 1 + (rings - 1) * rim
        tone += (scale - tone) * coverage((np.float32(0.5) - radius) * np.float32(pixels))
    return colourise(tone, palette)


def truchet(
    shape: Shape,
    *,
    palette: Palette = ("#f3ead7", "#1d2a44", "#d8442f"),
    cells: float = 10,
    width: float = 0.3,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Turn tiles with two quarter circles at random, so that the arcs join into loops (Smith, Leonardo 20, 1987).

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; ground, band, and (if there is a third) a line along its middle
    cells : float in [1, 512]
        Tiles along the shorter side.
    width : float in [0.02, 0.9]
        Of a band, in tiles.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 1, 512)
    check_between("width", width, 0.02, 0.9)
    x, y, columns, rows = cell_axes(shape, cells, tileable)
    turned = as_generator(rng).random((rows, columns)) < 0.5
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    u, v = np.broadcast_arrays((x - column)[None, :], (y - row)[:, None])
    u = np.where(turned[np.ix_(row, column)], 1 - u, u)
    radius = np.minimum(np.hypot(u, v), np.hypot(1 - u, 1 - v))
    pixels = min(shape[1] / columns, shape[0] / rows)
    offset = np.abs(radius - 0.5)
    colours = palette_colours(palette).astype(np.float32)
    band = coverage(((width / 2 - offset) * pixels).astype(np.float32))
    picture = mixed(colours[0], colours[min(1, len(colours) - 1)], band)
    if len(colours) > 2:
        picture = mixed(picture, colours[2], coverage(((width / 9 - offset) * pixels).astype(np.float32)))
    return picture


def _paired_axes(shape: Shape, cells: float, tileable: bool) -> tuple[NDArray[Any], NDArray[Any], float, float]:
    """Give axes in units of cells and the size of a pixel in them; tileable: even numbers of cells."""
    x, y, columns, rows = cell_axes(shape, cells / 2, tileable)
    per_x, per_y = (columns / shape[1], rows / shape[0]) if tileable else (cells / 2 / min(shape),) * 2
    return 2 * x, 2 * y, 2 * per_x, 2 * per_y


def _bars(t: NDArray[Any], pixel: float) -> Image:
    """Give the share of odd units that a pixel-wide window at t covers."""

    def integral(s: NDArray[Any]) -> NDArray[Any]:
        whole = np.floor(s / 2)
        return whole + np.clip(s - 2 * whole - 1, 0, 1)

    return ((integral(t + pixel / 2) - integral(t - pixel / 2)) / pixel).astype(np.float32)


def staggered_axes(
    shape: Shape, cells: float, ratio: float, tileable: bool, *, by_rows: bool = False
) -> tuple[NDArray[Any], NDArray[Any], float, float]:
    """Lay a lattice of cells ``ratio`` times as wide as high; tileable: whole columns, an even number of rows.

    ``cells`` counts along the shorter side: columns, or rows. Gives x (W,), y (H,) in cells, and the (fractional)
    numbers of columns and rows.
    """
    check_shape(shape)
    height, width = shape
    cells = min(cells, min(shape))  # finer cannot be shown
    wide = min(shape) / cells * (ratio if by_rows else 1)
    columns, rows = width / wide, height / (wide / ratio)
    if tileable:
        columns, rows = max(1, round(columns)), 2 * max(1, round(rows / 2))
    return (np.arange(width) + 0.5) * (columns / width), (np.arange(height) + 0.5) * (rows / height), columns, rows


def whole_count(count: float) -> int:
    """Give the cells to draw values for: with whole numbers they wrap around, else one more is in sight."""
    return int(count) if count == int(count) else math.ceil(count) + 1


def cell_values(column: NDArray[Any], row: NDArray[Any], rng: np.random.Generator) -> Image:
    table = rng.random((int(row.max()) + 1, int(column.max()) + 1)).astype(np.float32)
    return table[np.broadcast_arrays(row, column)[0], column]


def _drawn(column: NDArray[Any], row: NDArray[Any], palette: Palette, rng: np.random.Generator) -> Image:
    """Give each cell one of the colours after the first."""
    colours = palette_colours(palette).astype(np.float32)
    others = colours[1:] if len(colours) > 1 else colours
    return others[np.asarray(cell_values(column, row, rng) * len(others), np.int32).clip(0, len(others) - 1)]


def ground_colour(palette: Palette) -> Image:
    return palette_colours(palette)[0].astype(np.float32)


def _two_colours(share: Image, palette: Palette) -> Image:
    colours = palette_colours(palette).astype(np.float32)
    return mixed(colours[0], colours[-1], share)
