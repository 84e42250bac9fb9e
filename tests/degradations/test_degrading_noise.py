"""Noise against its analytic moments."""

from __future__ import annotations

import numpy as np
import pytest

from anew.degradations.noise import impulse, noise, poisson, speckle, stripes

N = 256
FLAT = np.full((N, N, 3), 0.4, np.float32)
SAMPLES = FLAT.size
FOUR = 4.0  # standard errors


def test_gaussian_noise_has_its_mean_variance_and_no_correlation():
    n = noise(FLAT, sigma=0.1, rng=0).image.astype(np.float64) - 0.4
    assert abs(n.mean()) < FOUR * 0.1 / np.sqrt(SAMPLES)
    assert abs(n.var() / 0.01 - 1) < FOUR * np.sqrt(2 / SAMPLES)
    assert abs((n**4).mean() / 0.01**2 - 3) < 0.1  # kurtosis of a Gaussian
    for shifted in (np.roll(n, 1, 0), np.roll(n, 1, 1), np.roll(n, 1, 2)):
        assert abs((n * shifted).mean() / 0.01) < FOUR / np.sqrt(SAMPLES)


def test_correlated_noise_keeps_sigma_and_has_the_kernels_autocorrelation():
    kernel = [[1.0, 2.0, 1.0]]
    n = noise(FLAT, sigma=0.1, kernel=kernel, rng=0).image.astype(np.float64) - 0.4
    # k / |k| = (1, 2, 1) / sqrt(6): lags 1 and 2 along x are 4/6 and 1/6, across it is white
    assert n.std() == pytest.approx(0.1, rel=0.01)
    for axis, lag, expected in ((1, 1, 4 / 6), (1, 2, 1 / 6), (1, 3, 0), (0, 1, 0)):
        assert (n * np.roll(n, lag, axis)).mean() / 0.01 == pytest.approx(expected, abs=0.015)


def test_a_correlation_width_is_a_gaussian_kernel():
    n = noise(FLAT, sigma=0.1, correlation=1.5, rng=0).image.astype(np.float64) - 0.4
    assert n.std() == pytest.approx(0.1, rel=0.02)
    assert (n * np.roll(n, 1, 1)).mean() / 0.01 == pytest.approx(np.exp(-1 / (4 * 1.5**2)), abs=0.01)


@pytest.mark.parametrize("level", [0.0, 0.05, 0.8])
def test_poisson_gaussian_noise_has_variance_gain_x_plus_sigma_squared(level):
    y = poisson(np.full_like(FLAT, level), gain=0.02, sigma=0.03, rng=1).image.astype(np.float64)
    variance = 0.02 * level + 0.03**2
    assert abs(y.mean() - level) < FOUR * np.sqrt(variance / SAMPLES)
    assert y.var() == pytest.approx(variance, rel=0.02)


def test_photon_counts_are_multiples_of_the_gain():
    y = poisson(FLAT, gain=0.05, sigma=0, rng=1).image
    np.testing.assert_allclose(y / 0.05, np.rint(y / 0.05), atol=1e-5)
    assert np.array_equal(poisson(FLAT, gain=0, sigma=0, rng=1).image, FLAT)


def test_more_photons_than_can_be_counted_are_refused():
    y = poisson(np.full_like(FLAT, 1000), gain=1e-15, sigma=0, rng=1).image  # 10^18: its noise is a part in 10^9
    np.testing.assert_allclose(y, 1000, rtol=1e-6)
    for gain in (1e-30, 5e-324):
        with pytest.raises(ValueError, match=r"gain must be 0 or at least 4e-19 for this image, got"):
            poisson(FLAT, gain=gain)


def test_speckle_grows_with_the_signal():
    for level in (0.2, 0.8):
        y = speckle(np.full_like(FLAT, level), sigma=0.25, rng=2).image.astype(np.float64)
        assert y.mean() == pytest.approx(level, rel=0.005)
        assert y.std() == pytest.approx(0.25 * level, rel=0.01)
    assert not speckle(np.zeros_like(FLAT), rng=2).image.any()


def test_salt_and_pepper_have_their_density_and_share():
    result = impulse(FLAT, density=0.2, salt=0.25, rng=3)
    hit = result.mask.mean()
    assert hit == pytest.approx(0.2, abs=FOUR * np.sqrt(0.2 * 0.8 / N**2))
    values = result.image[result.mask]
    assert set(np.unique(values)) == {0.0, 1.0}
    assert (values == values[:, :1]).all()  # all channels together
    assert (values[:, 0] == 1).mean() == pytest.approx(0.25, abs=0.02)


def test_random_impulses_are_uniform():
    result = impulse(FLAT, density=0.5, kind="random", rng=3)
    values = result.image[result.mask].astype(np.float64)
    assert values.mean() == pytest.approx(0.5, abs=0.01)
    assert values.var() == pytest.approx(1 / 12, abs=0.002)
    assert (values[:, 0] != values[:, 1]).any()


@pytest.mark.parametrize(("direction", "axis"), [("columns", 0), ("rows", 1)])
def test_stripes_are_one_offset_per_line(direction, axis):
    wide = np.full((700, 800, 2), 0.4, np.float32)
    result = stripes(wide, sigma=0.05, direction=direction, density=0.5, rng=4)
    n = result.image - wide
    assert np.ptp(n, axis=axis).max() == 0
    assert np.ptp(n, axis=2).max() == 0
    offsets = np.take(n[:, :, 0], 0, axis)
    np.testing.assert_allclose(offsets, result.parameters["offsets"], atol=1e-7)
    assert (offsets != 0).mean() == pytest.approx(0.5, abs=0.08)
    assert offsets[offsets != 0].std() == pytest.approx(0.05, rel=0.15)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="kind must be one of salt-pepper, random, got 'salt'"):
        impulse(FLAT, kind="salt")
    with pytest.raises(ValueError, match=r"density must be a finite number >= 0 and <= 1, got 1.5"):
        impulse(FLAT, density=1.5)
    for kernel in ([[0.0]], [1.0, 2.0], np.ones((1002, 1))):
        with pytest.raises(ValueError, match=r"kernel must be an .* sides up to 1001; got shape"):
            noise(FLAT, kernel=kernel)
    with pytest.raises(ValueError, match="correlation must be a finite number >= 0 and <= 125, got 126"):
        noise(FLAT, correlation=126)
