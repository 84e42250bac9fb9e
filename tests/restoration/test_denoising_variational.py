"""Total variation, wavelets, diffusion and non-local means against closed forms and independent libraries."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
import scipy.ndimage
import skimage.restoration

from anew.restoration.denoising.coherence import denoise_coherence
from anew.restoration.denoising.nlm import denoise_nlm
from anew.restoration.denoising.perona_malik import denoise_perona_malik
from anew.restoration.denoising.tv import denoise_tv
from anew.restoration.denoising.wavelet import OPPONENT, denoise_wavelet

ANY = np.random.default_rng(0).random((27, 38), np.float32)


def total_variation(u: np.ndarray) -> float:
    y, x = np.diff(u, axis=0, append=u[-1:]), np.diff(u, axis=1, append=u[:, -1:])
    return float(np.sqrt((x**2 + y**2).reshape(*u.shape[:2], -1).sum(axis=2)).sum())


def test_tv_of_a_step_is_the_closed_form() -> None:
    # each side of a step moves towards the other by weight / its width
    step = np.repeat(np.float32([[0.2] * 8 + [0.9] * 12]), 9, axis=0)
    result = denoise_tv(step, 0.0, weight=0.4, n_iter=800)
    expected = np.repeat(np.float32([[0.2 + 0.4 / 8] * 8 + [0.9 - 0.4 / 12] * 12]), 9, axis=0)
    np.testing.assert_allclose(result, expected, atol=1e-4)
    colour = np.stack([step, step], axis=2)  # two channels share |grad u|: each gets 1 / sqrt(2) of the pull
    expected = np.repeat(np.float32([[0.2 + 0.4 / 8 / 2**0.5] * 8 + [0.9 - 0.4 / 12 / 2**0.5] * 12]), 9, axis=0)
    np.testing.assert_allclose(denoise_tv(colour, 0.0, weight=0.4, n_iter=800)[..., 1], expected, atol=1e-4)


def test_tv_reaches_the_minimum_that_another_solver_reaches() -> None:
    ours = denoise_tv(ANY, 0.0, weight=0.2, n_iter=400)
    theirs = skimage.restoration.denoise_tv_chambolle(ANY.astype(float), weight=0.2, eps=1e-9, max_num_iter=3000)

    def objective(u: np.ndarray) -> float:
        return total_variation(u) + float(((u - ANY) ** 2).sum()) / 0.4

    assert objective(ours.astype(float)) < objective(theirs) * (1 + 1e-4)
    np.testing.assert_allclose(ours, theirs, atol=5e-3)
    assert ours.mean(dtype=float) == pytest.approx(ANY.mean(dtype=float), abs=1e-6)
    np.testing.assert_allclose(denoise_tv(ANY, 0.0, weight=100, n_iter=2000), ANY.mean(), atol=5e-3)


@pytest.mark.parametrize("weight", [1e-45, 1e-30, 1e-20, 1e-12, 1e-9])
def test_tv_of_next_to_no_weight_changes_next_to_nothing(weight: float) -> None:
    for scale in (1, 1e6):
        image = np.float32(scale) * ANY
        np.testing.assert_allclose(denoise_tv(image, 0.1, weight=weight), image, rtol=1e-6, atol=1e-7)


def test_wavelet_is_the_average_over_all_shifts() -> None:
    # with a threshold far above everything only the coarsest averages stay, for Haar the mean of the 2^J x 2^J means
    sigma = 50.0
    result = denoise_wavelet(np.tile(ANY[:16, :16], (3, 3)), sigma, wavelet="haar", levels=2)
    tile = ANY[:16, :16].astype(float)
    kernel = np.convolve(np.ones(4), np.ones(4)) / 16
    expected = scipy.ndimage.convolve1d(scipy.ndimage.convolve1d(tile, kernel, 0, mode="wrap"), kernel, 1, mode="wrap")
    np.testing.assert_allclose(result[16:32, 16:32], expected, atol=1e-5)


def test_wavelet_thresholds_are_those_of_the_paper() -> None:
    # one level, Haar, one subband at a time: the transform of a periodic image, thresholded by hand, every shift
    sigma = 0.2
    x = np.tile(ANY[:16, :16].astype(np.float64), (2, 2))
    parts = pywt.swt2(x, "haar", level=1, norm=True, trim_approx=True)
    margin = np.pad(x, 2, mode="symmetric")
    assert parts[0].shape == x.shape
    assert margin.shape == (36, 36)
    low, details = pywt.swt2(margin, "haar", level=1, norm=True, trim_approx=True)
    noise = sigma**2 / 4  # norm=True keeps the energy over 4 shifts
    shrunk = []
    for d in details:
        signal = np.sqrt(max(np.mean(d**2) - noise, 0))
        t = noise / signal if signal > 0 else np.inf
        shrunk.append(np.sign(d) * np.maximum(np.abs(d) - t, 0))
    expected = pywt.iswt2([low, tuple(shrunk)], "haar", norm=True)[2:-2, 2:-2]
    np.testing.assert_allclose(
        denoise_wavelet(x.astype(np.float32), sigma, wavelet="haar", levels=1), expected, atol=1e-5
    )


def test_opponent_colours_are_orthonormal_and_noise_stays_white() -> None:
    np.testing.assert_allclose(OPPONENT @ OPPONENT.T, np.eye(3), atol=1e-6)


@pytest.mark.parametrize("conductance", ["exponential", "rational"])
def test_perona_malik_keeps_the_mean_and_the_extremes(conductance: str) -> None:
    colour = np.random.default_rng(1).random((21, 26, 3), np.float32)
    result = denoise_perona_malik(colour, 0.1, conductance=conductance, time=5.0)
    np.testing.assert_allclose(result.mean(axis=(0, 1), dtype=float), colour.mean(axis=(0, 1), dtype=float), atol=1e-6)
    assert colour.min() <= result.min() <= result.max() <= colour.max()


def test_perona_malik_with_huge_contrast_is_the_heat_equation() -> None:
    x = np.mgrid[:32, :40][1]
    wave = (0.5 + 0.1 * np.cos(np.pi * 2 * (x + 0.5) / 40)).astype(
        np.float32
    )  # an eigenvector of the mirrored Laplacian
    result = denoise_perona_malik(wave, 0.1, contrast=1e3, time=4.0)
    decay = (1 - 0.2 * (2 - 2 * np.cos(np.pi * 2 / 40))) ** 20
    np.testing.assert_allclose(result - 0.5, (wave - 0.5) * decay, atol=1e-5)
    impulse = np.zeros((41, 41), np.float32)
    impulse[20, 20] = 1
    spread = denoise_perona_malik(impulse, 0.1, contrast=1e3, time=6.0).astype(float)
    assert (spread * (np.mgrid[:41, :41][1] - 20) ** 2).sum() == pytest.approx(2 * 6.0, rel=1e-3)


def test_perona_malik_stops_at_a_step() -> None:
    step = np.repeat(np.float32([[0.1] * 10 + [0.9] * 10]), 12, axis=0)
    np.testing.assert_allclose(denoise_perona_malik(step, 0.05, conductance="exponential", time=5.0), step, atol=1e-6)


@pytest.mark.parametrize("shape", [(25, 31), (1, 9), (6, 1), (2, 3), (12, 17, 3)])
def test_coherence_keeps_the_mean(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(2).random(shape, np.float32)
    result = denoise_coherence(image, 0.1, time=5.0)
    np.testing.assert_allclose(result.mean(axis=(0, 1), dtype=float), image.mean(axis=(0, 1), dtype=float), atol=1e-6)


def test_coherence_does_not_care_about_right_angles() -> None:
    result = denoise_coherence(ANY, 0.1, time=3.0)
    np.testing.assert_allclose(denoise_coherence(np.rot90(ANY).copy(), 0.1, time=3.0), np.rot90(result), atol=1e-4)
    np.testing.assert_allclose(denoise_coherence(ANY.T.copy(), 0.1, time=3.0), result.T, atol=1e-4)


def test_coherence_of_a_picture_of_ten_times_the_contrast_is_ten_times_as_large() -> None:
    """The paper's C is compared with a squared gap of eigenvalues, which are squares of gradients."""
    result = denoise_coherence(ANY, 1.0, time=2.0)
    np.testing.assert_allclose(denoise_coherence(10 * ANY, 10.0, time=2.0), 10 * result, rtol=1e-4)


def test_coherence_smooths_along_stripes_of_any_direction_and_not_across() -> None:
    y, x = np.mgrid[:96, :96]
    for degrees in (0, 20, 45, 77):
        across = np.cos(np.radians(degrees)) * x + np.sin(np.radians(degrees)) * y
        clean = 0.5 + 0.3 * np.sin(2 * np.pi * across / 8)
        noisy = (clean + np.random.default_rng(3).normal(0, 0.15, clean.shape)).astype(np.float32)
        inside = np.s_[12:-12, 12:-12]
        result = denoise_coherence(noisy, 0.15, time=8.0, integration_width=3.0, isotropic=0.03)
        assert np.std((result - clean)[inside]) < 0.5 * 0.15, degrees
        contrast = np.sum(result[inside] * (clean[inside] - 0.5)) / np.sum((clean[inside] - 0.5) ** 2)
        assert contrast > 0.85, degrees


def test_nlm_is_the_weighted_mean_over_the_search_window() -> None:
    sigma, h, y, x = 0.05, 0.1, 13, 18
    result = denoise_nlm(ANY, sigma, patch=3, search=7, h=h)
    here = ANY[y - 1 : y + 2, x - 1 : x + 2].astype(float)
    total = weights = 0.0
    for dy in range(-3, 4):
        for dx in range(-3, 4):
            there = ANY[y + dy - 1 : y + dy + 2, x + dx - 1 : x + dx + 2]
            t = max(np.mean((here - there) ** 2) - 2 * sigma**2, 0) / h**2
            w = max(1 - t / 64, 0) ** 64
            total, weights = total + w * ANY[y + dy, x + dx], weights + w
    assert result[y, x] == pytest.approx(total / weights, abs=1e-5)


def test_nlm_agrees_with_an_independent_implementation(grey_photo: np.ndarray) -> None:
    y = (grey_photo + np.random.default_rng(4).normal(0, 0.08, grey_photo.shape)).astype(np.float32)
    theirs = skimage.restoration.denoise_nl_means(y, patch_size=5, patch_distance=5, h=0.06, sigma=0.08, fast_mode=True)
    ours = denoise_nlm(y, 0.08, patch=5, search=11, h=0.06)
    assert np.sqrt(np.mean((ours - y) ** 2)) > 0.05
    assert np.sqrt(np.mean((ours - theirs)[8:-8, 8:-8] ** 2)) < 0.02  # its fast mode sums patches of 4 x 4


def test_nlm_is_the_same_in_strips_and_for_each_turn() -> None:
    image = np.random.default_rng(5).random((61, 40, 2), np.float32)
    result = denoise_nlm(image, 0.2)
    np.testing.assert_allclose(denoise_nlm(np.rot90(image).copy(), 0.2), np.rot90(result), atol=1e-5)


def test_wrong_options_are_refused() -> None:
    for call in (
        lambda: denoise_tv(ANY, 0.1, n_iter=0),
        lambda: denoise_tv(ANY, 0.1, weight=-1.0),
        lambda: denoise_wavelet(ANY, 0.1, wavelet="nonsense"),
        lambda: denoise_wavelet(ANY, 0.1, levels=0),
        lambda: denoise_perona_malik(ANY, 0.1, conductance="other"),
        lambda: denoise_perona_malik(ANY, 0.1, time=-1.0),
        lambda: denoise_nlm(ANY, 0.1, patch=4),
        lambda: denoise_nlm(ANY, 0.1, h=0.0),
    ):
        with pytest.raises(ValueError, match=r"(n_iter|weight|wavelet|levels|conductance|time|patch|h) \w+ be"):
            call()
