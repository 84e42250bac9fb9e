"""Training of the denoiser for photographs: its crops, its conditions, and a whole tiny run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

import anew
from anew.inference.conditions import BLIND
from anew.inference.models import open_model
from anew.restoration.denoising.camera import denoise_camera
from anew.training.data import ImageSet, pack
from anew.training.real_noise import RealNoiseConfig, make_batch
from anew.training.run import run_recipe

TINY = RealNoiseConfig(
    network="unet",
    network_args={"widths": [8, 12], "blocks": 1, "middle_blocks": 1, "unshuffle": 2},
    patch=32,
    batch=8,
    warmup=1,
    validation=1,
)


@pytest.fixture(scope="module")
def photos(colour_photo: np.ndarray) -> ImageSet:
    return pack([(colour_photo * 255).astype(np.uint8)])


def batch(photos: ImageSet, config: RealNoiseConfig) -> tuple[np.ndarray, ...]:
    return tuple(t.numpy() for t in make_batch(photos, config, torch.Generator().manual_seed(0)))


def test_the_noise_grows_with_the_gain_and_is_smooth() -> None:
    photos = pack([np.full((96, 96, 3), 120, np.uint8)])  # nothing to interpolate, so that only noise is left
    levels = []
    for gain in (1e-4, 1e-3, 8e-3):
        config = replace(TINY, gain_min=gain, gain_max=gain, jpeg_share=0.0, even_share=0.0)
        clean, noisy, _ = batch(photos, config)
        assert clean.shape == noisy.shape == (8, 3, 32, 32)
        assert 0 <= noisy.min() <= noisy.max() <= 1
        noise = noisy - clean
        levels.append(noise.std())
        assert np.mean(noise[..., 1:] * noise[..., :-1]) > 0.15 * noise.var()
    assert levels[0] < 0.5 * levels[1] < 0.25 * levels[2] * 2


def test_mosaics_begin_at_any_of_their_pixels(colour_photo: np.ndarray) -> None:
    photos = pack([np.rint(60 + 120 * colour_photo).astype(np.uint8)])  # so that nothing is clipped
    config = replace(TINY, batch=100, gain_min=1e-9, gain_max=1e-9, even_share=0.0, jpeg_share=0.0, grey_share=0.0)
    clean, developed, _ = batch(photos, config)
    error = np.abs(developed - clean)[:, 0]  # of red, least where it was measured
    by_corner = [error[:, y::2, x::2].mean(axis=(1, 2)) for y in (0, 1) for x in (0, 1)]
    assert np.bincount(np.argmin(by_corner, axis=0), minlength=4).min() > 10


def test_even_noise_has_the_levels_asked_for_and_a_share_is_grey_or_smooth(colour_photo: np.ndarray) -> None:
    flat = pack([np.rint(90 + 70 * colour_photo).astype(np.uint8)])  # so that nothing is clipped
    config = replace(TINY, batch=400, even_share=1.0, sigma_max=12.0, jpeg_share=0.0, grey_share=0.0)
    clean, noisy, _ = batch(flat, config)
    noise = noisy - clean
    levels = 255 * noise.std(axis=(1, 2, 3))
    assert levels.max() < 12.5
    assert abs(levels.mean() - 6) < 1
    grey = np.abs(noise - noise[:, :1]).max(axis=(1, 2, 3)) < 1e-6
    assert 0.2 < grey.mean() < 0.47
    neighbours = np.mean(noise[..., 1:] * noise[..., :-1], axis=(1, 2, 3)) / noise.var(axis=(1, 2, 3))
    assert 0.2 < np.mean(neighbours > 0.15) < 0.6


def test_compression_takes_colour_from_the_noise(photos: ImageSet) -> None:
    config = replace(TINY, batch=100, even_share=1.0, sigma_max=25.0, grey_share=0.0)
    shares = []
    for jpeg_share in (0.0, 1.0):
        clean, noisy, _ = batch(photos, replace(config, jpeg_share=jpeg_share))
        noise = noisy - clean
        shares.append((noise - noise.mean(axis=1, keepdims=True)).var() / noise.var())
    assert shares[1] < 0.7 * shares[0]


def test_the_condition_is_the_level_or_nothing(photos: ImageSet) -> None:
    assert batch(photos, replace(TINY, blind_share=1.0))[2] == pytest.approx(BLIND)
    clean, noisy, condition = batch(photos, replace(TINY, blind_share=0.0))
    levels = np.sqrt(np.mean((noisy - clean) ** 2, axis=(1, 2, 3)))
    np.testing.assert_allclose(condition.ravel(), levels, rtol=1e-4)


def test_grey_crops_have_three_equal_channels(photos: ImageSet) -> None:
    clean, noisy, _ = batch(photos, replace(TINY, grey_share=1.0))
    assert (clean == clean[:, :1]).all()
    assert (noisy == noisy[:, :1]).all()


def test_a_whole_run_ends_in_a_model_that_denoises(colour_photo: np.ndarray, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(2):
        Image.fromarray((colour_photo[index * 8 :] * 255).astype(np.uint8)).save(folder / f"{index}.png")
    path = str(run_recipe(TINY, folder, tmp_path / "run", steps=2))
    assert open_model(path).card.task == "denoise"
    image = colour_photo[:31, :17]
    full = denoise_camera(image, 0.1, model=path)
    half = denoise_camera(image, 0.1, strength=0.5, model=path)
    np.testing.assert_allclose(half, (image + full) / 2, atol=1e-6)
    np.testing.assert_array_equal(denoise_camera(image, 0.0, model=path), image)
    assert denoise_camera(image[:, :, 0], 0.1, model=path).shape == (31, 17)


def test_untold_it_judges_by_the_pixels_and_keeps_the_mean(colour_photo: np.ndarray) -> None:
    flat = np.full((96, 96, 3), 0.5, np.float32)
    noise = np.random.default_rng(0).normal(0, 0.03, flat.shape).astype(np.float32)
    untold = anew.denoise(flat + noise, method="camera")
    np.testing.assert_array_equal(untold, denoise_camera(flat + noise))
    assert np.std(untold - flat) < 0.7 * np.std(noise)
    assert abs(float(np.mean(untold - flat - noise))) < 1e-4
    np.testing.assert_array_equal(anew.denoise(colour_photo, 0.0, method="camera"), colour_photo)
