"""Noise: Perlin's gradient noise, sums of its octaves, and Worley's cells.

Perlin, "Improving noise", SIGGRAPH 2002; Worley, "A cellular texture basis function", SIGGRAPH 1996; Musgrave, "Methods
for realistic landscape imaging" (1993), for fractal sums. Lattices of pixels allow to compute gradient noise by rows
and columns: per octave four interpolated rows are gathered, instead of four gradients per pixel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.degradations.degraded import check_between, check_choice, check_whole
from anew.generation.rules.canvas import Rng, Shape, cell_axes, check_shape, warped
from anew.randomness import as_generator

PERLIN_PEAK = math.sqrt(0.5)  # the largest value that unit gradients can give, at the middle of a cell
PERLIN_SPREAD = 0.215  # standard deviation of one octave of unit gradients
SECOND_REACH = 1.3  # cells; about one pixel in 25,000 has its second nearest point farther away
BAND = 32  # rows that are computed at a time, so that they stay in the cache
SMALLEST_CELL = 2.0  # pixels; a finer octave is beyond what the pixels can show


def perlin(shape: Shape, *, cells: float = 8, tileable: bool = True, rng: Rng = 0) -> Image:
    """Make gradient noise of one scale.

    Parameters
    ----------
    shape : (H, W)
    cells : float in [0.1, 4096]
        Lattice cells along the shorter side.
    tileable : bool
        Whole numbers of cells, and the same gradients at opposite edges.
    rng : int, Generator or None

    Returns
    -------
    (H, W) float32 array in [0, 1]; 0.5 at the points of the lattice
    """
    check_between("cells", cells, 0.1, 4096)
    x, y, gradients = _lattice(shape, cells, tileable, as_generator(rng))
    return np.clip(0.5 + perlin_rows(x, y, gradients) * np.float32(0.5 / PERLIN_PEAK), 0, 1)


def perlin_rows(x: NDArray[Any], y: NDArray[Any], gradients: NDArray[Any]) -> Image:
    """Evaluate gradient noise at every crossing of columns x and rows y.

    Parameters
    ----------
    x : (W,) float array, y : (H,) float array
        In units of cells, in [0, columns) and [0, rows).
    gradients : (rows + 1, columns + 1, 2) float array
        The gradient (along x, along y) at each point of the lattice.

    Returns
    -------
    (H, W) float32 array; 0 at the points of the lattice, in [-sqrt(1/2), sqrt(1/2)] for unit gradients
    """
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = (x - column).astype(np.float32), (y - row).astype(np.float32)
    u = _fade(fx)
    along_x, along_y = (np.ascontiguousarray(gradients[..., k], np.float32) for k in (0, 1))  # (rows + 1, columns + 1)
    across = np.take(along_x, column, axis=1) * (fx * (1 - u))  # (rows + 1, W)
    across += np.take(along_x, column + 1, axis=1) * ((fx - 1) * u)
    down = np.take(along_y, column, axis=1) * (1 - u)
    down += np.take(along_y, column + 1, axis=1) * u
    v = _fade(fy)[:, None]
    fy = fy[:, None]
    noise = np.empty((len(y), len(x)), np.float32)
    for start in range(0, len(y), BAND):
        band = slice(start, start + BAND)
        above, below = noise[band], np.take(down, row[band] + 1, axis=0)
        np.take(down, row[band], axis=0, out=above, mode="clip")
        above *= fy[band]
        above += np.take(across, row[band], axis=0)
        below *= fy[band] - 1
        below += np.take(across, row[band] + 1, axis=0)
        below -= above
        below *= v[band]
        above += below
    return noise


def fractal_noise(
    shape: Shape,
    *,
    cells: float = 4,
    octaves: int = 6,
    gain: float = 0.5,
    kind: str = "fbm",
    warp: float = 0.0,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Add up octaves of gradient noise, each twice as fine and ``gain`` times as strong as the one before.

    Parameters
    ----------
    shape : (H, W)
    cells : float in [0.1, 4096]
        Of the first octave, along the shorter side.
    octaves : int in [1, 16]
        Those finer than two pixels are left out.
    gain : float in (0, 1]
    kind : {"fbm", "billow", "ridged"}
        The octaves as they are, their magnitudes (turbulence), or the magnitudes upside down.
    warp : float in [0, 4]
        Displace the noise by other noise, up to about that many cells of the first octave.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W) float32 array in [0, 1], its values spread about evenly
    """
    check_between("warp", warp, 0, 4)
    check_choice("kind", kind, ("fbm", "billow", "ridged"))
    generator = as_generator(rng)
    field = octaves_of(shape, cells, octaves, gain, kind, tileable, generator)
    if warp:
        step = np.float32(0.5 * warp * min(shape) / cells)
        dx = octaves_of(shape, cells, 3, 0.5, "fbm", tileable, generator) * step
        dy = octaves_of(shape, cells, 3, 0.5, "fbm", tileable, generator) * step
        field = warped(field, dx, dy) if tileable else _warped_inside(field, dx, dy)
    return evened(field)


def octaves_of(
    shape: Shape, cells: float, octaves: int, gain: float, kind: str, tileable: bool, rng: np.random.Generator
) -> Image:
    """Give the sum of octaves with mean about 0 and standard deviation about 1; the parameters of ``fractal_noise``."""
    check_shape(shape)
    check_between("cells", cells, 0.1, 4096)
    check_whole("octaves", octaves, 1, 16)
    check_between("gain", gain, 1e-3, 1)
    total = np.zeros(shape, np.float32)
    power = 0.0
    for k in range(octaves):
        if k and min(shape) / (cells * 2**k) < SMALLEST_CELL:
            break
        x, y, gradients = _lattice(shape, cells * 2**k, tileable, rng)
        octave = perlin_rows(x, y, gradients)
        octave *= np.float32(gain**k / PERLIN_SPREAD)
        if kind != "fbm":  # |z| of a normal z has mean sqrt(2 / pi) and variance 1 - 2 / pi
            np.abs(octave, out=octave)
            octave -= np.float32(math.sqrt(2 / math.pi) * gain**k)
        total += octave if kind != "ridged" else -octave
        power += gain ** (2 * k) * (1.0 if kind == "fbm" else 1 - 2 / math.pi)
    total /= np.float32(math.sqrt(power))
    return total


def evened(field: Image) -> Image:
    """Map a field of mean 0 and standard deviation 1 to [0, 1] by a logistic curve close to the normal distribution."""
    return 1 / (1 + np.exp(np.float32(-1.702) * field))


def worley(
    shape: Shape,
    *,
    cells: float = 10,
    jitter: float = 1.0,
    kind: str = "nearest",
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Give at each pixel the distance to the nearest of scattered points, one per cell of a lattice.

    Parameters
    ----------
    shape : (H, W)
    cells : float in [0.1, 1024]
        Along the shorter side.
    jitter : float in [0, 1]
        How far the points leave the middle of their cells.
    kind : {"nearest", "second", "border", "cracks"}
        Distance to the nearest, to the second nearest, their difference (0 at the borders of the cells), or the exact
        distance to the border.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W) float32 array in [0, 1]; 1 is a distance of one cell (1.3 for ``second``, half a cell for ``cracks``)
    or more
    """
    check_choice("kind", kind, ("nearest", "second", "border", "cracks"))
    _, first, second, border = nearest_points(shape, cells, jitter, tileable, as_generator(rng))
    values = {
        "nearest": first,
        "second": second / np.float32(SECOND_REACH),
        "border": second - first,
        "cracks": 2 * border,
    }
    return np.minimum(values[kind], 1)


def nearest_points(
    shape: Shape, cells: float, jitter: float, tileable: bool, rng: np.random.Generator
) -> tuple[NDArray[np.int32], Image, Image, Image]:
    """Find the nearest and second nearest scattered point of each pixel, exactly.

    Returns
    -------
    index : (H, W) int32 array
        Of the nearest point.
    first, second, border : (H, W) float32 arrays
        Distances in cells: to the nearest, to the second nearest, to the border between them.
    """
    from anew.kernels.nearest_sites import nearest_sites

    check_between("cells", cells, 0.1, 1024)
    check_between("jitter", jitter, 0, 1)
    x, y, columns, rows = cell_axes(shape, cells, tileable)
    grid = (rows, columns) if tileable else (rows + 4, columns + 4)
    offsets = 0.5 + jitter * (rng.random((*grid, 2)) - 0.5)
    start = 0 if tileable else 2  # two cells beyond each edge
    return nearest_sites((x + start).astype(np.float32), (y + start).astype(np.float32), offsets.astype(np.float32))


def started_anywhere(x: NDArray[np.float64], tileable: bool, rng: np.random.Generator) -> NDArray[np.float64]:
    """Let a row of pixels begin at a random one of its lattice.

    Every octave is 0 at the points of its lattice. If all of them began at the corner of the picture, the sum would
    have no contrast there and along the seam of a tile.

    Parameters
    ----------
    x : (n,) float64 array
        Pixel centres in units of cells, from half a pixel on.
    tileable : bool
        Whether the row goes on at its other end; otherwise it is moved by less than a cell.
    """
    if tileable:
        return np.roll(x, rng.integers(len(x)))
    pixel = 2 * x[0]
    return x + pixel * rng.integers(math.ceil(1 / pixel))


def unit_gradients(rows: int, columns: int, tileable: bool, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a gradient (along x, along y) of length 1 for each of (rows + 1, columns + 1) points of a lattice.

    Tileable: the last row and column are the first ones again.
    """
    angle = rng.uniform(0, 2 * math.pi, (rows, columns) if tileable else (rows + 1, columns + 1))
    if tileable:
        angle = np.pad(angle, (0, 1), mode="wrap")
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _lattice(
    shape: Shape, cells: float, tileable: bool, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lay the lattice, beginning anywhere, and draw its gradients."""
    x, y, columns, rows = cell_axes(shape, cells, tileable)
    x, y = (started_anywhere(axis, tileable, rng) for axis in (x, y))
    if not tileable:
        columns, rows = int(x[-1]) + 1, int(y[-1]) + 1
    return x, y, unit_gradients(rows, columns, tileable, rng)


def _fade(t: Image) -> Image:
    """Perlin's 6 t^5 - 15 t^4 + 10 t^3, flat to the second order at 0 and 1."""
    return t * t * t * (t * (t * 6 - 15) + 10)


def _warped_inside(field: Image, dx: Image, dy: Image) -> Image:
    """Warp a field that does not tile: it is mirrored at its edges."""
    import cv2

    x = np.arange(field.shape[1], dtype=np.float32)[None, :] + dx
    y = np.arange(field.shape[0], dtype=np.float32)[:, None] + dy
    return np.asarray(cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
