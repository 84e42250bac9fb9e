"""Poisson-Gaussian noise: the transform, its unbiased inverse, the estimated parameters, the gain in quality."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import skimage.data

from anew.diagnosis.poisson_gaussian import estimate_poisson_gaussian
from anew.restoration.denoising.bm3d import denoise_bm3d
from anew.restoration.denoising.poisson_gaussian import (
    anscombe,
    denoise_poisson_gaussian,
    inverse_anscombe,
)


def degrade(clean: np.ndarray, gain: float, read_out: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (gain * rng.poisson(clean / gain) + rng.normal(0, read_out, clean.shape)).astype(np.float32)


def psnr(x: np.ndarray, clean: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((x.astype(np.float64) - clean) ** 2)))


@pytest.mark.parametrize("read_out", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("photons", [0.3, 2.0, 10.0, 80.0, 150.0, 1000.0])
def test_the_inverse_undoes_the_mean_of_the_transform(photons: float, read_out: float) -> None:
    rng = np.random.default_rng(0)
    sample = rng.poisson(photons, 1_000_000) + rng.normal(0, read_out, 1_000_000)
    mean = anscombe(sample, read_out).mean()
    assert inverse_anscombe(mean, read_out) == pytest.approx(photons, abs=5 * np.sqrt(photons + read_out**2) / 1000)


@pytest.mark.parametrize("photons", [10.0, 80.0, 1000.0])
def test_the_transform_makes_the_variance_one(photons: float) -> None:
    sample = np.random.default_rng(0).poisson(photons, 1_000_000)
    assert anscombe(sample, 0.0).var() == pytest.approx(1, abs=0.02)


def test_the_inverse_is_continuous_and_ascending() -> None:
    for read_out in (0.0, 1.0, 5.0):
        photons = inverse_anscombe(np.linspace(0, 60, 20_000), read_out)
        assert (np.diff(photons) >= 0).all()
        assert np.diff(photons).max() < 0.1


@pytest.mark.parametrize(("gain", "read_out"), [(1 / 20, 0.02), (1 / 100, 0.01), (1 / 5, 0.02)])
def test_parameters_are_told_from_the_image(gain: float, read_out: float) -> None:
    clean = skimage.data.camera()[:256, :256] / 255
    told = estimate_poisson_gaussian(degrade(clean, gain, read_out))
    assert told is not None
    assert told[0] == pytest.approx(gain, rel=0.15)
    level = np.sqrt(gain * clean.mean() + read_out**2)
    assert np.sqrt(told[0] * clean.mean() + told[1] ** 2) == pytest.approx(level, rel=0.07)


def test_it_beats_a_denoiser_that_knows_only_the_level(colour_photo: np.ndarray) -> None:
    gain, read_out = 1 / 20, 0.02
    y = degrade(colour_photo.astype(np.float64), gain, read_out)
    level = float(np.sqrt(gain * colour_photo.mean() + read_out**2))
    plain = psnr(denoise_bm3d(y, level), colour_photo)
    known = psnr(denoise_poisson_gaussian(y, level, gain=gain, offset_sigma=read_out, denoiser="bm3d"), colour_photo)
    told = psnr(denoise_poisson_gaussian(y, level, denoiser="bm3d"), colour_photo)
    assert known > plain + 0.4
    assert told > plain + 0.4


def test_no_photons_is_plain_gaussian_noise(grey_photo: np.ndarray) -> None:
    x = grey_photo[:32, :40]
    expected = denoise_bm3d(x, 0.05)
    given = denoise_poisson_gaussian(x, 0.2, gain=0.0, offset_sigma=0.05, denoiser="bm3d")
    np.testing.assert_array_equal(given, expected)
    np.testing.assert_array_equal(denoise_poisson_gaussian(x, 0.0), x)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2, 3), (9, 50, 4)])
def test_any_size(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).random(shape, dtype=np.float32)
    result = denoise_poisson_gaussian(x, 0.1, denoiser="gaussian")
    assert result.shape == shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()


def test_wrong_options_are_refused() -> None:
    x = np.zeros((8, 8), np.float32)
    with pytest.raises(ValueError, match="for Gaussian noise"):
        denoise_poisson_gaussian(x, 0.1, denoiser="poisson-gaussian")
    with pytest.raises(ValueError, match="gain should be greater than or equal to 0"):
        denoise_poisson_gaussian(x, 0.1, gain=-1.0, offset_sigma=0.0)


def test_little_is_held_in_double_precision() -> None:
    image = np.random.default_rng(0).random((600, 500), np.float32)
    options = {"gain": 0.01, "offset_sigma": 0.01, "denoiser": "mean"}
    denoise_poisson_gaussian(image[:9], 0.1, **options)  # the table of the inverse
    tracemalloc.start()
    denoise_poisson_gaussian(image, 0.1, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 7 * image.nbytes
