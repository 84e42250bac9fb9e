"""How many photons, and how much read-out noise, the values of a sensor hold.

After Foi, Trimeche, Katkovnik and Egiazarian, "Practical Poissonian-Gaussian noise modeling and fitting for
single-image raw-data", IEEE TIP 17 (2008): noise level against brightness, here from the highest frequencies of blocks
of equal brightness.

``estimate_signal_dependence`` in ``noise_model.py`` fits the same line, and neither can stand for the other. That one
looks at finished pictures, whose ends are clipped, and asks first whether the noise grows with the light at all: of 46
photographs in 8 bits the deviation that it gives is off by 11%, that of this one by 16%, and for noise of one level
the latter finds a slope twenty times as large. This one is given values that nothing clipped, which scatter beyond
[0, 1], and must answer: at 5 to 400 photons in seven pictures it is off by 3%, while the other, which passes over
blocks with such values, gives no answer in 13 cases of 28.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
import scipy.optimize
import scipy.stats
from numpy.typing import NDArray

from anew.arrays import Image

BLOCK = 8
BINS = 16  # of brightness
FLAT_SHARE = 0.25  # the quarter of the blocks of a bin with least energy is taken to be noise alone


def estimate_poisson_gaussian(image: Image, offset_sigma: float | None = None) -> tuple[float, float] | None:
    """Estimate how the variance of the noise depends on brightness.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    offset_sigma : float >= 0, optional
        If known, only the gain is estimated.

    Returns
    -------
    (gain, offset_sigma), both >= 0, or None if the image has too few blocks
    """
    channels = np.atleast_3d(image)
    rows, columns = channels.shape[0] // BLOCK, channels.shape[1] // BLOCK
    if rows * columns * channels.shape[2] < 2 * BINS:
        return None
    blocks = channels[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, -1)
    spectra = scipy.fft.dctn(blocks, axes=(1, 3), norm="ortho").transpose(0, 2, 4, 1, 3).reshape(-1, BLOCK, BLOCK)
    mean = spectra[:, 0, 0] / BLOCK
    v, u = np.mgrid[0:BLOCK, 0:BLOCK]
    high = spectra[:, v + u >= 9]
    variance = (high**2).mean(axis=1)
    # What the mean of the lowest quarter of such chi-square means is, of the variance.
    n = high.shape[1]
    cut = scipy.stats.chi2.ppf(FLAT_SHARE, n)
    shrunk = scipy.stats.chi2.cdf(cut, n + 2) / FLAT_SHARE
    order = np.argsort(mean)
    levels, variances = [], []
    for part in np.array_split(order, BINS):
        flat = part[np.argsort(variance[part])[: max(1, int(FLAT_SHARE * len(part)))]]
        levels.append(float(mean[flat].mean()))
        variances.append(float(variance[flat].mean() / shrunk))
    return _fit_line(np.array(levels), np.array(variances), offset_sigma)


def _fit_line(
    levels: NDArray[np.float64], variances: NDArray[np.float64], offset_sigma: float | None
) -> tuple[float, float]:
    """Fit variance = gain * level + offset_sigma^2, both >= 0, by iteratively reweighted least squares.

    A bin's variance scatters in proportion to itself; a bin of texture lies far above the line and counts little.
    """
    known = None if offset_sigma is None else offset_sigma**2
    weight = 1 / np.maximum(variances, 1e-12)
    gain = offset = 0.0
    for _ in range(20):
        if known is None:
            design = np.stack([levels, np.ones_like(levels)], axis=1) * weight[:, None]
            (gain, offset), _ = scipy.optimize.nnls(design, variances * weight)
        else:
            gain = max(0.0, float((weight**2 * levels * (variances - known)).sum() / (weight**2 * levels**2).sum()))
            offset = known
        line = np.maximum(gain * levels + offset, 1e-12)
        excess = np.maximum(variances / line - 1, 0)
        weight = 1 / (line * (1 + (excess / 0.15) ** 2))
    return float(gain), float(np.sqrt(offset))
