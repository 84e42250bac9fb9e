"""Reaction and diffusion: what is conserved, what stands still, and a step computed independently."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve

from anew.generation.rules.reaction import REGIMES, gray_scott, reaction_diffusion
from anew.kernels.gray_scott import react

F32 = np.float32


def test_a_step_equals_the_equations_written_with_a_convolution() -> None:
    rng = np.random.default_rng(0)
    u, v = rng.random((2, 13, 17)).astype(F32)
    kernel = np.array([[0.05, 0.2, 0.05], [0.2, -1, 0.2], [0.05, 0.2, 0.05]])
    lap_u, lap_v = (convolve(x.astype(float), kernel, mode="wrap") for x in (u, v))
    reaction = u.astype(float) * v.astype(float) ** 2
    expected_u = u + 0.9 * lap_u - reaction + 0.03 * (1 - u)
    expected_v = v + 0.4 * lap_v + reaction - (0.03 + 0.06) * v
    react(u, v, 1, F32(0.9), F32(0.4), F32(0.03), F32(0.06))
    np.testing.assert_allclose(u, expected_u, atol=1e-6)
    np.testing.assert_allclose(v, expected_v, atol=1e-6)


def test_without_feed_and_kill_nothing_is_lost() -> None:
    rng = np.random.default_rng(1)
    u, v = rng.random((2, 20, 24)).astype(F32) * F32(0.5)
    before = u.sum(dtype=float) + v.sum(dtype=float)
    react(u, v, 500, F32(1), F32(0.5), F32(0), F32(0))
    assert u.sum(dtype=float) + v.sum(dtype=float) == pytest.approx(before, rel=1e-4)


def test_the_plain_ground_stands_still() -> None:
    u, v = np.ones((9, 9), F32), np.zeros((9, 9), F32)
    react(u, v, 100, F32(1), F32(0.5), F32(0.04), F32(0.06))
    np.testing.assert_array_equal(u, 1)
    np.testing.assert_array_equal(v, 0)


@pytest.mark.parametrize("regime", list(REGIMES))
def test_every_regime_makes_a_pattern_that_lasts(regime: str) -> None:
    feed, kill = REGIMES[regime]
    _, v = gray_scott((72, 72), feed=feed, kill=kill, steps=4000, rng=0)
    assert v.max() > 0.2
    assert v.std() > 0.04


def test_patterns_of_too_long_a_picture_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="waves must be smaller for a picture this long"):
        reaction_diffusion((400, 20_000), waves=90)
    with pytest.raises(ValueError, match="regime must be one of coral"):
        reaction_diffusion((8, 8), regime="soup")
