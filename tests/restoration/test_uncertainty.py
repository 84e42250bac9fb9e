"""By how much repaired pixels may be off: after denoising as far as they are, in holes more the deeper they lie."""

from __future__ import annotations

import numpy as np
import pytest

import anew
from anew.restoration.uncertainty import denoised_uncertainty, filled_uncertainty


@pytest.mark.parametrize("busy", [False, True])
def test_after_denoising_it_is_about_the_true_error(busy: bool, colour_photo: np.ndarray) -> None:
    clean = colour_photo if busy else np.full_like(colour_photo, 0.5)
    noisy = clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape, np.float32)
    denoised = anew.denoise(noisy, 0.1, method="bm3d")
    true = np.sqrt(np.mean((denoised - clean) ** 2))
    claimed = np.sqrt(np.mean(denoised_uncertainty(denoised, 0.1) ** 2))
    assert true / 3 < claimed < 3 * true


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
