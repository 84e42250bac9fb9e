"""How much noise is in an image, told from the image alone.

Patches with little texture are chosen by the energy of their gradients (Liu, Tanaka and Okutomi, IEEE TIP 22, 2013).
The covariance matrix of such patches has a few large eigenvalues from what texture is left, and many small ones that
spread around the variance of the noise; the largest set of small ones whose mean equals its median is the noise
(Chen, Zhu and Heng, ICCV 2015).

Deviations: patches that clipping may have touched are left out, large images are sampled, and the variance that
rounding to 8 bits added is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.diagnosis.finding import Finding

if TYPE_CHECKING:
    from anew.images import Picture

PATCH = 7
MAX_PATCHES = 40_000  # per channel; the error of the estimate falls as 1 / sqrt(patches), texture is the larger one
TEXTURE_QUANTILE = 0.99  # of the gradient energy of a patch of pure noise
VISIBLE_SIGMA = 3 / 255  # weaker noise is left alone: it is hard to see and easily taken for texture


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
    channels = np.atleast_3d(image)
    variances = [_channel_sigma(channels[:, :, c]) ** 2 for c in range(channels.shape[2])]
    return float(np.sqrt(np.mean(variances)))


def find_noise(picture: Picture) -> Finding | None:
    """Report noise that is strong enough to be worth removing, or None."""
    sigma = estimate_noise_sigma(picture.pixels)
    if sigma < VISIBLE_SIGMA:
        return None
    grey_levels = 255 * sigma
    strength = "slight" if grey_levels < 8 else "clear" if grey_levels < 25 else "strong"
    return Finding(
        kind="noise",
        value=grey_levels,
        unit="of 255",
        confidence=float(np.clip(0.5 + 0.5 * (sigma / VISIBLE_SIGMA - 1), 0.5, 0.99)),
        message=f"There is {strength} noise: values scatter by about {grey_levels:.1f} of 255.",
        details={"sigma": sigma},
    )


@dataclass(frozen=True)
class _Patches:
    """Sampled patches of one channel."""

    values: NDArray[np.float32]  # (N, PATCH²)
    means: NDArray[np.float32]  # (N,)
    gradient_energy: NDArray[np.float32]  # (N,)


def _channel_sigma(x: Image) -> float:
    patches = _sample_patches(x)
    if len(patches.values) < 2 * PATCH * PATCH:
        return 0.0
    scale, shape = _gradient_energy_of_noise()
    sigma = eigenvalue_sigma(patches.values)
    for _ in range(5):
        inside = (patches.means > 2.5 * sigma) & (patches.means < 1 - 2.5 * sigma)
        weak = inside & (patches.gradient_energy < sigma**2 * _gamma_quantile(TEXTURE_QUANTILE, shape, scale))
        if np.count_nonzero(weak) < 4 * PATCH * PATCH:
            break
        previous, sigma = sigma, eigenvalue_sigma(patches.values[weak])
        if abs(sigma - previous) < 1e-3 * previous:
            break
    rounding = 1 / 255**2 / 12 if _is_8_bit(x) else 0.0
    return float(np.sqrt(max(sigma**2 - rounding, 0.0)))


def eigenvalue_sigma(patches: NDArray[np.float32]) -> float:
    """Give the noise level of patches: Algorithm 1 of Chen, Zhu and Heng (2015).

    Parameters
    ----------
    patches : (N, d) float32 array

    Returns
    -------
    float >= 0
    """
    centred = patches - patches.mean(0)
    eigenvalues = np.linalg.eigvalsh((centred.T @ centred / len(patches)).astype(np.float64))[::-1]
    for first in range(len(eigenvalues)):
        rest = eigenvalues[first:]
        if rest.mean() <= np.median(rest):
            return float(np.sqrt(max(rest.mean(), 0.0)))
    return float(np.sqrt(max(eigenvalues[-1], 0.0)))


def _sample_patches(x: Image) -> _Patches:
    height, width = x.shape
    if min(height, width) < PATCH:
        empty = np.empty(0, np.float32)
        return _Patches(np.empty((0, PATCH * PATCH), np.float32), empty, empty)
    windows = np.lib.stride_tricks.sliding_window_view(x, (PATCH, PATCH))
    step = max(1, int(np.sqrt(windows.shape[0] * windows.shape[1] / MAX_PATCHES)))
    cubes = windows[::step, ::step].reshape(-1, PATCH, PATCH)
    dx, dy = np.diff(cubes, axis=2), np.diff(cubes, axis=1)
    energy = np.einsum("nij,nij->n", dx, dx) + np.einsum("nij,nij->n", dy, dy)
    values = cubes.reshape(-1, PATCH * PATCH)
    return _Patches(values, values.mean(1), energy)


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


def _is_8_bit(x: Image) -> bool:
    levels = x[:: max(1, x.shape[0] // 64)] * np.float32(255)
    return bool(np.abs(levels - np.rint(levels)).max() < 1e-3)
