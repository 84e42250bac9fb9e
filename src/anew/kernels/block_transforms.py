"""Separable transforms of all 8x8 blocks of an image, and the way back: overlap-add with a window.

Neighbouring blocks share work: the transform along x of a row segment is computed once and used by the eight blocks
that hold it, forwards and backwards. A block's coefficients are 64 contiguous numbers, vertical frequency first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.kernels.block_matching import BLOCK
from anew.kernels.compiling import kernel

Basis = NDArray[np.float32]
CHUNK = 32  # positions that are handled together: their coefficients fit the first-level cache


def dct_basis() -> Basis:
    """Give the orthonormal DCT-II of length 8, one basis vector per row: (8, 8) float32."""
    k, x = np.mgrid[0:BLOCK, 0:BLOCK]
    basis = np.sqrt(2 / BLOCK) * np.cos(np.pi * k * (2 * x + 1) / (2 * BLOCK))
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


def bior_basis() -> Basis:
    """Give the bior1.5 wavelet analysis of length 8, periodic, 3 levels, rows of norm 1: (8, 8) float32.

    It is not orthogonal; its inverse is ``np.linalg.inv``.
    """
    import pywt

    smooth = np.eye(BLOCK)
    details: list[NDArray[np.float64]] = []
    for _ in range(3):
        smooth, detail = pywt.dwt(smooth, "bior1.5", mode="periodization", axis=0)
        details.insert(0, detail)
    basis = np.concatenate([smooth, *details])
    return (basis / np.linalg.norm(basis, axis=1, keepdims=True)).astype(np.float32)


def kaiser_window(beta: float) -> NDArray[np.float32]:
    """Give the Kaiser window of length 8: (8,) float32."""
    return np.kaiser(BLOCK, beta).astype(np.float32)


@kernel
def transform_blocks(
    image: NDArray[np.float32],
    top: int,
    left: int,
    basis: Basis,
    rowwise: NDArray[np.float32],
    coefficients: NDArray[np.float32],
) -> None:
    """Transform every 8x8 block whose top left pixel lies in a rectangle.

    Parameters
    ----------
    image : (H, W) float32 array
    top, left : int
        First block position.
    basis : (8, 8) float32 array
        One analysis vector per row.
    rowwise : (h + 7, w, 8) float32 array, out
        Scratch; h x w is the number of positions.
    coefficients : (h, w, 64) float32 array, out
        basis @ block @ basis.T of each block.
    """
    h, w = coefficients.shape[0], coefficients.shape[1]
    line = np.empty((BLOCK, max(w, CHUNK * BLOCK)), np.float32)
    for y in range(h + BLOCK - 1):
        segment = image[top + y, left : left + w + BLOCK - 1]
        for u in range(BLOCK):
            _combine(segment, 1, basis[u], line[u, :w])
        for x in range(w):
            for u in range(BLOCK):
                rowwise[y, x, u] = line[u, x]
    for y in range(h):
        for start in range(0, w, CHUNK):
            n = min(CHUNK, w - start)
            lines = rowwise.ravel()[(y * w + start) * BLOCK :]
            for v in range(BLOCK):
                _combine(lines, w * BLOCK, basis[v], line[v, : n * BLOCK])
            for x in range(n):
                out = coefficients[y, start + x]
                for v in range(BLOCK):
                    for u in range(BLOCK):
                        out[v * BLOCK + u] = line[v, x * BLOCK + u]


@kernel
def _combine(lines: NDArray[np.float32], stride: int, factors: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Sum 8 lines, ``stride`` apart, times factors; written out so that it becomes vector instructions."""
    f0, f1, f2, f3 = factors[0], factors[1], factors[2], factors[3]
    f4, f5, f6, f7 = factors[4], factors[5], factors[6], factors[7]
    n = out.size
    l0, l1, l2, l3 = lines[:n], lines[stride:], lines[2 * stride :], lines[3 * stride :]
    l4, l5, l6, l7 = lines[4 * stride :], lines[5 * stride :], lines[6 * stride :], lines[7 * stride :]
    for i in range(n):
        low = f0 * l0[i] + f1 * l1[i] + f2 * l2[i] + f3 * l3[i]
        out[i] = low + (f4 * l4[i] + f5 * l5[i] + f6 * l6[i] + f7 * l7[i])


@kernel
def add_blocks(
    estimates: NDArray[np.float32],
    weights: NDArray[np.float32],
    synthesis: Basis,
    window: NDArray[np.float32],
    rowwise: NDArray[np.float32],
    numerator: NDArray[np.float32],
    denominator: NDArray[np.float32],
) -> None:
    """Transform weighted sums of block estimates back and add them where they overlap.

    Parameters
    ----------
    estimates : (h, w, 64) float32 array
        For each position, the weighted sum of all estimates of the block there, in the transform domain.
    weights : (h, w) float32 array
        The sum of their weights.
    synthesis : (8, 8) float32 array
        The inverse of the analysis basis.
    window : (8,) float32 array
        Weight of a pixel in its block, along each axis.
    rowwise : (h + 7, w, 8) float32 array, out
        Scratch.
    numerator, denominator : (h + 7, w + 7) float32 arrays, out
        Their quotient is the weighted mean of all estimates of a pixel.
    """
    h, w = weights.shape
    rowwise[:] = 0
    numerator[:] = 0
    denominator[:] = 0
    windowed = synthesis * window.reshape(BLOCK, 1)
    line = np.empty((BLOCK, CHUNK * BLOCK), np.float32)
    total = np.empty(CHUNK * BLOCK, np.float32)
    flat = rowwise.reshape(h + BLOCK - 1, w * BLOCK)
    for y in range(h):
        for start in range(0, w, CHUNK):
            n = min(CHUNK, w - start)
            for x in range(n):
                block = estimates[y, start + x]
                for v in range(BLOCK):
                    for u in range(BLOCK):
                        line[v, x * BLOCK + u] = block[v * BLOCK + u]
            for k in range(BLOCK):
                _combine(line.ravel(), CHUNK * BLOCK, windowed[k], total[: n * BLOCK])
                out = flat[y + k, start * BLOCK : (start + n) * BLOCK]
                for i in range(n * BLOCK):
                    out[i] += total[i]
    planar = np.empty((BLOCK, w), np.float32)
    vertical = np.zeros((h + BLOCK - 1, w), np.float32)
    for y in range(h):
        for k in range(BLOCK):
            for x in range(w):
                vertical[y + k, x] += window[k] * weights[y, x]
    pixels = np.empty(w, np.float32)
    for y in range(h + BLOCK - 1):
        for x in range(w):
            for u in range(BLOCK):
                planar[u, x] = rowwise[y, x, u]
        for k in range(BLOCK):
            _combine(planar.ravel(), w, windowed[k], pixels)
            for x in range(w):
                numerator[y, x + k] += pixels[x]
                denominator[y, x + k] += window[k] * vertical[y, x]
