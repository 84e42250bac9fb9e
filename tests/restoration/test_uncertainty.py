"""By how much filled pixels may be off: held-out pixels nearby speak for the rim, and not for what is deep inside."""

from __future__ import annotations

import numpy as np
import pytest

from anew.restoration.uncertainty import filled_uncertainty


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
