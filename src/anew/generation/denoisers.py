"""What samplers call: a denoiser or a velocity, and how one becomes the other.

``denoise(x, sigma) -> x0_hat`` takes x = x0 + sigma n; ``velocity(x, t) -> v`` takes x = (1 - t) x0 + t n and gives the
expected n - x0. Both know the same, so an adapter is arithmetic alone and serves NumPy and torch alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anew.generation.schedules import sigma_of_time, time_of_sigma

Denoise = Callable[[Any, float], Any]
Velocity = Callable[[Any, float], Any]


def denoise_by_velocity(velocity: Velocity) -> Denoise:
    """Make a denoiser of a rectified flow: x0_hat = x_t - t v."""

    def denoise(x: Any, sigma: float) -> Any:
        t = time_of_sigma(sigma)
        x_t = x * (1 - t)
        return x_t - t * velocity(x_t, t)

    return denoise


def velocity_by_denoising(denoise: Denoise) -> Velocity:
    """Make a rectified flow, for 0 < t < 1, of a denoiser: v = (x_t - x0_hat) / t."""

    def velocity(x_t: Any, t: float) -> Any:
        return (x_t - denoise(x_t / (1 - t), sigma_of_time(t))) / t

    return velocity
