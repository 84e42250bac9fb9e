"""The error of a denoiser, estimated without a clean image: Stein's unbiased risk estimate by Monte Carlo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.diagnosis.noise_model import power_spectrum

PROBE_SEED = 0x57E1  # of the probe b; not a seed that people type, or b could be the very noise of a synthetic test


@dataclass(frozen=True)
class MeasuredNoise:
    """Noise as it was measured in a picture.

    Attributes
    ----------
    sigma : float
        Its standard deviation, in units of the range [0, 1].
    gain, offset_sigma : float >= 0
        If ``gain`` is not 0, its variance is gain * x + offset_sigma^2 at brightness x.
    autocorrelation : (2 n + 1, 2 n + 1) array, optional
        At lags -n..n; white if not given.
    shared : bool
        Whether it is the same in all channels.
    """

    sigma: float
    gain: float = 0.0
    offset_sigma: float = 0.0
    autocorrelation: NDArray[np.float64] | None = None
    shared: bool = False

    def deviation(self, clean: Image) -> Image | float:
        """Give the standard deviation at every value of an estimate of the clean image."""
        if self.gain == 0:
            return self.sigma
        return np.asarray(np.sqrt(self.gain * clean.clip(0, 1) + self.offset_sigma**2), np.float32)


def monte_carlo_sure(
    noisy: Image,
    denoise: Callable[[Image], Image],
    sigma: float | Image,
    *,
    autocorrelation: NDArray[np.float64] | None = None,
    shared: bool = False,
    where: Mask | None = None,
    denoised: Image | None = None,
    rng: int | np.random.Generator = PROBE_SEED,
) -> float:
    """Estimate the mean squared error of a denoiser from the noisy image alone.

    Algorithm 1 of Ramani et al. (2008): MSE ~ |y - f(y)|^2 / N - sigma^2 + 2 sigma^2 div f / N with
    div f ~ <b, f(y + eps b) - f(y)> / eps for one normal vector b. Noise of covariance S has the term
    2 tr(S J) / N instead, J the derivative of f, and a b of the noise's own law: correlated, or as strong as it at each
    pixel, or the same in all channels (Eldar, IEEE TSP 57, 2009, generalises the estimate).

    Parameters
    ----------
    noisy : (H, W) or (H, W, C) float32 array
    denoise : callable
        The same shape out.
    sigma : float > 0, or array that broadcasts to the image
        Standard deviation of the noise, in units of the range [0, 1].
    autocorrelation : (2 n + 1, 2 n + 1) array, optional
        Of the noise, at lags -n..n; white if not given.
    shared : bool
        Whether the noise is the same in all channels.
    where : (H, W) bool array, optional
        Pixels to judge by.
    denoised : array of the same shape, optional
        What the denoiser makes of it, where that is known. If it was made of more than these pixels, it differs from
        ``denoise(noisy)`` at the borders, by what has nothing to do with b: the expectation stays.
    rng : int or numpy generator

    Returns
    -------
    float
        In squared units of the range; it may come out slightly negative.
    """
    denoised = denoise(noisy) if denoised is None else denoised
    chosen = np.ones(noisy.shape[:2], bool) if where is None else where
    deviation = np.broadcast_to(np.asarray(sigma, np.float32), noisy.shape)
    variance = float(np.mean(deviation[chosen].astype(np.float64) ** 2))
    b = np.random.default_rng(rng).standard_normal((*noisy.shape[:2], 1) if shared else noisy.shape, np.float32)
    b = np.broadcast_to(b, noisy.shape).copy()
    if autocorrelation is not None:
        b = coloured(b, autocorrelation)
    b *= deviation / np.float32(np.sqrt(variance))
    eps = np.float32(max(0.2 * np.sqrt(variance), 2 / 255))  # above the rounding inside 8-bit library filters
    slope = b * (denoise(noisy + eps * b) - denoised)
    divergence = float(np.mean(slope[chosen], dtype=np.float64)) / float(eps)
    residual = float(np.mean((noisy - denoised)[chosen] ** 2, dtype=np.float64))
    return residual - variance + 2 * variance * divergence


def coloured(white: Image, autocorrelation: NDArray[np.float64]) -> Image:
    """Filter white noise so that it has an autocorrelation; its variance stays."""
    response = np.fft.ifft2(np.sqrt(power_spectrum(autocorrelation))).real
    kernel = np.fft.fftshift(response / np.sqrt(np.sum(response**2))).astype(np.float32)
    middle = (len(kernel) // 2, len(kernel) // 2)
    return np.asarray(cv2.filter2D(white, -1, kernel, anchor=middle), np.float32).reshape(white.shape)
