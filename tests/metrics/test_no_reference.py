"""No-reference metrics: closed forms first, then that they follow the strength of real damage."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter, uniform_filter1d
from scipy.optimize import brentq
from scipy.signal import convolve2d
from scipy.special import gamma
from skimage.measure import blur_effect

from anew.degradations.jpeg import compress
from anew.metrics.no_reference.blockiness import blockiness
from anew.metrics.no_reference.niqe import _asymmetric_gaussian, niqe, patch_features
from anew.metrics.no_reference.noise import noise_level
from anew.metrics.no_reference.sharpness import sharpness

PHOTOS = ("astronaut", "camera", "chelsea", "coffee")


def photo(name: str) -> np.ndarray:
    return (getattr(skimage.data, name)()[:288, :288] / 255).astype(np.float32)


def blurred(x: np.ndarray, sigma: float) -> np.ndarray:
    return gaussian_filter(x, (sigma, sigma, 0)[: x.ndim])


def rises(values: list[float]) -> bool:
    return all(a < b for a, b in itertools.pairwise(values))


def test_blockiness_of_a_ramp_is_0_and_of_steps_closed_form() -> None:
    ramp = np.add.outer(np.arange(64.0), 2 * np.arange(64.0))
    assert blockiness(ramp, data_range=255) == 0
    steps = np.repeat(10.0 * np.arange(8), 8)[None, :] * np.ones((64, 1))  # 10 levels up at each border of columns
    # across columns every border stands out by 10 and the places beside it by 5, their median is 0; along none does
    assert blockiness(steps, data_range=255) == pytest.approx((10 / 0.25) / 2)
    assert blockiness(steps / 255, data_range=1) == pytest.approx(blockiness(steps, data_range=255))


def test_blockiness_knows_the_grid() -> None:
    x = compress(photo("camera"), 20)
    assert blockiness(x, data_range=1) > 5 * blockiness(x[4:, 4:], data_range=1)


@pytest.mark.parametrize("name", PHOTOS)
def test_blockiness_grows_with_compression(name: str) -> None:
    x = photo(name)
    values = [blockiness(x, data_range=1), *(blockiness(compress(x, q), data_range=1) for q in (80, 40, 20, 10))]
    assert values[0] < 0.1
    assert rises(values)


def test_sharpness_of_known_pictures() -> None:
    assert sharpness(np.full((40, 40), 0.3)) == 0
    ramp = np.tile(np.arange(40.0), (40, 1))
    assert sharpness(ramp) == pytest.approx(0, abs=1e-12)  # a blur takes nothing from a ramp
    edge = np.tile((np.arange(40) >= 20).astype(float), (40, 1))
    assert sharpness(edge) == pytest.approx(8 / 9)  # one step of 1 becomes nine of 1/9: what is left is 1/9


@pytest.mark.parametrize("name", PHOTOS)
def test_sharpness_falls_with_blur_as_scikit_image_says(name: str) -> None:
    x = photo(name)
    pictures = [x, *(blurred(x, s) for s in (0.7, 1.5, 3))]
    values = [sharpness(p) for p in pictures]
    assert rises([-v for v in values])
    # another implementation of the same paper, which takes Sobel gradients and a blur of 11
    peers = [1 - blur_effect(p, channel_axis=2 if p.ndim == 3 else None) for p in pictures]
    assert np.corrcoef(values, peers)[0, 1] > 0.98


def test_blur_along_one_axis_is_blur() -> None:
    """The paper takes the worse of the two directions."""
    x = photo("camera").astype(np.float64)
    for axis in (0, 1):
        shaken = uniform_filter1d(x, 9, axis=axis)
        assert sharpness(shaken) < 0.6 * sharpness(x)
        assert sharpness(shaken) == pytest.approx(sharpness(shaken.T))


def test_sharpness_does_not_depend_on_range_or_contrast() -> None:
    x = photo("coffee").astype(np.float64)
    assert sharpness(0.2 + 0.1 * x) == pytest.approx(sharpness(x * 255), rel=1e-6)


def test_noise_is_in_units_of_the_range() -> None:
    x = 0.5 + np.random.default_rng(0).normal(0, 0.05, (200, 200))
    assert noise_level(x, data_range=1) == pytest.approx(0.05, rel=0.05)
    assert noise_level(x * 255, data_range=255) == pytest.approx(0.05 * 255, rel=0.05)


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize(
    ("damage", "levels"),
    [
        (lambda x, s: x + np.random.default_rng(0).normal(0, s, x.shape), (0.02, 0.05, 0.1, 0.2)),
        (blurred, (0.7, 1.5, 3)),
        (lambda x, q: compress(x, int(q)), (40, 20, 5)),
    ],
    ids=["noise", "blur", "jpeg"],
)
def test_niqe_grows_with_damage(
    name: str, damage: Callable[[np.ndarray, float], np.ndarray], levels: tuple[float, ...]
) -> None:
    x = (getattr(skimage.data, name)() / 255).astype(np.float32)
    assert rises([niqe(x, data_range=1), *(niqe(damage(x, level), data_range=1) for level in levels)])


def test_the_features_of_niqe_are_those_of_the_paper() -> None:
    """Equations 1-8 for one patch, step by step; fits by a search for the moments' ratio."""
    x = 255 * photo("camera").astype(np.float64)
    offsets = np.arange(-3, 4)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * (7 / 6) ** 2))
    window /= window.sum()
    mean = convolve2d(x, window, "same")
    deviation = np.sqrt(convolve2d(x**2, window, "same") - mean**2)
    normalised = (x - mean) / (deviation + 1)

    def fit(z: np.ndarray) -> tuple[float, float, float, float]:
        left, right = np.mean(z[z < 0] ** 2), np.mean(z[z > 0] ** 2)
        g = np.sqrt(left / right)
        wanted = np.mean(np.abs(z)) ** 2 / np.mean(z**2) * (g**3 + 1) * (g + 1) / (g**2 + 1) ** 2
        alpha = brentq(lambda a: gamma(2 / a) ** 2 / (gamma(1 / a) * gamma(3 / a)) - wanted, 0.2, 10)
        eta = (np.sqrt(right) - np.sqrt(left)) * gamma(2 / alpha) / np.sqrt(gamma(1 / alpha) * gamma(3 / alpha))
        return alpha, eta, left, right

    inner = slice(96, 192)  # the fifth of nine patches
    alpha, _, left, right = fit(normalised[inner, inner])
    expected = [alpha, (left + right) / 2]
    for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
        before = normalised[96 - down : 192 - down, 96 - across : 192 - across]
        expected += fit(normalised[inner, inner] * before)
    features, sharp = patch_features(x, data_range=255)
    np.testing.assert_allclose(features[4, :18], expected, rtol=1e-3, atol=1e-5)
    assert sharp[4] == pytest.approx(deviation[inner, inner].mean())


def test_niqe_does_not_depend_on_the_unit() -> None:
    x = skimage.data.camera()
    assert niqe(x, data_range=255) == pytest.approx(niqe(x / 255.0, data_range=1), abs=1e-4)
    assert niqe(x, data_range=255) < 5


@pytest.mark.parametrize("alpha", [1.0, 2.0])
def test_the_moments_of_known_laws_are_found(alpha: float) -> None:
    rng = np.random.default_rng(0)
    magnitude = rng.gamma(1 / alpha, size=(2, 400_000)) ** (1 / alpha)  # |x| of a generalised Gaussian of scale 1
    sign = np.where(rng.random(magnitude.shape) < 0.5, -1, 1)
    shape, mean, left, right = _asymmetric_gaussian(magnitude * sign)
    variance = gamma(3 / alpha) / gamma(1 / alpha)
    np.testing.assert_allclose(shape, alpha, rtol=0.02)
    np.testing.assert_allclose(mean, 0, atol=0.01)
    np.testing.assert_allclose(left, variance, rtol=0.02)
    np.testing.assert_allclose(right, variance, rtol=0.02)


def test_images_too_small_are_refused() -> None:
    x = np.zeros((11, 191))
    with pytest.raises(ValueError, match="at least 12 pixels"):
        sharpness(x)
    with pytest.raises(ValueError, match="at least 32 pixels"):
        blockiness(x, data_range=1)
    with pytest.raises(ValueError, match="at least 192 pixels"):
        niqe(x, data_range=1)


@pytest.mark.parametrize("metric", [niqe, blockiness, noise_level])
@pytest.mark.parametrize("nonsense", [0, -1, np.nan, np.inf])
def test_a_range_that_is_none_is_refused(metric: Callable[..., float], nonsense: float) -> None:
    with pytest.raises(ValueError, match="data_range must be a finite number above 0"):
        metric(np.random.default_rng(0).random((192, 192)), data_range=nonsense)


@pytest.mark.parametrize("metric", [sharpness, *(partial(m, data_range=1) for m in (niqe, blockiness, noise_level))])
def test_what_is_no_finite_real_number_is_refused(metric: Callable[..., float]) -> None:
    x = np.random.default_rng(0).random((192, 192))
    with pytest.raises(TypeError, match="expected an image of real numbers, got complex128"):
        metric(x * 1j)
    x[5, 5] = np.nan
    with pytest.raises(ValueError, match="the image holds 1 values that are NaN or infinite"):
        metric(x)
