"""From noise to an image along an ordinary differential equation; arithmetic only, so NumPy and torch alike.

Samplers of denoisers take ``denoise(x, sigma) -> x0_hat`` and the noise levels, falling, the last one 0; ``x`` starts
as noise of the first level. Samplers of rectified flows take ``velocity(x, t) -> v`` and times, falling from 1 to 0.
Euler makes the same steps in both; Heun does not, for it averages slopes along different paths.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

from anew.generation.denoisers import Denoise, Velocity


def sample_euler(denoise: Denoise, x: Any, sigmas: Iterable[float]) -> Any:
    """Sample with one evaluation per step; the error falls with the number of steps.

    Parameters
    ----------
    denoise : function (x, sigma) -> x0_hat
    x : array
        Noise of standard deviation ``sigmas[0]``.
    sigmas : float, falling; the last may be 0

    Returns
    -------
    array like ``x``

    References
    ----------
    Song et al., "Denoising Diffusion Implicit Models", ICLR 2021, equation 13, which is Euler's method in sigma.
    """
    for sigma, sigma_next in itertools.pairwise(map(float, sigmas)):
        d = (x - denoise(x, sigma)) / sigma  # dx / dsigma
        x = x + (sigma_next - sigma) * d
    return x


def sample_heun(denoise: Denoise, x: Any, sigmas: Iterable[float]) -> Any:
    """Sample with two evaluations per step; the error falls with the square of the number of steps.

    Parameters and result are those of ``sample_euler``.

    References
    ----------
    Karras et al., "Elucidating the Design Space of Diffusion-Based Generative Models", NeurIPS 2022, Algorithm 1.
    """
    for sigma, sigma_next in itertools.pairwise(map(float, sigmas)):
        d = (x - denoise(x, sigma)) / sigma
        x_next = x + (sigma_next - sigma) * d
        if sigma_next > 0:
            d_next = (x_next - denoise(x_next, sigma_next)) / sigma_next
            x_next = x + (sigma_next - sigma) * (d + d_next) / 2
        x = x_next
    return x


def sample_dpmpp_2m(denoise: Denoise, x: Any, sigmas: Iterable[float]) -> Any:
    """Sample with one evaluation per step and second-order error, from the last two denoised images.

    Parameters and result are those of ``sample_euler``. With alpha = 1, lambda = -log sigma; the last step, to
    sigma 0, and the first one are of first order.

    References
    ----------
    Lu et al., "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models", 2022, Algorithm 2.
    """
    last, h_last = None, 0.0
    for sigma, sigma_next in itertools.pairwise(map(float, sigmas)):
        x0_hat = denoise(x, sigma)
        h = math.log(sigma / sigma_next) if sigma_next > 0 else math.inf
        if last is None or sigma_next == 0:
            D = x0_hat
        else:
            r = h_last / h
            D = (1 + 1 / (2 * r)) * x0_hat - 1 / (2 * r) * last
        x = math.exp(-h) * x - math.expm1(-h) * D
        last, h_last = x0_hat, h
    return x


def sample_flow_euler(velocity: Velocity, x: Any, times: Iterable[float]) -> Any:
    """Sample a rectified flow with one evaluation per step.

    Parameters
    ----------
    velocity : function (x, t) -> v
    x : array
        Noise of standard deviation 1.
    times : float, falling from 1 to 0

    Returns
    -------
    array like ``x``

    References
    ----------
    Liu et al., "Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified Flow", ICLR 2023.
    """
    for t, t_next in itertools.pairwise(map(float, times)):
        x = x + (t_next - t) * velocity(x, t)
    return x


def sample_flow_heun(velocity: Velocity, x: Any, times: Iterable[float]) -> Any:
    """Sample a rectified flow with two evaluations per step and second-order error.

    Parameters and result are those of ``sample_flow_euler``. As in EDM the last step, to time 0, is Euler's: where
    no noise is left, no network can tell which noise there was.
    """
    for t, t_next in itertools.pairwise(map(float, times)):
        v = velocity(x, t)
        x_next = x + (t_next - t) * v
        if t_next > 0:
            x_next = x + (t_next - t) * (v + velocity(x_next, t_next)) / 2
        x = x_next
    return x
