"""Fill missing pixels so that a sum of squared differences becomes least, the known pixels held fixed.

A stencil is a small linear difference, e.g. u(y, x+1) - u(y, x). Over all places where a stencil lies inside the image
and touches a missing pixel, its values form the vector D u_f - r, linear in the missing pixels u_f; r comes from the
known ones. The minimiser of |W^(1/2) (D u_f - r)|^2 solves the symmetric positive definite system
D^T W D u_f = D^T W r. Stencils never leave the image, so the border is free (natural boundary conditions).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.csgraph as csgraph
import scipy.sparse.linalg as spla
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.resampling import resample, triangle

Stencil = tuple[tuple[int, int, float], ...]  # (dy, dx, coefficient), dy >= 0 and dx >= 0

FIRST_DIFFERENCES: tuple[Stencil, ...] = (((0, 0, -1.0), (0, 1, 1.0)), ((0, 0, -1.0), (1, 0, 1.0)))
ROOT2 = 2**0.5
SECOND_DIFFERENCES: tuple[Stencil, ...] = (
    ((0, 0, 1.0), (0, 1, -2.0), (0, 2, 1.0)),
    ((0, 0, 1.0), (1, 0, -2.0), (2, 0, 1.0)),
    ((0, 0, ROOT2), (0, 1, -ROOT2), (1, 0, -ROOT2), (1, 1, ROOT2)),
)

DIRECT_LIMIT = 30_000  # unknowns of a connected region up to which its factorisation is quicker than iterating
TOLERANCE = 1e-4  # relative residual of the iteration; its error lies far below one grey level of 255
MAX_ITERATIONS = 100


@dataclass(frozen=True)
class Differences:
    """The differences that touch a missing pixel, as D u_f - r."""

    matrix: sp.csr_array  # (m, n), float64
    known: NDArray[np.float64]  # r, (m, C)


def differences(image: Image, mask: Mask, stencils: tuple[Stencil, ...], *, weight: float = 1.0) -> Differences:
    """Set up D and r for the missing pixels, numbered in row-major order.

    Parameters
    ----------
    image : (H, W, C) float array
    mask : (H, W) bool array, True = missing
    stencils : tuple of stencils
    weight : float
        Factor of all of them.
    """
    number = np.full(mask.shape, -1, np.int64)
    number[mask] = np.arange(np.count_nonzero(mask))
    matrices, knowns = [], []
    for stencil in stencils:
        ys, xs = _anchors(mask, stencil)
        rows, columns, values = [], [], []
        known = np.zeros((len(ys), image.shape[2]))
        for dy, dx, coefficient in stencil:
            column = number[ys + dy, xs + dx]
            missing = column >= 0
            rows.append(np.flatnonzero(missing))
            columns.append(column[missing])
            values.append(np.full(len(rows[-1]), weight * coefficient))
            known[~missing] -= weight * coefficient * image[ys[~missing] + dy, xs[~missing] + dx]
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        matrices.append(sp.coo_array(entries, shape=(len(ys), np.count_nonzero(mask))).tocsr())
        knowns.append(known)
    return Differences(sp.vstack(matrices, format="csr"), np.concatenate(knowns))


def _anchors(mask: Mask, stencil: Stencil) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the places where a stencil lies inside the image and touches a missing pixel."""
    height = mask.shape[0] - max(dy for dy, _, _ in stencil)
    width = mask.shape[1] - max(dx for _, dx, _ in stencil)
    touched = np.zeros((max(height, 0), max(width, 0)), bool)
    for dy, dx, _ in stencil:
        touched |= mask[dy : dy + len(touched), dx : dx + touched.shape[1]]
    ys, xs = np.nonzero(touched)
    return ys, xs


def solve(
    terms: Differences, guess: Callable[[], NDArray[np.float64]], row_weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Minimise |W^(1/2) (D u_f - r)|^2.

    Connected regions of up to ``DIRECT_LIMIT`` unknowns are factorised, larger ones iterated by conjugate gradients
    from a guess.

    Parameters
    ----------
    terms : Differences
    guess : callable giving an (n, C) float64 array
        A first guess; it is asked for only if something is iterated.
    row_weights : (m,) float64 array, optional
        The diagonal of W.

    Returns
    -------
    (n, C) float64 array
    """
    transposed = terms.matrix.T.tocsr()
    if row_weights is not None:
        transposed = transposed @ sp.diags_array(row_weights)
    system = (transposed @ terms.matrix).tocsr()
    right = transposed @ terms.known
    _, region = csgraph.connected_components(system, directed=False)
    small = np.bincount(region)[region] <= DIRECT_LIMIT
    result = np.empty_like(right)
    if small.any():
        block = system if small.all() else system[small][:, small]
        factor = spla.splu(
            block.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
        result[small] = factor.solve(np.ascontiguousarray(right[small]))
    if not small.all():
        large = ~small
        block = system if large.all() else system[large][:, large]
        result[large] = _conjugate_gradients(block, right[large], guess()[large])
    return result


def _conjugate_gradients(
    system: sp.csr_array, right: NDArray[np.float64], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve for all right-hand sides at once, preconditioned by the diagonal (Golub and Van Loan, algorithm 11.5.1)."""
    inverse_diagonal = 1 / system.diagonal()[:, None]
    x = start.copy()
    r = right - system @ x
    z = inverse_diagonal * r
    p = z.copy()
    rho = _dot(r, z)
    limit = TOLERANCE**2 * np.maximum(_dot(right, inverse_diagonal * right), np.finfo(np.float64).tiny)
    for _ in range(MAX_ITERATIONS):
        if (rho <= limit).all():
            break
        q = system @ p
        alpha = rho / np.maximum(_dot(p, q), np.finfo(np.float64).tiny)
        x += alpha * p
        r -= alpha * q
        z = inverse_diagonal * r
        rho, previous = _dot(r, z), rho
        p = z + rho / np.maximum(previous, np.finfo(np.float64).tiny) * p
    return x


def _dot(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    return np.einsum("nc,nc->c", a, b)


def coarse_guess(image: Image, mask: Mask, fill: Callable[[Image, Mask], Image]) -> Image:
    """Guess the missing pixels from the image at half size, filled by `fill`.

    Known pixels are averaged over 2 x 2 blocks; a block without any is missing there. Iterating from a smooth guess
    leaves only fine errors, which conjugate gradients remove in few steps (cascadic multigrid: Bornemann and
    Deuflhard, Numer. Math. 75 (1996)).

    Parameters
    ----------
    image : (H, W, C) float array
    mask : (H, W) bool array
    fill : callable
        Fills the smaller image and mask.

    Returns
    -------
    (H, W, C) array
    """
    height, width = mask.shape
    padding = ((0, height % 2), (0, width % 2))
    weights = np.pad(~mask, padding).astype(np.float32)[:, :, None]
    sums = [
        a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2, -1).sum(axis=(1, 3))
        for a in (np.pad(image, (*padding, (0, 0))) * weights, weights)
    ]
    missing = sums[1][:, :, 0] == 0
    small = sums[0] / np.maximum(sums[1], 1)
    filled = fill(small.astype(np.float32), missing) if missing.any() else small.astype(np.float32)
    doubled = resample(filled, (2 * filled.shape[0], 2 * filled.shape[1]), triangle, 1)
    return doubled[:height, :width]
