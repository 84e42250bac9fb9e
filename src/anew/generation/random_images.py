"""Images of pure chance: every pixel drawn from one law, grey or in colour, alone or with a given spectrum.

All of them are clipped to [0, 1]; means and standard deviations are those before clipping.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.degradations.degraded import check_between, check_whole
from anew.generation.rules.canvas import Rng, Shape
from anew.randomness import as_generator


def uniform(shape: Shape, *, colour: bool = False, low: float = 0.0, high: float = 1.0, rng: Rng = 0) -> Image:
    """Draw every value between two bounds, all equally likely.

    Parameters
    ----------
    shape : (H, W)
    colour : bool
        Three channels, each drawn on its own.
    low, high : float in [0, 1]
    rng : int, Generator or None

    Returns
    -------
    (H, W) or (H, W, 3) float32 array in [low, high]; mean (low + high) / 2, variance (high - low)^2 / 12
    """
    check_between("high", high, 0, 1)
    check_between("low", low, 0, high)
    return np.float32(low) + np.float32(high - low) * as_generator(rng).random(_planes(shape, colour), np.float32)


def gaussian(shape: Shape, *, colour: bool = False, mean: float = 0.5, sigma: float = 0.15, rng: Rng = 0) -> Image:
    """Draw every value from a normal distribution.

    Parameters
    ----------
    shape : (H, W)
    colour : bool
        Three channels, each drawn on its own.
    mean : float in [0, 1]
    sigma : float in [0, 10]
        Standard deviation.
    rng : int, Generator or None

    Returns
    -------
    (H, W) or (H, W, 3) float32 array in [0, 1]
    """
    check_between("mean", mean, 0, 1)
    check_between("sigma", sigma, 0, 10)
    n = as_generator(rng).standard_normal(_planes(shape, colour), np.float32)
    return np.clip(np.float32(mean) + np.float32(sigma) * n, 0, 1)


def poisson(shape: Shape, *, colour: bool = False, mean: float = 0.5, gain: float = 0.04, rng: Rng = 0) -> Image:
    """Count photons on an evenly lit sensor: gain times a Poisson number.

    Parameters
    ----------
    shape : (H, W)
    colour : bool
        Three channels, each counted on its own.
    mean : float in [0, 1]
    gain : float in [1e-6, 1]
        What one photon adds; the variance is gain times mean.
    rng : int, Generator or None

    Returns
    -------
    (H, W) or (H, W, 3) float32 array in [0, 1], of multiples of ``gain`` and 1
    """
    check_between("mean", mean, 0, 1)
    check_between("gain", gain, 1e-6, 1)
    counts = as_generator(rng).poisson(mean / gain, _planes(shape, colour))
    return np.clip(counts.astype(np.float32) * np.float32(gain), 0, 1)


def salt_and_pepper(
    shape: Shape, *, colour: bool = False, density: float = 0.1, salt: float = 0.5, level: float = 0.5, rng: Rng = 0
) -> Image:
    """Strew white and black pixels over a level ground.

    Parameters
    ----------
    shape : (H, W)
    colour : bool
        Three channels, each strewn on its own.
    density : float in [0, 1]
        Share of values that are hit.
    salt : float in [0, 1]
        Share of white among them.
    level : float in [0, 1]
        Of the ground.
    rng : int, Generator or None

    Returns
    -------
    (H, W) or (H, W, 3) float32 array of 0, ``level`` and 1
    """
    for name, value in (("density", density), ("salt", salt), ("level", level)):
        check_between(name, value, 0, 1)
    u = as_generator(rng).random(_planes(shape, colour))
    result = np.full(u.shape, level, np.float32)
    result[u < density] = 0
    result[u < density * salt] = 1
    return result


def speckle(
    shape: Shape, *, colour: bool = False, mean: float = 0.3, looks: int = 1, grain: float = 3.0, rng: Rng = 0
) -> Image:
    """Light a rough wall with a laser: the intensity of a random wave field, seen through a round pupil.

    Parameters
    ----------
    shape : (H, W)
    colour : bool
        Three lasers of different colour.
    mean : float in [0, 1]
    looks : int in [1, 100]
        Independent patterns that are averaged; the standard deviation is the mean over sqrt(looks).
    grain : float in [1, 1000]
        Size of a bright spot in pixels; 1 draws every pixel on its own.
    rng : int, Generator or None

    Returns
    -------
    (H, W) or (H, W, 3) float32 array in [0, 1]; it tiles

    References
    ----------
    Goodman, "Some fundamental properties of speckle", JOSA 66 (1976).
    """
    from scipy.fft import fft2, fftfreq

    check_between("mean", mean, 0, 1)
    check_whole("looks", looks, 1, 100)
    check_between("grain", grain, 1, 1000)
    generator = as_generator(rng)
    fy, fx = fftfreq(shape[0])[:, None], fftfreq(shape[1])[None, :]
    pupil = np.hypot(fx, fy) <= (0.5 / grain if grain > 1 else 1)  # grain 1: nothing is cut off
    intensity = np.zeros((3 if colour else 1, *shape), np.float32)
    for _ in range(int(looks)):
        for plane in intensity:
            parts = generator.standard_normal((2, *shape), np.float32)
            plane += np.abs(fft2((parts[0] + 1j * parts[1]) * pupil, norm="ortho")) ** 2
    intensity *= np.float32(mean / (2 * int(looks) * pupil.mean()))
    return np.clip(np.moveaxis(intensity, 0, 2) if colour else intensity[0], 0, 1)


def colour_noise(
    shape: Shape, *, colour: bool = False, exponent: float = 2.0, mean: float = 0.5, sigma: float = 0.18, rng: Rng = 0
) -> Image:
    """Shape Gaussian noise so that its power falls with frequency as 1 / f^exponent.

    Parameters
    ----------
    shape : (H, W)
    colour : bool
        Three channels, each drawn on its own.
    exponent : float in [-4, 8]
        0 is white, 1 pink, 2 brown (as photographs have it), -1 blue, -2 violet.
    mean : float in [0, 1]
    sigma : float in [0, 10]
        Standard deviation.
    rng : int, Generator or None

    Returns
    -------
    (H, W) or (H, W, 3) float32 array in [0, 1]; it tiles
    """
    from scipy.fft import fftfreq, irfft2, rfft2, rfftfreq

    check_between("exponent", exponent, -4, 8)
    check_between("mean", mean, 0, 1)
    check_between("sigma", sigma, 0, 10)
    planes = 3 if colour else 1
    white = as_generator(rng).standard_normal((planes, *shape), np.float32)
    f = np.hypot(fftfreq(shape[0])[:, None], rfftfreq(shape[1])[None, :])
    f[0, 0] = 1
    gain = (f ** (-exponent / 2)).astype(np.float32)
    gain[0, 0] = 0  # the mean is given
    noise = irfft2(rfft2(white) * gain, shape)
    spread = _expected_spread(gain, shape)
    noise *= np.float32(sigma / spread) if spread else 0
    noise = np.clip(np.float32(mean) + noise, 0, 1).astype(np.float32, copy=False)
    return np.ascontiguousarray(np.moveaxis(noise, 0, 2)) if colour else noise[0]


def _expected_spread(gain: NDArray[np.float32], shape: Shape) -> float:
    """Give the standard deviation of white noise after a gain on its half spectrum: the root mean square gain."""
    power = gain.astype(np.float64) ** 2
    inner = slice(1, (shape[1] + 1) // 2)  # these stand for a pair of frequencies each
    return float(np.sqrt((power.sum() + power[:, inner].sum()) / (shape[0] * shape[1])))


def _planes(shape: Shape, colour: bool) -> tuple[int, ...]:
    return (*shape, 3) if colour else tuple(shape)
