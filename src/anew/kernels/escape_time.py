"""How fast points leave under z -> z^2 + c, for the pictures of Mandelbrot's and Julia's sets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.kernels.compiling import kernel

BAILOUT = 256.0  # |z|; large, so that the smooth count has no rings
SAME = 1e-26  # squared distance at which an orbit counts as back where it was
STEEPEST = 1e100  # |z'| beyond which it need not be known


@kernel
def escape_times(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    seed: complex,
    julia: bool,
    iterations: int,
    count: NDArray[np.float32],
    distance: NDArray[np.float32],
) -> None:
    """Iterate each point until it escapes.

    Parameters
    ----------
    x, y : (n,) float64 arrays
        The points: c for Mandelbrot's set (z starts at 0), the first z for Julia's.
    seed : complex
        c, for Julia's sets.
    julia : bool
    iterations : int
    count : (n,) float32 array, written
        The smooth iteration count n + 1 - log2(log|z| / log B); -1 for points that do not escape.
    distance : (n,) float32 array, written
        The estimate |z| log|z| / |z'| of the distance to the set (0 where the count is -1), in units of the plane.
    """
    limit = BAILOUT * BAILOUT
    grow = 0.0 if julia else 1.0
    for k in range(len(x)):
        cr, ci = (seed.real, seed.imag) if julia else (x[k], y[k])
        zr, zi = (x[k], y[k]) if julia else (0.0, 0.0)
        dr, di = 1.0 - grow, 0.0
        count[k], distance[k] = -1, 0
        if not julia:  # inside the cardioid, or the disc to its left
            q = (cr - 0.25) ** 2 + ci * ci
            if q * (q + (cr - 0.25)) <= 0.25 * ci * ci or (cr + 1) ** 2 + ci * ci <= 0.0625:
                continue
        kept_r, kept_i, due = 1e9, 1e9, 8
        for n in range(iterations):
            if abs(dr) + abs(di) < STEEPEST:
                dr, di = 2 * (zr * dr - zi * di) + grow, 2 * (zr * di + zi * dr)
            zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
            squared = zr * zr + zi * zi
            if squared > limit:
                log_z = 0.5 * np.log(squared)
                count[k] = n + 1 - np.log2(log_z / np.log(BAILOUT))
                distance[k] = np.sqrt(squared / max(dr * dr + di * di, 1e-300)) * log_z
                break
            if (zr - kept_r) ** 2 + (zi - kept_i) ** 2 < SAME:  # an orbit that repeats never leaves (Brent, 1980)
                break
            if n == due:
                kept_r, kept_i, due = zr, zi, 2 * due
