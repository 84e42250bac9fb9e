"""The noise levels that a sampler walks through, and how the two ways of counting noise translate.

A rectified flow mixes, x_t = (1 - t) x + t n with t from 1 to 0; a diffusion model in the sense of EDM adds,
x_sigma = x + sigma n. Dividing x_t by 1 - t gives the second from the first, with sigma = t / (1 - t).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float64]


def karras_sigmas(steps: int, *, sigma_min: float = 0.002, sigma_max: float = 80.0, rho: float = 7.0) -> Levels:
    """Give the noise levels of EDM, denser towards low noise.

    Parameters
    ----------
    steps : int >= 1
    sigma_min, sigma_max : float > 0
        The last positive level and the first one, in units of the image.
    rho : float > 0
        1 is linear; 7 is the paper's choice.

    Returns
    -------
    (steps + 1,) float64 array, falling; the last is 0

    References
    ----------
    Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models", NeurIPS 2022, equation 5.
    """
    _check_steps(steps)
    if not 0 < sigma_min < sigma_max:
        raise ValueError(f"0 < sigma_min < sigma_max expected, not {sigma_min} and {sigma_max}")
    i = np.arange(steps) / max(steps - 1, 1)
    high, low = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    return np.append((high + i * (low - high)) ** rho, 0.0)


def flow_times(steps: int, *, first: float = 1.0, shift: float = 1.0) -> Levels:
    """Give the times of a rectified flow, evenly spaced before the shift.

    Parameters
    ----------
    steps : int >= 1
    first : float in (0, 1]
        Where to start; 1 is pure noise.
    shift : float > 0
        s in t' = s t / (1 + (s - 1) t): above 1, more of the steps are spent on high noise.

    Returns
    -------
    (steps + 1,) float64 array, falling from ``first`` to 0

    References
    ----------
    Esser et al., "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis", ICML 2024, equation 23.
    """
    _check_steps(steps)
    if not 0 < first <= 1 or shift <= 0:
        raise ValueError(f"0 < first <= 1 and shift > 0 expected, not {first} and {shift}")
    t = np.linspace(1, 0, steps + 1)
    shifted: Levels = first * shift * t / (1 + (shift - 1) * t)
    return shifted


def sigma_of_time(t: float) -> float:
    """Give the noise level relative to the image, t / (1 - t), at a time of a rectified flow, 0 <= t < 1."""
    return t / (1 - t)


def time_of_sigma(sigma: float) -> float:
    """Give the time of a rectified flow, sigma / (1 + sigma), at a noise level >= 0."""
    return sigma / (1 + sigma)


def _check_steps(steps: int) -> None:
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"steps must be a whole number of at least 1, not {steps!r}")
