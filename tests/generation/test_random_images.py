"""Random images: moments in closed form, and the slope of a spectrum."""

from __future__ import annotations

import math

import numpy as np
import pytest

from anew.generation.random_images import colour_noise, gaussian, poisson, salt_and_pepper, speckle, uniform

SHAPE = (300, 400)
MEAN_ERROR = 4 / math.sqrt(SHAPE[0] * SHAPE[1])  # four standard errors, for a standard deviation of 1


def test_uniform_has_the_moments_of_its_interval() -> None:
    x = uniform(SHAPE, low=0.2, high=0.8, rng=1)
    assert 0.2 <= x.min() < 0.2001
    assert 0.7999 < x.max() <= 0.8
    assert x.mean() == pytest.approx(0.5, abs=MEAN_ERROR * 0.6 / math.sqrt(12))
    assert x.var() == pytest.approx(0.6**2 / 12, rel=0.01)


def test_gaussian_has_its_mean_spread_and_kurtosis() -> None:
    x = gaussian(SHAPE, mean=0.5, sigma=0.1, rng=2).astype(float)
    z = (x - 0.5) / 0.1
    assert z.mean() == pytest.approx(0, abs=MEAN_ERROR)
    assert z.std() == pytest.approx(1, rel=0.01)
    assert (z**4).mean() == pytest.approx(3, rel=0.05)
    assert (np.abs(z) < 1).mean() == pytest.approx(0.6827, abs=0.006)


def test_poisson_counts_whole_photons_with_variance_equal_to_the_mean() -> None:
    counts = poisson(SHAPE, mean=0.3, gain=0.02, rng=3).astype(float) / 0.02
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-4)
    assert counts.mean() == pytest.approx(15, rel=0.005)
    assert counts.var() == pytest.approx(15, rel=0.02)


def test_salt_and_pepper_have_their_shares() -> None:
    x = salt_and_pepper(SHAPE, density=0.2, salt=0.75, level=0.4, rng=4)
    assert set(np.unique(x)) == {np.float32(0), np.float32(0.4), np.float32(1)}
    assert (x == 1).mean() == pytest.approx(0.15, abs=0.005)
    assert (x == 0).mean() == pytest.approx(0.05, abs=0.003)
    assert salt_and_pepper((5, 5), density=0).std() == 0


@pytest.mark.parametrize("looks", [1, 4])
def test_speckle_has_the_contrast_of_its_looks(looks: int) -> None:
    x = speckle(SHAPE, mean=0.05, looks=looks, grain=1, rng=5).astype(float)
    assert x.mean() == pytest.approx(0.05, rel=0.02)
    assert x.std() / x.mean() == pytest.approx(1 / math.sqrt(looks), rel=0.03)
    if looks == 1:  # exponential: P(x > mean) = 1 / e
        assert (x > 0.05).mean() == pytest.approx(math.exp(-1), abs=0.01)


def test_grains_of_speckle_are_as_wide_as_asked() -> None:
    def width(grain: float) -> float:  # of the autocorrelation of the intensity, at half its height
        x = speckle((256, 256), mean=0.05, grain=grain, rng=6).astype(float)
        spectrum = np.abs(np.fft.fft2(x - x.mean())) ** 2
        correlation = np.fft.ifft2(spectrum).real[0]
        return 2 * int(np.argmax(correlation < correlation[0] / 2))

    assert width(4) < width(8) < width(16)
    assert width(16) == pytest.approx(16, rel=0.3)


@pytest.mark.parametrize("exponent", [-2.0, 0.0, 1.0, 2.0, 3.0])
def test_the_spectrum_of_colour_noise_has_the_slope_asked_for(exponent: float) -> None:
    x = colour_noise((256, 320), exponent=exponent, sigma=0.01, rng=7).astype(float)
    power = np.abs(np.fft.fft2(x)) ** 2
    f = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(320)[None, :])
    some = (f > 0.01) & (f < 0.5)
    slope = np.polyfit(np.log(f[some]), np.log(power[some]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.03)
    assert x.mean() == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("shape", [(64, 64), (63, 80), (50, 33), (1, 99), (2, 2)])
def test_colour_noise_has_the_spread_asked_for_on_average(shape: tuple[int, int]) -> None:
    variances = [colour_noise(shape, exponent=1, sigma=0.05, rng=seed).var() for seed in range(200)]
    assert np.sqrt(np.mean(variances)) == pytest.approx(0.05, rel=0.1 if min(shape) > 2 else 0.25)


@pytest.mark.parametrize("function", [uniform, gaussian, poisson, salt_and_pepper, speckle, colour_noise])
def test_colour_channels_are_drawn_apart(function: object) -> None:
    x = function((200, 200), colour=True, rng=8)  # type: ignore[operator]
    assert x.shape == (200, 200, 3)
    correlation = np.corrcoef(x.reshape(-1, 3).T)
    assert np.abs(correlation - np.eye(3)).max() < 0.3 if function is colour_noise else 0.05


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (uniform, {"low": 0.7, "high": 0.3}, "low must be a finite number"),
        (gaussian, {"sigma": float("nan")}, "sigma must be a finite number"),
        (poisson, {"gain": 0}, "gain must be a finite number"),
        (salt_and_pepper, {"density": 2}, "density must be a finite number"),
        (speckle, {"looks": 0}, "looks must be an integer"),
        (colour_noise, {"exponent": 99}, "exponent must be a finite number"),
    ],
)
def test_values_out_of_range_are_refused(function: object, options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function((4, 4), **options)  # type: ignore[operator]
