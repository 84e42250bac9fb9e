"""Full-reference metrics: known values first, then independent implementations."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from anew.metrics.error import mae, mse, psnr
from anew.metrics.gradient import edge_preservation, gmsd
from anew.metrics.structural import ms_ssim, ssim


@pytest.fixture(scope="module")
def camera() -> np.ndarray:
    return skimage.data.camera()[100:420, 100:420] / 255.0


def noisy(x: np.ndarray, seed: int, sigma: float) -> np.ndarray:
    return np.clip(x + np.random.RandomState(seed).normal(0, sigma, x.shape), 0, 1)


def test_errors_of_a_constant_shift_are_closed_form() -> None:
    x = np.full((5, 7, 3), 100, np.uint8)
    y = x + 10
    assert mse(x, y) == 100
    assert mae(y, x) == 10
    assert psnr(x, y, data_range=255) == pytest.approx(20 * np.log10(25.5))
    assert psnr(x, x, data_range=255) == np.inf
    for nonsense in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="data_range must be a finite number above 0"):
            psnr(x, y, data_range=nonsense)


def test_a_border_is_left_out() -> None:
    x, y = np.zeros((6, 6)), np.zeros((6, 6))
    y[0, 0] = 1
    assert psnr(x, y, data_range=1) < np.inf
    assert psnr(x, y, data_range=1, border=1) == np.inf
    with pytest.raises(ValueError, match="leaves nothing"):
        psnr(x, y, data_range=1, border=3)


def test_ssim_equals_scikit_image(camera: np.ndarray) -> None:
    colour = skimage.data.astronaut()[:101, :90] / 255.0
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}
    for x, axis in ((camera, None), (colour, 2)):
        y = noisy(x, 0, 0.1)
        expected = structural_similarity(y, x, channel_axis=axis, **settings)
        assert ssim(y, x, data_range=1) == pytest.approx(expected, abs=1e-6)


def test_ssim_of_constants_is_closed_form() -> None:
    x, y = np.full((12, 12), 0.2), np.full((12, 12), 0.6)
    c1 = 0.01**2
    assert ssim(x, y, data_range=1) == pytest.approx((2 * 0.2 * 0.6 + c1) / (0.2**2 + 0.6**2 + c1))


# Golden numbers of piq 0.8.0 in float64 on these images:
#   piq.gmsd(z, c, data_range=1.0), piq.multi_scale_ssim(z, c, data_range=1.0)
GOLDEN = {
    "noise": {"gmsd": 0.09349154453971296, "ms_ssim": 0.9141768258757941},
    "blur": {"gmsd": 0.08855059152036479, "ms_ssim": 0.9498717995527634},
}


@pytest.mark.parametrize("kind", ["noise", "blur"])
def test_gmsd_and_ms_ssim_equal_an_independent_implementation(kind: str, camera: np.ndarray) -> None:
    z = noisy(camera, 0, 0.05) if kind == "noise" else gaussian_filter(camera, 1.5)
    assert gmsd(z, camera, data_range=1) == pytest.approx(GOLDEN[kind]["gmsd"], abs=1e-6)
    assert ms_ssim(z, camera, data_range=1) == pytest.approx(GOLDEN[kind]["ms_ssim"], abs=1e-6)


def test_ms_ssim_of_colour_is_the_mean_over_channels() -> None:
    x = skimage.data.astronaut() / 255.0
    assert ms_ssim(noisy(x, 1, 0.1), x, data_range=1) == pytest.approx(0.8364465091879404, abs=1e-6)


@pytest.mark.parametrize("metric", [ssim, ms_ssim])
def test_structure_is_compared_in_little_memory(metric: Callable[..., float]) -> None:
    x = np.random.default_rng(0).random((1000, 800, 3))
    metric(x, x, data_range=1)
    tracemalloc.start()
    metric(x, 1 - x, data_range=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * x.nbytes  # of which one is 1 - x


def test_scale_of_the_values_does_not_matter(camera: np.ndarray) -> None:
    y = noisy(camera, 0, 0.1)
    for metric in (ssim, ms_ssim, gmsd):
        assert metric(y * 255, camera * 255, data_range=255) == pytest.approx(metric(y, camera, data_range=1))


def test_edge_preservation_orders_and_bounds(camera: np.ndarray) -> None:
    assert edge_preservation(camera, camera) == pytest.approx(1)
    assert edge_preservation(-camera, camera) == pytest.approx(-1)
    slight, strong = (edge_preservation(gaussian_filter(camera, s), camera) for s in (0.5, 2))
    assert 1 > slight > strong > 0
    assert edge_preservation(np.ones((5, 5)), np.ones((5, 5))) == 1
    for dtype in (np.float32, np.float64):
        ramp = np.tile(np.linspace(0, 1, 64, dtype=dtype), (64, 1))
        assert edge_preservation(ramp, ramp + dtype(0.1)) == 1
        assert edge_preservation(ramp, ramp.T) == 1
        assert edge_preservation(np.round(ramp * 65535), np.round(ramp.T * 65535)) < 0.1


@pytest.mark.parametrize("metric", [ssim, gmsd, ms_ssim, psnr])
def test_images_of_different_shapes_are_refused(metric) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="same shape"):
        metric(np.zeros((9, 9)), np.zeros((9, 8)), data_range=1)


def test_images_too_small_are_refused() -> None:
    x = np.zeros((10, 40))
    with pytest.raises(ValueError, match="at least 11 pixels"):
        ssim(x, x, data_range=1)
    with pytest.raises(ValueError, match="at least 176 pixels"):
        ms_ssim(x, x, data_range=1)


@pytest.mark.parametrize("metric", [ssim, ms_ssim, gmsd])
@pytest.mark.parametrize("nonsense", [0, -1, np.nan, np.inf])
def test_a_range_that_is_none_is_refused(metric: Callable[..., float], nonsense: float) -> None:
    x = np.random.default_rng(0).random((176, 176))
    with pytest.raises(ValueError, match="data_range must be a finite number above 0"):
        metric(x, x, data_range=nonsense)


@pytest.mark.parametrize(
    "metric", [mse, mae, edge_preservation, partial(psnr, data_range=1), partial(ssim, data_range=1)]
)
def test_what_is_no_finite_real_number_is_refused(metric: Callable[..., float]) -> None:
    x = np.random.default_rng(0).random((12, 12))
    y = x.copy()
    y[2, 3], y[4, 5] = np.nan, np.inf
    for pair, name in (((x, y), "reference"), ((y, x), "image")):
        with pytest.raises(ValueError, match=f"the {name} holds 2 values that are NaN or infinite"):
            metric(*pair)
    for wrong in (x * 1j, x.astype(str), x.astype("datetime64[s]")):
        with pytest.raises(TypeError, match="expected an image of real numbers, got"):
            metric(wrong, wrong)


def test_gmsd_needs_a_map_of_several_pixels() -> None:
    x = np.random.default_rng(0).random((3, 3))
    assert gmsd(x, 1 - x**2, data_range=1) > 0
    for side in (1, 2):
        with pytest.raises(ValueError, match=f"GMSD needs at least 3 pixels a side, got 3 x {side}"):
            gmsd(x[:, :side], x[:, :side], data_range=1)


@pytest.mark.parametrize("border", [1.5, -1])
def test_a_border_that_is_no_count_is_refused(border: float) -> None:
    with pytest.raises(ValueError, match="border must be an integer >= 0, got"):
        psnr(np.zeros((9, 9)), np.ones((9, 9)), data_range=1, border=border)
