"""By how much repaired pixels may be off: after denoising as far as they are, in holes more the deeper they lie."""

from __future__ import annotations

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

import anew
from anew.restoration.uncertainty import (
    deblocked_uncertainty,
    denoised_uncertainty,
    filled_uncertainty,
    relit_uncertainty,
)


@pytest.mark.parametrize("busy", [False, True])
def test_after_denoising_it_is_about_the_true_error(busy: bool, colour_photo: np.ndarray) -> None:
    clean = colour_photo if busy else np.full_like(colour_photo, 0.5)
    noisy = clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape, np.float32)
    denoised = anew.denoise(noisy, 0.1, method="bm3d")
    true = np.sqrt(np.mean((denoised - clean) ** 2))
    claimed = np.sqrt(np.mean(denoised_uncertainty(denoised, 0.1) ** 2))
    assert true / 3 < claimed < 3 * true


@pytest.mark.parametrize("quality", [10, 40, 60, 75, 85])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_after_deblocking_it_is_the_true_error(quality: int, mode: str) -> None:
    photo = Image.fromarray(skimage.data.chelsea()[:256, :256]).convert(mode)
    buffer = io.BytesIO()
    photo.save(buffer, format="JPEG", quality=quality)
    clean, coded = (np.atleast_3d(np.asarray(p, np.float32) / 255) for p in (photo, Image.open(buffer)))
    deblocked = anew.deblock(coded, quality, method="sa-filter")
    claimed = np.sqrt(np.mean(deblocked_uncertainty(deblocked, quality) ** 2))
    assert 0.7 < np.sqrt(np.mean((deblocked - clean) ** 2)) / claimed < 1.5


@pytest.mark.parametrize("gamma", [1.5, 2.5])
def test_after_a_change_of_light_most_values_lie_within_twice_of_it(gamma: float, colour_photo: np.ndarray) -> None:
    dark = colour_photo ** np.float32(gamma) * np.float32(0.5)
    lit = anew.relight(dark, method="curve")
    claimed = relit_uncertainty(dark, lit, np.zeros(dark.shape[:2], np.float32))
    error = np.sqrt(np.mean((lit - colour_photo) ** 2, axis=2))
    assert 0.5 < np.mean(error < 2 * claimed) <= 1
    assert np.sqrt(np.mean(claimed**2)) < 4 * np.sqrt(np.mean(error**2))
    unchanged = relit_uncertainty(dark, dark, np.zeros(dark.shape[:2], np.float32))
    np.testing.assert_allclose(unchanged, 0.5 / 255, rtol=1e-5)


def test_in_the_busiest_places_it_is_below_the_noise() -> None:
    rough = np.random.default_rng(0).uniform(0, 1, (64, 64, 3)).astype(np.float32)
    field = denoised_uncertainty(rough, 0.02)
    assert field.min() > 0.5 * 0.02
    assert field.max() < 0.02


@pytest.fixture
def hole() -> tuple[np.ndarray, np.ndarray]:
    """Lively surroundings and a hole of 60 x 60 pixels in them."""
    image = np.random.default_rng(0).uniform(0, 1, (120, 120, 3)).astype(np.float32)
    mask = np.zeros((120, 120), bool)
    mask[30:90, 30:90] = True
    image[mask] = 0.5
    return image, mask


def test_it_grows_with_the_depth_and_is_nothing_outside(hole: tuple[np.ndarray, np.ndarray]) -> None:
    field = filled_uncertainty(*hole, 0.2)
    assert (field[~hole[1]] == 0).all()
    assert 0 < field[30, 60] < field[33, 60] < field[59, 60]


@pytest.mark.parametrize("held_out", [0.2, 0.5])
def test_what_was_held_out_gives_its_size(hole: tuple[np.ndarray, np.ndarray], held_out: float) -> None:
    field = filled_uncertainty(*hole, held_out)
    assert np.sqrt(np.mean(field[hole[1]] ** 2)) == pytest.approx(held_out, rel=0.25)


def test_a_quiet_place_nearby_does_not_vouch_for_what_is_deep(hole: tuple[np.ndarray, np.ndarray]) -> None:
    field = filled_uncertainty(*hole, 0.01)
    assert field[30, 60] < 0.05  # at the rim it does
    assert field[59, 60] > 0.1


def test_of_light_the_middle_tones_are_the_least_sure() -> None:
    ramp = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[np.newaxis, :, np.newaxis], 32, axis=0)
    claimed = relit_uncertainty(0.3 * ramp, ramp, np.zeros((32, 256), np.float32))[16]
    assert 60 < np.argmax(claimed) < 130  # an unknown gamma moves 1 / e of the range by the most
    assert claimed[94] > 1.3 * max(claimed[2], claimed[-2])


def test_light_amplifies_what_was_uncertain_before() -> None:
    texture = 0.2 + 0.05 * np.random.default_rng(0).random((64, 64, 1), np.float32)
    brighter = 3 * texture
    prior = np.full((64, 64), 0.1, np.float32)
    sure, unsure = (relit_uncertainty(texture, brighter, before) for before in (0 * prior, prior))
    np.testing.assert_allclose(np.sqrt(unsure**2 - sure**2).mean(), 3 * 0.1, rtol=0.1)
