"""Noise levels: the papers' formulae, and conversions that invert."""

from __future__ import annotations

import numpy as np
import pytest

from anew.generation.denoisers import denoise_by_velocity, velocity_by_denoising
from anew.generation.schedules import flow_times, karras_sigmas, sigma_of_time, time_of_sigma


def test_karras_levels_end_where_they_are_told_and_fall() -> None:
    sigmas = karras_sigmas(18)
    assert sigmas.shape == (19,)
    np.testing.assert_allclose(sigmas[[0, -2, -1]], [80, 0.002, 0])
    assert (np.diff(sigmas) < 0).all()


def test_the_seventh_roots_of_karras_levels_are_evenly_spaced() -> None:
    roots = karras_sigmas(12)[:-1] ** (1 / 7)
    np.testing.assert_allclose(np.diff(roots), (0.002 ** (1 / 7) - 80 ** (1 / 7)) / 11)


def test_rho_of_one_is_linear() -> None:
    np.testing.assert_allclose(karras_sigmas(4, sigma_min=1, sigma_max=4, rho=1), [4, 3, 2, 1, 0])


def test_flow_times_are_even_without_shift() -> None:
    np.testing.assert_allclose(flow_times(4), [1, 0.75, 0.5, 0.25, 0])
    np.testing.assert_allclose(flow_times(2, first=0.5), [0.5, 0.25, 0])


def test_shift_multiplies_the_noise_level() -> None:
    # equation 23 of Esser et al. is t / (1 - t) -> s t / (1 - t)
    plain, shifted = flow_times(8)[1:-1], flow_times(8, shift=3)[1:-1]
    np.testing.assert_allclose(shifted / (1 - shifted), 3 * plain / (1 - plain))


def test_times_and_sigmas_invert() -> None:
    for t in np.linspace(0, 0.999, 50):
        assert time_of_sigma(sigma_of_time(t)) == pytest.approx(t, abs=1e-12)


def test_velocities_and_denoisers_invert() -> None:
    x = np.random.default_rng(0).normal(size=(3, 5))

    def velocity(x_t: np.ndarray, t: float) -> np.ndarray:
        return np.sin(x_t) - t

    again = velocity_by_denoising(denoise_by_velocity(velocity))
    for t in (0.1, 0.5, 0.9):
        np.testing.assert_allclose(again(x, t), velocity(x, t), rtol=1e-10)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: karras_sigmas(0),
        lambda: karras_sigmas(5, sigma_min=2, sigma_max=1),
        lambda: flow_times(0),
        lambda: flow_times(4, first=0),
        lambda: flow_times(4, shift=-1),
    ],
)
def test_impossible_schedules_are_refused(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"expected|at least"):
        wrong()
