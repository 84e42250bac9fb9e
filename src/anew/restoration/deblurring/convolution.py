"""Blur as multiplication in the Fourier domain, and what to do about the border of the image.

The pixel (h // 2, w // 2) of a psf of shape (h, w) is its centre, also for even sides (MATLAB's ``psf2otf``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from anew.arrays import Image
from anew.threads import thread_count

Boundary = Literal["reflect", "circular"]


def transfer_function(psf: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.complex128]:
    """Give the optical transfer function of a psf for periodic images of a given shape.

    Parameters
    ----------
    psf : (h, w) array
        It may be larger than the image; then it is wrapped around.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    (H, W // 2 + 1) complex128 array, as of `scipy.fft.rfft2`
    """
    wrapped = np.zeros(shape)
    rows, columns = ((np.arange(n) - n // 2) % m for n, m in zip(psf.shape, shape, strict=True))
    np.add.at(wrapped, (rows[:, None], columns[None, :]), psf)
    transfer: NDArray[np.complex128] = scipy.fft.rfft2(wrapped)
    return transfer


def frequency_squared(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Give the squared spatial frequency, in (cycles per pixel)^2, of each entry of a `rfft2`."""
    fy, fx = np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])
    squared: NDArray[np.float64] = fy[:, None] ** 2 + fx[None, :] ** 2
    return squared


def forward(image: NDArray[Any]) -> NDArray[Any]:
    """Transform an (H, W, C) array along its first two axes."""
    return scipy.fft.rfft2(image, axes=(0, 1), workers=thread_count())


def backward(spectrum: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Undo `forward`."""
    return scipy.fft.irfft2(spectrum, s=shape, axes=(0, 1), workers=thread_count())


def make_periodic(image: Image, margin: tuple[int, int]) -> Image:
    """Continue an image to a periodic one, without a jump at the border.

    Parameters
    ----------
    image : (H, W, C) array
    margin : (int, int)
        Rows and columns that are appended below and to the right (rounded up to a quick FFT size). There the mirror
        image of the bottom goes over into that of the top by a cosine, likewise from right to left.

    Returns
    -------
    (H + margin[0] or more, W + margin[1] or more, C) array; its top left corner is the image
    """
    x = image
    for axis in (0, 1):
        n = x.shape[axis]
        gap = scipy.fft.next_fast_len(n + margin[axis], real=True) - n
        x = np.moveaxis(x, axis, 0)
        padded = np.pad(x, ((gap, gap), (0, 0), (0, 0)), mode="symmetric")
        after_end, before_start = padded[gap + n :], padded[:gap]
        fade = (0.5 + 0.5 * np.cos(np.pi * (np.arange(gap) + 0.5) / gap)).astype(x.dtype)[:, None, None]
        x = np.moveaxis(np.concatenate([x, fade * after_end + (1 - fade) * before_start]), 0, axis)
    return np.ascontiguousarray(x)


def on_periodic(
    image: Image, psf: NDArray[Any], boundary: Boundary, deconvolve: Callable[[NDArray[Any]], NDArray[Any]]
) -> Image:
    """Run a deconvolution for periodic (H, W, C) images on an image with a border.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    psf : (h, w) array
    boundary : {"reflect", "circular"}
        "reflect": continue the image first (`make_periodic`), by twice the size of the psf; "circular": it is periodic.
    deconvolve : callable
        From a periodic (H', W', C) array to one of the same shape.

    Returns
    -------
    float32 array of the shape of the image
    """
    check_boundary(boundary)
    x = np.atleast_3d(image)
    if boundary == "reflect":
        x = make_periodic(x, (2 * psf.shape[0], 2 * psf.shape[1]))
    result = deconvolve(x)[: image.shape[0], : image.shape[1]]
    return np.ascontiguousarray(result.reshape(image.shape), np.float32)


def check_boundary(boundary: str) -> None:
    """Refuse an unknown boundary condition."""
    if boundary not in ("reflect", "circular"):
        raise ValueError(f"boundary must be 'reflect' or 'circular', got {boundary!r}")
