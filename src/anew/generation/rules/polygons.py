"""Regular polygons, stars and discs strewn over a ground, every edge smooth."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.degradations.degraded import check_between, check_whole
from anew.generation.rules.canvas import Rng, Shape, check_shape, coverage
from anew.generation.rules.palettes import Palette, inks_of, palette_colours
from anew.randomness import as_generator

ROUND = 40  # sides from which a polygon counts as a disc
STAR_DEPTH = 0.42  # inner radius of a star over its outer one


def polygons(
    shape: Shape,
    *,
    palette: Palette = "bauhaus",
    count: int = 60,
    sides: int = 0,
    radius: float = 0.14,
    stars: float = 0.15,
    opacity: float = 1.0,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Strew polygons, the large ones first.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; the first colour is the ground
    count : int in [0, 5000]
    sides : int in [0, 1000]
        3 or more for all; 0 draws triangles, squares, hexagons and discs.
    radius : float in [0.001, 1]
        Of the largest, in shorter sides; the others go down to a sixth of it.
    stars : float in [0, 1]
        Share that are stars with that many tips.
    opacity : float in [0, 1]
    tileable : bool
        What leaves at one edge comes in at the other.
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_shape(shape)
    check_whole("count", count, 0, 5000)
    check_whole("sides", sides, 0, 1000)
    check_between("radius", radius, 1e-3, 1)
    check_between("stars", stars, 0, 1)
    check_between("opacity", opacity, 0, 1)
    if sides in (1, 2):
        raise ValueError(f"sides must be 0 or at least 3, got {sides}")
    generator = as_generator(rng)
    inks = palette_colours(inks_of(palette)).astype(np.float32)
    picture = np.broadcast_to(palette_colours(palette)[0].astype(np.float32), (*shape, 3)).copy()
    radii = np.sort(radius * min(shape) * (1 / 6 + 5 / 6 * generator.random(count) ** 2))[::-1]
    for reach in radii:
        corners = sides or int(generator.choice([3, 4, 6, ROUND]))
        star = corners < ROUND and generator.random() < stars
        inner = STAR_DEPTH if star else math.cos(math.pi / corners)
        corners = max(corners, 5) if star and not sides else corners
        centre = generator.uniform(0, 1, 2) * (shape[1], shape[0])
        rows, columns, share = stamp(shape, centre, float(reach), corners, inner, generator.uniform(0, 1), tileable)
        if share.size:
            here = np.ix_(rows, columns)
            ink = inks[int(generator.integers(len(inks)))]
            picture[here] += (ink - picture[here]) * (share * np.float32(opacity))[:, :, None]
    return picture


def stamp(
    shape: Shape,
    centre: NDArray[np.float64],
    radius: float,
    corners: int,
    inner: float,
    turn: float,
    tileable: bool,
) -> tuple[NDArray[np.intp], NDArray[np.intp], Image]:
    """Give the rows and columns that a star reaches, and its share of each pixel there.

    Parameters
    ----------
    centre : (x, y) in pixels
    radius : float
        Of the tips, in pixels.
    corners : int >= 3
    inner : float
        Radius of the notches over that of the tips; cos(pi / corners) makes a regular polygon.
    turn : float in [0, 1]
        Rotation, in sectors.
    tileable : bool
        Beyond an edge, rows and columns go on at the other; a star wider than the picture is cut.
    """
    rows, columns = (_reached(c, radius, side, tileable) for c, side in zip(centre[::-1], shape, strict=True))
    x, y = (columns + 0.5 - centre[0])[None, :], (rows + 0.5 - centre[1])[:, None]
    if corners >= ROUND:
        distance = radius - np.hypot(x, y)
    else:
        sector = math.pi / corners
        angle = np.arctan2(y, x) + 2 * sector * turn
        folded = np.abs((angle + sector) % (2 * sector) - sector)  # 0 at a tip, ``sector`` at a notch
        length = np.hypot(x, y)
        u, v = length * np.cos(folded), length * np.sin(folded)
        edge_x, edge_y = inner * math.cos(sector) - 1, inner * math.sin(sector)  # from a tip to a notch, tip at (1, 0)
        distance = ((radius - u) * edge_y + v * edge_x) / math.hypot(edge_x, edge_y)
    return rows % shape[0], columns % shape[1], coverage(distance.astype(np.float32))


def _reached(middle: float, radius: float, side: int, tileable: bool) -> NDArray[np.intp]:
    first, last = math.floor(middle - radius - 1), math.ceil(middle + radius + 1)
    if tileable:
        if last - first > side:  # each pixel once, those nearest to the middle
            first = math.floor(middle - side / 2)
            last = first + side
        return np.arange(first, last)
    return np.arange(max(first, 0), max(min(last, side), max(first, 0)))
