import numpy as np
import pytest

from anew.structure.repetition import autocorrelation, repetition


def test_the_autocorrelation_is_a_mean_over_pairs():
    x = np.random.default_rng(0).standard_normal((70, 90)).astype(np.float32)
    most = 32
    found = autocorrelation(x, most)
    assert found.shape == (2 * most + 1, 2 * most + 1)
    for down, right in ((0, 0), (3, 5), (30, 0), (0, most), (most, most)):
        expected = np.mean(x[down:, right:] * x[: 70 - down, : 90 - right]) / np.mean(x * x)
        assert found[most + down, most + right] == pytest.approx(expected, abs=1e-5)
        assert found[most - down, most - right] == pytest.approx(expected, abs=1e-5)
        mirrored = np.mean(x[down:, : 90 - right] * x[: 70 - down, right:]) / np.mean(x * x)
        assert found[most + down, most - right] == pytest.approx(mirrored, abs=1e-5)


@pytest.mark.parametrize("period", [8, 13, 32])
def test_what_repeats_at_one_of_the_lags_correlates(period):
    x = np.random.default_rng(period).standard_normal((100, period))
    stripes = np.tile(x, 200 // period + 1)[:, :200].astype(np.float32)
    assert repetition(stripes, 8, 32) == pytest.approx(1, abs=0.05)
    assert repetition(stripes, period + 1, min(2 * period - 1, 40)) < 0.2


def test_noise_and_nothing_do_not_repeat():
    x = np.random.default_rng(0).standard_normal((192, 192)).astype(np.float32)
    assert repetition(x, 1, 32) < 0.05
    assert repetition(np.zeros((80, 80), np.float32), 1, 32) == 0
