"""How much noise is in a blurred image whose point-spread function is known.

Of the frequencies that the blur erased nothing but noise is left, so the level shows in them however much texture the
scene has. A power spectrum of |H|^2 c / f^2.5 + sigma^2 is fitted by maximum likelihood (Whittle, Arkiv foer Matematik
2 (1953)): minimise sum_f log P(f) + |Y(f)|^2 / P(f) over c and sigma.

Noise that the channels share, as JPEG with halved chroma leaves it, counts as what it is in their sum: a method that
looks at brightness first meets it there.

JPEG erases its own error from the highest frequencies, and leaves most of it where a deconvolution works. So where the
level is higher without the highest frequencies, that one counts; nor is the level taken for less than the error that
JPEG of the same quality makes again, on blocks that lie elsewhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.degradations.jpeg import compress
from anew.diagnosis.jpeg import estimate_jpeg_quality
from anew.diagnosis.noise import estimate_noise_sigma
from anew.restoration.deblurring.convolution import forward, transfer_function
from anew.restoration.deblurring.spectrum import frequency_squared, natural_decay

LOWEST = 0.1  # cycles per pixel; below, the spectrum of a single picture is far from that of all
LOW = 0.3  # cycles per pixel; JPEG empties the frequencies above
JPEG_RATIO = 1.2  # of the level below to that of all frequencies, from which on the noise is taken for that of JPEG
ROUNDING_ONLY = 0.4 / 255  # a lower level is that of rounding to 8 bits, without JPEG
MOST_SIDE = 2048  # pixels that are compressed again
ERASED = 1e-2  # |H|^2 below is as good as nothing
LEAST_FREQUENCIES = 500
RATIOS = np.geomspace(1e-12, 1, 481)  # of sigma^2 / c to the largest |H|^2 / f^2.5: steps of 3% in sigma
CLASSES = 100  # of the frequencies, by |H|^2 / f^2.5; each is e^-1/4 of the one before


def estimate_noise_under_blur(image: Image, psf: NDArray[np.floating]) -> float:
    """Estimate the standard deviation of the noise in a blurred image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    psf : (h, w) array, >= 0, sum 1

    Returns
    -------
    float >= 0, in units of the range [0, 1]; what rounding to 8 bits added is a part of it
    """
    x = np.atleast_3d(image)
    level = _level_by_spectrum(x, psf)
    if level < ROUNDING_ONLY:
        return level
    return max(level, _level_by_spectrum(_shared_part(x), psf), error_of_jpeg(x))


def _shared_part(x: Image) -> Image:
    """Give the (H, W, 1) sum of the channels, scaled so that noise of each channel by itself keeps its level."""
    total: Image = x.sum(axis=2, keepdims=True) / np.float32(np.sqrt(x.shape[2]))
    return total


def _level_by_spectrum(x: Image, psf: NDArray[np.floating]) -> float:
    """Tell the level by the frequencies that the blur erased; without enough of them, by flat places."""
    shape = (x.shape[0], x.shape[1])
    transfer = np.abs(transfer_function(psf, shape)) ** 2
    frequency = np.sqrt(frequency_squared(shape))
    fitted = frequency >= LOWEST
    if np.count_nonzero(fitted & (transfer < ERASED)) < LEAST_FREQUENCIES:
        return estimate_noise_sigma(x)
    power, signal = _power(x), transfer * natural_decay(shape)
    level = _fitted_level(power[fitted], signal[fitted])
    fitted &= frequency <= LOW
    if level < ROUNDING_ONLY or np.count_nonzero(fitted & (transfer < ERASED)) < LEAST_FREQUENCIES:
        return level
    below = _fitted_level(power[fitted], signal[fitted])
    return below if below > JPEG_RATIO * level else level


def error_of_jpeg(image: Image) -> float:
    """Give the error, as a level of noise, of compressing the image again, half a block off; 0 without a trace.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    """
    x = np.atleast_3d(image)
    quality = estimate_jpeg_quality(x)
    if quality is None:
        return 0.0
    shifted = x[4 : 4 + MOST_SIDE, 4 : 4 + MOST_SIDE]
    if x.shape[2] not in (1, 3):
        shifted = luminance(shifted)[:, :, None]
    error = compress(shifted, quality, "4:2:0") - shifted
    return max(float(np.sqrt(np.mean(e**2, dtype=np.float64))) for e in (error, _shared_part(error)))


def _power(x: Image) -> NDArray[np.float64]:
    """Give the mean over the channels of the power spectrum under a Hann window; that of white noise is its variance.

    The window keeps the jump from one border to the opposite one out of the frequencies that the blur erased.
    """
    window = np.outer(*(np.hanning(n + 2)[1:-1] for n in x.shape[:2])).astype(np.float32)[:, :, None]
    mean = (x * window).mean(axis=(0, 1)) / window.mean()
    spectrum = forward((x - mean) * window)
    power: NDArray[np.float64] = np.mean(np.abs(spectrum) ** 2, axis=2, dtype=np.float64)
    return power / float(np.sum(window**2, dtype=np.float64))


def _fitted_level(power: NDArray[np.float64], signal: NDArray[np.float64]) -> float:
    """Fit sigma of ``c signal + sigma^2`` to a power spectrum."""
    top = float(signal.max())
    depth = -4 * np.log(np.maximum(signal / top, np.finfo(np.float64).tiny))
    classes = np.minimum(depth, CLASSES - 1).astype(np.intp)
    count = np.bincount(classes)
    filled = count > 0
    count = count[filled]
    signal, power = (np.bincount(classes, values)[filled] / count for values in (signal, power))
    shape = signal + top * RATIOS[:, None]  # P / c
    c = (count * power / shape).sum(axis=1) / count.sum()  # the best c for each ratio
    cost = (count * np.log(shape)).sum(axis=1) + count.sum() * np.log(np.maximum(c, np.finfo(np.float64).tiny))
    best = int(np.argmin(cost))
    return float(np.sqrt(c[best] * top * RATIOS[best]))
