"""Is noise correlated from pixel to pixel, and does it grow with the light.

Blocks of 16 x 16 pixels with the least energy show the noise, if the picture is noisy everywhere: then these blocks are
alike in energy, their DCT coefficients are Gaussian, their correlation ends after a few pixels, the channels do not
move together, and values lie as far above their mean as below. Texture fails at one of these. The spectrum of such
blocks gives level and correlation of the noise.

Signal dependence: the variance of the finest details, per level of brightness, is fitted by gain * x + offset²,
robustly and away from clipped values (Foi, Trimeche, Katkovnik and Egiazarian, IEEE TIP 17, 2008). Values of a sensor,
which nothing clipped, are for ``poisson_gaussian.py``, which says how the two differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, as_numbers

BLOCK = 16
MAX_BLOCKS = 4000
LEAST_BLOCKS = 60
MOST_CLIPPED = 0.02  # of the values of a block
QUIETEST = (0.005, 0.085)  # share of the blocks, by energy, that show the noise
REACH = 3  # lags of the autocorrelation that are given

# Calibrated on 363 clean photographs, in colour and in grey: none is called noisy for these limits but one of coarse
# sand and two of an old print, all in grey.
LEAST_CORRELATION = 0.2  # of pixels side by side
LEAST_SIGMA = 4 / 255
MOST_FAR_CORRELATION = 0.2  # three pixels apart
MOST_SHARED = 0.6  # correlation of the channels: texture is shading, which all channels share
# Of gravel and grass at sizes at which they pass the other tests it is -0.27 and less, as what lies between stones and
# blades is dark; of noise of 8 to 30 of 255 on 34 bright and dark photographs within 0.21 in 604 of 605 cases.
MOST_SKEWNESS = 0.23
MOST_KURTOSIS = {"colour": 3.6, "grey": 3.15}  # of a Gaussian it is 3
MOST_SPREAD = {
    "colour": 1.4,
    "grey": 1.25,
}  # standard deviation at the 12th percentile of the blocks over that at the 1st

LEAST_CONTRAST = 1.3  # ratio of the noise at the bright and the dark end that is called signal-dependent
LEAST_T = 5.0  # slope over its standard error
BINS = 16


@dataclass(frozen=True)
class Correlation:
    """What the quietest blocks of a picture look like.

    Attributes
    ----------
    sigma : float
        Standard deviation, in units of the range.
    neighbours : float
        Correlation of pixels side by side, mean over both directions.
    autocorrelation : (7, 7) float array
        At lags -3..3 (rows, columns); 1 in the middle.
    is_noise : bool
        Whether these blocks pass for Gaussian noise.
    """

    sigma: float
    neighbours: float
    autocorrelation: NDArray[np.float64]
    is_noise: bool

    @property
    def correlated(self) -> bool:
        """Whether it is noise with neighbours that move together."""
        return self.is_noise and self.neighbours >= LEAST_CORRELATION


@dataclass(frozen=True)
class SignalDependence:
    """Variance of noise over brightness x: gain * x + offset_sigma².

    Attributes
    ----------
    gain : float >= 0
    offset_sigma : float >= 0
    dependent : bool
        Whether the growth is beyond doubt.
    """

    gain: float
    offset_sigma: float
    dependent: bool


def estimate_correlation(image: Image) -> Correlation:
    """Measure the correlation of the noise in the quietest blocks.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]

    Returns
    -------
    Correlation
        Not noise if the image is too small to tell.
    """
    unknown = Correlation(0.0, 0.0, np.pad([[1.0]], REACH), is_noise=False)
    blocks = _blocks(np.atleast_3d(image), BLOCK)
    if len(blocks) < LEAST_BLOCKS:
        return unknown
    coefficients, low = _detail_coefficients(blocks)
    energy = np.einsum("ncij,ncij->n", coefficients, coefficients)
    order = np.argsort(energy)
    first, count = int(QUIETEST[0] * len(order)), max(40, int((QUIETEST[1] - QUIETEST[0]) * len(order)))
    quiet = coefficients[order[first : first + count]]
    spectrum: NDArray[np.float64] = (quiet.astype(np.float64) ** 2).mean(axis=0)
    if spectrum.sum(axis=(1, 2)).min() <= 0:
        return unknown
    slow = np.add.outer(np.arange(BLOCK), np.arange(BLOCK)) == 2  # stand for what was taken off with mean and slope
    taken = low.sum() * spectrum[:, slow].mean(axis=1) / spectrum.sum(axis=(1, 2))
    autocorrelation = _autocorrelation(quiet, float(taken.mean()))
    middle = REACH
    neighbours = float(autocorrelation[middle, middle + 1] + autocorrelation[middle + 1, middle]) / 2
    far = float(np.abs([autocorrelation[middle, -1], autocorrelation[-1, middle]]).max())
    shared = _shared_by_channels(quiet)
    kind = "grey" if shared > MOST_SHARED else "colour"
    is_noise = (
        far <= MOST_FAR_CORRELATION
        and abs(_skewness(quiet)) <= MOST_SKEWNESS
        and _kurtosis(quiet, spectrum) <= MOST_KURTOSIS[kind]
        and np.sqrt(energy[order[int(0.12 * len(order))]] / max(energy[order[first]], 1e-12)) <= MOST_SPREAD[kind]
    )
    variance = spectrum.sum(axis=(1, 2)) * (1 + taken) / BLOCK**2
    return Correlation(float(np.sqrt(variance.mean())), neighbours, autocorrelation, bool(is_noise))


def estimate_signal_dependence(image: Image) -> SignalDependence:
    """Fit the variance of white noise over brightness.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]

    Returns
    -------
    SignalDependence
        ``gain`` 0 and ``offset_sigma`` 0 if the image is too small or too uniform to tell.

    Notes
    -----
    Per level of brightness, the blocks with the weakest fine detail show the noise. The fit is reweighted, so that a
    level where texture is everywhere does not count.
    """
    side = 8
    blocks = _blocks(np.atleast_3d(image), side)
    if len(blocks) < LEAST_BLOCKS:
        return SignalDependence(0.0, 0.0, dependent=False)
    from scipy.fft import dctn

    mean = blocks.mean(axis=(2, 3)).ravel()
    fine = np.add.outer(np.arange(side), np.arange(side)) >= side
    power = dctn(blocks, axes=(2, 3), norm="ortho")[:, :, fine] ** 2
    x, variance, count = _variance_per_level(mean, power.mean(axis=2).ravel(), int(fine.sum()))
    if len(x) < 4 or np.ptp(x) < 0.2:
        return SignalDependence(0.0, 0.0, dependent=False)
    slope, offset, t = _robust_line(x, variance, count)
    gain = max(slope, 0.0)
    dark = max(offset + gain * float(x.min()), 1e-12)
    bright = offset + gain * float(x.max())
    dependent = gain > 0 and t > LEAST_T and bright / dark > LEAST_CONTRAST**2
    return SignalDependence(float(gain), float(np.sqrt(max(offset, 0.0))), bool(dependent))


def as_psd(psd: ArrayLike) -> NDArray[np.float64]:
    """Check a power spectrum.

    Raises
    ------
    ValueError
        If it is no (h, w) array of finite numbers >= 0, or all of them are 0.
    """
    expected = "an (h, w) array of numbers >= 0, not all 0"
    power = as_numbers("psd", psd, expected)
    if power.ndim != 2 or power.size == 0:
        raise ValueError(f"psd must be {expected}, got shape {power.shape}")
    if power.min() < 0 or power.max() <= 0:
        raise ValueError(f"psd must be {expected}, got numbers from {power.min():g} to {power.max():g}")
    return power


def power_spectrum(autocorrelation: ArrayLike) -> NDArray[np.float64]:
    """Give the spectrum of noise whose correlation ends where its autocorrelation does.

    Parameters
    ----------
    autocorrelation : (2 n + 1, 2 n + 1) array
        At lags -n..n, 1 in the middle.

    Returns
    -------
    (16, 16) float array, >= 0, of mean about 1
        In the order of ``numpy.fft.fft2``.
    """
    r = np.asarray(autocorrelation, np.float64)
    reach = len(r) // 2
    if (
        r.ndim != 2
        or r.shape[0] != r.shape[1]
        or r.shape[0] % 2 == 0
        or reach >= BLOCK // 2
        or not np.isfinite(r).all()
    ):
        raise ValueError(f"autocorrelation must be square with an odd side below {BLOCK}, got shape {r.shape}")
    lags = np.arange(-reach, reach + 1)
    periodic = np.zeros((BLOCK, BLOCK))
    periodic[np.ix_(lags, lags)] = r
    return np.maximum(np.fft.fft2(periodic).real, 0)


def _blocks(channels: Image, side: int) -> NDArray[np.float32]:
    """Cut blocks out, on two grids half a block apart, as (N, C, side, side); none is flat or clipped."""
    found = [np.empty((0, channels.shape[2], side, side), np.float32)]
    for start in (0, side // 2):
        if min(channels.shape[:2]) < start + side:
            continue
        rows, columns = (channels.shape[0] - start) // side, (channels.shape[1] - start) // side
        step = max(1, int(np.sqrt(2 * rows * columns / MAX_BLOCKS)))
        cut = channels[start : start + rows * side, start : start + columns * side]
        grid = cut.reshape(rows, side, columns, side, channels.shape[2])[::step, :, ::step]
        found.append(grid.transpose(0, 2, 4, 1, 3).reshape(-1, channels.shape[2], side, side))
    blocks = np.concatenate(found)
    clipped = np.mean((blocks <= 0) | (blocks >= 1), axis=(2, 3))
    varied = blocks.max(axis=(2, 3)) > blocks.min(axis=(2, 3))
    return blocks[((clipped <= MOST_CLIPPED) & varied).all(axis=1)]


def _detail_coefficients(blocks: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Give the DCT of blocks without mean and slope, and which coefficients those are."""
    from scipy.fft import dctn

    coefficients: NDArray[np.float32] = dctn(blocks, axes=(2, 3), norm="ortho")
    low = np.add.outer(np.arange(BLOCK), np.arange(BLOCK)) < 2
    coefficients[:, :, low] = 0
    return coefficients, low


def _autocorrelation(coefficients: NDArray[np.float32], taken: float) -> NDArray[np.float64]:
    """Give the autocorrelation of (N, C, B, B) blocks, mean over channels, at lags up to REACH.

    Slow variation that was taken off is the same at all lags; ``taken`` is its power relative to the rest.
    """
    from scipy.fft import idctn

    size = 2 * BLOCK

    residual = idctn(coefficients, axes=(2, 3), norm="ortho")
    power = np.mean(np.abs(np.fft.rfft2(residual, s=(size, size))) ** 2, axis=0)
    per_channel = np.fft.irfftn(power / power.sum(axis=(1, 2), keepdims=True), s=(size, size), axes=(1, 2))
    covariance: NDArray[np.float64] = np.add.reduce(per_channel, axis=0)
    covariance /= covariance[0, 0]
    lags = np.arange(-REACH, REACH + 1)
    pairs = 1 - np.abs(lags) / BLOCK
    unbiased = covariance[np.ix_(lags, lags)] / np.outer(pairs, pairs) + taken
    result: NDArray[np.float64] = unbiased / unbiased[REACH, REACH]
    return result


def _shared_by_channels(coefficients: NDArray[np.float32]) -> float:
    """Give the median correlation of pairs of channels; 1 for a single one."""
    if coefficients.shape[1] < 2:
        return 1.0
    flat = coefficients.transpose(1, 0, 2, 3).reshape(coefficients.shape[1], -1)
    correlation = np.atleast_2d(np.corrcoef(flat))
    return float(np.median(correlation[np.triu_indices(len(flat), 1)]))


def _kurtosis(coefficients: NDArray[np.float32], spectrum: NDArray[np.float64]) -> float:
    """Give the kurtosis of the coefficients, each scaled by its own level, that carry much of the energy."""
    strong = spectrum > 0.2 * spectrum.mean(axis=(1, 2), keepdims=True)
    scaled = coefficients[:, strong].astype(np.float64) ** 2 / spectrum[strong]
    return float(np.mean(scaled**2) / np.mean(scaled) ** 2)


def _skewness(coefficients: NDArray[np.float32]) -> float:
    """Give the skewness of the values that (N, C, B, B) coefficients stand for."""
    from scipy.fft import idctn

    residual = idctn(coefficients, axes=(2, 3), norm="ortho").astype(np.float64)
    return float(np.mean(residual**3) / np.mean(residual**2) ** 1.5)


def _variance_per_level(
    mean: NDArray[np.float32], power: NDArray[np.float32], freedom: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Give brightness, variance and number of blocks of each level, from the lower quartile of the power there.

    A mean of ``freedom`` squared Gaussians has the law chi²/freedom, whose lower quartile is known.
    """
    from scipy.special import gammaincinv

    quartile = gammaincinv(freedom / 2, 0.25) / (freedom / 2)
    level = np.clip((mean * BINS).astype(int), 0, BINS - 1)
    found = []
    for k in np.unique(level):
        at = power[level == k]
        if len(at) >= LEAST_BLOCKS // 2:
            found.append((float(mean[level == k].mean()), float(np.quantile(at, 0.25)) / quartile, float(len(at))))
    x, variance, count = np.array(found).T if found else np.zeros((3, 0))
    return x, variance, count


def _robust_line(
    x: NDArray[np.float64], variance: NDArray[np.float64], count: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Fit variance = slope x + offset by reweighted least squares; give slope, offset and slope over its error."""
    design = np.stack([x, np.ones_like(x)], axis=1)
    relative = np.sqrt(count) / np.maximum(variance, 1e-9)  # the error of a variance is proportional to it
    weight = relative.copy()
    for _ in range(20):
        solution, *_ = np.linalg.lstsq(design * weight[:, None], variance * weight, rcond=None)
        residual = (variance - design @ solution) * relative
        scale = 1.4826 * float(np.median(np.abs(residual))) + 1e-12
        weight = relative / np.sqrt(1 + (residual / (2 * scale)) ** 2)
    information = (design * weight[:, None]).T @ (design * weight[:, None])
    spread = np.sqrt(np.sum((residual * weight / relative) ** 2) / max(len(x) - 2, 1))
    error = spread * np.sqrt(np.linalg.pinv(information)[0, 0])
    return float(solution[0]), float(solution[1]), float(solution[0] / max(error, 1e-12))
