"""Noise: Gaussian (white or correlated), Poisson-Gaussian, speckle, impulses, stripes.

Every sigma is in units of the image range [0, 1]. Nothing is clipped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from anew.arrays import Image, as_numbers
from anew.degradations.degraded import Degraded, check_between, check_choice, check_level, planes_of
from anew.randomness import Rng, seed_of

MOST_CORRELATION = 125.0  # pixels; a wider Gaussian has no psf
MOST_PHOTONS = 1e18  # per pixel; numpy counts them in 64 bits


def noise(
    image: Image, *, sigma: float = 0.1, correlation: float = 0.0, kernel: ArrayLike | None = None, rng: Rng = None
) -> Degraded:
    """Add Gaussian noise:  y = x + n,  n ~ N(0, sigma^2) in every sample.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation of each sample.
    correlation : float in [0, 125]
        Width in pixels of the Gaussian that smooths the noise; 0 is white. Scanned film grain has about 1.
    kernel : (h, w) array, optional
        Correlates the noise in place of that Gaussian:  n = sigma (k / |k|_2) * w,  w white, so that every sample
        keeps the standard deviation ``sigma``. The convolution is circular.
    rng : int or Generator, optional
    """
    check_level("sigma", sigma, 0)
    check_between("correlation", correlation, 0, MOST_CORRELATION)
    seed = seed_of(rng)
    n = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
    if kernel is not None or correlation > 0:
        from anew.degradations.blur import MAX_PSF, convolve, gaussian_psf

        weights = gaussian_psf(correlation) if kernel is None else kernel
        k = as_numbers("kernel", weights, "an (h, w) array of finite weights").astype(np.float32)
        norm = np.linalg.norm(k)
        if k.ndim != 2 or max(k.shape) > MAX_PSF or not (np.isfinite(norm) and norm > 0):
            expected = f"an (h, w) array of finite weights, not all 0, sides up to {MAX_PSF}"
            raise ValueError(f"kernel must be {expected}; got shape {k.shape}")
        n = convolve(n, k / norm, border="circular")
    listed = None if kernel is None else np.asarray(kernel).tolist()
    truth = {"sigma": sigma, "correlation": correlation, "kernel": listed, "seed": seed}
    return Degraded(image + np.float32(sigma) * n, parameters=truth)


def poisson(image: Image, *, gain: float = 0.01, sigma: float = 0.01, rng: Rng = None) -> Degraded:
    """Photograph it with few photons:  y = gain Poisson(x / gain) + n,  n ~ N(0, sigma^2).

    The mean is x, the variance gain x + sigma^2 (Foi et al., IEEE TIP 17 (2008), equation 2).

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array; values below 0 count as 0
    gain : float >= 0
        The step in the image that one photon makes; 0 leaves the Gaussian part. No pixel may count more than 10^18.
    sigma : float >= 0
        Standard deviation of the read-out noise.
    rng : int or Generator, optional
    """
    check_level("gain", gain, 0)
    check_level("sigma", sigma, 0)
    brightest = float(image.max())
    if gain > 0 and brightest > gain * MOST_PHOTONS:
        raise ValueError(f"gain must be 0 or at least {brightest / MOST_PHOTONS:.2g} for this image, got {gain!r}")
    seed = seed_of(rng)
    generator = np.random.default_rng(seed)
    counted = gain * generator.poisson(np.maximum(image, 0, dtype=np.float64) / gain) if gain > 0 else image
    y = counted + sigma * generator.standard_normal(image.shape)
    return Degraded(y.astype(np.float32), parameters={"gain": gain, "sigma": sigma, "seed": seed})


def speckle(image: Image, *, sigma: float = 0.2, rng: Rng = None) -> Degraded:
    """Multiply by noise:  y = x (1 + n),  n ~ N(0, sigma^2).

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation relative to the local value.
    rng : int or Generator, optional
    """
    check_level("sigma", sigma, 0)
    seed = seed_of(rng)
    n = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
    return Degraded(image * (1 + np.float32(sigma) * n), parameters={"sigma": sigma, "seed": seed})


def impulse(
    image: Image, *, density: float = 0.1, kind: str = "salt-pepper", salt: float = 0.5, rng: Rng = None
) -> Degraded:
    """Replace single pixels, all their channels at once, by impulses.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    density : float in [0, 1]
        Probability that a pixel is hit.
    kind : {"salt-pepper", "random"}
        Black or white, or uniform in [0, 1] (independently per channel).
    salt : float in [0, 1]
        Share of white among the black and white ones.
    rng : int or Generator, optional
    """
    check_between("density", density, 0, 1)
    check_between("salt", salt, 0, 1)
    check_choice("kind", kind, ("salt-pepper", "random"))
    seed = seed_of(rng)
    generator = np.random.default_rng(seed)
    mask = generator.random(image.shape[:2]) < density
    result = image.copy()
    if kind == "random":
        result[mask] = generator.random((int(mask.sum()), *image.shape[2:]), np.float32)
    else:
        white = generator.random(int(mask.sum())) < salt
        planes_of(result)[mask] = white[:, np.newaxis].astype(np.float32)
    truth = {"density": density, "kind": kind, "salt": salt, "seed": seed}
    return Degraded(result, mask, truth)


def stripes(
    image: Image, *, sigma: float = 0.05, direction: str = "columns", density: float = 1.0, rng: Rng = None
) -> Degraded:
    """Add one offset per column (or row), the same in all channels, as badly matched sensor columns do.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation of the offsets.
    direction : {"columns", "rows"}
    density : float in [0, 1]
        Share of the lines that are off.
    rng : int or Generator, optional
    """
    check_level("sigma", sigma, 0)
    check_between("density", density, 0, 1)
    check_choice("direction", direction, ("columns", "rows"))
    seed = seed_of(rng)
    generator = np.random.default_rng(seed)
    count = image.shape[1 if direction == "columns" else 0]
    hit = generator.random(count) < density
    offsets = np.where(hit, generator.normal(0, sigma, count), 0).astype(np.float32)
    lines = offsets[np.newaxis, :] if direction == "columns" else offsets[:, np.newaxis]
    result = (planes_of(image) + lines[:, :, np.newaxis]).reshape(image.shape)
    truth = {"sigma": sigma, "direction": direction, "density": density, "seed": seed, "offsets": offsets.tolist()}
    return Degraded(result, parameters=truth)
