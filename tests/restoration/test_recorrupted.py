"""The denoiser that learns from one noisy image: what its corruptions must be, and that it denoises."""

from __future__ import annotations

import numpy as np
import pytest

import anew

torch = pytest.importorskip("torch")

from anew.restoration.denoising.recorrupted import MIXING, NoiseSource, denoise_recorrupted  # noqa: E402


def power_of(noise: np.ndarray) -> np.ndarray:
    """Mean power spectrum of fields (N, H, W)."""
    return (np.abs(np.fft.fft2(noise)) ** 2).mean(axis=0) / noise[0].size


def low_pass_psd(side: int) -> np.ndarray:
    """A spectrum that has fallen to a third at 0.2 cycles per pixel, twice as wide along x."""
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :]
    return np.exp(-((fy / 0.15) ** 2) - (fx / 0.3) ** 2)


def test_white_noise_has_its_deviation() -> None:
    noise = NoiseSource(0.1, None, torch.Generator().manual_seed(0)).draw(torch.Size((4, 1, 64, 64)))
    assert float(noise.std()) == pytest.approx(0.1, rel=0.02)


def test_correlated_noise_has_its_deviation_and_its_spectrum() -> None:
    source = NoiseSource(0.1, low_pass_psd(32), torch.Generator().manual_seed(0))
    noise = source.draw(torch.Size((400, 1, 32, 32)))[:, 0].numpy()
    assert noise.std() == pytest.approx(0.1, rel=0.02)
    assert abs(noise.mean()) < 0.005
    measured, asked = power_of(noise), low_pass_psd(32)
    asked = asked * measured.sum() / asked.sum()
    assert np.abs(measured - asked).max() < 0.2 * asked.max()  # crops leak from frequency to frequency
    along_y, along_x = (float((noise * np.roll(noise, 1, axis)).mean() / noise.var()) for axis in (1, 2))
    assert along_y > along_x + 0.2


def test_a_large_spectrum_serves_a_small_crop() -> None:
    source = NoiseSource(0.2, low_pass_psd(128), torch.Generator().manual_seed(0))
    assert float(source.draw(torch.Size((200, 2, 24, 16))).std()) == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("psd", [None, low_pass_psd(33)], ids=["white", "correlated"])
def test_the_two_corruptions_of_noise_are_uncorrelated(psd: np.ndarray | None) -> None:
    shape = torch.Size((600, 1, 16, 16))
    noise = NoiseSource(0.1, psd, torch.Generator().manual_seed(0)).draw(shape)
    drawn = NoiseSource(0.1, psd, torch.Generator().manual_seed(1)).draw(shape)
    given, target = (noise + MIXING * drawn).flatten(), (noise - drawn / MIXING).flatten()
    correlation = float(torch.corrcoef(torch.stack([given, target]))[0, 1])
    assert abs(correlation) < 0.02


def test_it_halves_the_error_without_a_clean_image() -> None:
    y, x = np.mgrid[0:96, 0:96] / 96
    clean = (0.5 + 0.3 * np.sin(9 * x + 4 * y) * np.cos(6 * y)).astype(np.float32)
    clean[40:70, 20:50] = 0.85
    noisy = clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape, np.float32)
    told = []
    result = denoise_recorrupted(noisy, 0.1, steps=100, progress=told.append)
    assert np.sqrt(((result - clean) ** 2).mean()) < 0.05
    assert told[-1] == 1
    assert told == sorted(told)
    assert len(told) == 100


def test_the_callers_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    denoise_recorrupted(np.full((12, 12), 0.4, np.float32), 0.1, steps=2)
    assert torch.equal(torch.rand(3), expected)


def test_bad_options_are_named() -> None:
    image = np.zeros((16, 16), np.float32)
    with pytest.raises(ValueError, match="steps should be greater than or equal to 1, got 0"):
        anew.denoise(image, 0.1, method="recorrupted", steps=0)
    for psd in (-np.ones((16, 16)), "x", np.full((16, 16), np.nan), np.ones(16)):
        for method in ("recorrupted", "bm3d"):
            with pytest.raises(ValueError, match="psd must be an"):
                anew.denoise(image, 0.1, method=method, psd=psd)
