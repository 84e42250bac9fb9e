"""Curves: closed figures of turning circles, and lines that follow a field of noise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.degradations.degraded import check_between, check_choice, check_whole
from anew.generation.rules.canvas import Rng, Shape, check_shape
from anew.generation.rules.noise import octaves_of
from anew.generation.rules.palettes import Palette, colour_table, inks_of, palette_colours
from anew.generation.rules.strokes import draw_lines, fitted
from anew.randomness import as_generator

Points = NDArray[np.float64]

FIGURES = ("lissajous", "rose", "hypotrochoid", "epitrochoid", "spiral", "superformula")
SAMPLES = 2400  # points of a figure
FIELD_SIDE = 512  # pixels of the field that flow lines follow; it is smooth


def curves(
    shape: Shape,
    *,
    palette: Palette = "-dusk",
    figure: str | None = None,
    a: int | None = None,
    b: int | None = None,
    count: int = 24,
    line: float = 1.6,
    rng: Rng = 0,
) -> Image:
    """Draw a family of curves one inside the other, each a little further in shape and colour.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; the first colour is the ground
    figure : {"lissajous", "rose", "hypotrochoid", "epitrochoid", "spiral", "superformula"}, optional
        Drawn at random if not given.
    a, b : int in [1, 60], optional
        Frequencies, petals or teeth of the figure; drawn at random if not given.
    count : int in [1, 400]
        How many curves.
    line : float in [0.1, 100]
        Width of a line, in thousandths of the shorter side.
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    generator = as_generator(rng)
    figure = str(generator.choice(FIGURES)) if figure is None else figure
    check_choice("figure", figure, FIGURES)
    low, high = {"rose": (2, 9), "spiral": (3, 9), "superformula": (3, 12)}.get(figure, (2, 8))
    a = int(generator.integers(low, high)) if a is None else a
    b = next(n for n in range(a + 1, a + 9) if math.gcd(a, n) == 1) if b is None else b
    check_whole("a", a, 1, 60)
    check_whole("b", b, 1, 60)
    check_whole("count", count, 1, 400)
    check_between("line", line, 0.1, 100)
    family = [figure_points(figure, a, b, share) for share in np.linspace(0, 1, count)]
    points = fitted(np.concatenate(family), shape, 0.06).reshape(count, -1, 2)
    table = colour_table(inks_of(palette))
    colours = table[np.linspace(0, len(table) - 1, count).astype(int)]
    width = line * min(shape) / 1000
    return draw_lines(shape, list(points), colours, [width] * count, palette_colours(palette)[0].astype(np.float32))


def figure_points(figure: str, a: int, b: int, share: float, samples: int = SAMPLES) -> Points:
    """Give one curve of a family.

    Parameters
    ----------
    figure : one of ``FIGURES``
    a, b : int >= 1
    share : float in [0, 1]
        Place in the family.

    Returns
    -------
    (samples, 2) float64 array of (x, y)
    """
    t = np.linspace(0, 2 * math.pi, samples)
    if figure == "lissajous":  # x = sin(a t + phase), y = sin(b t)
        return np.stack([np.sin(a * t + share * math.pi / 2), np.sin(b * t)], axis=1)
    if figure == "rose":  # r = cos(k t), Grandi's curve, with a growing core
        radius = (1 - share) * np.cos(a * t) + share
        return _polar(radius * (1 - 0.35 * share), t)
    if figure in ("hypotrochoid", "epitrochoid"):  # a pen on a wheel that rolls in or on a ring of radius 1
        sign = -1 if figure == "hypotrochoid" else 1
        wheel = a / b if a != b else 0.5
        turns = t * (a // math.gcd(a, b)) if a != b else t
        pen, ring = wheel * (0.3 + 0.9 * share), 1 + sign * wheel
        rolled = ring / wheel * turns
        x = ring * np.cos(turns) - sign * pen * np.cos(rolled)
        return np.stack([x, ring * np.sin(turns) - pen * np.sin(rolled)], axis=1)
    if figure == "spiral":  # Archimedes' r = t, its arms one turn of the family apart
        return _polar(t / (2 * math.pi), a * t + 2 * math.pi * share)
    # Gielis, "A generic geometric transformation", American Journal of Botany 90 (2003)
    n = 0.35 + 3 * share
    radius = (np.abs(np.cos(a * t / 4)) ** (n + 1) + np.abs(np.sin(a * t / 4)) ** (n + 1)) ** (-1 / (n + 0.4))
    return _polar((1 - 0.85 * share) * radius / radius.max(), t)


def flow_lines(
    shape: Shape,
    *,
    palette: Palette = ("#f3ead7", "#0f3a4b", "#2b7a8c", "#7db8a8", "#e6a15c", "#c8553d", "#8c2f39"),
    cells: float = 2.0,
    count: int = 1500,
    length: float = 0.35,
    line: float = 3.0,
    rng: Rng = 0,
) -> Image:
    """Let pens follow a field of directions made of noise.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; the first colour is the ground
    cells : float in [0.2, 50]
        Eddies along the shorter side, about.
    count : int in [1, 20000]
        How many lines.
    length : float in [0.01, 4]
        Of a line, in shorter sides.
    line : float in [0.1, 100]
        Width of the widest lines, in thousandths of the shorter side.
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_shape(shape)
    check_between("cells", cells, 0.2, 50)
    check_whole("count", count, 1, 20_000)
    check_between("length", length, 0.01, 4)
    check_between("line", line, 0.1, 100)
    generator = as_generator(rng)
    extent = np.array([shape[1], shape[0]]) / min(shape)
    reach = 1 + 0.2  # the field goes on beyond the edges
    side = [max(2, min(4 * FIELD_SIDE, round(FIELD_SIDE * reach * e))) for e in extent[::-1]]
    angle = 0.8 * octaves_of((side[0], side[1]), cells, 2, 0.4, "fbm", False, generator) * math.pi
    angle += generator.uniform(0, 2 * math.pi)
    steps = max(8, round(length * 110))
    paths = np.empty((steps, count, 2))
    paths[0] = generator.uniform(-0.1, 1.1, (count, 2)) * extent
    for k in range(1, steps):  # all pens move at once; the midpoint rule keeps circles round
        half = paths[k - 1] + _direction(angle, paths[k - 1], extent) * (0.5 * length / steps)
        paths[k] = paths[k - 1] + _direction(angle, half, extent) * (length / steps)
    inks = inks_of(palette)
    table = colour_table(inks)
    across = (paths[0] / extent) @ (0.6, 0.4) + generator.normal(0, 0.07, count)
    colours = table[np.asarray(np.clip(across, 0, 1) * (len(table) - 1), int)]
    colours = np.clip(colours + generator.normal(0, 0.03, (count, 1)).astype(np.float32), 0, 1)
    widths = line * min(shape) / 1000 * generator.uniform(0.25, 1, count)
    lines = list(paths.transpose(1, 0, 2) * min(shape))
    return draw_lines(shape, lines, colours, list(widths), palette_colours(palette)[0].astype(np.float32))


def _direction(angle: Image, places: Points, extent: Points) -> Points:
    """Read the field of directions at places, to the nearest sample."""
    share = (places / extent + 0.1) / 1.2
    row = np.clip(share[:, 1] * angle.shape[0], 0, angle.shape[0] - 1).astype(int)
    column = np.clip(share[:, 0] * angle.shape[1], 0, angle.shape[1] - 1).astype(int)
    here = angle[row, column].astype(np.float64)
    return np.stack([np.cos(here), np.sin(here)], axis=1)


def _polar(radius: Points, angle: Points) -> Points:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
