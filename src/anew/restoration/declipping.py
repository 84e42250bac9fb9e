"""Undo the bias that clipped noise leaves: shadows too bright, highlights too dark.

Values below black or above white are cut off when a noisy picture is stored, so that the mean of what is left is not
the clean value: of noise around black it is 0.4 of its standard deviation. A denoiser estimates that mean. The mean is
a known, rising function of the clean value, and its inverse gives the clean value back (Foi, "Clipped noisy images:
heteroskedastic modeling and practical denoising", Signal Processing 89, 2009; there for noise of any variance, here for
a constant one).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.small_copy import pick_pixels

REACH = 4.0  # standard deviations from an end within which clipping is felt
POINTS = 2048  # of the table of means
LEVELS = 1 << 16  # of means that clean values are looked up for
ROUNDING = 0.5 / 255  # values up to here from an end were stored as the end
LEAST_EXPECTED = 1e-3  # share of clipped values; with fewer there is no bias worth a change
LEAST_FOUND = 0.7  # of those that noise of this level would make; cameras have less noise in the shadows


def clipped_ends(noisy: Image, denoised: Image, sigma: float) -> tuple[bool, bool]:
    """Tell at which ends of the range, black and white, the noise of a picture was clipped.

    Parameters
    ----------
    noisy, denoised : (H, W) or (H, W, C) float32 arrays of one shape
        Some pixels of large ones are looked at.
    sigma : float
        Standard deviation of the noise, in units of the range [0, 1].
    """
    if sigma <= 0:
        return False, False
    some, their_means = pick_pixels(noisy), pick_pixels(denoised)
    return _end_is_clipped(some, their_means, sigma), _end_is_clipped(1 - some, 1 - their_means, sigma)


def undo_clipping(denoised: Image, sigma: float, *, dark: bool = True, bright: bool = True) -> Image:
    """Give the clean values of which an image holds the means after clipping.

    Parameters
    ----------
    denoised : float32 array
    sigma : float > 0
        Standard deviation of the noise that was clipped.
    dark, bright : bool
        At which ends it was.

    Returns
    -------
    array of the same shape, in [0, 1] where it was changed
    """
    lowest = -REACH * sigma if dark else 0.0
    highest = 1 + REACH * sigma if bright else 1.0
    clean = np.linspace(lowest, highest, POINTS)
    means = mean_of_clipped(clean, sigma, dark=dark, bright=bright)
    inverse = np.interp(np.linspace(0, 1, LEVELS), means, clean).clip(0, 1).astype(np.float32)
    near = (dark & (denoised < REACH * sigma)) | (bright & (denoised > 1 - REACH * sigma))
    level = (denoised.clip(0, 1) * np.float32(LEVELS - 1) + np.float32(0.5)).astype(np.uint16)
    return np.where(near, inverse.take(level), denoised).astype(np.float32, copy=False)


def mean_of_clipped(
    clean: NDArray[np.float64], sigma: float, *, dark: bool = True, bright: bool = True
) -> NDArray[np.float64]:
    """Give the mean of clean + sigma n, n standard normal, after clipping to [0, 1] at the ends that are named."""
    from scipy.special import ndtr

    def cut_off(beyond: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the mean of max(0, beyond + sigma n)."""
        z = beyond / sigma
        density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
        return np.asarray(sigma * density + beyond * ndtr(z), np.float64)

    below = cut_off(-clean) if dark else 0.0
    above = cut_off(clean - 1) if bright else 0.0
    return np.asarray(clean + below - above, np.float64)


def _end_is_clipped(noisy: Image, denoised: Image, sigma: float) -> bool:
    """Tell whether values stand at black, none below, and about as many as noise around these values puts there."""
    from scipy.special import ndtr

    if noisy.min() < -ROUNDING:
        return False
    clean = undo_clipping(denoised, sigma, bright=False)
    expected = float(ndtr((np.float32(ROUNDING) - clean) / np.float32(sigma)).mean())
    found = float((noisy <= ROUNDING).mean())
    return expected > LEAST_EXPECTED and found > LEAST_FOUND * expected
