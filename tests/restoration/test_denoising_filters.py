"""Filters with windows: sums and medians done by hand, closed forms, independent libraries."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

import anew
from anew.restoration.denoising.adaptive_median import denoise_adaptive_median
from anew.restoration.denoising.bilateral import denoise_bilateral
from anew.restoration.denoising.custom import denoise_custom
from anew.restoration.denoising.gaussian import denoise_gaussian
from anew.restoration.denoising.guided import denoise_guided
from anew.restoration.denoising.mean import denoise_mean
from anew.restoration.denoising.median import denoise_median
from anew.restoration.denoising.wiener import denoise_wiener

RNG = np.random.default_rng(0)
ANY = RNG.random((23, 31), np.float32)
COLOURS = RNG.random((19, 22, 5), np.float32)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a - b) ** 2)))


def noisy(clean: np.ndarray, sigma: float) -> np.ndarray:
    return (clean + np.random.default_rng(1).normal(0, sigma, clean.shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("method", "gain_15", "gain_50"),
    [
        ("mean", 0.9, 6.5),
        ("gaussian", 2.0, 7.0),
        ("median", 0.8, 6.5),
        ("bilateral", 4.0, 8.0),
        ("guided", 3.5, 7.5),
        ("wiener", 3.0, 7.0),
        ("nlm", 4.5, 8.5),
        ("tv", 4.0, 8.5),
        ("wavelet", 4.0, 8.5),
        ("perona-malik", 4.0, 8.0),
        ("coherence", 1.5, 6.0),
    ],
)
def test_a_noisy_photograph_gains(
    method: str, gain_15: float, gain_50: float, grey_photo: np.ndarray, colour_photo: np.ndarray
) -> None:
    for photo in (grey_photo, colour_photo):
        for grey_levels, least in ((15, gain_15), (50, gain_50)):
            y = noisy(photo, grey_levels / 255)
            gain = psnr(anew.denoise(y, grey_levels / 255, method=method), photo) - psnr(y, photo)
            assert gain > least, (photo.shape, grey_levels)


def test_mean_is_the_sum_over_the_window() -> None:
    result = denoise_mean(ANY, 0.0, size=5)
    for y, x in ((2, 2), (11, 17), (20, 28)):
        assert result[y, x] == pytest.approx(ANY[y - 2 : y + 3, x - 2 : x + 3].mean(dtype=np.float64), abs=1e-6)
    expected = scipy.ndimage.uniform_filter(COLOURS, (4, 4, 1), mode="reflect")
    np.testing.assert_allclose(denoise_mean(COLOURS, 0.0, size=4), expected, atol=1e-6)


def test_gaussian_has_the_impulse_response_of_its_width() -> None:
    impulse = np.zeros((41, 43), np.float32)
    impulse[20, 21] = 1
    response = denoise_gaussian(impulse, 0.0, width=2.5).astype(np.float64)
    assert response.sum() == pytest.approx(1, abs=1e-5)
    y, x = np.mgrid[-20:21, -21:22]
    assert (response * x**2).sum() == pytest.approx(2.5**2, rel=2e-3)
    np.testing.assert_allclose(response, np.exp(-(x**2 + y**2) / 12.5) / (12.5 * np.pi), atol=2e-5)
    expected = scipy.ndimage.gaussian_filter(COLOURS, (1.3, 1.3, 0), mode="reflect", truncate=4)
    np.testing.assert_allclose(denoise_gaussian(COLOURS, 0.0, width=1.3), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (5, 2), (1, 7), (15, 15)])
def test_custom_convolves_or_correlates_as_it_says(shape: tuple[int, int]) -> None:
    kernel = RNG.normal(size=shape).astype(np.float32)
    impulse = np.zeros((33, 35), np.float32)
    impulse[16, 17] = 1
    a, b = shape[0] // 2, shape[1] // 2
    spread = denoise_custom(impulse, 0.1, kernel=kernel)
    np.testing.assert_allclose(spread[16 - a : 16 - a + shape[0], 17 - b : 17 - b + shape[1]], kernel, atol=1e-6)
    convolved, correlated = (denoise_custom(ANY, 0.0, kernel=kernel, correlate=flag) for flag in (False, True))
    y, x = 11, 15
    window = ANY[y - a : y - a + shape[0], x - b : x - b + shape[1]]
    assert correlated[y, x] == pytest.approx((kernel * window).sum(), abs=1e-5)
    i, j = np.indices(shape)
    assert convolved[y, x] == pytest.approx((kernel * ANY[y - i + a, x - j + b]).sum(), abs=1e-5)


def test_custom_refuses_what_is_no_kernel() -> None:
    for kernel in (np.ones(3), np.ones((0, 3)), np.full((3, 3), np.nan)):
        with pytest.raises(ValueError, match="kernel"):
            denoise_custom(ANY, 0.1, kernel=kernel)


@pytest.mark.parametrize("size", [1, 3, 5, 7, 11])
def test_median_of_any_odd_window_is_exact(size: int) -> None:
    expected = scipy.ndimage.median_filter(COLOURS, (size, size, 1), mode="nearest")
    np.testing.assert_array_equal(denoise_median(COLOURS, 0.0, size=size), expected)
    np.testing.assert_array_equal(denoise_median(ANY[:1, :2], 0.0, size=size).shape, (1, 2))


def test_median_of_a_known_array() -> None:
    x = np.array([[9, 1, 8], [2, 7, 3], [6, 4, 5]], np.float32)
    assert denoise_median(x, 0.0, size=3)[1, 1] == 5
    step = np.repeat(np.array([[0, 0, 0, 1, 1, 1]], np.float32), 5, axis=0)
    np.testing.assert_array_equal(denoise_median(step, 0.0, size=5), step)


@pytest.mark.parametrize(("share", "least"), [(0.05, 33.0), (0.3, 26.0), (0.6, 22.0)])
def test_adaptive_median_mends_impulses_and_nothing_else(grey_photo: np.ndarray, share: float, least: float) -> None:
    rng = np.random.default_rng(3)
    hit = rng.random(grey_photo.shape) < share
    damaged = np.where(hit, rng.integers(0, 2, grey_photo.shape), grey_photo).astype(np.float32)
    result = denoise_adaptive_median(damaged, 0.02)
    changed = result != damaged
    assert (changed & ~hit).sum() < 0.02 * hit.size
    assert changed[hit & (np.abs(damaged - grey_photo) > 0.2)].mean() > 0.97
    assert psnr(result, grey_photo) > least
    assert psnr(result, grey_photo) > psnr(denoise_median(damaged, 0.0, size=3), grey_photo)


def test_adaptive_median_at_threshold_zero_is_the_published_filter() -> None:
    x = np.float32([[5, 5, 5, 5, 5], [5, 4, 6, 4, 5], [5, 6, 9, 6, 5], [5, 4, 6, 4, 5], [5, 5, 5, 5, 5]]) / 10
    result = denoise_adaptive_median(x, 0.0, threshold=0.0, max_size=3)
    assert result[2, 2] == np.float32(0.6)  # an extreme becomes the median of 4 4 4 4 6 6 6 6 9
    np.testing.assert_array_equal(denoise_adaptive_median(x, 0.0, threshold=0.5), x)


def test_guided_without_regularisation_is_the_identity(colour_photo: np.ndarray) -> None:
    crop = colour_photo[:40, :50]
    np.testing.assert_allclose(denoise_guided(crop[..., 0], 0.1, eps=1e-9), crop[..., 0], atol=2e-3)
    np.testing.assert_allclose(denoise_guided(ANY, 0.1, eps=1e-9), ANY, atol=1e-5)
    np.testing.assert_array_equal(denoise_guided(crop, 0.1, eps=0.0), crop)
    # a guide that carries no structure leaves the box mean of the box mean
    flat = np.full(ANY.shape, 0.3, np.float32)
    twice = denoise_mean(denoise_mean(ANY, 0, size=5), 0, size=5)
    np.testing.assert_allclose(denoise_guided(ANY, 0.1, size=5, guide=flat), twice, atol=1e-5)


def test_guided_equals_least_squares_in_one_window() -> None:
    p, guide = RNG.random((3, 3), np.float32), RNG.random((3, 3, 2), np.float32)
    eps = 0.01
    # all windows of this mirrored picture that touch the centre are written out and solved one by one
    pp, gg = (np.pad(a, [(2, 2), (2, 2), *[(0, 0)] * (a.ndim - 2)], mode="symmetric").astype(float) for a in (p, guide))
    values = []
    for y in range(2, 5):
        for x in range(2, 5):
            window = np.s_[y - 1 : y + 2, x - 1 : x + 2]
            target, design = pp[window].ravel(), gg[window].reshape(9, 2)
            spread = design - design.mean(axis=0)
            a = np.linalg.solve(spread.T @ spread / 9 + eps * np.eye(2), spread.T @ (target - target.mean()) / 9)
            values.append(a @ (gg[3, 3] - design.mean(axis=0)) + target.mean())
    result = denoise_guided(p, 0.1, size=3, eps=eps, guide=guide)
    assert result[1, 1] == pytest.approx(np.mean(values), abs=1e-5)


def test_guided_takes_channels_that_depend_on_each_other(grey_photo: np.ndarray) -> None:
    crop = grey_photo[:60, :70]
    tinted = crop[:, :, None] * np.float32([1, 0.37, 0.71])  # its covariances are singular but for eps
    np.testing.assert_allclose(denoise_guided(tinted, 1e-6), tinted, atol=1e-5)
    led = denoise_guided(noisy(crop, 0.1), 0.1, size=5, eps=1e-9, guide=tinted)
    by_one = denoise_guided(noisy(crop, 0.1), 0.1, size=5, eps=1e-9, guide=tinted[:, :, 0])
    np.testing.assert_allclose(led, by_one, atol=1e-3)


def test_guided_holds_little_more_than_the_picture() -> None:
    image = np.random.default_rng(0).random((700, 600, 3), np.float32)
    denoise_guided(image[:16, :16], 0.1)  # what the first call keeps
    tracemalloc.start()
    denoise_guided(image, 0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * image.nbytes


def test_guide_carries_its_edges_over(grey_photo: np.ndarray) -> None:
    y = noisy(grey_photo, 0.1)
    alone, led = denoise_guided(y, 0.1), denoise_guided(y, 0.1, size=5, eps=1e-3, guide=grey_photo)
    assert psnr(led, grey_photo) > psnr(alone, grey_photo) + 2
    with pytest.raises(ValueError, match="guide of shape"):
        denoise_guided(y, 0.1, guide=grey_photo[:5])


def test_wiener_equals_scipy_inside() -> None:
    expected = scipy.signal.wiener(ANY.astype(float), 5, noise=0.05)
    np.testing.assert_allclose(denoise_wiener(ANY, 0.05**0.5, size=5)[2:-2, 2:-2], expected[2:-2, 2:-2], atol=1e-5)


def test_bilateral_equals_the_sum_by_hand_and_keeps_a_step() -> None:
    width, value_range, radius = 1.5, 0.2, 3
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    window = ANY[11 - radius : 12 + radius, 15 - radius : 16 + radius].astype(float)
    weight = np.exp(-(x**2 + y**2) / (2 * width**2) - (window - ANY[11, 15]) ** 2 / (2 * value_range**2))
    weight[x**2 + y**2 > radius**2] = 0  # OpenCV's window is a disc
    result = denoise_bilateral(ANY, 0.1, width=width, value_range=value_range, size=7)
    assert result[11, 15] == pytest.approx((weight * window).sum() / weight.sum(), abs=1e-4)
    step = np.repeat(np.float32([[0.1] * 10 + [0.9] * 10]), 12, axis=0)
    np.testing.assert_allclose(denoise_bilateral(step, 0.05), step, atol=1e-3)


@pytest.mark.parametrize("name", ["median", "wiener", "guided", "bilateral", "adaptive-median", "nlm"])
def test_depth_beyond_8_bits_survives(name: str) -> None:
    ramp = np.tile(np.linspace(0.5, 0.5 + 20 / 255, 512, dtype=np.float32), (16, 1))
    result = anew.denoise(ramp, 1 / 255, method=name)
    assert len(np.unique(np.rint(result * 65535))) > 400
    np.testing.assert_allclose(result[:, 20:-20], ramp[:, 20:-20], atol=1e-3)


@pytest.mark.parametrize(
    "name", ["mean", "gaussian", "median", "bilateral", "guided", "wiener", "nlm", "tv", "wavelet"]
)
def test_values_outside_the_range_are_kept(name: str) -> None:
    flat = np.full((20, 24, 3), (-2.5, 0.5, 7.0), np.float32)
    np.testing.assert_allclose(anew.denoise(flat, 0.1, method=name), flat, atol=1e-4)


def test_noise_far_beyond_the_range_asks_for_no_giant_window() -> None:
    huge = np.random.default_rng(0).random((6, 6, 3), np.float32) * np.float32(1e6)
    assert np.std(denoise_bilateral(huge, 3e5)) < 0.5 * np.std(huge)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["gaussian", "perona-malik", "coherence"])
def test_counts_take_no_longer_to_denoise_than_shares_of_one(name: str) -> None:
    counts = np.random.default_rng(0).random((64, 64), np.float32) * np.float32(65535)
    result = anew.denoise(counts, method=name)
    assert 0.02 * np.std(counts) < np.std(result) < 0.9 * np.std(counts)


def test_wrong_sizes_are_refused() -> None:
    for call in (
        lambda: denoise_mean(ANY, 0.1, size=0),
        lambda: denoise_median(ANY, 0.1, size=4),
        lambda: denoise_wiener(ANY, 0.1, size=2),
        lambda: denoise_guided(ANY, 0.1, size=4),
        lambda: denoise_bilateral(ANY, 0.1, size=4),
        lambda: denoise_gaussian(ANY, 0.1, width=-1.0),
        lambda: denoise_adaptive_median(ANY, 0.1, max_size=4),
    ):
        with pytest.raises(ValueError, match=r"(size|width) should be (odd|greater than or equal to [013])"):
            call()


def test_opencv_median_of_small_windows_is_that_of_the_partition() -> None:
    from anew.restoration.denoising.median import _median_of_windows

    np.testing.assert_array_equal(_median_of_windows(ANY, 5), cv2.medianBlur(ANY, 5))


def test_a_guided_filter_of_a_large_picture_has_no_seams() -> None:
    large = np.random.default_rng(0).random((1100, 1000, 3), np.float32)
    part = np.s_[700:840, 700:840]  # across the corner of four tiles
    inside = np.s_[8:-8, 8:-8]
    whole = denoise_guided(large, 0.1)[part]
    np.testing.assert_allclose(whole[inside], denoise_guided(large[part], 0.1)[inside], atol=1e-5)
