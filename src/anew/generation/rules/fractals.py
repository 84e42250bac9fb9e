"""Mandelbrot's and Julia's sets, coloured by the smooth escape time and shaded by the distance to the set.

Smooth count and distance estimate: Peitgen and Saupe (eds.), The Science of Fractal Images (1988), appendix D. Pixels
whose neighbours differ are sampled several times more, so that filaments are smooth.
"""

from __future__ import annotations

import cmath
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.degradations.degraded import check_between, check_choice, check_whole
from anew.generation.rules.canvas import Rng, Shape, check_shape
from anew.generation.rules.palettes import Palette, colour_table
from anew.randomness import as_generator
from anew.threads import thread_count

Points = NDArray[np.float64]

PLACES: dict[str, tuple[float, float, float]] = {  # x, y, width of the shorter side
    "whole": (-0.72, 0.0, 2.6),
    "seahorses": (-0.7463, 0.1102, 0.0065),
    "elephants": (0.2925755, -0.0149977, 0.0026),
    "spiral": (-0.761574, -0.0847596, 0.0012),
    "lightning": (-1.2584, 0.3816, 0.012),
    "tendrils": (-0.170337, -1.06506, 0.03),
    "curls": (-0.743643887037151, 0.131825904205330, 0.00012),
    "islands": (-1.25066, 0.02012, 0.0004),
}
QUICK_PLACES = ("whole", "elephants", "lightning", "tendrils")  # drawn by chance; the others take longer
SEEDS: dict[str, complex] = {
    "dragon": -0.8 + 0.156j,
    "rabbit": -0.123 + 0.745j,
    "dendrite": -0.02 + 1.0j,
    "galaxies": -0.7269 + 0.1889j,
    "lace": -0.4 + 0.6j,
    "snowflakes": 0.285 + 0.01j,
    "cauliflower": -0.70176 - 0.3842j,
    "siegel": -0.391 - 0.587j,
}
OUTSIDE = (1.01, 1.06)  # how far from 0 a c that is drawn lies, relative to the cardioid
SMALLEST_WIDTH = 1e-12  # of the picture; below, double precision shows blocks
THIRD = 1 / 3
FINE = [(i * THIRD, j * THIRD) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
COARSE = [(0.4, 0.15), (-0.15, -0.4)]  # with the pixel's centre three rows and three columns
FINE_UP_TO = 0.2  # share of pixels whose neighbours differ; above, they get the coarse samples
CHUNK = 65_536  # points that a thread takes at a time
EDGE = 0.02  # of a turn of the palette; a larger difference of neighbours is an edge


def mandelbrot(
    shape: Shape,
    *,
    palette: Palette = ("#060b26", "#1d3f8f", "#7db8e8", "#fdf6dc", "#f3a73b", "#7a2a18"),
    place: str | None = None,
    x: float | None = None,
    y: float | None = None,
    width: float | None = None,
    iterations: int | None = None,
    cycle: float = 1.0,
    rng: Rng = 0,
) -> Image:
    """Show a part of Mandelbrot's set: the c for which z -> z^2 + c, from 0, stays bounded.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; it is run through again and again
    place : str, optional
        One of ``PLACES``; if neither it nor x, y and width are given, one of ``QUICK_PLACES`` at random, a little
        moved and enlarged or reduced at random.
    x, y, width : float, optional
        Centre, and extent along the shorter side, in [1e-12, 8]; in place of those of ``place``.
    iterations : int in [1, 100000], optional
        By default more for smaller widths.
    cycle : float in [0.01, 100]
        Turns of the palette, relative to the usual.
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    if place is None and (x, y, width) == (None, None, None):
        x, y, width = _drawn_place(as_generator(rng))
    check_choice("place", place or "whole", tuple(PLACES))
    usual = PLACES[place or "whole"]
    cx, cy, extent = (usual[i] if value is None else value for i, value in enumerate((x, y, width)))
    check_between("width", extent, SMALLEST_WIDTH, 8)
    return _render(shape, palette, cx, cy, extent, None, _enough(iterations, extent), cycle)


def julia(
    shape: Shape,
    *,
    palette: Palette = ("#0a0a23", "#3b1f6b", "#c2477f", "#fbb26a", "#fff6da", "#5a7fb5"),
    seed: str | None = None,
    real: float | None = None,
    imaginary: float | None = None,
    x: float = 0.0,
    y: float = 0.0,
    width: float = 2.7,
    iterations: int | None = None,
    cycle: float = 1.0,
    rng: Rng = 0,
) -> Image:
    """Show a part of a Julia set: the starting points z that stay bounded under z -> z^2 + c.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; it is run through again and again
    seed : str, optional
        c by name, one of ``SEEDS``; if ``real`` and ``imaginary`` are not given either, c is drawn from just outside
        the cardioid of Mandelbrot's set, where the sets are rich in spirals.
    real, imaginary : float in [-2, 2], optional
        c by number.
    x, y, width : float
        Centre, and extent along the shorter side, in [1e-12, 8].
    iterations : int in [1, 100000], optional
        By default more for smaller widths.
    cycle : float in [0.01, 100]
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    if seed is None and real is None and imaginary is None:
        real, imaginary = _drawn_seed(as_generator(rng))
    check_choice("seed", seed or "dragon", tuple(SEEDS))
    usual = SEEDS[seed] if seed else 0j
    c = complex(usual.real if real is None else real, usual.imag if imaginary is None else imaginary)
    check_between("real", c.real, -2, 2)
    check_between("imaginary", c.imag, -2, 2)
    check_between("width", width, SMALLEST_WIDTH, 8)
    return _render(shape, palette, x, y, width, c, _enough(iterations, width), cycle)


def escape(
    x: Points, y: Points, *, iterations: int = 500, c: complex | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the smooth escape time of points of the plane, and their distance to the set.

    Parameters
    ----------
    x, y : (...) float64 arrays of one shape
    iterations : int >= 1
    c : complex, optional
        Of a Julia set; none for Mandelbrot's.

    Returns
    -------
    count : (...) float32 array; -1 for points that stay
    distance : (...) float32 array, in units of the plane; 0 for points that stay
    """
    from anew.kernels.escape_time import escape_times

    count, distance = np.empty(x.size, np.float32), np.empty(x.size, np.float32)
    flat_x, flat_y = (np.ascontiguousarray(v, np.float64).ravel() for v in (x, y))

    def run(start: int) -> None:
        part = slice(start, start + CHUNK)
        escape_times(flat_x[part], flat_y[part], c or 0j, c is not None, iterations, count[part], distance[part])

    with ThreadPoolExecutor(thread_count()) as pool:  # the kernel releases the interpreter
        list(pool.map(run, range(0, x.size, CHUNK)))
    return count.reshape(x.shape), distance.reshape(x.shape)


def _drawn_place(rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw (x, y, width) near one of ``QUICK_PLACES``: by so little that the boundary of the set stays in sight."""
    x, y, width = PLACES[str(rng.choice(QUICK_PLACES))]
    width *= 2 ** rng.uniform(-0.5, 0.5)
    return x + width * rng.uniform(-0.2, 0.2), y + width * rng.uniform(-0.2, 0.2), width


def _drawn_seed(rng: np.random.Generator) -> tuple[float, float]:
    """Draw c = r (z - z^2), |z| = 1 / 2: at r = 1 the cardioid, a little outside of it where r is larger."""
    z = cmath.exp(1j * rng.uniform(0, 2 * math.pi)) / 2
    c = rng.uniform(*OUTSIDE) * (z - z * z)
    return c.real, c.imag


def _enough(iterations: int | None, width: float) -> int:
    if iterations is None:
        return round(220 + 130 * max(0.0, math.log10(3 / width)) ** 1.5)
    check_whole("iterations", iterations, 1, 100_000)
    return iterations


def _render(
    shape: Shape,
    palette: Palette,
    cx: float,
    cy: float,
    extent: float,
    c: complex | None,
    iterations: int,
    cycle: float,
) -> Image:
    check_shape(shape)
    check_between("cycle", cycle, 0.01, 100)
    height, width = shape
    pixel = extent / min(shape)
    x, y = np.meshgrid(
        cx + (np.arange(width) + 0.5 - width / 2) * pixel, cy - (np.arange(height) + 0.5 - height / 2) * pixel
    )
    table = colour_table(palette, cyclic=True)
    count, distance = escape(x, y, iterations=iterations, c=c)
    outside = count[count >= 0]
    start = float(np.percentile(outside, 1)) if outside.size else 0.0
    turn = _turns(count, start, cycle)
    picture = _colours(count, distance, turn, table, pixel)
    rough = _differs(turn, count)
    offsets = FINE if rough.mean() <= FINE_UP_TO else COARSE
    total = picture[rough]
    for dx, dy in offsets:
        n, d = escape(x[rough] + dx * pixel, y[rough] + dy * pixel, iterations=iterations, c=c)
        total += _colours(n, d, _turns(n, start, cycle), table, pixel)
    picture[rough] = total / np.float32(len(offsets) + 1)
    return picture


def _turns(count: Image, start: float, cycle: float) -> Image:
    """Turns of the palette: fast where the count is low, ever slower where it is high."""
    return np.float32(0.55 * cycle) * np.log1p(np.maximum(count - np.float32(start), 0) / np.float32(6))


def _colours(count: Image, distance: Image, turn: Image, table: Image, pixel: float) -> Image:
    index = np.asarray((turn - np.floor(turn)) * np.float32(len(table) - 1), np.int32)
    near = np.clip(distance / np.float32(2.5 * pixel), 0, 1) ** np.float32(0.35)  # dark close to the set
    shade = np.where(count < 0, 0, near)
    return np.asarray(table[index] * shade[..., None] + table[0] * (np.float32(0.45) * (1 - shade))[..., None])


def _differs(turn: Image, count: Image) -> Mask:
    """Tell which pixels differ from a neighbour by more than ``EDGE``, or lie at the border of the set."""
    value = np.where(count < 0, np.float32(-1), turn)
    rough = np.zeros(value.shape, bool)
    for axis in (0, 1):
        step = np.abs(np.diff(value, axis=axis)) > EDGE
        before, after = [slice(None)] * 2, [slice(None)] * 2
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        rough[tuple(before)] |= step
        rough[tuple(after)] |= step
    return rough
