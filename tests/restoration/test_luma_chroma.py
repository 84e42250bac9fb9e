"""Noise that the channels share: how it is told, removed, and how its removal is judged."""

from __future__ import annotations

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy.ndimage import gaussian_filter

import anew
from anew.diagnosis.noise import shares_channels
from anew.restoration.checks import monte_carlo_sure
from anew.restoration.denoising.luma_chroma import _without_fine_noise, denoise_luma_chroma, measure_chroma_sigma
from anew.restoration.plan import Plan, Step
from anew.restoration.replay import replay
from anew.ycbcr import change_at_half_size, halved, join_luma, split_luma


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    return (skimage.data.chelsea()[:200, 60:300] / 255.0).astype(np.float32)


def noisy(clean: np.ndarray, sigma: float, *, shared: bool = False) -> np.ndarray:
    shape = (*clean.shape[:2], 1) if shared else clean.shape
    return (clean + np.random.default_rng(0).normal(0, sigma, shape)).clip(0, 1).astype(np.float32)


def jpeg(image: np.ndarray, quality: int, subsampling: str) -> bytes:
    buffer = io.BytesIO()
    levels = Image.fromarray((image * 255).round().astype(np.uint8))
    levels.save(buffer, "jpeg", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


def psnr(x: np.ndarray, clean: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((x.clip(0, 1).astype(np.float64) - clean) ** 2)))


def test_luma_and_chroma_go_there_and_back(clean: np.ndarray) -> None:
    y, cb, cr = split_luma(clean)
    code = np.asarray(Image.fromarray((clean * 255).round().astype(np.uint8)).convert("YCbCr"))
    for ours, theirs, middle in ((y, code[:, :, 0], 0), (cb, code[:, :, 1], 128), (cr, code[:, :, 2], 128)):
        assert np.abs(255 * ours + middle - theirs).max() < 1.01
    np.testing.assert_allclose(join_luma(y, cb, cr), clean, atol=1e-6)
    red, blue = np.eye(3, dtype=np.float32)[[0, 2]].reshape(2, 1, 1, 3)
    assert split_luma(red)[2].item() == pytest.approx(0.5, abs=1e-6)  # as full a red as there is has Cr 1 / 2, in JFIF
    assert split_luma(blue)[1].item() == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (7, 4), (6, 9)])
def test_a_change_at_half_size_is_added_and_the_rest_stays(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).random(shape, np.float32)
    np.testing.assert_array_equal(change_at_half_size(plane, lambda half: half), plane)
    np.testing.assert_allclose(change_at_half_size(plane, lambda half: half + 1), plane + 1, rtol=1e-6)
    assert halved(plane).shape == tuple(-(-side // 2) for side in shape)


def test_half_size_is_the_mean_of_four_and_what_is_left_over_at_the_end_counts_twice() -> None:
    plane = np.array([[0, 2, 4], [2, 4, 8], [10, 12, 20]], np.float32)
    np.testing.assert_array_equal(halved(plane), [[2, 6], [11, 20]])


def test_a_change_at_half_size_is_enlarged_linearly_about_the_middles_of_pixels() -> None:
    spot = np.zeros((3, 4), np.float32)
    spot[1, 1] = 16
    expected = np.zeros((5, 7))
    expected[1:5, 1:5] = np.outer([1, 3, 3, 1], [1, 3, 3, 1])  # a quarter and three quarters of the way between two
    np.testing.assert_allclose(change_at_half_size(np.zeros((5, 7), np.float32), lambda half: half + spot), expected)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: np.full_like(x, 0.5), False),
        (lambda x: np.random.default_rng(1).poisson(x / 0.015).astype(np.float32) * np.float32(0.015), False),
        (lambda x: noisy(x, 0.08), False),
        (lambda x: noisy(x, 0.08, shared=True), True),
        (lambda x: anew.read(jpeg(noisy(x, 0.08), 95, "4:2:0")).pixels, True),
        (lambda x: anew.read(jpeg(noisy(x, 0.08), 98, "4:4:4")).pixels, False),
        (lambda x: noisy(x, 0.08)[:, :, 0], False),
    ],
    ids=["flat", "photons", "independent", "shared", "halved chroma", "whole chroma", "grey"],
)
def test_shared_noise_is_told_from_independent(make, expected: bool, clean: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    assert shares_channels(make(clean)) is expected


def test_apart_is_better_where_chroma_was_halved(clean: np.ndarray) -> None:
    given = anew.read(jpeg(noisy(clean, 0.08), 95, "4:2:0")).pixels
    together, apart = anew.denoise(given, method="unet"), anew.denoise(given, method="luma-chroma")
    assert psnr(apart, clean) > psnr(together, clean) + 1.5
    chosen = anew.denoise(given)
    assert np.array_equal(chosen, anew.denoise(given, method="camera"))
    assert psnr(chosen, clean) > psnr(apart, clean) + 0.3


def test_the_risk_of_shared_noise_is_the_true_error(clean: np.ndarray) -> None:
    given = noisy(0.5 + 0.2 * clean, 0.1, shared=True)

    def grey_blur(x: np.ndarray) -> np.ndarray:
        return gaussian_filter(x, (1.0, 1.0, 0)).mean(axis=2, keepdims=True).repeat(3, axis=2)

    true = float(np.mean((grey_blur(given) - (0.5 + 0.2 * clean)) ** 2))
    assert monte_carlo_sure(given, grey_blur, 0.1, shared=True) == pytest.approx(true, rel=0.1)
    assert monte_carlo_sure(given, grey_blur, 0.1) < 0.8 * true  # taken for independent, it would seem to be gone


@pytest.mark.parametrize("quality", [95, 90])
def test_what_is_promised_for_such_a_file_is_what_comes(quality: int, clean: np.ndarray) -> None:
    picture = anew.read(jpeg(noisy(clean, 0.08), quality, "4:2:0"))
    restored = anew.restore(picture)
    (step,) = restored.steps
    assert step.kept
    assert step.method == "camera"
    assert "sigma" not in step.parameters  # it judges by the pixels, and so does a replay
    assert np.array_equal(replay(picture, restored.recipe or "").pixels, restored.picture.pixels)
    gain = psnr(restored.picture.pixels, clean) - psnr(picture.pixels, clean)
    assert gain > 5
    assert step.check["predicted_gain_db"] == pytest.approx(gain, abs=2)


def test_the_noise_of_colour_is_measured_once_and_kept(clean: np.ndarray) -> None:
    picture = anew.read(jpeg(noisy(clean, 0.08), 95, "4:2:0"))
    plan = Plan(steps=(Step(kind="noise", task="denoise", method="luma-chroma", parameters={"sigma": 0.06}),))
    restored = anew.restore(picture, plan=plan)
    level = measure_chroma_sigma(picture.pixels)
    assert 0.02 < level < 0.05  # 0.08 a channel, halved: 0.04
    assert restored.steps[0].parameters["chroma_sigma"] == level
    assert np.array_equal(replay(picture, restored.recipe or "").pixels, restored.picture.pixels)
    told = anew.denoise(picture.pixels, 0.06, method="luma-chroma", chroma_sigma=level)
    assert np.array_equal(told, anew.denoise(picture.pixels, 0.06, method="luma-chroma"))


def test_the_denoiser_of_the_planes_can_be_chosen(clean: np.ndarray) -> None:
    given = noisy(clean, 0.08, shared=True)
    by_bm3d = denoise_luma_chroma(given, 0.08, denoiser="bm3d")
    assert psnr(by_bm3d, clean) > psnr(given, clean) + 5
    with pytest.raises(ValueError, match="denoiser must be another method"):
        denoise_luma_chroma(given, 0.08, denoiser="luma-chroma")


@pytest.mark.parametrize("file", [False, True], ids=["independent", "whole chroma"])
def test_noise_that_is_fine_in_colour_too_goes(clean: np.ndarray, *, file: bool) -> None:
    damaged = noisy(clean, 0.08)
    if file:
        damaged = anew.read(jpeg(damaged, 90, "4:4:4")).pixels
    result = denoise_luma_chroma(damaged, 0.055, denoiser="bm3d")
    assert psnr(result, clean) > psnr(damaged, clean) + 7
    for found, true, given in list(zip(split_luma(result), split_luma(clean), split_luma(damaged), strict=True))[1:]:
        assert np.std(found - true) < 0.4 * np.std(given - true)


def test_fine_colour_is_left_alone_where_colour_was_at_half_size(clean: np.ndarray) -> None:
    damaged = anew.read(jpeg(noisy(clean, 0.08), 90, "4:2:0")).pixels
    level = measure_chroma_sigma(damaged)
    for plane in split_luma(damaged)[1:]:
        assert _without_fine_noise(plane, level) is plane
