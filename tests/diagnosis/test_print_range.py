"""What is left of the range of a faded print, of ramps whose darkest and lightest places are known."""

from __future__ import annotations

import numpy as np
import pytest

from anew.diagnosis.print_range import GAMMA_RANGE, KEEP_TONE, MID_SHARE, MIN_RANGE, estimate_range

RAMP = np.linspace(0, 1, 90_000).reshape(300, 300, 1)


def test_each_channel_has_its_own_range() -> None:
    black, white = np.array([0.1, 0.2, 0.05]), np.array([0.7, 0.9, 0.8])
    found = estimate_range((black + RAMP * (white - black)).astype(np.float32))
    np.testing.assert_allclose(found.black, black, atol=0.005)
    np.testing.assert_allclose(found.white, white, atol=0.005)


def test_a_range_ends_where_the_picture_can() -> None:
    found = estimate_range((-0.2 + 1.5 * RAMP.repeat(3, axis=2)).astype(np.float32))
    np.testing.assert_allclose(found.black, 0)
    np.testing.assert_allclose(found.white, 1)


def test_a_strong_tint_of_the_lightest_places_is_the_scenes() -> None:
    found = estimate_range((RAMP * [0.9, 0.7, 0.3]).astype(np.float32))
    np.testing.assert_allclose(found.white, [0.9, 0.7, 0.65 * 0.9], atol=0.005)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5, 1), (60, 90, 3)])
def test_a_channel_with_hardly_a_range_is_stretched_no_further_than_others(shape: tuple[int, ...]) -> None:
    found = estimate_range(np.full(shape, 0.4, np.float32))
    np.testing.assert_allclose(found.white - found.black, MIN_RANGE)
    np.testing.assert_allclose((found.white + found.black) / 2, 0.4, rtol=1e-6)
    assert ((found.gamma >= GAMMA_RANGE[0]) & (found.gamma <= GAMMA_RANGE[1])).all()


def test_mid_tones_come_nearer_to_each_other_and_to_where_they_were() -> None:
    black, white, power = np.array([0.1, 0.2, 0.05]), np.array([0.7, 0.9, 0.8]), np.array([1.0, 1.1, 0.85])
    found = estimate_range((black + RAMP**power * (white - black)).astype(np.float32))
    middle = 0.5**power
    after = middle**found.gamma
    np.testing.assert_allclose(after / after[0], (middle / middle[0]) ** (1 - MID_SHARE), atol=0.01)
    before = (black + middle * (white - black)).mean()
    tone = middle.mean() ** (1 - KEEP_TONE) * before**KEEP_TONE
    assert after.mean() == pytest.approx(tone, abs=0.01)


def test_a_power_is_bounded() -> None:
    found = estimate_range((RAMP ** np.array([0.1, 1, 12])).astype(np.float32))
    assert found.gamma.max() == GAMMA_RANGE[1]
