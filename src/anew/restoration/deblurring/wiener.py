"""Wiener deconvolution with the power spectrum of natural images.

Wiener, Extrapolation, interpolation and smoothing of stationary time series (1949). The best linear estimate is
X = conj(H) Y / (|H|^2 + S_n / S_x). We take the noise as white, S_n = sigma^2, and the image spectrum as
S_x = c / f^2.5, with c from the variance of the blurred image itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.options import NotNegative, Positive, checked_arguments
from anew.restoration.deblurring.convolution import (
    Border,
    backward,
    forward,
    on_periodic,
    transfer_function,
)
from anew.restoration.deblurring.spectrum import EXPONENT, mean_over_plane, natural_decay

LEAST_SIGMA = {"circular": 1e-6, "reflect": 3e-4}  # float32 rounding; the invented border


@checked_arguments
def deblur_wiener(
    image: Image,
    psf: NDArray[np.float32],
    sigma: NotNegative,
    *,
    border: Border = "reflect",
    exponent: float = EXPONENT,
    strength: Positive = 1.0,
) -> Image:
    """Deconvolve by the Wiener filter.

    Use it when the blur is known and the noise weak, or as a fast first look whether the point-spread function is
    right: a wrong one rings.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    psf : (h, w) array, >= 0, sum 1
        Its centre is the pixel (h // 2, w // 2).
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1].
    border : {"reflect", "circular"}
        "circular" if the image was blurred periodically, which only happens in tests.
    exponent : float
        The power spectrum of the clean image falls as f^-exponent.
    strength : float > 0
        Factor of the noise power: above 1 smoother, below 1 sharper.

    Returns
    -------
    float32 array of the same shape
    """
    level = max(sigma, LEAST_SIGMA[border])

    def deconvolve(y: Image) -> Image:
        shape = (y.shape[0], y.shape[1])
        mean = y.mean(axis=(0, 1), dtype=np.float64)
        noise = level**2
        signal = np.maximum(y.var(axis=(0, 1), dtype=np.float64) - noise, 1e-2 * noise)  # variance of the blurred image
        h = transfer_function(psf, shape)
        power, decay = np.abs(h) ** 2, natural_decay(shape, exponent)  # |H|^2 and S_x / c
        c = signal / mean_over_plane(power * decay, shape)
        x = np.empty_like(y)
        for i in range(y.shape[2]):
            spectrum = forward(y[:, :, i] - mean[i])
            spectrum *= np.conj(h) / (power + strength * noise / (c[i] * decay))
            x[:, :, i] = backward(spectrum, shape) + mean[i]
        return x

    return on_periodic(image, psf, level, border, deconvolve)
