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
from anew.restoration.deblurring.spectrum import mean_over_plane, natural_decay
from anew.threads import thread_count

Border = Literal["reflect", "circular"]

# Of the conjugate gradients that continue an image: they end when a step promises to gain less log likelihood per pixel
# to find. About 5 steps in noise of 10 of 255, 10 in noise of 2, 35 in the rounding to 8 bits alone.
BORDER_STEPS, BORDER_GAIN = 40, 3e-3
MOST_SPECTRUM = 300.0  # of P / sigma^2 in the preconditioner: waves with more are so long that the image tells them


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


def continue_blurred(image: Image, psf: NDArray[Any], sigma: float) -> Image:
    """Continue a blurred image to the periodic one that it is most probably a part of.

    A mirror image is no blur of anything: to a deconvolution the fold is an edge as sharp as noise, and it rings
    through the whole picture. As the picture is A x + n with x of the spectrum S of natural images and n white, it has
    the spectrum P = |A|^2 S + sigma^2, and what lies beyond the border is estimated as the mean given the picture: it
    minimises y^T P^-1 y (Reeves, IEEE TIP 14 (2005), equation (12)), by conjugate gradients from `make_periodic`.

    Parameters
    ----------
    image : (H, W, C) float32 array
    psf : (h, w) array
    sigma : float > 0
        Standard deviation of the noise.

    Returns
    -------
    (H', W', C) float32 array as of `make_periodic`, with a margin of twice the size of the psf
    """
    height, width = image.shape[:2]
    y = make_periodic(image, (2 * psf.shape[0], 2 * psf.shape[1]))
    shape = (y.shape[0], y.shape[1])
    if shape == (height, width):
        return y
    mean = image.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    y -= mean
    power = np.abs(transfer_function(psf, shape)) ** 2 * natural_decay(shape)
    signal = max(float(np.mean(y**2, dtype=np.float64)) - sigma**2, 0.0) / mean_over_plane(power, shape)
    spectrum = (1 + signal * power / sigma**2).astype(np.float32)  # P / sigma^2
    for c in range(y.shape[2]):
        y[:, :, c] = _most_probable_beyond((height, width), np.ascontiguousarray(y[:, :, c]), spectrum, sigma)
    return y + mean


def _most_probable_beyond(known: tuple[int, int], y: Image, spectrum: NDArray[np.float32], sigma: float) -> Image:
    """Find the most probable pixels beyond a known (height, width) of a periodic (H, W) plane.

    Conjugate gradients (Golub and Van Loan, algorithm 11.5.1), preconditioned by P among the pixels to find: it would
    be the inverse if the image told nothing about them. ``y``, in which they begin, is changed in place.
    """

    def beyond(v: Image, response: NDArray[Any]) -> Image:
        filtered: Image = backward(response * forward(v), (y.shape[0], y.shape[1]))
        filtered[: known[0], : known[1]] = 0
        return filtered

    precision, preconditioner = 1 / spectrum, np.minimum(spectrum, np.float32(MOST_SPECTRUM))
    enough = BORDER_GAIN * sigma**2 * (y.size - known[0] * known[1])
    residual = -beyond(y, precision)
    direction, before = np.zeros_like(y), np.inf
    for _ in range(BORDER_STEPS):
        z = beyond(residual, preconditioner)
        rho = float(np.vdot(residual, z))
        if rho <= enough:
            break
        direction = z + np.float32(rho / before) * direction
        curved = beyond(direction, precision)
        step = np.float32(rho / float(np.vdot(direction, curved)))
        y += step * direction
        residual -= step * curved
        before = rho
    return y


def on_periodic(
    image: Image,
    psf: NDArray[Any],
    sigma: float,
    border: Border,
    deconvolve: Callable[[NDArray[Any]], NDArray[Any]],
) -> Image:
    """Run a deconvolution for periodic (H, W, C) images on an image with a border.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    psf : (h, w) array
    sigma : float > 0
        Standard deviation of the noise.
    border : {"reflect", "circular"}
        "reflect": continue the image first (`continue_blurred`); "circular": it is periodic.
    deconvolve : callable
        From a periodic (H', W', C) array to one of the same shape.

    Returns
    -------
    float32 array of the shape of the image
    """
    x = np.atleast_3d(image)
    if border == "reflect":
        x = continue_blurred(x, psf, sigma)
    result = deconvolve(x)[: image.shape[0], : image.shape[1]]
    return np.ascontiguousarray(result.reshape(image.shape), np.float32)
