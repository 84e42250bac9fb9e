"""How much noise is in an image, told from the image alone.

Patches with little texture are chosen by the energy of their gradients (Liu, Tanaka and Okutomi, IEEE TIP 22, 2013).
The covariance matrix of such patches has a few large eigenvalues from what texture is left, and many small ones that
spread around the variance of the noise; the largest set of small ones whose mean equals its median is the noise
(Chen, Zhu and Heng, ICCV 2015).

Deviations: the result is the mean of that rule, which errs upwards on texture, and of the level of the smallest
quarter of the eigenvalues, which errs downwards; flat patches and patches that clipping may have touched are left out;
large images are sampled; the variance that rounding to 8 bits added is taken off. Where even the small eigenvalues
are not alike, they come from texture, and the level is moved towards the smallest of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, has_equal_channels, luminance
from anew.diagnosis.camera_noise import estimate_camera_noise
from anew.diagnosis.compressed_noise import REMAINING, estimate_compressed_noise, least_level
from anew.diagnosis.finding import Finding
from anew.diagnosis.jpeg import VISIBLE_QUALITY, estimate_jpeg_traces
from anew.diagnosis.noise_model import (
    LEAST_SIGMA,
    SignalDependence,
    estimate_correlation,
    estimate_signal_dependence,
)
from anew.ycbcr import split_luma

if TYPE_CHECKING:
    from anew.images import Picture

PATCH = 7
MAX_PATCHES = 60_000  # over all channels; the error falls as 1 / sqrt(patches), that from texture does not
TEXTURE_QUANTILE = 0.99  # of the gradient energy of a patch of pure noise
SMALLEST = 12  # eigenvalues of 49
VISIBLE_SIGMA = 3 / 255  # weaker noise is left alone: it is hard to see and easily taken for texture
# Level of the 12 smallest eigenvalues over that of the 30 smallest. On 160 clean photographs that seem to have noise it
# is below 0.82 on all but two of coarse sand; with white noise of 5 of 255 it is above 0.90 on 95%.
WHITE = 0.85
TEXTURE_WHITENESS, NOISE_WHITENESS = 0.7, 0.9  # between them the estimate moves from the smallest to the typical level
BLOCK, LEAST_BLOCKS, QUIET = 8, 16, 0.25  # pixels a side; blocks of a picture; the part of them that is looked at
LEAST_LUMA = 1 / 255  # noise in brightness, for a comparison with that in colour
SHARED = 0.35  # of it: of 10 of 255, independent noise has 0.7 and more, after JPEG with halved chroma at most 0.3
SURVIVED = 0.25  # of the noise that is left after compression: less is seen in luma where only coarse grains are left
QUIET_SHARE = 0.2  # of patches that may be far quieter than the noise; drawings leave more
ROUNDING_SIGMA = 1 / 255 / 12**0.5  # of rounding to 8 bits
UNDERESTIMATE = 0.99  # of pure white noise, by simulation: its patches of highest gradient energy are left out


def estimate_noise_sigma(image: Image) -> float:
    """Estimate the standard deviation of white noise in an image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]

    Returns
    -------
    float >= 0
        In units of the range [0, 1]; the root mean square over the channels. 0 for an image too small to tell.

    References
    ----------
    Liu, Tanaka and Okutomi, "Single-image noise level estimation for blind denoising", IEEE TIP 22 (2013).
    Chen, Zhu and Heng, "An efficient statistical method for image noise level estimation", ICCV 2015.
    """
    return estimate_white_noise(image)[0]


def estimate_white_noise(image: Image) -> tuple[float, bool]:
    """Give what ``estimate_noise_sigma`` gives, and whether it can be seen and is white, in all channels or in one."""
    channels = _estimate_channels(image)
    return _together(channels).sigma, _is_any_white(channels)


def shares_channels(image: Image) -> bool:
    """Tell whether noise is nearly the same in red, green and blue, as JPEG leaves it where it halves chroma.

    By the quietest blocks; of a picture without noise it tells the same of its texture.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array

    Returns
    -------
    bool
        False for other than three channels, a grey image in three equal ones, too few pixels, and where luma shows
        hardly any noise.
    """
    if image.ndim != 3 or image.shape[2] != 3 or has_equal_channels(image):
        return False
    luma, *chroma = (_fine_energy(plane) for plane in split_luma(image))
    if luma.size < LEAST_BLOCKS:
        return False
    quiet = luma <= np.quantile(luma, QUIET)  # of the same blocks, however the noise changes with brightness
    level = float(luma[quiet].mean())
    return level >= LEAST_LUMA**2 and all(float(c[quiet].mean()) < SHARED**2 * level for c in chroma)


def _fine_energy(plane: Image) -> Image:
    """Give the variance that white noise in each block has, by what straight edges do not show (Immerkaer, 1996)."""
    cross = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32) / 6  # of unit energy
    fine = cv2.filter2D(plane, -1, cross)[1:-1, 1:-1] ** 2
    rows, columns = (side // BLOCK for side in fine.shape)
    blocks = fine[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return np.asarray(blocks.mean(axis=(1, 3)).ravel(), np.float32)


def find_noise(picture: Picture) -> Finding | None:
    """Report noise that is strong enough to be worth removing, or None.

    White noise must be white, which texture is not, and be everywhere, which the grain of a drawing is not, in all
    channels together or in one: of 180 clean photographs none has such a channel. Noise whose neighbouring pixels move
    together must pass the tests of ``noise_model``, or be that of a camera (``camera_noise``).

    Its details are what a denoiser may need: ``sigma``, ``correlated``, ``correlation`` (of pixels side by side),
    ``autocorrelation`` at lags -3..3 (its discrete Fourier transform is the spectrum), ``gain`` and ``offset_sigma``
    of the variance gain * x + offset_sigma², whether it is ``signal_dependent``, whether the channels have it
    ``shared``, and whether a camera ``developed`` it.
    """
    compressed = _find_compressed_noise(picture.pixels)
    if compressed is not None:
        return compressed
    channels = _estimate_channels(picture.pixels)
    noise = _together(channels)
    white = _is_any_white(channels)
    developed = 0.0 if white else estimate_camera_noise(picture.pixels)
    correlation = estimate_correlation(picture.pixels)
    correlated = not white and correlation.correlated and correlation.sigma >= LEAST_SIGMA
    if not (white or correlated or developed):
        return None
    sigma = noise.sigma if white else correlation.sigma if correlated else developed
    light = SignalDependence(0.0, sigma, dependent=False)
    if white:
        light = estimate_signal_dependence(picture.pixels)
    grey_levels = 255 * sigma
    strength = "slight" if grey_levels < 8 else "clear" if grey_levels < 25 else "strong"
    grain = "" if white else " in grains larger than a pixel"
    return Finding(
        kind="noise",
        value=grey_levels,
        unit="of 255",
        confidence=float(np.clip(0.6 + 0.2 * (sigma / VISIBLE_SIGMA - 1), 0.6, 0.99)),
        message=f"There is {strength} noise{grain}: values scatter by about {grey_levels:.1f} of 255.",
        details={
            "sigma": sigma,
            "whiteness": noise.whiteness,
            "correlated": correlated,
            "developed": developed > 0,
            "correlation": correlation.neighbours,
            "autocorrelation": correlation.autocorrelation.round(4).tolist(),
            "gain": light.gain,
            "offset_sigma": light.offset_sigma,
            "signal_dependent": light.dependent,
            "shared": white and shares_channels(picture.pixels),
        },
    )


def _find_compressed_noise(image: Image) -> Finding | None:
    """Report noise that was there before a JPEG compression that can be seen, or None.

    ``details["compressed"]`` is true, and ``remaining_sigma`` is what to tell a denoiser after deblocking.
    """
    traces = estimate_jpeg_traces(image)
    if traces is None or traces.quality > VISIBLE_QUALITY:
        return None
    sigma = estimate_compressed_noise(image, traces)
    if sigma < least_level(traces.quality):
        return None
    survived = estimate_noise_sigma(luminance(image)) >= SURVIVED * REMAINING * sigma
    shared = survived and shares_channels(image)
    return Finding(
        kind="noise",
        value=255 * sigma,
        unit="of 255",
        confidence=float(np.clip(0.6 + 0.4 * (sigma / least_level(traces.quality) - 1), 0.6, 0.95)),
        message=f"There was noise before it was compressed: values scattered by about {255 * sigma:.0f} of 255.",
        details={
            "sigma": sigma,
            "compressed": True,
            "quality": traces.quality,
            "remaining_sigma": REMAINING * sigma,
            "shared": shared,
        },
    )


@dataclass(frozen=True)
class _Noise:
    sigma: float
    whiteness: float  # 1: the spectrum of the quietest patches is flat
    quiet_share: float  # share of patches with less than a third of the gradient energy of such noise


@dataclass(frozen=True)
class _Patches:
    """Sampled patches of one channel."""

    values: NDArray[np.float32]  # (N, PATCH²)
    means: NDArray[np.float32]  # (N,)
    gradient_energy: NDArray[np.float32]  # (N,)

    def where(self, chosen: NDArray[np.bool_]) -> _Patches:
        return _Patches(self.values[chosen], self.means[chosen], self.gradient_energy[chosen])


def _estimate_channels(image: Image) -> list[_Noise]:
    channels = np.atleast_3d(image)
    count = channels.shape[2]
    return [_estimate_channel(channels[:, :, c], MAX_PATCHES // count) for c in range(count)]


def _is_white(noise: _Noise) -> bool:
    return noise.sigma >= VISIBLE_SIGMA and noise.whiteness >= WHITE and noise.quiet_share <= QUIET_SHARE


def _is_any_white(channels: Sequence[_Noise]) -> bool:
    together = _together(channels)
    return together.sigma >= VISIBLE_SIGMA and any(_is_white(noise) for noise in (together, *channels))


def _together(per_channel: Sequence[_Noise]) -> _Noise:
    return _Noise(
        sigma=float(np.sqrt(np.mean([noise.sigma**2 for noise in per_channel]))),
        whiteness=float(np.mean([noise.whiteness for noise in per_channel])),
        quiet_share=float(np.mean([noise.quiet_share for noise in per_channel])),
    )


def _estimate_channel(x: Image, max_patches: int) -> _Noise:
    patches = _sample_patches(x, max_patches)
    patches = patches.where(patches.gradient_energy > 0)  # a flat patch is a hole, a border or a drawing
    dimensions = PATCH * PATCH
    if len(patches.values) < 2 * dimensions:
        return _Noise(0.0, 0.0, 1.0)
    scale, shape = _gradient_energy_of_noise()
    eigenvalues = _covariance_eigenvalues(patches.values)
    sigma = _level(eigenvalues[-1:])
    lowest, highest = _clipping_ends(x)
    for _ in range(6):
        energy = patches.gradient_energy / max(sigma**2, 1e-12)
        unclipped = (patches.means > lowest + 2 * sigma) & (patches.means < highest - 2 * sigma)
        weak = unclipped & (energy < _gamma_quantile(TEXTURE_QUANTILE, shape, scale))
        if np.count_nonzero(weak) < 4 * dimensions:
            break
        eigenvalues = _covariance_eigenvalues(patches.values[weak])
        previous, sigma = sigma, (eigenvalue_sigma(eigenvalues) + _level(eigenvalues[-SMALLEST:])) / 2
        if abs(sigma - previous) < 1e-3 * previous:
            break
    quiet = patches.gradient_energy < sigma**2 * scale * shape / 3
    whiteness = _level(eigenvalues[-SMALLEST:]) / max(_level(eigenvalues[-30:]), 1e-12)
    trust = np.clip((whiteness - TEXTURE_WHITENESS) / (NOISE_WHITENESS - TEXTURE_WHITENESS), 0, 1)
    sigma = (trust * sigma + (1 - trust) * _level(eigenvalues[-1:])) / UNDERESTIMATE
    rounding = ROUNDING_SIGMA**2 if is_8_bit(x) else 0.0
    return _Noise(float(np.sqrt(max(sigma**2 - rounding, 0.0))), whiteness, float(quiet.mean()))


def _level(eigenvalues: NDArray[np.float64]) -> float:
    return float(np.sqrt(max(eigenvalues.mean(), 0.0)))


def _covariance_eigenvalues(patches: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give the eigenvalues of the covariance of (N, d) patches, largest first."""
    centred = patches - patches.mean(0)
    covariance = (centred.T @ centred / np.float32(len(patches))).astype(np.float64)
    return np.linalg.eigvalsh(covariance)[::-1]


def eigenvalue_sigma(eigenvalues: NDArray[np.float64]) -> float:
    """Give the noise level from the eigenvalues of a patch covariance: Algorithm 1 of Chen, Zhu and Heng (2015).

    Parameters
    ----------
    eigenvalues : (d,) float array, largest first
    """
    for first in range(len(eigenvalues)):
        rest = eigenvalues[first:]
        if rest.mean() <= np.median(rest):
            break
    return _level(rest)


def _sample_patches(x: Image, max_patches: int) -> _Patches:
    """Take patches at places spread evenly, at random within their cells so that no block grid is favoured."""
    rows, columns = x.shape[0] - PATCH + 1, x.shape[1] - PATCH + 1
    if min(rows, columns) < 1:
        empty = np.empty(0, np.float32)
        return _Patches(np.empty((0, PATCH * PATCH), np.float32), empty, empty)
    step = max(1.0, np.sqrt(rows * columns / max_patches))
    r, c = np.meshgrid(np.arange(0, rows - step + 1, step), np.arange(0, columns - step + 1, step), indexing="ij")
    jitter = np.random.default_rng(0).uniform(0, step, (2, *r.shape))
    row, column = (
        np.minimum((r + jitter[0]).astype(int), rows - 1),
        np.minimum((c + jitter[1]).astype(int), columns - 1),
    )
    cubes = np.lib.stride_tricks.sliding_window_view(x, (PATCH, PATCH))[row.ravel(), column.ravel()]
    dx, dy = np.diff(cubes, axis=2), np.diff(cubes, axis=1)
    energy = np.einsum("nij,nij->n", dx, dx) + np.einsum("nij,nij->n", dy, dy)
    values = cubes.reshape(-1, PATCH * PATCH)
    return _Patches(values, values.mean(1), energy)


def _clipping_ends(x: Image, least: float = 1e-3) -> tuple[float, float]:
    """Give the ends of the range at which values were clipped; infinite where few values stand at an end."""
    sample = x[:: max(1, x.shape[0] // 512), :: max(1, x.shape[1] // 512)]
    return (
        0.0 if np.mean(sample <= 0) > least and sample.min() == 0 else -np.inf,
        1.0 if np.mean(sample >= 1) > least and sample.max() == 1 else np.inf,
    )


def _gradient_energy_of_noise() -> tuple[float, float]:
    """Give scale and shape of the gamma law of the gradient energy of a patch of unit white noise.

    The energy is n'An with A = Dx'Dx + Dy'Dy: its mean is tr A, its variance 2 tr A² (Liu et al., eq. 11).
    """
    one = np.diff(np.eye(PATCH), axis=0)
    along = one.T @ one
    a = np.kron(np.eye(PATCH), along) + np.kron(along, np.eye(PATCH))
    mean, variance = np.trace(a), 2 * np.trace(a @ a)
    return float(variance / mean), float(mean**2 / variance)


def _gamma_quantile(q: float, shape: float, scale: float) -> float:
    from scipy.special import gammaincinv

    return float(gammaincinv(shape, q) * scale)


def is_8_bit(x: Image) -> bool:
    """Tell whether all values are whole numbers of 255ths."""
    levels = x[:: max(1, x.shape[0] // 64)] * np.float32(255)
    return bool(np.abs(levels - np.rint(levels)).max() < 1e-3)
