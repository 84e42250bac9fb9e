"""How much an image repeats itself, by its autocorrelation (Wiener and Khinchin)."""

from __future__ import annotations

import numpy as np

from anew.arrays import Image


def autocorrelation(x: Image, most: int) -> Image:
    """Give the autocorrelation of an image of mean 0, relative to that at no lag.

    Parameters
    ----------
    x : (H, W) float32 array
    most : int
        The largest lag, in pixels; less than both sides.

    Returns
    -------
    (2 most + 1, 2 most + 1) float32 array
        At lags from -most to most, down and right; each the mean over the pairs of pixels that there are.
    """
    height, width = x.shape
    spectrum = np.fft.rfft2(x, (height + most, width + most))
    sums = np.fft.irfft2(np.abs(spectrum) ** 2, (height + most, width + most))
    lags = np.arange(-most, most + 1)
    pairs = np.outer(height - np.abs(lags), width - np.abs(lags))
    means = sums[np.ix_(lags, lags)] / pairs
    return np.asarray(means / max(means[most, most], 1e-12), np.float32)


def repetition(x: Image, least: int, most: int) -> float:
    """Give the highest autocorrelation of an (H, W) image of mean 0 at any lag of ``least`` to ``most`` pixels."""
    down, right = np.mgrid[-most : most + 1, -most : most + 1]
    return float(autocorrelation(x, most)[np.hypot(down, right) >= least].max(initial=0.0))
