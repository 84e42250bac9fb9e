"""Gradients: from one colour to another along a line, a radius, an angle, or between points; and plain swatches."""

from __future__ import annotations

import math

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import check_between, check_whole
from anew.generation.rules.canvas import Rng, Shape, axes, check_shape, enlarged
from anew.generation.rules.palettes import Palette, colourise, oklab_to_srgb, palette_colours, srgb_to_oklab
from anew.randomness import as_generator

WRAPS = range(-1, 2)


def linear_gradient(
    shape: Shape, *, angle: float = 60.0, repeat: float = 1.0, mirror: bool = False, tileable: bool = False
) -> Image:
    """Rise from corner to corner along a direction.

    Parameters
    ----------
    shape : (H, W)
    angle : float
        Degrees counter-clockwise from the right; the picture's corners take the values 0 and 1.
    repeat : float in [0.001, 10000]
        How many times.
    mirror : bool
        Go up and down in turn, without a jump.
    tileable : bool
        Mirrored, with whole waves along both sides: the angle is rounded to that.

    Returns
    -------
    (H, W) float32 array in [0, 1]
    """
    check_between("repeat", repeat, 1e-3, 1e4)
    x, y = axes(shape)
    right, down = math.cos(math.radians(angle)), -math.sin(math.radians(angle))
    wide, high = shape[1] / min(shape), shape[0] / min(shape)
    if tileable:
        turns_x, turns_y = (round(repeat * d / max(abs(right), abs(down))) for d in (right, down))
        if turns_x == turns_y == 0:
            turns_x = 1
        t = x * np.float32(turns_x / wide) + y * np.float32(turns_y / high)
        return _triangle(2 * t)
    length = abs(right) * wide + abs(down) * high
    start = min(0, right * wide) + min(0, down * high)
    t = (x * np.float32(right) + y * np.float32(down) - np.float32(start)) * np.float32(repeat / length)
    return _triangle(t) if mirror else _sawtooth(t)


def radial_gradient(
    shape: Shape, *, centre_x: float = 0.5, centre_y: float = 0.5, repeat: float = 1.0, mirror: bool = False
) -> Image:
    """Rise from a point to the farthest corner.

    Parameters
    ----------
    shape : (H, W)
    centre_x, centre_y : float in [-100, 100]
        In shares of the width and the height.
    repeat : float in [0.001, 10000]
    mirror : bool
        Go up and down in turn.

    Returns
    -------
    (H, W) float32 array in [0, 1]
    """
    check_between("repeat", repeat, 1e-3, 1e4)
    _check_centre(centre_x, centre_y)
    x, y = axes(shape)
    wide, high = shape[1] / min(shape), shape[0] / min(shape)
    dx, dy = x - np.float32(centre_x * wide), y - np.float32(centre_y * high)
    farthest = math.hypot(max(centre_x, 1 - centre_x) * wide, max(centre_y, 1 - centre_y) * high)
    t = np.sqrt(dx * dx + dy * dy) * np.float32(repeat / farthest)
    return _triangle(t) if mirror else _sawtooth(t)


def conic_gradient(
    shape: Shape,
    *,
    palette: Palette = "spectrum:30",
    angle: float = 90.0,
    centre_x: float = 0.5,
    centre_y: float = 0.5,
    repeat: int = 1,
) -> Image:
    """Turn round a point; the palette ends where it began, so that there is no seam.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    angle : float
        Where it begins, in degrees counter-clockwise from the right.
    centre_x, centre_y : float in [-100, 100]
        In shares of the width and the height.
    repeat : int in [1, 1000]

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_whole("repeat", repeat, 1, 1000)
    _check_centre(centre_x, centre_y)
    x, y = axes(shape)
    dx = x - np.float32(centre_x * shape[1] / min(shape))
    dy = y - np.float32(centre_y * shape[0] / min(shape))
    turn = np.arctan2(-dy, dx) / np.float32(2 * math.pi) - np.float32(angle % 360 / 360)
    return colourise(turn * np.float32(repeat), palette, cyclic=True)


def mesh_gradient(
    shape: Shape,
    *,
    palette: Palette = "dusk",
    points: int = 9,
    softness: float = 0.4,
    grain: float = 0.01,
    tileable: bool = False,
    rng: Rng = 0,
) -> Image:
    """Blend the colours of points that lie about the picture, in OKLab, by inverse distance (Shepard, 1968).

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    points : int in [2, 64]
    softness : float in [0, 1]
        0 has spots of colour, 1 is nearly one colour.
    grain : float in [0, 1]
        Standard deviation of a fine noise over it, which also hides the steps of 8 bits.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_shape(shape)
    check_whole("points", points, 2, 64)
    check_between("softness", softness, 0, 1)
    check_between("grain", grain, 0, 1)
    generator = as_generator(rng)
    colours = srgb_to_oklab(palette_colours(palette))
    places = _scattered(points, generator)
    turn = generator.uniform(0, 2 * math.pi)
    along = places @ (math.cos(turn), math.sin(turn)) + generator.normal(0, 0.08, points)
    order = np.argsort(np.argsort(along)) * len(colours) // points  # neighbours in place are neighbours in the palette
    small = tuple(min(side, 256) for side in shape)  # smooth enough to be enlarged
    lab = _shepard(small, (shape[1] / min(shape), shape[0] / min(shape)), places, colours[order], softness, tileable)
    result = np.asarray(oklab_to_srgb(lab), np.float32)
    result = enlarged(result, shape, tileable=tileable)
    if grain:
        result = result + np.float32(grain) * generator.standard_normal((*shape, 1), np.float32)
    return np.clip(result, 0, 1)


def swatches(shape: Shape, *, palette: Palette = "lagoon") -> Image:
    """Show the colours of a palette side by side.

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_shape(shape)
    colours = palette_colours(palette).astype(np.float32)
    columns = np.arange(shape[1]) * len(colours) // shape[1]
    return np.broadcast_to(colours[columns][None], (*shape, 3)).copy()


def _check_centre(x: float, y: float) -> None:
    """Refuse a point so far away that float32 tells no pixels apart."""
    for name, value in (("centre_x", x), ("centre_y", y)):
        check_between(name, value, -100, 100)


def _triangle(t: Image) -> Image:
    """Give 0, 1, 0, 1 at the whole numbers, straight between."""
    return np.abs(t - 2 * np.floor(t / 2 + np.float32(0.5)))


def _sawtooth(t: Image) -> Image:
    return t - np.floor(t) if float(t.max()) > 1 else np.clip(t, 0, 1)


def _scattered(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw (count, 2) points in the unit square, each the farthest of a few candidates (Mitchell, 1991)."""
    chosen = rng.random((1, 2))
    while len(chosen) < count:
        candidates = rng.random((12, 2))
        apart = np.abs(candidates[:, None] - chosen[None])
        apart = np.minimum(apart, 1 - apart)  # as on a torus
        best = candidates[np.argmax((apart**2).sum(-1).min(1))]
        chosen = np.concatenate([chosen, best[None]])
    return chosen


def _shepard(
    shape: tuple[int, ...],
    extent: tuple[float, float],
    places: np.ndarray,
    colours: np.ndarray,
    softness: float,
    tileable: bool,
) -> np.ndarray:
    """Blend the colours of the points by weights (d^2 + s^2)^(-5/2); tileable: each point counts in nine copies."""
    x = ((np.arange(shape[1]) + 0.5) / shape[1] * extent[0])[None, :]
    y = ((np.arange(shape[0]) + 0.5) / shape[0] * extent[1])[:, None]
    floor = 0.002 + 0.25 * softness**2
    total, weights = np.zeros((*shape, 3)), np.zeros(shape)
    wraps = [(i, j) for i in WRAPS for j in WRAPS] if tileable else [(0, 0)]
    for (px, py), colour in zip(places, colours, strict=True):
        for i, j in wraps:
            weight = ((x - (px + i) * extent[0]) ** 2 + (y - (py + j) * extent[1]) ** 2 + floor) ** -2.5
            weights += weight
            total += weight[:, :, None] * colour
    return total / weights[:, :, None]
