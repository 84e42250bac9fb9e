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

    smooth, details = np.eye(BLOCK), []
    for _ in range(3):
        smooth, detail = pywt.dwt(smooth, "bior1.5", mode="periodization", axis=0)
        details.insert(0, detail)
    basis = np.concatenate([smooth, *details])
    return (basis / np.linalg.norm(basis, axis=1, keepdims=True)).astype(np.float32)


def kaiser_window(beta: float) -> NDArray[np.float32]:
    """Give the Kaiser window of length 8: (8,) float32."""
    return np.kaiser(BLOCK, beta).astype(np.float32)


@kernel
def transform_blocks(image, top, left, basis, rowwise, coefficients):  # type: ignore[no-untyped-def]
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
    for y in range(h + BLOCK - 1):
        for x in range(w):
            for u in range(BLOCK):
                total = np.float32(0)
                for k in range(BLOCK):
                    total += basis[u, k] * image[top + y, left + x + k]
                rowwise[y, x, u] = total
    for y in range(h):
        for x in range(w):
            for v in range(BLOCK):
                for u in range(BLOCK):
                    total = np.float32(0)
                    for k in range(BLOCK):
                        total += basis[v, k] * rowwise[y + k, x, u]
                    coefficients[y, x, v * BLOCK + u] = total


@kernel
def add_blocks(estimates, weights, synthesis, window, rowwise, numerator, denominator):  # type: ignore[no-untyped-def]
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
    vertical = np.empty((h + BLOCK - 1, w), np.float32)
    vertical[:] = 0
    for y in range(h):
        for x in range(w):
            if weights[y, x] > 0:
                for k in range(BLOCK):
                    vertical[y + k, x] += window[k] * weights[y, x]
                    for u in range(BLOCK):
                        total = np.float32(0)
                        for v in range(BLOCK):
                            total += synthesis[k, v] * estimates[y, x, v * BLOCK + u]
                        rowwise[y + k, x, u] += window[k] * total
    for y in range(h + BLOCK - 1):
        for x in range(w):
            if vertical[y, x] > 0:
                for k in range(BLOCK):
                    total = np.float32(0)
                    for u in range(BLOCK):
                        total += synthesis[k, u] * rowwise[y, x, u]
                    numerator[y, x + k] += window[k] * total
                    denominator[y, x + k] += window[k] * vertical[y, x]
