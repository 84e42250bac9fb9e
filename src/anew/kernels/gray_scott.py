"""Steps of the Gray-Scott reaction on a torus, for the patterns of reaction and diffusion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.kernels.compiling import kernel

SIDE, CORNER = np.float32(0.2), np.float32(0.05)  # weights of a neighbour in the nine-point Laplacian


@kernel
def react(
    u: NDArray[np.float32],
    v: NDArray[np.float32],
    steps: int,
    diffusion_u: np.float32,
    diffusion_v: np.float32,
    feed: np.float32,
    kill: np.float32,
) -> None:
    """Advance both substances in place, by Euler steps of length 1.

    du/dt = Du lap(u) - u v^2 + F (1 - u),  dv/dt = Dv lap(v) + u v^2 - (F + k) v

    Parameters
    ----------
    u, v : (H, W) float32 arrays, C-contiguous
    steps : int
    diffusion_u, diffusion_v, feed, kill : float32
    """
    rows, columns = u.shape
    one = np.float32(1)
    wide_u = np.empty((rows + 2, columns + 2), np.float32)
    wide_v = np.empty_like(wide_u)
    for _ in range(steps):
        wrap(u, wide_u)
        wrap(v, wide_v)
        for i in range(rows):
            for j in range(columns):
                a, b = wide_u[i + 1, j + 1], wide_v[i + 1, j + 1]
                lap_a = SIDE * (wide_u[i, j + 1] + wide_u[i + 2, j + 1] + wide_u[i + 1, j] + wide_u[i + 1, j + 2]) - a
                lap_a += CORNER * (wide_u[i, j] + wide_u[i, j + 2] + wide_u[i + 2, j] + wide_u[i + 2, j + 2])
                lap_b = SIDE * (wide_v[i, j + 1] + wide_v[i + 2, j + 1] + wide_v[i + 1, j] + wide_v[i + 1, j + 2]) - b
                lap_b += CORNER * (wide_v[i, j] + wide_v[i, j + 2] + wide_v[i + 2, j] + wide_v[i + 2, j + 2])
                reaction = a * b * b
                u[i, j] = a + diffusion_u * lap_a - reaction + feed * (one - a)
                v[i, j] = b + diffusion_v * lap_b + reaction - (feed + kill) * b


@kernel
def wrap(field: NDArray[np.float32], wide: NDArray[np.float32]) -> None:
    """Copy a field into the middle of one with a rim of one pixel that goes on at the other edge."""
    rows, columns = field.shape
    for i in range(-1, rows + 1):
        from_row = (i + rows) % rows
        for j in range(columns):
            wide[i + 1, j + 1] = field[from_row, j]
        wide[i + 1, 0], wide[i + 1, columns + 1] = field[from_row, columns - 1], field[from_row, 0]
