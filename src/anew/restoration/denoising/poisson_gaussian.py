"""Noise whose variance grows with the signal: stabilise it, denoise as Gaussian, and go back without bias.

The model of a sensor: a pixel is ``gain`` times a Poisson number of photons plus Gaussian read-out noise, so that its
variance is ``gain * x + offset_sigma**2``. The generalised Anscombe transform makes it 1 everywhere; its algebraic
inverse would be biased, so the mean of the transform is inverted instead: Makitalo and Foi, "Optimal inversion of the
generalized Anscombe transformation for Poisson-Gaussian noise", IEEE TIP 22 (2013).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from anew.arrays import Image
from anew.diagnosis.poisson_gaussian import estimate_poisson_gaussian
from anew.options import NotNegative, checked_arguments
from anew.restoration.by_name import find_method

EXACT_BELOW = 100.0  # photons; the mean of the transform is tabulated below and in closed form above
BAND = 64  # rows that are inverted at a time, which takes double precision
FEWEST_PHOTONS = 1e-6  # a gain below that share of the range is none


@checked_arguments
def denoise_poisson_gaussian(
    image: Image,
    sigma: NotNegative,
    *,
    gain: NotNegative | None = None,
    offset_sigma: NotNegative | None = None,
    denoiser: str = "bm3d",
) -> Image:
    """Remove Poisson-Gaussian noise with any denoiser made for Gaussian noise.

    Use it for sensor values before any tone curve (raw files, microscopes, telescopes), whose noise grows with
    brightness; it can be told the gain or finds it. Pictures that went through a curve and JPEG are for ``"camera"``.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, linear light, nominally in [0, 1]
        The variance of a pixel of mean x is gain * x + offset_sigma**2, in every channel.
    sigma : float >= 0
        The overall noise level; 0 is none. Otherwise it serves only where the image is too small to tell more.
    gain : float >= 0, optional
        Brightness of one photon, in units of the range; estimated if not given.
    offset_sigma : float >= 0, optional
        Standard deviation of the read-out noise, in units of the range; estimated if not given.
    denoiser : str
        The method of ``anew.methods("denoise")`` that removes the stabilised noise; ``"auto"`` is ``"unet"``.

    Returns
    -------
    float32 array of the same shape
    """
    if denoiser in ("poisson-gaussian", "custom"):
        raise ValueError(f"denoiser must be a method for Gaussian noise, got {denoiser!r}")
    denoise = find_method("denoise", "denoising", "unet" if denoiser == "auto" else denoiser)
    if gain is None and offset_sigma is None and sigma == 0:
        return image.copy()
    if gain is None or offset_sigma is None:
        estimated = estimate_poisson_gaussian(image, offset_sigma) or (0.0, sigma)
        gain = estimated[0] if gain is None else gain
        offset_sigma = estimated[1] if offset_sigma is None else offset_sigma
    if gain < FEWEST_PHOTONS:
        result: Image = denoise(image, offset_sigma)
        return result
    read_out = offset_sigma / gain  # in photons
    stabilised = anscombe(image / np.float32(gain), read_out)
    low, high = float(stabilised.min()), float(stabilised.max())
    span = max(high - low, 1.0)
    denoised = denoise(((stabilised - low) / span).astype(np.float32), 1 / span)
    result = np.empty_like(image)
    for top in range(0, len(result), BAND):
        rows = slice(top, top + BAND)
        result[rows] = gain * inverse_anscombe(denoised[rows] * span + low, read_out)
    return result


def anscombe(photons: NDArray[np.floating], read_out: float) -> NDArray[np.floating]:
    """Give 2 sqrt(z + 3/8 + read_out^2), of variance about 1; 0 where the root has no real value."""
    return 2 * np.sqrt(np.maximum(photons + 3 / 8 + read_out**2, 0))


def inverse_anscombe(stabilised: NDArray[np.floating], read_out: float) -> NDArray[np.float64]:
    """Give the mean number of photons whose transformed noisy values have the given mean (the exact unbiased inverse).

    Parameters
    ----------
    stabilised : float array
        An estimate of E[anscombe(z)].
    read_out : float >= 0
        Standard deviation of the Gaussian part, in photons.
    """
    photons, means = _mean_of_anscombe(float(read_out))
    d = np.asarray(stabilised, np.float64)
    exact = np.interp(d, means, photons)
    safe = np.maximum(d, 1.0)
    # Makitalo and Foi (2013), equation 10: the closed form for many photons.
    root = np.sqrt(1.5)
    closed = safe**2 / 4 + root / (4 * safe) - 11 / (8 * safe**2) + 5 * root / (8 * safe**3) - 1 / 8 - read_out**2
    return np.where(d < means[-1], exact, closed)


@lru_cache(maxsize=8)
def _mean_of_anscombe(read_out: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tabulate E[anscombe(z)] for z Poisson plus Gaussian: the numbers of photons, and the means, ascending.

    The sum over Poisson numbers is taken outside, the integral over the Gaussian as a mean over its quantiles.
    """
    photons = np.concatenate([[0.0], np.geomspace(1e-3, EXACT_BELOW, 400)])
    counts = np.arange(int(EXACT_BELOW + 12 * np.sqrt(EXACT_BELOW)) + 20)
    normal = scipy.stats.norm.ppf((np.arange(2000) + 0.5) / 2000) if read_out > 0 else np.zeros(1)
    given_count = anscombe(counts[:, None] + read_out * normal[None, :], read_out).mean(axis=1)
    means = scipy.stats.poisson.pmf(counts[None, :], photons[:, None]) @ given_count
    return photons, means
