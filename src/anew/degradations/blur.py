"""Blur: y = k * x with a Gaussian, a motion, a defocused lens, or any point-spread function; and the adjoint.

A psf is an (h, w) array whose origin is the element [h // 2, w // 2]. Beyond the border the image is its mirror image
with the border pixel repeated (``reflect``: ``abc|cba``) or itself again (``circular``).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, as_numbers
from anew.degradations.degraded import Degraded, check_between, check_choice, planes_of

BORDERS = {"reflect": "symmetric", "circular": "wrap"}  # ours -> numpy.pad's
SUBPIXELS = 16  # per side and pixel, when the area of a shape inside a pixel is counted
MAX_PSF = 1001  # pixels per side; larger ones are a mistake


def gaussian_psf(sigma: float) -> NDArray[np.float32]:
    """Give a Gaussian of standard deviation ``sigma`` >= 0 pixels, sampled to 4 sigma; sum 1, odd sides."""
    check_between("sigma", sigma, 0, MAX_PSF / 8)
    if sigma == 0:
        return np.ones((1, 1), np.float32)
    half = math.ceil(4 * sigma)
    t = np.arange(-half, half + 1)
    g = np.exp(-0.5 * (t / sigma) ** 2)
    g /= g.sum()
    return np.outer(g, g).astype(np.float32)


def motion_psf(length: float, angle: float = 0.0) -> NDArray[np.float32]:
    """Give the trace of a uniform motion: the area of a bar, one pixel wide, in each pixel; sum 1, odd sides.

    Parameters
    ----------
    length : float >= 1
        Pixels; 1 at angle 0 is no blur, 9 at angle 0 is nine equal weights in a row.
    angle : float
        Degrees counter-clockwise from the x axis, as one sees it.
    """
    check_between("length", length, 1, MAX_PSF - 2)
    check_between("angle", angle, -np.inf)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))

    def inside(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        along, across = x * cosine - y * sine, x * sine + y * cosine  # y runs down
        return (np.abs(along) <= length / 2) & (np.abs(across) <= 0.5)

    return _coverage(inside, math.ceil(length / 2))


def defocus_psf(radius: float) -> NDArray[np.float32]:
    """Give the disc that a lens out of focus makes of a point: its area in each pixel; sum 1, odd sides.

    Parameters
    ----------
    radius : float >= 0
        Pixels; up to 0.5 there is no blur.
    """
    check_between("radius", radius, 0, MAX_PSF / 2 - 1)
    if radius <= 0.5:
        return np.ones((1, 1), np.float32)
    return _coverage(lambda x, y: x**2 + y**2 <= radius**2, math.ceil(radius))


def _coverage(
    inside: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]], half: int
) -> NDArray[np.float32]:
    """Give the share of each pixel's area that lies inside a shape, scaled to sum 1, without empty margins."""
    side = 2 * half + 1
    t = (np.arange(side * SUBPIXELS) + 0.5) / SUBPIXELS - 0.5 - half
    fine = (inside(t[np.newaxis, :], row[:, np.newaxis]) for row in t.reshape(side, SUBPIXELS))  # a row of pixels each
    area = np.stack([row.reshape(SUBPIXELS, side, SUBPIXELS).mean(axis=(0, 2)) for row in fine])
    rows, columns = (np.abs(np.flatnonzero(area.any(axis=axis)) - half).max() for axis in (1, 0))
    area = area[half - rows : half + rows + 1, half - columns : half + columns + 1]
    return (area / area.sum()).astype(np.float32)


def blur(image: Image, *, sigma: float = 1.5, border: str = "reflect") -> Degraded:
    """Blur by a Gaussian of standard deviation ``sigma`` pixels (see ``gaussian_psf``)."""
    result = convolve(image, gaussian_psf(sigma), border=border)
    return Degraded(result, parameters={"sigma": sigma, "border": border})


def blur_adjoint(y: Image, shape: tuple[int, ...], *, sigma: float = 1.5, border: str = "reflect") -> Image:
    """Apply the adjoint of ``blur``."""
    return convolve_adjoint(y, gaussian_psf(sigma), border=border)


def motion(image: Image, *, length: float = 9.0, angle: float = 0.0, border: str = "reflect") -> Degraded:
    """Blur by a uniform straight motion (see ``motion_psf``)."""
    result = convolve(image, motion_psf(length, angle), border=border)
    return Degraded(result, parameters={"length": length, "angle": angle, "border": border})


def motion_adjoint(
    y: Image, shape: tuple[int, ...], *, length: float = 9.0, angle: float = 0.0, border: str = "reflect"
) -> Image:
    """Apply the adjoint of ``motion``."""
    return convolve_adjoint(y, motion_psf(length, angle), border=border)


def defocus(image: Image, *, radius: float = 3.0, border: str = "reflect") -> Degraded:
    """Blur by a disc of ``radius`` pixels (see ``defocus_psf``)."""
    result = convolve(image, defocus_psf(radius), border=border)
    return Degraded(result, parameters={"radius": radius, "border": border})


def defocus_adjoint(y: Image, shape: tuple[int, ...], *, radius: float = 3.0, border: str = "reflect") -> Image:
    """Apply the adjoint of ``defocus``."""
    return convolve_adjoint(y, defocus_psf(radius), border=border)


def kernel(image: Image, *, psf: ArrayLike, border: str = "reflect") -> Degraded:
    """Convolve with any (h, w) array of weights, taken as they are (a blur's weights sum to 1)."""
    weights = as_numbers("psf", psf, "an (h, w) array of finite weights")
    result = convolve(image, weights.astype(np.float32), border=border)
    return Degraded(result, parameters={"psf": weights.tolist(), "border": border})


def kernel_adjoint(y: Image, shape: tuple[int, ...], *, psf: ArrayLike, border: str = "reflect") -> Image:
    """Apply the adjoint of ``kernel``."""
    return convolve_adjoint(y, np.asarray(psf, np.float32), border=border)


def convolve(image: Image, psf: NDArray[np.float32], *, border: str = "reflect") -> Image:
    """Convolve every channel with a psf:  y[p] = sum_q k[q] x[p - q].

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    psf : (h, w) float32 array, origin at [h // 2, w // 2]; may be larger than the image
    border : {"reflect", "circular"}

    Returns
    -------
    float32 array of the same shape
    """
    _check_psf(psf, border)
    if psf.shape == (1, 1):
        return image * psf[0, 0]
    margins = [*_margins(psf), (0, 0)]
    padded = np.pad(planes_of(image), margins, mode=BORDERS[border])  # type: ignore[call-overload]
    return _correlate(padded, psf[::-1, ::-1]).reshape(image.shape)


def convolve_adjoint(y: Image, psf: NDArray[np.float32], *, border: str = "reflect") -> Image:
    """Apply the adjoint of ``convolve``: correlate, then fold the margins back to where they were copied from."""
    _check_psf(psf, border)
    if psf.shape == (1, 1):
        return y * psf[0, 0]
    around = [(side - 1, side - 1) for side in psf.shape]
    full = _correlate(np.pad(planes_of(y), [*around, (0, 0)]), psf)
    for axis, margin in enumerate(_margins(psf)):
        source = np.pad(np.arange(y.shape[axis]), margin, mode=BORDERS[border])  # type: ignore[call-overload]
        lines = np.moveaxis(full, axis, 0)
        folded = np.zeros((y.shape[axis], *lines.shape[1:]), np.float32)
        np.add.at(folded, source, lines)
        full = np.moveaxis(folded, 0, axis)
    return np.ascontiguousarray(full, np.float32).reshape(y.shape)


def _correlate(planes: Image, weights: NDArray[np.float32]) -> Image:
    """Give sum_q w[q] x[p + q] for the p where all of x is there: (H, W, C) gives (H - h + 1, W - w + 1, C)."""
    import cv2

    weights = np.ascontiguousarray(weights)
    (height, width, channels), (h, w) = planes.shape, weights.shape
    result = np.empty((height - h + 1, width - w + 1, channels), np.float32)
    for c in range(channels):
        plane = np.ascontiguousarray(planes[:, :, c])
        filtered = cv2.filter2D(plane, cv2.CV_32F, weights, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
        result[:, :, c] = filtered[: result.shape[0], : result.shape[1]]
    return result


def _margins(psf: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Give the (before, after) padding per axis that a valid convolution needs."""
    return [(side - 1 - side // 2, side // 2) for side in psf.shape]


def _check_psf(psf: NDArray[np.float32], border: str) -> None:
    check_choice("border", border, tuple(BORDERS))
    if psf.ndim != 2 or psf.size == 0 or not np.isfinite(psf).all() or max(psf.shape) > MAX_PSF:
        raise ValueError(f"psf must be an (h, w) array of finite weights, sides up to {MAX_PSF}; got shape {psf.shape}")
