"""Samplers on data whose ideal denoiser is known: Gaussians, where the whole path is closed-form, and mixtures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from anew.generation.denoisers import Denoise, denoise_by_velocity, velocity_by_denoising
from anew.generation.guidance import guide
from anew.generation.samplers import (
    sample_dpmpp_2m,
    sample_euler,
    sample_flow_euler,
    sample_flow_heun,
    sample_heun,
)
from anew.generation.schedules import flow_times, karras_sigmas, sigma_of_time

MEAN, SPREAD = 0.7, 0.6  # of the data: N(MEAN, SPREAD^2)


def gaussian_denoiser(mean: float = MEAN) -> Denoise:
    """E[x | x + sigma n] for normal data."""

    def denoise(x, sigma):  # type: ignore[no-untyped-def]
        return mean + SPREAD**2 / (SPREAD**2 + sigma**2) * (x - mean)

    return denoise


def gaussian_path(x, sigma: float, to: float):  # type: ignore[no-untyped-def]
    """Where the ideal equation takes x: deviations from the mean shrink like the total standard deviation."""
    return MEAN + (x - MEAN) * np.sqrt((SPREAD**2 + to**2) / (SPREAD**2 + sigma**2))


def even_in_log(steps: int) -> np.ndarray:
    """Levels from 10 to 0.1, the last positive one, where the orders show."""
    return np.geomspace(10, 0.1, steps + 1)


def order_of(errors: list[float]) -> float:
    """By how many powers of two the error falls when the steps double."""
    return float(np.log2(errors[-2] / errors[-1]))


@pytest.mark.parametrize(("sampler", "order"), [(sample_euler, 1), (sample_heun, 2), (sample_dpmpp_2m, 2)])
def test_doubling_the_steps_divides_the_error_by_the_order(sampler: Callable, order: int) -> None:
    x = np.random.default_rng(0).normal(size=200) * 10
    truth = gaussian_path(x, 10, 0.1)
    errors = [
        float(np.abs(sampler(gaussian_denoiser(), x, even_in_log(steps)) - truth).max()) for steps in (64, 128, 256)
    ]
    assert order_of(errors) == pytest.approx(order, abs=0.12)
    assert errors[-1] < 0.05


@pytest.mark.parametrize(("sampler", "order"), [(sample_flow_euler, 1), (sample_flow_heun, 2)])
def test_flow_samplers_have_their_orders(sampler: Callable, order: int) -> None:
    n = np.random.default_rng(0).normal(size=200)

    def velocity(x_t, t):  # type: ignore[no-untyped-def]
        # E[n - x | x_t] of jointly normal x and n
        total = (1 - t) ** 2 * SPREAD**2 + t**2
        return -MEAN + (t - (1 - t) * SPREAD**2) / total * (x_t - (1 - t) * MEAN)

    truth = MEAN + SPREAD * n
    errors = [float(np.abs(sampler(velocity, n, flow_times(steps)) - truth).max()) for steps in (32, 64, 128)]
    assert order_of(errors) == pytest.approx(order, abs=0.12)
    assert errors[-1] < 0.03


def test_euler_makes_the_same_steps_in_both_forms() -> None:
    n = np.random.default_rng(1).normal(size=50)
    times = flow_times(7, first=0.99)
    sigmas = [sigma_of_time(t) for t in times]
    by_sigma = sample_euler(gaussian_denoiser(), n * sigmas[0], sigmas)
    by_time = sample_flow_euler(velocity_by_denoising(gaussian_denoiser()), n * times[0], times)
    np.testing.assert_allclose(by_sigma, by_time, rtol=1e-9)


def mixture_denoiser(centres: np.ndarray, spread: float) -> Denoise:
    """E[x | x + sigma n] for equally likely normal clusters in the plane (Bayes)."""

    def denoise(x, sigma):  # type: ignore[no-untyped-def]
        total = spread**2 + sigma**2
        distance = ((x[:, None] - centres) ** 2).sum(-1)
        weight = np.exp(-(distance - distance.min(1, keepdims=True)) / (2 * total))
        weight /= weight.sum(1, keepdims=True)
        nearest = (x[:, None] * spread**2 + centres * sigma**2) / total
        return (weight[:, :, None] * nearest).sum(1)

    return denoise


@pytest.mark.parametrize(("sampler", "steps"), [(sample_euler, 200), (sample_heun, 40), (sample_dpmpp_2m, 40)])
def test_every_cluster_of_a_mixture_gets_its_share(sampler: Callable, steps: int) -> None:
    angles = np.arange(8) * np.pi / 4
    centres = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    x = np.random.default_rng(2).normal(size=(4000, 2)) * 20
    points = sampler(mixture_denoiser(centres, 0.1), x, karras_sigmas(steps, sigma_max=20))
    distance = np.linalg.norm(points[:, None] - centres, axis=2)
    counts = np.bincount(distance.argmin(1), minlength=8)
    # 500 each, binomial standard deviation 21
    assert np.abs(counts - 500).max() < 90
    offsets = points - centres[distance.argmin(1)]
    assert offsets.std() == pytest.approx(0.1, rel=0.08)


def test_a_rectified_flow_samples_through_the_adapter() -> None:
    velocity = velocity_by_denoising(gaussian_denoiser())
    n = np.random.default_rng(3).normal(size=20_000)
    sigmas = [sigma_of_time(t) for t in flow_times(64, first=0.999)]
    x = sample_dpmpp_2m(denoise_by_velocity(velocity), n * sigmas[0], sigmas)
    assert x.mean() == pytest.approx(MEAN, abs=0.02)
    assert x.std() == pytest.approx(SPREAD, abs=0.02)


def test_one_step_to_zero_is_the_denoised_image() -> None:
    x = np.array([3.0, -4.0])
    for sampler in (sample_euler, sample_heun, sample_dpmpp_2m):
        np.testing.assert_allclose(sampler(gaussian_denoiser(), x, [5.0, 0.0]), gaussian_denoiser()(x, 5.0))


def test_the_start_is_not_changed() -> None:
    x = np.ones(3)
    for sampler in (sample_euler, sample_heun, sample_dpmpp_2m):
        sampler(gaussian_denoiser(), x, [5.0, 1.0, 0.0])
    sample_flow_heun(velocity_by_denoising(gaussian_denoiser()), x, [0.9, 0.1])
    assert (x == 1).all()


def test_torch_and_numpy_agree() -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(4).normal(size=(2, 3)) * 10
    for sampler in (sample_euler, sample_heun, sample_dpmpp_2m):
        ours = sampler(gaussian_denoiser(), x, karras_sigmas(9, sigma_max=10))
        theirs = sampler(gaussian_denoiser(), torch.from_numpy(x), karras_sigmas(9, sigma_max=10))
        np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-12)


def test_guidance_of_gaussians_moves_the_mean_by_its_scale() -> None:
    # with equal spreads the guided denoiser is that of normal data around without + scale (with - without)
    with_label, without = gaussian_denoiser(1.0), gaussian_denoiser(0.0)
    x = np.linspace(-3, 3, 7)
    for scale in (0.0, 1.0, 2.5):
        guided = guide(with_label, without, scale=scale)
        np.testing.assert_allclose(guided(x, 0.8), gaussian_denoiser(scale)(x, 0.8))


def test_no_guidance_asks_the_network_once() -> None:
    asked = []

    def unconditional(x, sigma):  # type: ignore[no-untyped-def]
        asked.append(sigma)
        return x

    guide(gaussian_denoiser(), unconditional, scale=1)(np.ones(2), 1.0)
    assert not asked
