"""What the painted damages (scratches, tears, folds, stains, dust) share: area-exact dots, fractal noise, blending.

A covering is an (H, W) float32 array of opacities in [0, 1]. ``blend`` mixes a colour over the image by it:
y = (1 - a) x + a c; where it is 0, pixels stay bit-identical.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.degradations.degraded import planes_of

FAINTEST = 0.02  # opacity below which a covering counts as nothing
NOISE_SIDE = 1536  # pixels; noise for larger images is made at this size and enlarged

Numbers = NDArray[np.float64]


def dot(covering: Image, x: Numbers, y: Numbers, area: Numbers | float) -> None:
    """Add dots of given areas (square pixels) at points (x, y), each shared bilinearly by the four pixels around it."""
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = x - left, y - top
    for i, wy in ((0, 1 - fy), (1, fy)):
        for j, wx in ((0, 1 - fx), (1, fx)):
            row, column = top + i, left + j
            inside = (row >= 0) & (row < covering.shape[0]) & (column >= 0) & (column < covering.shape[1])
            np.add.at(covering, (row[inside], column[inside]), (area * wx * wy)[inside])


def line(covering: Image, x: Numbers, y: Numbers, width: Numbers, opacity: Numbers) -> None:
    """Add a line of varying width and opacity along points at most a pixel apart."""
    dx, dy = np.gradient(x), np.gradient(y)
    step = np.maximum(np.hypot(dx, dy), 1e-9)
    lanes = max(1, math.ceil(2 * float(width.max(initial=0))))
    for lane in (np.arange(lanes) + 0.5) / lanes - 0.5:
        shift = lane * width
        dot(covering, x - shift * dy / step, y + shift * dx / step, opacity * step * width / lanes)


def around(shape: tuple[int, ...], x: Numbers | float, y: Numbers | float, reach: float) -> tuple[slice, slice]:
    """Give the rows and columns of an image that hold all within ``reach`` pixels of points (x, y)."""
    rows, columns = (
        slice(max(0, math.floor(np.min(p) - reach)), max(0, min(n, math.ceil(np.max(p) + reach) + 1)))
        for p, n in zip((y, x), shape[:2], strict=True)
    )
    return rows, columns


def wander(n: int, rng: np.random.Generator, *, exponent: float = 2.0) -> Numbers:
    """Give n samples of 1/f^exponent noise with mean 0 and standard deviation 1 (0 for n < 3)."""
    if n < 3:
        return np.zeros(n)
    frequency = np.fft.rfftfreq(2 * n)  # twice as long, so that the ends do not meet
    frequency[0] = np.inf
    spectrum = rng.standard_normal(len(frequency)) + 1j * rng.standard_normal(len(frequency))
    noise = np.fft.irfft(spectrum * frequency ** (-exponent / 2), 2 * n)[:n]
    return np.asarray((noise - noise.mean()) / max(noise.std(), 1e-12))


def fractal_noise(shape: tuple[int, ...], rng: np.random.Generator, *, exponent: float = 3.0) -> Image:
    """Give an (H, W) field whose power falls as 1/f^exponent, with mean 0 and standard deviation 1."""
    import cv2
    from scipy import fft

    height, width = shape[:2]
    shrink = min(1.0, NOISE_SIDE / max(height, width))
    rows, columns = max(2, round(height * shrink)), max(2, round(width * shrink))
    tall, wide = (fft.next_fast_len(2 * n, real=True) for n in (rows, columns))  # larger, so that borders do not meet
    fy, fx = np.fft.fftfreq(tall)[:, np.newaxis], np.fft.rfftfreq(wide)[np.newaxis, :]
    power = (fx**2 + fy**2).astype(np.float32)
    power[0, 0] = np.inf
    spectrum = np.empty(power.shape, np.complex64)
    spectrum.real, spectrum.imag = rng.standard_normal((2, *power.shape), np.float32)
    spectrum *= power ** np.float32(-exponent / 4)
    field = fft.irfft2(spectrum, (tall, wide))[:rows, :columns].astype(np.float64)
    field = (field - field.mean()) / max(field.std(), 1e-12)
    if shrink < 1:
        field = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
    return field[:height, :width].astype(np.float32)


def smoothstep(t: Image, low: float, high: float) -> Image:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    s = np.clip((t - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(s * s * (3 - 2 * s), np.float32)


def colour_of(image: Image, rgb: Sequence[float]) -> Image:
    """Give a colour as (C,) values for that image: as it is for 3 channels, else its mean."""
    channels = planes_of(image).shape[2]
    return np.asarray(rgb if channels == 3 else [float(np.mean(rgb))] * channels, np.float32)


def blend(image: Image, covering: Image, colour: Image) -> tuple[Image, Mask]:
    """Mix a colour, (C,) or (H, W, C), over the image; gives the new image and where it was touched."""
    alpha = np.clip(covering, 0, 1)
    mask = alpha >= FAINTEST
    result = image.copy()
    planes, a = planes_of(result), alpha[mask][:, np.newaxis]
    over = np.broadcast_to(colour, planes.shape)[mask]
    planes[mask] = (1 - a) * planes[mask] + a * over
    return result, mask


def line_width(image: Image, width: float | None) -> float:
    """Give the width in pixels of fine lines: as asked, else in proportion to the image, 1 up to 500 pixels."""
    return max(1.0, max(image.shape[:2]) / 500) if width is None else width
